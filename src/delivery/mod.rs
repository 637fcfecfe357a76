//! Notifications on their way out: from the outbox to the sinks.
//!
//! [`Dispatcher`] reads what is pending, keeps it in one [`lane`] a sink, hands it to the
//! [`sink::Sink`]s, and settles with the outbox what became of it.

mod attempt;
pub mod counters;
pub mod dispatcher;
mod lane;
pub(super) mod missing;
mod queue;
pub mod sink;

pub use self::attempt::Policy;
pub use self::counters::Counters;
pub use self::dispatcher::Dispatcher;
