//! Where the bytes of a store are.

use std::fmt::Debug;
use std::fs::TryLockError;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use redb::StorageBackend;
use redb::backends::FileBackend;

use super::spare::Spare;
use crate::private_file;
use crate::store::error::OpenProblem;

/// What has to fit on a disk before it counts as having room again, in bytes: more than a large
/// transaction takes, such as the handoff of hundreds of teams.
const ROOM: usize = 8 * 1024 * 1024;
/// How much is read and written at once.
const CHUNK: usize = 64 * 1024;

/// Somewhere that bytes can be opened, again too after it failed.
pub trait Medium: Debug + Send + Sync {
    /// The bytes, to read and write. Those of a store that was made before are not made anew.
    fn open(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// The bytes, to read alone.
    fn open_to_read(&self) -> io::Result<Box<dyn StorageBackend>>;

    /// Finds out whether writes reach the disk, and has what is read be what is on it.
    fn settle(&self) -> io::Result<()>;
}

/// A file on a disk, which is ours alone as long as this lives.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// Held beside whatever is open of the file: that comes and goes.
    _lock: std::fs::File,
}

impl File {
    /// Takes a file for this process.
    ///
    /// # Errors
    /// Somebody has it, also in this process; it can't be reached.
    pub fn take(path: &Path) -> Result<Self, OpenProblem> {
        let lock = std::fs::File::open(path).map_err(OpenProblem::Io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenProblem::InUse),
            Err(TryLockError::Error(error)) => Err(OpenProblem::Io(error)),
        }
    }

    fn opened(&self, to_write: bool) -> io::Result<std::fs::File> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(to_write).open(&self.path)?;
        if file.metadata()?.len() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the store is empty",
            ));
        }
        Ok(file)
    }

    /// Writes a file beside the store, and removes it.
    fn try_room(&self) -> io::Result<()> {
        let path = self.path.with_extension("redb.room");
        let mut file = private_file::create(&path)?;
        // Zeros take no room where the file system compresses.
        let mut bytes = vec![0; ROOM];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        // What is left behind is empty at the next try.
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    }
}

impl Medium for File {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        backend(self.opened(true)?)
    }

    fn open_to_read(&self) -> io::Result<Box<dyn StorageBackend>> {
        backend(self.opened(false)?)
    }

    /// After a sync that failed, what the system holds in memory and says is written may never reach
    /// the disk (Rebello and others, "Can Applications Recover from fsync Failures?", ATC 2020): so
    /// all that can be read is written again.
    fn settle(&self) -> io::Result<()> {
        self.try_room()?;
        let file = self.opened(true)?;
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        loop {
            let read = match file.read_at(&mut chunk, at) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            // A hole takes no room, and shall go on not to.
            if chunk[..read].iter().any(|byte| *byte != 0) {
                file.write_all_at(&chunk[..read], at)?;
            }
            at += read as u64;
        }
        file.sync_all()
    }
}

fn backend(file: std::fs::File) -> io::Result<Box<dyn StorageBackend>> {
    let backend = FileBackend::new(file).map_err(io::Error::other)?;
    Ok(Box::new(backend))
}

/// A file that is looked at, and left as it is: what is written stays in memory.
#[derive(Debug)]
pub struct Untouched(pub PathBuf);

impl Medium for Untouched {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let bytes = backend(std::fs::File::open(&self.0)?)?;
        Ok(Box::new(Spare::over(bytes)?))
    }

    fn open_to_read(&self) -> io::Result<Box<dyn StorageBackend>> {
        self.open()
    }

    fn settle(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Bytes that can be opened once only: where they fail, they are gone.
#[derive(Debug)]
pub struct Once(Mutex<Option<Box<dyn StorageBackend>>>);

impl Once {
    /// These bytes.
    pub fn new(bytes: impl StorageBackend) -> Self {
        Self(Mutex::new(Some(Box::new(bytes))))
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "this store can't be opened again")
}

impl Medium for Once {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        self.0.lock().take().ok_or_else(gone)
    }

    fn open_to_read(&self) -> io::Result<Box<dyn StorageBackend>> {
        Err(gone())
    }

    fn settle(&self) -> io::Result<()> {
        Err(gone())
    }
}
