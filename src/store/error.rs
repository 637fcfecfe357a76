//! What can go wrong in the store.

use std::path::{Path, PathBuf};

/// A read or a write failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine or the disk failed.
    #[error("store: {0}")]
    Engine(Box<redb::Error>),
    /// Nothing can be written for now; reads go on, from the last durable state.
    #[error("store: nothing can be written: {0}")]
    Unwritable(Trouble),
    /// A record can't be read: written by a newer version, or damaged.
    #[error("store: record in table `{table}` can't be read: {problem}")]
    Record {
        /// The table.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A bug: the code that was to write panicked, and its write was undone.
    #[error("store: a write panicked: {0}")]
    Panicked(String),
    /// A list is not as the records say.
    #[error("store: list in table `{table}`: {problem}")]
    List {
        /// The table.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The audit log is not as its chain says.
    #[error("store: audit entry {seq}: {problem}")]
    Audit {
        /// Position of the entry.
        seq: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A checkpoint of the audit log is not as it was signed, or the log is not as it says.
    #[error("store: checkpoint {number} of the audit log {problem}")]
    AuditSeal {
        /// The checkpoint.
        number: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// An index of the audit log is not as its entries call for.
    #[error("store: index `{table}` of the audit log: {problem}")]
    AuditIndex {
        /// The index.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl StoreError {
    /// Whether the audit log is not as it was written.
    pub const fn is_of_audit_log(&self) -> bool {
        matches!(
            self,
            Self::Audit { .. } | Self::AuditIndex { .. } | Self::AuditSeal { .. }
        )
    }

    pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(text.unwrap_or_else(|| "no message".to_owned()))
    }

    /// What keeps writes from the disk, where it's that.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Unwritable(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// True where the disk has failed, and other calls will fail alike until it is well.
    pub fn is_of_disk(&self) -> bool {
        match self {
            Self::Unwritable(_) => true,
            Self::Engine(error) => matches!(
                **error,
                redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed
            ),
            _ => false,
        }
    }
}

/// What keeps writes from the disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Trouble {
    /// What the disk said.
    pub cause: String,
    /// Whether there is no room, so that making some helps.
    pub is_full: bool,
}

impl Trouble {
    pub(super) fn new(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        Self {
            cause: error.to_string(),
            is_full: matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge),
        }
    }

    pub(super) fn other(error: &dyn std::error::Error) -> Self {
        Self {
            cause: error.to_string(),
            is_full: false,
        }
    }

    pub(super) fn unknown() -> Self {
        Self {
            cause: "the disk failed".to_owned(),
            is_full: false,
        }
    }
}

macro_rules! from_engine {
    ($($source:ty),+) => {$(
        impl From<$source> for StoreError {
            fn from(error: $source) -> Self {
                Self::Engine(Box::new(error.into()))
            }
        }
    )+};
}
from_engine!(
    redb::StorageError,
    redb::TransactionError,
    redb::TableError,
    redb::CommitError,
    redb::DatabaseError
);

/// The store can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct OpenError {
    path: PathBuf,
    #[source]
    problem: OpenProblem,
}

impl OpenError {
    pub(super) fn new(path: &Path, problem: OpenProblem) -> Self {
        Self {
            path: path.to_owned(),
            problem,
        }
    }

    /// Why.
    pub fn problem(&self) -> &OpenProblem {
        &self.problem
    }
}

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenProblem {
    /// Another process has it.
    #[error("another oncalld has this store open; only one daemon can use a file")]
    InUse,
    /// Another process has the data folder.
    #[error(
        "another oncalld (process {holder}) is using this data folder: stop it first, or choose \
         another folder with --data-dir"
    )]
    FolderInUse {
        /// Its process id, as far as it has said.
        holder: String,
    },
    /// It is no store of oncalld.
    #[error("this file is not an oncalld store; it was left as it is")]
    Foreign,
    /// A newer version wrote it.
    #[error(
        "this store has schema {found}, and this oncalld reads up to {known}: \
         it was written by a newer oncalld; upgrade the binary, or restore a backup"
    )]
    Newer {
        /// The file's schema version.
        found: u32,
        /// The newest that this binary knows.
        known: u32,
    },
    /// The file is damaged.
    #[error("the store is damaged ({0}); it was left as it is: restore a backup")]
    Damaged(String),
    /// The file can't be reached.
    #[error("can't be opened: {0}")]
    Io(std::io::Error),
    /// Something else failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<redb::DatabaseError> for OpenProblem {
    fn from(error: redb::DatabaseError) -> Self {
        use redb::{DatabaseError as E, StorageError as S};
        match error {
            E::DatabaseAlreadyOpen | E::LockProtocolMismatch => Self::InUse,
            E::RepairAborted => Self::Damaged("it could not be repaired".to_owned()),
            E::UpgradeRequired(version) => {
                Self::Damaged(format!("file format {version} of redb is not supported"))
            }
            E::Storage(S::Corrupted(what)) => Self::Damaged(what),
            E::Storage(S::Io(error)) => match error.kind() {
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                    Self::Damaged(error.to_string())
                }
                _ => Self::Io(error),
            },
            other => Self::Store(other.into()),
        }
    }
}
