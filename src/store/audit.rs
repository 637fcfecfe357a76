//! The audit log: append, look up, filter, verify.
//!
//! Its order is that of appending. Each entry bears its own time, which need not rise with its
//! position, and is hashed with the one before.

mod bits;
mod bulk;
mod prove;
pub mod seals;
mod sets;
mod times;
mod verify;

use std::ops::{ControlFlow, Range};

use chrono::{DateTime, Utc};

pub use self::bulk::Bulk;
pub use self::prove::prove;
use self::sets::{Dimension, Query, SetKey};
pub use self::verify::{verify, verify_through};
use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, trailing_seq};
use super::meta::{self, AUDIT_HEAD};
use super::tables::{AUDIT, AUDIT_IDS, AUDIT_INDEX, AUDIT_TIMES};
use super::tx::{Order, Reader, WriteTx};
use crate::domain::audit::{Action, AuditEntry, AuditEvent, EntityType};
use crate::domain::ids::{AuditId, TeamId};

impl Record for AuditEntry {}

/// Position and hash of the last entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Position; 0 where the log is empty.
    pub seq: u64,
    /// Hash.
    pub hash: [u8; 32],
}

/// The end of the log.
pub fn head(tx: &impl Reader) -> Result<Head, StoreError> {
    let damaged = || StoreError::Audit {
        seq: 0,
        problem: "the head is damaged".to_owned(),
    };
    let Some(bytes) = meta::get(tx, AUDIT_HEAD)? else {
        return Ok(Head::default());
    };
    let (seq, hash) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
    Ok(Head {
        seq: u64::from_be_bytes(*seq),
        hash: hash.try_into().map_err(|_| damaged())?,
    })
}

fn set_head(tx: &WriteTx, head: &Head) -> Result<(), StoreError> {
    let bytes = [&head.seq.to_be_bytes()[..], &head.hash].concat();
    meta::set(tx, AUDIT_HEAD, &bytes)
}

/// Appends an event that happened at `at`: now, or, for what comes from elsewhere, its own time.
/// It is kept in whole milliseconds.
pub fn append(tx: &mut WriteTx, event: AuditEvent, at: DateTime<Utc>) -> Result<(), StoreError> {
    let head = head(tx)?;
    let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at);
    let seq = head.seq + 1;
    let entry = AuditEntry::chain(seq, AuditId::new(at), event, at, head.hash);
    tx.put(AUDIT, &Key::new().seq(seq), &entry)?;
    index(tx, &entry)?;
    let hash = entry.hash;
    set_head(tx, &Head { seq, hash })?;
    tx.audit.push(entry);
    Ok(())
}

/// A step of migration: times get an index of their own, and the head no longer bears that of
/// the last entry.
pub(super) fn index_times(tx: &WriteTx) -> Result<(), StoreError> {
    let Some(bytes) = meta::get(tx, AUDIT_HEAD)? else {
        return Ok(());
    };
    if let (Some(seq), Some(hash)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (seq, hash) = (u64::from_be_bytes(*seq), *hash);
        set_head(tx, &Head { seq, hash })?;
    }
    let last = head(tx)?.seq;
    let mut first = 1;
    while first <= last {
        let next = (bits::place(first).0 + 1) * bits::CHUNK;
        let mut times = Vec::new();
        for seq in first..next.min(last + 1) {
            let entry = at(tx, seq)?.ok_or_else(|| StoreError::Audit {
                seq,
                problem: "is missing".to_owned(),
            })?;
            times.push(entry.created_at.timestamp_millis());
        }
        times::put(tx, first, &times)?;
        first = next;
    }
    Ok(())
}

/// Makes the indexes anew from the entries that can be read. The head stays: it belongs to the proof.
pub(super) fn rebuild_indexes(tx: &WriteTx) -> Result<(), StoreError> {
    for index in [AUDIT_IDS, AUDIT_INDEX, AUDIT_TIMES] {
        tx.clear(index)?;
    }
    let end = Key::new().end();
    tx.scan(AUDIT, &[], &end, Order::Ascending, &mut |_, bytes| {
        if let Ok(entry) = decode::<AuditEntry>(AUDIT, bytes) {
            index(tx, &entry)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Adds an entry to the indexes.
fn index(tx: &WriteTx, entry: &AuditEntry) -> Result<(), StoreError> {
    tx.set(
        AUDIT_IDS,
        &Key::new().id(entry.id.uuid()),
        &entry.seq.to_be_bytes(),
    )?;
    for set in SetKey::all_of(&entry.event) {
        sets::insert(tx, &set, entry.seq)?;
    }
    times::insert(tx, entry.seq, entry.created_at)
}

/// The entry at a position.
pub fn at(tx: &impl Reader, seq: u64) -> Result<Option<AuditEntry>, StoreError> {
    tx.find(AUDIT, &Key::new().seq(seq))
}

/// The entry of an id.
pub fn find(tx: &impl Reader, id: AuditId) -> Result<Option<AuditEntry>, StoreError> {
    let seq = tx.get(AUDIT_IDS, Key::new().id(id.uuid()).as_slice())?;
    seq.and_then(|seq| trailing_seq(&seq))
        .map_or(Ok(None), |seq| at(tx, seq))
}

/// Which entries to list; those that meet every condition.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About this kind of entity.
    pub entity_type: Option<EntityType>,
    /// About this entity.
    pub entity_id: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// By this actor.
    pub actor_id: Option<String>,
    /// Concerning this team.
    pub team: Option<TeamId>,
    /// Of this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Of before this instant.
    pub to: Option<DateTime<Utc>>,
    /// Before this position: where the page before ended.
    pub before: Option<u64>,
    /// Only those that tell of a change of who is on call.
    pub with_change_type: bool,
}

/// How many entries meet a filter, and those of them after the first `skip`, newest first.
pub fn list(
    tx: &impl Reader,
    filter: &Filter,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<AuditEntry>), StoreError> {
    let end = head(tx)?.seq + 1;
    let before = filter.before.map_or(end, |before| before.clamp(1, end));
    let set = |dimension, value: &str| SetKey::new(dimension, value);
    let mut sets = Vec::new();
    // Rarest first: the first set is what is walked.
    sets.extend(
        filter
            .entity_id
            .as_deref()
            .map(|id| set(Dimension::EntityId, id)),
    );
    sets.extend(filter.team.map(|id| set(Dimension::Team, &id.to_string())));
    sets.extend(
        filter
            .actor_id
            .as_deref()
            .map(|id| set(Dimension::Actor, id)),
    );
    sets.extend(
        filter
            .action
            .map(|action| set(Dimension::Action, action.as_str())),
    );
    sets.extend(
        filter
            .entity_type
            .map(|kind| set(Dimension::EntityType, kind.as_str())),
    );
    sets.extend(
        filter
            .with_change_type
            .then(|| set(Dimension::ChangeType, "")),
    );
    let query = Query {
        sets: &sets,
        positions: 1..=before - 1,
        times: filter.times(),
    };
    let (total, page) = sets::select(tx, &query, skip, take)?;
    let entries = page
        .into_iter()
        .map(|seq| at(tx, seq))
        .filter_map(Result::transpose);
    Ok((total, entries.collect::<Result<_, _>>()?))
}

impl Filter {
    /// The times that it leaves, in milliseconds; none where it leaves all.
    fn times(&self) -> Option<Range<i64>> {
        // Entries bear whole milliseconds: the first that is not before an instant.
        let first = |at: DateTime<Utc>| {
            at.timestamp_millis()
                + i64::from(!at.timestamp_subsec_nanos().is_multiple_of(1_000_000))
        };
        let (from, to) = (self.from.map(first), self.to.map(first));
        (from.is_some() || to.is_some()).then(|| from.unwrap_or(i64::MIN)..to.unwrap_or(i64::MAX))
    }
}
