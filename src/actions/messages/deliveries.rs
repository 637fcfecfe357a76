//! What the dispatcher asks of the outbox: what is pending, what it needs to deliver it, and
//! what became of it.

use chrono::{DateTime, TimeDelta, Utc};

use super::stale;
use crate::app::{App, Ctx, Result};
use crate::domain::ids::OverrideId;
use crate::domain::notification::{DeliveryStatus, Event, Notification};
use crate::store::{self, Reader};

/// Rows that one transaction removes when the outbox is tidied.
const PRUNED_AT_ONCE: usize = 2_000;

/// A notification that is about to be delivered.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The notification.
    pub notification: Notification,
    /// Why it must not be sent any more, where that is so.
    pub stale: Option<String>,
    /// Receipt of the message that it updates, if it updates one.
    pub request: Option<String>,
}

/// What became of a notification.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It arrived; with the sink's receipt, if it gave one.
    Delivered(Option<String>),
    /// It did not, and is tried again.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Why it did not.
        error: String,
        /// Whether this try counts as an attempt.
        counts: bool,
    },
    /// It did not, and is parked.
    Failed(String),
    /// It was not sent, since it is stale.
    Dropped(String),
}

/// The first `take` pending notifications after a position of the outbox.
pub fn pending_after(app: &App, seq: u64, take: usize) -> Result<Vec<Notification>> {
    app.read(|tx| Ok(store::outbox::list_pending_after(tx, seq, take)?))
}

/// Notifications by their positions, with what is to be known before they are sent.
pub fn prepare(app: &App, positions: &[u64]) -> Result<Vec<Prepared>> {
    let now = app.now();
    app.read(|tx| {
        let rows = store::outbox::list_at(tx, positions)?;
        rows.into_iter()
            .map(|notification| {
                let request = match notification.override_id() {
                    Some(about) if notification.event == Event::OverrideDecided => {
                        request_of(tx, &notification, about)?
                    }
                    _ => None,
                };
                Ok(Prepared {
                    stale: stale::why(tx, &notification, now)?,
                    request,
                    notification,
                })
            })
            .collect()
    })
}

fn request_of(tx: &impl Reader, row: &Notification, about: OverrideId) -> Result<Option<String>> {
    Ok(store::outbox::find_request(
        tx,
        about,
        &row.sink,
        &row.recipient,
    )?)
}

/// Writes what became of notifications, all in one transaction.
///
/// # Errors
/// The store failed; nothing is written then.
pub fn settle(app: &App, outcomes: &[(Notification, Outcome)]) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        for (row, outcome) in outcomes {
            if let Outcome::Delivered(Some(receipt)) = outcome {
                store::outbox::note_request(tx.store, row, receipt)?;
            }
            store::outbox::settle(tx.store, &settled(row, outcome, tx.now))?;
        }
        Ok(())
    })
}

fn settled(row: &Notification, outcome: &Outcome, now: DateTime<Utc>) -> Notification {
    let mut row = row.clone();
    match outcome {
        Outcome::Delivered(_) => {
            row.status = DeliveryStatus::Delivered;
            row.attempts += 1;
            row.delivered_at = Some(now);
        }
        Outcome::Again { at, error, counts } => {
            row.attempts += u32::from(*counts);
            row.next_attempt_at = *at;
            row.last_error = Some(error.clone());
        }
        Outcome::Failed(error) => {
            row.status = DeliveryStatus::Failed;
            row.attempts += 1;
            row.last_error = Some(error.clone());
        }
        Outcome::Dropped(why) => {
            row.status = DeliveryStatus::Dropped;
            row.last_error = Some(why.clone());
        }
    }
    row
}

/// Removes notifications older than `keep_days` that are no longer pending, and what was kept to
/// bring requests up to date whose overrides are over for as long; how many notifications.
pub fn prune(app: &App, keep_days: u32) -> Result<usize> {
    app.write(&Ctx::system(), |tx| {
        let until = tx.now - TimeDelta::days(keep_days.into());
        Ok(store::outbox::prune_requests(tx.store, until.date_naive())?)
    })?;
    let mut total = 0;
    loop {
        let pruned = app.write(&Ctx::system(), |tx| {
            let until = tx.now - TimeDelta::days(keep_days.into());
            Ok(store::outbox::prune(tx.store, until, PRUNED_AT_ONCE)?)
        })?;
        total += pruned;
        if pruned < PRUNED_AT_ONCE {
            return Ok(total);
        }
    }
}
