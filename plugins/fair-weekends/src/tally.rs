//! Who is owed how much.

use crate::bindings::rotation::Context;
use crate::calendar::Calendar;

/// Which days are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Weekend days and holidays.
    Heavy,
    /// All of them.
    All,
}

/// What each candidate is owed.
pub struct Tally {
    /// In points, in the order of the candidates: earned less served.
    pub owed: Vec<f64>,
    /// Who of the candidates was the last one to be on call on such days: heavy ones, or else
    /// light ones.
    pub last: Option<usize>,
}

impl Tally {
    /// Goes through the recent shifts. Whoever had joined by then earned a share of the shift by
    /// their weight, and whoever was on call spent it. Shifts of people who are no candidates
    /// change nothing between those who are. Nobody is owed more than a turn, nor owes more: who
    /// comes back from a long leave has a turn to make up for, not all that they missed.
    pub fn new(ctx: &Context, calendar: &Calendar, counted: Counted) -> Self {
        let candidates = &ctx.candidates;
        let mut owed = vec![0.0; candidates.len()];
        let mut last = None;
        let mut turn = 0.0;
        let mut shares = Shares::new(ctx);
        for shift in &ctx.recent_shifts {
            let days = calendar.points(shift.first.number, shift.last.number);
            let (points, is_such) = match counted {
                Counted::Heavy => (days.heavy, days.heavy > 0.0),
                Counted::All => (days.all, days.all > days.heavy),
            };
            if points == 0.0 {
                continue;
            }
            let Some(server) = candidates.iter().position(|c| c.user == shift.user) else {
                continue;
            };
            if is_such {
                last = Some(server);
            }
            turn = if points > turn { points } else { turn };
            owed[server] -= points;
            for (owed, share) in owed.iter_mut().zip(shares.on(shift.first.number, server)) {
                *owed = (*owed + points * share).clamp(-turn, turn);
            }
        }
        Self { owed, last }
    }
}

/// Who earns which part of a shift.
struct Shares {
    /// On which day they joined, and their weight.
    members: Vec<(i32, f64)>,
    /// The day from which on all have joined.
    complete_from: i32,
    parts: Vec<f64>,
    are_complete: bool,
}

impl Shares {
    fn new(ctx: &Context) -> Self {
        let members: Vec<_> = ctx
            .candidates
            .iter()
            .map(|c| (c.joined.number, c.weight))
            .collect();
        Self {
            complete_from: members
                .iter()
                .map(|&(joined, _)| joined)
                .max()
                .unwrap_or(i32::MIN),
            parts: vec![0.0; members.len()],
            are_complete: false,
            members,
        }
    }

    /// The shares on a day: of those who had joined, and of whoever was on call.
    fn on(&mut self, day: i32, server: usize) -> &[f64] {
        if self.are_complete {
            return &self.parts;
        }
        self.are_complete = day >= self.complete_from;
        let mut all = 0.0;
        for (index, &(joined, weight)) in self.members.iter().enumerate() {
            let earns = index == server || joined <= day;
            self.parts[index] = if earns { weight } else { 0.0 };
            all += self.parts[index];
        }
        for share in &mut self.parts {
            *share /= all;
        }
        &self.parts
    }
}
