//! What the use cases ask of plugins, whoever runs them.

use std::fmt::Debug;

use serde_json::Value;

use crate::rotation::strategy::Strategy;
use crate::wire::plugin::PluginView;

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
