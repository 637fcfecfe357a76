//! Schema versions: an ordered list of steps, each in one transaction.

use super::error::OpenProblem;
use super::meta::{self, SCHEMA};
use super::tables;
use super::tx::WriteTx;
use super::{Store, StoreError};

/// A step from the schema version before to its own.
type Step = fn(&WriteTx) -> Result<(), StoreError>;

/// Step n brings a store from version n to n + 1.
const STEPS: &[Step] = &[create_tables];

/// The version that this binary reads and writes: the number of steps.
pub const CURRENT: u32 = 1;

fn create_tables(tx: &WriteTx) -> Result<(), StoreError> {
    tables::ALL.iter().try_for_each(|table| tx.create(*table))
}

const _: () = assert!(STEPS.len() == CURRENT as usize, "one step a version");

/// Brings the store to the current version.
pub fn migrate(store: &Store, is_new: bool) -> Result<(), OpenProblem> {
    let found = if is_new { 0 } else { version(store)? };
    if found > CURRENT {
        return Err(OpenProblem::Newer {
            found,
            known: CURRENT,
        });
    }
    for (number, step) in (1u32..).zip(STEPS).skip(found as usize) {
        store.write(|tx| {
            step(tx)?;
            meta::set(tx, SCHEMA, number.to_string().as_bytes())
        })?;
    }
    Ok(())
}

/// The schema version of an existing file. A redb file without one is somebody else's.
fn version(store: &Store) -> Result<u32, OpenProblem> {
    let text = store.read(|tx| meta::text(tx, SCHEMA));
    match text {
        Ok(Some(text)) => text.parse().map_err(|_| OpenProblem::Foreign),
        Ok(None) => Err(OpenProblem::Foreign),
        Err(StoreError::Engine(error)) => match *error {
            redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. } => {
                Err(OpenProblem::Foreign)
            }
            other => Err(StoreError::Engine(Box::new(other)).into()),
        },
        Err(error) => Err(error.into()),
    }
}
