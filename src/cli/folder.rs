//! The data folder while no daemon uses it.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::args::Global;
use super::connection::load_config;
use super::error::CliError;
use super::files::wrong;
use crate::daemon::{ADMIN_TOKEN_FILE, STORE_FILE};
use crate::store::{self, FolderLock, Store};

/// A data folder that is ours alone.
pub(super) struct DataFolder {
    dir: PathBuf,
    _lock: FolderLock,
}

impl DataFolder {
    /// Takes the data folder that the options and the config name, and makes it if need be.
    ///
    /// # Errors
    /// A daemon uses it; it can't be made.
    pub(super) fn take(global: &Global) -> Result<Self, CliError> {
        let dir = load_config(global)?.server.data_dir;
        let mut folder = fs::DirBuilder::new();
        let made = folder.recursive(true).mode(0o700).create(&dir);
        made.map_err(|error| wrong(&dir, "can't be made", &error))?;
        let lock = FolderLock::take(&dir).map_err(|error| CliError::failed(error.to_string()))?;
        Ok(Self { dir, _lock: lock })
    }

    /// The same, of a folder that has a store; none is made.
    ///
    /// # Errors
    /// As [`Self::take`]; there is no store.
    pub(super) fn take_with_store(global: &Global) -> Result<Self, CliError> {
        let path = load_config(global)?.server.data_dir.join(STORE_FILE);
        if !path.exists() {
            return Err(CliError::not_found(format!(
                "there is no data file {}: `oncalld serve` creates it, --data-dir names another folder",
                path.display()
            )));
        }
        Self::take(global)
    }

    /// The store.
    pub(super) fn store(&self) -> PathBuf {
        self.dir.join(STORE_FILE)
    }

    /// A path beside the store, for what is not complete yet.
    pub(super) fn beside(&self, extension: &str) -> PathBuf {
        self.store().with_extension(extension)
    }

    /// Refuses a folder whose store is gone: a new one would hide that.
    ///
    /// # Errors
    /// There is an admin token.
    pub(super) fn refuse_lost_store(&self) -> Result<(), CliError> {
        let token = self.dir.join(ADMIN_TOKEN_FILE);
        if !token.exists() {
            return Ok(());
        }
        Err(CliError::failed(format!(
            "{} is missing, yet {} is there: put the store back from a backup, or remove the token",
            self.store().display(),
            token.display()
        )))
    }

    /// Whether there is a store that holds something.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn holds_something(&self) -> Result<bool, CliError> {
        let path = self.store();
        if fs::metadata(&path).map_or(0, |file| file.len()) == 0 {
            return Ok(false);
        }
        let opened = Store::open_untouched(&path);
        let opened = opened.map_err(|error| CliError::failed(error.to_string()))?;
        let is_empty = opened.read(store::meta::is_empty);
        let is_empty = is_empty.map_err(|error| CliError::failed(error.to_string()))?;
        Ok(!is_empty)
    }

    /// Puts a complete file in the place of the store, and keeps the one that was there, if any: where.
    ///
    /// # Errors
    /// Files can't be moved; the store is where it was then, or where it is kept.
    pub(super) fn put_in_place(
        &self,
        new: &Path,
        now: DateTime<Utc>,
    ) -> Result<Option<PathBuf>, CliError> {
        let path = self.store();
        let time = now.format("%Y%m%dT%H%M%SZ");
        let names = (1..).map(|number| match number {
            1 => self.beside(&format!("redb.before-{time}")),
            number => self.beside(&format!("redb.before-{time}-{number}")),
        });
        let mut free = names.filter(|name| !name.exists());
        let kept = path.exists().then(|| free.next()).flatten();
        if let Some(kept) = &kept {
            // A second name first: at no time is there no store.
            fs::hard_link(&path, kept).map_err(|error| wrong(kept, "can't be made", &error))?;
        }
        let replaced = self.replace(new);
        if let (Err(_), Some(kept)) = (&replaced, &kept) {
            let _ = fs::remove_file(kept);
        }
        replaced.map(|()| kept)
    }

    /// Puts a complete file in the place of the store.
    ///
    /// # Errors
    /// It can't be moved; the store is as it was then.
    pub(super) fn replace(&self, new: &Path) -> Result<(), CliError> {
        let path = self.store();
        fs::rename(new, &path).map_err(|error| wrong(&path, "can't be replaced", &error))?;
        let synced = File::open(&self.dir).and_then(|dir| dir.sync_all());
        synced.map_err(|error| wrong(&self.dir, "can't be synced", &error))
    }
}
