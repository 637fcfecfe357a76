//! What a strategy that comes from elsewhere gets to see, and how far it is trusted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::plan::OnFailure;
use super::strategy::{AskedTwice, Pick, PickContext, Strategy};
use super::testing::*;
use crate::domain::team::{Interval, RotationType};

fn sim(users: &[&str], strategy: Scripted) -> Sim {
    let kind = RotationType::Plugin("mine".to_owned());
    let mut sim = Sim::new(config(kind, Interval::Weekly), named(users));
    sim.strategy = Some(Ok(strategy));
    sim
}

fn pick(id: &str, reason: impl Into<String>) -> Pick {
    Pick {
        user: user(id),
        reason: reason.into(),
    }
}

/// What is recent, as text.
fn recent(context: &PickContext<'_>) -> String {
    let text = |stretch: &super::coverage::Stretch| {
        let days = [stretch.start, stretch.end].map(|date| (date - day(0)).num_days());
        format!(
            "{} {}..{} {}",
            stretch.user, days[0], days[1], stretch.source
        )
    };
    context
        .recent
        .iter()
        .map(text)
        .collect::<Vec<_>>()
        .join(", ")
}

fn in_turn() -> Scripted {
    Scripted::new(|context| {
        let count = i64::try_from(context.standings.len()).unwrap();
        let turn = usize::try_from(context.period.index % count).unwrap();
        Ok(pick(context.standings[turn].user.as_str(), recent(context)))
    })
}

#[test]
fn a_strategy_sees_who_was_on_call_and_who_will_be() {
    let mut sim = sim(&["UA", "UB"], in_turn());
    sim.manual("UX", day(-20), day(-15));
    sim.manual("UB", day(2), day(9));
    let plan = sim.generate(4);
    let reasons: Vec<_> = plan
        .shifts
        .iter()
        .map(|s| s.explanation.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "UX -20..-15 manual, UA 0..1 auto, UB 2..6 manual",
            "UX -20..-15 manual, UA 0..1 auto, UB 2..6 manual, UB 7..9 manual, UB 10..13 auto",
            "UX -20..-15 manual, UA 0..1 auto, UB 2..6 manual, UB 7..9 manual, UB 10..13 auto, \
             UA 14..20 auto",
        ]
    );
}

#[test]
fn a_strategy_sees_sixty_four_periods_and_no_more() {
    let counting = Scripted::new(|context| Ok(pick("UA", format!("{}", context.recent.len()))));
    let mut sim = sim(&["UA"], counting);
    let plan = sim.generate(52);
    assert_eq!(plan.shifts.last().unwrap().explanation.reason, "51");
    sim.advance_to(day(70 * 7));
    let plan = sim.generate(20);
    assert_eq!(plan.shifts.last().unwrap().explanation.reason, "64");
}

#[test]
fn members_stand_beside_their_standings() {
    let strategy = Scripted::new(|context| {
        let pairs = context.standings.iter().zip(context.members);
        assert!(
            pairs
                .clone()
                .all(|(standing, member)| standing.user == member.user)
        );
        assert_eq!(context.standings.len(), context.members.len());
        assert_eq!(context.team.slug, "payments");
        Ok(pick("UA", ""))
    });
    let mut sim = sim(&["UC", "UA", "UB"], strategy);
    sim.time_off("UB", day(0), day(3));
    assert!(sim.generate(2).failures.is_empty());
}

#[test]
fn somebody_who_is_not_eligible_is_not_picked_whatever_a_strategy_says() {
    let mut sim = sim(&["UA", "UB"], Scripted::new(|_| Ok(pick("UB", "I say so"))));
    sim.member_mut("UB").is_eligible = false;
    let plan = sim.generate(1);
    assert_eq!(picked(&plan), ["UA"]);
    assert_eq!(
        plan.failures[0].1,
        "plugin:mine picked UB, who is not a candidate"
    );
    sim.on_failure = OnFailure::Hold;
    assert!(sim.generate(2).failures[0].1.contains("not a candidate"));
}

#[test]
fn a_strategy_that_answers_otherwise_when_asked_again_has_failed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let fickle = Scripted::new(move |_| {
        let turn = asked.fetch_add(1, Ordering::Relaxed);
        Ok(pick(["UA", "UB"][turn % 2], "a coin was tossed"))
    });
    let fickle = AskedTwice(fickle);
    let mut sim = sim(
        &["UA", "UB"],
        Scripted::new(move |context| fickle.pick(context)),
    );
    let plan = sim.generate(1);
    assert_eq!(counted.load(Ordering::Relaxed), 2);
    assert_eq!(picked(&plan), ["UA"], "round-robin steps in");
    assert_eq!(
        plan.failures[0].1,
        "plugin:mine is not deterministic: asked twice the same, it picked UA (a coin was \
         tossed), then UB (a coin was tossed)"
    );
}
