//! Sets of positions in the audit log, by what the entries are about.
//!
//! The log only grows, so a set can be kept in chunks of [`CHUNK`] positions. Counting and
//! paging through any combination of filters then reads some hundred bytes per thousands of
//! entries, and never the entries themselves.
//!
//! [`CHUNK`]: super::bits::CHUNK

use std::fmt;
use std::ops::{ControlFlow, Range, RangeInclusive};

use super::bits::{Bits, CHUNK, place};
use super::times;
use crate::domain::audit::AuditEvent;
use crate::store::error::StoreError;
use crate::store::key::{Key, trailing_seq};
use crate::store::tables::AUDIT_INDEX;
use crate::store::tx::{Order, Reader, WriteTx};

/// What entries can be filtered by.
#[derive(Clone, Copy, Debug)]
pub enum Dimension {
    EntityType = 1,
    EntityId = 2,
    Action = 3,
    Actor = 4,
    Team = 5,
    /// Has a legacy change type: one set, of value "".
    ChangeType = 6,
}

/// The set of entries that have one value in one dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetKey(Key);

impl SetKey {
    /// The set of a value.
    pub fn new(dimension: Dimension, value: &str) -> Self {
        Self(Key::new().byte(dimension as u8).text(value))
    }

    /// The sets that an event is in.
    pub fn all_of(event: &AuditEvent) -> Vec<Self> {
        let team = event.team_id.map(|id| id.to_string());
        let has_change_type = event.change_type.as_ref().map(|_| "");
        let values = [
            (Dimension::EntityType, Some(event.entity_type.as_str())),
            (Dimension::Action, Some(event.action.as_str())),
            (Dimension::EntityId, event.entity_id.as_deref()),
            (Dimension::Actor, event.actor_id.as_deref()),
            (Dimension::Team, team.as_deref()),
            (Dimension::ChangeType, has_change_type),
        ];
        let set = |(dimension, value): (_, Option<&str>)| Some(Self::new(dimension, value?));
        values.into_iter().filter_map(set).collect()
    }

    /// The key of one chunk.
    pub fn chunk(&self, chunk: u64) -> Key {
        self.0.clone().seq(chunk)
    }
}

impl fmt::Display for SetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dimension, value) = self.0.as_slice().split_first().unwrap_or((&0, &[]));
        let name = match dimension {
            1 => "entity type",
            2 => "entity id",
            3 => "action",
            4 => "actor",
            5 => "team",
            _ => return f.write_str("the set of those with a change type"),
        };
        let value = String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value));
        write!(f, "the set of {name} `{value}`")
    }
}

/// Adds a position to a set.
pub fn insert(tx: &WriteTx, set: &SetKey, seq: u64) -> Result<(), StoreError> {
    let (chunk, offset) = place(seq);
    let key = set.chunk(chunk);
    let mut bits = members(tx, &key)?;
    bits.insert(offset);
    tx.set(AUDIT_INDEX, &key, &bits.encode())
}

/// The members of one chunk of a set.
pub fn members(tx: &impl Reader, key: &Key) -> Result<Bits, StoreError> {
    let bytes = tx.get(AUDIT_INDEX, key.as_slice())?;
    Ok(bytes.map_or(Bits::EMPTY, |bytes| Bits::decode(&bytes)))
}

/// Which positions are wanted: those within `positions` that are in all `sets`, and whose time,
/// in milliseconds since 1970, is in `times`.
pub struct Query<'a> {
    pub sets: &'a [SetKey],
    pub positions: RangeInclusive<u64>,
    /// None: of any time.
    pub times: Option<Range<i64>>,
}

/// How many positions a query finds, and those of them after the first `skip`, newest first,
/// at most `take`.
pub fn select(
    tx: &impl Reader,
    query: &Query<'_>,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<u64>), StoreError> {
    let positions = &query.positions;
    let mut page = Page {
        skip,
        take,
        total: 0,
        found: Vec::new(),
    };
    if positions.is_empty() {
        return Ok((0, Vec::new()));
    }
    let (oldest, newest) = (positions.start() / CHUNK, positions.end() / CHUNK);
    let others = query.sets.get(1..).unwrap_or_default();
    let mut visit = |chunk: u64, mut bits: Bits| {
        for other in others {
            bits.intersect(&members(tx, &other.chunk(chunk))?);
        }
        if chunk == oldest || chunk == newest {
            bits.intersect(&Bits::of_range(chunk, positions));
        }
        if let Some(times) = &query.times {
            bits = times::within(tx, chunk, bits, times)?;
        }
        page.add(chunk, &bits);
        Ok::<_, StoreError>(())
    };
    match query.sets.first() {
        None => (oldest..=newest)
            .rev()
            .try_for_each(|chunk| visit(chunk, Bits::FULL))?,
        Some(first) => {
            let (from, to) = (first.chunk(oldest), first.chunk(newest).end());
            let (from, order) = (from.as_slice(), Order::Descending);
            tx.scan(AUDIT_INDEX, from, &to, order, &mut |key, bytes| {
                if let Some(chunk) = trailing_seq(key) {
                    visit(chunk, Bits::decode(bytes))?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
    }
    Ok((page.total, page.found))
}

/// A page that fills while its chunks are visited, newest first.
struct Page {
    skip: usize,
    take: usize,
    total: usize,
    found: Vec<u64>,
}

impl Page {
    fn add(&mut self, chunk: u64, bits: &Bits) {
        let count = bits.count();
        if self.found.len() < self.take && self.skip < self.total + count {
            let oldest_first: Vec<_> = bits.offsets().collect();
            let wanted = oldest_first
                .into_iter()
                .rev()
                .skip(self.skip.saturating_sub(self.total))
                .take(self.take - self.found.len());
            self.found
                .extend(wanted.map(|offset| chunk * CHUNK + offset as u64));
        }
        self.total += count;
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::store::Store;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn pages_of_any_combination_are_those_of_a_plain_filter(
            entries in prop::collection::vec((any::<bool>(), any::<bool>(), -50i64..50), 1..9000),
            jump in 0usize..9000,
            sets in 0usize..3, from in 1u64..9000, length in 0u64..9000,
            times in prop::option::of((-60i64..9000, 0i64..9000)),
            skip in 0usize..50, take in 1usize..20,
        ) {
            let store = Store::in_memory().unwrap();
            let keys = [SetKey::new(Dimension::Team, "a"), SetKey::new(Dimension::Action, "b")];
            // Times rise, by and large; for a while the clock is wrong.
            let time = |n: usize, noise: i64| {
                let rise = i64::try_from(n).unwrap();
                if (jump..jump + 100).contains(&n) { 1_000_000 } else { rise + noise }
            };
            let log: Vec<_> = (1..).zip(&entries).enumerate()
                .map(|(n, (seq, (a, b, noise)))| (seq, *a, *b, time(n, *noise)))
                .collect();
            store.write(|tx| log.iter().try_for_each(|(seq, a, b, at)| {
                if *a { insert(tx, &keys[0], *seq)?; }
                if *b { insert(tx, &keys[1], *seq)?; }
                times::insert(tx, *seq, DateTime::from_timestamp_millis(*at).unwrap())
            })).unwrap();
            let last = entries.len() as u64;
            let query = Query {
                sets: &keys[..sets],
                positions: from..=(from + length).min(last),
                times: times.map(|(from, length)| from..from + length),
            };
            let found = store.read(|tx| select(tx, &query, skip, take)).unwrap();
            let all: Vec<u64> = log.iter()
                .filter(|(seq, a, b, at)| query.positions.contains(seq)
                    && (sets < 1 || *a) && (sets < 2 || *b)
                    && query.times.as_ref().is_none_or(|times| times.contains(at)))
                .map(|(seq, ..)| *seq)
                .collect();
            let page: Vec<u64> = all.iter().rev().copied().skip(skip).take(take).collect();
            prop_assert_eq!(found, (all.len(), page));
        }
    }
}
