//! Puts the layers one over the other: the shipped file, the user's, the environment.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::keys::{self, Keys, Kind};
use super::{Config, ConfigError, Origin};

/// The shipped file: documentation and defaults in one.
pub(super) const SHIPPED: &str = include_str!("../../config.toml");

/// What the layers so far amount to. Each new one is checked as it is laid on what is known to be
/// valid, so that an error can only be its own.
pub(super) struct Layers<'a> {
    keys: Keys,
    merged: Spanned<DeValue<'a>>,
    config: Config,
}

impl<'a> Layers<'a> {
    /// The defaults alone.
    pub(super) fn shipped() -> Self {
        Self::of_shipped(SHIPPED).expect("invariant: the shipped config.toml is valid and complete")
    }

    fn of_shipped(text: &'a str) -> Result<Self, toml::de::Error> {
        let keys = Keys::documented_in(text)?;
        let merged = unplaced(DeValue::Table(DeTable::parse(text)?.into_inner()));
        let config = read(&merged)?;
        Ok(Self {
            keys,
            merged,
            config,
        })
    }

    /// Lays the text of a config file over the rest.
    pub(super) fn add_file(&mut self, path: &Path, text: &'a str) -> Result<(), ConfigError> {
        let invalid = |span: Option<Range<usize>>, problem| ConfigError::Invalid {
            origin: Origin::in_file(path, text, span.map_or(0, |span| span.start)),
            problem,
        };
        let table = DeTable::parse(text)
            .map_err(|error| invalid(error.span(), format!("not valid TOML: {}", error.message())))?
            .into_inner();
        let mut values = Vec::new();
        check_keys(&self.keys, &table, "", &mut values)
            .map_err(|(span, problem)| invalid(Some(span), problem))?;
        self.add(unplaced(DeValue::Table(table))).map_err(|error| {
            let span = error.span();
            let start = span.as_ref().map_or(0, |span| span.start);
            let key = values.iter().find(|(place, _)| place.contains(&start));
            let key = key.map(|(_, path)| format!("{path}: ")).unwrap_or_default();
            invalid(span, format!("{key}{}", error.message()))
        })
    }

    /// Lays an environment variable over the rest.
    pub(super) fn add_variable(&mut self, name: &str, value: &'a str) -> Result<(), ConfigError> {
        let invalid = |problem: String| ConfigError::Invalid {
            origin: Origin::Variable(name.to_owned()),
            problem,
        };
        let Some((path, kind)) = self.keys.of_variable(name) else {
            return Err(invalid(self.keys.unknown_variable(name)));
        };
        let value = variable_value(kind, value);
        let layer = path.rsplit('.').fold(value, |value, part| {
            let name = unplaced(Cow::Owned(part.to_owned()));
            DeValue::Table(DeTable::from_iter([(name, unplaced(value))]))
        });
        self.add(unplaced(layer))
            .map_err(|error| invalid(error.message().to_owned()))
    }

    /// What all the layers together say: typed, and by section and key.
    pub(super) fn into_config_and_values(self) -> (Config, toml::Table) {
        let values = toml::Table::deserialize(ValueDeserializer::from(self.merged))
            .expect("invariant: what made a config is a table");
        (self.config, values)
    }

    fn add(&mut self, layer: Spanned<DeValue<'a>>) -> Result<(), toml::de::Error> {
        merge(&mut self.merged, layer);
        self.config = read(&self.merged)?;
        Ok(())
    }
}

fn read(merged: &Spanned<DeValue<'_>>) -> Result<Config, toml::de::Error> {
    Config::deserialize(ValueDeserializer::from(merged.clone()))
}

fn merge<'a>(base: &mut Spanned<DeValue<'a>>, mut layer: Spanned<DeValue<'a>>) {
    if let (DeValue::Table(base), DeValue::Table(layer)) = (base.get_mut(), layer.get_mut()) {
        for (name, value) in mem::take(layer) {
            if let Some(there) = base.get_mut(name.get_ref().as_ref()) {
                merge(there, value);
            } else {
                base.insert(name, value);
            }
        }
    } else {
        *base = layer;
    }
}

/// A value that stands in no file.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// Finds keys that there aren't, and collects where each value stands.
fn check_keys(
    keys: &Keys,
    table: &DeTable<'_>,
    prefix: &str,
    values: &mut Vec<(Range<usize>, String)>,
) -> Result<(), (Range<usize>, String)> {
    for (name, value) in table {
        let path = keys::join(prefix, name.get_ref());
        if keys.has(&path) {
            values.push((value.span(), path));
        } else if !keys.is_section(&path) {
            let what = if value.get_ref().is_table() {
                "section"
            } else {
                "key"
            };
            return Err((name.span(), keys.unknown(what, &path)));
        } else if let DeValue::Table(section) = value.get_ref() {
            check_keys(keys, section, &path, values)?;
        } else {
            let found = value.get_ref().type_str();
            return Err((
                value.span(),
                format!("{path}: found {found}, expected a section `[{path}]`"),
            ));
        }
    }
    Ok(())
}

/// Reads a variable as its key wants it: text as it stands, lists also separated by commas, the
/// rest as in TOML.
fn variable_value(kind: Kind, text: &str) -> DeValue<'_> {
    let parsed = || DeValue::parse(text.trim()).ok().map(Spanned::into_inner);
    let string = |text| DeValue::String(Cow::Borrowed(text));
    match kind {
        Kind::Text => string(text),
        Kind::Other => parsed().unwrap_or_else(|| string(text)),
        Kind::List => parsed().filter(DeValue::is_array).unwrap_or_else(|| {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            DeValue::Array(items.map(|item| unplaced(string(item))).collect())
        }),
    }
}
