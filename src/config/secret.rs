//! Secrets in the configuration: read from keys or files, never repeated by a message.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::Problem;
use crate::secret::Secret;

/// A value that is written as a string which no error message may show.
pub(super) trait SecretText: Sized + PartialEq {
    /// What is expected, for error messages.
    const EXPECTED: &'static str;

    /// The value, or nothing where the text isn't as expected.
    fn from_text(text: &str) -> Option<Self>;
}

impl SecretText for Secret {
    const EXPECTED: &'static str = "letters, digits and punctuation without blanks";

    fn from_text(text: &str) -> Option<Self> {
        let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        valid.then(|| Self::new(text.to_owned()))
    }
}

/// For `deserialize_with`: a secret, where the key is set at all.
pub(super) fn optional_secret<'de, T: SecretText, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    // serde's own messages would show a value of the wrong type.
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => T::from_text(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom(unexpected::<T>("a value", ""))),
        other => Err(D::Error::custom(unexpected::<T>(
            other.type_str(),
            "a string: ",
        ))),
    }
}

/// For `deserialize_with`: a list of secrets, each at most once.
pub(super) fn secrets<'de, T: SecretText, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let values = match toml::Value::deserialize(deserializer)? {
        toml::Value::Array(values) => values,
        other => {
            let found = other.type_str();
            return Err(D::Error::custom(unexpected::<T>(
                found,
                "a list, each item ",
            )));
        }
    };
    let mut secrets = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let item = format!("item {}", index + 1);
        let secret = value.as_str().and_then(T::from_text);
        let secret = secret.ok_or_else(|| D::Error::custom(unexpected::<T>(&item, "")))?;
        if secrets.contains(&secret) {
            let problem = format!("{item} repeats another, expected each at most once");
            return Err(D::Error::custom(problem));
        }
        secrets.push(secret);
    }
    Ok(secrets)
}

fn unexpected<T: SecretText>(found: impl fmt::Display, form: &str) -> String {
    format!("found {found} (not shown), expected {form}{}", T::EXPECTED)
}

/// Refuses a secret that is given both in the key `path` and in its file.
pub(super) fn one_of(path: &str, in_key: bool, in_file: bool) -> Result<(), Problem> {
    if in_key && in_file {
        let message = format!("is set, and so is `{path}_file`: expected only one of them");
        return Err(Problem::new(path, message));
    }
    Ok(())
}

/// The text of the file that the key `path` names.
pub(super) fn read_file(path: &str, file: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(file)
        .map_err(|cause| Problem::new(path, format!("cannot read {}: {cause}", file.display())))?;
    if text.trim().is_empty() {
        return Err(Problem::new(path, format!("{} is empty", file.display())));
    }
    Ok(text)
}

/// Ends of the names of keys whose values nobody should see over a shoulder.
const ENDS: [&str; 4] = ["token", "secret", "secrets", "password"];

/// Replaces the values of all secrets.
pub(super) fn hide(table: &mut toml::Table) {
    for (name, value) in table.iter_mut() {
        match value {
            toml::Value::Table(section) => hide(section),
            toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
                let sections = items.iter_mut().filter_map(toml::Value::as_table_mut);
                sections.for_each(hide);
            }
            value if ENDS.iter().any(|end| name.ends_with(end)) => {
                *value = toml::Value::String(format!("{:?}", Secret::new(String::new())));
            }
            _ => {}
        }
    }
}
