//! Notifications on their way out: from the outbox to the sinks.

pub mod net;
pub mod sink;
pub mod sinks;
