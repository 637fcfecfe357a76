//! Sets of positions in the audit log, by what the entries are about.
//!
//! The log only grows, so a set can be kept in chunks of [`CHUNK`] positions: a chunk is a
//! sorted list of 16-bit offsets while that is smaller, else a bitmap. Counting and paging
//! through any combination of filters then reads some hundred bytes per thousands of
//! entries, and never the entries themselves (the idea of Roaring bitmaps, in small:
//! Chambi, Lemire, Kaser and Godin, 2016).

use std::ops::{ControlFlow, RangeInclusive};

use super::error::StoreError;
use super::key::Key;
use super::tables::AUDIT_INDEX;
use super::tx::{Order, Reader, WriteTx};

/// Positions in a chunk.
const CHUNK: u64 = 4096;
const WORDS: usize = (CHUNK / 64) as usize;
/// Bytes of a bitmap; a list is used while it is shorter.
const BITMAP_BYTES: usize = WORDS * 8;

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
#[derive(Clone, Debug)]
pub struct SetKey(Key);

impl SetKey {
    pub fn new(dimension: Dimension, value: &str) -> Self {
        Self(Key::new().byte(dimension as u8).text(value))
    }

    fn chunk(&self, chunk: u64) -> Key {
        self.0.clone().seq(chunk)
    }
}

/// The members of one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits([u64; WORDS]);

impl Bits {
    const EMPTY: Self = Self([0; WORDS]);

    fn insert(&mut self, offset: usize) {
        if let Some(word) = self.0.get_mut(offset / 64) {
            *word |= 1 << (offset % 64);
        }
    }

    fn intersect(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The offsets, smallest first.
    fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(index * 64 + bit)
            })
        })
    }

    fn encode(&self) -> Vec<u8> {
        if self.count() * 2 >= BITMAP_BYTES {
            return self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        }
        let offsets = self.offsets().filter_map(|n| u16::try_from(n).ok());
        offsets.flat_map(u16::to_le_bytes).collect()
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut bits = Self::EMPTY;
        if bytes.len() == BITMAP_BYTES {
            for (word, part) in bits.0.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = part.try_into().map_or(0, u64::from_le_bytes);
            }
        } else {
            for part in bytes.chunks_exact(2) {
                bits.insert(part.try_into().map_or(0, u16::from_le_bytes).into());
            }
        }
        bits
    }

    /// The chunk's part of a range of positions.
    fn of_range(chunk: u64, range: &RangeInclusive<u64>) -> Self {
        let mut bits = Self::EMPTY;
        let first = chunk * CHUNK;
        for offset in 0..CHUNK {
            if range.contains(&(first + offset)) {
                bits.insert(usize::try_from(offset).unwrap_or(usize::MAX));
            }
        }
        bits
    }
}

/// Adds a position to a set.
pub fn insert(tx: &WriteTx, set: &SetKey, seq: u64) -> Result<(), StoreError> {
    let key = set.chunk(seq / CHUNK);
    let mut bits = tx
        .get(AUDIT_INDEX, key.as_slice())?
        .map_or(Bits::EMPTY, |b| Bits::decode(&b));
    bits.insert(usize::try_from(seq % CHUNK).unwrap_or(usize::MAX));
    tx.set(AUDIT_INDEX, &key, &bits.encode())
}

/// How many positions within `range` are in all `sets`, and those of them after the first
/// `skip`, newest first, at most `take`. No sets: all of the range.
pub fn select(
    tx: &impl Reader,
    sets: &[SetKey],
    range: RangeInclusive<u64>,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<u64>), StoreError> {
    if range.is_empty() {
        return Ok((0, Vec::new()));
    }
    let Some((first, others)) = sets.split_first() else {
        let total = usize::try_from(range.end() - range.start() + 1).unwrap_or(usize::MAX);
        return Ok((total, range.rev().skip(skip).take(take).collect()));
    };
    let chunks = (range.start() / CHUNK, range.end() / CHUNK);
    let mut total = 0;
    let mut page = Vec::with_capacity(take);
    let (from, to) = (first.chunk(chunks.0), first.chunk(chunks.1).end());
    tx.scan(
        AUDIT_INDEX,
        from.as_slice(),
        &to,
        Order::Descending,
        &mut |key, bytes| {
            let Some(chunk) = super::key::trailing_seq(key) else {
                return Ok(ControlFlow::Continue(()));
            };
            let mut bits = Bits::decode(bytes);
            for other in others {
                let bytes = tx.get(AUDIT_INDEX, other.chunk(chunk).as_slice())?;
                bits.intersect(&bytes.map_or(Bits::EMPTY, |b| Bits::decode(&b)));
            }
            if chunk == chunks.0 || chunk == chunks.1 {
                bits.intersect(&Bits::of_range(chunk, &range));
            }
            let count = bits.count();
            if page.len() < take && skip < total + count {
                let newest_first: Vec<_> = bits.offsets().collect();
                let wanted = newest_first
                    .into_iter()
                    .rev()
                    .skip(skip.saturating_sub(total))
                    .take(take - page.len());
                page.extend(wanted.map(|offset| chunk * CHUNK + offset as u64));
            }
            total += count;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok((total, page))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn chunks_read_as_they_were_written(offsets in prop::collection::btree_set(0usize..4096, 0..600)) {
            let mut bits = Bits::EMPTY;
            for n in &offsets {
                bits.insert(*n);
            }
            let read = Bits::decode(&bits.encode());
            prop_assert_eq!(read.count(), offsets.len());
            prop_assert_eq!(read.offsets().collect::<BTreeSet<_>>(), offsets);
            prop_assert!(bits.encode().len() <= BITMAP_BYTES);
        }

        #[test]
        fn pages_of_any_combination_are_those_of_a_plain_filter(
            a in prop::collection::btree_set(1u64..9000, 0..900),
            b in prop::collection::btree_set(1u64..9000, 0..900),
            from in 0u64..9000, length in 0u64..9000, skip in 0usize..50, take in 1usize..20,
        ) {
            let backend = redb::backends::InMemoryBackend::new();
            let store = crate::store::Store::with_backend(backend, true).unwrap();
            let (sa, sb) = (SetKey::new(Dimension::Team, "a"), SetKey::new(Dimension::Action, "b"));
            store.write(|tx| {
                a.iter().try_for_each(|n| insert(tx, &sa, *n))?;
                b.iter().try_for_each(|n| insert(tx, &sb, *n))
            }).unwrap();
            let range = from..=from + length;
            let found = store.read(|tx| select(tx, &[sa, sb], range.clone(), skip, take)).unwrap();
            let all: Vec<u64> = a.intersection(&b).copied().filter(|n| range.contains(n)).collect();
            let page: Vec<u64> = all.iter().rev().copied().skip(skip).take(take).collect();
            prop_assert_eq!(found, (all.len(), page));
        }
    }
}
