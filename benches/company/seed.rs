//! The company: 10,000 teams, 5 members each, a service each, 52 weeks of shifts.

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
const WEEKS: i64 = 52;
/// Of the 52 weeks, those that are still to come.
const WEEKS_AHEAD: i64 = 4;
const BATCH: usize = 500;

pub fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn this_monday() -> NaiveDate {
    let today = now().date_naive();
    add_days(today, -i64::from(today.weekday().num_days_from_monday()))
}

/// The instant at which every team's next period begins.
pub fn next_handoff() -> DateTime<Utc> {
    add_days(this_monday(), 7)
        .and_time(NaiveTime::MIN)
        .and_utc()
}

/// Makes the company's store, if it isn't there.
pub fn company(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("oncalld.redb");
    if path.exists() {
        return Ok(());
    }
    let half_done = dir.join("seeding.redb");
    let _ = std::fs::remove_file(&half_done);
    let store = Store::open(&half_done)?;
    for first in (0..TEAMS).step_by(BATCH) {
        store.write(|tx| {
            (first..first + BATCH).try_for_each(|number| team(tx, number))?;
            Ok::<_, StoreError>(())
        })?;
    }
    drop(store);
    std::fs::rename(half_done, path)?;
    println!("{TEAMS} teams with {} schedule rows", TEAMS as i64 * WEEKS);
    Ok(())
}

fn user(team: usize, member: usize) -> UserId {
    format!("U{team:05}{member}").parse().expect("a user id")
}

fn team(tx: &mut WriteTx, number: usize) -> Result<(), StoreError> {
    let made = now();
    let revision = Revision::first(made);
    let start = add_days(this_monday(), -7 * (WEEKS - WEEKS_AHEAD));
    let id = TeamId::new(made);
    let config = RotationConfig {
        enabled: true,
        kind: RotationType::Weighted,
        interval: Interval::Weekly,
        start_date: Some(start),
        handoff_day: Some(0),
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
    let joined_at = start.and_time(NaiveTime::MIN).and_utc();
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
    shifts(tx, number, id, start, joined_at)
}

fn shifts(
    tx: &mut WriteTx,
    number: usize,
    team_id: TeamId,
    start: NaiveDate,
    joined_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let users: Vec<_> = (0..MEMBERS).map(|member| user(number, member)).collect();
    let target = 1.0 / MEMBERS as f64;
    for week in 0..WEEKS {
        let (first, last) = (add_days(start, 7 * week), add_days(start, 7 * week + 6));
        let engineer = users[usize::try_from(week).unwrap_or(0) % MEMBERS].clone();
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
            served: week as f64 * target,
            credit: 0.0,
            gap: 0.0,
            last_served: Some(first),
        };
        schedules::put_explanation(
            tx,
            id,
            &Explanation {
                strategy: "weighted".to_owned(),
                period_number: week + 1,
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
        if week <= WEEKS - WEEKS_AHEAD {
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
    let upcoming = (1..WEEKS_AHEAD).map(|week| {
        add_days(this_monday(), 7 * week)
            .and_time(NaiveTime::MIN)
            .and_utc()
    });
    rotation::put_state(
        tx,
        team_id,
        &RotationState {
            handled: Some(this_monday()),
            next_period: Some(add_days(this_monday(), 7)),
            upcoming: upcoming.collect(),
            published_until: Some(add_days(start, 7 * WEEKS - 1)),
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
