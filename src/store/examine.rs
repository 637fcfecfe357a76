//! Whether a store is sound, all of it: every record reads, every index holds what the records call
//! for and nothing else, and the audit log is as it was written. What can be made of the records
//! again can be repaired.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use redb::TableHandle as _;

use super::catalog::{KINDS, Kind};
use super::disk::untouched;
use super::error::{OpenError, StoreError};
use super::key::Key;
use super::tx::{Order, Reader, WriteTx};
use super::{audit, lists};
use crate::domain::hex::hex;
use crate::domain::seal::{Kept, Proven};

/// Problems that are told; there may be as many as there are rows.
const MOST: usize = 50;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How many records each table has.
    pub records: BTreeMap<&'static str, u64>,
    /// What is wrong, the first so many; nothing, if all is well.
    pub problems: Vec<String>,
    /// How many more things are wrong.
    pub more: u64,
    /// What is proven of the audit log, where it is as it was written.
    pub audit: Option<Proven>,
}

impl Found {
    fn note(&mut self, problem: impl FnOnce() -> String) {
        if self.problems.len() < MOST {
            self.problems.push(problem());
        } else {
            self.more += 1;
        }
    }
}

/// Examines a store. Takes time and memory for the audit log's indexes by its length.
///
/// # Errors
/// The engine failed: what it says is no longer to be trusted.
pub fn examine(tx: &impl Reader) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for kind in KINDS {
        examine_kind(tx, kind, &mut found)?;
    }
    match lists::verify(tx) {
        Err(error @ StoreError::Engine(_)) => return Err(error),
        Err(StoreError::Record { .. }) | Ok(()) => {}
        Err(error) => found.note(|| error.to_string()),
    }
    match audit::prove(tx, &Kept::default()) {
        Ok(proven) => found.audit = Some(proven),
        Err(error @ StoreError::Engine(_)) => return Err(error),
        Err(error) => found.note(|| error.to_string()),
    }
    Ok(found)
}

fn examine_kind(
    tx: &impl Reader,
    kind: &'static Kind,
    found: &mut Found,
) -> Result<(), StoreError> {
    let name = kind.table.name();
    let mut records = 0;
    let mut expected = BTreeMap::<String, u64>::new();
    let end = Key::new().end();
    tx.scan(
        kind.table,
        &[],
        &end,
        Order::Ascending,
        &mut |key, bytes| {
            records += 1;
            let rows = match (kind.rows)(key, bytes) {
                Ok(rows) => rows,
                Err(error) => {
                    found.note(|| format!("{error} (key {})", hex(key)));
                    return Ok(ControlFlow::Continue(()));
                }
            };
            for row in rows {
                if tx.get(row.table, row.key.as_slice())?.as_ref() != Some(&row.value) {
                    found.note(|| {
                        let index = row.table.name();
                        format!(
                            "index `{index}` does not lead to a record of `{name}` (key {})",
                            hex(key)
                        )
                    });
                }
                *expected.entry(row.table.name().to_owned()).or_default() += 1;
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    found.records.insert(name, records);
    for index in kind.indexes {
        let (rows, called_for) = (tx.count(*index)?, expected.get(index.name()).copied());
        if rows != called_for.unwrap_or(0) {
            found.note(|| {
                let called_for = called_for.unwrap_or(0);
                format!(
                    "index `{}` has {rows} rows; the records of `{name}` call for {called_for}",
                    index.name()
                )
            });
        }
    }
    Ok(())
}

/// Makes every index anew from the records. Records that can't be read stay as they are, and are in no
/// index; the entries of the audit log too.
///
/// # Errors
/// The engine failed.
pub fn repair(tx: &WriteTx) -> Result<(), StoreError> {
    for kind in KINDS {
        for index in kind.indexes {
            tx.clear(*index)?;
        }
        let end = Key::new().end();
        tx.scan(
            kind.table,
            &[],
            &end,
            Order::Ascending,
            &mut |key, bytes| {
                for row in (kind.rows)(key, bytes).unwrap_or_default() {
                    tx.index(&row)?;
                }
                Ok(ControlFlow::Continue(()))
            },
        )?;
    }
    lists::rebuild(tx)?;
    audit::rebuild_indexes(tx)
}

/// Has redb check every page of a file by its checksum, and leaves it as it is.
///
/// # Errors
/// It can't be opened, or a page is not as it was written.
pub fn check_pages(path: &Path) -> Result<(), OpenError> {
    let failed = |error: redb::DatabaseError| OpenError::new(path, error.into());
    let mut db = untouched(path).map_err(failed)?;
    match db.check_integrity() {
        Ok(true) => Ok(()),
        Ok(false) => {
            let damaged = "pages were not as they were written".to_owned();
            Err(failed(redb::DatabaseError::Storage(
                redb::StorageError::Corrupted(damaged),
            )))
        }
        Err(error) => Err(failed(error)),
    }
}
