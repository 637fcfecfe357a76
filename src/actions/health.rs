//! What probes and metrics ask.

use super::app::App;
use super::error::Result;
use crate::store;

pub use crate::store::SCHEMA_VERSION;

/// How full the store is.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// Entries of the audit log.
    pub audit_entries: u64,
    /// Notifications that wait for delivery.
    pub pending_notifications: u64,
    /// Milliseconds that the oldest of them has waited; 0 where there is none.
    pub oldest_pending_ms: u64,
}

/// Answers if the store does: with the number of entries of the audit log.
///
/// # Errors
/// The store failed.
pub fn check(app: &App) -> Result<u64> {
    app.read(|tx| Ok(store::audit::head(tx)?.seq))
}

/// Measures how full the store is; that takes as long as there are notifications waiting.
///
/// # Errors
/// The store failed.
pub fn measure(app: &App) -> Result<Fill> {
    app.read(|tx| {
        let oldest = store::outbox::oldest_pending(tx)?;
        let waited = oldest.map_or(0, |at| (app.now() - at).num_milliseconds());
        Ok(Fill {
            audit_entries: store::audit::head(tx)?.seq,
            pending_notifications: store::outbox::count_pending(tx)?,
            oldest_pending_ms: u64::try_from(waited).unwrap_or(0),
        })
    })
}
