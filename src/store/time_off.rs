//! Time off, by person.

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{TIME_OFF, TIME_OFF_BY_USER};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TimeOffId, UserId};
use crate::domain::time_off::TimeOff;

impl Record for TimeOff {}

fn key(id: TimeOffId) -> Key {
    Key::new().id(id.uuid())
}

fn user_key(row: &TimeOff) -> Key {
    Key::new()
        .text(row.user.as_str())
        .date(row.start_date)
        .id(row.id.uuid())
}

/// The time off of an id.
pub fn find(tx: &impl Reader, id: TimeOffId) -> Result<Option<TimeOff>, StoreError> {
    tx.find(TIME_OFF, &key(id))
}

/// All of a person's time off, by start.
pub fn list_of(tx: &impl Reader, user: &UserId) -> Result<Vec<TimeOff>, StoreError> {
    let range = Key::new().text(user.as_str()).prefixed();
    let ids = tx.keys(TIME_OFF_BY_USER, range, trailing_id)?;
    tx.find_all(TIME_OFF, ids.into_iter().map(|id| Key::new().id(id)))
}

/// Writes time off. Its dates never change.
pub fn put(tx: &WriteTx, row: &TimeOff) -> Result<(), StoreError> {
    tx.set(TIME_OFF_BY_USER, &user_key(row), &[])?;
    tx.put(TIME_OFF, &key(row.id), row)
}

/// Removes time off.
pub fn delete(tx: &WriteTx, row: &TimeOff) -> Result<(), StoreError> {
    tx.remove(TIME_OFF_BY_USER, &user_key(row))?;
    tx.remove(TIME_OFF, &key(row.id))
}
