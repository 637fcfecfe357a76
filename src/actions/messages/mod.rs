//! What people are told, when, and what becomes of it.

pub(crate) mod announce;
pub mod deliveries;
pub mod lookout;
pub mod notifications;
pub(crate) mod stale;
