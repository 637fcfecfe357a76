//! Time off, by person.

use chrono::NaiveDate;

use super::catalog::Indexed;
use super::codec::Record;
use super::error::StoreError;
use super::key::Key;
use super::spans;
use super::tables::{TIME_OFF, TIME_OFF_BY_USER};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TimeOffId, UserId};
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::time_off::TimeOff;

impl Record for TimeOff {}

fn key(id: TimeOffId) -> Key {
    Key::new().id(id.uuid())
}

fn user_key(row: &TimeOff) -> Key {
    let prefix = Key::new().text(row.user.as_str());
    spans::key(prefix, row.start_date, row.end_date, row.id.uuid())
}

/// The time off of an id.
pub fn find(tx: &impl Reader, id: TimeOffId) -> Result<Option<TimeOff>, StoreError> {
    tx.find(TIME_OFF, &key(id))
}

/// A person's time off that ends on `from` or later, by start.
pub fn list_of(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
) -> Result<Vec<TimeOff>, StoreError> {
    let prefix = Key::new().text(user.as_str());
    let keys = spans::touching(tx, TIME_OFF_BY_USER, &prefix, from, END_OF_TIME)?;
    tx.find_all(TIME_OFF, keys)
}

/// Writes time off. Its dates never change.
pub fn put(tx: &WriteTx, row: &TimeOff) -> Result<(), StoreError> {
    tx.index(&indexed(row))?;
    tx.put(TIME_OFF, &key(row.id), row)
}

/// The row by which it is found.
pub(super) fn indexed(row: &TimeOff) -> Indexed {
    Indexed::key(TIME_OFF_BY_USER, user_key(row))
}

/// Removes time off.
pub fn delete(tx: &WriteTx, row: &TimeOff) -> Result<(), StoreError> {
    tx.remove(TIME_OFF_BY_USER, &user_key(row))?;
    tx.remove(TIME_OFF, &key(row.id))
}

/// A step of migration: time off by last day.
pub(super) fn index_by_last_day(tx: &WriteTx) -> Result<(), StoreError> {
    spans::rebuild(tx, TIME_OFF, &[TIME_OFF_BY_USER], |row: &TimeOff| {
        [(TIME_OFF_BY_USER, user_key(row))]
    })
}
