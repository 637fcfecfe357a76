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
    let far = said_after(|tx| sets::insert(tx, &SetKey::new(Dimension::Actor, "U1"), 10 * CHUNK));
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
        let (start, problem) = said.split_at("store: index `audit_times` of the audit log: ".len());
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
