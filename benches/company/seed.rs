//! Companies: teams of 5 members and a service each, with a history of shifts. As an older
//! oncalld left them: what is kept besides to save time is not there yet.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use oncalld::actions::{members, teams};
use oncalld::app::{Actor, App, Ctx, Settings, Source};
use oncalld::clock::{Clock, ManualClock, SystemClock};
use oncalld::domain::Revision;
use oncalld::domain::ids::{MembershipId, ScheduleId, ServiceId, TeamId, TokenId, UserId};
use oncalld::domain::json::Json;
use oncalld::domain::member::{Membership, TeamRole};
use oncalld::domain::oncall_day::add_days;
use oncalld::domain::schedule::{Origin, Schedule};
use oncalld::domain::service::{Service, Tier};
use oncalld::domain::team::{Interval, RotationConfig, RotationType, Team};
use oncalld::domain::token::Role;
use oncalld::rotation::credit::{PeriodShares, Share};
use oncalld::rotation::explanation::{Explanation, Standing};
use oncalld::store::rotation::RotationState;
use oncalld::store::{
    Store, StoreError, WriteTx, rotation, schedules, services, teams as team_rows,
};
use oncalld::wire::member::NewMember;
use oncalld::wire::team::TeamInput;

pub const TEAMS: usize = 10_000;
const MEMBERS: usize = 5;
/// Weeks that are still to come.
const WEEKS_AHEAD: i64 = 4;
/// Periods that are seeded in one transaction, about.
const BATCH: usize = 26_000;

/// How many teams there are, and what lies behind them.
#[derive(Clone, Copy)]
pub struct Company {
    pub teams: usize,
    pub interval: Interval,
    pub weeks: i64,
}

/// 10,000 teams with 48 weeks behind them and 4 ahead.
pub const COMPANY: Company = Company {
    teams: TEAMS,
    interval: Interval::Weekly,
    weeks: 48,
};

impl Company {
    fn start(self) -> NaiveDate {
        add_days(this_monday(), -7 * self.weeks)
    }

    fn periods(self) -> i64 {
        7 * (self.weeks + WEEKS_AHEAD) / self.interval.days()
    }

    /// The first instant of every team's next period.
    pub fn next_handoff(self) -> DateTime<Utc> {
        midnight(add_days(this_monday(), self.interval.days()))
    }

    /// Makes its store at `path`, if it isn't there.
    pub fn seed(self, path: &Path) -> Result<()> {
        if path.exists() {
            return Ok(());
        }
        let half_done = path.with_extension("seeding");
        let store = Store::create_unsynced(&half_done)?;
        let periods = usize::try_from(self.periods())?;
        let batch = (BATCH / periods).max(1);
        for first in (0..self.teams).step_by(batch) {
            store.write(|tx| {
                let last = (first + batch).min(self.teams);
                (first..last).try_for_each(|number| team(tx, self, number))?;
                Ok::<_, StoreError>(())
            })?;
        }
        drop(store);
        std::fs::File::open(&half_done)?.sync_all()?;
        std::fs::rename(half_done, path)?;
        println!(
            "{} teams with {} schedule rows",
            self.teams,
            self.teams * periods
        );
        Ok(())
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn this_monday() -> NaiveDate {
    let today = now().date_naive();
    add_days(today, -i64::from(today.weekday().num_days_from_monday()))
}

fn user(team: usize, member: usize) -> UserId {
    format!("U{team:05}{member}").parse().expect("a user id")
}

fn team(tx: &mut WriteTx, company: Company, number: usize) -> Result<(), StoreError> {
    let made = now();
    let revision = Revision::first(made);
    let start = company.start();
    let id = TeamId::new(made);
    let config = RotationConfig {
        enabled: true,
        kind: RotationType::Weighted,
        interval: company.interval,
        start_date: Some(start),
        handoff_day: (company.interval != Interval::Daily).then_some(0),
        ..RotationConfig::default()
    };
    team_rows::put(
        tx,
        &Team {
            id,
            name: format!("Team {number}"),
            slug: format!("team-{number}"),
            description: None,
            slack_group_id: None,
            slack_oncall_group_id: None,
            slack_channel_id: Some(format!("C{number:05}")),
            timezone: "UTC".to_owned(),
            overrides_require_approval: None,
            is_active: true,
            rotation: config,
            revision: revision.clone(),
        },
    )?;
    let joined_at = midnight(start);
    for member in 0..MEMBERS {
        team_rows::put_member(
            tx,
            &Membership {
                id: MembershipId::new(made),
                team_id: id,
                user: user(number, member),
                role: if member == 0 {
                    TeamRole::Lead
                } else {
                    TeamRole::Member
                },
                is_eligible: true,
                weight: 1.0,
                joined_at,
                revision: revision.clone(),
            },
        )?;
    }
    services::put(
        tx,
        &Service {
            id: ServiceId::new(made),
            name: format!("service-{number}"),
            team_id: id,
            repository_url: None,
            environment: Some("production".to_owned()),
            tier: Tier::Standard,
            owner: None,
            tech_stack: Vec::new(),
            metadata: Json::object(),
            is_active: true,
            revision,
        },
    )?;
    shifts(tx, company, number, id, joined_at)
}

fn shifts(
    tx: &mut WriteTx,
    company: Company,
    number: usize,
    team_id: TeamId,
    joined_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let users: Vec<_> = (0..MEMBERS).map(|member| user(number, member)).collect();
    let target = 1.0 / MEMBERS as f64;
    let days = company.interval.days();
    let first_of = |period: i64| add_days(company.start(), days * period);
    for period in 0..company.periods() {
        let (first, last) = (first_of(period), add_days(first_of(period), days - 1));
        let engineer = users[usize::try_from(period).unwrap_or(0) % MEMBERS].clone();
        let id = ScheduleId::new(now());
        schedules::put(
            tx,
            &Schedule {
                id,
                team_id,
                engineer: engineer.clone(),
                start_date: first,
                end_date: last,
                origin: Origin::Auto,
                created_by: None,
                note: None,
                is_hold: false,
                revision: Revision::first(now()),
            },
        )?;
        let standing = |user: &UserId| Standing {
            user: user.clone(),
            joined_at,
            weight: 1.0,
            target,
            served: period as f64 * target,
            credit: 0.0,
            gap: 0.0,
            last_served: Some(first),
        };
        schedules::put_explanation(
            tx,
            id,
            &Explanation {
                strategy: "weighted".to_owned(),
                period_number: period + 1,
                period_start: first,
                period_end: last,
                picked: engineer,
                reason: "largest credit of 5 candidates: +0.20 of a shift".to_owned(),
                candidates: users.iter().map(standing).collect(),
                passed_over: Vec::new(),
                is_hold: false,
                strategy_error: None,
            },
        )?;
        if first <= this_monday() {
            let share = |user: &UserId| Share {
                user: user.clone(),
                joined_at,
                target,
            };
            let shares = users.iter().map(share).collect();
            rotation::put_shares(
                tx,
                team_id,
                &PeriodShares {
                    start: first,
                    end: last,
                    shares,
                },
            )?;
        }
    }
    let until = first_of(company.periods());
    let upcoming = (1..).map(|n| add_days(this_monday(), days * n));
    let upcoming = upcoming.take_while(|first| *first < until);
    rotation::put_state(
        tx,
        team_id,
        &RotationState {
            handled: Some(this_monday()),
            next_period: Some(add_days(this_monday(), days)),
            upcoming: upcoming.map(midnight).collect(),
            published_until: Some(add_days(until, -1)),
        },
    )
}

/// A team with a year of weighted rotation behind it, through the actions.
pub fn one_team(app: &App, kind: &str, members: usize) -> Result<()> {
    let ctx = Ctx {
        actor: admin(),
        source: Source::Api,
        ..Ctx::system()
    };
    let team = TeamInput {
        name: Some("Team 0".to_owned()),
        rotation_type: Some(kind.to_owned()),
        rotation_enabled: Some(true),
        rotation_start_date: Some(Some(add_days(this_monday(), -364))),
        ..TeamInput::default()
    };
    teams::create(app, &ctx, &team)?;
    for member in 0..members {
        members::put(
            app,
            &ctx,
            "team-0",
            &NewMember {
                slack_user_id: user(0, member).to_string(),
                weight: Some(1.0 + member as f64 / 4.0),
                joined_at: Some(now() - chrono::TimeDelta::days(400)),
                ..NewMember::default()
            },
        )?;
    }
    Ok(())
}

fn admin() -> Actor {
    Actor::Token {
        id: TokenId::new(now()),
        name: "bench".to_owned(),
        role: Role::Admin,
        user: None,
    }
}

/// An application on a store that stands still at `now`.
pub fn app(store: Store) -> App {
    oncalld::actions::start(
        store,
        Arc::new(ManualClock::new(now())),
        Settings::default(),
    )
}
