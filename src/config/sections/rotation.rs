//! `[rotation]` and `[overrides]`: what holds for every team.

use serde::Deserialize;

use crate::config::value::{Text, bounded, text};

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
