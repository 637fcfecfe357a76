//! Checkpoints of the audit log: notes that say how many entries it had and what they come to, signed
//! with a key that was gone a moment later.
//!
//! - The tree over the entries' hashes is that of RFC 6962 (certificate transparency), and a note is a
//!   [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint), a [signed
//!   note](https://c2sp.org/signed-note): other tools read and verify it.
//! - Each note names the key of the next one and is signed with a key that is thrown away then, as
//!   journald's sealing does: whoever gets hold of the file can sign what is to come, but nothing that
//!   has been.

mod note;
mod tree;

pub use self::note::{Checkpoint, NoteError, PublicKey, SigningKey};
pub use self::tree::{Hash, Tree};
use crate::domain::invalid::Invalid;

/// What somebody has kept elsewhere of a log, to hold it against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// A checkpoint that the log has to lead to.
    pub checkpoint: Option<Checkpoint>,
    /// The key of the first checkpoint.
    pub key: Option<PublicKey>,
}

impl Kept {
    /// Reads a signed note and a key.
    ///
    /// # Errors
    /// `checkpoint` or `key` is none.
    pub fn read(checkpoint: Option<&str>, key: Option<&str>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let kept = Self {
            checkpoint: checkpoint.and_then(|note| {
                let read = Checkpoint::verify(note);
                read.map_err(|error| invalid.add("checkpoint", error.to_string()))
                    .ok()
            }),
            key: key.and_then(|text| PublicKey::read(text.trim())),
        };
        let message = "is no key of a checkpoint: expected `oncalld/…+…+…`, as verifying shows it";
        invalid.check(key.is_some() == kept.key.is_some(), "key", message);
        invalid.into_result(kept)
    }
}

/// What is proven of a log that is as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// How many entries it has.
    pub entries: u64,
    /// The hash of the last of them.
    pub head: Hash,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many entries the last of them covers.
    pub sealed: u64,
    /// The key of the first.
    pub key: Option<PublicKey>,
    /// How many entries the checkpoint covers that was kept elsewhere.
    pub against: Option<u64>,
}
