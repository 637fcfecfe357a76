//! Records: one version byte, then bincode. The only user of bincode, so that it can be
//! exchanged: the crate is unmaintained (RUSTSEC-2025-0141), its format is frozen.
//!
//! The format is positional. A changed record gets the next `VERSION`, and its `upgrade`
//! reads the older ones; `tests/golden` holds bytes of every version.

use redb::TableHandle;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::tables::Table;

/// No record is larger, in bytes; a length that claims more is damage. The largest are kept
/// answers: a year of daily shifts, each with its explanation.
const LIMIT: usize = 32 * 1024 * 1024;

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
    let problem = |problem| StoreError::Record {
        table: table.name().to_owned(),
        problem,
    };
    let mut bytes = vec![T::VERSION];
    let body = bincode::serde::encode_to_vec(record, CONFIG).map_err(|e| problem(e.to_string()))?;
    if body.len() > LIMIT {
        return Err(problem(format!("{} bytes, at most {LIMIT}", body.len())));
    }
    bytes.extend(body);
    Ok(bytes)
}

/// The record of some bytes.
///
/// # Errors
/// They are of a newer version, or damaged.
pub fn decode<T: Record>(table: Table, bytes: &[u8]) -> Result<T, StoreError> {
    let problem = |problem| StoreError::Record {
        table: table.name().to_owned(),
        problem,
    };
    parse(bytes).map_err(problem)
}

fn parse<T: Record>(bytes: &[u8]) -> Result<T, String> {
    let (version, body) = bytes.split_first().ok_or("is empty")?;
    if *version != T::VERSION {
        return T::upgrade(*version, body);
    }
    parse_body(body)
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
