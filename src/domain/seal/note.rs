//! Signed notes, as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat, Utc};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::tree::Hash;
use crate::domain::hex::{hex, unhex};

/// A note's kind of key, of the list of C2SP: Ed25519.
const ALGORITHM: u8 = 1;
/// Before each signature.
const DASH: &str = "\u{2014} ";

/// Why a text is no checkpoint that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It has another form.
    #[error("is no checkpoint of an audit log of oncalld: {0}")]
    Form(&'static str),
    /// It is not signed with the key that it names.
    #[error("was changed: its signature does not fit")]
    Signature,
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root of the tree over their hashes.
    pub root: Hash,
    /// The hash of the last of them.
    pub head: Hash,
    /// When that was.
    pub at: DateTime<Utc>,
    /// The key that signed it.
    pub key: PublicKey,
    /// The key that will sign the next one.
    pub next_key: PublicKey,
}

impl Checkpoint {
    /// The note, signed.
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let mut signature = key.public(&self.origin).id().to_vec();
        signature.extend(key.0.sign(text.as_bytes()).as_ref());
        format!(
            "{text}\n{DASH}{} {}\n",
            self.origin,
            BASE64.encode(signature)
        )
    }

    fn text(&self) -> String {
        let Self {
            origin, size, key, ..
        } = self;
        let (root, head) = (BASE64.encode(self.root), hex(&self.head));
        let at = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let next = &self.next_key;
        format!(
            "{origin}\n{size}\n{root}\nhead {head}\ntime {at}\nkey {}\nnext-key {}\n",
            key.text(),
            next.text()
        )
    }

    /// Reads a note, and verifies that it is signed with the key that it names. Whether that key is to
    /// be trusted is another question. White space at its ends, which mail and editors add and take,
    /// doesn't count.
    ///
    /// # Errors
    /// It has another form; the signature doesn't fit.
    pub fn verify(note: &str) -> Result<Self, NoteError> {
        let note = note.trim().replace("\r\n", "\n");
        let (text, signatures) = split(&note)?;
        let checkpoint = Self::read(text).ok_or(NoteError::Form(
            "expected origin, size, root, head, time, key and next-key, a line each",
        ))?;
        let mut signatures = signatures.lines();
        if signatures.any(|line| checkpoint.key.has_signed(text, line)) {
            return Ok(checkpoint);
        }
        Err(NoteError::Signature)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next()?.to_owned();
        let checkpoint = Self {
            size: lines.next()?.parse().ok()?,
            root: BASE64.decode(lines.next()?).ok()?.try_into().ok()?,
            head: unhex(lines.next()?.strip_prefix("head ")?)?
                .try_into()
                .ok()?,
            at: lines.next()?.strip_prefix("time ")?.parse().ok()?,
            key: PublicKey::read(lines.next()?.strip_prefix("key ")?)?,
            next_key: PublicKey::read(lines.next()?.strip_prefix("next-key ")?)?,
            origin,
        };
        // One way to write each: a note in any other is not ours.
        (checkpoint.text() == text).then_some(checkpoint)
    }
}

/// Text and signatures.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let end = note.rfind("\n\n").ok_or(NoteError::Form(
        "expected text, an empty line, and signatures",
    ))?;
    Ok((&note[..=end], &note[end + 2..]))
}

/// A key that verifies notes: its name, and 32 bytes of Ed25519.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    bytes: [u8; 32],
}

impl PublicKey {
    /// Reads `name+id+key`, the form of C2SP.
    pub fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, encoded) = rest.split_once('+')?;
        let decoded = BASE64.decode(encoded).ok()?;
        let (&algorithm, bytes) = decoded.split_first()?;
        let key = Self {
            name: name.to_owned(),
            bytes: bytes.try_into().ok()?,
        };
        (algorithm == ALGORITHM && hex(&key.id()) == id).then_some(key)
    }

    /// `name+id+key`.
    pub fn text(&self) -> String {
        let encoded = BASE64.encode([&[ALGORITHM], &self.bytes[..]].concat());
        format!("{}+{}+{encoded}", self.name, hex(&self.id()))
    }

    /// What signatures call it by.
    fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', ALGORITHM]);
        hasher.update(self.bytes);
        let hash: Hash = hasher.finalize().into();
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }

    fn has_signed(&self, text: &str, line: &str) -> bool {
        let signature = || {
            let line = line.strip_prefix(DASH)?.strip_prefix(&self.name)?;
            let decoded = BASE64.decode(line.strip_prefix(' ')?).ok()?;
            let (id, signature) = decoded.split_first_chunk::<4>()?;
            (*id == self.id()).then(|| signature.to_vec())
        };
        let key = UnparsedPublicKey::new(&ED25519, self.bytes);
        signature().is_some_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
    }
}

/// A key that signs one note.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of 32 random bytes; none where they are too few or too many.
    pub fn of_seed(seed: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The key that verifies what it signs, under a name.
    pub fn public(&self, name: &str) -> PublicKey {
        let bytes = self.0.public_key().as_ref().try_into();
        PublicKey {
            name: name.to_owned(),
            bytes: bytes.expect("invariant: a public key of Ed25519 has 32 bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(size: u64, seed: u8) -> String {
        let origin = "oncalld/log".to_owned();
        let key = SigningKey::of_seed(&[seed; 32]).unwrap();
        let next = SigningKey::of_seed(&[seed + 1; 32]).unwrap();
        let checkpoint = Checkpoint {
            size,
            root: [1; 32],
            head: [2; 32],
            at: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            key: key.public(&origin),
            next_key: next.public(&origin),
            origin,
        };
        checkpoint.sign(&key)
    }

    #[test]
    fn a_note_says_what_was_signed() {
        let note = note(7, 3);
        let read = Checkpoint::verify(&note).unwrap();
        assert_eq!((read.size, read.root, read.head), (7, [1; 32], [2; 32]));
        assert_eq!(PublicKey::read(&read.key.text()), Some(read.key.clone()));
        assert_eq!(split(&note).unwrap().0, read.text());
        // Others may add their signatures.
        let witnessed = format!("{note}{DASH}witness.example AAAAAAAA\n");
        assert_eq!(Checkpoint::verify(&witnessed).unwrap(), read);
    }

    /// The example of Go's `note` package, by which its checksum database is signed.
    #[test]
    fn notes_are_those_of_c2sp() {
        let name = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ\
                    SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key = PublicKey::read(name).unwrap();
        let (text, signatures) = split(note).unwrap();
        assert!(key.has_signed(text, signatures.trim_end()));
        assert!(!key.has_signed(&text.replace("answer", "Answer"), signatures.trim_end()));
        assert!(matches!(Checkpoint::verify(note), Err(NoteError::Form(_))));
        assert_eq!(PublicKey::read(&name.replace("c74f", "c74e")), None);
        assert_eq!(PublicKey::read(""), None);
    }

    proptest! {
        #[test]
        fn no_changed_note_counts(at in 0_usize..600, to in any::<char>()) {
            let note = note(1234, 9);
            let chars: Vec<char> = note.chars().collect();
            let at = at % chars.len();
            prop_assume!(chars[at] != to);
            let mut changed = chars;
            changed[at] = to;
            let changed: String = changed.into_iter().collect();
            // Signatures bear a hint and padding that others may write otherwise; what is signed not.
            if let Ok(read) = Checkpoint::verify(&changed) {
                prop_assert_eq!(read, Checkpoint::verify(&note).unwrap());
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            prop_assert!(Checkpoint::verify(&text).is_err());
        }
    }
}
