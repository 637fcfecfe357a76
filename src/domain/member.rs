//! A person's place in a team.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::{MembershipId, TeamId, UserId};
use super::text_enum::text_enum;

/// On-call metadata of one person in one team; unique on (team, user).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// The team.
    pub team_id: TeamId,
    /// The person.
    pub user: UserId,
    /// What they may decide.
    pub role: TeamRole,
    /// Whether the rotation may pick them.
    pub is_eligible: bool,
    /// Share of the shifts relative to the others': finite, > 0, ≤ [`MAX_WEIGHT`].
    pub weight: f64,
    /// Since when they count; decides the place in the ring.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub joined_at: DateTime<Utc>,
    /// Its revision.
    pub revision: Revision,
}

/// The largest weight.
pub const MAX_WEIGHT: f64 = 1000.0;

/// Whether a number may be a weight.
pub fn is_weight(weight: f64) -> bool {
    weight.is_finite() && weight > 0.0 && weight <= MAX_WEIGHT
}

text_enum! {
    /// What a member may decide for the team.
    TeamRole {
        /// Decides overrides and manages the team.
        Lead = "lead",
        /// Takes shifts.
        Member = "member",
    }
}
