//! Plugins: which there are, who uses them, and the record of how they come and go.

use serde_json::json;

use crate::app::plugins::{PluginChange, PluginEvent, PluginFile};
use crate::app::{App, Ctx, Result};
use crate::domain::audit::{Action, EntityType};
use crate::domain::json::Json;
use crate::domain::team::{RotationType, Team};
use crate::domain::token::Role;
use crate::store;
use crate::wire::plugin::{PluginStatus, PluginView};
use crate::wire::{Page, Paging};

/// Every plugin that has files or that somebody names, by name.
///
/// # Errors
/// Not an admin.
pub fn list(app: &App, ctx: &Ctx, paging: &Paging) -> Result<Page<PluginView>> {
    ctx.require(Role::Admin)?;
    Ok(Page::of(with_users(app)?, paging))
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

/// The plugins, those that somebody names but nobody has among them.
pub(crate) fn with_users(app: &App) -> Result<Vec<PluginView>> {
    let teams = app.read(|tx| Ok(store::teams::list(tx)?))?;
    let settings = app.settings();
    let mut plugins = settings.plugins.list();
    let mut entry = |name: &str, note: &dyn Fn(&mut PluginView)| {
        let at = plugins
            .iter()
            .position(|plugin| plugin.name == name)
            .unwrap_or_else(|| {
                plugins.push(missing(name, settings.plugins.is_loading(name)));
                plugins.len() - 1
            });
        note(&mut plugins[at]);
    };
    for team in teams.iter().filter(|team| team.is_active) {
        if let Some(name) = plugin_of(team) {
            entry(name, &|plugin| plugin.used_by.push(team.slug.clone()));
        }
    }
    for name in settings
        .sinks
        .iter()
        .filter_map(|sink| sink.sink.strip_prefix("plugin:"))
    {
        entry(name, &|plugin| plugin.is_configured_sink = true);
    }
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(plugins)
}

fn plugin_of(team: &Team) -> Option<&str> {
    match &team.rotation.kind {
        RotationType::Plugin(name) => Some(name),
        RotationType::RoundRobin | RotationType::Custom | RotationType::Weighted => None,
    }
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
