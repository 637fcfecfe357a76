//! Why somebody was picked, as a readable table.

use chrono::NaiveDate;

use super::people::{People, Person};
use super::time::{day, days};
use crate::wire::rotation::{CandidateView, ExplanationView};

/// Why somebody was picked.
#[derive(Clone, Debug)]
pub struct Why {
    /// In a sentence.
    pub reason: String,
    /// The rotation type that picked.
    pub strategy: String,
    /// What the configured strategy said where it failed.
    pub strategy_error: Option<String>,
    /// Number of the period, from 1.
    pub period_number: i64,
    /// Its days.
    pub period: String,
    /// Those who could be picked.
    pub candidates: Vec<Candidate>,
    /// Those who could not, and why.
    pub passed_over: Vec<(Person, String)>,
}

/// A candidate, as they stood before the pick.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who.
    pub person: Person,
    /// Whether the pick fell on them.
    pub is_picked: bool,
    /// Their weight.
    pub weight: String,
    /// Share of the turns that is theirs, in percent.
    pub target: String,
    /// Turns served.
    pub served: String,
    /// Turns that they owe (`+`), or have served too many (`-`).
    pub credit: String,
    /// Their last day on call.
    pub last_served: String,
}

impl Why {
    /// What an explanation says, of a shift that fell to `picked`.
    pub fn new(why: &ExplanationView, picked: &str, people: &People, today: NaiveDate) -> Self {
        let candidates = why.candidates.iter();
        let passed_over = why.passed_over.iter();
        Self {
            reason: sentence(&why.reason),
            strategy: why.strategy.replace('_', " "),
            strategy_error: why.strategy_error.clone(),
            period_number: why.period_number,
            period: days(why.period_start_date, why.period_end_date, today),
            candidates: candidates
                .map(|of| Candidate::new(of, picked, people, today))
                .collect(),
            passed_over: passed_over
                .map(|of| (people.get(&of.slack_user_id), of.detail.clone()))
                .collect(),
        }
    }

    /// Everybody whom an explanation names.
    pub fn ids(why: &ExplanationView) -> impl Iterator<Item = &str> {
        let candidates = why.candidates.iter().map(|of| of.slack_user_id.as_str());
        candidates.chain(why.passed_over.iter().map(|of| of.slack_user_id.as_str()))
    }
}

impl Candidate {
    fn new(of: &CandidateView, picked: &str, people: &People, today: NaiveDate) -> Self {
        Self {
            person: people.get(&of.slack_user_id),
            is_picked: of.slack_user_id == picked,
            weight: number(of.weight),
            target: percent(of.target),
            served: format!("{:.2}", of.served),
            credit: signed(of.credit),
            last_served: of
                .last_served_date
                .map_or_else(|| "never".to_owned(), |date| day(date, today)),
        }
    }
}

/// With a capital at its start and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let text = format!("{}{}", first.unwrap_or_default(), letters.as_str());
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        text + "."
    }
}

/// `1`, `1.5`, without zeros that say nothing.
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `37 %`
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// `+0.31`, `−0.50`, `0.00`
pub fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    match text.as_str() {
        "+0.00" | "-0.00" => "0.00".to_owned(),
        _ => text.replace('-', "−"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        assert_eq!(
            (number(1.0), number(1.5), number(0.25)),
            ("1".into(), "1.5".into(), "0.25".into())
        );
        assert_eq!(
            (signed(0.314), signed(-0.5), signed(-0.001)),
            ("+0.31".into(), "−0.50".into(), "0.00".into())
        );
        assert_eq!(sentence("largest credit"), "Largest credit.");
    }
}
