//! `oncalld who`: the question that all the rest is there for.

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;

use super::args::{PageArgs, Person, Query, parse_person};
use super::error::CliError;
use super::output::{note, print};
use super::session::Session;
use super::table::{NONE, Table, facts, person};
use super::time::{LocalTime, day, days, parse_date, parse_instant, rfc3339};
use crate::wire::oncall::{NextOnCall, OnCall};

/// Whom to ask for, and when.
#[derive(Debug, Args)]
pub(super) struct WhoArgs {
    /// Slug or id of a team; without one, all teams are shown
    #[arg(value_name = "TEAM", conflicts_with = "team")]
    of_team: Option<String>,

    /// The team, as an option
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,

    /// Name or id of a service, instead of a team
    #[arg(long, value_name = "NAME", conflicts_with_all = ["team", "of_team"])]
    service: Option<String>,

    /// Only teams in which this person is on call now or next
    #[arg(long, value_parser = parse_person, conflicts_with_all = ["team", "of_team", "service"])]
    user: Option<Person>,

    #[command(flatten)]
    moment: MomentArgs,
}

/// When.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct MomentArgs {
    /// At this time, such as 2026-11-30T09:00:00+01:00 [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    at: Option<DateTime<Utc>>,

    /// On this on-call day of the team, such as 2026-11-30
    #[arg(long, value_name = "DATE", value_parser = parse_date, conflicts_with = "at")]
    date: Option<NaiveDate>,
}

impl MomentArgs {
    /// The query, with the moment in it.
    pub(super) fn add_to(&self, query: Query) -> Query {
        query.set("at", self.at.map(rfc3339)).set("date", self.date)
    }
}

/// Answers.
///
/// # Errors
/// The daemon can't be reached, or knows no such team or service.
pub(super) async fn run(args: WhoArgs, session: &Session) -> Result<(), CliError> {
    let query = args.moment.add_to(Query::default());
    let user = session.some_user(args.user.as_ref()).await?;
    let team = args.team.or(args.of_team);
    let query = query.set("team", team.as_ref());
    let query = query.set("service", args.service.as_ref());
    if team.is_some() || args.service.is_some() {
        let answer = session.client.get::<OnCall>(&["oncall"], query).await?;
        let Some(oncall) = session.open(&answer)? else {
            return Ok(());
        };
        return print(&one(&oncall, session.now));
    }
    let nothing = "there are no teams yet: `oncalld team create NAME` creates one";
    let answers = session.list::<OnCall>(&["oncall"], query, PageArgs::default(), nothing);
    let Some(mut answers) = answers.await? else {
        return Ok(());
    };
    if let Some(user) = user {
        answers.retain(|answer| {
            let next = answer.next.as_ref().map(|next| &next.engineer_slack_id);
            answer.engineer_slack_id.as_ref() == Some(&user) || next == Some(&user)
        });
        if answers.is_empty() {
            note(&format!(
                "{user} is neither on call now nor next in any team; \
                 `oncalld schedule list --user {user}` shows later shifts"
            ));
            return Ok(());
        }
    }
    print(&all(&answers, session.now))
}

/// One answer in full.
pub(super) fn one(oncall: &OnCall, now: DateTime<Utc>) -> String {
    let local = LocalTime::new(&oncall.timezone);
    let until = oncall.ends_at.map(|at| local.with_distance(at, now));
    let team = format!("{} ({})", oncall.team_name, oncall.team_slug);
    let mut lines = vec![("on call", who(oncall))];
    lines.extend(oncall.service_name.clone().map(|name| ("service", name)));
    lines.push(("team", team));
    lines.push(("source", oncall.source.to_string()));
    lines.push(("day", day(oncall.date)));
    if let (Some(start), Some(end)) = (oncall.start_date, oncall.end_date) {
        lines.push(("shift", days(start, end)));
    }
    lines.extend(oncall.starts_at.map(|at| ("since", local.full(at))));
    lines.extend(until.map(|until| ("until", until)));
    if let Some(next) = &oncall.next {
        let from = local.with_distance(next.starts_at, now);
        lines.push(("next", format!("{} from {from}", follows(next))));
    }
    facts(lines)
}

fn all(answers: &[OnCall], now: DateTime<Utc>) -> String {
    let mut table = Table::new(["TEAM", "ON CALL", "UNTIL", "NEXT", "SOURCE"]);
    for oncall in answers {
        let local = LocalTime::new(&oncall.timezone);
        let until = oncall.ends_at.map(|at| local.with_distance(at, now));
        let next = oncall.next.as_ref().map(|next| {
            // Where nobody is in between, the time stands in the column before.
            if oncall.ends_at == Some(next.starts_at) {
                follows(next)
            } else {
                let from = local.full(next.starts_at);
                format!("{} from {from}", follows(next))
            }
        });
        table.row([
            oncall.team_slug.clone(),
            who(oncall),
            until.unwrap_or_else(|| NONE.to_owned()),
            next.unwrap_or_else(|| NONE.to_owned()),
            oncall.source.to_string(),
        ]);
    }
    table.render()
}

fn follows(next: &NextOnCall) -> String {
    person(&next.engineer_slack_id, Some(&next.display_name))
}

fn who(oncall: &OnCall) -> String {
    let id = oncall.engineer_slack_id.as_deref();
    id.map_or_else(
        || "nobody".to_owned(),
        |id| person(id, oncall.display_name.as_deref()),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn oncall() -> OnCall {
        serde_json::from_value(json!({
            "engineer_slack_id": "U1", "display_name": "Sam",
            "team_id": "01939a00-0000-7000-8000-000000000000",
            "team_name": "Payments", "team_slug": "payments",
            "service_id": null, "service_name": null,
            "source": "override", "date": "2026-11-29",
            "start_date": "2026-11-28", "end_date": "2026-11-29",
            "starts_at": "2026-11-28T08:00:00Z", "ends_at": "2026-11-30T08:00:00Z",
            "timezone": "Europe/Berlin",
            "next": {"engineer_slack_id": "U2", "display_name": "Ann Lee", "starts_at": "2026-11-30T08:00:00Z"},
        }))
        .unwrap()
    }

    fn now() -> DateTime<Utc> {
        parse_instant("2026-11-30T04:05:00Z").unwrap()
    }

    #[test]
    fn one_answer_tells_since_and_until_when() {
        assert_eq!(
            one(&oncall(), now()),
            "on call  Sam (U1)\n\
             team     Payments (payments)\n\
             source   override\n\
             day      Sun 29 Nov 2026\n\
             shift    Sat 28 Nov 2026 to Sun 29 Nov 2026\n\
             since    Sat 28 Nov 2026 09:00 Europe/Berlin\n\
             until    Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)\n\
             next     Ann Lee (U2) from Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)\n"
        );
    }

    #[test]
    fn a_team_that_nobody_covers_says_so() {
        let mut uncovered = oncall();
        uncovered.engineer_slack_id = None;
        uncovered.display_name = None;
        uncovered.ends_at = None;
        let text = all(&[oncall(), uncovered], now());
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "payments  Sam (U1)  Mon 30 Nov 2026 09:00 Europe/Berlin (in 3 h 55 min)  Ann Lee (U2)                                           override",
                "payments  nobody    -                                                    Ann Lee (U2) from Mon 30 Nov 2026 09:00 Europe/Berlin  override",
            ]
        );
    }
}
