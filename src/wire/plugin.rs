//! Plugins on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::text_enum::text_enum;

text_enum! {
    /// What a plugin does.
    PluginKind {
        /// Picks who is on call.
        Rotation = "rotation",
        /// Tells people.
        Sink = "sink",
    }
}

text_enum! {
    /// The state of a plugin.
    PluginStatus {
        /// In service.
        Loaded = "loaded",
        /// Its files are there, but can't be loaded.
        Failed = "failed",
        /// A team or the config names it, but it has no files.
        Missing = "missing",
    }
}

/// A plugin: what is known of it, and how it fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Plugin)]
pub struct PluginView {
    /// Its name; a team uses it as `plugin:<name>`.
    pub name: String,
    /// Its status.
    pub status: PluginStatus,
    /// What is wrong with it. One that is in service may have a problem too: newer files that
    /// can't be loaded.
    pub problem: Option<String>,
    /// What it is, once it was loaded.
    pub loaded: Option<LoadedPlugin>,
    /// Slugs of the active teams whose rotation it decides.
    pub used_by: Vec<String>,
    /// Whether the config sends notifications through it.
    pub is_configured_sink: bool,
}

/// A plugin that is in service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LoadedPlugin {
    /// What it does.
    pub kind: PluginKind,
    /// Its own version.
    pub version: String,
    /// What its author says of it.
    pub description: Option<String>,
    /// Version of the interface that it was built for.
    pub interface: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// Since when these files are in service.
    pub loaded_at: DateTime<Utc>,
    /// Hosts that it may send requests to: those that its manifest and the config both name.
    pub hosts: Vec<String>,
    /// Hosts that its manifest names, but the config does not.
    pub refused_hosts: Vec<String>,
    /// Mebibytes of memory that a call may take.
    pub max_memory_mb: u64,
    /// Milliseconds that a call may take, but for requests of a sink.
    pub timeout_ms: u64,
    /// Fuel that a call may burn: about one for each instruction.
    pub fuel: u64,
    /// JSON Schema of a team's `plugin_config`.
    #[schema(value_type = Option<Object>)]
    pub config_schema: Option<Value>,
    /// Calls since it was loaded.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Microseconds that all calls took together.
    pub microseconds: u64,
    /// What the last call that failed said.
    pub last_failure: Option<String>,
}

/// A rotation plugin that a team may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyPlugin {
    /// Its name; a team uses it as `plugin:<name>`.
    pub name: String,
    /// What its author says of it.
    pub description: Option<String>,
    /// JSON Schema of a team's `plugin_config`.
    pub config_schema: Option<Value>,
}
