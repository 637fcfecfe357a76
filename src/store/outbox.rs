//! The outbox: notifications written with the change that they tell of.

use std::ops::ControlFlow;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::catalog::Indexed;
use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, trailing_seq};
use super::lists::{self, Row};
use super::meta::{self, OUTBOX_HEAD};
use super::overrides;
use super::tables::{OUTBOX, OUTBOX_BY_STATUS, OUTBOX_IDS, OUTBOX_REQUESTS};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::ids::{NotificationId, OverrideId, TeamId};
use crate::domain::json::Json;
use crate::domain::notification::{DeliveryStatus, Event, Notification};
use crate::domain::shift_override::Override;

impl Record for Notification {}

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What happened.
    pub event: Event,
    /// A Slack user or channel id; a team's slug where it has no channel, for sinks but Slack.
    pub recipient: String,
    /// The team that it is about.
    pub team_id: Option<TeamId>,
    /// Facts for the text.
    pub payload: Json,
}

/// Adds a message to the outbox, to go through `sink` at once: its row.
pub fn push(
    tx: &mut WriteTx,
    sink: &str,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<Notification, StoreError> {
    let row = Notification {
        id: NotificationId::new(now),
        seq: next_seq(tx)?,
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
    add(tx, &row)?;
    note_request(tx, &row, "")?;
    Ok(row)
}

/// The position of the next row. Also tells whoever listens that there is a row to deliver.
fn next_seq(tx: &mut WriteTx) -> Result<u64, StoreError> {
    let seq = last_seq(tx)? + 1;
    meta::set(tx, OUTBOX_HEAD, &seq.to_be_bytes())?;
    tx.queued += 1;
    Ok(seq)
}

fn last_seq(tx: &impl Reader) -> Result<u64, StoreError> {
    Ok(meta::get(tx, OUTBOX_HEAD)?
        .and_then(|bytes| trailing_seq(&bytes))
        .unwrap_or(0))
}

fn add(tx: &WriteTx, row: &Notification) -> Result<(), StoreError> {
    tx.index(&indexed(row))?;
    lists::replace(tx, &[], &listed(row))?;
    tx.put(OUTBOX, &Key::new().seq(row.seq), row)
}

fn remove(tx: &WriteTx, row: &Notification) -> Result<(), StoreError> {
    tx.remove(OUTBOX_IDS, &id_key(row.id))?;
    lists::replace(tx, &listed(row), &[])?;
    tx.remove(OUTBOX, &Key::new().seq(row.seq))
}

/// The row by which its id is found.
pub(super) fn indexed(row: &Notification) -> Indexed {
    Indexed::with(OUTBOX_IDS, id_key(row.id), &row.seq.to_be_bytes())
}

fn id_key(id: NotificationId) -> Key {
    Key::new().id(id.uuid())
}

fn list_of(status: DeliveryStatus) -> Key {
    Key::new().byte(status as u8)
}

/// A notification's row in the list of its state.
pub(super) fn listed(row: &Notification) -> Vec<Row> {
    let (list, place) = (list_of(row.status), Key::new().seq(row.seq));
    vec![Row::new(OUTBOX_BY_STATUS, list, &place, &[])]
}

/// The notification of an id.
pub fn find(tx: &impl Reader, id: NotificationId) -> Result<Option<Notification>, StoreError> {
    match tx.get(OUTBOX_IDS, id_key(id).as_slice())? {
        Some(seq) => tx.find(OUTBOX, &Key::new().bytes(&seq)),
        None => Ok(None),
    }
}

/// The notifications at these positions, in their order; those that aren't there are left out.
pub fn list_at(tx: &impl Reader, positions: &[u64]) -> Result<Vec<Notification>, StoreError> {
    tx.find_all(OUTBOX, positions.iter().map(|seq| Key::new().seq(*seq)))
}

/// The first `take` pending notifications after a position, in order.
pub fn list_pending_after(
    tx: &impl Reader,
    seq: u64,
    take: usize,
) -> Result<Vec<Notification>, StoreError> {
    let pending = list_of(DeliveryStatus::Pending);
    let mut positions = Vec::new();
    let (from, to) = (pending.clone().seq(seq.saturating_add(1)), pending.end());
    tx.scan(
        OUTBOX_BY_STATUS,
        from.as_slice(),
        &to,
        Order::Ascending,
        &mut |key, _| {
            positions.extend(trailing_seq(key));
            Ok(if positions.len() < take {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        },
    )?;
    list_at(tx, &positions)
}

/// Writes what became of a notification, at the position that it has.
pub fn settle(tx: &WriteTx, row: &Notification) -> Result<(), StoreError> {
    let old = tx.find::<Notification>(OUTBOX, &Key::new().seq(row.seq))?;
    let old = old.as_ref().map(listed).unwrap_or_default();
    lists::replace(tx, &old, &listed(row))?;
    tx.put(OUTBOX, &Key::new().seq(row.seq), row)
}

/// Moves a notification to the end of the outbox, as if it had just been written.
pub fn requeue(
    tx: &mut WriteTx,
    row: &Notification,
    now: DateTime<Utc>,
) -> Result<Notification, StoreError> {
    remove(tx, row)?;
    let row = Notification {
        seq: next_seq(tx)?,
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: now,
        ..row.clone()
    };
    add(tx, &row)?;
    Ok(row)
}

fn request_key(about: OverrideId, sink: &str, recipient: &str) -> Key {
    Key::new().id(about.uuid()).text(sink).text(recipient)
}

/// Where a notification asks a recipient to decide an override, keeps that it does, and the
/// sink's receipt of the message, which is empty before it was delivered.
pub fn note_request(tx: &WriteTx, row: &Notification, receipt: &str) -> Result<(), StoreError> {
    if let (Event::OverrideRequested, Some(about)) = (row.event, row.override_id()) {
        let key = request_key(about, &row.sink, &row.recipient);
        tx.set(OUTBOX_REQUESTS, &key, receipt.as_bytes())?;
    }
    Ok(())
}

/// A sink's receipt of the message that asked a recipient to decide an override.
pub fn find_request(
    tx: &impl Reader,
    about: OverrideId,
    sink: &str,
    recipient: &str,
) -> Result<Option<String>, StoreError> {
    let receipt = tx.get(
        OUTBOX_REQUESTS,
        request_key(about, sink, recipient).as_slice(),
    )?;
    let receipt = receipt.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(receipt.filter(|receipt| !receipt.is_empty()))
}

/// Who was asked to decide an override: sinks and recipients.
pub fn list_requests(
    tx: &impl Reader,
    about: OverrideId,
) -> Result<Vec<(String, String)>, StoreError> {
    let asked = Key::new().id(about.uuid()).prefixed();
    tx.keys(OUTBOX_REQUESTS, asked, |key| {
        let mut texts = key.get(16..)?.split(|byte| *byte == 0);
        let mut text = || String::from_utf8(texts.next()?.to_vec()).ok();
        Some((text()?, text()?))
    })
}

/// Removes what is kept of requests to decide overrides that have ended, and were last changed,
/// on days before `until`: nothing will be told of them any more.
pub fn prune_requests(tx: &WriteTx, until: NaiveDate) -> Result<(), StoreError> {
    let all = Key::new().prefixed();
    for key in tx.keys(OUTBOX_REQUESTS, all, |key| Some(key.to_vec()))? {
        let about = key.get(..16).and_then(|id| Uuid::from_slice(id).ok());
        let about = about.map(|id| overrides::find(tx, OverrideId::from_uuid(id)));
        let is_over =
            |row: Override| row.end_date.max(row.revision.updated_at.date_naive()) < until;
        if about.transpose()?.flatten().is_none_or(is_over) {
            tx.remove(OUTBOX_REQUESTS, &Key::new().bytes(&key))?;
        }
    }
    Ok(())
}

/// Removes up to `take` notifications written before `until` that are no longer pending, oldest
/// first; how many that were.
pub fn prune(tx: &WriteTx, until: DateTime<Utc>, take: usize) -> Result<usize, StoreError> {
    let (from, to) = Key::new().prefixed();
    let mut old = Vec::new();
    tx.scan(OUTBOX, &from, &to, Order::Ascending, &mut |_, bytes| {
        let row: Notification = decode(OUTBOX, bytes)?;
        if row.created_at >= until || old.len() == take {
            return Ok(ControlFlow::Break(()));
        }
        if row.status != DeliveryStatus::Pending {
            old.push(row);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    old.iter().try_for_each(|row| remove(tx, row))?;
    Ok(old.len())
}

/// How many notifications there are, of one state or of all, and those of them after the
/// first `skip`, newest first.
pub fn list(
    tx: &impl Reader,
    status: Option<DeliveryStatus>,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Notification>), StoreError> {
    let (table, prefix, total) = match status {
        Some(status) => {
            let list = list_of(status);
            let total = lists::count(tx, OUTBOX_BY_STATUS, &list)?;
            (OUTBOX_BY_STATUS, list, total)
        }
        None => (OUTBOX, Key::new(), tx.count(OUTBOX)?),
    };
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    if skip >= total {
        return Ok((total, Vec::new()));
    }
    let (mut passed, mut page) = (0, Vec::new());
    let (from, to) = prefix.prefixed();
    tx.scan(table, &from, &to, Order::Descending, &mut |key, _| {
        if passed >= skip {
            page.extend(trailing_seq(key));
        }
        passed += 1;
        Ok(if page.len() < take {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok((total, list_at(tx, &page)?))
}

/// When the oldest notification was written that waits for delivery.
pub fn oldest_pending(tx: &impl Reader) -> Result<Option<DateTime<Utc>>, StoreError> {
    let first = list_pending_after(tx, 0, 1)?;
    Ok(first.first().map(|row| row.created_at))
}

/// How many notifications wait for delivery.
pub fn count_pending(tx: &impl Reader) -> Result<u64, StoreError> {
    lists::count(tx, OUTBOX_BY_STATUS, &list_of(DeliveryStatus::Pending))
}
