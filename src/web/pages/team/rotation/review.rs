//! What a change of the rotation would bring, as the page shows it.

use chrono::NaiveDate;

use super::super::fairness::{Conflict, conflicts, gaps};
use super::ids_of;
use crate::web::view::diff::{self, Field};
use crate::web::view::people::{People, Person};
use crate::web::view::time::days;
use crate::web::view::why::percent;
use crate::wire::review::RotationReview;

/// Moved runs of days that are shown; of the rest the number is told.
const MOVES: usize = 30;

/// The review.
#[derive(Debug)]
pub struct Review {
    /// What it changes in the config.
    pub fields: Vec<Field>,
    /// The days that are compared.
    pub days: String,
    /// Days that come to somebody else.
    pub moves: Vec<Move>,
    /// Runs of days that move beyond those.
    pub more_moves: usize,
    /// Days that move in all.
    pub moved_days: i64,
    /// Who serves how much of these days.
    pub turns: Vec<Turns>,
    /// Those who would be on call on days off.
    pub conflicts: Vec<Conflict>,
    /// Days that nobody would cover.
    pub gaps: Vec<String>,
    /// What the strategy said where it failed.
    pub failure: Option<String>,
}

/// A run of days that moves.
#[derive(Clone, Debug)]
pub struct Move {
    /// The days.
    pub days: String,
    /// Who has them now.
    pub before: Option<Person>,
    /// Who would have them.
    pub after: Option<Person>,
}

/// What one person serves of the days that are compared.
#[derive(Clone, Debug)]
pub struct Turns {
    /// Who.
    pub person: Person,
    /// Days on call as it stands, and as it would be.
    pub days: (u32, u32),
    /// Weekend days as it stands, and as it would be.
    pub weekend_days: (u32, u32),
    /// Share of the turns that would be theirs.
    pub target: String,
}

/// Everybody whom a review names.
pub fn ids(review: &RotationReview) -> Vec<&str> {
    let mut ids = diff::ids(&review.changes);
    for moved in &review.moves {
        ids.extend(moved.before.as_deref());
        ids.extend(moved.after.as_deref());
    }
    for report in [&review.before, &review.after] {
        ids.extend(report.members.iter().map(|of| of.slack_user_id.as_str()));
        ids.extend(report.conflicts.iter().map(|of| of.slack_user_id.as_str()));
    }
    ids.extend(ids_of(&review.plan));
    ids
}

impl Review {
    /// The review with the names of `people`.
    pub fn new(review: &RotationReview, people: &People, today: NaiveDate) -> Self {
        let moves = review.moves.iter().take(MOVES).map(|moved| Move {
            days: days(moved.start_date, moved.end_date, today),
            before: people.find(moved.before.as_deref()),
            after: people.find(moved.after.as_deref()),
        });
        let lengths = review.moves.iter();
        let lengths = lengths.map(|moved| (moved.end_date - moved.start_date).num_days() + 1);
        Self {
            fields: diff::fields(&review.changes, people),
            days: days(review.from, review.to, today),
            moves: moves.collect(),
            more_moves: review.moves.len().saturating_sub(MOVES),
            moved_days: lengths.sum(),
            turns: turns(review, people),
            conflicts: conflicts(&review.after.conflicts, people, today),
            gaps: gaps(&review.after, today),
            failure: review.failure.clone(),
        }
    }
}

/// Everybody who owes or serves something, before or after, by name.
fn turns(review: &RotationReview, people: &People) -> Vec<Turns> {
    let mut turns: Vec<Turns> = Vec::new();
    for of in &review.after.members {
        let mut before = review.before.members.iter();
        let was = before.find(|it| it.slack_user_id == of.slack_user_id);
        turns.push(Turns {
            person: people.get(&of.slack_user_id),
            days: (was.map_or(0, |was| was.days_served), of.days_served),
            weekend_days: (was.map_or(0, |was| was.weekend_days), of.weekend_days),
            target: percent(of.target_share),
        });
    }
    for was in &review.before.members {
        if turns.iter().all(|of| of.person.id != was.slack_user_id) {
            turns.push(Turns {
                person: people.get(&was.slack_user_id),
                days: (was.days_served, 0),
                weekend_days: (was.weekend_days, 0),
                target: percent(0.0),
            });
        }
    }
    turns.sort_by_cached_key(|of| of.person.name.to_lowercase());
    turns
}
