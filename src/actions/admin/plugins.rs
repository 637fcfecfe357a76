//! Plugins: which there are, who uses them, and the record of how they come and go.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use crate::app::plugins::{PluginChange, PluginEvent, PluginFile};
use crate::app::{App, Ctx, Result};
use crate::domain::audit::{Action, EntityType};
use crate::domain::json::Json;
use crate::domain::token::Role;
use crate::store;
use crate::wire::plugin::{PluginKind, PluginStatus, PluginView, StrategyPlugin};
use crate::wire::{Page, Paging};

/// Every plugin that has files or that somebody names, by name.
///
/// # Errors
/// Not an admin.
pub fn list(app: &App, ctx: &Ctx, paging: &Paging) -> Result<Page<PluginView>> {
    ctx.require(Role::Admin)?;
    Ok(Page::of(with_users(app)?, paging))
}

/// The rotation plugins in service, by name: what a team may choose. Everybody may know that.
pub fn strategies(app: &App) -> Vec<StrategyPlugin> {
    let plugins = app.settings().plugins.list().into_iter();
    let strategy = |plugin: PluginView| {
        let loaded = plugin.loaded?;
        (loaded.kind == PluginKind::Rotation).then_some(StrategyPlugin {
            name: plugin.name,
            description: loaded.description,
            config_schema: loaded.config_schema,
        })
    };
    plugins.filter_map(strategy).collect()
}

/// Loads what has changed in the plugin folder now, and answers as [`list`].
///
/// # Errors
/// Not an admin.
pub fn reload(app: &App, ctx: &Ctx, paging: &Paging) -> Result<Page<PluginView>> {
    ctx.require(Role::Admin)?;
    let events = app.settings().plugins.reload();
    record(app, ctx, events)?;
    list(app, ctx, paging)
}

/// Audits what happened to plugins.
///
/// # Errors
/// The store failed; it is recorded after the next look, then.
pub fn record(app: &App, ctx: &Ctx, events: Vec<PluginEvent>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let recorded = app.write(ctx, |tx| {
        for PluginEvent { name, change } in &events {
            let (action, old, new, problem) = match change {
                PluginChange::Loaded { new, old } => {
                    (Action::PluginLoaded, old.as_ref(), Some(new), None)
                }
                PluginChange::Failed { problem, stays } => (
                    Action::PluginFailed,
                    stays.as_ref(),
                    stays.as_ref(),
                    Some(problem),
                ),
                PluginChange::Removed { old } => (Action::PluginUnloaded, old.as_ref(), None, None),
            };
            tx.record(EntityType::Plugin, action)
                .entity(name)
                .changes(differences(old, new))
                .reason(problem.map(String::as_str))
                .write()?;
        }
        Ok(())
    });
    if recorded.is_err() {
        app.settings().plugins.put_back(events);
    }
    recorded
}

fn differences(old: Option<&PluginFile>, new: Option<&PluginFile>) -> Json {
    let mut changes = Json::object();
    let version = |file: Option<&PluginFile>| file.map(|file| file.version.clone());
    let sha256 = |file: Option<&PluginFile>| file.map(|file| file.sha256.clone());
    let fields = [
        ("version", version(old), version(new)),
        ("sha256", sha256(old), sha256(new)),
    ];
    for (field, old, new) in fields {
        if let Some(object) = changes.0.as_object_mut()
            && old != new
        {
            object.insert(field.to_owned(), json!({"old": old, "new": new}));
        }
    }
    changes
}

/// The plugins with the teams that each decides; those that somebody names but nobody has are
/// among them.
fn with_users(app: &App) -> Result<Vec<PluginView>> {
    let users = app.read(|tx| Ok(store::teams::list_by_plugin(tx)?))?;
    let mut plugins = with_missing(app, users.iter().map(|(name, _)| name));
    for (name, slugs) in users {
        if let Some(plugin) = plugins.iter_mut().find(|plugin| plugin.name == name) {
            plugin.used_by = slugs;
        }
    }
    Ok(plugins)
}

/// The plugins with how many active teams each decides, which is counted already: `used_by` is
/// left empty.
pub(crate) fn with_user_counts(app: &App) -> Result<Vec<(PluginView, u64)>> {
    let users = app.read(|tx| Ok(store::teams::count_by_plugin(tx)?))?;
    let plugins = with_missing(app, users.iter().map(|(name, _)| name));
    let users: HashMap<String, u64> = users.into_iter().collect();
    let counted = plugins.into_iter().map(|plugin| {
        let count = users.get(&plugin.name).copied().unwrap_or(0);
        (plugin, count)
    });
    Ok(counted.collect())
}

/// The plugins that have files, and those that teams or the config name, by name.
fn with_missing<'a>(app: &'a App, named: impl Iterator<Item = &'a String>) -> Vec<PluginView> {
    let settings = app.settings();
    let mut plugins = settings.plugins.list();
    let sinks: BTreeSet<&str> = settings
        .sinks
        .iter()
        .filter_map(|sink| sink.sink.strip_prefix("plugin:"))
        .collect();
    for name in named.map(String::as_str).chain(sinks.iter().copied()) {
        if plugins.iter().all(|plugin| plugin.name != name) {
            plugins.push(missing(name, settings.plugins.is_loading(name)));
        }
    }
    for plugin in &mut plugins {
        plugin.is_configured_sink = sinks.contains(plugin.name.as_str());
    }
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    plugins
}

fn missing(name: &str, is_loading: bool) -> PluginView {
    let problem = if is_loading {
        "it is still being compiled".to_owned()
    } else {
        format!("there is no plugin {name} in the plugin folder")
    };
    PluginView {
        name: name.to_owned(),
        status: PluginStatus::Missing,
        problem: Some(problem),
        loaded: None,
        used_by: Vec::new(),
        is_configured_sink: false,
    }
}
