//! The data of other systems, brought into the data file while the daemon is down.
//!
//! [`source`] reads rows with their places, whatever the form; each system has a module that says what
//! becomes of them. All of it is one transaction, or nothing.

pub mod bugbot;
mod csv;
mod source;
mod value;

use std::collections::BTreeMap;

use crate::store::StoreError;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row is not as it should be.
    #[error("{file}:{line}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// The line on which the row begins, from 1.
        line: u64,
        /// Which column, what was found and what was expected.
        problem: String,
    },
    /// A file is not as it should be.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing was to be written.
    #[error("a dry run")]
    DryRun(Report),
}

/// What became of the rows, by table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The tables, in the order in which they were imported.
    pub tables: Vec<Counted>,
    /// Columns that were not carried over, by table.
    pub ignored: BTreeMap<String, Vec<String>>,
}

/// What became of the rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The table's name in the dump.
    pub table: &'static str,
    /// Rows in the dump.
    pub read: u64,
    /// Rows that were added.
    pub added: u64,
    /// Rows that were there already, by their ids.
    pub there: u64,
}
