//! Sessions of browsers, by the hash of their cookie's secret.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::Key;
use super::meta;
use super::tables::SESSIONS;
use super::tx::{Order, Reader, WriteTx};
use crate::domain::session::Session;

impl Record for Session {}

/// Name of the key that signs cookies, among the small single values.
const SIGNING_KEY: &str = "session_key";

fn key(hash: &[u8; 32]) -> Key {
    Key::new().bytes(hash)
}

/// The session of a secret's hash.
pub fn find(tx: &impl Reader, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    tx.find(SESSIONS, &key(hash))
}

/// Writes a session.
pub fn put(tx: &WriteTx, hash: &[u8; 32], session: &Session) -> Result<(), StoreError> {
    tx.put(SESSIONS, &key(hash), session)
}

/// Removes a session.
pub fn delete(tx: &WriteTx, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.remove(SESSIONS, &key(hash))
}

/// Removes the sessions that have ended.
pub fn delete_ended(tx: &WriteTx, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut ended = Vec::new();
    let (from, to) = Key::new().prefixed();
    tx.scan(SESSIONS, &from, &to, Order::Ascending, &mut |key, bytes| {
        let session: Session = decode(SESSIONS, bytes)?;
        if !session.is_valid_at(now) {
            ended.push(Key::new().bytes(key));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    ended.iter().try_for_each(|key| tx.remove(SESSIONS, key))
}

/// The key that signs cookies; none before somebody has signed in for the first time.
pub fn signing_key(tx: &impl Reader) -> Result<Option<[u8; 32]>, StoreError> {
    let key = meta::get(tx, SIGNING_KEY)?;
    Ok(key.and_then(|key| key.try_into().ok()))
}

/// Keeps the key that signs cookies.
pub fn set_signing_key(tx: &WriteTx, key: &[u8; 32]) -> Result<(), StoreError> {
    meta::set(tx, SIGNING_KEY, key)
}
