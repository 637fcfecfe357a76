//! `oncalld override`: cover for some days, and the decision on it.

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::args::{Body, PageArgs, Person, Query, names_of, parse_person};
use super::client::Answer;
use super::error::CliError;
use super::output::print;
use super::session::{Session, warn};
use super::table::{Table, facts, or_none};
use super::time::{days, parse_date, stamp};
use crate::domain::shift_override::OverrideStatus;
use crate::wire::Page;
use crate::wire::shift_override::OverrideView;

/// What to do with overrides.
#[derive(Debug, Subcommand)]
pub(super) enum OverrideCommand {
    /// List the overrides of a team
    List {
        /// Slug or id of the team
        team: String,
        /// Only those in this state
        #[arg(long, value_parser = names_of!(OverrideStatus))]
        status: Option<String>,
        /// Those that end on this day or later
        #[arg(long, value_name = "DATE", value_parser = parse_date)]
        from: Option<NaiveDate>,
        /// Those that begin on this day or earlier
        #[arg(long, value_name = "DATE", value_parser = parse_date)]
        to: Option<NaiveDate>,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Request cover; it takes effect at once unless the team requires approval
    Request {
        /// Slug or id of the team
        team: String,
        /// Slack user id or name of the substitute
        #[arg(value_parser = parse_person)]
        substitute: Person,
        /// First on-call day, today or later
        #[arg(value_parser = parse_date)]
        start: NaiveDate,
        /// Last on-call day [default: the first]
        #[arg(value_parser = parse_date)]
        end: Option<NaiveDate>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Who asks, if the token is not bound to a person
        #[arg(long, value_name = "USER", value_parser = parse_person)]
        requested_by: Option<Person>,
    },
    /// Approve an override
    Approve(DecisionArgs),
    /// Reject an override
    Reject(DecisionArgs),
    /// Cancel an override
    Cancel(DecisionArgs),
}

/// Which override, and who decides.
#[derive(Clone, Debug, Args)]
pub(super) struct DecisionArgs {
    /// Slug or id of the team
    team: String,
    /// Id of the override, or an on-call day that it covers
    #[arg(value_name = "ID|DAY")]
    id: String,
    /// Who decides, if the token is not bound to a person
    #[arg(long, value_name = "USER", value_parser = parse_person)]
    approved_by: Option<Person>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Decide only if this is its current version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// Does it.
pub(super) async fn run(command: OverrideCommand, session: &Session) -> Result<(), CliError> {
    match command {
        OverrideCommand::List {
            team,
            status,
            from,
            to,
            pages,
        } => {
            let query = Query::default()
                .set("status", status)
                .set("from", from)
                .set("to", to);
            list(&team, query, pages, session).await
        }
        OverrideCommand::Request {
            team,
            substitute,
            start,
            end,
            reason,
            requested_by,
        } => {
            let body = Body::default()
                .set(
                    "substitute_slack_id",
                    Some(session.user(&substitute).await?),
                )
                .set("start_date", Some(start))
                .set("end_date", end)
                .set("reason", reason)
                .set(
                    "requested_by",
                    session.some_user(requested_by.as_ref()).await?,
                );
            let path = ["teams", &team, "oncall-overrides"];
            show(
                &session.client.post(&path, body.json()).await?,
                &team,
                session,
            )
            .await
        }
        OverrideCommand::Approve(args) => decide(&args, OverrideStatus::Approved, session).await,
        OverrideCommand::Reject(args) => decide(&args, OverrideStatus::Rejected, session).await,
        OverrideCommand::Cancel(args) => decide(&args, OverrideStatus::Cancelled, session).await,
    }
}

async fn decide(
    args: &DecisionArgs,
    status: OverrideStatus,
    session: &Session,
) -> Result<(), CliError> {
    let decides = session.some_user(args.approved_by.as_ref()).await?;
    let body = Body::default()
        .set("status", Some(status))
        .set("approved_by", decides)
        .set("reason", args.reason.as_ref())
        .set("version", args.if_version);
    let id = match parse_date(&args.id) {
        Ok(date) => covering(date, &args.team, session).await?,
        Err(_) => args.id.clone(),
    };
    let path = ["teams", &args.team, "oncall-overrides", &id];
    show(
        &session.client.patch(&path, body.json()).await?,
        &args.team,
        session,
    )
    .await
}

/// The id of the override that covers a day: those that may still be decided don't overlap, so
/// there is one at most.
async fn covering(date: NaiveDate, team: &str, session: &Session) -> Result<String, CliError> {
    let path = ["teams", team, "oncall-overrides"];
    for status in [OverrideStatus::Pending, OverrideStatus::Approved] {
        let query = Query::default().set("status", Some(status));
        let query = query.set("from", Some(date)).set("to", Some(date));
        let answer = session.client.get::<Page<OverrideView>>(&path, query);
        if let Some(row) = answer.await?.read()?.items.first() {
            return Ok(row.id.to_string());
        }
    }
    Err(CliError::not_found(format!(
        "team `{team}` has no pending or approved override on {date}\n\
         `oncalld override list {team}` lists those that exist"
    )))
}

async fn list(
    team: &str,
    query: Query,
    pages: PageArgs,
    session: &Session,
) -> Result<(), CliError> {
    let path = ["teams", team, "oncall-overrides"];
    let nothing =
        format!("no overrides; `oncalld override request {team} USER START` asks for one");
    let Some(rows) = session
        .list::<OverrideView>(&path, query, pages, &nothing)
        .await?
    else {
        return Ok(());
    };
    let local = session.local_time(team).await?;
    let from = format!("FROM ({})", local.name());
    let columns = [
        &*from,
        "UNTIL",
        "SUBSTITUTE",
        "STATUS",
        "REQUESTED BY",
        "DECIDED BY",
        "REASON",
        "ID",
    ];
    let mut table = Table::new(columns);
    let names = session.names(rows.iter().flat_map(people_of)).await;
    for row in rows {
        table.row([
            local.short(row.starts_at),
            local.short(row.ends_at),
            names.of(&row.substitute_slack_id),
            row.status.to_string(),
            names.or_none(row.requested_by.as_ref()),
            names.or_none(row.approved_by.as_ref()),
            or_none(row.reason),
            row.id.to_string(),
        ]);
    }
    print(&table.render())
}

/// Whom an override names.
fn people_of(row: &OverrideView) -> impl Iterator<Item = &str> {
    let people = [
        Some(&row.substitute_slack_id),
        row.requested_by.as_ref(),
        row.approved_by.as_ref(),
    ];
    people.into_iter().flatten().map(String::as_str)
}

async fn show(
    answer: &Answer<OverrideView>,
    team: &str,
    session: &Session,
) -> Result<(), CliError> {
    let Some(row) = session.open(answer)? else {
        return Ok(());
    };
    warn(row.warnings.as_ref());
    let local = session.local_time(team).await?;
    let names = session.names(people_of(&row)).await;
    let mut lines = vec![
        ("status", row.status.to_string()),
        ("substitute", names.of(&row.substitute_slack_id)),
        ("days", days(row.start_date, row.end_date)),
        ("from", local.full(row.starts_at)),
        ("until", local.full(row.ends_at)),
        ("reason", or_none(row.reason)),
        ("requested by", names.or_none(row.requested_by.as_ref())),
        ("decided by", names.or_none(row.approved_by.as_ref())),
        ("decided at", or_none(row.decided_at.map(stamp))),
    ];
    lines.extend(row.decision_reason.map(|reason| ("because", reason)));
    lines.push(("id", row.id.to_string()));
    lines.push(("version", row.version.to_string()));
    print(&facts(lines))
}
