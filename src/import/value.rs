//! What a row's columns hold, in PostgreSQL's forms and in JSON's.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::ImportError;
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;

/// A row, and where it is.
#[derive(Clone, Debug)]
pub struct Row {
    pub file: String,
    pub line: u64,
    pub fields: Map<String, Value>,
}

type Result<T> = std::result::Result<T, ImportError>;

impl Row {
    /// A complaint about a column.
    pub fn wrong(&self, column: &str, problem: impl std::fmt::Display) -> ImportError {
        ImportError::Row {
            file: self.file.clone(),
            line: self.line,
            problem: format!("column `{column}`: {problem}"),
        }
    }

    /// A complaint of the domain.
    pub fn invalid(&self, invalid: Invalid) -> ImportError {
        match invalid.0.into_iter().next() {
            Some(error) => self.wrong(&error.field, error.message),
            None => self.wrong("", "is invalid"),
        }
    }

    /// The first of these columns that is not null.
    fn value(&self, columns: &[&str]) -> Option<&Value> {
        let mut values = columns.iter().filter_map(|name| self.fields.get(*name));
        values.find(|value| !value.is_null())
    }

    /// A text, from the first of these columns that has one.
    pub fn text(&self, columns: &[&str]) -> Option<String> {
        Some(match self.value(columns)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// A text that has to be there.
    pub fn needed(&self, column: &str) -> Result<String> {
        self.text(&[column])
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(column, "is missing"))
    }

    /// An id: a UUID as it is; what is anything else becomes one, the same each time.
    pub fn id(&self, kind: &str, column: &str) -> Result<Uuid> {
        let text = self.needed(column)?;
        Ok(Uuid::parse_str(&text).unwrap_or_else(|_| {
            let hash = Sha256::digest(format!("bugbot\0{kind}\0{text}"));
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&hash[..16]);
            // A UUID of version 8: vendor-specific (RFC 9562, section 5.8).
            uuid::Builder::from_custom_bytes(bytes).into_uuid()
        }))
    }

    /// A Slack user; none where the column is null or empty.
    pub fn user(&self, columns: &[&str]) -> Result<Option<UserId>> {
        let text = self.text(columns).filter(|text| !text.is_empty());
        let column = columns.first().copied().unwrap_or_default();
        text.map(|text| {
            text.parse()
                .map_err(|error| self.wrong(column, format!("`{text:.40}` {error}")))
        })
        .transpose()
    }

    /// A Slack user that has to be there.
    pub fn needed_user(&self, columns: &[&str]) -> Result<UserId> {
        let column = columns.first().copied().unwrap_or_default();
        self.user(columns)?
            .ok_or_else(|| self.wrong(column, "is missing"))
    }

    /// A date.
    pub fn date(&self, columns: &[&str]) -> Result<Option<NaiveDate>> {
        let column = columns.first().copied().unwrap_or_default();
        let Some(text) = self.text(columns) else {
            return Ok(None);
        };
        // A timestamp's day will do.
        let day = text.get(..10).unwrap_or(&text);
        day.parse().map(Some).map_err(|_| {
            self.wrong(
                column,
                format!("`{text:.40}` is no date such as 2026-12-24"),
            )
        })
    }

    /// A date that has to be there.
    pub fn needed_date(&self, columns: &[&str]) -> Result<NaiveDate> {
        let column = columns.first().copied().unwrap_or_default();
        self.date(columns)?
            .ok_or_else(|| self.wrong(column, "is missing"))
    }

    /// An instant; without a zone it is in UTC.
    pub fn instant(&self, column: &str) -> Result<Option<DateTime<Utc>>> {
        let Some(text) = self.text(&[column]) else {
            return Ok(None);
        };
        let read = parse_instant(&text).ok_or_else(|| {
            let expected = "a time such as 2026-12-24 09:00:00.123+00";
            self.wrong(
                column,
                format!("`{text:.40}` is no time; expected {expected}"),
            )
        })?;
        Ok(Some(read))
    }

    /// Yes or no.
    pub fn flag(&self, column: &str) -> Result<Option<bool>> {
        match self.text(&[column]).as_deref() {
            None => Ok(None),
            Some("t" | "true" | "TRUE" | "1") => Ok(Some(true)),
            Some("f" | "false" | "FALSE" | "0") => Ok(Some(false)),
            Some(text) => Err(self.wrong(column, format!("`{text:.40}` is neither t nor f"))),
        }
    }

    /// A list of texts: `{a,"b c"}`, or a JSON array.
    pub fn list(&self, column: &str) -> Result<Vec<String>> {
        let wrong = || self.wrong(column, "is no list such as {rust,\"two words\"}");
        match self.value(&[column]) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            Some(Value::String(text)) if text.starts_with('[') => {
                serde_json::from_str(text).map_err(|_| wrong())
            }
            Some(Value::String(text)) => array(text).ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }

    /// A JSON object; an empty one where the column is null.
    pub fn object(&self, column: &str) -> Result<Value> {
        let value = match self.value(&[column]) {
            None => return Ok(Value::Object(Map::new())),
            Some(Value::String(text)) => serde_json::from_str(text)
                .map_err(|error| self.wrong(column, format!("is no JSON: {error}")))?,
            Some(other) => other.clone(),
        };
        if value.is_object() {
            return Ok(value);
        }
        Err(self.wrong(column, "is no JSON object"))
    }
}

fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().replacen(' ', "T", 1);
    if let Some(local) = text.strip_suffix('Z') {
        let local: NaiveDateTime = local.parse().ok()?;
        return Some(local.and_utc());
    }
    // Of `+00`, `+05:30` and `+0530` chrono reads the longer ones.
    let time = text.get(11..)?;
    let Some(zone) = time.rfind(['+', '-']) else {
        let local: NaiveDateTime = text.parse().ok()?;
        return Some(local.and_utc());
    };
    let (local, zone) = text.split_at(11 + zone);
    let zone = if zone.len() == 3 {
        format!("{zone}:00")
    } else {
        zone.to_owned()
    };
    let read = DateTime::parse_from_str(&format!("{local}{zone}"), "%Y-%m-%dT%H:%M:%S%.f%z");
    Some(read.ok()?.to_utc())
}

/// A one-dimensional array of texts as PostgreSQL writes it.
fn array(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let mut chars = inner.chars().peekable();
    while chars.peek().is_some() {
        let mut item = String::new();
        let is_quoted = chars.next_if_eq(&'"').is_some();
        loop {
            match chars.next() {
                Some('\\') => item.push(chars.next()?),
                Some('"') if is_quoted => {
                    if !matches!(chars.next(), None | Some(',')) {
                        return None;
                    }
                    break;
                }
                Some(',') if !is_quoted => break,
                Some('{' | '"') if !is_quoted => return None,
                Some(other) => item.push(other),
                None if is_quoted => return None,
                None => break,
            }
        }
        if is_quoted || item != "NULL" {
            items.push(item);
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_zones() {
        let expected: DateTime<Utc> = "2026-01-02T03:04:05.678Z".parse().unwrap();
        for text in [
            "2026-01-02 03:04:05.678+00",
            "2026-01-02T03:04:05.678+00:00",
            "2026-01-02 08:34:05.678+05:30",
            "2026-01-01 22:04:05.678-0500",
            "2026-01-02 03:04:05.678",
            "2026-01-02T03:04:05.678Z",
        ] {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-01-02",
            "2026-13-02 03:04:05+00",
            "2026-01-02 03:04:05+0",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn arrays_are_read() {
        let read = |text| array(text).map(|items| items.join("|"));
        assert_eq!(read("{}").as_deref(), Some(""));
        assert_eq!(
            read("{rust,\"two words\",\"a\\\"b,c\"}").as_deref(),
            Some("rust|two words|a\"b,c")
        );
        for text in ["", "a,b", "{\"a}", "{\"a\"b}", "{{a},{b}}"] {
            assert_eq!(array(text), None, "{text}");
        }
    }
}
