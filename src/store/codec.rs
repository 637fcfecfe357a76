//! Records: a version, a checksum, then bincode. The only user of bincode, so that it can be
//! exchanged: the crate is unmaintained (RUSTSEC-2025-0141), its format is frozen.
//!
//! The format is positional. A changed record gets the next `VERSION`, and its `upgrade`
//! reads the older ones; `tests/golden` holds bytes of every version.
//!
//! redb checks its pages when a file is opened after a crash, not when they are read. So each record
//! bears a CRC-32, which every read checks: a bit that flipped on the disk is an error that says so, and
//! never an answer. Records of before the checksum are given theirs by a migration.

use redb::TableHandle;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::tables::Table;

/// No record is larger, in bytes; a length that claims more is damage. The largest are kept
/// answers: a year of daily shifts, each with its explanation.
const LIMIT: usize = 32 * 1024 * 1024;

/// Marks the version byte of a record that has a checksum.
const SEALED: u8 = 0x80;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;

const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<LIMIT>,
> = bincode::config::standard().with_limit::<LIMIT>();

/// Something that is kept as a record.
pub trait Record: Serialize + DeserializeOwned {
    /// The version that is written.
    const VERSION: u8 = 1;

    /// Reads a record of an older version.
    ///
    /// # Errors
    /// The version is unknown, or the bytes are damaged.
    fn upgrade(version: u8, _body: &[u8]) -> Result<Self, String> {
        Err(unknown_version::<Self>(version))
    }
}

/// What to say of a version that [`Record::upgrade`] doesn't know.
pub fn unknown_version<T: Record>(version: u8) -> String {
    format!(
        "has version {version}, this oncalld reads up to {}",
        T::VERSION
    )
}

/// The bytes of a record.
///
/// # Errors
/// The record is larger than a record may be.
pub fn encode<T: Record>(table: Table, record: &T) -> Result<Vec<u8>, StoreError> {
    let problem = |problem| problem_of(table, problem);
    let body = bincode::serde::encode_to_vec(record, CONFIG).map_err(|e| problem(e.to_string()))?;
    if body.len() > LIMIT {
        return Err(problem(format!("{} bytes, at most {LIMIT}", body.len())));
    }
    Ok(sealed(table, T::VERSION, &body))
}

/// A record of a version and a body, as it is kept.
pub fn sealed(table: Table, version: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + CHECKSUM + body.len());
    bytes.push(SEALED | version);
    bytes.extend(checksum(table, version, body));
    bytes.extend(body);
    bytes
}

/// The bytes of a record that was kept before records had checksums, as they are kept now; none where
/// it has one, or is damaged.
pub fn newly_sealed(table: Table, bytes: &[u8]) -> Option<Vec<u8>> {
    let (version, body) = bytes.split_first()?;
    (version & SEALED == 0).then(|| sealed(table, *version, body))
}

/// The record of some bytes.
///
/// # Errors
/// They are of a newer version, or damaged.
pub fn decode<T: Record>(table: Table, bytes: &[u8]) -> Result<T, StoreError> {
    parse(table, bytes).map_err(|problem| problem_of(table, problem))
}

fn parse<T: Record>(table: Table, bytes: &[u8]) -> Result<T, String> {
    let (first, rest) = bytes.split_first().ok_or("is empty")?;
    let seal = rest.split_first_chunk::<CHECKSUM>();
    let (found, body) = seal
        .filter(|_| first & SEALED != 0)
        .ok_or("is damaged: it has no checksum")?;
    let version = first & !SEALED;
    if *found != checksum(table, version, body) {
        return Err("is damaged: its checksum is another".to_owned());
    }
    if version != T::VERSION {
        return T::upgrade(version, body);
    }
    parse_body(body)
}

/// Of the table too: a page in another's place is damage like any other.
fn checksum(table: Table, version: u8, body: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(table.name().as_bytes());
    hasher.update(&[version]);
    hasher.update(body);
    hasher.finalize().to_le_bytes()
}

fn problem_of(table: Table, problem: String) -> StoreError {
    StoreError::Record {
        table: table.name().to_owned(),
        problem,
    }
}

/// What follows a record's version byte, for [`Record::upgrade`].
///
/// # Errors
/// The bytes are damaged.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let (record, used) =
        bincode::serde::decode_from_slice(body, CONFIG).map_err(|e| e.to_string())?;
    if used == body.len() {
        Ok(record)
    } else {
        Err(format!("{} bytes too long", body.len() - used))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tables::{SESSIONS, TOKENS};
    use super::*;
    use crate::domain::ids::TokenId;
    use crate::domain::session::Session;

    fn session() -> Session {
        let now = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        Session::new(TokenId::new(now), now)
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let session = session();
        let bytes = encode(SESSIONS, &session).unwrap();
        assert_eq!(decode::<Session>(SESSIONS, &bytes).unwrap(), session);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = decode::<Session>(SESSIONS, &damaged).unwrap_err();
            assert!(error.to_string().contains("sessions"), "{error}");
        }
        for length in 0..bytes.len() {
            assert!(decode::<Session>(SESSIONS, &bytes[..length]).is_err());
        }
        assert!(decode::<Session>(SESSIONS, &vec![0; bytes.len()]).is_err());
        assert!(
            decode::<Session>(TOKENS, &bytes).is_err(),
            "another table's"
        );
    }

    #[test]
    fn what_had_no_checksum_gets_one_once() {
        let session = session();
        let bytes = encode(SESSIONS, &session).unwrap();
        let before = [&[1], &bytes[1 + CHECKSUM..]].concat();
        assert!(decode::<Session>(SESSIONS, &before).is_err());
        assert_eq!(newly_sealed(SESSIONS, &before).unwrap(), bytes);
        assert_eq!(newly_sealed(SESSIONS, &bytes), None);
    }
}
