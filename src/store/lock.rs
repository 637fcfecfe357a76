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
    file: File,
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
                let holder = holder.lines().next().unwrap_or_default().to_owned();
                return Err(failed(OpenProblem::FolderInUse { holder }));
            }
            Err(TryLockError::Error(error)) => return Err(failed(OpenProblem::Io(error))),
        }
        let mut lock = Self { file };
        lock.announce(&[])
            .map_err(|error| failed(OpenProblem::Io(error)))?;
        Ok(lock)
    }

    /// Notes in the folder where this process serves what is in it, for [`Self::announced`].
    ///
    /// # Errors
    /// The note can't be written.
    pub fn announce(&mut self, urls: &[String]) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        let mut note = format!("{}\n", std::process::id());
        for url in urls {
            note += url;
            note.push('\n');
        }
        self.file.write_all(note.as_bytes())
    }

    /// Where the process that has a folder serves it, as far as it said; nowhere if none has it.
    pub fn announced(folder: &Path) -> Vec<String> {
        let note = std::fs::read_to_string(folder.join(LOCK_FILE)).unwrap_or_default();
        note.lines().skip(1).map(ToOwned::to_owned).collect()
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Nothing is served from here any more; a crash leaves the note to the next start.
        let _ = self.file.set_len(0);
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
        let mut held = FolderLock::take(folder.path()).unwrap();
        held.announce(&["http://127.0.0.1:1".to_owned()]).unwrap();
        assert_eq!(FolderLock::announced(folder.path()), ["http://127.0.0.1:1"]);
        let refused = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&own) && !refused.contains("http"),
            "{refused}"
        );
        drop(held);
        assert!(FolderLock::announced(folder.path()).is_empty());
    }
}
