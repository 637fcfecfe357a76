//! Checkpoints of the log, as they were signed, and what it takes to sign the next one.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{AUDIT, head};
use crate::domain::audit::AuditEntry;
use crate::domain::seal::{Checkpoint, Hash, Tree};
use crate::store::codec::{Record, decode};
use crate::store::error::StoreError;
use crate::store::key::Key;
use crate::store::meta;
use crate::store::tables::AUDIT_SEALS;
use crate::store::tx::{Order, Reader, WriteTx};

/// Seed of the key that signs the next checkpoint.
const SIGNING_KEY: &str = "audit_sealing_key";
/// The tree over the entries up to the last checkpoint.
const TREE: &str = "audit_tree";

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Counted from 1.
    pub number: u64,
    /// The signed note.
    pub note: String,
}

impl Record for Seal {}

/// Every checkpoint, oldest first.
pub fn list(tx: &impl Reader) -> Result<Vec<Seal>, StoreError> {
    tx.list(AUDIT_SEALS, &Key::new())
}

/// How many checkpoints there are.
pub fn count(tx: &impl Reader) -> Result<u64, StoreError> {
    tx.count(AUDIT_SEALS)
}

/// The checkpoint of a number.
pub fn find(tx: &impl Reader, number: u64) -> Result<Option<Seal>, StoreError> {
    tx.find(AUDIT_SEALS, &Key::new().seq(number))
}

/// Keeps a checkpoint with the tree that it covers, and the seed of the key for the next one in the
/// place of its own.
pub fn put(tx: &WriteTx, seal: &Seal, tree: &Tree, next: &Hash) -> Result<(), StoreError> {
    tx.put(AUDIT_SEALS, &Key::new().seq(seal.number), seal)?;
    meta::set(tx, TREE, &tree.to_bytes())?;
    meta::set(tx, SIGNING_KEY, next)
}

/// The seed of the key that signs the next checkpoint; none before the first.
pub fn seed(tx: &impl Reader) -> Result<Option<Vec<u8>>, StoreError> {
    meta::get(tx, SIGNING_KEY)
}

/// The tree over all entries, which begins with what is known of it, or with the last checkpoint's.
pub fn tree(tx: &impl Reader, known: Option<Tree>) -> Result<Tree, StoreError> {
    let last = head(tx)?.seq;
    let kept = match known {
        Some(tree) => Some(tree),
        None => meta::get(tx, TREE)?.and_then(|bytes| Tree::from_bytes(&bytes)),
    };
    let mut tree = kept.filter(|tree| tree.size() <= last).unwrap_or_default();
    let from = Key::new().seq(tree.size() + 1);
    let end = Key::new().end();
    tx.scan(
        AUDIT,
        from.as_slice(),
        &end,
        Order::Ascending,
        &mut |_, bytes| {
            let entry: AuditEntry = decode(AUDIT, bytes)?;
            tree.push(&entry.hash);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(tree)
}

/// What a checkpoint says, signed as it has to be.
///
/// # Errors
/// It was changed.
pub fn read(seal: &Seal) -> Result<Checkpoint, StoreError> {
    Checkpoint::verify(&seal.note).map_err(|error| StoreError::AuditSeal {
        number: seal.number,
        problem: error.to_string(),
    })
}
