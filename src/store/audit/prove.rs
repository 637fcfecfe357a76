//! Proof that the log is the one whose checkpoints are kept, here and elsewhere.

use std::collections::BTreeMap;

use super::seals::{self, Seal, read};
use super::verify_through;
use crate::domain::seal::{Checkpoint, Kept, Proven};
use crate::store::error::StoreError;
use crate::store::tx::Reader;

/// Checks the log, its indexes and its checkpoints, and that they lead to what was kept elsewhere.
///
/// # Errors
/// The first checkpoint, entry or row of an index that is not as it was written.
pub fn prove(tx: &impl Reader, kept: &Kept) -> Result<Proven, StoreError> {
    let checkpoints = chain(&seals::list(tx)?)?;
    let first = checkpoints.first().map(|first| &first.key);
    if let Some(wanted) = &kept.key
        && first != Some(wanted)
    {
        let problem = match first {
            Some(first) => format!(
                "is signed with `{}`, not with `{}`: the log was begun anew, or rewritten",
                first.text(),
                wanted.text()
            ),
            None => "is missing".to_owned(),
        };
        return Err(StoreError::AuditSeal { number: 1, problem });
    }
    // What the log has to come to, by its size then. What was kept elsewhere is judged first.
    let mut marks = BTreeMap::<u64, Vec<(Option<u64>, &Checkpoint)>>::new();
    if let Some(kept) = &kept.checkpoint {
        marks.entry(kept.size).or_default().push((None, kept));
    }
    for (number, checkpoint) in (1..).zip(&checkpoints) {
        let mark = marks.entry(checkpoint.size).or_default();
        mark.push((Some(number), checkpoint));
    }
    let head = verify_through(tx, |entry, tree| {
        for (number, checkpoint) in marks.remove(&entry.seq).into_iter().flatten() {
            if (checkpoint.root, checkpoint.head) != (tree.root(), entry.hash) {
                return Err(differs(number, checkpoint));
            }
        }
        Ok(())
    })?;
    if let Some((number, checkpoint)) = marks.into_values().flatten().next() {
        return Err(ends_early(number, checkpoint, head.seq));
    }
    Ok(Proven {
        entries: head.seq,
        head: head.hash,
        against: kept.checkpoint.as_ref().map(|kept| kept.size),
        checkpoints: checkpoints.len() as u64,
        sealed: checkpoints.last().map_or(0, |last| last.size),
        key: first.cloned(),
    })
}

/// What the checkpoints say, each signed with the key that the one before announced.
fn chain(seals: &[Seal]) -> Result<Vec<Checkpoint>, StoreError> {
    let mut checkpoints: Vec<Checkpoint> = Vec::with_capacity(seals.len());
    for (number, seal) in (1..).zip(seals) {
        let wrong = |problem: &str| {
            let problem = problem.to_owned();
            Err(StoreError::AuditSeal { number, problem })
        };
        if seal.number != number {
            return wrong("is missing");
        }
        let checkpoint = read(seal)?;
        if let Some(last) = checkpoints.last() {
            if checkpoint.key != last.next_key {
                return wrong("is not signed with the key that the one before announced");
            }
            if checkpoint.size <= last.size || checkpoint.origin != last.origin {
                return wrong("does not follow from the one before");
            }
        }
        checkpoints.push(checkpoint);
    }
    Ok(checkpoints)
}

fn differs(number: Option<u64>, checkpoint: &Checkpoint) -> StoreError {
    let (size, at) = (checkpoint.size, checkpoint.at);
    match number {
        Some(number) => StoreError::AuditSeal {
            number,
            problem: format!("is of another log: entries up to {size} were rewritten"),
        },
        None => StoreError::Audit {
            seq: size,
            problem: format!(
                "or one before it is not what it was at the checkpoint of {at}: the log was rewritten, \
                 or is another one"
            ),
        },
    }
}

fn ends_early(number: Option<u64>, checkpoint: &Checkpoint, last: u64) -> StoreError {
    let (size, at) = (checkpoint.size, checkpoint.at);
    match number {
        Some(number) => StoreError::AuditSeal {
            number,
            problem: format!("covers {size} entries, and the log has {last}: its end was cut off"),
        },
        None => StoreError::Audit {
            seq: last + 1,
            problem: format!(
                "is missing: there were {size} at the checkpoint of {at}. The end of the log was cut off, \
                 or an older file put in its place"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::audit::{Action, AuditEvent, EntityType};
    use crate::domain::seal::{PublicKey, SigningKey, Tree};
    use crate::store::audit::{Head, append, at, head, rebuild_indexes, set_head};
    use crate::store::key::Key;
    use crate::store::tables::{AUDIT, AUDIT_SEALS};
    use crate::store::{Store, WriteTx};

    fn add(store: &Store, entries: usize) {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let written = store.write(|tx| {
            (0..entries).try_for_each(|_| {
                append(
                    tx,
                    AuditEvent::system(EntityType::System, Action::Created),
                    now,
                )
            })
        });
        written.unwrap();
    }

    /// Signs with the key of a seed, and announces the next.
    fn seal(store: &Store, seed: u8, next: u8) -> Checkpoint {
        let sealed = store.write(|tx| {
            // Of the entries as they are now, whatever is kept of earlier ones.
            let tree = seals::tree(tx, Some(Tree::default()))?;
            let origin = "oncalld/test".to_owned();
            let keys = [seed, next].map(|seed| SigningKey::of_seed(&[seed; 32]).unwrap());
            let checkpoint = Checkpoint {
                size: tree.size(),
                root: tree.root(),
                head: head(tx)?.hash,
                at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
                key: keys[0].public(&origin),
                next_key: keys[1].public(&origin),
                origin,
            };
            let number = seals::count(tx)? + 1;
            let note = checkpoint.sign(&keys[0]);
            seals::put(tx, &Seal { number, note }, &tree, &[next; 32])?;
            Ok::<_, StoreError>(checkpoint)
        });
        sealed.unwrap().value
    }

    fn sealed() -> (Store, [Checkpoint; 2]) {
        let store = Store::in_memory().unwrap();
        add(&store, 5);
        let first = seal(&store, 1, 2);
        add(&store, 3);
        let second = seal(&store, 2, 3);
        add(&store, 1);
        (store, [first, second])
    }

    fn kept(checkpoint: Option<&Checkpoint>, key: Option<&PublicKey>) -> Kept {
        Kept {
            checkpoint: checkpoint.cloned(),
            key: key.cloned(),
        }
    }

    fn problem(store: &Store, against: Option<&Checkpoint>) -> String {
        let proven = store.read(|tx| prove(tx, &kept(against, None)));
        proven.unwrap_err().to_string()
    }

    fn tamper(store: &Store, f: impl Fn(&mut WriteTx) -> Result<(), StoreError>) {
        store.write(|tx| f(tx)).unwrap();
    }

    /// Leaves the first so many entries, with all that goes with them.
    fn cut(tx: &mut WriteTx, keep: u64) -> Result<(), StoreError> {
        for seq in keep + 1..=head(tx)?.seq {
            tx.remove(AUDIT, &Key::new().seq(seq))?;
        }
        let hash = at(tx, keep)?.unwrap().hash;
        set_head(tx, &Head { seq: keep, hash })?;
        rebuild_indexes(tx)
    }

    #[test]
    fn an_untouched_log_leads_to_all_of_its_checkpoints() {
        let (store, checkpoints) = sealed();
        let proven = store.read(|tx| prove(tx, &kept(None, None))).unwrap();
        assert_eq!(
            (proven.entries, proven.checkpoints, proven.sealed),
            (9, 2, 8)
        );
        for checkpoint in &checkpoints {
            let key = proven.key.as_ref();
            store
                .read(|tx| prove(tx, &kept(Some(checkpoint), key)))
                .unwrap();
        }
        let empty = Store::in_memory().unwrap();
        assert_eq!(
            empty.read(|tx| prove(tx, &kept(None, None))).unwrap(),
            Proven::default()
        );
    }

    #[test]
    fn a_log_that_was_cut_off_is_found_by_what_is_kept_here_or_elsewhere() {
        let (store, [_, second]) = sealed();
        tamper(&store, |tx| cut(tx, 6));
        assert!(problem(&store, None).contains("its end was cut off"));
        assert!(problem(&store, Some(&second)).contains("an older file"));
        // Whoever takes the checkpoint away too is found by the one elsewhere.
        tamper(&store, |tx| tx.remove(AUDIT_SEALS, &Key::new().seq(2)));
        store.read(|tx| prove(tx, &kept(None, None))).unwrap();
        assert!(problem(&store, Some(&second)).contains("an older file"));
    }

    #[test]
    fn a_log_that_was_rewritten_is_found_and_can_not_be_sealed_again() {
        let (store, [first, second]) = sealed();
        tamper(&store, |tx| cut(tx, 3));
        add(&store, 6);
        store.read(super::super::verify).unwrap();
        assert!(
            problem(&store, None).contains("rewritten"),
            "{}",
            problem(&store, None)
        );
        assert!(problem(&store, Some(&second)).contains("rewritten"));
        // With the key that the file holds, the old ones can't be signed again.
        tamper(&store, |tx| {
            for number in [1, 2] {
                tx.remove(AUDIT_SEALS, &Key::new().seq(number))?;
            }
            Ok(())
        });
        seal(&store, 3, 4);
        let forged = store.read(|tx| prove(tx, &kept(None, None))).unwrap();
        assert_ne!(forged.key, Some(first.key.clone()));
        let error = store.read(|tx| prove(tx, &kept(None, Some(&first.key))));
        assert!(error.unwrap_err().to_string().contains("begun anew"));
    }

    #[test]
    fn a_checkpoint_that_is_missing_or_of_another_key_is_named() {
        let (store, _) = sealed();
        tamper(&store, |tx| tx.remove(AUDIT_SEALS, &Key::new().seq(1)));
        assert!(problem(&store, None).contains("checkpoint 1 of the audit log is missing"));
        let (store, _) = sealed();
        seal(&store, 7, 8);
        let found = problem(&store, None);
        assert!(
            found.contains("checkpoint 3") && found.contains("announced"),
            "{found}"
        );
    }
}
