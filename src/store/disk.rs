//! The disk beneath a store: what is open on it, what becomes of that when the disk fails, and
//! how it is got back.
//!
//! redb refuses everything once an access of its file has failed: what it holds in memory may not be
//! what the file holds. A disk that is full fails writes only, though, and is well again as soon as
//! there is room. So a failure costs the database, and never the daemon: a *spare* takes its place at
//! once, which has the last durable state of the same file and writes into memory alone. Whoever reads
//! goes on with it; whoever writes is refused, until [`Disk::recover`] finds that writes reach the disk.

mod medium;
mod spare;
mod watched;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use redb::{Builder, Database, DatabaseError, StorageBackend};

pub use self::medium::{File, Medium, Once, Untouched};
use self::spare::Spare;
use self::watched::{Alarm, Watched};
use super::StoreError;
use super::error::Trouble;

/// Pages that redb keeps in memory, in bytes: enough for the hot part of a large store,
/// small enough that the daemon stays under 100 MB.
const CACHE_BYTES: usize = 24 * 1024 * 1024;
/// How long a spare that can't be opened is not tried again: readers ask for it many times a second.
const SPARE_EVERY: Duration = Duration::from_secs(1);
/// How long writers wait for the last readers of a spare, whose file they write.
const LAST_READERS: Duration = Duration::from_secs(10);
/// How long all wait for the readers of a spare that is of no more use.
const READERS: Duration = Duration::from_millis(500);

/// What is open of a file, now.
#[derive(Debug)]
pub struct Disk {
    current: RwLock<Arc<Opened>>,
    /// After what is open, which writes as it's closed: this one holds the file's lock.
    medium: Box<dyn Medium>,
    mending: Mutex<Mending>,
    trouble: Mutex<Option<Trouble>>,
    reopened: AtomicU64,
}

/// A database, until its file fails.
#[derive(Debug)]
pub struct Opened {
    pub db: Database,
    pub alarm: Arc<Alarm>,
    is_spare: bool,
}

#[derive(Debug, Default)]
struct Mending {
    no_spare_at: Option<Instant>,
}

impl Disk {
    /// Opens what is on a medium, and makes a database where it is empty.
    pub fn open(medium: Box<dyn Medium>) -> Result<Self, DatabaseError> {
        let bytes = medium.open().map_err(redb::StorageError::Io)?;
        let opened = Opened::new(bytes, false)?;
        Ok(Self {
            medium,
            current: RwLock::new(Arc::new(opened)),
            mending: Mutex::default(),
            trouble: Mutex::default(),
            reopened: AtomicU64::new(0),
        })
    }

    /// What is open.
    pub fn current(&self) -> Arc<Opened> {
        Arc::clone(&self.current.read())
    }

    /// What keeps writes from the disk, if something does.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().clone()
    }

    /// How often something else was opened in the place of what was.
    pub fn reopened(&self) -> u64 {
        self.reopened.load(Ordering::Acquire)
    }

    /// What is open, if it can be written to.
    ///
    /// # Errors
    /// It is a spare.
    pub fn writable(&self) -> Result<Arc<Opened>, StoreError> {
        let opened = self.current();
        if opened.alarm.has_gone_off() {
            return Err(self.mend(&opened));
        }
        if opened.is_spare {
            return Err(self.unwritable());
        }
        Ok(opened)
    }

    /// Puts a spare in the place of what has failed. Returns what whoever wanted to write is told.
    pub fn mend(&self, failed: &Arc<Opened>) -> StoreError {
        let _ = self.replace(failed);
        self.unwritable()
    }

    /// Puts a spare in the place of what has failed, unless somebody has done so.
    ///
    /// # Errors
    /// None can be opened, now or a moment ago.
    pub fn replace(&self, failed: &Arc<Opened>) -> Result<(), StoreError> {
        let mut mending = self.mending.lock();
        if !Arc::ptr_eq(&self.current(), failed) {
            return Ok(());
        }
        let is_too_soon = |at: Instant| at.elapsed() < SPARE_EVERY;
        if mending.no_spare_at.is_some_and(is_too_soon) {
            return Err(self.unwritable());
        }
        if let Some(cause) = failed.alarm.cause() {
            self.note(Trouble::new(&cause));
        }
        let spare = || -> Result<Opened, DatabaseError> {
            let bytes = self.medium.open_to_read().and_then(Spare::over);
            Opened::new(Box::new(bytes.map_err(redb::StorageError::Io)?), true)
        };
        match spare() {
            Ok(spare) => {
                mending.no_spare_at = None;
                self.put(spare);
                Ok(())
            }
            Err(_) => {
                mending.no_spare_at = Some(Instant::now());
                Err(self.unwritable())
            }
        }
    }

    /// Tries to write again where that failed. True where writes reach the disk, now or all along.
    /// Where the disk has room again, it takes a second for each gigabyte or so.
    pub fn recover(&self) -> bool {
        let is_well = |opened: &Opened| !opened.is_spare && !opened.alarm.has_gone_off();
        if is_well(&self.current()) {
            return true;
        }
        let _mending = self.mending.lock();
        // What is open now: a spare may have come in meanwhile, or somebody else has recovered it.
        let failed = self.current();
        if is_well(&failed) {
            return true;
        }
        if let Err(error) = self.medium.settle() {
            self.note(Trouble::new(&error));
            return false;
        }
        let (opened, barrier) = match self.open_and_try() {
            Ok(opened) => opened,
            Err(trouble) => {
                self.note(trouble);
                // The file has changed beneath the spare.
                failed.alarm.raise(None, READERS);
                return false;
            }
        };
        self.put(opened);
        failed.alarm.raise(None, LAST_READERS);
        drop(barrier);
        *self.trouble.lock() = None;
        true
    }

    /// Opens what is on the medium and writes to it, so that nothing is changed. No other write
    /// begins before what is returned with it is dropped: what the first one gives back of the file,
    /// the second may write over, and there may be readers of it.
    fn open_and_try(&self) -> Result<(Opened, redb::WriteTransaction), Trouble> {
        let bytes = self.medium.open().map_err(|error| Trouble::new(&error))?;
        let opened = Opened::new(bytes, false).map_err(|error| Trouble::other(&error))?;
        let write = || -> Result<_, redb::Error> {
            opened.db.begin_write()?.commit()?;
            Ok(opened.db.begin_write()?)
        };
        match write() {
            Ok(barrier) => Ok((opened, barrier)),
            Err(error) => Err(match opened.alarm.cause() {
                Some(cause) => Trouble::new(&cause),
                None => Trouble::other(&error),
            }),
        }
    }

    fn put(&self, opened: Opened) {
        *self.current.write() = Arc::new(opened);
        self.reopened.fetch_add(1, Ordering::Release);
    }

    fn note(&self, trouble: Trouble) {
        *self.trouble.lock() = Some(trouble);
    }

    fn unwritable(&self) -> StoreError {
        let trouble = self.trouble();
        StoreError::Unwritable(trouble.unwrap_or_else(Trouble::unknown))
    }
}

impl Opened {
    fn new(bytes: Box<dyn StorageBackend>, is_spare: bool) -> Result<Self, DatabaseError> {
        let alarm = Arc::new(Alarm::default());
        let watched = Watched::new(bytes, Arc::clone(&alarm));
        Ok(Self {
            db: builder().create_with_backend(watched)?,
            alarm,
            is_spare,
        })
    }
}

/// The database of a file that is left as it is.
pub fn untouched(path: &Path) -> Result<Database, DatabaseError> {
    let bytes = Untouched(path.to_owned()).open();
    let opened = Opened::new(bytes.map_err(redb::StorageError::Io)?, true)?;
    Ok(opened.db)
}

/// Settings of every database.
pub fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}
