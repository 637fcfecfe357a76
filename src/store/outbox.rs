//! The outbox: notifications written with the change that they tell of.

use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_seq};
use super::meta::{self, OUTBOX_HEAD};
use super::tables::{OUTBOX, OUTBOX_BY_STATUS, OUTBOX_DUE, OUTBOX_IDS, Table};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::{NotificationId, TeamId};
use crate::domain::json::Json;
use crate::domain::notification::{DeliveryStatus, Event, Notification};

impl Record for Notification {}

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What happened.
    pub event: Event,
    /// A Slack user or channel id.
    pub recipient: String,
    /// The team that it is about.
    pub team_id: Option<TeamId>,
    /// Facts for the text.
    pub payload: Json,
}

/// Adds a message to the outbox, to go through `sink` at once.
///
/// # Errors
/// The store failed.
pub fn push(
    tx: &WriteTx,
    sink: &str,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let seq = last_seq(tx)? + 1;
    let row = Notification {
        id: NotificationId::new(now),
        seq,
        event: message.event,
        sink: sink.to_owned(),
        recipient: message.recipient.clone(),
        team_id: message.team_id,
        payload: message.payload.clone(),
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: now,
        last_error: None,
        created_at: now,
        delivered_at: None,
    };
    meta::set(tx, OUTBOX_HEAD, &seq.to_be_bytes())?;
    tx.set(
        OUTBOX_IDS,
        &Key::new().id(row.id.uuid()),
        &seq.to_be_bytes(),
    )?;
    index_keys(&row)
        .iter()
        .try_for_each(|(table, key)| tx.set(*table, key, &[]))?;
    tx.put(OUTBOX, &Key::new().seq(seq), &row)
}

fn last_seq(tx: &impl Reader) -> Result<u64, StoreError> {
    Ok(meta::get(tx, OUTBOX_HEAD)?
        .and_then(|bytes| trailing_seq(&bytes))
        .unwrap_or(0))
}

fn index_keys(row: &Notification) -> Vec<(Table, Key)> {
    let mut keys = vec![(
        OUTBOX_BY_STATUS,
        Key::new().byte(row.status as u8).seq(row.seq),
    )];
    if row.status == DeliveryStatus::Pending {
        keys.push((
            OUTBOX_DUE,
            Key::new().instant(row.next_attempt_at).seq(row.seq),
        ));
    }
    keys
}

/// How many notifications there are, of one state or of all, and those of them after the
/// first `skip`, newest first.
///
/// # Errors
/// The store failed.
pub fn list(
    tx: &impl Reader,
    status: Option<DeliveryStatus>,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Notification>), StoreError> {
    let (table, prefix) = match status {
        Some(status) => (OUTBOX_BY_STATUS, Key::new().byte(status as u8)),
        None => (OUTBOX, Key::new()),
    };
    let (mut total, mut page) = (0, Vec::new());
    let (from, to) = prefix.prefixed();
    tx.scan(table, &from, &to, Order::Descending, &mut |key, _| {
        if total >= skip && page.len() < take {
            page.extend(trailing_seq(key));
        }
        total += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    let rows = page
        .into_iter()
        .map(|seq| tx.find(OUTBOX, &Key::new().seq(seq)));
    Ok((
        total,
        rows.filter_map(Result::transpose)
            .collect::<Result<_, _>>()?,
    ))
}

/// How many notifications wait for delivery.
///
/// # Errors
/// The store failed.
pub fn count_pending(tx: &impl Reader) -> Result<u64, StoreError> {
    tx.count(OUTBOX_DUE)
}
