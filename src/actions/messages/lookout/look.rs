//! A look at a team: who is on call, which shifts come near, which days nobody covers.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::json;

use crate::actions::messages::announce::{To, on_call_payload, tell, tell_leads};
use crate::actions::oncall::coverage_of;
use crate::app::{Result, Tx};
use crate::domain::ids::UserId;
use crate::domain::notification::Event;
use crate::domain::oncall_day::{OnCallClock, add_days, next_day, previous_day};
use crate::domain::team::Team;
use crate::rotation::coverage::{Coverage, Stretch};
use crate::store;
use crate::store::told::{Gap, Reminded};

/// A team is looked at again at least this often: rows come into sight as time goes by.
const LONGEST: TimeDelta = TimeDelta::days(7);
/// Rows that began earlier don't tell since when a team has a schedule.
const LOOKBACK_DAYS: i64 = 14;

/// A team as it stands and as it's published.
pub(super) struct Look<'t> {
    team: &'t Team,
    clock: OnCallClock,
    today: NaiveDate,
    /// Last day that the rotation has published; none where it's off.
    pub published: Option<NaiveDate>,
    /// Last day that is looked at.
    pub until: NaiveDate,
    coverage: Coverage,
}

impl<'t> Look<'t> {
    pub fn new(tx: &Tx<'_>, team: &'t Team) -> Result<Self> {
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

    pub fn on_call(&self) -> Option<UserId> {
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
    pub fn remind(&self, tx: &mut Tx<'_>, mut reminded: Vec<Reminded>) -> Vec<Reminded> {
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
    pub fn tell_gaps(
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
    pub fn due_at(&self, tx: &Tx<'_>, reminded: &[Reminded]) -> DateTime<Utc> {
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
