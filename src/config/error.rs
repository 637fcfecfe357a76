//! What can be wrong with the configuration, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the configuration can't be used; its text is all that a user needs to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The config file that was asked for can't be read.
    #[error("cannot read the config file {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said; part of this error's own text.
        cause: io::Error,
    },
    /// A key or a value is wrong.
    #[error("{origin}: {problem}")]
    Invalid {
        /// Where it was set.
        origin: Origin,
        /// The key, what was found and what was expected.
        problem: String,
    },
}

/// What is wrong with a key, before it is known where it was set.
#[derive(Debug)]
pub(super) struct Problem {
    /// The key's dotted path.
    pub(super) path: String,
    /// What was found and what was expected.
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in the config file; line and column count from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// The environment variable of this name.
    Variable(String),
}

impl Origin {
    /// The place at a byte offset into the file's text.
    pub(super) fn in_file(path: &Path, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self::File {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => {
                write!(f, "{}:{line}:{column}", path.display())
            }
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}
