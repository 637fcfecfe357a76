//! A store as lines of JSON, and back: for whoever wants to read it with other tools, or to leave.
//!
//! The first line says what it is, each line after it is a row, the last one says how many there are.
//! Records are JSON objects with the fields of [`crate::domain`]; keys, and values of other rows, are hex.
//! All rows are there, also those of indexes, so that what is imported is the same to the byte.

use std::io::{BufRead, Read as _, Write};
use std::ops::ControlFlow;

use redb::TableHandle as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog::kind_of;
use super::error::StoreError;
use super::examine::{self, Found};
use super::key::Key;
use super::tables::{self, Table};
use super::tx::{Order, ReadTx, Reader as _};
use super::{SCHEMA_VERSION, Store};
use crate::domain::hex::{hex, unhex};

/// The version of the form.
const FORMAT: u32 = 1;
/// Bytes of lines that are imported in one transaction.
const AT_ONCE: usize = 8 * 1024 * 1024;

/// The longest line, in bytes: records are at most 32 MB, and JSON takes more.
const LONGEST: u64 = 256 * 1024 * 1024;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct First {
    oncalld_export: u32,
    schema_version: u32,
    oncalld: String,
}

/// A row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    table: String,
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Last {
    rows: u64,
}

/// Why nothing was exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed, or a record can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines can't be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A line is not as it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// All lines were read, and what they make is not sound.
    #[error("what was imported is not sound: {0}")]
    Unsound(String),
}

/// Writes all that a snapshot shows, a line at a time: how many rows.
///
/// # Errors
/// A record can't be read, or a line can't be written.
pub fn export(tx: &ReadTx, out: &mut impl Write) -> Result<u64, ExportError> {
    write_line(
        out,
        &First {
            oncalld_export: FORMAT,
            schema_version: SCHEMA_VERSION,
            oncalld: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )?;
    let mut rows = 0;
    for table in tables::ALL {
        let (name, kind) = (table.name(), kind_of(table.name()));
        let mut failed = None;
        let end = Key::new().end();
        tx.scan(*table, &[], &end, Order::Ascending, &mut |key, bytes| {
            let record = kind.map(|kind| (kind.to_json)(bytes)).transpose()?;
            let row = Row {
                table: name.to_owned(),
                key: hex(key),
                value: record.is_none().then(|| hex(bytes)),
                record,
            };
            rows += 1;
            Ok(match write_line(out, &row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            })
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    write_line(out, &Last { rows })?;
    out.flush()?;
    Ok(rows)
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Fills a store that is of no use before this returns with the rows of an export, and proves it.
///
/// # Errors
/// A line is not as it should be, the last one is missing, a newer oncalld wrote it, or what it makes is
/// not sound.
pub fn import(lines: impl BufRead, store: &Store) -> Result<Found, ExportError> {
    // What a new store holds by itself is in the export, too.
    store.write(|tx| tables::ALL.iter().try_for_each(|table| tx.clear(*table)))?;
    let mut lines = Lines {
        text: lines,
        number: 0,
        bytes: 0,
    };
    let text = lines.next()?;
    let first: First = lines.parse(&text)?;
    if first.oncalld_export > FORMAT || first.schema_version > SCHEMA_VERSION {
        let version = first.oncalld;
        return Err(lines.wrong(format!(
            "oncalld {version} wrote it, which is newer: upgrade"
        )));
    }
    if first.schema_version < SCHEMA_VERSION {
        let (found, version) = (first.schema_version, first.oncalld);
        return Err(lines.wrong(format!(
            "it has schema {found}, and this oncalld reads {SCHEMA_VERSION}: import it with oncalld \
             {version}, and let this one upgrade its store"
        )));
    }
    let mut rows = 0;
    let mut last = None;
    while last.is_none() {
        store.write(|tx| {
            let begun = lines.bytes;
            while last.is_none() && lines.bytes - begun < AT_ONCE {
                let text = lines.next()?;
                if text.starts_with("{\"rows\":") {
                    last = Some(lines.parse::<Last>(&text)?.rows);
                    continue;
                }
                let row: Row = lines.parse(&text)?;
                let (table, key, bytes) = row.read().map_err(|problem| lines.wrong(problem))?;
                tx.set(table, &key, &bytes)?;
                rows += 1;
            }
            Ok::<_, ExportError>(())
        })?;
    }
    if last != Some(rows) {
        let expected = last.unwrap_or(0);
        return Err(lines.wrong(format!("there are {rows} rows, and it says {expected}")));
    }
    let found = store.read(examine::examine)?;
    match found.problems.first() {
        None => Ok(found),
        Some(problem) => Err(ExportError::Unsound(problem.clone())),
    }
}

impl Row {
    /// Table, key and value.
    fn read(self) -> Result<(Table, Key, Vec<u8>), String> {
        let table = tables::ALL.iter().find(|table| table.name() == self.table);
        let table = table.ok_or_else(|| format!("table: there is no table `{}`", self.table))?;
        let bytes = |field: &str, text: &str| {
            unhex(text).ok_or_else(|| format!("{field}: `{text:.40}` is not hex"))
        };
        let key = Key::new().bytes(&bytes("key", &self.key)?);
        let value = match (kind_of(&self.table), self.record, self.value) {
            (Some(kind), Some(record), None) => {
                (kind.from_json)(record).map_err(|error| error.to_string())?
            }
            (None, None, Some(value)) => bytes("value", &value)?,
            (Some(_), ..) => {
                return Err(format!("`{}` has records: expected `record`", self.table));
            }
            (None, ..) => return Err(format!("`{}` has no records: expected `value`", self.table)),
        };
        Ok((*table, key, value))
    }
}

/// Lines, with what is to be said of where something is wrong.
struct Lines<R> {
    text: R,
    number: u64,
    bytes: usize,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<String, ExportError> {
        let mut text = String::new();
        self.number += 1;
        let read = (&mut self.text).take(LONGEST).read_line(&mut text);
        let read = read.map_err(|error| self.wrong(error))?;
        if !text.ends_with('\n') {
            let problem = match read {
                0 => "the last line is missing: it was cut off",
                _ => "it has no end: it was cut off, or is no export",
            };
            return Err(self.wrong(problem));
        }
        self.bytes += read;
        Ok(text)
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, ExportError> {
        serde_json::from_str(text).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, problem: impl std::fmt::Display) -> ExportError {
        ExportError::Line {
            line: self.number,
            problem: problem.to_string(),
        }
    }
}
