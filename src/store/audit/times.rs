//! When the entries of the audit log were made, by position.
//!
//! Times rise with positions by and large only: a clock is set back, and what is imported keeps
//! its own times. So each chunk of positions has a row with its earliest and its latest time, and
//! the times themselves in rows of [`BLOCK`]. A filter by time takes or leaves most chunks whole,
//! and reads the times of those alone that its ends cut through.

use std::ops::Range;

use chrono::{DateTime, Utc};
use redb::TableHandle as _;

use super::bits::{Bits, CHUNK, place};
use crate::store::error::StoreError;
use crate::store::key::Key;
use crate::store::tables::AUDIT_TIMES;
use crate::store::tx::{Reader, WriteTx};

/// Positions whose times are in one row: few enough that an append rewrites little.
const BLOCK: usize = 256;

/// Milliseconds since 1970.
type Millis = i64;

/// The key of a chunk's earliest and latest time.
fn span_key(chunk: u64) -> Key {
    Key::new().seq(chunk)
}

/// The key of the times of a block, by the offset of any position in it.
fn block_key(chunk: u64, offset: usize) -> Key {
    let block = u8::try_from(offset / BLOCK).expect("invariant: a chunk has 16 blocks");
    span_key(chunk).byte(block)
}

fn encode(times: &[Millis]) -> Vec<u8> {
    times.iter().flat_map(|time| time.to_be_bytes()).collect()
}

fn decode(bytes: &[u8], index: usize) -> Option<Millis> {
    let (times, _) = bytes.as_chunks::<8>();
    times.get(index).map(|time| i64::from_be_bytes(*time))
}

fn span(tx: &impl Reader, chunk: u64) -> Result<Option<(Millis, Millis)>, StoreError> {
    let bytes = tx.get(AUDIT_TIMES, span_key(chunk).as_slice())?;
    Ok(bytes.and_then(|bytes| Some((decode(&bytes, 0)?, decode(&bytes, 1)?))))
}

/// Notes when the entry of a position was made; that of the one before was noted before.
pub fn insert(tx: &WriteTx, seq: u64, at: DateTime<Utc>) -> Result<(), StoreError> {
    let (chunk, offset) = place(seq);
    let at = at.timestamp_millis();
    let (earliest, latest) = span(tx, chunk)?.unwrap_or((at, at));
    let span = [earliest.min(at), latest.max(at)];
    tx.set(AUDIT_TIMES, &span_key(chunk), &encode(&span))?;
    let key = block_key(chunk, offset);
    let mut block = tx.get(AUDIT_TIMES, key.as_slice())?.unwrap_or_default();
    // Position 0 is no entry's.
    block.resize(offset % BLOCK * 8, 0);
    block.extend(at.to_be_bytes());
    tx.set(AUDIT_TIMES, &key, &block)
}

/// Those of a chunk's positions whose times are in `wanted`.
///
/// # Errors
/// A time is missing.
pub fn within(
    tx: &impl Reader,
    chunk: u64,
    positions: Bits,
    wanted: &Range<Millis>,
) -> Result<Bits, StoreError> {
    let Some(first) = positions.offsets().next() else {
        return Ok(positions);
    };
    let missing = |offset: usize| StoreError::AuditIndex {
        table: AUDIT_TIMES.name().to_owned(),
        problem: format!(
            "the time of entry {} is missing",
            chunk * CHUNK + offset as u64
        ),
    };
    let (earliest, latest) = span(tx, chunk)?.ok_or_else(|| missing(first))?;
    if wanted.contains(&earliest) && wanted.contains(&latest) {
        return Ok(positions);
    }
    if wanted.is_empty() || latest < wanted.start || wanted.end <= earliest {
        return Ok(Bits::EMPTY);
    }
    let mut found = Bits::EMPTY;
    let (mut block, mut number) = (Vec::new(), None);
    for offset in positions.offsets() {
        if number != Some(offset / BLOCK) {
            let key = block_key(chunk, offset);
            block = tx.get(AUDIT_TIMES, key.as_slice())?.unwrap_or_default();
            number = Some(offset / BLOCK);
        }
        let at = decode(&block, offset % BLOCK).ok_or_else(|| missing(offset))?;
        if wanted.contains(&at) {
            found.insert(offset);
        }
    }
    Ok(found)
}

/// Writes the times of a chunk's entries, from position `first` on.
pub fn put(tx: &WriteTx, first: u64, times: &[Millis]) -> Result<(), StoreError> {
    let mut rows = rows(first, times).into_iter();
    rows.try_for_each(|(key, value)| tx.set(AUDIT_TIMES, &key, &value))
}

/// The rows of a chunk whose entries have these times, from position `first` on.
pub fn rows(first: u64, times: &[Millis]) -> Vec<(Key, Vec<u8>)> {
    let (chunk, offset) = place(first);
    let earliest = times.iter().min().into_iter();
    let span: Vec<_> = earliest.chain(times.iter().max()).copied().collect();
    let mut all = vec![0; offset];
    all.extend(times);
    let blocks = all.chunks(BLOCK).enumerate();
    let blocks = blocks.map(|(number, times)| (block_key(chunk, number * BLOCK), encode(times)));
    std::iter::once((span_key(chunk), encode(&span)))
        .chain(blocks)
        .collect()
}

/// How many rows a chunk's times are, from position `first` on, and what is wrong with them.
pub fn check(
    tx: &impl Reader,
    first: u64,
    times: &[Millis],
) -> Result<(u64, Option<String>), StoreError> {
    let (mut count, mut problem) = (0, None);
    for (key, expected) in rows(first, times) {
        count += 1;
        let found = tx.get(AUDIT_TIMES, key.as_slice())?.unwrap_or_default();
        if found == expected || problem.is_some() {
            continue;
        }
        let is_other = |index: &usize| decode(&found, *index) != decode(&expected, *index);
        let odd = (0..expected.len() / 8).find(is_other);
        problem = Some(match (key.as_slice(), odd) {
            ([.., block], Some(odd)) if key != span_key(place(first).0) => {
                let offset = u64::from(*block) * BLOCK as u64 + odd as u64;
                let seq = place(first).0 * CHUNK + offset;
                format!("the time of entry {seq} is missing or wrong")
            }
            _ => {
                let last = first + times.len() as u64 - 1;
                format!("the times of entries {first} to {last} are missing or wrong")
            }
        });
    }
    Ok((count, problem))
}

/// Whether a key is one of those that entries 1 to `last` have.
pub fn is_key_of(key: &[u8], last: u64) -> bool {
    let Some((chunk, block)) = key.split_first_chunk() else {
        return false;
    };
    let offset = match block {
        [] => Some(0),
        [block] => Some(u64::from(*block) * BLOCK as u64).filter(|offset| *offset < CHUNK),
        _ => None,
    };
    let first = u64::from_be_bytes(*chunk).checked_mul(CHUNK);
    let first = first
        .zip(offset)
        .and_then(|(first, offset)| first.checked_add(offset));
    first.is_some_and(|first| first <= last)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::store::Store;
    use crate::store::tx::Order;

    #[test]
    fn rows_made_at_once_are_those_of_one_time_after_another() {
        let store = Store::in_memory().unwrap();
        let time = |seq: u64| i64::try_from(seq * 7919 % 10_007).unwrap() - 5000;
        let last = 2 * CHUNK + 300;
        let written = store.write(|tx| {
            (1..=last).try_for_each(|seq| {
                insert(tx, seq, DateTime::from_timestamp_millis(time(seq)).unwrap())
            })
        });
        written.unwrap();
        let mut found = Vec::new();
        let read = store.read(|tx| {
            let end = Key::new().end();
            tx.scan(
                AUDIT_TIMES,
                &[],
                &end,
                Order::Ascending,
                &mut |key, value| {
                    found.push((Key::new().bytes(key), value.to_vec()));
                    Ok(ControlFlow::Continue(()))
                },
            )
        });
        read.unwrap();
        let starts = [1, CHUNK, 2 * CHUNK, last + 1];
        let expected: Vec<_> = starts
            .windows(2)
            .flat_map(|ends| {
                let times: Vec<_> = (ends[0]..ends[1]).map(time).collect();
                rows(ends[0], &times)
            })
            .collect();
        assert_eq!(found.len(), 3 + 16 + 16 + 2);
        assert!(found == expected);
    }
}
