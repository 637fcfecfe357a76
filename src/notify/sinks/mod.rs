//! The sinks that come with oncalld.

pub mod webhook;
