//! The store: one redb file. The only user of redb and bincode.
//!
//! [`Store::read`] and [`Store::write`] are the only ways in. A write is one durable
//! transaction; whatever it appends to the audit log is handed back, so that caches and
//! event streams can follow. All calls block: call them off the async threads, but for
//! point lookups.

pub mod audit;
mod catalog;
pub mod checkpoints;
mod codec;
pub mod copy;
mod disk;
pub mod error;
pub mod examine;
pub mod export;
pub mod idempotency;
mod key;
pub mod lists;
mod lock;
pub mod meta;
mod migrations;
pub mod outbox;
pub mod overrides;
pub mod profiles;
pub mod rosters;
pub mod rotation;
pub mod schedules;
pub mod services;
pub mod sessions;
mod spans;
mod tables;
pub mod teams;
pub mod time_off;
pub mod tokens;
pub mod told;
mod tx;
mod unsynced;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::ReadableDatabase;
use redb::backends::FileBackend;

pub(crate) use self::disk::Medium;
use self::disk::{Disk, builder};
use self::error::OpenProblem;
pub use self::error::{OpenError, StoreError, Trouble};
pub use self::lock::FolderLock;
pub use self::migrations::CURRENT as SCHEMA_VERSION;
pub use self::tx::{ReadTx, Reader, WriteTx};
use crate::domain::audit::AuditEntry;
use crate::private_file;
#[cfg(test)]
pub(crate) use redb::StorageBackend;

/// The open data file.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
    path: PathBuf,
}

/// What a write came to.
#[derive(Debug)]
pub struct Written<T> {
    /// The closure's result.
    pub value: T,
    /// What it appended to the audit log.
    pub audit: Vec<AuditEntry>,
    /// How many notifications it put into the outbox.
    pub queued: usize,
}

impl Store {
    /// Opens the store at `path`, creating it where there is none, and migrates it.
    ///
    /// # Errors
    /// The file is in use, no store, damaged, or written by a newer oncalld; it is left as
    /// it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::new(path, cause);
        let is_new = match std::fs::metadata(path) {
            Ok(meta) => meta.len() == 0,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(failed(OpenProblem::Io(error))),
        };
        if is_new {
            create(path).map_err(failed)?;
        } else {
            look_first(path).map_err(failed)?;
        }
        Self::on(path, disk::File::take(path).map_err(failed)?, false)
    }

    /// Opens the store at `path` and leaves the file as it is, whatever is done with it.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_untouched(path: &Path) -> Result<Self, OpenError> {
        look_first(path).map_err(|cause| OpenError::new(path, cause))?;
        Self::on(path, disk::Untouched(path.to_owned()), false)
    }

    /// The store on a medium, brought to the current schema version.
    fn on(path: &Path, medium: impl Medium + 'static, is_new: bool) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::new(path, cause);
        let store = Self {
            disk: Disk::open(Box::new(medium)).map_err(|e| failed(e.into()))?,
            path: path.to_owned(),
        };
        migrations::migrate(&store, is_new).map_err(failed)?;
        Ok(store)
    }

    /// Makes a store at `path`, in place of what is there, that leaves it to the operating
    /// system when writes reach the disk: many times faster, and lost in a crash. Whoever
    /// fills it drops it and syncs the file before it is of use.
    ///
    /// # Errors
    /// The file is in use or can't be written.
    pub fn create_unsynced(path: &Path) -> Result<Self, OpenError> {
        let bytes = unsynced::Unsynced::create(path);
        let bytes = bytes.map_err(|e| OpenError::new(path, e.into()))?;
        Self::on(path, disk::Once::new(bytes), true)
    }

    /// Opens a store on a backend of the tests' choice.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(any(test, fuzzing))]
    pub fn with_backend(
        backend: impl redb::StorageBackend,
        is_new: bool,
    ) -> Result<Self, OpenError> {
        Self::on(Path::new("memory"), disk::Once::new(backend), is_new)
    }

    /// Opens the store on a medium of the tests' choice.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[cfg(test)]
    pub(crate) fn on_medium(
        medium: impl Medium + 'static,
        is_new: bool,
    ) -> Result<Self, OpenError> {
        Self::on(Path::new("memory"), medium, is_new)
    }

    /// A store that is gone when it's dropped.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn in_memory() -> Result<Self, OpenError> {
        let bytes = redb::backends::InMemoryBackend::new();
        Self::on(Path::new("memory"), disk::Once::new(bytes), true)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from one consistent snapshot.
    ///
    /// # Errors
    /// Those of the store, and whatever `f` returns.
    pub fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<T, E> {
        loop {
            let opened = self.disk.current();
            let Some(_reading) = opened.alarm.enter() else {
                self.disk.replace(&opened)?;
                continue;
            };
            let tx = opened.db.begin_read().map_err(StoreError::from)?;
            return f(&ReadTx::new(tx));
        }
    }

    /// Writes in one durable transaction: all of it once this returns `Ok`, nothing of it on
    /// an error. Writers wait for each other.
    ///
    /// # Errors
    /// Those of the store, and whatever `f` returns.
    pub fn write<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut WriteTx) -> Result<T, E>,
    ) -> Result<Written<T>, E> {
        let opened = self.disk.writable()?;
        let written = write(&opened.db, f);
        if written.is_err() && opened.alarm.has_gone_off() {
            return Err(self.disk.mend(&opened).into());
        }
        written
    }

    /// What keeps writes from the disk, if something does. Reads go on meanwhile.
    pub fn trouble(&self) -> Option<Trouble> {
        self.disk.trouble()
    }

    /// Tries to write again where that failed: true where writes reach the disk, now or all along.
    pub fn recover(&self) -> bool {
        self.disk.recover()
    }

    /// How often the file had to be opened again. What was kept in memory of the store before may be
    /// otherwise since: a write that failed may have come to be.
    pub fn reopened(&self) -> u64 {
        self.disk.reopened()
    }
}

fn write<T, E: From<StoreError>>(
    db: &redb::Database,
    f: impl FnOnce(&mut WriteTx) -> Result<T, E>,
) -> Result<Written<T>, E> {
    let tx = db.begin_write().map_err(StoreError::from)?;
    let mut tx = WriteTx::new(tx);
    // A panic shall undo this write and fail it, not the daemon: redb can't roll back
    // while the stack unwinds.
    let value = catch_unwind(AssertUnwindSafe(|| f(&mut tx)));
    let value = value.unwrap_or_else(|panic| Err(StoreError::panicked(&*panic).into()))?;
    let (audit, queued) = tx.commit()?;
    Ok(Written {
        value,
        audit,
        queued,
    })
}

/// Makes an empty store beside `path` and links it there: after a crash half-way there is none,
/// rather than one that nobody recognises, and of two daemons that start at once one fails.
fn create(path: &Path) -> Result<(), OpenProblem> {
    let temporary = path.with_extension("redb.new");
    let file = private_file::create(&temporary).map_err(OpenProblem::Io)?;
    let store = Store {
        disk: Disk::open(Box::new(disk::Once::new(FileBackend::new(file)?)))?,
        path: temporary.clone(),
    };
    migrations::migrate(&store, true)?;
    drop(store);
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(OpenProblem::Io(error));
        }
        _ => {}
    }
    std::fs::hard_link(&temporary, path).map_err(OpenProblem::Io)?;
    std::fs::remove_file(&temporary).map_err(OpenProblem::Io)?;
    private_file::sync_folder_of(path).map_err(OpenProblem::Io)
}

/// Refuses what is no store of ours, without writing: opening a file for writing writes to it.
/// A store that wasn't closed in order can only be looked at once it's repaired.
fn look_first(path: &Path) -> Result<(), OpenProblem> {
    // redb takes a file that is no database for damaged: look at its first bytes before.
    if !has_magic(path).map_err(OpenProblem::Io)? {
        return Err(OpenProblem::Foreign);
    }
    match builder().open_read_only(path) {
        Ok(db) => {
            let tx = db.begin_read().map_err(StoreError::from)?;
            migrations::found(&ReadTx::new(tx)).map(drop)
        }
        Err(redb::DatabaseError::RepairAborted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the file begins as a redb file does.
fn has_magic(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut head = [0; 4];
    let mut file = std::fs::File::open(path)?;
    match file.read_exact(&mut head) {
        Ok(()) => Ok(&head == b"redb"),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads bytes as a record of every kind, as opening a damaged file would.
#[cfg(fuzzing)]
pub fn decode_anything(bytes: &[u8]) {
    let (version, body) = bytes.split_first().unwrap_or((&1, &[]));
    for kind in catalog::KINDS {
        // As they are, which is damage, and as if a record had been written so.
        for record in [bytes, &codec::sealed(kind.table, version & 0x7f, body)] {
            let _ = (kind.rows)(bytes, record);
            let _ = (kind.to_json)(record);
        }
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod layout_tests;
