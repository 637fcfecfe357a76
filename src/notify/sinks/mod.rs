//! The sinks that are built in.

pub mod slack;
