//! Indexes of rows that have a first and a last day: keys that end with the last day, the first,
//! and the id. What touches some days is read without what was over before them.

use std::ops::ControlFlow;

use chrono::NaiveDate;
use uuid::Uuid;

use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, date_before_id, trailing_id};
use super::tables::Table;
use super::tx::{Order, Reader, WriteTx};

/// The key of a row.
pub fn key(prefix: Key, start: NaiveDate, end: NaiveDate, id: Uuid) -> Key {
    prefix.date(end).date(start).id(id)
}

/// The keys in a table of records, of rows of an index whose keys begin with `prefix`, that
/// touch `from..=to`, by start.
pub fn touching(
    tx: &impl Reader,
    index: Table,
    prefix: &Key,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Key>, StoreError> {
    let not_over = (prefix.clone().date(from).into_bytes(), prefix.end());
    let to = Key::new().date(to);
    let mut rows = tx.keys(index, not_over, |key| {
        let start = date_before_id(key).filter(|start| start.as_slice() <= to.as_slice())?;
        Some((start, trailing_id(key)?))
    })?;
    rows.sort_unstable();
    let keys = rows.into_iter().map(|(_, id)| Key::new().id(id));
    Ok(keys.collect())
}

/// Rebuilds indexes with the keys in them that each record of `records` has.
pub fn rebuild<T: Record, const N: usize>(
    tx: &WriteTx,
    records: Table,
    indexes: &[Table],
    keys: impl Fn(&T) -> [(Table, Key); N],
) -> Result<(), StoreError> {
    indexes.iter().try_for_each(|index| tx.clear(*index))?;
    let end = Key::new().end();
    tx.scan(records, &[], &end, Order::Ascending, &mut |_, bytes| {
        for (index, key) in keys(&decode(records, bytes)?) {
            tx.set(index, &key, &[])?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use crate::domain::Revision;
    use crate::domain::ids::{OverrideId, ScheduleId, TeamId, TimeOffId, UserId};
    use crate::domain::schedule::{Origin, Schedule};
    use crate::domain::shift_override::{Override, OverrideStatus};
    use crate::domain::time_off::TimeOff;
    use crate::store::{Store, StoreError, overrides, schedules, time_off};

    use super::*;

    fn day(number: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(number)
    }

    /// Owner, first day, days after it, state.
    type Row = (u8, u64, u64, usize);

    fn row() -> impl Strategy<Value = Row> {
        (
            0u8..3,
            0u64..400,
            prop_oneof![0u64..8, 0u64..200],
            0usize..4,
        )
    }

    fn user(owner: u8) -> UserId {
        format!("U{owner}").parse().unwrap()
    }

    fn team(owner: u8) -> TeamId {
        TeamId::from_uuid(Uuid::from_u128(owner.into()))
    }

    fn revision() -> Revision {
        Revision::first(chrono::DateTime::UNIX_EPOCH)
    }

    fn schedule(id: u128, (owner, start, days, _): Row) -> Schedule {
        Schedule {
            id: ScheduleId::from_uuid(Uuid::from_u128(id)),
            team_id: team(owner),
            engineer: user(owner),
            start_date: day(start),
            end_date: day(start + days),
            origin: Origin::Manual,
            created_by: None,
            note: None,
            is_hold: false,
            revision: revision(),
        }
    }

    fn cover(id: u128, (owner, start, days, status): Row) -> Override {
        Override {
            id: OverrideId::from_uuid(Uuid::from_u128(id)),
            team_id: team(owner),
            substitute: user((owner + 1) % 3),
            start_date: day(start),
            end_date: day(start + days),
            reason: None,
            status: OverrideStatus::ALL[status],
            requested_by: None,
            approved_by: None,
            decided_at: None,
            decision_reason: None,
            revision: revision(),
        }
    }

    fn away(id: u128, (owner, start, days, _): Row) -> TimeOff {
        TimeOff {
            id: TimeOffId::from_uuid(Uuid::from_u128(id)),
            user: user(owner),
            start_date: day(start),
            end_date: day(start + days),
            reason: None,
            revision: revision(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Of rows that overlap at will, that move to other owners, days and states, and go.
        #[test]
        fn lists_by_days_are_those_of_a_plain_scan(
            rows in prop::collection::vec((row(), prop::option::of(row()), any::<bool>()), 0..60),
            owner in 0u8..3, from in 0u64..450, length in 0u64..60, status in 0usize..4,
        ) {
            let store = Store::in_memory().unwrap();
            let ids = || (1u128..).zip(&rows);
            store.write(|tx| {
                for (id, (row, changed, goes)) in ids() {
                    schedules::put(tx, &schedule(id, *row))?;
                    overrides::put(tx, &cover(id, *row))?;
                    time_off::put(tx, &away(id, *row))?;
                    if let Some(changed) = changed {
                        schedules::put(tx, &schedule(id, *changed))?;
                        overrides::put(tx, &cover(id, *changed))?;
                    }
                    if *goes {
                        schedules::delete(tx, &schedule(id, changed.unwrap_or(*row)))?;
                        time_off::delete(tx, &away(id, *row))?;
                    }
                }
                Ok::<_, StoreError>(())
            }).unwrap();
            let (from, to) = (day(from), day(from + length));
            let touches = |start, end| start <= to && end >= from;

            let mut all: Vec<_> = ids().filter(|(_, (_, _, goes))| !goes)
                .map(|(id, (row, changed, _))| schedule(id, changed.unwrap_or(*row)))
                .filter(|row| row.engineer == user(owner) && touches(row.start_date, row.end_date))
                .collect();
            all.sort_by_key(|row| (row.start_date, row.id));
            let found = store.read(|tx| schedules::list_of_user(tx, &user(owner), from, to));
            prop_assert_eq!(found.unwrap(), all);

            let mut all: Vec<_> = ids()
                .map(|(id, (row, changed, _))| cover(id, changed.unwrap_or(*row)))
                .filter(|row| touches(row.start_date, row.end_date))
                .collect();
            all.sort_by_key(|row| (row.start_date, row.id));
            let of = |by: &dyn Fn(&&Override) -> bool| all.iter().filter(by).cloned().collect::<Vec<_>>();
            let found = store.read(|tx| overrides::list_of_user(tx, &user(owner), from, to));
            prop_assert_eq!(found.unwrap(), of(&|row| row.substitute == user(owner)));
            let found = store.read(|tx| overrides::list_of_team(tx, team(owner), from, to));
            prop_assert_eq!(found.unwrap(), of(&|row| row.team_id == team(owner)));
            let status = OverrideStatus::ALL[status];
            let found = store.read(|tx| overrides::list_of_status(tx, team(owner), status, from, to));
            prop_assert_eq!(found.unwrap(), of(&|row| row.team_id == team(owner) && row.status == status));

            let mut all: Vec<_> = ids().filter(|(_, (_, _, goes))| !goes)
                .map(|(id, (row, ..))| away(id, *row))
                .filter(|row| row.user == user(owner) && row.end_date >= from)
                .collect();
            all.sort_by_key(|row| (row.start_date, row.id));
            let found = store.read(|tx| time_off::list_of(tx, &user(owner), from));
            prop_assert_eq!(found.unwrap(), all);
        }
    }
}
