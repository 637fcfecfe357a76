//! Why each shift of a plan fell to whom, in full.

use std::fmt::Write as _;

use super::people::Names;
use super::table::{Table, clean, indented, or_none};
use super::time::{LocalTime, days};
use crate::wire::rotation::{ExplanationView, PlanView, ShiftView};

/// The explanations of a plan's shifts.
pub(super) fn of(plan: &PlanView, local: &LocalTime, names: &Names) -> String {
    let shifts = plan
        .items
        .iter()
        .map(|shift| explained(shift, local, names));
    shifts.collect::<Vec<_>>().join("\n")
}

/// Whom a plan and its explanations name.
pub(super) fn people_of(plan: &PlanView) -> impl Iterator<Item = &str> {
    plan.items.iter().flat_map(|shift| {
        let explanation = shift.explanation.iter();
        let others = explanation.flat_map(|why| {
            let candidates = why.candidates.iter().map(|of| of.slack_user_id.as_str());
            let passed_over = why.passed_over.iter().map(|of| of.slack_user_id.as_str());
            candidates.chain(passed_over)
        });
        others.chain([shift.engineer_slack_id.as_str()])
    })
}

fn explained(shift: &ShiftView, local: &LocalTime, names: &Names) -> String {
    let (from, until) = (local.short(shift.starts_at), local.full(shift.ends_at));
    let who = clean(&names.of(&shift.engineer_slack_id));
    let mut text = format!("#{} {who}, {from} to {until}\n", shift.week_number);
    match &shift.explanation {
        Some(explanation) => text += &indented(&why(explanation, names)),
        None => text += "  no explanation was kept\n",
    }
    text
}

fn why(explanation: &ExplanationView, names: &Names) -> String {
    let period = days(explanation.period_start_date, explanation.period_end_date);
    let number = explanation.period_number;
    let strategy = clean(&explanation.strategy);
    let mut text = format!("{}\n", clean(&explanation.reason));
    let _ = writeln!(text, "{strategy}, period {number}: {period}");
    if explanation.hold {
        text += "a hold: nobody could be picked; whoever was on call stays on\n";
    }
    if let Some(error) = &explanation.strategy_error {
        let _ = writeln!(text, "the strategy failed: {}", clean(error));
    }
    if !explanation.candidates.is_empty() {
        let columns = [
            "CANDIDATE",
            "WEIGHT",
            "TARGET",
            "SERVED",
            "CREDIT",
            "GAP",
            "LAST ON CALL",
        ];
        let mut table = Table::new(columns).numbers(1..=5);
        for candidate in &explanation.candidates {
            table.row([
                names.of(&candidate.slack_user_id),
                candidate.weight.to_string(),
                percent(candidate.target),
                format!("{:.2}", candidate.served),
                format!("{:+.2}", candidate.credit),
                format!("{:+.2}", candidate.gap),
                or_none(candidate.last_served_date),
            ]);
        }
        text += &table.render();
    }
    for passed in &explanation.passed_over {
        let (who, detail) = (
            clean(&names.of(&passed.slack_user_id)),
            clean(&passed.detail),
        );
        let _ = writeln!(text, "passed over: {who} ({detail})");
    }
    text
}

/// A share of one: `33.3 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_explanation_names_the_reason_the_candidates_and_the_passed_over() {
        let plan: PlanView = serde_json::from_value(json!({"items": [{
            "week_number": 1, "engineer_slack_id": "U1",
            "start_date": "2026-11-30", "end_date": "2026-12-06",
            "starts_at": "2026-11-30T08:00:00Z", "ends_at": "2026-12-07T08:00:00Z",
            "explanation": {
                "strategy": "weighted", "reason": "U1 is owed most", "period_number": 4,
                "period_start_date": "2026-11-30", "period_end_date": "2026-12-06",
                "candidates": [{"slack_user_id": "U1", "weight": 0.5, "target": 1.0, "served": 2,
                    "credit": 0.25, "gap": -0.125, "last_served_date": null}],
                "passed_over": [{"slack_user_id": "U2", "reason": "time_off",
                    "detail": "time off from 2026-12-01 to 2026-12-02"}],
                "hold": false, "strategy_error": null
            }
        }]}))
        .unwrap();
        let named: Vec<_> = people_of(&plan).collect();
        assert_eq!(named, ["U1", "U2", "U1"]);
        let names = Names([("U1".to_owned(), "Zoë".to_owned())].into());
        assert_eq!(
            of(&plan, &LocalTime::new("Europe/Berlin"), &names),
            "#1 Zoë (U1), Mon 30 Nov 2026 09:00 to Mon 7 Dec 2026 09:00 Europe/Berlin\n\
             \x20 U1 is owed most\n\
             \x20 weighted, period 4: Mon 30 Nov 2026 to Sun 6 Dec 2026\n\
             \x20 CANDIDATE  WEIGHT   TARGET  SERVED  CREDIT    GAP  LAST ON CALL\n\
             \x20 Zoë (U1)      0.5  100.0 %    2.00   +0.25  -0.12  -\n\
             \x20 passed over: U2 (time off from 2026-12-01 to 2026-12-02)\n"
        );
    }
}
