//! Puts the layers one over the other: the shipped file, the user's, the environment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::keys::{self, Keys, Kind};
use super::{Config, ConfigError, Origin, Problem};

/// The shipped file: documentation and defaults in one.
pub(super) const SHIPPED: &str = include_str!("../../config.toml");

/// What the layers so far amount to. Each new one is checked as it is laid on what is known to be
/// valid, so that an error can only be its own.
pub(super) struct Layers<'a> {
    keys: Keys,
    merged: Spanned<DeValue<'a>>,
    config: Config,
    /// Where each key, and each of several sections of a name, was set last.
    origins: BTreeMap<String, Origin>,
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
            origins: BTreeMap::new(),
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
        merge(&mut self.merged, unplaced(DeValue::Table(table)));
        self.read().map_err(|error| {
            let span = error.span();
            let start = span.as_ref().map_or(0, |span| span.start);
            // The last one that contains it: a key comes after its section.
            let key = values.iter().rfind(|(place, _)| place.contains(&start));
            let key = key.map(|(_, path)| format!("{path}: ")).unwrap_or_default();
            invalid(span, format!("{key}{}", error.message()))
        })?;
        let origin = |span: Range<usize>| Origin::in_file(path, text, span.start);
        let origins = values.into_iter().map(|(span, key)| (key, origin(span)));
        self.origins.extend(origins);
        Ok(())
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
        let parts: Vec<_> = path.split('.').collect();
        set(&mut self.merged, &parts, variable_value(kind, value));
        self.read()
            .map_err(|error| invalid(error.message().to_owned()))?;
        self.origins.insert(path, Origin::Variable(name.to_owned()));
        Ok(())
    }

    /// What all the layers together say: typed, and by section and key. `check` tells what is
    /// wrong with the keys taken together.
    pub(super) fn finish(
        mut self,
        check: impl FnOnce(&mut Config) -> Result<(), Problem>,
    ) -> Result<(Config, toml::Table), ConfigError> {
        check(&mut self.config).map_err(|problem| ConfigError::Invalid {
            origin: self.origin(&problem.path),
            problem: format!("{}: {}", problem.path, problem.message),
        })?;
        let values = toml::Table::deserialize(ValueDeserializer::from(self.merged))
            .expect("invariant: what made a config is a table");
        Ok((self.config, values))
    }

    /// Where a key was set; if it wasn't, where its section was.
    fn origin(&self, path: &str) -> Origin {
        let parents = path.rmatch_indices('.').map(|(dot, _)| &path[..dot]);
        let mut places = [path].into_iter().chain(parents).filter_map(|place| {
            let below = format!("{place}.");
            let of = |key: &str| key == place || key.starts_with(&below);
            self.origins.iter().find(|(key, _)| of(key))
        });
        let (_, origin) = places
            .next()
            .expect("invariant: the defaults are right, so that somebody set what is wrong");
        origin.clone()
    }

    fn read(&mut self) -> Result<(), toml::de::Error> {
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

/// Sets one value, and makes the sections that it is in.
fn set<'a>(place: &mut Spanned<DeValue<'a>>, path: &[&str], value: DeValue<'a>) {
    let [part, rest @ ..] = path else {
        *place = unplaced(value);
        return;
    };
    let empty = || {
        let is_list = rest.first().is_some_and(|next| keys::is_index(next));
        unplaced(if is_list {
            DeValue::Array(DeArray::new())
        } else {
            DeValue::Table(DeTable::new())
        })
    };
    match place.get_mut() {
        DeValue::Table(section) => {
            let name = unplaced(Cow::Owned((*part).to_owned()));
            set(section.entry(name).or_insert_with(empty), rest, value);
        }
        DeValue::Array(sections) => {
            let index = part
                .parse()
                .expect("invariant: the catalogue tells where indexes are");
            while sections.len() <= index {
                sections.push(empty());
            }
            if let Some(section) = sections.get_mut(index) {
                set(section, rest, value);
            }
        }
        _ => {}
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
        } else if !keys.is_list_of_sections(&path) {
            check_section(keys, value, &path, &format!("[{path}]"), values)?;
        } else if let DeValue::Array(sections) = value.get_ref() {
            for (index, section) in sections.iter().enumerate() {
                let place = keys::join(&path, &index.to_string());
                values.push((section.span(), place.clone()));
                check_section(keys, section, &place, &format!("[[{path}]]"), values)?;
            }
        } else {
            return Err(no_section(value, &path, &format!("[[{path}]]")));
        }
    }
    Ok(())
}

fn check_section(
    keys: &Keys,
    value: &Spanned<DeValue<'_>>,
    path: &str,
    header: &str,
    values: &mut Vec<(Range<usize>, String)>,
) -> Result<(), (Range<usize>, String)> {
    match value.get_ref() {
        DeValue::Table(section) => check_keys(keys, section, path, values),
        _ => Err(no_section(value, path, header)),
    }
}

fn no_section(value: &Spanned<DeValue<'_>>, path: &str, header: &str) -> (Range<usize>, String) {
    let found = value.get_ref().type_str();
    let problem = format!("{path}: found {found}, expected a section `{header}`");
    (value.span(), problem)
}

/// Reads a variable as its key wants it: text as it stands, lists also separated by commas, the
/// rest as in TOML.
fn variable_value(kind: Kind, text: &str) -> DeValue<'_> {
    let parsed = || DeValue::parse(text.trim()).ok().map(Spanned::into_inner);
    let string = |text| DeValue::String(Cow::Borrowed(text));
    match kind {
        Kind::Text => string(text),
        Kind::Other => parsed().unwrap_or_else(|| string(text)),
        Kind::Texts | Kind::List => parsed().filter(DeValue::is_array).unwrap_or_else(|| {
            let item_kind = if kind == Kind::Texts {
                Kind::Text
            } else {
                Kind::Other
            };
            let items = text.split(',').map(str::trim);
            let items = items.filter(|item| !item.is_empty());
            DeValue::Array(
                items
                    .map(|item| unplaced(variable_value(item_kind, item)))
                    .collect(),
            )
        }),
    }
}
