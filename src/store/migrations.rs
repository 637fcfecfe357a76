//! Schema versions: an ordered list of steps, each in one transaction.

use std::ops::ControlFlow;

use super::error::OpenProblem;
use super::key::Key;
use super::lists;
use super::meta::{self, SCHEMA};
use super::tables::{self, Table};
use super::tx::{Order, ReadTx, Reader as _, WriteTx};
use super::{Store, StoreError, audit, catalog, codec, overrides, schedules, time_off};

/// A step from the schema version before to its own.
type Step = fn(&WriteTx) -> Result<(), StoreError>;

/// Step n brings a store from version n to n + 1.
const STEPS: &[Step] = &[
    create_tables,
    outbox_without_due_index,
    times_and_last_days,
    counted_lists,
    checksums_and_seals,
];

/// The version that this binary reads and writes: the number of steps.
pub const CURRENT: u32 = 5;

fn create_tables(tx: &WriteTx) -> Result<(), StoreError> {
    tables::ALL.iter().try_for_each(|table| tx.create(*table))
}

/// The dispatcher keeps in memory what is due when; the tables of Slack's groups, of names and of
/// what was told come in.
fn outbox_without_due_index(tx: &WriteTx) -> Result<(), StoreError> {
    tx.delete_table("outbox_due")?;
    create_tables(tx)
}

/// The audit log gets an index of times, which no longer rise with positions; what has days is
/// indexed by the last of them.
fn times_and_last_days(tx: &WriteTx) -> Result<(), StoreError> {
    create_tables(tx)?;
    checksums(tx)?;
    audit::index_times(tx)?;
    schedules::index_by_last_day(tx)?;
    overrides::index_by_last_day(tx)?;
    time_off::index_by_last_day(tx)
}

/// Lists of teams and services are indexes by name, and what is listed is counted.
fn counted_lists(tx: &WriteTx) -> Result<(), StoreError> {
    tx.delete_table("services_by_team")?;
    tx.delete_table("services_by_tier")?;
    create_tables(tx)?;
    checksums(tx)?;
    lists::rebuild(tx)
}

/// Records that are rewritten at once.
const AT_ONCE: usize = 10_000;

/// Every record gets a checksum, and the audit log a table of checkpoints.
fn checksums_and_seals(tx: &WriteTx) -> Result<(), StoreError> {
    create_tables(tx)?;
    checksums(tx)
}

/// Every record gets a checksum. Those that have one stay as they are, so that earlier steps can read
/// records as they are read now.
fn checksums(tx: &WriteTx) -> Result<(), StoreError> {
    for kind in catalog::KINDS {
        let mut from = Vec::new();
        while let Some(last) = seal_some(tx, kind.table, &from)? {
            from = last;
            // The next key there can be.
            from.push(0);
        }
    }
    Ok(())
}

/// Gives the next records from a key on their checksums: the last key it came to, unless it was the
/// table's last. What a table holds need not fit into memory.
fn seal_some(tx: &WriteTx, table: Table, from: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut rows = Vec::new();
    let mut last = None;
    let end = Key::new().end();
    tx.scan(table, from, &end, Order::Ascending, &mut |key, bytes| {
        if let Some(sealed) = codec::newly_sealed(table, bytes) {
            rows.push((Key::new().bytes(key), sealed));
        }
        if rows.len() < AT_ONCE {
            return Ok(ControlFlow::Continue(()));
        }
        last = Some(key.to_vec());
        Ok(ControlFlow::Break(()))
    })?;
    for (key, sealed) in &rows {
        tx.set(table, key, sealed)?;
    }
    Ok(last)
}

const _: () = assert!(STEPS.len() == CURRENT as usize, "one step a version");

/// Brings the store to the current version.
pub fn migrate(store: &Store, is_new: bool) -> Result<(), OpenProblem> {
    let found = if is_new { 0 } else { store.read(found)? };
    for (number, step) in (1u32..).zip(STEPS).skip(found as usize) {
        store.write(|tx| {
            step(tx)?;
            meta::set(tx, SCHEMA, number.to_string().as_bytes())
        })?;
    }
    Ok(())
}

/// The schema version of an existing file, one that this oncalld reads. A redb file without
/// one is somebody else's.
pub fn found(tx: &ReadTx) -> Result<u32, OpenProblem> {
    let found: u32 = match meta::text(tx, SCHEMA) {
        Ok(Some(text)) => text.parse().map_err(|_| OpenProblem::Foreign)?,
        Ok(None) => return Err(OpenProblem::Foreign),
        Err(StoreError::Engine(error)) => {
            return Err(match *error {
                redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. } => {
                    OpenProblem::Foreign
                }
                other => StoreError::Engine(Box::new(other)).into(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    if found > CURRENT {
        return Err(OpenProblem::Newer {
            found,
            known: CURRENT,
        });
    }
    Ok(found)
}
