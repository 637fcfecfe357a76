//! Notifications on their way out: from the outbox to the sinks.

pub mod sink;
