//! Whatever is done to a team, and whenever: a plan that begins at a checkpoint is the one that
//! plays the whole history, to the last bit of every credit.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::actions::rotation::handoff;
use crate::actions::rotation::planning::{Wanted, plan_to_show};
use crate::actions::{members, overrides, rotation, schedules, start_in_memory, teams};
use crate::app::{App, Ctx};
use crate::clock::ManualClock;
use crate::domain::oncall_day::{add_days, next_day};
use crate::domain::schedule::Origin;
use crate::rotation::plan::{Plan, Published};
use crate::store::ReadTx;

const IDS: [&str; 5] = ["UA", "UB", "UC", "UD", "UE"];
const TEAM: &str = "core";

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn core(tx: &ReadTx) -> Team {
    store::teams::find_by_slug(tx, TEAM).unwrap().unwrap()
}

struct World {
    app: App,
    clock: Arc<ManualClock>,
    /// How many plans were made from a checkpoint.
    resumed: usize,
}

/// What is done; days count from today, rows from the last that touches them.
#[derive(Clone, Debug)]
enum Op {
    Days(i64),
    /// As many days without a daemon.
    Down(i64),
    Put(usize, f64),
    Leave(usize),
    Off(usize, i64, i64),
    Manual(usize, i64, i64),
    /// Another engineer, or another last day, of the row on a day.
    Change(i64, Option<usize>, i64),
    Delete(i64),
    AssignNow(usize),
    Cover(usize, i64, i64, bool),
    Decide(bool),
    Cancel(i64),
    Config(Value),
    Generate(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let who = 0..IDS.len();
    let past = -90i64..20;
    let config = prop_oneof![
        3 => prop::sample::select(vec!["round_robin", "custom", "weighted"])
            .prop_map(|kind| json!({"rotation_type": kind})),
        1 => (0u8..7).prop_map(|day| json!({"handoff_day": day})),
        1 => prop::sample::select(vec!["weekly", "biweekly"])
            .prop_map(|interval| json!({"rotation_interval": interval})),
        2 => any::<bool>().prop_map(|on| json!({"rotation_enabled": on})),
        1 => prop::sample::select(vec!["UTC", "Asia/Tokyo", "America/New_York"])
            .prop_map(|zone| json!({"timezone": zone, "handoff_time": "09:00"})),
        1 => (-30i64..10).prop_map(|at| json!({"starts": at})),
    ];
    prop_oneof![
        12 => (1i64..30).prop_map(Op::Days),
        1 => (10i64..60).prop_map(Op::Down),
        3 => (who.clone(), 0.1f64..9.0).prop_map(|(who, weight)| Op::Put(who, weight)),
        2 => who.clone().prop_map(Op::Leave),
        2 => (who.clone(), -5i64..40, 0i64..20).prop_map(|(who, at, days)| Op::Off(who, at, days)),
        5 => (who.clone(), past.clone(), 0i64..25).prop_map(|(who, at, days)| Op::Manual(who, at, days)),
        4 => (past.clone(), prop::option::of(who.clone()), -10i64..10)
            .prop_map(|(at, who, by)| Op::Change(at, who, by)),
        3 => past.clone().prop_map(Op::Delete),
        1 => who.clone().prop_map(Op::AssignNow),
        4 => (who, 0i64..20, 0i64..25, any::<bool>())
            .prop_map(|(who, at, days, waits)| Op::Cover(who, at, days, waits)),
        2 => any::<bool>().prop_map(Op::Decide),
        2 => past.prop_map(Op::Cancel),
        3 => config.prop_map(Op::Config),
        1 => (1i64..20).prop_map(Op::Generate),
    ]
}

impl World {
    fn new(kind: &str, interval: &str) -> Self {
        let clock = Arc::new(ManualClock::new("2026-01-05T12:00:00Z".parse().unwrap()));
        let world = Self {
            app: start_in_memory(clock.clone()),
            clock,
            resumed: 0,
        };
        let team = json!({"name": TEAM, "rotation_enabled": true, "rotation_type": kind,
            "rotation_interval": interval, "rotation_start_date": "2026-01-05",
            "rotation_order": ["UD", "UB", "UA"]});
        teams::create(&world.app, &Ctx::system(), &read(team)).unwrap();
        for (number, id) in (0u32..).zip(&IDS[..3]) {
            let joined = format!("2025-12-0{}T00:00:00Z", number + 1);
            let member = json!({"slack_user_id": id, "joined_at": joined,
                "weight": 1.0 + f64::from(number)});
            members::put(&world.app, &Ctx::system(), TEAM, &read(member)).unwrap();
        }
        world
    }

    fn day(&self, at: i64) -> NaiveDate {
        let today = self
            .app
            .read(|tx| Ok(core(tx).clock().day_at(self.app.now())));
        add_days(today.unwrap(), at)
    }

    fn pass(&mut self, days: i64, is_up: bool) {
        for _ in 0..days {
            self.clock.set(self.app.now() + TimeDelta::days(1));
            if is_up {
                handoff::tick(&self.app).unwrap();
            }
        }
        handoff::tick(&self.app).unwrap();
    }

    /// The row on a day: a manual one, if there is one.
    fn row_on(&self, day: NaiveDate) -> Option<Schedule> {
        let rows = self.app.read(|tx| {
            let team = core(tx).id;
            Ok(store::schedules::list_of_team(tx, team, day, day)?)
        });
        let rows = rows.unwrap();
        let manual = rows.iter().find(|row| row.origin == Origin::Manual);
        manual.or(rows.first()).cloned()
    }

    fn override_of(&self, wanted: impl Fn(&Override) -> bool) -> Option<String> {
        let rows = self.app.read(|tx| {
            let team = core(tx).id;
            Ok(store::overrides::list_of_team(
                tx,
                team,
                self.day(-200),
                END_OF_TIME,
            )?)
        });
        let rows = rows.unwrap();
        rows.iter()
            .find(|row| wanted(row))
            .map(|row| row.id.to_string())
    }

    /// Does it. What the rules forbid is not done, and that is as good.
    fn perform(&mut self, op: &Op) {
        let (app, ctx) = (self.app.clone(), Ctx::system());
        match op {
            Op::Days(days) => self.pass(*days, true),
            Op::Down(days) => self.pass(*days, false),
            Op::Put(who, weight) => {
                let member = json!({"slack_user_id": IDS[*who], "weight": weight});
                drop(members::put(&app, &ctx, TEAM, &read(member)));
            }
            Op::Leave(who) => drop(members::delete(&app, &ctx, TEAM, IDS[*who])),
            Op::Off(who, at, days) => {
                let off = json!({"start_date": self.day(*at), "end_date": self.day(at + days)});
                drop(members::time_off::create(&app, &ctx, IDS[*who], &read(off)));
            }
            Op::Manual(who, at, days) => {
                let row = json!({"engineer_slack_id": IDS[*who], "start_date": self.day(*at),
                    "end_date": self.day(at + days)});
                drop(schedules::create(&app, &ctx, TEAM, &read(row)));
            }
            Op::Change(at, who, by) => {
                let Some(row) = self.row_on(self.day(*at)) else {
                    return;
                };
                let change = match who {
                    Some(who) => json!({"engineer_slack_id": IDS[*who]}),
                    None => json!({"end_date": add_days(row.end_date, *by)}),
                };
                let id = row.id.to_string();
                drop(schedules::update(&app, &ctx, TEAM, &id, &read(change)));
            }
            Op::Delete(at) => {
                if let Some(row) = self.row_on(self.day(*at)) {
                    schedules::delete(&app, &ctx, TEAM, &row.id.to_string()).unwrap();
                }
            }
            Op::AssignNow(who) => {
                let input = read(json!({"engineer_slack_id": IDS[*who]}));
                drop(schedules::assign::assign_now(&app, &ctx, TEAM, &input));
            }
            Op::Cover(who, at, days, waits) => {
                let team = read(json!({"overrides_require_approval": waits}));
                teams::update(&app, &ctx, TEAM, &team).unwrap();
                let cover = json!({"substitute_slack_id": IDS[*who], "start_date": self.day(*at),
                    "end_date": self.day(at + days)});
                drop(overrides::request(&app, &ctx, TEAM, &read(cover)));
            }
            Op::Decide(approved) => {
                let pending = |row: &Override| row.status == OverrideStatus::Pending;
                if let Some(id) = self.override_of(pending) {
                    let status = if *approved { "approved" } else { "rejected" };
                    let decision = read(json!({"status": status}));
                    drop(overrides::decide(&app, &ctx, TEAM, &id, &decision));
                }
            }
            Op::Cancel(at) => {
                let day = self.day(*at);
                let covers = |row: &Override| row.status.holds_days() && row.covers(day);
                if let Some(id) = self.override_of(covers) {
                    drop(overrides::cancel(&app, &ctx, TEAM, &id));
                }
            }
            Op::Config(config) => {
                let mut config = config.clone();
                if let Some(at) = config["starts"].as_i64() {
                    config = json!({"rotation_start_date": self.day(at)});
                }
                drop(teams::update(&app, &ctx, TEAM, &read(config)));
            }
            Op::Generate(weeks) => {
                let request = read(json!({"weeks": weeks}));
                drop(rotation::generate(&app, &ctx, TEAM, &request));
            }
        }
    }

    /// Plans that are wanted of a team, from a checkpoint or from the rotation's start.
    fn plans(&self, tx: &ReadTx, checkpoint: Option<Checkpoint>) -> Vec<Plan> {
        let (team, settings) = (core(tx), self.app.settings());
        let snapshot = TeamSnapshot::after(tx, settings, &team, self.app.now(), checkpoint);
        let snapshot = snapshot.unwrap();
        let until = snapshot.state.published_until.unwrap_or(snapshot.today);
        let wanted = [
            (Published::Replanned, false),
            (Published::StandsUntil(until), true),
        ];
        let plan = |(published, hold_if_nobody)| {
            let horizon = add_days(until, 21);
            let wanted = Wanted {
                published,
                horizon,
                hold_if_nobody,
            };
            plan_to_show(settings, &snapshot, wanted)
        };
        wanted.map(plan).to_vec()
    }

    /// Every checkpoint leads to what the whole history leads to.
    fn check(&mut self) {
        let resumed = self.app.read(|tx| {
            let team = core(tx);
            let running = Periods::new(&team.rotation, team.rotation.start_date.unwrap());
            let Some(running) = running.at(self.day(0)) else {
                return Ok(0);
            };
            let checkpoints = store::checkpoints::list(tx, team.id)?;
            let from_start = self.plans(tx, None);
            let mut resumed = 0;
            for checkpoint in &checkpoints {
                if checkpoint.start > running.start {
                    continue;
                }
                resumed += 1;
                let plans = self.plans(tx, Some(checkpoint.clone()));
                for (plan, whole) in plans.iter().zip(&from_start) {
                    let mut whole = whole.clone();
                    whole
                        .checkpoints
                        .retain(|later| later.index > checkpoint.index);
                    // As text, two numbers are the same only if all their bits are.
                    assert_eq!(format!("{plan:#?}"), format!("{whole:#?}"));
                }
            }
            Ok(resumed)
        });
        self.resumed += resumed.unwrap();
    }
}

#[test]
fn a_handoff_leaves_a_checkpoint_that_the_next_plan_begins_at() {
    let mut world = World::new("weighted", "weekly");
    world.pass(7 * 20, true);
    let (team, snapshot) = world
        .app
        .read(|tx| {
            let team = core(tx);
            let settings = world.app.settings();
            let snapshot = TeamSnapshot::new(tx, settings, &team, world.app.now())?;
            Ok((team, snapshot))
        })
        .unwrap();
    let checkpoint = snapshot.checkpoint.as_ref().unwrap();
    assert_eq!((checkpoint.index, checkpoint.total), (16, 16.0));
    let earliest = snapshot.schedules.iter().map(|row| row.start_date).min();
    let before = add_days(checkpoint.start, -7);
    assert_eq!(earliest, Some(before), "rows of long ago are not read");
    assert_eq!(snapshot.ledger.len(), 7, "nor is what was earned then");
    let kept = world
        .app
        .read(|tx| Ok(store::checkpoints::list(tx, team.id)?));
    assert_eq!(kept.unwrap().len(), 1, "the ones before are gone");
}

#[test]
fn a_correction_of_the_past_is_played_again_from_the_checkpoint_before_it() {
    let mut world = World::new("weighted", "daily");
    world.pass(140, true);
    let kept = |world: &World| -> Vec<i64> {
        let kept = world.app.read(|tx| {
            let team = core(tx).id;
            Ok(store::checkpoints::list(tx, team)?)
        });
        kept.unwrap().iter().map(|kept| kept.index).collect()
    };
    assert_eq!(kept(&world), [64, 128, 136]);
    let put = |world: &World, day: NaiveDate| {
        let row = json!({"engineer_slack_id": "UE", "start_date": day, "end_date": day});
        schedules::create(&world.app, &Ctx::system(), TEAM, &read(row)).unwrap();
    };
    let store_alone = |world: &World, day: NaiveDate| {
        let row = world.row_on(day).unwrap();
        world
            .app
            .write(&Ctx::system(), |tx| {
                Ok(store::schedules::delete(tx.store, &row)?)
            })
            .unwrap();
    };
    // Of the last days: nothing is lost. Replanning makes what is.
    put(&world, world.day(-3));
    assert_eq!(kept(&world), [64, 128, 136]);
    put(&world, world.day(-50));
    assert_eq!(kept(&world), [64, 128, 136]);
    world.check();
    store_alone(&world, world.day(-8));
    assert_eq!(kept(&world), [64, 128]);
    store_alone(&world, world.day(-60));
    assert_eq!(kept(&world), [64]);
    world.check();
    let team = read(json!({"rotation_start_date": next_day(world.day(-140))}));
    teams::update(&world.app, &Ctx::system(), TEAM, &team).unwrap();
    assert_eq!(kept(&world), [64, 128, 135]);
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_checkpoint_leads_to_what_the_whole_history_leads_to(
        kind in prop::sample::select(vec!["round_robin", "custom", "weighted"]),
        interval in prop::sample::select(vec!["daily", "daily", "weekly"]),
        ops in prop::collection::vec(op(), 10..30),
    ) {
        let mut world = World::new(kind, interval);
        world.pass(70, true);
        for op in &ops {
            world.perform(op);
            world.check();
        }
        prop_assert!(world.resumed > 0);
    }
}
