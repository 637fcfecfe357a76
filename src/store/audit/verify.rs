//! Proof that the audit log is as it was written: its chain, and the indexes by which entries are
//! found.
//!
//! What no chain can prove: that its end wasn't cut off, and that it wasn't rewritten as a
//! whole, by somebody who has the file. A checkpoint that is kept elsewhere does, up to its entry.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use redb::TableHandle as _;

use super::bits::{Bits, CHUNK, place};
use super::sets::{self, SetKey};
use super::{Head, at, head, times};
use crate::domain::audit::AuditEntry;
use crate::domain::seal::Tree;
use crate::store::codec::decode;
use crate::store::error::StoreError;
use crate::store::key::{Key, trailing_id, trailing_seq};
use crate::store::tables::{AUDIT, AUDIT_IDS, AUDIT_INDEX, AUDIT_TIMES, Table};
use crate::store::tx::{Order, Reader};

/// Checks every entry against its hash, its place and the one before, the last against the head,
/// and the indexes against the entries: each is found by its id, in each of its sets and at its
/// time, and nothing else is.
///
/// # Errors
/// The first entry that is not as it was written; where all are, the first row of an index that
/// is wrong.
pub fn verify(tx: &impl Reader) -> Result<Head, StoreError> {
    verify_through(tx, |_, _| Ok(()))
}

/// The same, and shows each entry with the tree over all up to it.
///
/// # Errors
/// As [`verify`]; those of `show`.
pub fn verify_through(
    tx: &impl Reader,
    mut show: impl FnMut(&AuditEntry, &Tree) -> Result<(), StoreError>,
) -> Result<Head, StoreError> {
    let mut tree = Tree::default();
    let head = head(tx)?;
    let (mut seq, mut hash) = (0, [0; 32]);
    let mut indexes = Indexes::new(tx);
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
                return Err(wrong(seq, "bears another position"));
            }
            if entry.previous_hash != hash {
                return Err(wrong(seq, "does not follow from the entry before"));
            }
            if entry.hash != entry.computed_hash() {
                return Err(wrong(seq, "was changed after it was written"));
            }
            hash = entry.hash;
            tree.push(&hash);
            show(&entry, &tree)?;
            indexes.expect(&entry)?;
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if (seq, hash) != (head.seq, head.hash) {
        return Err(wrong(seq + 1, "the log ends early or was rewritten"));
    }
    indexes.finish()?;
    Ok(head)
}

fn wrong_row(table: Table, problem: String) -> StoreError {
    let table = table.name().to_owned();
    StoreError::AuditIndex { table, problem }
}

/// The indexes, compared with what the entries call for, a chunk at a time.
struct Indexes<'t, R> {
    tx: &'t R,
    /// Position of the chunk's first entry.
    first: u64,
    /// When each of the chunk's entries was made.
    times: Vec<i64>,
    /// The chunk's members of each set.
    sets: BTreeMap<SetKey, Vec<usize>>,
    /// Entries so far, and rows of the other indexes that they call for.
    entries: u64,
    set_rows: u64,
    time_rows: u64,
    /// The first row that is wrong: told once the chain is proven.
    problem: Option<StoreError>,
}

impl<'t, R: Reader> Indexes<'t, R> {
    const fn new(tx: &'t R) -> Self {
        Self {
            tx,
            first: 1,
            times: Vec::new(),
            sets: BTreeMap::new(),
            entries: 0,
            set_rows: 0,
            time_rows: 0,
            problem: None,
        }
    }

    /// Takes in the next entry.
    fn expect(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (chunk, offset) = place(entry.seq);
        if chunk != place(self.first).0 {
            self.check_chunk()?;
            self.first = entry.seq;
        }
        self.entries += 1;
        self.times.push(entry.created_at.timestamp_millis());
        for set in SetKey::all_of(&entry.event) {
            self.sets.entry(set).or_default().push(offset);
        }
        let id = entry.id;
        let found = self
            .tx
            .get(AUDIT_IDS, Key::new().id(id.uuid()).as_slice())?;
        if found.as_deref() != Some(&entry.seq.to_be_bytes()) {
            let found = found.map_or("nothing".to_owned(), |found| match trailing_seq(&found) {
                Some(seq) => format!("entry {seq}"),
                None => "no position".to_owned(),
            });
            let problem = format!(
                "{found} is found by id {id}, which is that of entry {}",
                entry.seq
            );
            self.note(AUDIT_IDS, problem);
        }
        Ok(())
    }

    fn note(&mut self, table: Table, problem: String) {
        self.problem
            .get_or_insert_with(|| wrong_row(table, problem));
    }

    /// Compares the rows of the chunk that is complete.
    fn check_chunk(&mut self) -> Result<(), StoreError> {
        let first = self.first;
        let (chunk, _) = place(first);
        for (set, offsets) in std::mem::take(&mut self.sets) {
            self.set_rows += 1;
            let expected: Bits = offsets.into_iter().collect();
            let found = sets::members(self.tx, &set.chunk(chunk))?;
            let seq = |offset: usize| chunk * CHUNK + offset as u64;
            if let Some(offset) = expected.first_beyond(&found) {
                let problem = format!("entry {} is missing from {set}", seq(offset));
                self.note(AUDIT_INDEX, problem);
            }
            if let Some(offset) = found.first_beyond(&expected) {
                let problem = format!(
                    "entry {} is in {set}, and does not belong there",
                    seq(offset)
                );
                self.note(AUDIT_INDEX, problem);
            }
        }
        let (rows, problem) = times::check(self.tx, first, &std::mem::take(&mut self.times))?;
        self.time_rows += rows;
        if let Some(problem) = problem {
            self.note(AUDIT_TIMES, problem);
        }
        Ok(())
    }

    /// Compares the last chunk, and looks for rows that no entry calls for.
    fn finish(mut self) -> Result<(), StoreError> {
        if self.entries > 0 {
            self.check_chunk()?;
        }
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        // Every row that is called for is there and right: more of them are too many.
        let tx = self.tx;
        let called_for = |seq: Option<u64>, by: &dyn Fn(&AuditEntry) -> bool| {
            let entry = seq.map_or(Ok(None), |seq| at(tx, seq))?;
            Ok::<_, StoreError>(entry.is_some_and(|entry| by(&entry)))
        };
        self.find_odd(AUDIT_IDS, self.entries, |key, value| {
            called_for(trailing_seq(value), &|entry| {
                trailing_id(key) == Some(entry.id.uuid())
            })
        })?;
        self.find_odd(AUDIT_INDEX, self.set_rows, |key, value| {
            let offset = Bits::decode(value).offsets().next();
            let chunk = trailing_seq(key);
            let seq = chunk
                .zip(offset)
                .and_then(|(chunk, offset)| chunk.checked_mul(CHUNK)?.checked_add(offset as u64));
            called_for(seq, &|entry| {
                let mut sets = SetKey::all_of(&entry.event).into_iter();
                sets.any(|set| chunk.is_some_and(|chunk| set.chunk(chunk).as_slice() == key))
            })
        })?;
        self.find_odd(AUDIT_TIMES, self.time_rows, |key, _| {
            Ok(times::is_key_of(key, self.entries))
        })
    }

    /// Fails at the first row that no entry calls for, where there are more than `expected`.
    fn find_odd(
        &self,
        table: Table,
        expected: u64,
        is_called_for: impl Fn(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let count = self.tx.count(table)?;
        if count == expected {
            return Ok(());
        }
        let mut problem = format!("{count} rows, expected {expected}");
        let end = Key::new().end();
        self.tx
            .scan(table, &[], &end, Order::Ascending, &mut |key, value| {
                if is_called_for(key, value)? {
                    return Ok(ControlFlow::Continue(()));
                }
                problem = format!("row \"{}\" belongs to no entry", key.escape_ascii());
                Ok(ControlFlow::Break(()))
            })?;
        Err(wrong_row(table, problem))
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
