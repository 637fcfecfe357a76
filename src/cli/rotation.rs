//! `oncalld rotation`: how a team rotates, whose turn is next, and why.

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::args::{Body, Person, Query, names_of, parse_object, parse_person};
use super::client::Answer;
use super::error::CliError;
use super::explanation;
use super::output::print;
use super::session::{Session, warn};
use super::table::{Table, facts, or_none, yes_no};
use super::time::{day, parse_date};
use crate::domain::team::{Interval, RotationType};
use crate::wire::rotation::PlanView;
use crate::wire::team::TeamView;

/// The days of the week, from 0.
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// What to do with a rotation.
#[derive(Debug, Subcommand)]
pub(super) enum RotationCommand {
    /// Show how a team rotates
    Show {
        /// Slug or id of the team
        team: String,
    },
    /// Change how a team rotates; its future shifts are regenerated
    Set(Box<SetArgs>),
    /// Preview the coming shifts, without publishing them
    Preview(PlanArgs),
    /// Regenerate and publish the coming shifts
    Generate(PlanArgs),
}

/// What to change.
#[derive(Clone, Debug, Args)]
pub(super) struct SetArgs {
    /// Slug or id of the team
    team: String,
    /// Switch the rotation on
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Switch the rotation off
    #[arg(long)]
    off: bool,
    /// How the next person is picked: `round_robin`, `custom`, `weighted` or `plugin:NAME`
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    kind: Option<String>,
    /// Length of a period
    #[arg(long, value_parser = names_of!(Interval))]
    interval: Option<String>,
    /// On-call day from which periods count [default: when the rotation is switched on]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    start_date: Option<NaiveDate>,
    /// The order of a custom rotation: Slack user ids or names, separated by commas
    #[arg(long, value_name = "USERS", value_delimiter = ',', value_parser = parse_person)]
    order: Vec<Person>,
    /// Day on which weekly and biweekly periods begin: a name (mon), or 0 (Monday) to 6 (Sunday)
    #[arg(long, value_name = "DAY", value_parser = parse_weekday)]
    handoff_day: Option<u8>,
    /// Local time of handoffs, as HH:MM
    #[arg(long, value_name = "TIME")]
    handoff_time: Option<String>,
    /// IANA time zone, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Settings of a plugin: a JSON object
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    plugin_config: Option<Value>,
    /// Set a field to its default (may be repeated)
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    clear: Vec<RotationField>,
    /// Change it only if this is the team's current version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// A field that can be set to its default.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RotationField {
    /// The day on which the rotation is switched on
    StartDate,
    /// No order
    Order,
    /// Periods begin on the day of the week of the start date
    HandoffDay,
    /// No settings
    PluginConfig,
}

impl RotationField {
    fn cleared(self) -> (&'static str, Value) {
        let name = match self {
            Self::StartDate => "rotation_start_date",
            Self::Order => "rotation_order",
            Self::HandoffDay => "handoff_day",
            Self::PluginConfig => "plugin_config",
        };
        (name, Value::Null)
    }
}

/// How far to plan.
#[derive(Clone, Debug, Args)]
pub(super) struct PlanArgs {
    /// Slug or id of the team
    team: String,
    /// Weeks ahead, 1 to 52 [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=52))]
    weeks: Option<i64>,
    /// Explain each shift: who could be picked, how they stood, and who was passed over
    #[arg(long)]
    why: bool,
}

/// Does it.
pub(super) async fn run(command: RotationCommand, session: &Session) -> Result<(), CliError> {
    match command {
        RotationCommand::Show { team } => {
            let path = ["teams", &team];
            let answer = session.client.get(&path, Query::default()).await?;
            show(&answer, session).await
        }
        RotationCommand::Set(args) => {
            let path = ["teams", &args.team, "rotation-config"];
            let mut order = Vec::new();
            for person in &args.order {
                order.push(session.user(person).await?);
            }
            let answer = session.client.patch(&path, change(&args, &order)?).await?;
            show(&answer, session).await
        }
        RotationCommand::Preview(args) => plan("preview", &args, session).await,
        RotationCommand::Generate(args) => plan("generate", &args, session).await,
    }
}

fn change(args: &SetArgs, order: &[String]) -> Result<Value, CliError> {
    let enabled = (args.on || args.off).then_some(args.on);
    Body::default()
        .set("rotation_enabled", enabled)
        .set("rotation_type", args.kind.as_ref())
        .set("rotation_interval", args.interval.as_ref())
        .set("rotation_start_date", args.start_date)
        .list("rotation_order", order)
        .set("handoff_day", args.handoff_day)
        .set("handoff_time", args.handoff_time.as_ref())
        .set("timezone", args.timezone.as_ref())
        .set("plugin_config", args.plugin_config.as_ref())
        .clear(args.clear.iter().map(|field| field.cleared()))?
        .change(args.if_version)
}

async fn plan(what: &str, args: &PlanArgs, session: &Session) -> Result<(), CliError> {
    let path = ["teams", &args.team, "rotation", what];
    let body = Body::default().set("weeks", args.weeks).json();
    let answer = session.client.post::<PlanView>(&path, body).await?;
    let Some(plan) = session.open(&answer)? else {
        return Ok(());
    };
    let local = session.local_time(&args.team).await?;
    let names = session.names(explanation::people_of(&plan)).await;
    if args.why {
        return print(&explanation::of(&plan, &local, &names));
    }
    let from = format!("FROM ({})", local.name());
    let mut table = Table::new(["#", &from, "UNTIL", "ON CALL"]).numbers([0]);
    for shift in plan.items {
        table.row([
            shift.week_number.to_string(),
            local.short(shift.starts_at),
            local.short(shift.ends_at),
            names.of(&shift.engineer_slack_id),
        ]);
    }
    print(&table.render())
}

async fn show(answer: &Answer<TeamView>, session: &Session) -> Result<(), CliError> {
    let Some(team) = session.open(answer)? else {
        return Ok(());
    };
    let order = team.rotation_order.iter().map(String::as_str);
    let names = session.names(order).await;
    let no_settings = json!(Map::new());
    let settings = Some(&team.plugin_config).filter(|config| **config != no_settings);
    print(&facts([
        ("team", format!("{} ({})", team.name, team.slug)),
        ("on", yes_no(team.rotation_enabled)),
        ("type", team.rotation_type.clone()),
        ("interval", team.rotation_interval.to_string()),
        ("start date", or_none(team.rotation_start_date.map(day))),
        ("order", names.joined(&team.rotation_order)),
        ("handoff", format!("{} {}", handoff(&team), team.timezone)),
        ("plugin config", or_none(settings)),
        ("version", team.version.to_string()),
    ]))?;
    warn(Some(&team.problems));
    Ok(())
}

/// A team's rotation in a few words.
pub(super) fn in_short(team: &TeamView) -> String {
    if !team.rotation_enabled {
        return "off".to_owned();
    }
    let (kind, interval) = (&team.rotation_type, team.rotation_interval);
    let problem = if team.problems.is_empty() {
        ""
    } else {
        " (has a problem)"
    };
    format!("{kind}, {interval}, {}{problem}", handoff(team))
}

/// When shifts change, in the team's time zone.
fn handoff(team: &TeamView) -> String {
    let day = team.handoff_day.and_then(|day| DAYS.get(usize::from(day)));
    let day = day.map_or_else(String::new, |day| format!("{day} "));
    format!("{day}{}", team.handoff_time)
}

fn parse_type(text: &str) -> Result<String, String> {
    let parsed = text.parse::<RotationType>();
    parsed
        .map(|kind| kind.to_string())
        .map_err(|error| error.to_string())
}

fn parse_weekday(text: &str) -> Result<u8, String> {
    let name = text.to_lowercase();
    let is_beginning = |day: &str| name.len() >= 2 && day.to_lowercase().starts_with(&name);
    (0..7)
        .zip(DAYS)
        .find(|(number, day)| is_beginning(day) || *text == number.to_string())
        .map(|(number, _)| number)
        .ok_or_else(|| {
            "expected mon, tue, wed, thu, fri, sat or sun, or 0 (Monday) to 6".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_week_have_names_and_numbers() {
        for (text, day) in [("mon", 0), ("Monday", 0), ("SU", 6), ("3", 3), ("thurs", 3)] {
            assert_eq!(parse_weekday(text), Ok(day), "{text}");
        }
        for bad in ["", "m", "7", "-1", "montag", "03"] {
            assert!(parse_weekday(bad).is_err(), "{bad}");
        }
    }
}
