//! Copies of a store: a backup is one, and so is a compacted file.

use std::path::Path;

use redb::TableHandle as _;

use super::Store;
use super::error::{OpenError, OpenProblem, StoreError};
use super::examine::{self, Found};
use super::key::Key;
use super::tables::{self, Table};
use super::tx::{Order, ReadTx, Reader as _};

/// Bytes that are copied in one transaction: what it writes is in memory until it ends.
const AT_ONCE: usize = 8 * 1024 * 1024;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The store can't be read, or the copy can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy can't be made, or can't be opened again.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy is not sound: it was removed.
    #[error("the copy is not sound: {0}")]
    Unsound(String),
}

/// Copies all that a snapshot shows into a file, in place of what is there, and proves that it holds the
/// same: it opens, has as many rows in every table, each page is as it was written, and all that
/// [`examine`](examine::examine) looks at is well. Where it isn't, there is no file.
///
/// # Errors
/// See [`CopyError`].
pub fn copy(from: &ReadTx, to: &Path) -> Result<Found, CopyError> {
    let copied = copy_all(from, to).and_then(|()| prove(from, to));
    if copied.is_err() {
        let _ = std::fs::remove_file(to);
    }
    copied
}

fn copy_all(from: &ReadTx, to: &Path) -> Result<(), CopyError> {
    // Synced once, when it's complete: until then it is of no use.
    let store = Store::create_unsynced(to)?;
    for table in tables::ALL {
        copy_table(from, *table, &store)?;
    }
    drop(store);
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    Ok(synced.map_err(|error| OpenError::new(to, OpenProblem::Io(error)))?)
}

fn copy_table(from: &ReadTx, table: Table, to: &Store) -> Result<(), StoreError> {
    let (mut next, end) = (Some(Vec::new()), Key::new().end());
    while let Some(start) = next.take() {
        to.write(|tx| {
            let mut bytes = 0;
            from.scan(table, &start, &end, Order::Ascending, &mut |key, value| {
                if bytes > AT_ONCE {
                    next = Some(key.to_vec());
                    return Ok(std::ops::ControlFlow::Break(()));
                }
                bytes += key.len() + value.len();
                tx.set(table, &Key::new().bytes(key), value)?;
                Ok(std::ops::ControlFlow::Continue(()))
            })
        })?;
    }
    Ok(())
}

fn prove(from: &ReadTx, copy: &Path) -> Result<Found, CopyError> {
    let found = examine_file(copy)?;
    let store = Store::open_untouched(copy)?;
    for table in tables::ALL {
        let (expected, there) = (from.count(*table)?, store.read(|tx| tx.count(*table))?);
        if expected != there {
            let name = table.name();
            let problem = format!("table `{name}` has {there} rows, expected {expected}");
            return Err(CopyError::Unsound(problem));
        }
    }
    Ok(found)
}

/// Examines a file that nobody writes to, its pages too, and leaves it as it is.
///
/// # Errors
/// It can't be opened, or something is wrong with it.
pub fn examine_file(path: &Path) -> Result<Found, CopyError> {
    let store = Store::open_untouched(path)?;
    examine::check_pages(path)?;
    let found = store.read(examine::examine)?;
    match found.problems.first() {
        None => Ok(found),
        Some(problem) => Err(CopyError::Unsound(problem.clone())),
    }
}
