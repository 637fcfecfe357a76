//! What is known of a person beside their id: name, e-mail address and time zone, as Slack says
//! them and as they were set.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Revision;
use super::ids::UserId;
use super::invalid::Invalid;
use super::one_line;
use super::roster::Account;
use super::text_enum::text_enum;
use super::zone::Zone;

/// The longest display name, in characters.
pub const MAX_NAME: usize = 80;
/// The longest e-mail address, in bytes, as SMTP has it.
const MAX_EMAIL: usize = 254;

/// What is known of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The person.
    pub user: UserId,
    /// What Slack says; none where it was never asked.
    pub slack: Option<SlackProfile>,
    /// What they, a lead or an admin said; none where nobody did.
    pub set: Option<SetProfile>,
}

/// What Slack says of a user, kept for a day and shown for as long as there is nothing newer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackProfile {
    /// Their name; empty where Slack knows no such user.
    pub display_name: String,
    /// What their account is.
    pub account: Account,
    /// Their e-mail address; none where Slack doesn't tell it.
    pub email: Option<String>,
    /// Their IANA time zone; none where Slack doesn't tell one that the rules know.
    pub timezone: Option<String>,
    /// When Slack said so.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub fetched_at: DateTime<Utc>,
}

/// What was set of a person. Values are those that [`SetProfile::check`] lets pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProfile {
    /// Their name.
    pub display_name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their IANA time zone.
    pub timezone: Option<String>,
    /// Its life.
    pub revision: Revision,
}

text_enum! {
    /// Where a person's name comes from.
    NameSource {
        /// Slack, where only it can be changed.
        Slack = "slack",
        /// It was set.
        Set = "set",
        /// Nowhere: the id stands for it.
        None = "none",
    }
}

impl Profile {
    /// Nothing yet.
    pub const fn new(user: UserId) -> Self {
        Self {
            user,
            slack: None,
            set: None,
        }
    }

    /// What they are called, and by whom. Slack's word goes before what was set while Slack is
    /// configured, and behind it, as something remembered, while it isn't.
    pub fn name(&self, slack_is_on: bool) -> Option<(&str, NameSource)> {
        let slack = self.slack.as_ref().map(|slack| slack.display_name.as_str());
        let slack = slack.filter(|name| !name.is_empty());
        let slack = slack.map(|name| (name, NameSource::Slack));
        let set = self
            .set
            .as_ref()
            .and_then(|set| set.display_name.as_deref());
        let set = set.map(|name| (name, NameSource::Set));
        if slack_is_on {
            slack.or(set)
        } else {
            set.or(slack)
        }
    }

    /// Their e-mail address: the one that was set, else Slack's.
    pub fn email(&self) -> Option<&str> {
        let set = self.set.as_ref().and_then(|set| set.email.as_deref());
        set.or_else(|| self.slack.as_ref()?.email.as_deref())
    }

    /// Their time zone: the one that was set, else Slack's.
    pub fn timezone(&self) -> Option<&str> {
        let set = self.set.as_ref().and_then(|set| set.timezone.as_deref());
        set.or_else(|| self.slack.as_ref()?.timezone.as_deref())
    }

    /// What their Slack account is; a person's where Slack was never asked.
    pub fn account(&self) -> Account {
        let slack = self.slack.as_ref();
        slack.map_or(Account::Person, |slack| slack.account)
    }
}

impl SlackProfile {
    /// That Slack knows no such user.
    pub const fn unknown(now: DateTime<Utc>) -> Self {
        Self {
            display_name: String::new(),
            account: Account::Person,
            email: None,
            timezone: None,
            fetched_at: now,
        }
    }
}

impl SetProfile {
    /// Nothing, as of `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            display_name: None,
            email: None,
            timezone: None,
            revision: Revision::first(now),
        }
    }

    /// Whether it says the same.
    pub fn says_as(&self, other: &Self) -> bool {
        (&self.display_name, &self.email, &self.timezone)
            == (&other.display_name, &other.email, &other.timezone)
    }

    /// Notes what is wrong with the values, and brings blanks into shape.
    pub fn check(&mut self, invalid: &mut Invalid) {
        if let Some(name) = &mut self.display_name {
            check_name(invalid, name);
            *name = one_line::single_blanks(name);
        }
        if let Some(email) = &mut self.email {
            email.truncate(email.trim_end().len());
            let message = format!("`{email}` is no e-mail address such as sam@example.com");
            invalid.check(is_email(email), "email", message);
        }
        if let Some(timezone) = &self.timezone {
            invalid.check_timezone("timezone", timezone);
        }
    }
}

fn check_name(invalid: &mut Invalid, name: &str) {
    const FIELD: &str = "display_name";
    let count = one_line::single_blanks(name).chars().count();
    let message = format!("has {count} characters, expected 1 to {MAX_NAME}");
    invalid.check((1..=MAX_NAME).contains(&count), FIELD, message);
    invalid.check_one_line(FIELD, name);
    let message = format!("`{name}` reads as a Slack user id, expected a name");
    invalid.check(name.trim().parse::<UserId>().is_err(), FIELD, message);
}

/// A name that others chose, as it can be shown: on one line, without what is refused of names
/// that are set, no longer than they are.
pub fn presentable(name: &str) -> String {
    let cut: String = one_line::cleaned(name).chars().take(MAX_NAME).collect();
    cut.trim_end().to_owned()
}

/// Whether a text can be an e-mail address: what is before the last `@`, and a domain of several
/// labels. Only a message shows whether somebody reads it.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_odd =
        |c: char| c.is_whitespace() || one_line::is_hidden(c) || "@<>()[]\\,;:\"".contains(c);
    let is_label = |label: &str| {
        let is_word = |c: char| c.is_alphanumeric() || !c.is_ascii() || c == '-';
        (1..=63).contains(&label.len())
            && label.chars().all(is_word)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAX_EMAIL
        && (1..=64).contains(&local.len())
        && !text.replacen('@', "", 1).contains(is_odd)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// A zone that the rules know.
pub fn known_zone(name: &str) -> Option<String> {
    Zone::find(name).map(|_| name.to_owned())
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
