//! Schedule rows and the explanations of the auto ones.

use std::ops::ControlFlow;

use chrono::NaiveDate;

use super::catalog::Indexed;
use super::checkpoints;
use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::spans;
use super::tables::{EXPLANATIONS, SCHEDULES, SCHEDULES_BY_TEAM, SCHEDULES_BY_USER};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::{ScheduleId, TeamId, UserId};
use crate::domain::oncall_day::next_day;
use crate::domain::schedule::{Origin, Schedule};
use crate::rotation::checkpoint::Served;
use crate::rotation::explanation::Explanation;

impl Record for Schedule {}
impl Record for Explanation {}

fn key(id: ScheduleId) -> Key {
    Key::new().id(id.uuid())
}

fn team_prefix(team: TeamId, origin: Origin) -> Key {
    Key::new().id(team.uuid()).byte(origin as u8)
}

fn team_key(row: &Schedule) -> Key {
    team_prefix(row.team_id, row.origin)
        .date(row.start_date)
        .id(row.id.uuid())
}

fn user_key(row: &Schedule) -> Key {
    let prefix = Key::new().text(row.engineer.as_str());
    spans::key(prefix, row.start_date, row.end_date, row.id.uuid())
}

/// The rows by which it is found.
pub(super) fn indexed(row: &Schedule) -> Vec<Indexed> {
    vec![
        Indexed::key(SCHEDULES_BY_TEAM, team_key(row)),
        Indexed::key(SCHEDULES_BY_USER, user_key(row)),
    ]
}

/// The row of an id.
pub fn find(tx: &impl Reader, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    tx.find(SCHEDULES, &key(id))
}

/// The rows of a team that touch `from..=to`, auto ones first, each kind by start.
///
/// Rows of one origin don't overlap, so only the last one before `from` can reach into it.
pub fn list_of_team(
    tx: &impl Reader,
    team: TeamId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Schedule>, StoreError> {
    let mut rows = Vec::new();
    for origin in Origin::ALL {
        let prefix = team_prefix(team, *origin);
        let start = prefix.clone().date(from);
        let mut ids = Vec::new();
        let (first, at) = (prefix.as_slice(), start.as_slice());
        tx.scan(
            SCHEDULES_BY_TEAM,
            first,
            at,
            Order::Descending,
            &mut |key, _| {
                ids.extend(trailing_id(key));
                Ok(ControlFlow::Break(()))
            },
        )?;
        let range = (
            at.to_vec(),
            prefix.clone().date(next_day(to)).as_slice().to_vec(),
        );
        ids.extend(tx.keys(SCHEDULES_BY_TEAM, range, trailing_id)?);
        let found = tx.find_all(SCHEDULES, ids.into_iter().map(|id| Key::new().id(id)))?;
        rows.extend(
            found
                .into_iter()
                .filter(|row: &Schedule| row.end_date >= from),
        );
    }
    Ok(rows)
}

/// How many rows of a team, of one origin or of both, touch `from..=to`, and those of them after
/// the first `skip`, by start. Beside the page, keys alone are read.
pub fn page_of_team(
    tx: &impl Reader,
    team: TeamId,
    origin: Option<Origin>,
    (from, to): (NaiveDate, NaiveDate),
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Schedule>), StoreError> {
    let mut places = Vec::new();
    for wanted in Origin::ALL
        .iter()
        .filter(|wanted| origin.is_none_or(|o| o == **wanted))
    {
        let prefix = team_prefix(team, *wanted);
        let (first, at) = (prefix.as_slice(), prefix.clone().date(from));
        let place = |key: &[u8]| {
            let date = <[u8; 4]>::try_from(key.get(first.len()..first.len() + 4)?).ok()?;
            Some((date, *wanted, trailing_id(key)?))
        };
        // Rows of one origin don't overlap: only the last one before `from` can reach into it.
        let [before, _] = tx.keys_beside(SCHEDULES_BY_TEAM, first, at.as_slice(), at.as_slice())?;
        if let Some(before) = before.as_deref().and_then(place)
            && find(tx, ScheduleId::from_uuid(before.2))?.is_some_and(|row| row.end_date >= from)
        {
            places.push(before);
        }
        let end = prefix.clone().date(next_day(to));
        let range = (at.as_slice().to_vec(), end.as_slice().to_vec());
        places.extend(tx.keys(SCHEDULES_BY_TEAM, range, place)?);
    }
    places.sort_unstable();
    let page = places.iter().skip(skip).take(take);
    let rows = tx.find_all(SCHEDULES, page.map(|(_, _, id)| Key::new().id(*id)))?;
    Ok((places.len(), rows))
}

/// Of a team's rows of one origin the last that begins by `day`, and the first that begins after
/// it: rows of one origin don't overlap, so no other says anything of that day, or ends what
/// does.
pub fn list_beside(
    tx: &impl Reader,
    team: TeamId,
    origin: Origin,
    day: NaiveDate,
) -> Result<[Option<Schedule>; 2], StoreError> {
    let prefix = team_prefix(team, origin);
    let after = prefix.clone().date(next_day(day));
    let (from, at, to) = (prefix.as_slice(), after.as_slice(), prefix.end());
    let [last, next] = tx.keys_beside(SCHEDULES_BY_TEAM, from, at, &to)?;
    let row = |found: Option<Vec<u8>>| {
        let id = found.as_deref().and_then(trailing_id);
        id.map_or(Ok(None), |id| find(tx, ScheduleId::from_uuid(id)))
    };
    Ok([row(last)?, row(next)?])
}

/// The first day that any row of a team covers.
pub fn first_day(tx: &impl Reader, team: TeamId) -> Result<Option<NaiveDate>, StoreError> {
    let mut first = None;
    for origin in Origin::ALL {
        let (from, to) = team_prefix(team, *origin).prefixed();
        let mut id = None;
        tx.scan(
            SCHEDULES_BY_TEAM,
            &from,
            &to,
            Order::Ascending,
            &mut |key, _| {
                id = trailing_id(key);
                Ok(ControlFlow::Break(()))
            },
        )?;
        let row = id.map_or(Ok(None), |id| find(tx, ScheduleId::from_uuid(id)))?;
        first = row.map(|row| row.start_date).into_iter().chain(first).min();
    }
    Ok(first)
}

/// The rows of a person, in all teams, that touch `from..=to`, by start.
pub fn list_of_user(
    tx: &impl Reader,
    user: &UserId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Schedule>, StoreError> {
    let prefix = Key::new().text(user.as_str());
    let keys = spans::touching(tx, SCHEDULES_BY_USER, &prefix, from, to)?;
    tx.find_all(SCHEDULES, keys)
}

/// Writes a row.
pub fn put(tx: &WriteTx, row: &Schedule) -> Result<(), StoreError> {
    let old = find(tx, row.id)?;
    if let Some(old) = &old {
        tx.remove(SCHEDULES_BY_TEAM, &team_key(old))?;
        tx.remove(SCHEDULES_BY_USER, &user_key(old))?;
    }
    let said = old.as_ref().map(Served::by_schedule);
    let says = Served::by_schedule(row);
    checkpoints::row_changed(tx, row.team_id, said.as_ref(), Some(&says))?;
    tx.set(SCHEDULES_BY_TEAM, &team_key(row), &[])?;
    tx.set(SCHEDULES_BY_USER, &user_key(row), &[])?;
    tx.put(SCHEDULES, &key(row.id), row)
}

/// Removes a row and its explanation.
pub fn delete(tx: &WriteTx, row: &Schedule) -> Result<(), StoreError> {
    let said = Served::by_schedule(row);
    checkpoints::row_changed(tx, row.team_id, Some(&said), None)?;
    tx.remove(SCHEDULES_BY_TEAM, &team_key(row))?;
    tx.remove(SCHEDULES_BY_USER, &user_key(row))?;
    tx.remove(EXPLANATIONS, &key(row.id))?;
    tx.remove(SCHEDULES, &key(row.id))
}

/// A step of migration: rows of people by last day.
pub(super) fn index_by_last_day(tx: &WriteTx) -> Result<(), StoreError> {
    spans::rebuild(tx, SCHEDULES, &[SCHEDULES_BY_USER], |row: &Schedule| {
        [(SCHEDULES_BY_USER, user_key(row))]
    })
}

/// Why an auto row is as it is.
pub fn find_explanation(
    tx: &impl Reader,
    id: ScheduleId,
) -> Result<Option<Explanation>, StoreError> {
    tx.find(EXPLANATIONS, &key(id))
}

/// Writes why an auto row is as it is.
pub fn put_explanation(
    tx: &WriteTx,
    id: ScheduleId,
    explanation: &Explanation,
) -> Result<(), StoreError> {
    tx.put(EXPLANATIONS, &key(id), explanation)
}
