//! Bytes that are given up at the first access that fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use redb::StorageBackend;

/// How long a write that fails waits for readers under way: they can read all they want, until redb
/// learns of the failure.
const READERS: Duration = Duration::from_millis(500);

/// Goes off when bytes fail.
#[derive(Debug, Default)]
pub struct Alarm {
    /// Nobody begins to read any more.
    is_closing: AtomicBool,
    /// Nothing succeeds any more.
    is_closed: AtomicBool,
    cause: Mutex<Option<io::Error>>,
    readers: RwLock<()>,
}

/// Somebody who reads.
pub type Reading<'a> = RwLockReadGuard<'a, ()>;

impl Alarm {
    /// Lets somebody read, unless it has gone off.
    pub fn enter(&self) -> Option<Reading<'_>> {
        // Whoever waited here for others to end would wait for nothing: it's over then.
        (!self.has_gone_off()).then(|| self.readers.try_read())?
    }

    /// Whether it has gone off.
    pub fn has_gone_off(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// What made it go off, as far as that is known.
    pub fn cause(&self) -> Option<io::Error> {
        self.cause.lock().as_ref().map(copy)
    }

    /// Has it go off. Nothing fails for it before those who read are done or `patience` is at its end.
    pub fn raise(&self, cause: Option<&io::Error>, patience: Duration) {
        if let Some(cause) = cause {
            self.cause.lock().get_or_insert_with(|| copy(cause));
        }
        self.is_closing.store(true, Ordering::Release);
        let done = self.readers.try_write_for(patience);
        self.is_closed.store(true, Ordering::Release);
        drop(done);
    }
}

/// An error like another: they can't be cloned.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// Bytes with an alarm. Once it has gone off, nothing succeeds, also where redb would go on after a
/// write that it could do without. They have no locks: a data folder has one.
#[derive(Debug)]
pub struct Watched {
    bytes: Box<dyn StorageBackend>,
    alarm: Arc<Alarm>,
}

impl Watched {
    /// These bytes, and what goes off when they fail.
    pub fn new(bytes: Box<dyn StorageBackend>, alarm: Arc<Alarm>) -> Self {
        Self { bytes, alarm }
    }

    fn access<T>(
        &self,
        patience: Duration,
        access: impl FnOnce(&dyn StorageBackend) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.alarm.is_closed.load(Ordering::Acquire) {
            return Err(io::Error::other("an access before this one failed"));
        }
        let done = access(&*self.bytes);
        done.inspect_err(|error| self.alarm.raise(Some(error), patience))
    }
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.access(READERS, StorageBackend::len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        // Whoever reads is among those who would be waited for.
        self.access(Duration::ZERO, |bytes| bytes.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.access(READERS, |bytes| bytes.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.access(READERS, StorageBackend::sync_data)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.access(READERS, |bytes| bytes.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.bytes.close()
    }
}
