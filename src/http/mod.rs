//! What the JSON API and the web pages share: state, guard, problems,
//! and one computation for many who ask the same.

pub(crate) mod access;
pub(crate) mod body;
pub mod connections;
pub(crate) mod cookies;
pub(crate) mod credentials;
mod flights;
pub(crate) mod guard;
pub(crate) mod headers;
mod heartbeat;
mod heavy;
pub(crate) mod pour;
pub(crate) mod problem;
mod proxies;
mod quota;
mod scope;
pub(crate) mod state;
pub(crate) mod streams;

pub use self::state::{Access, Api};
