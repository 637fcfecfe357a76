//! `oncalld timeoff`: days on which the rotation picks somebody else.

use chrono::NaiveDate;
use clap::Subcommand;

use super::args::{Body, PageArgs, Person, Query, parse_person};
use super::error::CliError;
use super::output::print;
use super::session::{Session, warn};
use super::table::{Table, facts, or_none};
use super::time::{day, days, parse_date};
use crate::wire::time_off::TimeOffView;

/// What to do with time off.
#[derive(Debug, Subcommand)]
pub(super) enum TimeOffCommand {
    /// List the time off of a person
    List {
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Add time off
    Add {
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        /// First day off
        #[arg(value_parser = parse_date)]
        start: NaiveDate,
        /// Last day off [default: the first]
        #[arg(value_parser = parse_date)]
        end: Option<NaiveDate>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Delete time off
    Delete {
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
        /// Id of the time off
        id: String,
    },
}

/// Does it.
pub(super) async fn run(command: TimeOffCommand, session: &Session) -> Result<(), CliError> {
    match command {
        TimeOffCommand::List { user, pages } => {
            list(&session.user(&user).await?, pages, session).await
        }
        TimeOffCommand::Add {
            user,
            start,
            end,
            reason,
        } => {
            let body = Body::default()
                .set("start_date", Some(start))
                .set("end_date", Some(end.unwrap_or(start)))
                .set("reason", reason);
            let user = session.user(&user).await?;
            let path = ["users", &user, "time-off"];
            let answer = session
                .client
                .post::<TimeOffView>(&path, body.json())
                .await?;
            let Some(row) = session.open(&answer)? else {
                return Ok(());
            };
            warn(row.warnings.as_ref());
            let names = session.names([row.slack_user_id.as_str()]).await;
            print(&facts([
                ("person", names.of(&row.slack_user_id)),
                ("days off", days(row.start_date, row.end_date)),
                ("reason", or_none(row.reason)),
                ("id", row.id.to_string()),
            ]))
        }
        TimeOffCommand::Delete { user, id } => {
            let user = session.user(&user).await?;
            let answer = session
                .client
                .delete(&["users", &user, "time-off", &id])
                .await?;
            session.done(&answer, &format!("deleted time off {id} of {user}"))
        }
    }
}

async fn list(user: &str, pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let path = ["users", user, "time-off"];
    let rows = session.list::<TimeOffView>(&path, Query::default(), pages, "no time off");
    let Some(rows) = rows.await? else {
        return Ok(());
    };
    let mut table = Table::new(["FIRST DAY", "LAST DAY", "REASON", "ID"]);
    for row in rows {
        let (first, last) = (day(row.start_date), day(row.end_date));
        table.row([first, last, or_none(row.reason), row.id.to_string()]);
    }
    print(&table.render())
}
