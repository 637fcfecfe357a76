//! Teams and their rotation config.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{TeamId, UserId};
use super::json::Json;
use super::oncall_day::{HandoffTime, OnCallClock};
use super::text_enum::text_enum;

/// A team that is on call for its services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name, 1–100 characters.
    pub name: String,
    /// Unique among all teams, deleted ones too: `[a-z0-9-]{1,100}`.
    pub slug: String,
    /// What the team does.
    pub description: Option<String>,
    /// Slack user group that holds its members.
    pub slack_group_id: Option<String>,
    /// Slack user group that is kept set to who is on call.
    pub slack_oncall_group_id: Option<String>,
    /// Slack channel that is told of its handoffs.
    pub slack_channel_id: Option<String>,
    /// IANA zone name.
    pub timezone: String,
    /// Whether overrides wait for a lead; `None`: as the config says.
    pub overrides_require_approval: Option<bool>,
    /// False once deleted.
    pub is_active: bool,
    /// How it rotates.
    pub rotation: RotationConfig,
    /// Its revision.
    pub revision: Revision,
}

impl Team {
    /// The clock that tells the team's on-call days.
    pub fn clock(&self) -> OnCallClock {
        OnCallClock::new(&self.timezone, self.rotation.handoff_time)
    }

    /// Whether the team rotates by itself.
    pub fn rotates(&self) -> bool {
        self.is_active && self.rotation.enabled && self.rotation.start_date.is_some()
    }
}

/// How a team rotates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RotationConfig {
    /// Whether the rotation runs.
    pub enabled: bool,
    /// How the next person is picked.
    pub kind: RotationType,
    /// Length of a period.
    pub interval: Interval,
    /// The on-call day from which periods are counted; set when the rotation is switched on.
    #[serde(with = "crate::domain::compact::date_option")]
    pub start_date: Option<NaiveDate>,
    /// The ring of a custom rotation.
    pub order: Vec<UserId>,
    /// Day on which weekly and biweekly periods begin, 0 = Monday … 6 = Sunday.
    pub handoff_day: Option<u8>,
    /// Local time at which shifts change.
    pub handoff_time: HandoffTime,
    /// Free-form settings for a plugin strategy.
    pub plugin_config: Json,
}

impl RotationConfig {
    /// Whether its periods are those of `other`, and count from the same day.
    pub fn has_periods_of(&self, other: &Self) -> bool {
        let periods = |config: &Self| (config.start_date, config.interval, config.handoff_day);
        periods(self) == periods(other)
    }
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            kind: RotationType::RoundRobin,
            interval: Interval::Weekly,
            start_date: None,
            order: Vec::new(),
            handoff_day: None,
            handoff_time: HandoffTime::default(),
            plugin_config: Json::object(),
        }
    }
}

text_enum! {
    /// Length of a rotation period.
    Interval {
        /// One on-call day.
        Daily = "daily",
        /// Seven on-call days.
        Weekly = "weekly",
        /// Fourteen on-call days.
        Biweekly = "biweekly",
    }
}

impl Interval {
    /// Days in a period.
    pub const fn days(self) -> i64 {
        match self {
            Self::Daily => 1,
            Self::Weekly => 7,
            Self::Biweekly => 14,
        }
    }
}

/// The strategy that picks the next person, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RotationType {
    /// Each in turn, by seniority.
    RoundRobin,
    /// Each in turn, in the configured order.
    Custom,
    /// The one who is owed most.
    Weighted,
    /// A WASM plugin of this name.
    Plugin(String),
}

impl fmt::Display for RotationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundRobin => f.write_str("round_robin"),
            Self::Custom => f.write_str("custom"),
            Self::Weighted => f.write_str("weighted"),
            Self::Plugin(name) => write!(f, "plugin:{name}"),
        }
    }
}

/// The text names no rotation type.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not one of: round_robin, custom, weighted, plugin:<name>")]
pub struct UnknownRotationType(String);

impl FromStr for RotationType {
    type Err = UnknownRotationType;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownRotationType(text.to_owned());
        match text {
            "round_robin" => Ok(Self::RoundRobin),
            "custom" => Ok(Self::Custom),
            "weighted" => Ok(Self::Weighted),
            _ => {
                let name = text.strip_prefix("plugin:").ok_or_else(unknown)?;
                let well_formed = (1..=64).contains(&name.len())
                    && name
                        .bytes()
                        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
                if well_formed {
                    Ok(Self::Plugin(name.to_owned()))
                } else {
                    Err(unknown())
                }
            }
        }
    }
}

/// Whether a text may be a slug: `[a-z0-9-]{1,100}`.
pub fn is_slug(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// A slug made from a name: ASCII letters and digits in lower case, everything else a
/// single hyphen; `team` where nothing is left.
pub fn slug_from(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 90 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "team".to_owned()
    } else {
        slug.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_made_from_names() {
        assert_eq!(slug_from("Edge & CDN"), "edge-cdn");
        assert_eq!(slug_from("  Payments!"), "payments");
        assert_eq!(slug_from("日本"), "team");
        assert!(is_slug(&slug_from(&"long name ".repeat(30))));
    }

    #[test]
    fn rotation_types_read_as_they_print() {
        for text in ["round_robin", "custom", "weighted", "plugin:fair-weekends"] {
            assert_eq!(text.parse::<RotationType>().unwrap().to_string(), text);
        }
        for bad in ["", "Weighted", "plugin:", "plugin:../x", "plugin:A"] {
            assert!(bad.parse::<RotationType>().is_err(), "{bad}");
        }
    }
}
