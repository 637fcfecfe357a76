//! What a change of a team's rotation would bring: the plans of the team as it is and as it would
//! be, side by side. Nothing is written.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::fairness::Basis;
use super::planning::{Wanted, plan_to_show};
use super::snapshot::TeamSnapshot;
use super::{MAX_WEEKS, horizon_of, kept, view, without_future};
use crate::app::{ActionError, Result, Settings, Tx};
use crate::domain::oncall_day::{add_days, each_day, next_day, previous_day};
use crate::domain::schedule::Schedule;
use crate::domain::team::Team;
use crate::rotation::coverage::{Coverage, Source, Stretch};
use crate::rotation::plan::{Plan, Published};
use crate::store::Reader;
use crate::wire::review::{MovedDays, RotationReview};

/// Compares what comes of a team with what would come of `new`, which is the same one with another
/// rotation, over `weeks` from today or from the first period of either.
///
/// # Errors
/// The number of weeks is invalid.
pub(crate) fn compare(
    tx: &impl Reader,
    settings: &Settings,
    (old, new): (&Team, &Team),
    now: DateTime<Utc>,
    weeks: u32,
) -> Result<RotationReview> {
    if !(1..=MAX_WEEKS).contains(&weeks) {
        return Err(ActionError::invalid(
            "weeks",
            format!("{weeks} is not 1 to 52"),
        ));
    }
    let is = TeamSnapshot::new(tx, settings, old, now)?;
    let would_be = TeamSnapshot::unsaved(tx, settings, new, now)?;
    let from = is.today.min(would_be.today);
    let horizon = horizon_of(&is, weeks).max(horizon_of(&would_be, weeks));
    let range = (from, previous_day(horizon));
    let stands = standing(settings, &is, horizon);
    let replans = new.rotation != old.rotation || new.timezone != old.timezone;
    let planned = if replans {
        plan_of(settings, &would_be, Published::Replanned, horizon)
    } else {
        standing(settings, &would_be, horizon)
    };
    let plan = view(tx, &would_be, &planned, horizon)?;
    let before = coverage(&is, &stands);
    let after = coverage(&would_be, &planned);
    Ok(RotationReview {
        changes: Value::Null,
        from,
        to: range.1,
        moves: moves(&before, &after, range),
        before: Basis::new(is, before, range).report(tx)?,
        after: Basis::new(would_be, after, range).report(tx)?,
        plan,
        failure: planned.failures.into_iter().next().map(|(_, error)| error),
    })
}

/// Who is on call from today on by what is published: to be compared with what a write makes of it.
pub(crate) struct Standing {
    coverage: Coverage,
    today: NaiveDate,
    /// The last day that is published, where the team rotates.
    until: Option<NaiveDate>,
}

impl Standing {
    /// Of a team as it is stored; of a deleted one, nobody.
    pub(crate) fn of(tx: &Tx<'_>, team: &Team) -> Result<Self> {
        let snapshot = TeamSnapshot::new(tx.store, tx.settings, team, tx.now)?;
        if !team.is_active {
            return Ok(Self::nobody(snapshot.today));
        }
        Ok(Self {
            coverage: snapshot.coverage(),
            today: snapshot.today,
            until: snapshot.state.published_until,
        })
    }

    /// Of a team that isn't there yet.
    pub(crate) fn nobody(today: NaiveDate) -> Self {
        Self {
            coverage: Coverage::default(),
            today,
            until: None,
        }
    }

    /// The days that come to somebody else, as far as both are published.
    pub(crate) fn moves_to(&self, after: &Self) -> Vec<MovedDays> {
        let from = self.today.min(after.today);
        let until = match (self.until, after.until) {
            (Some(one), Some(other)) => one.min(other),
            (Some(only), None) | (None, Some(only)) => only,
            // What was planned by hand for the weeks to come.
            (None, None) => add_days(from, 27),
        };
        moves(&self.coverage, &after.coverage, (from, until))
    }
}

/// What comes without a change: the published shifts as they are, and what is added beyond.
fn standing(settings: &Settings, snapshot: &TeamSnapshot, horizon: NaiveDate) -> Plan {
    let published = snapshot.state.published_until.unwrap_or(snapshot.today);
    let mut plan = plan_of(
        settings,
        snapshot,
        Published::StandsUntil(published),
        horizon,
    );
    plan.shifts.retain(|shift| shift.start > published);
    plan
}

fn plan_of(
    settings: &Settings,
    snapshot: &TeamSnapshot,
    published: Published,
    horizon: NaiveDate,
) -> Plan {
    if !snapshot.team.rotates() {
        return without_future(snapshot);
    }
    let wanted = Wanted {
        published,
        horizon,
        hold_if_nobody: false,
    };
    plan_to_show(settings, snapshot, wanted)
}

/// Who is on call once a plan is applied.
fn coverage(snapshot: &TeamSnapshot, planned: &Plan) -> Coverage {
    let rows: Vec<_> = kept(snapshot, planned)
        .map(|(row, end_date)| Schedule {
            end_date,
            ..row.clone()
        })
        .collect();
    let mut coverage = Coverage::new(&rows, &snapshot.overrides);
    for shift in &planned.shifts {
        coverage.add(Stretch {
            user: shift.explanation.picked.clone(),
            source: Source::Auto,
            id: Uuid::nil(),
            start: shift.start,
            end: shift.end,
        });
    }
    coverage
}

fn moves(
    before: &Coverage,
    after: &Coverage,
    (from, to): (NaiveDate, NaiveDate),
) -> Vec<MovedDays> {
    let who = |coverage: &Coverage, day| coverage.row_on(day).map(|row| row.user.to_string());
    let mut moves: Vec<MovedDays> = Vec::new();
    for day in each_day(from, to) {
        let (before, after) = (who(before, day), who(after, day));
        if before == after {
            continue;
        }
        match moves.last_mut() {
            Some(last)
                if next_day(last.end_date) == day
                    && (&last.before, &last.after) == (&before, &after) =>
            {
                last.end_date = day;
            }
            _ => moves.push(MovedDays {
                start_date: day,
                end_date: day,
                before,
                after,
            }),
        }
    }
    moves
}
