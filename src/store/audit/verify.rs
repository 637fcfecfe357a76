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
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::audit::{Action, AuditEvent, EntityType};
    use crate::domain::ids::AuditId;
    use crate::store::audit::sets::Dimension;
    use crate::store::audit::{Filter, append, find, list};
    use crate::store::{Store, WriteTx};

    /// More than a chunk.
    const ENTRIES: u64 = CHUNK + 300;

    fn log() -> Store {
        let store = Store::in_memory().unwrap();
        let written = store.write(|tx| {
            (1..=ENTRIES).try_for_each(|n| {
                let mut event = AuditEvent::system(EntityType::Team, Action::Updated);
                event.entity_id = Some(format!("t{}", n % 2));
                event.actor_id = Some("U1".to_owned());
                let at = DateTime::from_timestamp_millis(i64::try_from(n).unwrap() * 1000);
                append(tx, event, at.unwrap())
            })
        });
        written.unwrap();
        store
    }

    /// What is said of a log once `damage` was done to it.
    fn said_after(damage: impl FnOnce(&WriteTx) -> Result<(), StoreError>) -> String {
        let store = log();
        store.write(|tx| damage(tx)).unwrap();
        match store.read(verify) {
            Ok(head) => format!("{} entries", head.seq),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_log_and_its_indexes_are_proven() {
        assert_eq!(said_after(|_| Ok(())), format!("{ENTRIES} entries"));
        assert_eq!(
            Store::in_memory().unwrap().read(verify).unwrap(),
            Head::default()
        );
    }

    #[test]
    fn an_entry_that_is_missing_from_a_filter_is_named() {
        let set = SetKey::new(Dimension::Actor, "U1");
        let without = |tx: &WriteTx, seq: u64| {
            let (chunk, offset) = place(seq);
            let members = sets::members(tx, &set.chunk(chunk))?;
            let kept: Bits = members.offsets().filter(|found| *found != offset).collect();
            tx.set(AUDIT_INDEX, &set.chunk(chunk), &kept.encode())
        };
        assert_eq!(
            said_after(|tx| without(tx, 77)),
            "store: index `audit_index` of the audit log: entry 77 is missing from the set of actor `U1`"
        );
        assert_eq!(
            said_after(|tx| tx.remove(AUDIT_INDEX, &set.chunk(1))),
            "store: index `audit_index` of the audit log: entry 4096 is missing from the set of actor `U1`"
        );
    }

    #[test]
    fn an_entry_in_a_set_of_others_is_named() {
        let said = said_after(|tx| sets::insert(tx, &SetKey::new(Dimension::EntityId, "t1"), 4100));
        assert_eq!(
            said,
            "store: index `audit_index` of the audit log: entry 4100 is in the set of entity id `t1`, \
             and does not belong there"
        );
        let said = said_after(|tx| sets::insert(tx, &SetKey::new(Dimension::Actor, "U2"), 5));
        assert_eq!(
            said,
            "store: index `audit_index` of the audit log: row \
             \"\\x04U2\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\" belongs to no entry"
        );
        let far =
            said_after(|tx| sets::insert(tx, &SetKey::new(Dimension::Actor, "U1"), 10 * CHUNK));
        assert!(far.ends_with("belongs to no entry"), "{far}");
    }

    #[test]
    fn an_id_that_finds_nothing_or_another_entry_is_named() {
        let id_of = |tx: &WriteTx, seq| Ok::<_, StoreError>(at(tx, seq)?.unwrap().id);
        let key = |id: AuditId| Key::new().id(id.uuid());
        let said = said_after(|tx| tx.remove(AUDIT_IDS, &key(id_of(tx, 9)?)));
        assert!(
            said.contains("`audit_ids` of the audit log: nothing is found by id"),
            "{said}"
        );
        assert!(said.ends_with("which is that of entry 9"), "{said}");
        let said = said_after(|tx| tx.set(AUDIT_IDS, &key(id_of(tx, 9)?), &8u64.to_be_bytes()));
        assert!(said.contains("entry 8 is found by id"), "{said}");
        let said = said_after(|tx| {
            let id = AuditId::new(DateTime::UNIX_EPOCH);
            tx.set(AUDIT_IDS, &key(id), &8u64.to_be_bytes())
        });
        assert!(said.ends_with("belongs to no entry"), "{said}");
    }

    #[test]
    fn a_time_that_is_not_its_entrys_is_named() {
        let problem = |said: &str| {
            let (start, problem) =
                said.split_at("store: index `audit_times` of the audit log: ".len());
            assert_eq!(start, "store: index `audit_times` of the audit log: ");
            problem.to_owned()
        };
        let block = Key::new().seq(1).byte(1);
        let change = |tx: &WriteTx, key: &Key, by: &dyn Fn(&mut Vec<u8>)| {
            let mut row = tx.get(AUDIT_TIMES, key.as_slice())?.unwrap();
            by(&mut row);
            tx.set(AUDIT_TIMES, key, &row)
        };
        let said = said_after(|tx| change(tx, &block, &|row| row[7] ^= 1));
        assert_eq!(problem(&said), "the time of entry 4352 is missing or wrong");
        let said = said_after(|tx| change(tx, &block, &|row| row.truncate(row.len() - 8)));
        assert_eq!(
            problem(&said),
            format!("the time of entry {ENTRIES} is missing or wrong")
        );
        let said = said_after(|tx| tx.remove(AUDIT_TIMES, &block));
        assert_eq!(problem(&said), "the time of entry 4352 is missing or wrong");
        let said = said_after(|tx| change(tx, &Key::new().seq(0), &|row| row[15] ^= 1));
        assert_eq!(
            problem(&said),
            "the times of entries 1 to 4095 are missing or wrong"
        );
        let said = said_after(|tx| tx.set(AUDIT_TIMES, &Key::new().seq(1).byte(2), &[0; 8]));
        assert!(problem(&said).ends_with("belongs to no entry"), "{said}");
        let said = said_after(|tx| change(tx, &block, &|row| row.extend([0; 8])));
        assert_eq!(
            problem(&said),
            format!("the times of entries 4096 to {ENTRIES} are missing or wrong")
        );
    }

    #[test]
    fn a_broken_chain_is_told_before_a_broken_index() {
        let said = said_after(|tx| {
            let mut entry = at(tx, 4200)?.unwrap();
            tx.remove(AUDIT_IDS, &Key::new().id(at(tx, 3)?.unwrap().id.uuid()))?;
            entry.event.actor_id = Some("U2".to_owned());
            tx.put(AUDIT, &Key::new().seq(4200), &entry)
        });
        assert_eq!(
            said,
            "store: audit entry 4200: was changed after it was written"
        );
    }

    #[test]
    fn entries_keep_their_times_and_stand_in_the_order_of_appending() {
        let store = Store::in_memory().unwrap();
        let time = |seconds| DateTime::from_timestamp(seconds, 999_999).unwrap();
        // A clock that was wrong, and what was brought in from elsewhere.
        let times = [100, 2_000_000_000, 101, -5, 102];
        let written = store.write(|tx| {
            times.iter().try_for_each(|seconds| {
                append(
                    tx,
                    AuditEvent::system(EntityType::System, Action::Imported),
                    time(*seconds),
                )
            })
        });
        let entries = written.unwrap().audit;
        assert_eq!(store.read(verify).unwrap().seq, 5);
        let listed = |from: Option<i64>, to: Option<i64>| {
            let filter = Filter {
                from: from.map(|at| DateTime::from_timestamp(at, 0).unwrap()),
                to: to.map(|at| DateTime::from_timestamp(at, 0).unwrap()),
                ..Filter::default()
            };
            let (total, entries) = store.read(|tx| list(tx, &filter, 0, 9)).unwrap();
            assert_eq!(total, entries.len());
            entries
                .iter()
                .map(|entry| entry.created_at.timestamp())
                .collect::<Vec<_>>()
        };
        assert_eq!(listed(None, None), [102, -5, 101, 2_000_000_000, 100]);
        assert_eq!(listed(Some(101), None), [102, 101, 2_000_000_000]);
        assert_eq!(listed(None, Some(101)), [-5, 100]);
        assert_eq!(listed(Some(100), Some(102)), [101, 100]);
        assert_eq!(listed(Some(102), Some(100)), [0i64; 0]);
        for entry in &entries {
            assert_eq!(
                entry.created_at.timestamp_subsec_nanos(),
                0,
                "whole milliseconds"
            );
            let found = store.read(|tx| find(tx, entry.id)).unwrap();
            assert_eq!(found.as_ref(), Some(entry));
        }
    }
}
