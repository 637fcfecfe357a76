//! Strategies: who of the candidates is next.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::candidate::{RingPlace, RotationMember};
use super::coverage::Stretch;
use super::explanation::Standing;
use super::period::Period;
use crate::domain::ids::{TeamId, UserId};
use crate::domain::team::{RotationConfig, RotationType};

/// Two gaps this close are a tie.
const TIE: f64 = 1e-9;

/// Periods before the one to fill whose shifts a plugin gets to see.
const RECENT_PERIODS: i64 = 64;

/// Periods before the one to fill whose shifts a strategy gets to see: none unless it is a
/// plugin, since the built-in ones go by credit and the last pick alone.
pub const fn recent_periods(kind: &RotationType) -> i64 {
    match kind {
        RotationType::Plugin(_) => RECENT_PERIODS,
        RotationType::RoundRobin | RotationType::Custom | RotationType::Weighted => 0,
    }
}

/// Which team it is. A plugin may go by it; the built-in strategies don't.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TeamName<'a> {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: &'a str,
    /// Its slug.
    pub slug: &'a str,
    /// Its IANA zone name.
    pub timezone: &'a str,
}

/// What a strategy may know. The same context always gives the same pick.
#[derive(Debug, Serialize)]
pub struct PickContext<'a> {
    /// The team.
    pub team: TeamName<'a>,
    /// The team's rotation config.
    pub config: &'a RotationConfig,
    /// The period to fill.
    pub period: &'a Period,
    /// The candidates in ring order, never empty.
    pub standings: &'a [Standing],
    /// The same candidates in the same order, as members.
    pub members: &'a [&'a RotationMember],
    /// Who was on call, or by the plan so far will be, in the [`recent_periods`] before this
    /// one: in order, each within one period.
    pub recent: &'a [Stretch],
    /// Periods that count towards credit so far.
    pub total: f64,
    /// The place in the ring of the one whom the rotation picked last.
    pub last_pick: Option<&'a RingPlace>,
}

/// A strategy's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// One of the candidates.
    pub user: UserId,
    /// Why, in a sentence for the explanation.
    pub reason: String,
}

/// What something serialises to, in 32 bytes: those of different things differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The SHA-256 of its JSON.
    ///
    /// # Panics
    /// It is none that JSON can tell: a map whose keys are no texts.
    pub fn of(value: &impl Serialize) -> Self {
        let mut hasher = Sha256::new();
        serde_json::to_writer(&mut hasher, value)
            .expect("invariant: what is asked has a JSON form, and a hasher takes all bytes");
        Self(hasher.finalize().into())
    }
}

/// Picks the next person on call.
pub trait Strategy: Send + Sync {
    /// Picks one of the context's candidates.
    ///
    /// # Errors
    /// What went wrong, naming the strategy; the team then falls back as configured.
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String>;

    /// All that a pick goes by: where that is the same, so is the pick.
    fn question(&self, context: &PickContext<'_>) -> Fingerprint {
        Fingerprint::of(context)
    }
}

impl<S: Strategy + ?Sized> Strategy for Box<S> {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        (**self).pick(context)
    }

    fn question(&self, context: &PickContext<'_>) -> Fingerprint {
        (**self).question(context)
    }
}

/// A strategy that is not taken at its word: it is asked twice, and has to answer the same.
#[derive(Debug)]
pub struct AskedTwice<S>(pub S);

impl<S: Strategy> Strategy for AskedTwice<S> {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let (first, second) = (self.0.pick(context)?, self.0.pick(context)?);
        if first == second {
            return Ok(first);
        }
        Err(format!(
            "{} is not deterministic: asked twice the same, it picked {} ({}), then {} ({})",
            context.config.kind, first.user, first.reason, second.user, second.reason
        ))
    }

    fn question(&self, context: &PickContext<'_>) -> Fingerprint {
        self.0.question(context)
    }
}

/// The built-in strategy of a rotation type; none for a plugin.
pub fn built_in(kind: &RotationType) -> Option<&'static dyn Strategy> {
    match kind {
        RotationType::RoundRobin => Some(&RoundRobin),
        RotationType::Custom => Some(&Custom),
        RotationType::Weighted => Some(&Weighted),
        RotationType::Plugin(_) => None,
    }
}

/// Each in turn, by seniority. Also what steps in for a strategy that fails.
#[derive(Debug)]
pub struct RoundRobin;

impl Strategy for RoundRobin {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let after = |standing: &Standing, last: &RingPlace| {
            (standing.joined_at, &standing.user) > (last.0, &last.1)
        };
        let next = context
            .last_pick
            .and_then(|last| context.standings.iter().find(|s| after(s, last)));
        in_turn(context, next)
    }
}

/// Each in turn, in the configured order.
#[derive(Debug)]
pub struct Custom;

impl Strategy for Custom {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let place = |user: &UserId| context.config.order.iter().position(|u| u == user);
        let last = context.last_pick.and_then(|(_, user)| place(user));
        let next = last.and_then(|last| {
            context
                .standings
                .iter()
                .find(|s| place(&s.user).is_some_and(|at| at > last))
        });
        in_turn(context, next)
    }
}

/// `next` in the ring, or its first where the ring starts over.
fn in_turn(context: &PickContext<'_>, next: Option<&Standing>) -> Result<Pick, String> {
    let chosen = next
        .or(context.standings.first())
        .ok_or("there is no candidate")?;
    let reason = match context.last_pick {
        Some((_, last)) if *last == chosen.user => "the only one in the ring".to_owned(),
        Some((_, last)) => format!("next in the ring after {last}"),
        None => "first in the ring".to_owned(),
    };
    Ok(Pick {
        user: chosen.user.clone(),
        reason,
    })
}

/// The one who is owed most.
///
/// With a fixed team and T periods counted, credit ÷ T is the gap; before the first period the
/// gap is the target alone. Ties are measured on this scale: credit itself would let targets
/// that tie at first drift apart as T grows.
#[derive(Debug)]
pub struct Weighted;

impl Strategy for Weighted {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let owed = |s: &Standing| {
            if context.total == 0.0 {
                s.target
            } else {
                s.credit / context.total
            }
        };
        let most = context
            .standings
            .iter()
            .map(owed)
            .fold(f64::NEG_INFINITY, f64::max);
        let tied = || context.standings.iter().filter(|s| owed(s) >= most - TIE);
        let longest_ago = |s: &&Standing| (s.last_served, s.joined_at, s.user.clone());
        let chosen = tied()
            .min_by_key(longest_ago)
            .ok_or("there is no candidate")?;
        let count = context.standings.len();
        let reason = if count == 1 {
            "the only candidate".to_owned()
        } else if context.total == 0.0 {
            format!(
                "largest target of {count} candidates: {:.2} of the shifts",
                chosen.target
            )
        } else {
            format!(
                "largest credit of {count} candidates: {:+.2} of a shift",
                without_minus_zero(chosen.credit)
            )
        };
        let tie_break = match (tied().count(), chosen.last_served) {
            (0 | 1, _) => String::new(),
            (tied, None) => format!("; {tied} tied, never on call before"),
            (tied, Some(day)) => format!("; {tied} tied, longest since on call ({day})"),
        };
        Ok(Pick {
            user: chosen.user.clone(),
            reason: reason + &tie_break,
        })
    }
}

/// A number to show with two digits: what rounds to zero is zero, not minus zero.
fn without_minus_zero(number: f64) -> f64 {
    if number.abs() < 0.005 { 0.0 } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_differ_where_what_they_are_of_does() {
        let of = |user: &str, plugin: &str, credit: f64| Fingerprint::of(&(user, plugin, credit));
        assert_eq!(of("UA", "b", 0.3), of("UA", "b", 0.3));
        for other in [("U", "Ab", 0.3), ("UA", "b", 0.1 + 0.2), ("UA", "b\"", 0.3)] {
            assert_ne!(
                of("UA", "b", 0.3),
                of(other.0, other.1, other.2),
                "{other:?}"
            );
        }
    }
}
