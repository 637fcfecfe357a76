//! Tables of a dump: rows with names and places, from CSV with a header or lines of JSON.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::ImportError;
use super::csv::{CsvError, read_record};
use super::value::Row;

/// Where a row is in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Its first line, from 1.
    pub line: u64,
}

/// A table of a dump.
pub struct Table {
    path: PathBuf,
    reader: BufReader<File>,
    /// The columns of CSV; lines of JSON name their own.
    header: Option<Vec<String>>,
    at: Place,
}

/// Endings of names, and whether they are of CSV.
const FORMS: [(&str, bool); 4] = [
    ("csv", true),
    ("jsonl", false),
    ("ndjson", false),
    ("json", false),
];

impl Table {
    /// The table of this name in a folder, or the one file that is named like it; none where there is none.
    pub fn find(path: &Path, name: &str) -> Result<Option<Self>, ImportError> {
        for (ending, is_csv) in FORMS {
            let file = if path.is_dir() {
                path.join(format!("{name}.{ending}"))
            } else if path.file_name() == Some(format!("{name}.{ending}").as_ref()) {
                path.to_owned()
            } else {
                continue;
            };
            if file.is_file() {
                return Self::open(file, is_csv).map(Some);
            }
        }
        Ok(None)
    }

    fn open(path: PathBuf, is_csv: bool) -> Result<Self, ImportError> {
        let failed = |error: std::io::Error| ImportError::File {
            file: path.display().to_string(),
            problem: error.to_string(),
        };
        let reader = BufReader::new(File::open(&path).map_err(failed)?);
        let mut table = Self {
            path,
            reader,
            header: None,
            at: Place { offset: 0, line: 1 },
        };
        if is_csv {
            let header = table.record()?;
            let header = header.ok_or_else(|| table.wrong(1, "it is empty: expected a header"))?;
            let names = header.into_iter().map(Option::unwrap_or_default);
            // Spreadsheets put a mark at the beginning.
            let names = names.map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase());
            table.header = Some(names.collect());
        }
        Ok(table)
    }

    /// Refuses a table without columns that it can't do without, and returns those that nobody knows.
    pub fn check_columns(
        &self,
        needed: &[&str],
        known: &[&str],
    ) -> Result<Vec<String>, ImportError> {
        let Some(header) = &self.header else {
            return Ok(Vec::new());
        };
        let names: BTreeSet<_> = header.iter().map(String::as_str).collect();
        if names.len() != header.len() {
            return Err(self.wrong(1, "a column comes twice"));
        }
        if let Some(missing) = needed.iter().find(|name| !names.contains(*name)) {
            let found = header.join(", ");
            return Err(self.wrong(1, format!("column `{missing}` is missing; found {found}")));
        }
        let unknown = names.into_iter().filter(|name| !known.contains(name));
        Ok(unknown.map(str::to_owned).collect())
    }

    /// Where the next row is.
    pub fn place(&self) -> Place {
        self.at
    }

    /// Goes to a row.
    pub fn go_to(&mut self, place: Place) -> Result<(), ImportError> {
        if place == self.at {
            return Ok(());
        }
        let sought = self.reader.seek(SeekFrom::Start(place.offset));
        sought.map_err(|error| self.wrong(place.line, error))?;
        self.at = place;
        Ok(())
    }

    /// The next row; none at the end.
    pub fn next(&mut self) -> Result<Option<Row>, ImportError> {
        let line = self.at.line;
        let Some(header) = self.header.take() else {
            return self.next_json();
        };
        let record = self.record();
        let row = record.and_then(|record| {
            let Some(fields) = record else {
                return Ok(None);
            };
            if fields.len() != header.len() {
                let (found, expected) = (fields.len(), header.len());
                let problem = format!("it has {found} fields, the header has {expected}");
                return Err(self.wrong(line, problem));
            }
            let fields = header.iter().cloned().zip(fields);
            let fields = fields.map(|(name, text)| (name, text.map_or(Value::Null, Value::String)));
            Ok(Some(self.row(line, fields.collect())))
        });
        self.header = Some(header);
        row
    }

    fn next_json(&mut self) -> Result<Option<Row>, ImportError> {
        loop {
            let line = self.at.line;
            let mut text = Vec::new();
            let read = self.reader.read_until(b'\n', &mut text);
            let read = read.map_err(|error| self.wrong(line, error))?;
            if read == 0 {
                return Ok(None);
            }
            self.at.offset += read as u64;
            self.at.line += 1;
            if text.trim_ascii().is_empty() {
                continue;
            }
            let fields: Map<String, Value> =
                serde_json::from_slice(&text).map_err(|error| self.wrong(line, error))?;
            return Ok(Some(self.row(line, fields)));
        }
    }

    fn row(&self, line: u64, fields: Map<String, Value>) -> Row {
        let file = self.path.display().to_string();
        Row { file, line, fields }
    }

    fn record(&mut self) -> Result<Option<Vec<Option<String>>>, ImportError> {
        match read_record(&mut self.reader) {
            Ok(None) => Ok(None),
            Ok(Some((fields, lines, bytes))) => {
                self.at.offset += bytes;
                self.at.line += lines;
                Ok(Some(fields))
            }
            Err(CsvError::Io(error)) => Err(self.wrong(self.at.line, error)),
            Err(CsvError::Malformed(problem)) => Err(self.wrong(self.at.line, problem)),
        }
    }

    fn wrong(&self, line: u64, problem: impl std::fmt::Display) -> ImportError {
        ImportError::Row {
            file: self.path.display().to_string(),
            line,
            problem: problem.to_string(),
        }
    }
}
