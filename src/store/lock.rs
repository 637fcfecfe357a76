//! One process a data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::error::{OpenError, OpenProblem};

/// Name of the lock in the data folder.
const LOCK_FILE: &str = "oncalld.lock";

/// The right to use a data folder, until it's dropped or the process ends, however it does.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the data folder for this process, and touches nothing else in it. Whoever opens a store
    /// takes its folder first: making a new one replaces files, which must not be another's.
    ///
    /// # Errors
    /// Another process has it; the lock can't be written.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(LOCK_FILE);
        let failed = |problem| OpenError::new(&path, problem);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(OpenProblem::Io(error)))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is helps, and is no more than that.
                let _ = (&mut file).take(32).read_to_string(&mut holder);
                let holder = holder.trim().to_owned();
                return Err(failed(OpenProblem::FolderInUse { holder }));
            }
            Err(TryLockError::Error(error)) => return Err(failed(OpenProblem::Io(error))),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note(&mut file).map_err(|error| failed(OpenProblem::Io(error)))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_by_one_and_free_again_after() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::take(folder.path()).unwrap();
        let refused = FolderLock::take(folder.path()).unwrap_err().to_string();
        let own = std::process::id().to_string();
        assert!(
            refused.contains("another oncalld") && refused.contains(&own),
            "{refused}"
        );
        drop(held);
        FolderLock::take(folder.path()).unwrap();
    }
}
