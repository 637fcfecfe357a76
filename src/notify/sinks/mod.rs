//! The sinks that come with oncalld.

pub(super) mod missing;
pub mod slack;
pub mod webhook;
