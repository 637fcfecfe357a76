//! The stretch on a day, and the one after it.

use chrono::NaiveDate;

use crate::app::Result;
use crate::domain::oncall_day::{END_OF_TIME, next_day};
use crate::domain::schedule::Origin;
use crate::domain::team::Team;
use crate::rotation::coverage::{Coverage, Stretch};
use crate::store::{self, Reader};

/// The stretch on `day`, and the one after it, however far ahead. That reads a few rows, however
/// many there are: of each kind those beside the days where a stretch begins.
pub(crate) fn around(
    tx: &impl Reader,
    team: &Team,
    day: NaiveDate,
) -> Result<(Option<Stretch>, Option<Stretch>)> {
    let mut beside = Beside::default();
    beside.read(tx, team, day)?;
    let stretch = beside.coverage.stretch_on(day);
    let end = stretch.as_ref().map_or(day, |stretch| stretch.end);
    beside.read(tx, team, next_day(end))?;
    let Some(next) = beside.coverage.next_after(end) else {
        return Ok((stretch, None));
    };
    beside.read(tx, team, next.start)?;
    Ok((stretch, beside.coverage.stretch_on(next.start)))
}

/// The rows beside some days, read in the order of the days.
#[derive(Default)]
struct Beside {
    coverage: Coverage,
    /// Up to which day, not included, all is known: by overrides, manual and auto rows.
    known_until: [Option<NaiveDate>; 3],
}

impl Beside {
    /// Adds what is in force on `day`, and what ends it.
    fn read(&mut self, tx: &impl Reader, team: &Team, day: NaiveDate) -> Result<()> {
        let [overrides, manual, auto] = &mut self.known_until;
        if overrides.is_none_or(|known| known <= day) {
            let rows = store::overrides::list_approved_beside(tx, team.id, day)?;
            *overrides = Some(rows[1].as_ref().map_or(END_OF_TIME, |row| row.start_date));
            rows.iter()
                .flatten()
                .for_each(|row| self.coverage.add_override(row));
        }
        for (known, origin) in [(manual, Origin::Manual), (auto, Origin::Auto)] {
            if known.is_none_or(|known| known <= day) {
                let rows = store::schedules::list_beside(tx, team.id, origin, day)?;
                *known = Some(rows[1].as_ref().map_or(END_OF_TIME, |row| row.start_date));
                rows.iter()
                    .flatten()
                    .for_each(|row| self.coverage.add_schedule(row));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::actions::oncall::coverage_of;
    use crate::actions::teams;
    use crate::app::{ActionError, App, Ctx};
    use crate::clock::ManualClock;
    use crate::domain::Revision;
    use crate::domain::ids::{OverrideId, ScheduleId, TeamId};
    use crate::domain::oncall_day::add_days;
    use crate::domain::schedule::Schedule;
    use crate::domain::shift_override::{Override, OverrideStatus};
    use crate::wire::team::TeamInput;

    fn day(n: i64) -> NaiveDate {
        add_days("2026-11-02".parse().unwrap(), n)
    }

    /// Runs of days that don't overlap; some of them lie far apart, or are long.
    fn runs() -> impl Strategy<Value = Vec<(NaiveDate, NaiveDate)>> {
        let part = (
            prop_oneof![9 => 0i64..6, 1 => 500i64..900],
            prop_oneof![9 => 1i64..9, 1 => 99i64..700],
        );
        prop::collection::vec(part, 0..7).prop_map(|parts| {
            let mut at = 0;
            let run = |(gap, length)| {
                let start = at + gap;
                at = start + length;
                (day(start), day(at - 1))
            };
            parts.into_iter().map(run).collect()
        })
    }

    fn app() -> (App, TeamId) {
        let clock = ManualClock::new(DateTime::UNIX_EPOCH);
        let app = crate::actions::start_in_memory(std::sync::Arc::new(clock));
        let input = TeamInput {
            name: Some("Core".to_owned()),
            ..TeamInput::default()
        };
        let team = teams::create(&app, &Ctx::system(), &input).unwrap();
        (app, TeamId::from_uuid(team.id))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_few_rows_tell_the_same_as_all_of_them(
            overrides in runs(), withdrawn in runs(), manual in runs(), auto in runs(),
            days in prop::collection::vec(-3i64..1200, 8),
        ) {
            let (app, team_id) = app();
            let revision = Revision::first(DateTime::UNIX_EPOCH);
            let user = || "UANN".parse().unwrap();
            let put = |tx: &mut crate::app::Tx<'_>| {
                for (origin, rows) in [(Origin::Manual, &manual), (Origin::Auto, &auto)] {
                    for (start_date, end_date) in rows.iter().copied() {
                        store::schedules::put(tx.store, &Schedule {
                            id: ScheduleId::new(tx.now), team_id, engineer: user(), start_date, end_date,
                            origin, created_by: None, note: None, is_hold: false, revision: revision.clone(),
                        })?;
                    }
                }
                let approved = overrides.iter().map(|run| (run, OverrideStatus::Approved));
                let others = withdrawn.iter().map(|run| (run, OverrideStatus::Cancelled));
                for (&(start_date, end_date), status) in approved.chain(others) {
                    store::overrides::put(tx.store, &Override {
                        id: OverrideId::new(tx.now), team_id, substitute: user(), start_date, end_date,
                        reason: None, status, requested_by: None, approved_by: None,
                        decided_at: None, decision_reason: None, revision: revision.clone(),
                    })?;
                }
                Ok(())
            };
            app.write(&Ctx::system(), put).unwrap();
            app.read(|tx| {
                let team = store::teams::find(tx, team_id)?.unwrap();
                let all = coverage_of(tx, &team, day(-10), day(9000))?;
                for asked in days.iter().copied().map(day) {
                    let stretch = all.stretch_on(asked);
                    let next = all.next_after(stretch.as_ref().map_or(asked, |stretch| stretch.end));
                    assert_eq!(around(tx, &team, asked)?, (stretch, next), "on {asked}");
                }
                Ok::<_, ActionError>(())
            }).unwrap();
        }
    }
}
