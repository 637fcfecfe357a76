//! Lists: index rows in the order in which they are shown, counted as they come and go. How
//! many there are, and any page of them, is told without reading what they stand for.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use redb::TableHandle as _;
use uuid::Uuid;

use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, trailing_id, trailing_seq};
use super::tables::{
    COUNTS, OUTBOX, OUTBOX_BY_STATUS, SERVICES, SERVICES_LISTED, TEAMS, TEAMS_BY_PLUGIN,
    TEAMS_LISTED, Table,
};
use super::tx::{Order, Reader, WriteTx};
use super::{outbox, services, teams};

/// The indexes whose rows are counted.
const LISTED: [Table; 4] = [
    TEAMS_LISTED,
    TEAMS_BY_PLUGIN,
    SERVICES_LISTED,
    OUTBOX_BY_STATUS,
];

/// A row of an index, which is part of one list: the rows whose keys begin as that does.
#[derive(Clone)]
pub(super) struct Row {
    table: Table,
    list: Key,
    key: Key,
    value: Vec<u8>,
}

impl Row {
    /// A row at its place in a list.
    pub(super) fn new(table: Table, list: Key, place: &Key, value: &[u8]) -> Self {
        Self {
            table,
            key: list.clone().bytes(place.as_slice()),
            list,
            value: value.to_vec(),
        }
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.table.name() == other.table.name()
            && (&self.list, &self.key, &self.value) == (&other.list, &other.key, &other.value)
    }
}

/// A place by name, then by id.
pub(super) fn by_name(lower_name: &str, id: Uuid) -> Key {
    Key::new().text(lower_name).id(id)
}

/// The lists that something is in by whether it is active, as the last byte of their names: one
/// of those that are or aren't, and that of all.
pub(super) fn by_activity(is_active: bool) -> [u8; 2] {
    [u8::from(is_active), ALL]
}

/// The list of those that are active, of those that aren't, or of all.
pub(super) fn of_activity(is_active: Option<bool>) -> u8 {
    is_active.map_or(ALL, u8::from)
}

const ALL: u8 = 2;

fn count_key(table: Table, list: &Key) -> Key {
    Key::new().text(table.name()).bytes(list.as_slice())
}

/// How many rows a list has.
pub(super) fn count(tx: &impl Reader, table: Table, list: &Key) -> Result<u64, StoreError> {
    let count = tx.get(COUNTS, count_key(table, list).as_slice())?;
    Ok(count.and_then(|bytes| trailing_seq(&bytes)).unwrap_or(0))
}

/// The lists of an index that have rows: their names, and how many rows.
pub(super) fn counts(tx: &impl Reader, table: Table) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
    counts_after(tx, &count_key(table, &Key::new()))
}

/// All counts whose keys begin so: the rest of each key, and the count.
fn counts_after(tx: &impl Reader, prefix: &Key) -> Result<Vec<(Vec<u8>, u64)>, StoreError> {
    let (from, to) = prefix.prefixed();
    let mut counts = Vec::new();
    tx.scan(COUNTS, &from, &to, Order::Ascending, &mut |key, value| {
        let rest = key.get(prefix.as_slice().len()..).unwrap_or_default();
        counts.push((rest.to_vec(), trailing_seq(value).unwrap_or(0)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(counts)
}

/// Puts the rows `new` in place of `old`.
pub(super) fn replace(tx: &WriteTx, old: &[Row], new: &[Row]) -> Result<(), StoreError> {
    for row in old.iter().filter(|row| !new.contains(row)) {
        if tx.take(row.table, &row.key)? {
            adjust(tx, row, |count| count.saturating_sub(1))?;
        }
    }
    for row in new.iter().filter(|row| !old.contains(row)) {
        if tx.add(row.table, &row.key, &row.value)? {
            adjust(tx, row, |count| count + 1)?;
        }
    }
    Ok(())
}

fn adjust(tx: &WriteTx, row: &Row, change: impl Fn(u64) -> u64) -> Result<(), StoreError> {
    let key = count_key(row.table, &row.list);
    match change(count(tx, row.table, &row.list)?) {
        0 => tx.remove(COUNTS, &key),
        count => tx.set(COUNTS, &key, &count.to_be_bytes()),
    }
}

/// Whether a row is wanted, by the lower-case name in its key and by its value.
pub(super) type Passes<'a> = &'a dyn Fn(&str, &[u8]) -> bool;

/// How many rows of a list by name pass, and the ids of those of them after the first `skip`, in
/// order. Without a filter only the page is read, and the keys before it.
pub(super) fn page(
    tx: &impl Reader,
    table: Table,
    list: &Key,
    passes: Option<Passes<'_>>,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Uuid>), StoreError> {
    let total = usize::try_from(count(tx, table, list)?).unwrap_or(usize::MAX);
    if skip >= total && passes.is_none() {
        return Ok((total, Vec::new()));
    }
    let (mut passed, mut ids) = (0, Vec::new());
    let (from, to) = list.prefixed();
    tx.scan(table, &from, &to, Order::Ascending, &mut |key, value| {
        if passes.is_none_or(|passes| passes(name(list, key), value)) {
            if passed >= skip && ids.len() < take {
                ids.extend(trailing_id(key));
            }
            passed += 1;
        }
        let is_done = passes.is_none() && ids.len() == take;
        Ok(if is_done {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    Ok((if passes.is_some() { passed } else { total }, ids))
}

/// The name in a key of a list by name: between the list's own and a zero byte and an id.
fn name<'k>(list: &Key, key: &'k [u8]) -> &'k str {
    let end = key.len().saturating_sub(17);
    let name = key.get(list.as_slice().len()..end).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default()
}

/// Visits the rows that each record has in lists, or why it can't be read.
fn each(
    tx: &impl Reader,
    visit: &mut dyn FnMut(Result<Vec<Row>, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    records(tx, TEAMS, &mut |team| {
        visit(team.map(|team| teams::listed(&team)))
    })?;
    records(tx, SERVICES, &mut |service| {
        visit(service.map(|service| services::listed(&service)))
    })?;
    records(tx, OUTBOX, &mut |row| {
        visit(row.map(|row| outbox::listed(&row)))
    })
}

fn records<T: Record>(
    tx: &impl Reader,
    table: Table,
    visit: &mut dyn FnMut(Result<T, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (from, to) = Key::new().prefixed();
    tx.scan(table, &from, &to, Order::Ascending, &mut |_, bytes| {
        visit(decode(table, bytes))?;
        Ok(ControlFlow::Continue(()))
    })
}

/// Rebuilds the lists from the records. One that can't be read is left out: [`verify`] tells
/// of it.
pub(super) fn rebuild(tx: &WriteTx) -> Result<(), StoreError> {
    for table in LISTED.into_iter().chain([COUNTS]) {
        tx.clear(table)?;
    }
    each(tx, &mut |rows| match rows {
        Ok(rows) => replace(tx, &[], &rows),
        Err(StoreError::Record { .. }) => Ok(()),
        Err(error) => Err(error),
    })
}

/// Checks that the lists hold what the records say, and are counted right.
///
/// # Errors
/// The first list that is wrong, or a record can't be read.
pub fn verify(tx: &impl Reader) -> Result<(), StoreError> {
    let wrong = |table: Table, problem: String| StoreError::List {
        table: table.name().to_owned(),
        problem,
    };
    let (mut expected, mut sizes) = (BTreeMap::new(), BTreeMap::new());
    each(tx, &mut |rows| {
        for row in rows? {
            if tx.get(row.table, row.key.as_slice())?.as_ref() != Some(&row.value) {
                let problem = "a row is missing, or is not as its record says".to_owned();
                return Err(wrong(row.table, problem));
            }
            let key = count_key(row.table, &row.list).as_slice().to_vec();
            *expected.entry(key).or_insert(0) += 1;
            *sizes.entry(row.table.name().to_owned()).or_insert(0) += 1;
        }
        Ok(())
    })?;
    for table in LISTED {
        let (found, size) = (
            tx.count(table)?,
            sizes.get(table.name()).copied().unwrap_or(0),
        );
        if found != size {
            return Err(wrong(
                table,
                format!("there are {found} rows, expected {size}"),
            ));
        }
    }
    let counts: BTreeMap<_, _> = counts_after(tx, &Key::new())?.into_iter().collect();
    if counts == expected {
        return Ok(());
    }
    let problem = "a list has another number of rows than was counted".to_owned();
    Err(wrong(COUNTS, problem))
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
