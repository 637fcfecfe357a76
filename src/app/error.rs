//! What an action answers when it does not do what was asked.

use crate::domain::invalid::Invalid;
use crate::store::StoreError;

/// The result of an action.
pub type Result<T> = std::result::Result<T, ActionError>;

/// Why an action was not done; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// Values break rules.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// What was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It clashes with what is there: an overlap, a taken name, another version.
    #[error("{detail}")]
    Conflict {
        /// What clashes.
        detail: String,
        /// Id of the other one, where there is one.
        with: Option<String>,
    },
    /// The state does not allow the change.
    #[error("{0}")]
    BadTransition(String),
    /// The actor may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The action takes a token.
    #[error("this requires a token: send `Authorization: Bearer oncalld_…`")]
    Unauthenticated,
    /// Something failed that is not the caller's to mend.
    #[error("{0}")]
    Internal(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActionError {
    /// A clash without another entity to name.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict {
            detail: detail.into(),
            with: None,
        }
    }

    /// A complaint about one field.
    pub fn invalid(field: &str, message: impl std::fmt::Display) -> Self {
        Self::Invalid(Invalid::one(field, message))
    }
}
