//! `oncalld schedule`: who is on call when, by the rotation or by hand.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::args::{Body, PageArgs, Person, Query, names_of, parse_person};
use super::client::Answer;
use super::error::CliError;
use super::output::print;
use super::session::{Session, warn};
use super::table::{Table, facts, or_none, yes_no};
use super::time::{days, parse_date};
use crate::domain::oncall_day::previous_day;
use crate::domain::schedule::Origin;
use crate::wire::oncall::{OnCall, UserShift};
use crate::wire::schedule::ScheduleView;

/// What to do with schedules.
#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// List the schedules of a team, or all shifts of a person
    List(ListArgs),
    /// Put a person on call over some days
    Add {
        /// Slug or id of the team
        team: String,
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        /// First on-call day
        #[arg(value_parser = parse_date)]
        start: NaiveDate,
        /// Last on-call day [default: the first]
        #[arg(value_parser = parse_date)]
        end: Option<NaiveDate>,
        /// Free text
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Who creates it, if the token is not bound to a person
        #[arg(long, value_name = "USER", value_parser = parse_person)]
        created_by: Option<Person>,
    },
    /// Change a schedule; one made by the rotation becomes a manual one
    Update(UpdateArgs),
    /// Delete a schedule
    Delete {
        /// Slug or id of the team
        team: String,
        /// Id of the schedule
        id: String,
    },
    /// Put a person on call from now on
    Assign {
        /// Slug or id of the team
        team: String,
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        /// Last on-call day [default: the end of the running period]
        #[arg(long, value_name = "DATE", value_parser = parse_date)]
        until: Option<NaiveDate>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Who decides, if the token is not bound to a person
        #[arg(long, value_name = "USER", value_parser = parse_person)]
        created_by: Option<Person>,
    },
}

/// Which schedules to list.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ListArgs {
    /// Slug or id of the team
    #[arg(required_unless_present = "user")]
    team: Option<String>,
    /// All shifts and overrides of this person, in all teams
    #[arg(long, value_parser = parse_person, conflicts_with_all = ["team", "origin"])]
    user: Option<Person>,
    /// Those that end on this day or later [default: those that aren't over]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    from: Option<NaiveDate>,
    /// Include those that are over
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// Those that begin on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    to: Option<NaiveDate>,
    /// Made by the rotation (auto) or by a person (manual)
    #[arg(long, value_parser = names_of!(Origin))]
    origin: Option<String>,
    #[command(flatten)]
    pages: PageArgs,
}

/// What to change.
#[derive(Clone, Debug, Args)]
pub(super) struct UpdateArgs {
    /// Slug or id of the team
    team: String,
    /// Id of the schedule
    id: String,
    /// Slack user id or name of who is on call
    #[arg(long, value_parser = parse_person)]
    user: Option<Person>,
    /// First on-call day
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    start: Option<NaiveDate>,
    /// Last on-call day
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    end: Option<NaiveDate>,
    /// Free text
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Set a field to nothing
    #[arg(long, value_name = "FIELD")]
    clear: Vec<ScheduleField>,
    /// Change it only if this is its current version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// A field that can be set to nothing.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ScheduleField {
    /// No note
    Note,
}

/// Does it.
pub(super) async fn run(command: ScheduleCommand, session: &Session) -> Result<(), CliError> {
    let client = &session.client;
    match command {
        ScheduleCommand::List(args) => match &args.user {
            Some(user) => shifts_of(&session.user(user).await?, &args, session).await,
            None => list(&args, session).await,
        },
        ScheduleCommand::Add {
            team,
            user,
            start,
            end,
            note,
            created_by,
        } => {
            let body = Body::default()
                .set("engineer_slack_id", Some(session.user(&user).await?))
                .set("start_date", Some(start))
                .set("end_date", Some(end.unwrap_or(start)))
                .set("note", note)
                .set("created_by", session.some_user(created_by.as_ref()).await?);
            let path = ["teams", &team, "oncall-schedules"];
            show(&client.post(&path, body.json()).await?, &team, session).await
        }
        ScheduleCommand::Update(args) => {
            let user = session.some_user(args.user.as_ref()).await?;
            let body = Body::default()
                .set("engineer_slack_id", user)
                .set("start_date", args.start)
                .set("end_date", args.end)
                .set("note", args.note)
                .clear(
                    args.clear
                        .iter()
                        .map(|ScheduleField::Note| ("note", Value::Null)),
                )?;
            let path = ["teams", &args.team, "oncall-schedules", &args.id];
            let answer = client.patch(&path, body.change(args.if_version)?).await?;
            show(&answer, &args.team, session).await
        }
        ScheduleCommand::Delete { team, id } => {
            let answer = client
                .delete(&["teams", &team, "oncall-schedules", &id])
                .await?;
            session.done(&answer, &format!("deleted schedule {id} of {team}"))
        }
        ScheduleCommand::Assign {
            team,
            user,
            until,
            reason,
            created_by,
        } => {
            let body = Body::default()
                .set("engineer_slack_id", Some(session.user(&user).await?))
                .set("end_date", until)
                .set("reason", reason)
                .set("created_by", session.some_user(created_by.as_ref()).await?);
            let path = ["teams", &team, "oncall"];
            show(&client.post(&path, body.json()).await?, &team, session).await
        }
    }
}

impl ListArgs {
    /// The first day that is asked for. A team's on-call day may still be yesterday's date.
    fn first_day(&self, session: &Session) -> Option<NaiveDate> {
        let yesterday = previous_day(session.now.date_naive());
        self.from.or_else(|| (!self.all).then_some(yesterday))
    }
}

async fn list(args: &ListArgs, session: &Session) -> Result<(), CliError> {
    let team = args.team.as_deref().unwrap_or_default();
    let query = Query::default()
        .set("from", args.first_day(session))
        .set("to", args.to)
        .set("origin", args.origin.as_ref());
    let path = ["teams", team, "oncall-schedules"];
    let nothing = format!(
        "no schedules from today on (--all shows past ones); `oncalld schedule add {team} USER \
         START END` adds one, `oncalld rotation set {team} --on` has the rotation make them"
    );
    let rows = session.list::<ScheduleView>(&path, query, args.pages, &nothing);
    let Some(rows) = rows.await? else {
        return Ok(());
    };
    let local = session.local_time(team).await?;
    let from = format!("FROM ({})", local.name());
    let mut table = Table::new([&*from, "UNTIL", "ON CALL", "ORIGIN", "NOTE", "ID"]);
    let now = session.now;
    let path = ["teams", team, "oncall"];
    let answer = session.client.get::<OnCall>(&path, Query::default());
    let on_call = answer.await?.read()?.engineer_slack_id;
    let engineers = rows.iter().map(|row| row.engineer_slack_id.as_str());
    let names = session.names(engineers).await;
    for row in rows {
        let is_now = row.starts_at <= now && now < row.ends_at;
        let mark = if is_now && on_call.as_ref() == Some(&row.engineer_slack_id) {
            "  (on call now)"
        } else {
            ""
        };
        table.row([
            local.short(row.starts_at),
            local.short(row.ends_at),
            names.of(&row.engineer_slack_id) + mark,
            row.origin.to_string(),
            or_none(row.note),
            row.id.to_string(),
        ]);
    }
    print(&table.render())
}

async fn shifts_of(user: &str, args: &ListArgs, session: &Session) -> Result<(), CliError> {
    let query = Query::default()
        .set("from", args.first_day(session))
        .set("to", args.to);
    let path = ["users", user, "schedules"];
    let shifts = session.list::<UserShift>(&path, query, args.pages, "no shifts");
    let Some(shifts) = shifts.await? else {
        return Ok(());
    };
    let columns = [
        "TEAM",
        "ON-CALL DAYS",
        "BY",
        "STATUS",
        "TIME OFF TOUCHES IT",
        "ID",
    ];
    let mut table = Table::new(columns);
    for shift in shifts {
        let by = shift.origin.map_or("override", Origin::as_str);
        table.row([
            shift.team_slug,
            days(shift.start_date, shift.end_date),
            by.to_owned(),
            or_none(shift.status),
            yes_no(shift.conflicts_with_time_off),
            shift.id.to_string(),
        ]);
    }
    print(&table.render())
}

async fn show(
    answer: &Answer<ScheduleView>,
    team: &str,
    session: &Session,
) -> Result<(), CliError> {
    let Some(row) = session.open(answer)? else {
        return Ok(());
    };
    warn(row.warnings.as_ref());
    let local = session.local_time(team).await?;
    let people = [Some(&row.engineer_slack_id), row.created_by.as_ref()];
    let names = session
        .names(people.into_iter().flatten().map(String::as_str))
        .await;
    print(&facts([
        ("on call", names.of(&row.engineer_slack_id)),
        ("days", days(row.start_date, row.end_date)),
        ("from", local.full(row.starts_at)),
        ("until", local.full(row.ends_at)),
        ("origin", row.origin.to_string()),
        ("made by", names.or_none(row.created_by.as_ref())),
        ("note", or_none(row.note)),
        ("id", row.id.to_string()),
        ("version", row.version.to_string()),
    ]))
}
