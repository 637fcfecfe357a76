//! `oncalld plugin simulate`: a strategy beside the built-in ones, on a team as it is.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use super::file::load;
use crate::cli::args::{Global, Query, parse_object};
use crate::cli::error::CliError;
use crate::cli::output::{note, pretty, print};
use crate::cli::session::Session;
use crate::cli::table::{Table, clean, person};
use crate::cli::time::days;
use crate::domain::Revision;
use crate::domain::ids::{OverrideId, ScheduleId, TeamId};
use crate::domain::json::Json;
use crate::domain::oncall_day::{OnCallClock, add_days, previous_day};
use crate::domain::roster::{Account, Presence};
use crate::domain::schedule::Schedule;
use crate::domain::shift_override::Override;
use crate::domain::team::{RotationConfig, RotationType};
use crate::plugin::PluginStrategy;
use crate::rotation::candidate::{Absence, RotationMember};
use crate::rotation::period::Periods;
use crate::rotation::plan::{OnFailure, PlanOptions, Published, TeamState, horizon, plan};
use crate::rotation::strategy::{AskedTwice, Strategy, TeamName, built_in};
use crate::rotation::tally::Tally;
use crate::wire::member::MemberView;
use crate::wire::schedule::ScheduleView;
use crate::wire::shift_override::OverrideView;
use crate::wire::team::TeamView;
use crate::wire::time_off::TimeOffView;

/// Days before the rotation's start whose shifts count as the past.
const LOOKBACK_DAYS: i64 = 366;

/// What to play.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SimulateArgs {
    /// The WebAssembly file; its manifest lies beside it as .toml
    file: PathBuf,
    /// Slug or id of the team
    #[arg(long)]
    team: String,
    /// Weeks to play, 1 to 520
    #[arg(long, value_name = "N", default_value_t = 104,
        value_parser = clap::value_parser!(u32).range(1..=520))]
    weeks: u32,
    /// The plugin's settings [default: the team's, where it uses the plugin already]
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    plugin_config: Option<Value>,
}

/// A team, as far as the daemon tells.
struct Team {
    view: TeamView,
    config: RotationConfig,
    today: NaiveDate,
    members: Vec<RotationMember>,
    names: Vec<MemberView>,
    absences: Vec<Absence>,
    schedules: Vec<Schedule>,
    overrides: Vec<Override>,
}

/// What a strategy comes to.
struct Played {
    strategy: String,
    tally: Tally,
    failures: Vec<String>,
}

/// Does it.
///
/// # Errors
/// The plugin is wrong; or the daemon can't be reached, or says no.
pub(super) async fn run(
    args: SimulateArgs,
    global: &Global,
    session: &Session,
) -> Result<(), CliError> {
    let plugin = load(&args.file, global)?;
    let manifest = &plugin.manifest;
    let kind: RotationType = format!("plugin:{}", manifest.name)
        .parse()
        .map_err(|error| CliError::failed(format!("{error}")))?;
    let mut team = Team::load(&args.team, session).await?;
    if let Some(own) = args.plugin_config {
        team.config.plugin_config = Json(own);
    } else if team.config.kind != kind {
        team.config.plugin_config = Json(json!({}));
    }
    let config = manifest.config_with(&team.config.plugin_config.0);
    let problems = manifest
        .schema
        .as_ref()
        .map(|schema| schema.problems(&config));
    if let Some(problems) = problems.filter(|problems| !problems.is_empty()) {
        let message = format!("plugin_config: {}", problems.join("; "));
        return Err(CliError::usage(message));
    }
    let strategy = AskedTwice(PluginStrategy(plugin));
    let (from, to) = team.span(args.weeks);
    let mut played = vec![team.play(kind, &strategy, from, to)];
    for kind in [RotationType::RoundRobin, RotationType::Weighted] {
        if let Some(strategy) = built_in(&kind) {
            played.push(team.play(kind, strategy, from, to));
        }
    }
    if session.json {
        let strategies: Vec<_> = played.iter().map(|played| played.json(&team)).collect();
        let all = json!({"team": team.view.slug, "from": from, "to": to,
            "strategies": strategies});
        return print(&pretty(&all.to_string()));
    }
    for played in &played {
        if let Some(first) = played.failures.first() {
            let (count, strategy) = (played.failures.len(), &played.strategy);
            note(&format!(
                "warning: {strategy} failed {count} times: {}",
                clean(first)
            ));
        }
    }
    print(&table(&team, &played, from, to))
}

fn table(team: &Team, all: &[Played], from: NaiveDate, to: NaiveDate) -> String {
    let mut people = Table::new([
        "STRATEGY",
        "WHO",
        "WEIGHT",
        "DAYS",
        "WEEKEND DAYS",
        "LONGEST",
        "TURNS",
    ])
    .numbers(2..=6);
    let mut sums = Table::new(["STRATEGY", "CHANGES", "NOBODY", "FAILED"]).numbers(1..=3);
    for Played {
        strategy,
        tally,
        failures,
    } in all
    {
        for (user, load) in &tally.people {
            let member = team
                .names
                .iter()
                .find(|member| member.slack_user_id == user.as_str());
            people.row([
                strategy.clone(),
                person(
                    user.as_str(),
                    member.map(|member| member.display_name.as_str()),
                ),
                member.map_or_else(String::new, |member| member.weight.to_string()),
                load.days.to_string(),
                load.weekend_days.to_string(),
                load.longest.to_string(),
                load.turns.to_string(),
            ]);
        }
        sums.row([
            strategy.clone(),
            tally.changes.to_string(),
            tally.uncovered.to_string(),
            failures.len().to_string(),
        ]);
    }
    let span = days(from, to);
    format!(
        "{}, {span}\n\n{}\n{}",
        team.view.name,
        people.render(),
        sums.render()
    )
}

impl Played {
    fn json(&self, team: &Team) -> Value {
        let people = self.tally.people.iter().map(|(user, load)| {
            let member = team.members.iter().find(|member| member.user == *user);
            json!({"slack_user_id": user, "weight": member.map(|member| member.weight),
                "days": load.days, "weekend_days": load.weekend_days,
                "longest_days": load.longest, "turns": load.turns})
        });
        json!({"strategy": self.strategy, "people": people.collect::<Vec<_>>(),
            "changes": self.tally.changes, "uncovered_days": self.tally.uncovered,
            "failures": self.failures})
    }
}

impl Team {
    async fn load(team: &str, session: &Session) -> Result<Self, CliError> {
        let path = ["teams", team];
        let view: TeamView = session.client.get(&path, Query::default()).await?.read()?;
        let config = config(&view)?;
        let clock = OnCallClock::new(&view.timezone, config.handoff_time);
        let today = clock.day_at(session.now);
        let from = config.start_date.unwrap_or(today).min(today);
        let from = Query::default().set("from", Some(add_days(from, -LOOKBACK_DAYS)));
        let names: Vec<MemberView> = session
            .all(&["teams", team, "members"], Query::default())
            .await?;
        let rows: Vec<ScheduleView> = session
            .all(&["teams", team, "oncall-schedules"], from.clone())
            .await?;
        let approved = from.set("status", Some("approved"));
        let overrides: Vec<OverrideView> = session
            .all(&["teams", team, "oncall-overrides"], approved)
            .await?;
        let mut absences = Vec::new();
        for member in &names {
            let path = ["users", &member.slack_user_id, "time-off"];
            let days: Vec<TimeOffView> = session.all(&path, Query::default()).await?;
            for row in days {
                absences.push(Absence {
                    user: read(&row.slack_user_id)?,
                    start: row.start_date,
                    end: row.end_date,
                });
            }
        }
        let members = names.iter().map(|view| member(view, &clock));
        Ok(Self {
            members: members.collect::<Result<_, _>>()?,
            schedules: rows.iter().map(schedule).collect::<Result<_, _>>()?,
            overrides: overrides
                .iter()
                .map(shift_override)
                .collect::<Result<_, _>>()?,
            view,
            config,
            today,
            names,
            absences,
        })
    }

    fn start_date(&self) -> NaiveDate {
        self.config.start_date.unwrap_or(self.today)
    }

    /// The first day that a plan decides, and the last one of so many weeks.
    fn span(&self, weeks: u32) -> (NaiveDate, NaiveDate) {
        let from = Periods::new(&self.config, self.start_date())
            .after(self.today)
            .start;
        (from, previous_day(add_days(from, i64::from(weeks) * 7)))
    }

    fn play(
        &self,
        kind: RotationType,
        strategy: &dyn Strategy,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Played {
        let config = RotationConfig {
            kind,
            ..self.config.clone()
        };
        let name = TeamName {
            id: TeamId::from_uuid(self.view.id),
            name: &self.view.name,
            slug: &self.view.slug,
            timezone: &self.view.timezone,
        };
        // The daemon doesn't say what members earned with settings that have changed since.
        let ledger = std::collections::BTreeMap::new();
        let state = TeamState {
            name,
            config: &config,
            start_date: self.start_date(),
            today: self.today,
            members: &self.members,
            absences: &self.absences,
            checkpoint: None,
            schedules: &self.schedules,
            overrides: &self.overrides,
            ledger: &ledger,
        };
        let options = PlanOptions {
            strategy: Ok(strategy),
            on_failure: OnFailure::RoundRobin,
            published: Published::Replanned,
            horizon: horizon(&config, self.start_date(), to, 1),
            hold_if_nobody: false,
        };
        let planned = plan(&state, &options);
        let failure = |(period, error): &(crate::rotation::period::Period, String)| {
            format!("{}: {error}", period.start)
        };
        Played {
            strategy: config.kind.to_string(),
            tally: Tally::of(&state, &planned, from, to),
            failures: planned.failures.iter().map(failure).collect(),
        }
    }
}

/// A value that the daemon wrote.
fn read<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, CliError> {
    let odd = |error: T::Err| CliError::failed(format!("unexpected answer of the daemon: {error}"));
    text.parse().map_err(odd)
}

fn config(team: &TeamView) -> Result<RotationConfig, CliError> {
    let order = team.rotation_order.iter().map(|user| read(user));
    Ok(RotationConfig {
        enabled: true,
        kind: read(&team.rotation_type)?,
        interval: team.rotation_interval,
        start_date: team.rotation_start_date,
        order: order.collect::<Result<_, _>>()?,
        handoff_day: team.handoff_day,
        handoff_time: read(&team.handoff_time)?,
        plugin_config: Json(team.plugin_config.clone()),
    })
}

fn member(view: &MemberView, clock: &OnCallClock) -> Result<RotationMember, CliError> {
    Ok(RotationMember {
        user: read(&view.slack_user_id)?,
        role: view.team_role,
        weight: view.weight,
        is_eligible: view.is_eligible_for_oncall,
        presence: match view.in_slack {
            None => Presence::NotAsked,
            Some(true) => Presence::Listed(view.slack_account.unwrap_or(Account::Person)),
            Some(false) => Presence::Left,
        },
        joined_at: view.joined_at,
        joined_date: clock.day_at(view.joined_at),
    })
}

fn schedule(row: &ScheduleView) -> Result<Schedule, CliError> {
    Ok(Schedule {
        id: ScheduleId::from_uuid(row.id),
        team_id: TeamId::from_uuid(row.team_id),
        engineer: read(&row.engineer_slack_id)?,
        start_date: row.start_date,
        end_date: row.end_date,
        origin: row.origin,
        created_by: None,
        note: None,
        is_hold: row.explanation.as_ref().is_some_and(|why| why.hold),
        revision: Revision {
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        },
    })
}

fn shift_override(row: &OverrideView) -> Result<Override, CliError> {
    Ok(Override {
        id: OverrideId::from_uuid(row.id),
        team_id: TeamId::from_uuid(row.team_id),
        substitute: read(&row.substitute_slack_id)?,
        start_date: row.start_date,
        end_date: row.end_date,
        reason: None,
        status: row.status,
        requested_by: None,
        approved_by: None,
        decided_at: row.decided_at,
        decision_reason: row.decision_reason.clone(),
        revision: Revision {
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        },
    })
}
