//! Random walks: whatever happens to a team over two years, the invariants hold.

use proptest::prelude::*;

use super::strategy::Pick;
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
