//! The sinks that come with oncalld.

pub mod slack;
pub mod webhook;
