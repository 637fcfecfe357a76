//! Files that a command line names.

use std::path::Path;
use std::{fmt, fs, io};

use super::error::CliError;

/// What a file holds; `-` is standard input.
///
/// # Errors
/// It can't be read, or is no UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    let text = if is_standard_input(path) {
        io::read_to_string(io::stdin().lock())
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| CliError::failed(format!("{} can't be read: {error}", name(path))))
}

/// What a file is called.
pub(super) fn name(path: &Path) -> String {
    if is_standard_input(path) {
        return "standard input".to_owned();
    }
    path.display().to_string()
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses a file that is to be written and is there.
///
/// # Errors
/// It is there.
pub(super) fn refuse_to_replace(path: &Path) -> Result<(), CliError> {
    // A link to nowhere is something, too.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let message = format!("{} is there already: name another file", path.display());
    Err(CliError::failed(message))
}

/// What is wrong with a file.
pub(super) fn wrong(path: &Path, what: &str, error: &dyn fmt::Display) -> CliError {
    CliError::failed(format!("{} {what}: {error}", path.display()))
}
