//! Schema versions: an ordered list of steps, each in one transaction.

use super::error::OpenProblem;
use super::lists;
use super::meta::{self, SCHEMA};
use super::tables;
use super::tx::{ReadTx, WriteTx};
use super::{Store, StoreError, audit, overrides, schedules, time_off};

/// A step from the schema version before to its own.
type Step = fn(&WriteTx) -> Result<(), StoreError>;

/// Step n brings a store from version n to n + 1.
const STEPS: &[Step] = &[
    create_tables,
    outbox_without_due_index,
    times_and_last_days,
    counted_lists,
];

/// The version that this binary reads and writes: the number of steps.
pub const CURRENT: u32 = 4;

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
    lists::rebuild(tx)
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
