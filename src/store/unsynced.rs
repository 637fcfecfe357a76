//! A file that is never synced: for a store that is of no use before it is complete.

use std::io;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{DatabaseError, StorageBackend};

use crate::private_file;

/// A file whose writes reach the disk when the operating system likes.
#[derive(Debug)]
pub struct Unsynced(FileBackend);

impl Unsynced {
    /// An empty file at `path`, in place of what is there; its owner's alone.
    pub fn create(path: &Path) -> Result<Self, DatabaseError> {
        let file = private_file::create(path).map_err(redb::StorageError::Io)?;
        Ok(Self(FileBackend::new(file)?))
    }
}

impl StorageBackend for Unsynced {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        self.0.close()
    }
}
