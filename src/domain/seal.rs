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

pub use self::note::{Checkpoint, NoteError, PublicKey, SigningKey, body_of};
pub use self::tree::{Hash, Tree};
