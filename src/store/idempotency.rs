//! What was answered to POSTs with an `Idempotency-Key`, so that each is done once.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::catalog::Indexed;
use super::codec::Record;
use super::error::StoreError;
use super::key::Key;
use super::tables::{IDEMPOTENCY, IDEMPOTENCY_BY_TIME};
use super::tx::{Reader, WriteTx};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// A request that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// SHA-256 of method, path and body.
    pub fingerprint: [u8; 32],
    /// The action's result, as JSON.
    pub result: String,
    /// When it was done.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: DateTime<Utc>,
}

impl Record for Done {}

/// What was answered under a key in the last 24 hours. `key` is the SHA-256 of who asked and
/// their key.
pub fn find(
    tx: &impl Reader,
    key: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Done>, StoreError> {
    let done: Option<Done> = tx.find(IDEMPOTENCY, &Key::new().bytes(key))?;
    Ok(done.filter(|done| now - done.at < KEPT))
}

/// Keeps an answer, and drops those that are too old.
pub fn put(tx: &WriteTx, key: &[u8; 32], done: &Done) -> Result<(), StoreError> {
    let old = Key::new().instant(done.at - KEPT).as_slice().to_vec();
    for stale in tx.keys(IDEMPOTENCY_BY_TIME, (Vec::new(), old), |key| {
        Some(key.to_vec())
    })? {
        tx.remove(
            IDEMPOTENCY,
            &Key::new().bytes(stale.get(8..).unwrap_or_default()),
        )?;
        tx.remove(IDEMPOTENCY_BY_TIME, &Key::new().bytes(&stale))?;
    }
    tx.index(&indexed(key, done))?;
    tx.put(IDEMPOTENCY, &Key::new().bytes(key), done)
}

/// The row by which it grows old.
pub(super) fn indexed(key: &[u8], done: &Done) -> Indexed {
    Indexed::key(IDEMPOTENCY_BY_TIME, Key::new().instant(done.at).bytes(key))
}
