//! The company: eight teams, and what happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use oncalld::actions::admin::audit;
use oncalld::actions::members::time_off;
use oncalld::actions::rotation::handoff;
use oncalld::actions::{members, oncall, overrides, schedules, teams};
use oncalld::app::{ActionError, App, Ctx, Settings};
use oncalld::clock::ManualClock;
use oncalld::domain::oncall_day::{OnCallClock, add_days};
use oncalld::rotation::coverage::Source;
use oncalld::store::Store;
use oncalld::wire::Paging;
use oncalld::wire::audit::{AuditQuery, AuditView};
use oncalld::wire::member::{MemberInput, NewMember};
use oncalld::wire::oncall::OnCallQuery;
use oncalld::wire::schedule::{NewSchedule, ScheduleFilter, ScheduleView};
use oncalld::wire::shift_override::NewOverride;
use oncalld::wire::team::TeamInput;
use oncalld::wire::time_off::NewTimeOff;

const MEMBERS: u64 = 5;

/// Zone, handoff time, interval, weekday of the handoff, strategy.
pub const TEAMS: [(&str, &str, &str, Option<i64>, &str); 8] = [
    ("UTC", "00:00", "daily", None, "weighted"),
    ("America/New_York", "02:30", "weekly", None, "round_robin"),
    (
        "Australia/Lord_Howe",
        "01:45",
        "weekly",
        Some(6),
        "round_robin",
    ),
    ("Asia/Kolkata", "09:30", "weekly", None, "weighted"),
    ("Europe/Berlin", "09:00", "weekly", Some(0), "custom"),
    ("Europe/Berlin", "02:30", "biweekly", Some(6), "weighted"),
    ("America/New_York", "17:00", "biweekly", None, "round_robin"),
    ("UTC", "12:00", "weekly", Some(2), "custom"),
];

/// Knuth's MMIX: the same years on every run.
pub struct Dice(u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub fn days(&mut self, sides: u64) -> i64 {
        self.roll(sides).try_into().unwrap()
    }
}

pub struct Company {
    path: PathBuf,
    clock: Arc<ManualClock>,
    pub now: DateTime<Utc>,
    app: Option<App>,
    pub dice: Dice,
    /// Nobody else takes time off until then, so that there is always somebody.
    away_until: NaiveDate,
    /// When each team was founded.
    pub founded: BTreeMap<u64, DateTime<Utc>>,
    /// What has happened, by kind.
    pub tried: BTreeMap<&'static str, Tried>,
}

fn user(team: u64, n: u64) -> String {
    format!("U{team}X{n}")
}

pub fn slug(team: u64) -> String {
    format!("team-{team}")
}

/// How often something was tried, and how often it was accepted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried {
    pub times: usize,
    pub accepted: usize,
}

impl Company {
    pub fn found(path: PathBuf) -> Self {
        let now = "2026-01-05T08:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let away_until = now.date_naive();
        let mut company = Self {
            path,
            clock,
            now,
            app: None,
            dice: Dice(2026),
            away_until,
            founded: BTreeMap::new(),
            tried: BTreeMap::new(),
        };
        company.open();
        for n in 1..8 {
            company.found_team(n);
        }
        company
    }

    pub fn found_team(&mut self, n: u64) {
        let (zone, handoff, interval, day, strategy) = TEAMS[usize::try_from(n).unwrap()];
        self.founded.insert(n, self.now);
        let order = (0..MEMBERS).map(|member| user(n, member)).collect();
        let input = TeamInput {
            name: Some(slug(n)),
            timezone: Some(zone.to_owned()),
            handoff_time: Some(handoff.to_owned()),
            rotation_interval: Some(interval.to_owned()),
            handoff_day: Some(day),
            rotation_type: Some(strategy.to_owned()),
            rotation_order: Some(Some(order)),
            slack_channel_id: Some(Some("C1".to_owned())),
            ..TeamInput::default()
        };
        let ctx = Ctx::system();
        teams::create(self.app(), &ctx, &input).unwrap();
        for member in 0..MEMBERS {
            let input = NewMember {
                slack_user_id: user(n, member),
                weight: Some(if member == 0 { 2.0 } else { 1.0 }),
                ..NewMember::default()
            };
            members::put(self.app(), &ctx, &slug(n), &input).unwrap();
        }
        let on = TeamInput {
            rotation_enabled: Some(true),
            ..TeamInput::default()
        };
        teams::update(self.app(), &ctx, &slug(n), &on).unwrap();
    }

    fn open(&mut self) {
        // The last one has to be closed before.
        self.app = None;
        let store = Store::open(&self.path).unwrap();
        let clock: Arc<ManualClock> = Arc::clone(&self.clock);
        self.app = Some(oncalld::actions::start(store, clock, Settings::default()));
    }

    pub fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    pub fn tick(&mut self, now: DateTime<Utc>) {
        self.now = now;
        self.clock.set(now);
        let ticked = handoff::tick(self.app()).unwrap();
        assert!(ticked.failed.is_empty(), "{:?}", ticked.failed);
        if ticked.handed_off > 0 && self.dice.roll(20) == 0 {
            self.open();
            assert_eq!(
                handoff::tick(self.app()).unwrap().handed_off,
                0,
                "it is done once"
            );
        }
    }

    /// Something that happens in a company.
    pub fn live(&mut self) {
        let ctx = Ctx::system();
        let n = self.dice.roll(8);
        if !self.founded.contains_key(&n) {
            return;
        }
        let (team, who) = (slug(n), user(n, self.dice.roll(MEMBERS)));
        let start_date = add_days(self.now.date_naive(), self.dice.days(20));
        let end_date = add_days(start_date, self.dice.days(4));
        let (kind, result) = match self.dice.roll(7) {
            0 | 1 => {
                let wish = NewOverride {
                    substitute_slack_id: who,
                    start_date,
                    end_date: Some(end_date),
                    reason: None,
                    requested_by: None,
                };
                (
                    "override",
                    overrides::request(self.app(), &ctx, &team, &wish).map(drop),
                )
            }
            2 => {
                let row = NewSchedule {
                    engineer_slack_id: who,
                    start_date,
                    end_date,
                    note: None,
                    created_by: None,
                };
                (
                    "schedule",
                    schedules::create(self.app(), &ctx, &team, &row).map(drop),
                )
            }
            3 if self.away_until < start_date => {
                self.away_until = end_date;
                let row = NewTimeOff {
                    start_date,
                    end_date,
                    reason: None,
                };
                (
                    "time off",
                    time_off::create(self.app(), &ctx, &who, &row).map(drop),
                )
            }
            4 => {
                let weight = [0.5, 1.0, 1.5, 3.0][usize::try_from(self.dice.roll(4)).unwrap()];
                let change = MemberInput {
                    weight: Some(weight),
                    ..MemberInput::default()
                };
                (
                    "weight",
                    members::update(self.app(), &ctx, &team, &who, &change).map(drop),
                )
            }
            // The first three of a team always stay.
            5 => {
                let who = user(n, 3 + self.dice.roll(2));
                (
                    "leave",
                    members::delete(self.app(), &ctx, &team, &who).map(drop),
                )
            }
            _ => {
                let input = NewMember {
                    slack_user_id: who,
                    ..NewMember::default()
                };
                (
                    "join",
                    members::put(self.app(), &ctx, &team, &input).map(drop),
                )
            }
        };
        let tried = self.tried.entry(kind).or_default();
        tried.times += 1;
        match result {
            Ok(()) => tried.accepted += 1,
            // What is refused by the rules is no failure; what the store says is.
            Err(ActionError::Store(error)) => panic!("{error}"),
            Err(_) => {}
        }
    }

    pub fn everybody_is_covered(&self) {
        for (n, founded) in &self.founded {
            // A weekly rotation may wait a week for its first handoff day.
            if self.now - *founded < TimeDelta::days(8) {
                continue;
            }
            let query = OnCallQuery {
                team: Some(slug(*n)),
                ..OnCallQuery::default()
            };
            let answer = oncall::answer(self.app(), &query).unwrap();
            let (team, at) = (answer.team_slug, self.now);
            assert_ne!(answer.source, Source::None, "{team} at {at}");
            assert!(answer.next.is_some(), "{team} at {at}");
        }
    }

    pub fn entries(&self, n: u64, action: &str) -> Vec<AuditView> {
        let query = AuditQuery {
            team: Some(slug(n)),
            action: Some(action.to_owned()),
            ..AuditQuery::default()
        };
        let paged = |page| {
            let paging = Paging {
                page: Some(page),
                page_size: Some(200),
            };
            audit::list(self.app(), &query, &paging).unwrap().items
        };
        (1..)
            .map(paged)
            .take_while(|items| !items.is_empty())
            .flatten()
            .collect()
    }

    pub fn auto_shifts(&self, n: u64) -> Vec<ScheduleView> {
        let filter = ScheduleFilter {
            origin: Some("auto".to_owned()),
            ..ScheduleFilter::default()
        };
        let paged = |page| {
            let paging = Paging {
                page: Some(page),
                page_size: Some(200),
            };
            schedules::list(self.app(), &slug(n), &filter, &paging)
                .unwrap()
                .items
        };
        (1..)
            .map(paged)
            .take_while(|items| !items.is_empty())
            .flatten()
            .collect()
    }

    /// The first days of the periods that have begun since the rotation was switched on.
    pub fn periods(&self, n: u64, since: DateTime<Utc>) -> BTreeSet<NaiveDate> {
        let team = teams::get(self.app(), &slug(n)).unwrap();
        let clock = OnCallClock::new(&team.timezone, team.handoff_time.parse().unwrap());
        let length = match team.rotation_interval.as_str() {
            "daily" => 1,
            "weekly" => 7,
            _ => 14,
        };
        let mut first = team.rotation_start_date.unwrap();
        while let Some(day) = team.handoff_day
            && chrono::Datelike::weekday(&first).num_days_from_monday() != u32::from(day)
        {
            first = add_days(first, 1);
        }
        let starts = (0..).map(|index| add_days(first, index * length));
        let begun = starts.take_while(|day| clock.starts_at(*day) <= self.now);
        begun.filter(|day| clock.starts_at(*day) > since).collect()
    }
}
