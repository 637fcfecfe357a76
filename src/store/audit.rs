//! The audit log: append, look up, filter, verify.

use std::ops::{ControlFlow, RangeInclusive};

use chrono::{DateTime, Utc};

use super::audit_index::{self, Dimension, SetKey};
use super::codec::{Record, decode};
use super::error::StoreError;
use super::key::{Key, trailing_seq};
use super::meta::{self, AUDIT_HEAD};
use super::tables::{AUDIT, AUDIT_IDS};
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
    /// When it was appended, in milliseconds since 1970.
    millis: i64,
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
    let (seq, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
    let (millis, hash) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    Ok(Head {
        seq: u64::from_be_bytes(*seq),
        millis: i64::from_be_bytes(*millis),
        hash: hash.try_into().map_err(|_| damaged())?,
    })
}

/// Appends an event. Where the clock has gone back, the entry bears the time of the one
/// before: the log's order is the order of its times.
pub fn append(tx: &mut WriteTx, event: AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
    let head = head(tx)?;
    let last = DateTime::from_timestamp_millis(head.millis).unwrap_or(now);
    let at = if head.seq == 0 { now } else { now.max(last) };
    let seq = head.seq + 1;
    let entry = AuditEntry::chain(seq, AuditId::new(at), event, at, head.hash);
    tx.put(AUDIT, &Key::new().seq(seq), &entry)?;
    tx.set(
        AUDIT_IDS,
        &Key::new().id(entry.id.uuid()),
        &seq.to_be_bytes(),
    )?;
    for set in sets(&entry.event) {
        audit_index::insert(tx, &set, seq)?;
    }
    let millis = at.timestamp_millis();
    let head = [&seq.to_be_bytes()[..], &millis.to_be_bytes(), &entry.hash].concat();
    meta::set(tx, AUDIT_HEAD, &head)?;
    tx.audit.push(entry);
    Ok(())
}

fn sets(event: &AuditEvent) -> Vec<SetKey> {
    let set = |dimension, value: &str| SetKey::new(dimension, value);
    let mut sets = vec![
        set(Dimension::EntityType, event.entity_type.as_str()),
        set(Dimension::Action, event.action.as_str()),
    ];
    sets.extend(
        event
            .entity_id
            .as_deref()
            .map(|id| set(Dimension::EntityId, id)),
    );
    sets.extend(
        event
            .actor_id
            .as_deref()
            .map(|id| set(Dimension::Actor, id)),
    );
    sets.extend(
        event
            .team_id
            .map(|id| set(Dimension::Team, &id.to_string())),
    );
    sets.extend(
        event
            .change_type
            .is_some()
            .then(|| set(Dimension::ChangeType, "")),
    );
    sets
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
    /// Appended at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Appended before this instant.
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
    let (total, page) = audit_index::select(tx, &sets, range(tx, filter)?, skip, take)?;
    let entries = page
        .into_iter()
        .map(|seq| at(tx, seq))
        .filter_map(Result::transpose);
    Ok((total, entries.collect::<Result<_, _>>()?))
}

/// The positions that the filter's times leave.
fn range(tx: &impl Reader, filter: &Filter) -> Result<RangeInclusive<u64>, StoreError> {
    let last = head(tx)?.seq;
    let first = filter.from.map_or(Ok(1), |from| first_at(tx, last, from))?;
    let end = filter
        .to
        .map_or(Ok(last + 1), |to| first_at(tx, last, to))?;
    let end = end.min(filter.before.unwrap_or(u64::MAX));
    Ok(first..=end.saturating_sub(1))
}

/// The first position whose entry was appended at `instant` or later: a binary search, since
/// times rise with positions.
fn first_at(tx: &impl Reader, last: u64, instant: DateTime<Utc>) -> Result<u64, StoreError> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match at(tx, middle)? {
            Some(entry) if entry.created_at < instant => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Checks every entry against its hash, its place and the one before, and the last against
/// the head.
///
/// # Errors
/// The store failed, or the first entry that is not as it was written.
pub fn verify(tx: &impl Reader) -> Result<Head, StoreError> {
    let head = head(tx)?;
    let (mut seq, mut hash) = (0, [0; 32]);
    let wrong = |seq, problem: &str| StoreError::Audit {
        seq,
        problem: problem.to_owned(),
    };
    tx.scan(
        AUDIT,
        &[],
        &Key::new().end(),
        Order::Ascending,
        &mut |key, bytes| {
            seq += 1;
            if trailing_seq(key) != Some(seq) {
                return Err(wrong(seq, "is missing"));
            }
            let entry: AuditEntry = decode(AUDIT, bytes)?;
            if entry.seq != seq {
                return Err(wrong(seq, "has a different position"));
            }
            if entry.previous_hash != hash {
                return Err(wrong(seq, "does not follow from the entry before"));
            }
            if entry.hash != entry.computed_hash() {
                return Err(wrong(seq, "was changed after it was written"));
            }
            hash = entry.hash;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if (seq, hash) != (head.seq, head.hash) {
        return Err(wrong(seq + 1, "the log ends early or was rewritten"));
    }
    Ok(head)
}
