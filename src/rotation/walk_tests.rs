//! Random walks: whatever happens to a team over two years, the invariants hold.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};

use proptest::prelude::*;

use super::strategy::{Fingerprint, Pick};
use super::testing::*;
use crate::domain::team::{Interval, RotationConfig, RotationType};

fn three(config: RotationConfig) -> Sim {
    Sim::new(config, named(&IDS[..3]))
}

fn kind() -> impl Strategy<Value = RotationType> {
    prop::sample::select(vec![
        RotationType::RoundRobin,
        RotationType::Custom,
        RotationType::Weighted,
    ])
}

/// What a plugin may say: the user at this place of all that there are, be it a candidate, a
/// member on leave or nobody at all; or that it failed.
fn answer() -> impl Strategy<Value = Option<usize>> {
    prop::option::weighted(0.8, 0..IDS.len() + 1)
}

/// A plugin that gives these answers, by the number of the period.
fn answering(answers: Vec<Option<usize>>) -> Scripted {
    Scripted::new(move |context| {
        let turn = usize::try_from(context.period.index).unwrap() % answers.len();
        let at = answers[turn].ok_or("it did not feel like it")?;
        let user = user(IDS.get(at).unwrap_or(&"UNOBODY"));
        Ok(Pick {
            user,
            reason: "because".to_owned(),
        })
    })
}

/// A plugin that goes by all that it sees: where that differs anywhere, so do its answers.
fn by_everything() -> Scripted {
    Scripted::new(|context| {
        let mut hasher = std::hash::DefaultHasher::new();
        Fingerprint::of(context).hash(&mut hasher);
        let seen = hasher.finish();
        let turn = usize::try_from(seen % context.standings.len() as u64).unwrap();
        Ok(Pick {
            user: context.standings[turn].user.clone(),
            reason: format!("{seen:x}"),
        })
    })
}

/// Plays a team whose every plan is compared with those from checkpoints.
fn walk_resuming(mut sim: Sim, days: i64, ops: &BTreeMap<i64, Op>) {
    sim.checkpoints = Some(Checkpoints::default());
    let sim = walk(sim, days, ops, |_| {});
    let compared = sim.checkpoints.map_or(0, |kept| kept.compared());
    assert!(compared > 0, "there was no checkpoint to begin at");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn two_years_of_anything_keep_the_invariants(
        kind in kind(),
        interval in prop::sample::select(vec![Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..730, op(), 10..60),
    ) {
        walk(three(config(kind, interval)), 730, &ops, |_| {});
    }

    #[test]
    fn a_quarter_of_daily_handoffs_and_anything_keeps_the_invariants(
        kind in kind(), ops in prop::collection::btree_map(1i64..90, op(), 5..40),
    ) {
        walk(three(config(kind, Interval::Daily)), 90, &ops, |_| {});
    }

    #[test]
    fn a_plan_from_a_checkpoint_is_the_plan_from_the_start(
        kind in kind(), ops in prop::collection::btree_map(1i64..300, op(), 5..40),
    ) {
        walk_resuming(three(config(kind, Interval::Weekly)), 300, &ops);
    }

    #[test]
    fn a_daily_plan_from_a_checkpoint_is_the_plan_from_the_start(
        kind in kind(), ops in prop::collection::btree_map(1i64..160, op(), 1..12),
    ) {
        walk_resuming(three(config(kind, Interval::Daily)), 160, &ops);
    }

    #[test]
    fn a_plugin_sees_the_same_from_a_checkpoint_as_from_the_start(
        interval in prop::sample::select(vec![Interval::Daily, Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..200, op(), 1..30),
    ) {
        let kind = RotationType::Plugin("any".to_owned());
        let mut sim = three(config(kind, interval));
        sim.strategy = Some(Ok(by_everything()));
        walk_resuming(sim, 200, &ops);
    }

    #[test]
    fn any_answer_of_any_plugin_leaves_the_schedule_valid(
        answers in prop::collection::vec(answer(), 1..20),
        interval in prop::sample::select(vec![Interval::Daily, Interval::Weekly, Interval::Biweekly]),
        ops in prop::collection::btree_map(1i64..180, op(), 5..40),
    ) {
        let kind = RotationType::Plugin("any".to_owned());
        let mut sim = three(config(kind, interval));
        sim.strategy = Some(Ok(answering(answers)));
        walk(sim, 180, &ops, |_| {});
    }
}
