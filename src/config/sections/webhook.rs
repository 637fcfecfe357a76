//! `[[webhook]]`: endpoints that notifications are posted to.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use url::Url;

use crate::config::Problem;
use crate::config::hosts::is_loopback_name;
use crate::config::secret::{SecretText, one_of, read_file, secrets};
use crate::config::value::{Text, bounded, optional_list, optional_text};
use crate::domain::notification::Event;

const MAX_SECRETS: usize = 5;

/// An endpoint, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its name, `[a-z0-9-]{1,40}`; no other has it.
    pub name: String,
    /// Where to post: https, or http on this host or where private addresses are allowed.
    pub url: Url,
    /// What the messages are signed with, one to five; the first signature is the first one's.
    pub secrets: Vec<SigningKey>,
    /// What it is told of; never empty.
    pub events: Vec<Event>,
    /// Messages a second.
    pub max_per_second: NonZeroU32,
    /// Whether the URL may lead to an address of a private network.
    pub allow_private_addresses: bool,
}

impl Webhook {
    /// The name of its sink, by which the outbox calls it.
    #[must_use]
    pub fn sink_name(&self) -> String {
        format!("webhook:{}", self.name)
    }
}

/// An endpoint as it is written. Its keys may come from several layers, so that only all of them
/// together tell whether one is missing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Entry {
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<Name>,
    #[serde(default, deserialize_with = "optional_text")]
    url: Option<HttpUrl>,
    #[serde(default, deserialize_with = "secrets")]
    secrets: Vec<SigningKey>,
    #[serde(default, deserialize_with = "optional_text")]
    secrets_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "optional_list")]
    events: Option<Vec<Event>>,
    #[serde(
        default = "default_max_per_second",
        deserialize_with = "bounded::<1, 1_000, _, _>"
    )]
    max_per_second: NonZeroU32,
    #[serde(default)]
    allow_private_addresses: bool,
}

/// What an endpoint gets that names no events: checkpoints of the audit log are for those who do.
fn unless_named() -> Vec<Event> {
    let events = Event::ALL.iter().copied();
    events
        .filter(|event| *event != Event::AuditCheckpoint)
        .collect()
}

fn default_max_per_second() -> NonZeroU32 {
    NonZeroU32::new(50).expect("invariant: 50 is not 0")
}

/// The endpoints, unless a key is missing or two contradict each other; their secrets are empty
/// where they are in a file.
pub(in crate::config) fn check(entries: &[Entry]) -> Result<Vec<Webhook>, Problem> {
    let mut checked: Vec<Webhook> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let webhook = entry.check(index)?;
        if checked.iter().any(|other| other.name == webhook.name) {
            let message = format!("`{}` is another webhook's name too", webhook.name);
            return Err(Problem::new(path(index, "name"), message));
        }
        checked.push(webhook);
    }
    Ok(checked)
}

/// The files that hold secrets.
pub(in crate::config) fn secret_files(entries: &[Entry]) -> impl Iterator<Item = &Path> {
    entries
        .iter()
        .filter_map(|entry| entry.secrets_file.as_deref())
}

/// Reads the secrets that are in files.
pub(in crate::config) fn read_files(
    entries: &[Entry],
    webhooks: &mut [Webhook],
) -> Result<(), Problem> {
    for (index, (entry, webhook)) in entries.iter().zip(webhooks).enumerate() {
        let Some(file) = &entry.secrets_file else {
            continue;
        };
        let key = path(index, "secrets_file");
        let content = read_file(&key, file)?;
        let lines = content.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty()).map(|line| {
            SigningKey::from_text(line).ok_or_else(|| {
                let expected = SigningKey::EXPECTED;
                let message = format!("{}: expected {expected} on each line", file.display());
                Problem::new(&key, message)
            })
        });
        webhook.secrets = keys.collect::<Result<_, _>>()?;
        check_count(&key, webhook.secrets.len())?;
    }
    Ok(())
}

impl Entry {
    fn check(&self, index: usize) -> Result<Webhook, Problem> {
        let missing = |key: &str, expected: &str| {
            Problem::new(path(index, key), format!("is not set, expected {expected}"))
        };
        let name = self
            .name
            .clone()
            .ok_or_else(|| missing("name", Name::EXPECTED))?;
        let url = self
            .url
            .clone()
            .ok_or_else(|| missing("url", HttpUrl::EXPECTED))?;
        let local = url.0.host_str().is_some_and(is_loopback_name);
        if url.0.scheme() != "https" && !local && !self.allow_private_addresses {
            let message = "is plain http to another host, expected https (or \
                           `allow_private_addresses`, for one in a private network)";
            return Err(Problem::new(path(index, "url"), message));
        }
        one_of(
            &path(index, "secrets"),
            !self.secrets.is_empty(),
            self.secrets_file.is_some(),
        )?;
        if self.secrets_file.is_none() {
            let key = path(index, "secrets");
            if self.secrets.is_empty() {
                let expected = format!("one to five, or `{key}_file`");
                return Err(missing("secrets", &expected));
            }
            check_count(&key, self.secrets.len())?;
        }
        if self.events.as_ref().is_some_and(Vec::is_empty) {
            let message =
                "is empty, expected at least one event; leave the key out for all of them";
            return Err(Problem::new(path(index, "events"), message));
        }
        Ok(Webhook {
            name: name.0,
            url: url.0,
            secrets: self.secrets.clone(),
            events: self.events.clone().unwrap_or_else(unless_named),
            max_per_second: self.max_per_second,
            allow_private_addresses: self.allow_private_addresses,
        })
    }
}

fn check_count(path: &str, count: usize) -> Result<(), Problem> {
    if (1..=MAX_SECRETS).contains(&count) {
        return Ok(());
    }
    let message = format!("{count} secrets, expected 1 to {MAX_SECRETS}");
    Err(Problem::new(path, message))
}

fn path(index: usize, key: &str) -> String {
    format!("webhook.{index}.{key}")
}

/// A key that messages to an endpoint are signed with, 24 to 64 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// The key itself, for the one place that signs.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl SecretText for SigningKey {
    const EXPECTED: &'static str = "`whsec_` and the base64 of 24 to 64 bytes";

    fn from_text(text: &str) -> Option<Self> {
        let key = BASE64_STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(Self(key))
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Name(String);

impl Text for Name {
    const EXPECTED: &'static str = "1 to 40 lower case letters, digits and hyphens";

    fn from_text(text: &str) -> Option<Self> {
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = (1..=40).contains(&text.len()) && text.chars().all(in_name);
        valid.then(|| Self(text.to_owned()))
    }
}

#[derive(Debug, Clone, PartialEq)]
struct HttpUrl(Url);

impl Text for HttpUrl {
    const EXPECTED: &'static str = "an http or https URL without user and fragment, such as \
                                    \"https://example.com/oncall\"";

    fn from_text(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let is_http = matches!(url.scheme(), "http" | "https");
        (is_http && plain && url.fragment().is_none()).then_some(Self(url))
    }
}

impl Text for Event {
    const EXPECTED: &'static str = "one of \"handoff\", \"shift_started\", \"shift_ended\", \
         \"override_requested\", \"override_decided\", \"rotation_failed\", \"rotation_skipped\", \
         \"handoff_moved\", \"shift_reminder\", \"coverage_gap\", \"test\", \
         \"audit_checkpoint\"";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_of_an_event_names_them_all() {
        let names: Vec<_> = Event::ALL
            .iter()
            .map(|event| format!("\"{event}\""))
            .collect();
        assert_eq!(Event::EXPECTED, format!("one of {}", names.join(", ")));
    }
}
