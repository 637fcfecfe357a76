//! What the JSON API and the web pages share: state, guard, problems.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod cookies;
pub(crate) mod guard;
pub(crate) mod problem;
pub(crate) mod state;
pub(crate) mod streams;

pub use self::state::{Access, Api};
