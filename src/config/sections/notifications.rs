//! `[notifications]`: where notifications go, and how hard it is tried.

use std::fmt;

use serde::Deserialize;

use crate::config::value::{Text, bounded, bounded_list, list};

/// `[notifications]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// Where each notification goes; no sink stands here twice.
    #[serde(deserialize_with = "list")]
    pub sinks: Vec<SinkName>,
    /// Deliveries of a notification that are tried before it is given up.
    #[serde(deserialize_with = "bounded::<1, 100, _, _>")]
    pub max_attempts: u32,
    /// How long to wait after each failed try, in seconds; the last one repeats. Never empty.
    #[serde(deserialize_with = "bounded_list::<1, 86_400, _, _>")]
    pub backoff_seconds: Vec<u64>,
    /// How long before a shift its engineer is reminded, in hours; 0 for never.
    #[serde(deserialize_with = "bounded::<0, 168, _, _>")]
    pub reminder_hours: u32,
    /// How long those that were delivered, dropped or given up are kept, in days.
    #[serde(deserialize_with = "bounded::<1, 3_650, _, _>")]
    pub keep_days: u32,
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
