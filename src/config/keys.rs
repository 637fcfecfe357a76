//! The catalogue of every key there is, read from the shipped `config.toml`, and near misses.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

const VARIABLE_PREFIX: &str = "ONCALLD__";

/// How a key's value is written, as far as reading it from an environment variable goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string, also where it looks like a number.
    Text,
    /// A list of strings.
    Texts,
    /// A list of anything else.
    List,
    /// A number, a boolean.
    Other,
}

/// Every key by its dotted path: `server.listen`; `webhook.0.url` for any `[[webhook]]`.
#[derive(Debug)]
pub(super) struct Keys(BTreeMap<String, Kind>);

impl Keys {
    /// The keys of a commented config file, those included that are commented out.
    pub(super) fn documented_in(text: &str) -> Result<Self, toml::de::Error> {
        let text = uncomment(text);
        let mut keys = BTreeMap::new();
        collect(DeTable::parse(&text)?.get_ref(), "", &mut keys);
        Ok(Self(keys))
    }

    /// Whether a key has this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(&catalogued(path))
    }

    /// Whether there are keys below this path.
    pub(super) fn is_section(&self, path: &str) -> bool {
        self.children(&catalogued(path)).next().is_some()
    }

    /// Whether there may be several sections of this path.
    pub(super) fn is_list_of_sections(&self, path: &str) -> bool {
        self.is_section(&join(path, "0"))
    }

    /// The path of the key that an environment variable sets.
    pub(super) fn of_variable(&self, name: &str) -> Option<(String, Kind)> {
        let path = path_of_variable(name);
        let kind = self.0.get(&catalogued(&path))?;
        (variable(&path) == name).then_some((path, *kind))
    }

    /// What to say of a key or section that there isn't.
    pub(super) fn unknown(&self, what: &str, path: &str) -> String {
        format!(
            "unknown {what} `{path}`, {}",
            self.hint(path, str::to_owned)
        )
    }

    /// What to say of an environment variable that sets no key.
    pub(super) fn unknown_variable(&self, name: &str) -> String {
        let hint = self.hint(&path_of_variable(name), variable);
        format!("sets no known key, {hint}")
    }

    /// The near miss, else the key of that name in another section, else all that could stand here.
    fn hint(&self, path: &str, show: fn(&str) -> String) -> String {
        let actual = path;
        let show = |path: &str| show(&with_indexes_of(actual, path));
        let path = &*catalogued(path);
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        if !self.is_section(path) {
            let near = self
                .children(parent)
                .map(|child| (distance(name, last(child)), child))
                .filter(|(distance, _)| *distance <= (name.len() / 3).max(1))
                .min();
            let elsewhere = || self.0.keys().find(|key| last(key) == name);
            if let Some(meant) = near
                .map(|(_, child)| child)
                .or_else(|| elsewhere().map(|k| &**k))
            {
                return format!("did you mean `{}`?", show(meant));
            }
        }
        let parent = if self.is_section(path) { path } else { parent };
        let parent = if self.is_section(parent) { parent } else { "" };
        let known: BTreeSet<_> = self
            .children(parent)
            .map(|child| format!("`{}`", show(child)))
            .collect();
        format!("expected one of {}", Vec::from_iter(known).join(", "))
    }

    /// The paths one step below `parent`, which is empty for the sections; some more than once.
    fn children(&self, parent: &str) -> impl Iterator<Item = &str> {
        let skip = if parent.is_empty() {
            0
        } else {
            parent.len() + 1
        };
        let paths = self.0.keys().filter(move |path| {
            skip == 0
                || path
                    .strip_prefix(parent)
                    .is_some_and(|rest| rest.starts_with('.'))
        });
        paths.map(move |path| {
            let end = path[skip..].find('.').map_or(path.len(), |dot| skip + dot);
            &path[..end]
        })
    }

    #[cfg(test)]
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The dotted path of `name` in the section `prefix`, which is empty at the top.
pub(super) fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}.{name}")
    }
}

/// Whether this part of a path is the number of a repeated section.
pub(super) fn is_index(part: &str) -> bool {
    let digits = part.bytes().all(|b| b.is_ascii_digit());
    part == "0" || digits && (1..=2).contains(&part.len()) && !part.starts_with('0')
}

/// The path as the catalogue has it, where a first section stands for all of its name.
fn catalogued(path: &str) -> String {
    let part = |part| if is_index(part) { "0" } else { part };
    path.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// A path of the catalogue, for the same section as another path.
fn with_indexes_of(actual: &str, path: &str) -> String {
    let mut actual = actual.split('.');
    let part = |part| match actual.next() {
        Some(index) if is_index(part) && is_index(index) => index,
        _ => part,
    };
    path.split('.').map(part).collect::<Vec<_>>().join(".")
}

fn path_of_variable(name: &str) -> String {
    let rest = name.strip_prefix(VARIABLE_PREFIX).unwrap_or(name);
    rest.to_ascii_lowercase().replace("__", ".")
}

/// Whether an environment variable of this name belongs to the configuration.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(VARIABLE_PREFIX)
}

/// The environment variable that sets a key.
pub(super) fn variable(path: &str) -> String {
    format!(
        "{VARIABLE_PREFIX}{}",
        path.to_ascii_uppercase().replace('.', "__")
    )
}

/// Turns settings that are commented out (`#key`, while `# text` is prose) into active ones.
pub(super) fn uncomment(text: &str) -> String {
    let setting = |line: &str| {
        let rest = line.strip_prefix('#')?;
        let starts = |c: char| c.is_ascii_lowercase() || c == '[';
        rest.starts_with(starts).then(|| rest.to_owned())
    };
    let lines = text
        .lines()
        .map(|line| setting(line).unwrap_or_else(|| line.to_owned()));
    lines.map(|line| line + "\n").collect()
}

fn collect(table: &DeTable<'_>, prefix: &str, keys: &mut BTreeMap<String, Kind>) {
    for (name, value) in table {
        let path = join(prefix, name.get_ref());
        let kind = match value.get_ref() {
            DeValue::Table(section) => {
                collect(section, &path, keys);
                continue;
            }
            DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                let sections = items.iter().filter_map(|item| item.get_ref().as_table());
                sections.for_each(|section| collect(section, &join(&path, "0"), keys));
                continue;
            }
            DeValue::String(_) => Kind::Text,
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_str()) => {
                Kind::Texts
            }
            DeValue::Array(_) => Kind::List,
            _ => Kind::Other,
        };
        keys.insert(path, kind);
    }
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

/// The Levenshtein distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
