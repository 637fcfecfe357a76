//! Many entries at once: what indexes gain by a chunk of them is written once for all.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::bits::{Bits, CHUNK, place};
use super::sets::{self, SetKey};
use super::{Head, head, set_head, times};
use crate::domain::audit::{AuditEntry, AuditEvent};
use crate::domain::ids::AuditId;
use crate::store::error::StoreError;
use crate::store::key::Key;
use crate::store::tables::{AUDIT, AUDIT_IDS, AUDIT_INDEX};
use crate::store::tx::{Reader as _, WriteTx};

/// Appends entries of other systems, under their own ids. Nobody hears of them, as of
/// [`super::append`]. What is appended counts only once [`Bulk::finish`] has written the rest of it.
pub struct Bulk {
    head: Head,
    /// Where the new entries are, by id: written in the order of ids, since rows written here and there
    /// cost far more.
    ids: HashMap<Uuid, u64>,
    /// What the sets of the last chunk gain.
    sets: HashMap<Vec<u8>, Bits>,
    /// The times of the last entries, from position `first` on.
    times: Vec<DateTime<Utc>>,
    first: u64,
}

impl Bulk {
    /// After the last entry.
    pub fn begin(tx: &WriteTx) -> Result<Self, StoreError> {
        let head = head(tx)?;
        Ok(Self {
            head,
            ids: HashMap::new(),
            sets: HashMap::new(),
            times: Vec::new(),
            first: head.seq + 1,
        })
    }

    /// Appends an event under its id; false where that is there already.
    pub fn add(
        &mut self,
        tx: &WriteTx,
        id: AuditId,
        event: AuditEvent,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let is_known = self.ids.contains_key(&id.uuid())
            || tx.get(AUDIT_IDS, id_key(id.uuid()).as_slice())?.is_some();
        if is_known {
            return Ok(false);
        }
        let at = DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at);
        let seq = self.head.seq + 1;
        let (chunk, offset) = place(seq);
        if offset == 0 {
            self.write_indexes(tx)?;
            self.first = seq;
        }
        let entry = AuditEntry::chain(seq, id, event, at, self.head.hash);
        tx.put(AUDIT, &Key::new().seq(seq), &entry)?;
        self.ids.insert(id.uuid(), seq);
        for set in SetKey::all_of(&entry.event) {
            let key = set.chunk(chunk).into_bytes();
            self.sets.entry(key).or_insert(Bits::EMPTY).insert(offset);
        }
        self.times.push(at);
        let hash = entry.hash;
        self.head = Head { seq, hash };
        Ok(true)
    }

    /// Writes what is left to be written.
    pub fn finish(mut self, tx: &WriteTx) -> Result<(), StoreError> {
        self.write_indexes(tx)?;
        let mut ids: Vec<_> = self.ids.drain().collect();
        ids.sort_unstable();
        for (id, seq) in ids {
            tx.set(AUDIT_IDS, &id_key(id), &seq.to_be_bytes())?;
        }
        set_head(tx, &self.head)
    }

    fn write_indexes(&mut self, tx: &WriteTx) -> Result<(), StoreError> {
        for (key, gained) in self.sets.drain() {
            let key = Key::new().bytes(&key);
            let mut bits = sets::members(tx, &key)?;
            bits.unite(&gained);
            tx.set(AUDIT_INDEX, &key, &bits.encode())?;
        }
        let made = std::mem::take(&mut self.times);
        if self.first.is_multiple_of(CHUNK) && !made.is_empty() {
            let millis: Vec<_> = made.iter().map(DateTime::timestamp_millis).collect();
            return times::put(tx, self.first, &millis);
        }
        // Others of the chunk were there before.
        let positions = self.first..;
        let mut made = positions.zip(made);
        made.try_for_each(|(seq, at)| times::insert(tx, seq, at))
    }
}

fn id_key(id: Uuid) -> Key {
    Key::new().id(id)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::audit::{Action, EntityType};
    use crate::domain::ids::TeamId;
    use crate::store::audit::{append, verify};
    use crate::store::{Store, StoreError};

    #[test]
    fn entries_appended_at_once_are_in_the_log_as_others_are() {
        let store = Store::in_memory().unwrap();
        let begin = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let event = |number: u64| {
            let team = uuid::Uuid::from_u128(u128::from(number % 7));
            let mut event = AuditEvent::system(EntityType::Team, Action::Updated);
            event.team_id = Some(TeamId::from_uuid(team));
            event.change_type = Some("manual".to_owned());
            event
        };
        let at = |number: u64| begin + TimeDelta::minutes((number * 7919 % 50_000).cast_signed());
        let bulk = |from: u64, to: u64| {
            let written = store.write(|tx| {
                let mut bulk = Bulk::begin(tx)?;
                let mut added = 0;
                for number in from..to {
                    let id = AuditId::from_uuid(uuid::Uuid::from_u128(u128::from(number) + 1));
                    added += u64::from(bulk.add(tx, id, event(number), at(number))?);
                }
                bulk.finish(tx)?;
                Ok::<_, StoreError>(added)
            });
            written.unwrap().value
        };
        store.write(|tx| append(tx, event(0), begin)).unwrap();
        assert_eq!(bulk(0, 9_000), 9_000);
        assert_eq!(bulk(8_990, 9_010), 10, "those that are there stay");
        store.write(|tx| append(tx, event(1), begin)).unwrap();
        assert_eq!(bulk(9_010, 9_010), 0);
        assert_eq!(store.read(verify).unwrap().seq, 9_012);
    }
}
