//! Members on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::member::{Membership, TeamRole};

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = TeamMembership)]
pub struct MemberView {
    /// Id of the membership; null for somebody known from Slack alone.
    pub id: Option<Uuid>,
    /// The team.
    pub team_id: Uuid,
    /// The person.
    pub slack_user_id: String,
    /// Their name; the id where no name is known.
    pub display_name: String,
    /// Whether they are in the team's Slack group; null where Slack is not the source.
    pub in_slack: Option<bool>,
    /// What they may decide.
    pub team_role: TeamRole,
    /// Whether the rotation may pick them.
    pub is_eligible_for_oncall: bool,
    /// Share of the shifts relative to the others'.
    pub weight: f64,
    /// Since when they count.
    pub joined_at: Option<DateTime<Utc>>,
    /// When the membership was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Rises by one at each change.
    pub version: Option<u64>,
}

impl From<&Membership> for MemberView {
    fn from(member: &Membership) -> Self {
        Self {
            id: Some(member.id.uuid()),
            team_id: member.team_id.uuid(),
            slack_user_id: member.user.to_string(),
            display_name: member.user.to_string(),
            in_slack: None,
            team_role: member.role,
            is_eligible_for_oncall: member.is_eligible,
            weight: member.weight,
            joined_at: Some(member.joined_at),
            created_at: Some(member.revision.created_at),
            updated_at: Some(member.revision.updated_at),
            version: Some(member.revision.version),
        }
    }
}

/// Adds a member, or changes the one that is there.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The person.
    pub slack_user_id: String,
    /// What to set.
    #[serde(default)]
    pub team_role: Option<String>,
    /// Whether the rotation may pick them; default true.
    #[serde(default)]
    pub is_eligible_for_oncall: Option<bool>,
    /// Above 0, at most 1000; default 1.
    #[serde(default)]
    pub weight: Option<f64>,
    /// Since when they count; default now.
    #[serde(default)]
    pub joined_at: Option<DateTime<Utc>>,
    /// The version that this change is based on.
    #[serde(default)]
    pub version: Option<u64>,
}

/// A change of a member; absent fields stay as they are.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemberInput {
    /// `lead` or `member`.
    pub team_role: Option<String>,
    /// Whether the rotation may pick them.
    pub is_eligible_for_oncall: Option<bool>,
    /// Above 0, at most 1000.
    pub weight: Option<f64>,
    /// Since when they count.
    pub joined_at: Option<DateTime<Utc>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}
