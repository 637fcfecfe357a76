//! Plugins: what the rest asks of them, and the record of how they come and go.

use std::fmt::Debug;

use serde_json::{Value, json};

use super::app::App;
use super::context::Ctx;
use super::error::Result;
use crate::domain::audit::{Action, EntityType};
use crate::domain::json::Json;
use crate::domain::team::{RotationType, Team};
use crate::domain::token::Role;
use crate::rotation::strategy::Strategy;
use crate::store;
use crate::wire::plugin::{PluginStatus, PluginView};
use crate::wire::{Page, Paging};

/// The plugins that there are. Who runs them is none of the actions' business.
pub trait Plugins: Send + Sync + Debug {
    /// The rotation plugin of this name.
    ///
    /// # Errors
    /// Why it can't be had, naming it.
    fn strategy(&self, name: &str) -> std::result::Result<Box<dyn Strategy>, String>;

    /// What is wrong with a team's config for a rotation plugin; nothing where the plugin is
    /// not loaded, or asks nothing of its config.
    fn config_problems(&self, name: &str, config: &Value) -> Vec<String>;

    /// All plugins that have files, by name; who uses them is not known here.
    fn list(&self) -> Vec<PluginView>;

    /// Looks at the files and loads what has changed. Answers with what has happened since the
    /// last time.
    fn reload(&self) -> Vec<PluginEvent>;

    /// Takes back what could not be recorded; the next look answers with it too.
    fn put_back(&self, _events: Vec<PluginEvent>) {}

    /// Whether a plugin may yet come: the files that were there at the start are still being
    /// loaded, and this one's have not had their turn. Answers at once.
    fn is_loading(&self, _name: &str) -> bool {
        false
    }

    /// Waits until a plugin is no longer loading, but never beyond 30 s after the start: so many
    /// who wait one after the other wait no longer than one. Blocks the thread.
    fn await_loaded(&self, _name: &str) {}
}

/// No plugins at all.
#[derive(Clone, Copy, Debug)]
pub struct NoPlugins;

impl Plugins for NoPlugins {
    fn strategy(&self, name: &str) -> std::result::Result<Box<dyn Strategy>, String> {
        Err(format!("plugin:{name} is not loaded"))
    }

    fn config_problems(&self, _: &str, _: &Value) -> Vec<String> {
        Vec::new()
    }

    fn list(&self) -> Vec<PluginView> {
        Vec::new()
    }

    fn reload(&self) -> Vec<PluginEvent> {
        Vec::new()
    }
}

/// Something that happened to a plugin's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginEvent {
    /// The plugin's name.
    pub name: String,
    /// What happened.
    pub change: PluginChange,
}

/// What happened to a plugin's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginChange {
    /// These went into service, in place of others if there were any.
    Loaded {
        /// What is in service.
        new: PluginFile,
        /// What was.
        old: Option<PluginFile>,
    },
    /// They can't be loaded.
    Failed {
        /// Why.
        problem: String,
        /// What stays in service.
        stays: Option<PluginFile>,
    },
    /// They are gone, and what was in service with them.
    Removed {
        /// What was in service.
        old: Option<PluginFile>,
    },
}

/// Which build of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The version by its manifest.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal.
    pub sha256: String,
}

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
            let mut event = tx.ctx.event(EntityType::Plugin, action);
            event.entity_id = Some(name.clone());
            event.change_reason = problem.cloned();
            event.changes = differences(old, new);
            tx.audit(event)?;
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
pub(super) fn with_users(app: &App) -> Result<Vec<PluginView>> {
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
