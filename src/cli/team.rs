//! `oncalld team`: teams, and bringing them back.

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::args::{ActiveArgs, Body, PageArgs, Query};
use super::error::CliError;
use super::output::print;
use super::rotation;
use super::session::{Session, warn};
use super::table::{Table, facts, or_none, yes_no};
use super::time::stamp;
use crate::wire::team::TeamView;

/// What to do with teams.
#[derive(Debug, Subcommand)]
pub(super) enum TeamCommand {
    /// List teams
    List {
        /// Part of the name
        #[arg(short, long, value_name = "TEXT")]
        query: Option<String>,
        #[command(flatten)]
        active: ActiveArgs,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Show a team
    Show {
        /// Slug or id
        team: String,
    },
    /// Create a team
    Create {
        /// Its name
        name: String,
        #[command(flatten)]
        fields: TeamArgs,
    },
    /// Change a team; `rotation set` changes its rotation
    Update {
        /// Slug or id
        team: String,
        /// New name
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        fields: TeamArgs,
        /// Set a field to its default (may be repeated)
        #[arg(long, value_name = "FIELD", value_delimiter = ',')]
        clear: Vec<TeamField>,
        /// Change it only if this is its current version
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
    },
    /// Delete a team; `restore` brings it back
    Delete {
        /// Slug or id
        team: String,
    },
    /// Bring a deleted team back
    Restore {
        /// Slug or id
        team: String,
    },
}

/// The fields of a team.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct TeamArgs {
    /// Unique short name, `[a-z0-9-]` [default: made from the name]
    #[arg(long)]
    slug: Option<String>,
    /// What the team does
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Slack user group that holds its members
    #[arg(long, value_name = "ID")]
    slack_group_id: Option<String>,
    /// Slack user group to set to whoever is on call
    #[arg(long, value_name = "ID")]
    slack_oncall_group_id: Option<String>,
    /// Slack channel for messages about its handoffs
    #[arg(long, value_name = "ID")]
    slack_channel_id: Option<String>,
    /// IANA time zone of its on-call days, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Whether overrides wait for approval [default: as in the config file]
    #[arg(long, value_name = "BOOL")]
    overrides_require_approval: Option<bool>,
}

impl TeamArgs {
    fn body(self) -> Body {
        Body::default()
            .set("slug", self.slug)
            .set("description", self.description)
            .set("slack_group_id", self.slack_group_id)
            .set("slack_oncall_group_id", self.slack_oncall_group_id)
            .set("slack_channel_id", self.slack_channel_id)
            .set("timezone", self.timezone)
            .set(
                "overrides_require_approval",
                self.overrides_require_approval,
            )
    }
}

/// A field that can be set to its default.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum TeamField {
    /// No description
    Description,
    /// No Slack group: the members stored in oncalld count
    SlackGroupId,
    /// No on-call group
    SlackOncallGroupId,
    /// No Slack channel
    SlackChannelId,
    /// As in the config file
    OverridesRequireApproval,
}

impl TeamField {
    fn cleared(self) -> (&'static str, Value) {
        let name = match self {
            Self::Description => "description",
            Self::SlackGroupId => "slack_group_id",
            Self::SlackOncallGroupId => "slack_oncall_group_id",
            Self::SlackChannelId => "slack_channel_id",
            Self::OverridesRequireApproval => "overrides_require_approval",
        };
        (name, Value::Null)
    }
}

/// Does it.
pub(super) async fn run(command: TeamCommand, session: &Session) -> Result<(), CliError> {
    match command {
        TeamCommand::List {
            query,
            active,
            pages,
        } => list(query, active, pages, session).await,
        TeamCommand::Show { team } => {
            let path = ["teams", &team];
            show(&session.client.get(&path, Query::default()).await?, session)
        }
        TeamCommand::Create { name, fields } => {
            let body = fields.body().set("name", Some(name)).json();
            show(&session.client.post(&["teams"], body).await?, session)
        }
        TeamCommand::Update {
            team,
            name,
            fields,
            clear,
            if_version,
        } => {
            let body = fields.body().set("name", name);
            let body = body.clear(clear.into_iter().map(TeamField::cleared))?;
            let path = ["teams", &team];
            show(
                &session
                    .client
                    .patch(&path, body.change(if_version)?)
                    .await?,
                session,
            )
        }
        TeamCommand::Delete { team } => {
            let answer = session.client.delete(&["teams", &team]).await?;
            session.done(
                &answer,
                &format!("deleted; `oncalld team restore {team}` brings it back"),
            )
        }
        TeamCommand::Restore { team } => {
            let body = Body::default().set("is_active", Some(true)).json();
            show(
                &session.client.patch(&["teams", &team], body).await?,
                session,
            )
        }
    }
}

async fn list(
    query: Option<String>,
    active: ActiveArgs,
    pages: PageArgs,
    session: &Session,
) -> Result<(), CliError> {
    let query = Query::default()
        .set("q", query)
        .set("is_active", active.filter());
    let nothing = "no teams; `oncalld team create NAME` creates one";
    let teams = session.list::<TeamView>(&["teams"], query, pages, nothing);
    let Some(teams) = teams.await? else {
        return Ok(());
    };
    let mut table = Table::new(["SLUG", "NAME", "TIME ZONE", "ROTATION", "ACTIVE"]);
    for team in teams {
        table.row([
            team.slug.clone(),
            team.name.clone(),
            team.timezone.clone(),
            rotation::in_short(&team),
            yes_no(team.is_active),
        ]);
    }
    print(&table.render())
}

fn show(answer: &super::client::Answer<TeamView>, session: &Session) -> Result<(), CliError> {
    let Some(team) = session.open(answer)? else {
        return Ok(());
    };
    let about = facts([
        ("name", team.name.clone()),
        ("slug", team.slug.clone()),
        ("id", team.id.to_string()),
        ("active", yes_no(team.is_active)),
        ("description", or_none(team.description.as_ref())),
        ("slack group", or_none(team.slack_group_id.as_ref())),
        (
            "slack on-call group",
            or_none(team.slack_oncall_group_id.as_ref()),
        ),
        ("slack channel", or_none(team.slack_channel_id.as_ref())),
        ("time zone", team.timezone.clone()),
        (
            "overrides wait for approval",
            yes_no(team.overrides_require_approval),
        ),
        ("rotation", rotation::in_short(&team)),
        (
            "changed",
            format!("{}, version {}", stamp(team.updated_at), team.version),
        ),
    ]);
    print(&about)?;
    warn(Some(&team.problems));
    Ok(())
}
