//! Members on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::TeamId;
use crate::domain::member::{Membership, TeamRole};
use crate::domain::roster::{Account, Member, Presence};

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
    /// Whether they are in the team's Slack group; null where Slack is not the source. Somebody
    /// who has left keeps their metadata, and is out of the rotation.
    pub in_slack: Option<bool>,
    /// What their Slack account is; null where they are not in the team's Slack group. Bots and
    /// deactivated accounts are out of the rotation.
    pub slack_account: Option<Account>,
    /// When Slack last listed the group; null where Slack is not the source.
    pub synced_at: Option<DateTime<Utc>>,
    /// Their role in the team.
    pub team_role: TeamRole,
    /// Whether the rotation may pick them.
    pub is_eligible_for_oncall: bool,
    /// Share of the shifts relative to the others'.
    pub weight: f64,
    /// Since when they count; for somebody known from Slack alone, when Slack first listed them.
    pub joined_at: DateTime<Utc>,
    /// When the membership was made; null where there is none.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Increases by one with each change.
    pub version: Option<u64>,
}

impl MemberView {
    /// A member as the API shows them: with the name that is known, and when Slack last listed
    /// the team's group, where it counts.
    pub fn new(
        team: TeamId,
        member: &Member,
        display_name: String,
        synced_at: Option<DateTime<Utc>>,
    ) -> Self {
        let row = member.row.as_ref();
        Self {
            id: row.map(|(id, _)| id.uuid()),
            team_id: team.uuid(),
            slack_user_id: member.user.to_string(),
            display_name,
            in_slack: member.presence.in_slack(),
            slack_account: match member.presence {
                Presence::Listed(account) => Some(account),
                Presence::NotAsked | Presence::Left => None,
            },
            synced_at,
            team_role: member.role,
            is_eligible_for_oncall: member.is_eligible,
            weight: member.weight,
            joined_at: member.joined_at,
            created_at: row.map(|(_, revision)| revision.created_at),
            updated_at: row.map(|(_, revision)| revision.updated_at),
            version: row.map(|(_, revision)| revision.version),
        }
    }
}

impl From<&Membership> for MemberView {
    /// The row alone, for the audit log.
    fn from(row: &Membership) -> Self {
        let id = row.user.to_string();
        Self::new(row.team_id, &row.clone().into(), id, None)
    }
}

/// What bringing a team's members up to date with its Slack group came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = MemberSync)]
pub struct SyncView {
    /// When Slack listed the group.
    pub synced_at: DateTime<Utc>,
    /// Who is in it, and was not in the list before.
    pub joined: Vec<String>,
    /// Who was in the list before, and is not in it.
    pub left: Vec<String>,
    /// How many are in it.
    pub members: usize,
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
    /// When they joined; default now.
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
    /// When they joined.
    pub joined_at: Option<DateTime<Utc>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}
