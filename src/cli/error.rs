//! Why a command failed, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;

/// What kind of failure it was, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It failed: exit code 1.
    Failed,
    /// No daemon answers: exit code 1.
    Unreachable,
    /// The command line makes no sense: exit code 2.
    Usage,
    /// What was asked for isn't there: exit code 3.
    NotFound,
}

/// A failure: its kind and a text for people, which may have several lines.
#[derive(Clone, Debug)]
pub(super) struct CliError {
    /// The kind.
    pub(super) kind: Kind,
    /// The text, without a line break at its end.
    pub(super) message: String,
}

impl CliError {
    /// A failure of the work itself.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// No daemon answers.
    pub(super) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unreachable, message)
    }

    /// A command line that clap let pass and that makes no sense all the same.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Something that isn't there.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message }
    }

    /// The exit code.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed | Kind::Unreachable => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
        })
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        let causes = error.chain().skip(1).map(ToString::to_string);
        // Some errors show their cause themselves.
        let text = causes.fold(error.to_string(), |text, cause| {
            if text.contains(&cause) {
                text
            } else {
                format!("{text}: {cause}")
            }
        });
        Self::failed(text)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || std::io::Error::other("no space");
        let told: Result<(), _> = Err(cause()).context("d: no space");
        let untold: Result<(), _> = Err(cause()).context("d can't be written");
        assert_eq!(CliError::from(told.unwrap_err()).message, "d: no space");
        let untold = CliError::from(untold.unwrap_err()).message;
        assert_eq!(untold, "d can't be written: no space");
    }
}
