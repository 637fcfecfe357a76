//! Who may be picked for a period, and who not and why.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::explanation::{PassedOver, PassedOverReason};
use super::period::Period;
use crate::domain::ids::UserId;
use crate::domain::member::TeamRole;
use crate::domain::oncall_day::OnCallClock;
use crate::domain::roster::{Account, Member, Presence};

/// A member as the rotation sees them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RotationMember {
    /// The person.
    pub user: UserId,
    /// Their role.
    pub role: TeamRole,
    /// Their weight; the store holds only valid ones.
    pub weight: f64,
    /// Whether the rotation may pick them at all.
    pub is_eligible: bool,
    /// What the team's Slack group says of them.
    pub presence: Presence,
    /// Since when they count; decides the place in the ring.
    pub joined_at: DateTime<Utc>,
    /// The on-call day of `joined_at`.
    pub joined_date: NaiveDate,
}

/// Days off of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The person.
    pub user: UserId,
    /// First day off.
    pub start: NaiveDate,
    /// Last day off.
    pub end: NaiveDate,
}

/// A place in the ring of round-robin: seniority, then user id.
pub type RingPlace = (DateTime<Utc>, UserId);

impl RotationMember {
    /// A team's member, by the team's clock.
    pub fn new(member: Member, clock: &OnCallClock) -> Self {
        Self {
            user: member.user,
            role: member.role,
            weight: member.weight,
            is_eligible: member.is_eligible,
            presence: member.presence,
            joined_at: member.joined_at,
            joined_date: clock.day_at(member.joined_at),
        }
    }

    /// The member's place in the ring.
    pub fn ring_place(&self) -> RingPlace {
        (self.joined_at, self.user.clone())
    }
}

/// The candidates of `period` in ring order (seniority, then id; `order` where it is given),
/// and those passed over. `as_of` is the day on which the pick is made if the period has
/// begun already: somebody who joined since its start may still fill its rest.
pub fn candidates<'a>(
    members: &'a [RotationMember],
    absences: &[Absence],
    order: Option<&[UserId]>,
    period: &Period,
    as_of: NaiveDate,
) -> (Vec<&'a RotationMember>, Vec<PassedOver>) {
    let mut passed_over = Vec::new();
    let mut chosen: Vec<&RotationMember> = Vec::new();
    for member in members {
        match reason_against(member, absences, order, period, as_of) {
            None => chosen.push(member),
            Some(reason) => passed_over.push(PassedOver {
                user: member.user.clone(),
                reason,
            }),
        }
    }
    chosen.sort_by_key(|m| m.ring_place());
    if let Some(order) = order {
        chosen.sort_by_key(|m| order.iter().position(|user| *user == m.user));
        for user in order {
            if !members.iter().any(|m| m.user == *user) {
                let reason = PassedOverReason::NotAMember;
                passed_over.push(PassedOver {
                    user: user.clone(),
                    reason,
                });
            }
        }
    }
    passed_over.sort_by(|a, b| a.user.cmp(&b.user));
    (chosen, passed_over)
}

fn reason_against(
    member: &RotationMember,
    absences: &[Absence],
    order: Option<&[UserId]>,
    period: &Period,
    as_of: NaiveDate,
) -> Option<PassedOverReason> {
    match member.presence {
        Presence::NotAsked | Presence::Listed(Account::Person) => {}
        Presence::Listed(Account::Bot) => return Some(PassedOverReason::Bot),
        Presence::Listed(Account::Deactivated) => return Some(PassedOverReason::Deactivated),
        Presence::Left => return Some(PassedOverReason::LeftSlackGroup),
    }
    if !member.is_eligible {
        return Some(PassedOverReason::Ineligible);
    }
    if member.joined_date > period.start.max(as_of) {
        return Some(PassedOverReason::NotYetJoined {
            joined_date: member.joined_date,
        });
    }
    if order.is_some_and(|order| !order.contains(&member.user)) {
        return Some(PassedOverReason::NotInOrder);
    }
    let absence = absences
        .iter()
        .filter(|a| a.user == member.user && a.start <= period.end && period.start <= a.end)
        .min_by_key(|a| a.start)?;
    Some(PassedOverReason::TimeOff {
        start_date: absence.start,
        end_date: absence.end,
    })
}
