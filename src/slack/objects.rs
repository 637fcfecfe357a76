//! What the methods of Slack's Web API take and give: messages, people, groups, channels.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

/// A message, as it's sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlackMessage {
    /// Plain text: what notifications and screen readers show.
    pub text: String,
    /// Block Kit, an array.
    pub blocks: Option<Value>,
    /// `event_type` and `event_payload`, which only programs see.
    pub metadata: Option<Value>,
}

/// A message that was sent: its text, `channel:ts`, is how it's found again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// The channel's id; for direct messages, that of their channel.
    pub channel: String,
    /// Slack's time stamp, which is the message's id in its channel.
    pub ts: String,
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.channel, self.ts)
    }
}

/// A text is no [`MessageRef`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not `channel:ts`")]
pub struct NoMessageRef(String);

impl FromStr for MessageRef {
    type Err = NoMessageRef;

    fn from_str(text: &str) -> Result<Self, NoMessageRef> {
        match text.split_once(':') {
            Some((channel, ts)) if !channel.is_empty() && !ts.is_empty() => Ok(Self {
                channel: channel.to_owned(),
                ts: ts.to_owned(),
            }),
            _ => Err(NoMessageRef(text.to_owned())),
        }
    }
}

/// A group of people, mentioned by its handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGroup {
    /// `S…`.
    pub id: String,
    /// What it's mentioned by, without the `@`.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// How many people are in it, where Slack says so.
    pub user_count: Option<u64>,
    /// Whether it can be mentioned; Slack has no other way to delete a group.
    pub is_enabled: bool,
}

/// A person, or what behaves like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `U…` or `W…`.
    pub id: String,
    /// What the person chose to be called; may be empty.
    pub display_name: String,
    /// The full name; may be empty.
    pub real_name: String,
    /// Whether it's a program.
    pub is_bot: bool,
    /// Whether the account was closed.
    pub is_deactivated: bool,
    /// Whether it's somebody from elsewhere, whom no group takes.
    pub is_guest: bool,
    /// The person's e-mail address; only with the scope `users:read.email`.
    pub email: Option<String>,
    /// The name of the person's time zone.
    pub tz: Option<String>,
}

impl Profile {
    /// What to call the person.
    pub fn name(&self) -> &str {
        [&self.display_name, &self.real_name]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(&self.id)
    }
}

/// Whom a token belongs to, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthInfo {
    /// The workspace's name.
    pub team: String,
    /// The workspace.
    pub team_id: String,
    /// Whom the token acts as.
    pub user_id: String,
    /// The bot, for a bot token.
    pub bot_id: Option<String>,
    /// The workspace's address.
    pub url: String,
    /// What the token may do.
    pub scopes: Vec<String>,
}

/// A channel, as far as the app sees it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Channel {
    /// `C…`.
    pub id: String,
    /// Its name, without the `#`.
    #[serde(default)]
    pub name: String,
    /// Whether the app is in it.
    #[serde(default)]
    pub is_member: bool,
    /// Whether it's closed.
    #[serde(default)]
    pub is_archived: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_again_by_its_text() {
        let at = MessageRef {
            channel: "C012AB3CD".to_owned(),
            ts: "1503435956.000247".to_owned(),
        };
        assert_eq!(at.to_string(), "C012AB3CD:1503435956.000247");
        assert_eq!(at.to_string().parse(), Ok(at));
        for bad in ["", ":", "C1", "C1:", ":1"] {
            assert!(bad.parse::<MessageRef>().is_err(), "{bad}");
        }
    }
}
