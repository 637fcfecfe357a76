//! Who is owed how much.

use crate::bindings::rotation::Context;
use crate::calendar::{Calendar, Points};

/// What each candidate is owed, in the order of the candidates: earned less served.
pub struct Tally {
    pub owed: Vec<Points>,
    /// Who of the candidates was the last to be on call on a heavy day, and on a light one.
    pub last_heavy: Option<usize>,
    pub last_light: Option<usize>,
}

impl Tally {
    /// Goes through the recent shifts. Whoever had joined by then earned a share of the shift by
    /// their weight, and whoever was on call spent it. Shifts of people who are no candidates
    /// change nothing between those who are. Nobody is owed more than a turn, nor owes more: who
    /// comes back from a long leave has a turn to make up for, not all that they missed.
    pub fn new(ctx: &Context, calendar: &Calendar<'_>) -> Self {
        let candidates = &ctx.candidates;
        let mut tally = Self {
            owed: vec![Points::default(); candidates.len()],
            last_heavy: None,
            last_light: None,
        };
        let mut turn = calendar.points(ctx.period.first.number, ctx.period.last.number);
        for shift in &ctx.recent_shifts {
            let points = calendar.points(shift.first.number, shift.last.number);
            turn.heavy = turn.heavy.max(points.heavy);
            turn.all = turn.all.max(points.all);
            let Some(server) = candidates.iter().position(|c| c.user == shift.user) else {
                continue;
            };
            if points.heavy > 0.0 {
                tally.last_heavy = Some(server);
            }
            if points.all > points.heavy {
                tally.last_light = Some(server);
            }
            let weight = |index: usize| {
                let candidate = &candidates[index];
                let earns = index == server || candidate.joined.number <= shift.first.number;
                if earns { candidate.weight } else { 0.0 }
            };
            let weights: f64 = (0..candidates.len()).map(weight).sum();
            for (index, owed) in tally.owed.iter_mut().enumerate() {
                let spent = if index == server { 1.0 } else { 0.0 };
                let change = weight(index) / weights - spent;
                owed.heavy = (owed.heavy + points.heavy * change).clamp(-turn.heavy, turn.heavy);
                owed.all = (owed.all + points.all * change).clamp(-turn.all, turn.all);
            }
        }
        tally
    }
}
