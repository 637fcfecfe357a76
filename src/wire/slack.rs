//! How oncalld and Slack get along, on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What works between oncalld and Slack, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SlackReport {
    /// Whether everything works.
    pub healthy: bool,
    /// The workspace; null where the bot token is refused.
    pub workspace: Option<Workspace>,
    /// What concerns everything: a token that is refused, Slack that can't be reached.
    pub problems: Vec<String>,
    /// The scopes that oncalld can use.
    pub scopes: Vec<ScopeCheck>,
    /// The active teams that name a Slack group or channel, by slug.
    pub teams: Vec<TeamCheck>,
    /// The on-call groups, by id.
    pub oncall_groups: Vec<OnCallGroupCheck>,
    /// What was just fixed, in words.
    pub fixed: Vec<String>,
}

/// The workspace that the tokens belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Whom the bot token acts as.
    pub bot_user_id: String,
    /// Whom the user token acts as, where there is one.
    pub user_id: Option<String>,
}

/// A scope that oncalld can use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScopeCheck {
    /// The scope.
    pub scope: String,
    /// The token that needs it: `bot` or `user`.
    pub token: String,
    /// What for.
    pub needed_for: String,
    /// Whether the token has it.
    pub present: bool,
    /// Whether anything that is configured fails without it.
    pub required: bool,
}

/// The state of a team in Slack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TeamCheck {
    /// The team.
    pub team_id: Uuid,
    /// Its slug.
    pub team_slug: String,
    /// The group that holds its members.
    pub slack_group_id: Option<String>,
    /// What that group is mentioned by, without the `@`.
    pub slack_group_handle: Option<String>,
    /// When its members were last listed; null where they never were.
    pub synced_at: Option<DateTime<Utc>>,
    /// The channel for messages about its handoffs.
    pub slack_channel_id: Option<String>,
    /// That channel's name, without the `#`.
    pub slack_channel_name: Option<String>,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// The state of an on-call group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OnCallGroupCheck {
    /// The group.
    pub slack_group_id: String,
    /// What it is mentioned by, without the `@`.
    pub slack_group_handle: Option<String>,
    /// The slugs of the teams that name it.
    pub teams: Vec<String>,
    /// Who is on call for them now.
    pub wanted: Vec<String>,
    /// Who is in the group; null where Slack does not say.
    pub actual: Option<Vec<String>>,
    /// What is wrong.
    pub problems: Vec<String>,
}
