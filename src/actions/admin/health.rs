//! What probes, metrics and admins ask of the daemon itself.

use chrono::{DateTime, Utc};

use super::plugins;
use crate::app::{App, Ctx, Result};
use crate::domain::hex::hex;
use crate::domain::token::Role;
use crate::store;
use crate::wire::plugin::PluginView;

pub use crate::store::SCHEMA_VERSION;

/// What is measured at a look.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Whether the disk of the data folder takes writes.
    pub disk_takes_writes: bool,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// Size of the data file, in bytes; 0 where it can't be told.
    pub store_bytes: u64,
    /// Entries of the audit log.
    pub audit_entries: u64,
    /// Notifications that wait for delivery.
    pub pending_notifications: u64,
    /// Milliseconds that the oldest of them has waited; 0 where there is none.
    pub oldest_pending_ms: u64,
    /// The plugins, those that a team or the config names but nobody has among them, and of how
    /// many active teams each decides the rotation; their slugs are left out.
    pub plugins: Vec<(PluginView, u64)>,
}

/// Answers if the store does: with the number of entries of the audit log.
pub fn check(app: &App) -> Result<u64> {
    app.read(|tx| Ok(store::audit::head(tx)?.seq))
}

/// Measures how full the store is and how plugins fare, by what is counted already.
pub fn measure(app: &App) -> Result<Measured> {
    let plugins = plugins::with_user_counts(app)?;
    app.read(|tx| {
        let oldest = store::outbox::oldest_pending(tx)?;
        let waited = oldest.map_or(0, |at| (app.now() - at).num_milliseconds());
        Ok(Measured {
            disk_takes_writes: app.disk_trouble().is_none(),
            started_at: app.started_at(),
            store_bytes: app.store_bytes(),
            audit_entries: store::audit::head(tx)?.seq,
            pending_notifications: store::outbox::count_pending(tx)?,
            oldest_pending_ms: u64::try_from(waited).unwrap_or(0),
            plugins,
        })
    })
}

/// What runs here.
#[derive(Clone, Debug)]
pub struct Running {
    /// Since when.
    pub started_at: DateTime<Utc>,
    /// Size of the data file, in bytes; 0 where it can't be told.
    pub store_bytes: u64,
    /// Entries of the audit log.
    pub audit_entries: u64,
    /// Hash of the last of them, in hex.
    pub audit_head: String,
    /// Notifications that wait for delivery.
    pub pending_notifications: u64,
    /// When the oldest of them was written.
    pub oldest_pending_at: Option<DateTime<Utc>>,
}

/// What runs here, for people.
///
/// # Errors
/// Not an admin.
pub fn running(app: &App, ctx: &Ctx) -> Result<Running> {
    ctx.require(Role::Admin)?;
    app.read(|tx| {
        let head = store::audit::head(tx)?;
        Ok(Running {
            started_at: app.started_at(),
            store_bytes: app.store_bytes(),
            audit_entries: head.seq,
            audit_head: hex(&head.hash),
            pending_notifications: store::outbox::count_pending(tx)?,
            oldest_pending_at: store::outbox::oldest_pending(tx)?,
        })
    })
}
