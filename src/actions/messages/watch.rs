//! What time brings, whoever changed nothing: somebody comes on call by an override or a manual
//! row, a shift is near, a published day has nobody.
//!
//! Every change that is audited has its team looked at in the same transaction, and so has a team
//! whose next event falls due. A look compares with what was last seen and told, so that each
//! thing is told once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use super::announce::{To, on_call_payload, tell, tell_if_changed, tell_leads};
use crate::actions::oncall::coverage_of;
use crate::app::{ActionError, App, Ctx, Part, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::notification::Event;
use crate::domain::oncall_day::{OnCallClock, add_days, next_day, previous_day};
use crate::domain::team::Team;
use crate::rotation::coverage::{Coverage, Stretch};
use crate::store::watch::{Gap, Reminded, Watch};
use crate::store::{self, ReadTx};

/// Teams that are looked at in one transaction.
const BATCH: usize = 250;
/// A team is looked at anew at least this often: rows come into sight as time goes by.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// Rows that began earlier don't tell since when a team has a schedule.
const LOOKBACK_DAYS: i64 = 14;

/// Looks at all teams for which something falls due. Called too often, it does nothing. Returns
/// the teams that can't be looked at, and why; they stop no other.
pub fn tick(app: &App) -> Result<BTreeMap<TeamId, String>> {
    let now = app.now();
    let due = app.read(|tx| Ok(store::watch::list_due(tx, now)?))?;
    let mut failed = BTreeMap::new();
    for batch in due.chunks(BATCH) {
        match look_at(app, batch) {
            Ok(()) => {}
            Err(ActionError::Store(error)) if error.is_fatal() => return Err(error.into()),
            // One of them can't be looked at: each for itself, then.
            Err(_) => {
                for team in batch {
                    if let Err(error) = look_at(app, std::slice::from_ref(team)) {
                        failed.insert(*team, error.to_string());
                    }
                }
            }
        }
    }
    Ok(failed)
}

fn look_at(app: &App, teams: &[TeamId]) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        teams
            .iter()
            .try_for_each(|team| look_or_start_over(tx, *team))
    })
}

/// Looks at teams that are not watched yet: those of a store that an older oncalld wrote. Nobody
/// is told of what was so before.
pub fn begin(app: &App) -> Result<()> {
    let unwatched = |tx: &ReadTx| {
        let teams = store::teams::list(tx)?;
        let mut found = Vec::new();
        for team in teams.into_iter().filter(|team| team.is_active) {
            if store::watch::find(tx, team.id)?.is_none() {
                found.push(team.id);
            }
        }
        Ok(found)
    };
    for batch in app.read(unwatched)?.chunks(BATCH) {
        app.write(&Ctx::import(), |tx| {
            batch.iter().try_for_each(|team| look(tx, *team))
        })?;
    }
    Ok(())
}

/// Looks at every team that a write is about.
#[derive(Debug)]
pub(crate) struct Lookout;

impl Part for Lookout {
    fn before_commit(&self, tx: &mut Tx<'_>) -> Result<()> {
        let audited = tx.store.audited().iter();
        let teams: BTreeSet<TeamId> = audited.filter_map(|entry| entry.event.team_id).collect();
        teams
            .into_iter()
            .try_for_each(|team| look_or_start_over(tx, team))
    }
}

/// Looks at a team. Where what was seen and told of it can't be read, that is told, and begun anew:
/// a change shall not fail for it.
fn look_or_start_over(tx: &mut Tx<'_>, id: TeamId) -> Result<()> {
    let queued = tx.messages.len();
    let error = match look(tx, id) {
        Err(ActionError::Store(error)) if !error.is_fatal() => error.to_string(),
        looked => return looked,
    };
    tracing::error!(team = %id, error, "the record of what a team was told can't be read; starting a new one");
    tx.messages.truncate(queued);
    store::watch::forget(tx.store, id)?;
    let mut event = tx.ctx.event(EntityType::System, Action::RecordsLost);
    event.team_id = Some(id);
    event.entity_id = Some(id.to_string());
    event.change_reason = Some(error.clone());
    tx.audit(event)?;
    let payload = json!({"error": error, "failed": "records"});
    if let Ok(Some(team)) = store::teams::find(tx.store, id) {
        for admin in tx.settings.admins.clone() {
            tell(
                tx,
                &team,
                Event::RotationFailed,
                To::Person(&admin),
                &payload,
            );
        }
    }
    // What holds now was told before, as far as anybody knows.
    let queued = tx.messages.len();
    let looked = look(tx, id);
    tx.messages.truncate(queued);
    match looked {
        Err(ActionError::Store(error)) if !error.is_fatal() => Ok(()),
        looked => looked,
    }
}

fn look(tx: &mut Tx<'_>, id: TeamId) -> Result<()> {
    let team = store::teams::find(tx.store, id)?.filter(|team| team.is_active);
    let Some(team) = team else {
        return Ok(store::watch::put(tx.store, id, None)?);
    };
    let old = store::watch::find(tx.store, id)?;
    let look = Look::new(tx, &team)?;
    let on_call = look.on_call();
    let handoff_is_due = store::rotation::state(tx.store, id)?
        .next_period
        .is_some_and(|day| team.rotates() && look.clock.starts_at(day) <= tx.now);
    let old = old.unwrap_or_else(|| Watch {
        on_call: None,
        reminded: Vec::new(),
        gaps: Vec::new(),
        seen_until: look.today,
        due_at: tx.now,
    });
    let mut seen = on_call;
    if seen != old.on_call {
        if handoff_is_due {
            // The handoff tells it.
            seen.clone_from(&old.on_call);
        } else {
            tx.on_call_changed = true;
            if !tx.told.contains(&id) {
                tell_if_changed(tx, &team, old.on_call.as_ref(), None)?;
            }
        }
    }
    let reminded = look.remind(tx, old.reminded);
    let gaps = look.tell_gaps(tx, old.gaps, old.seen_until)?;
    let watch = Watch {
        on_call: seen,
        due_at: look.due_at(tx, &reminded),
        seen_until: look.until,
        reminded,
        gaps,
    };
    Ok(store::watch::put(tx.store, id, Some(&watch))?)
}

/// A team as it stands and as it's published.
struct Look<'t> {
    team: &'t Team,
    clock: OnCallClock,
    today: NaiveDate,
    /// Last day that the rotation has published; none where it's off.
    published: Option<NaiveDate>,
    /// Last day that is looked at.
    until: NaiveDate,
    coverage: Coverage,
}

impl<'t> Look<'t> {
    fn new(tx: &Tx<'_>, team: &'t Team) -> Result<Self> {
        let clock = team.clock();
        let today = clock.day_at(tx.now);
        let published = store::rotation::state(tx.store, team.id)?.published_until;
        let published = published.filter(|_| team.rotates());
        let lookahead = add_days(today, i64::from(tx.settings.lookahead_weeks) * 7);
        let until = published.map_or(lookahead, |day| day.max(lookahead));
        let from = add_days(today, -LOOKBACK_DAYS);
        Ok(Self {
            coverage: coverage_of(tx.store, team, from, until)?,
            team,
            clock,
            today,
            published,
            until,
        })
    }

    fn on_call(&self) -> Option<UserId> {
        self.coverage.row_on(self.today).map(|row| row.user.clone())
    }

    /// The shifts that begin after today, without those that merely go on.
    fn coming(&self) -> impl Iterator<Item = Stretch> {
        let stretches = self.coverage.stretches(next_day(self.today), self.until);
        stretches.into_iter().filter(|stretch| {
            let before = self.coverage.row_on(previous_day(stretch.start));
            before.is_none_or(|before| before.user != stretch.user)
        })
    }

    fn reminder_at(&self, tx: &Tx<'_>, shift: &Stretch) -> DateTime<Utc> {
        let ahead = TimeDelta::hours(tx.settings.reminder_hours.into());
        self.clock.starts_at(shift.start) - ahead
    }

    /// Reminds the engineers of the shifts that are near; who has been reminded then.
    fn remind(&self, tx: &mut Tx<'_>, mut reminded: Vec<Reminded>) -> Vec<Reminded> {
        reminded.retain(|known| known.start > self.today);
        if tx.settings.reminder_hours == 0 {
            return reminded;
        }
        for shift in self.coming() {
            if self.reminder_at(tx, &shift) > tx.now {
                break;
            }
            let (start, user) = (shift.start, shift.user.clone());
            let this = Reminded { start, user };
            if reminded.contains(&this) {
                continue;
            }
            let next = self.coverage.next_after(shift.end);
            let payload = on_call_payload(&self.clock, Some(&shift), next.as_ref(), None);
            let to = To::Person(&this.user);
            tell(tx, self.team, Event::ShiftReminder, to, &payload);
            reminded.push(this);
        }
        reminded
    }

    /// Tells the leads of days without anybody; which ones have been told then.
    fn tell_gaps(
        &self,
        tx: &mut Tx<'_>,
        mut told: Vec<Gap>,
        seen_until: NaiveDate,
    ) -> Result<Vec<Gap>> {
        let gaps = self.gaps();
        told.retain(|old| {
            let open = |gap: &Gap| gap.start <= old.end && old.start <= gap.end;
            gaps.iter().any(open)
        });
        for gap in gaps {
            // What lay beyond the horizon of the last look was a part of it already.
            let seen_end = gap.end.min(seen_until);
            let is_same = |old: &&mut Gap| {
                old.start <= gap.start && gap.start <= next_day(old.end) && seen_end <= old.end
            };
            if let Some(old) = told.iter_mut().find(is_same) {
                old.end = old.end.max(gap.end);
                continue;
            }
            let payload = json!({
                "start_date": gap.start,
                "end_date": gap.end,
                "starts_at": self.clock.starts_at(gap.start),
                "ends_at": self.clock.ends_at(gap.end),
            });
            tell_leads(tx, self.team, Event::CoverageGap, &payload)?;
            told.push(gap);
        }
        Ok(told)
    }

    /// The days without anybody between today, or the first day with somebody, and the last day
    /// that is published.
    fn gaps(&self) -> Vec<Gap> {
        let from = add_days(self.today, -LOOKBACK_DAYS);
        let stretches = self.coverage.stretches(from, self.until);
        let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else {
            return Vec::new();
        };
        let from = first.start.max(self.today);
        let to = self.published.unwrap_or(last.end);
        if from > to {
            return Vec::new();
        }
        let gap = |(start, end)| Gap { start, end };
        self.coverage.gaps(from, to).into_iter().map(gap).collect()
    }

    /// When somebody else comes on call, or the next reminder is due.
    fn due_at(&self, tx: &Tx<'_>, reminded: &[Reminded]) -> DateTime<Utc> {
        let change = match self.coverage.stretch_on(self.today) {
            Some(stretch) => Some(next_day(stretch.end)),
            None => self.coverage.next_after(self.today).map(|next| next.start),
        };
        let change = change.map(|day| self.clock.starts_at(day));
        let reminder = self
            .coming()
            .filter(|shift| !reminded.iter().any(|known| known.start == shift.start))
            .map(|shift| self.reminder_at(tx, &shift))
            .find(|at| *at > tx.now && tx.settings.reminder_hours > 0);
        let latest = tx.now + LONGEST;
        [change, reminder]
            .into_iter()
            .flatten()
            .fold(latest, DateTime::min)
            .max(tx.now + TimeDelta::milliseconds(1))
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
