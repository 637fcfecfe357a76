//! `oncalld member`: who belongs to a team, and how much of the load they take.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::args::{Body, PageArgs, Person, Query, names_of, parse_person};
use super::client::Answer;
use super::error::CliError;
use super::output::{note, print};
use super::people::Names;
use super::session::Session;
use super::table::{NONE, Table, counted, facts, or_none, person, yes_no};
use super::time::{day, parse_instant, rfc3339, stamp};
use crate::domain::member::TeamRole;
use crate::domain::roster::Account;
use crate::wire::member::{MemberView, SyncView};

/// What to do with members.
#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// List the members of a team
    List {
        /// Slug or id of the team
        team: String,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Add a member, or change an existing one
    Add {
        /// Slug or id of the team
        team: String,
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        #[command(flatten)]
        fields: MemberArgs,
    },
    /// Change a member
    Update {
        /// Slug or id of the team
        team: String,
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        #[command(flatten)]
        fields: MemberArgs,
        /// Change them only if this is their current version
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
    },
    /// Bring the members up to date with the team's Slack group
    Sync {
        /// Slug or id of the team
        team: String,
    },
    /// Remove a member
    Remove {
        /// Slug or id of the team
        team: String,
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
    },
}

/// The fields of a member.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MemberArgs {
    /// Their role in the team
    #[arg(long, value_parser = names_of!(TeamRole))]
    role: Option<String>,
    /// Whether the rotation may pick them [default: true]
    #[arg(long, value_name = "BOOL")]
    eligible: Option<bool>,
    /// Share of the shifts relative to the others', above 0, at most 1000 [default: 1]
    #[arg(long, allow_negative_numbers = true)]
    weight: Option<f64>,
    /// When they joined [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    joined_at: Option<DateTime<Utc>>,
}

impl MemberArgs {
    fn body(self) -> Body {
        Body::default()
            .set("team_role", self.role)
            .set("is_eligible_for_oncall", self.eligible)
            .set("weight", self.weight)
            .set("joined_at", self.joined_at.map(rfc3339))
    }
}

/// Does it.
pub(super) async fn run(command: MemberCommand, session: &Session) -> Result<(), CliError> {
    match command {
        MemberCommand::List { team, pages } => list(&team, pages, session).await,
        MemberCommand::Add { team, user, fields } => {
            let user = session.user(&user).await?;
            let body = fields.body().set("slack_user_id", Some(user)).json();
            show(
                &session
                    .client
                    .post(&["teams", &team, "members"], body)
                    .await?,
                session,
            )
        }
        MemberCommand::Update {
            team,
            user,
            fields,
            if_version,
        } => {
            let body = fields.body().change(if_version)?;
            let user = session.user(&user).await?;
            let path = ["teams", &team, "members", &user];
            show(&session.client.patch(&path, body).await?, session)
        }
        MemberCommand::Sync { team } => {
            let path = ["teams", &team, "members", "sync"];
            let answer = session.client.slowly(Method::POST, &path, None).await?;
            let Some(view) = session.open::<SyncView>(&answer)? else {
                return Ok(());
            };
            let people = view.joined.iter().chain(&view.left).map(String::as_str);
            let names = session.names(people).await;
            print(&synced(&view, &names))
        }
        MemberCommand::Remove { team, user } => {
            let user = session.user(&user).await?;
            let path = ["teams", &team, "members", &user];
            let answer = session.client.delete(&path).await?;
            session.done(&answer, &format!("removed {user} from {team}"))
        }
    }
}

async fn list(team: &str, pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let path = ["teams", team, "members"];
    let nothing = format!("no members; `oncalld member add {team} USER` adds one");
    let members = session.list::<MemberView>(&path, Query::default(), pages, &nothing);
    let Some(members) = members.await? else {
        return Ok(());
    };
    let columns = ["MEMBER", "ROLE", "ELIGIBLE", "WEIGHT", "JOINED", "IN SLACK"];
    let mut table = Table::new(columns).numbers([3]);
    let synced_at = members.iter().find_map(|member| member.synced_at);
    for member in members {
        table.row([
            person(&member.slack_user_id, Some(&member.display_name)),
            member.team_role.to_string(),
            yes_no(member.is_eligible_for_oncall),
            member.weight.to_string(),
            day(member.joined_at.date_naive()),
            in_slack(&member),
        ]);
    }
    print(&table.render())?;
    if let Some(at) = synced_at {
        note(&format!("Slack listed the group at {}", stamp(at)));
    }
    Ok(())
}

/// What a sync came to, in words.
fn synced(view: &SyncView, names: &Names) -> String {
    let people = counted(view.members as u64, "person", "people");
    let who = |what: &str, users: &[String]| match users {
        [] => String::new(),
        users => format!("\n{what}: {}", names.joined(users)),
    };
    let at = stamp(view.synced_at);
    let (joined, left) = (who("joined", &view.joined), who("left", &view.left));
    format!("{people} in the Slack group at {at}{joined}{left}")
}

/// Whether the team's Slack group lists them, and what else is to know of that.
fn in_slack(member: &MemberView) -> String {
    let listed = member.in_slack.map_or_else(|| NONE.to_owned(), yes_no);
    match member.slack_account {
        Some(Account::Bot | Account::Deactivated) => {
            format!("{listed} ({})", or_none(member.slack_account))
        }
        Some(Account::Person) | None => listed,
    }
}

fn show(answer: &Answer<MemberView>, session: &Session) -> Result<(), CliError> {
    let Some(member) = session.open(answer)? else {
        return Ok(());
    };
    let listed = member.in_slack.map(|_| ("in slack", in_slack(&member)));
    let about = [
        (
            "member",
            person(&member.slack_user_id, Some(&member.display_name)),
        ),
        ("role", member.team_role.to_string()),
        ("eligible", yes_no(member.is_eligible_for_oncall)),
        ("weight", member.weight.to_string()),
        ("joined", stamp(member.joined_at)),
        ("version", or_none(member.version)),
    ];
    print(&facts(about.into_iter().chain(listed)))
}
