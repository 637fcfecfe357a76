//! Whatever happens to a team, in whatever order, what each person is told makes sense.

use proptest::prelude::*;

use super::*;
use crate::actions::members::time_off;
use crate::actions::{oncall, schedules};
use crate::domain::oncall_day::add_days;
use crate::wire::Page;
use crate::wire::schedule::ScheduleView;

const USERS: [&str; 4] = ["UANN", "UBOB", "UCAT", "UDAN"];
const TIMES: [&str; 3] = ["09:00", "12:00", "23:00"];

/// Something that happens; days count from today.
#[derive(Clone, Debug)]
enum Op {
    Pass(i64),
    HandOff,
    Look,
    Assign(usize),
    Cover(usize, i64, i64),
    CancelCover,
    Manual(usize, i64, i64),
    DropRow(usize),
    TimeOff(usize, i64, i64),
    Eligible(usize, bool),
    Describe(i64),
    HandoffTime(usize),
    Rotates(bool),
    Exists(bool),
    RefuseHandoffs(bool),
    Load(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let who = 0..USERS.len();
    prop_oneof![
        6 => prop_oneof![1i64..120, 60i64..4000].prop_map(Op::Pass),
        5 => Just(Op::HandOff),
        4 => Just(Op::Look),
        3 => who.clone().prop_map(Op::Assign),
        3 => (who.clone(), 0i64..4, 0i64..3).prop_map(|(who, at, days)| Op::Cover(who, at, days)),
        2 => Just(Op::CancelCover),
        2 => (who.clone(), -1i64..4, 0i64..3).prop_map(|(who, at, days)| Op::Manual(who, at, days)),
        3 => (0usize..3).prop_map(Op::DropRow),
        2 => (who.clone(), 0i64..4, 0i64..9).prop_map(|(who, at, days)| Op::TimeOff(who, at, days)),
        3 => (who, any::<bool>()).prop_map(|(who, is)| Op::Eligible(who, is)),
        2 => any::<i64>().prop_map(Op::Describe),
        1 => (0..TIMES.len()).prop_map(Op::HandoffTime),
        1 => any::<bool>().prop_map(Op::Rotates),
        1 => any::<bool>().prop_map(Op::Exists),
        3 => any::<bool>().prop_map(Op::RefuseHandoffs),
        2 => any::<bool>().prop_map(Op::Load),
    ]
}

/// Does it, as far as it can be done.
fn perform(core: &Core, op: &Op) {
    let (app, ctx) = (&core.app, &core.ctx);
    let days = |at: i64, days: i64| {
        let start = add_days(core.today(), at);
        (start, add_days(start, days))
    };
    match *op {
        Op::Pass(minutes) => core.pass(minutes * 60),
        Op::HandOff => drop(handoff::tick(app).unwrap()),
        Op::Look => core.look(),
        Op::Assign(who) => {
            let input = read(json!({"engineer_slack_id": USERS[who]}));
            let _ = assign_now(app, ctx, "core", &input);
        }
        Op::Cover(who, at, length) => {
            let (start, end) = days(at, length);
            let input = read(json!({"substitute_slack_id": USERS[who],
                "start_date": start, "end_date": end}));
            let _ = overrides::request(app, ctx, "core", &input);
        }
        Op::CancelCover => {
            let approved = read(json!({"status": "approved"}));
            let rows = overrides::list(app, "core", &approved, &Paging::default()).unwrap();
            if let Some(row) = rows.items.last() {
                let _ = overrides::cancel(app, ctx, "core", &row.id.to_string());
            }
        }
        Op::Manual(who, at, length) => {
            let (start, end) = days(at, length);
            let input = read(json!({"engineer_slack_id": USERS[who],
                "start_date": start, "end_date": end}));
            let _ = schedules::create(app, ctx, "core", &input);
        }
        Op::DropRow(number) => {
            let filter = read(json!({"from": core.today()}));
            let rows: Page<ScheduleView> =
                schedules::list(app, "core", &filter, &Paging::default()).unwrap();
            if let Some(row) = rows.items.get(number) {
                let _ = schedules::delete(app, ctx, "core", &row.id.to_string());
            }
        }
        Op::TimeOff(who, at, length) => {
            let (start, end) = days(at, length);
            let input = read(json!({"start_date": start, "end_date": end}));
            time_off::create(app, ctx, USERS[who], &input).unwrap();
        }
        Op::Eligible(who, is_eligible) => {
            let input = read(json!({"is_eligible_for_oncall": is_eligible}));
            let _ = members::update(app, ctx, "core", USERS[who], &input);
        }
        Op::Describe(text) => core.try_configure(json!({"description": text.to_string()})),
        Op::HandoffTime(which) => core.try_configure(json!({"handoff_time": TIMES[which]})),
        Op::Rotates(is_on) => core.try_configure(json!({"rotation_enabled": is_on})),
        Op::Exists(is_active) => core.try_configure(json!({"is_active": is_active})),
        Op::RefuseHandoffs(refuses) => core.refuses_handoffs.store(refuses, Ordering::Relaxed),
        Op::Load(is_loading) => core.plugin.is_loading.store(is_loading, Ordering::Relaxed),
    }
}

impl Core {
    fn team(&self) -> Team {
        let found = self
            .app
            .read(|tx| Ok(store::teams::find_by_slug(tx, "core")?));
        found.unwrap().expect("it is there")
    }

    fn today(&self) -> NaiveDate {
        self.team().clock().day_at(self.app.now())
    }

    fn try_configure(&self, config: Value) {
        // While handoffs are refused, so is a change of config when one is due.
        let _ = teams::update(&self.app, &self.ctx, "core", &read(config));
    }

    fn last_told(&self) -> Option<Told> {
        let team = self.team().id;
        self.app
            .read(|tx| Ok(store::told::find(tx, team)?))
            .unwrap()
    }

    fn handoff_is_due(&self) -> bool {
        let team = self.team();
        let state = self.app.read(|tx| Ok(store::rotation::state(tx, team.id)?));
        let next = state.unwrap().next_period;
        team.rotates() && next.is_some_and(|day| team.clock().starts_at(day) <= self.app.now())
    }

    fn on_call(&self) -> Option<UserId> {
        let team = self.team();
        let today = self.today();
        let found = self.app.read(|tx| oncall::who(tx, &team, today));
        found.unwrap().filter(|_| team.is_active)
    }
}

/// What people know, by what they were told.
#[derive(Default)]
struct Known {
    /// Who was told that they're on call, and on which day last.
    on_call: Option<(String, NaiveDate)>,
    read: usize,
}

impl Known {
    /// Reads what an operation has told; whether that was of a turn that nobody could take.
    fn catch_up(&mut self, core: &Core) -> bool {
        let today = core.today();
        let news = core.notifications().split_off(self.read);
        self.read += news.len();
        let of = |event: Event| -> Vec<&str> {
            let news = news.iter().filter(|n| n.event == event);
            news.map(|n| n.recipient.as_str()).collect()
        };
        let (started, ended) = (of(Event::ShiftStarted), of(Event::ShiftEnded));
        let was = self.on_call.take();
        match (&*started, &*ended, was) {
            ([], [], was) => self.on_call = was,
            ([user], [], None) => self.on_call = Some(((*user).to_owned(), today)),
            ([user], [], Some((was, since))) => {
                assert_eq!(*user, was, "nobody told them that it's over");
                assert!(since < today, "{user} was told so already");
                self.on_call = Some((was, today));
            }
            ([], [user], Some((was, _))) => assert_eq!(*user, was),
            ([new], [old], Some((was, _))) => {
                assert_eq!(*old, was, "whose shift had not begun");
                assert_ne!(new, old);
                self.on_call = Some(((*new).to_owned(), today));
            }
            (started, ended, was) => panic!("{was:?} was on call: {started:?}, {ended:?}"),
        }
        let handoffs = of(Event::Handoff).len();
        assert!(handoffs <= 1, "{handoffs} messages to the channel");
        assert!(handoffs == 1 || (started.is_empty() && ended.is_empty()));
        !of(Event::RotationSkipped).is_empty()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn everybody_hears_that_they_are_on_call_once_and_that_it_is_over_once(
        ops in prop::collection::vec(op(), 1..60), by_plugin in any::<bool>(),
    ) {
        let kind = if by_plugin { "plugin:last" } else { "round_robin" };
        let core = Core::new(&json!({"rotation_enabled": true, "rotation_type": kind,
            "rotation_interval": "daily", "handoff_time": "09:00"}));
        let mut known = Known::default();
        known.catch_up(&core);
        let mut changes = core.app.on_call_changes();
        let who = |known: &Known| known.on_call.as_ref().map(|(user, _)| user.clone());
        let heal = [Op::RefuseHandoffs(false), Op::Load(false), Op::HandOff, Op::Look];
        for op in ops.into_iter().chain(heal) {
            let (before, was_due) = (who(&known), core.handoff_is_due());
            changes.mark_unchanged();
            perform(&core, &op);
            let is_skipped = known.catch_up(&core);
            let told = core.last_told();
            let told_on = told.as_ref().and_then(|told| told.on_call_told_on);
            let told = told.and_then(|told| told.on_call).map(|user| user.to_string());
            prop_assert_eq!(&who(&known), &told, "what is kept is what was told");
            prop_assert_eq!(changes.has_changed().unwrap(), before != told);
            let on_call = core.on_call().map(|user| user.to_string());
            // In a second the scheduler looks, whatever else it can or can't do.
            if matches!(op, Op::Look) && !(core.handoff_is_due() && on_call.is_none()) {
                prop_assert_eq!(&told, &on_call);
            }
            let is_handed_off = matches!(op, Op::HandOff) && was_due && !core.handoff_is_due();
            if is_handed_off && !is_skipped {
                prop_assert_eq!(told_on, Some(core.today()), "told once a period");
            }
        }
        prop_assert!(!core.handoff_is_due());
        prop_assert_eq!(who(&known), core.on_call().map(|user| user.to_string()));
    }
}
