//! The sections and their values, each with its own rules.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

use super::hosts::{AllowedHost, Host, PublicUrl};
use super::value::{Text, bounded, list, optional_text, text};

/// `[server]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address to serve on.
    #[serde(deserialize_with = "text")]
    pub listen: SocketAddr,
    /// Where people reach the daemon, if not at `listen`.
    #[serde(default, deserialize_with = "optional_text")]
    pub public_url: Option<PublicUrl>,
    /// `Host` headers to accept besides those that always are; see [`Config::expected_hosts`].
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<AllowedHost>,
    /// The folder of the data file and the admin token.
    #[serde(deserialize_with = "text")]
    pub data_dir: PathBuf,
    /// The largest request body, in units of 1024 bytes.
    #[serde(deserialize_with = "bounded::<1, 65_536, _, _>")]
    pub max_body_kb: usize,
    /// How long requests in flight may take to end at a shutdown, in seconds.
    #[serde(deserialize_with = "bounded::<1, 9, _, _>")]
    pub shutdown_seconds: u64,
}

/// `[auth]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Whether reads need no token, as configured; [`Config::anonymous_read`] is what holds.
    pub anonymous_read: Option<bool>,
    /// Failed attempts to authenticate that a peer address has each minute.
    #[serde(deserialize_with = "bounded::<1, 10_000, _, _>")]
    pub failed_attempts_per_minute: NonZeroU32,
}

/// `[rotation]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// How many weeks of shifts are published ahead.
    #[serde(deserialize_with = "bounded::<1, 52, _, _>")]
    pub lookahead_weeks: u32,
    /// What a team falls back to when its plugin fails.
    #[serde(deserialize_with = "text")]
    pub on_plugin_error: OnPluginError,
}

/// What a team falls back to when its rotation plugin fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnPluginError {
    /// The next in the ring.
    RoundRobin,
    /// Who is on call stays.
    Hold,
}

impl Text for OnPluginError {
    const EXPECTED: &'static str = "\"round_robin\" or \"hold\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "round_robin" => Some(Self::RoundRobin),
            "hold" => Some(Self::Hold),
            _ => None,
        }
    }
}

/// `[overrides]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Whether a new override waits for approval, for teams that don't say so themselves.
    pub require_approval: bool,
}

/// `[notifications]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// Where each notification goes; no sink stands here twice.
    #[serde(deserialize_with = "list")]
    pub sinks: Vec<SinkName>,
}

/// A notification sink as the configuration names it; `Display` gives the same text again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkName {
    /// Slack.
    Slack,
    /// The webhooks.
    Webhook,
    /// The plugin of this name.
    Plugin(String),
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack => f.write_str("slack"),
            Self::Webhook => f.write_str("webhook"),
            Self::Plugin(name) => write!(f, "plugin:{name}"),
        }
    }
}

impl Text for SinkName {
    const EXPECTED: &'static str = "\"slack\", \"webhook\" or \"plugin:<name>\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "slack" => Some(Self::Slack),
            "webhook" => Some(Self::Webhook),
            _ => {
                let name = text.strip_prefix("plugin:")?;
                let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
                let valid = !name.is_empty() && name.chars().all(in_name);
                valid.then(|| Self::Plugin(name.to_owned()))
            }
        }
    }
}

/// `[plugins]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugins {
    /// The folder of the plugins' files; it need not exist.
    #[serde(deserialize_with = "text")]
    pub dir: PathBuf,
    /// The folder of compiled plugins; by default one in the data folder.
    #[serde(default, deserialize_with = "optional_text")]
    pub cache_dir: Option<PathBuf>,
    /// Hosts that plugins may send requests to, if their manifest names them too.
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<AllowedHost>,
    /// The same for hosts with private addresses.
    #[serde(deserialize_with = "list")]
    pub private_hosts: Vec<Host>,
    /// The most memory that a call may take, in mebibytes.
    #[serde(deserialize_with = "bounded::<1, 4096, _, _>")]
    pub max_memory_mb: usize,
    /// The longest that a call may run, in milliseconds.
    #[serde(deserialize_with = "bounded::<1, 60_000, _, _>")]
    pub timeout_ms: u64,
    /// The most fuel that a call may burn.
    #[serde(deserialize_with = "bounded::<1_000, 4_000_000_000, _, _>")]
    pub fuel: u64,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    #[serde(deserialize_with = "text")]
    pub level: LogFilter,
    /// How a line is written.
    #[serde(deserialize_with = "text")]
    pub format: LogFormat,
}

/// A filter that `tracing-subscriber`'s `EnvFilter` takes: levels and `target=level`, by commas.
///
/// It is stricter: a bare word is a level, never a target, or `level = "warning"` would log
/// nothing but a target of that name and say nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for LogFilter {
    const EXPECTED: &'static str = "a level (off, error, warn, info, debug, trace), or several \
                                    separated by commas as in \"info,oncalld::store=debug\"";

    fn from_text(text: &str) -> Option<Self> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let in_target = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
        let valid = text.split(',').all(|directive| {
            let (target, level) = directive.split_once('=').unwrap_or(("any", directive));
            !target.is_empty()
                && target.chars().all(in_target)
                && LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level))
        });
        valid.then(|| Self(text.to_owned()))
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Text for LogFormat {
    const EXPECTED: &'static str = "\"text\" or \"json\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
