//! What the fake knows: tokens, people, channels, groups, messages, and what it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};

use super::faults::Faults;
use super::socket::Sockets;

pub const BOT_TOKEN: &str = "xoxb-fake-bot";
pub const USER_TOKEN: &str = "xoxp-fake-user";
pub const APP_TOKEN: &str = "xapp-fake-app";
pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
/// The app's own user.
pub const BOT_USER: &str = "UBOT";

/// The whole workspace.
pub struct State {
    /// By token, with its scopes. A token that isn't here is `invalid_auth`.
    pub tokens: BTreeMap<String, BTreeSet<String>>,
    /// Tokens that were good once: `token_revoked`.
    pub revoked: BTreeSet<String>,
    pub users: BTreeMap<String, User>,
    pub channels: BTreeMap<String, Channel>,
    pub groups: BTreeMap<String, Group>,
    /// Whether a bot token may set groups; else it is `permission_denied`.
    pub bots_may_set_groups: bool,
    /// The channel of the direct messages with a person.
    pub directs: BTreeMap<String, String>,
    /// Every message, in the order in which they came.
    pub messages: Vec<Message>,
    /// Every call, in the order in which they came.
    pub calls: Vec<Call>,
    /// What was sent to response URLs.
    pub responses: Vec<Response>,
    /// How often a response URL may still be used.
    pub response_urls: BTreeMap<String, u32>,
    pub sockets: Sockets,
    pub(super) faults: Faults,
}

/// Somebody from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    No,
    MultiChannel,
    SingleChannel,
}

#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub display_name: String,
    pub real_name: String,
    /// Told to those who may know: left out where there is none.
    pub email: Option<String>,
    pub tz: String,
    pub is_bot: bool,
    pub is_deactivated: bool,
    pub guest: Guest,
}

impl User {
    pub fn person(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            display_name: name.to_lowercase(),
            real_name: name.to_owned(),
            email: None,
            tz: "Europe/Berlin".to_owned(),
            is_bot: false,
            is_deactivated: false,
            guest: Guest::No,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let guest = self.guest;
        let mut user = json!({
            "id": self.id, "team_id": "T0FAKE", "name": self.display_name,
            "deleted": self.is_deactivated, "real_name": self.real_name, "tz": self.tz,
            "tz_label": "somewhere", "tz_offset": 3600,
            "profile": {"display_name": self.display_name, "real_name": self.real_name,
                        "real_name_normalized": self.real_name, "team": "T0FAKE"},
            "is_admin": false, "is_owner": false, "is_bot": self.is_bot, "is_app_user": false,
            "is_restricted": guest != Guest::No,
            "is_ultra_restricted": guest == Guest::SingleChannel, "updated": 1_502_138_686,
        });
        if let Some(email) = &self.email {
            user["profile"]["email"] = email.as_str().into();
        }
        user
    }
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub name: String,
    /// Whether the app is in it.
    pub is_member: bool,
    pub is_archived: bool,
    /// Private ones don't exist for an app that isn't in them.
    pub is_private: bool,
}

impl Channel {
    pub fn public(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            is_member: true,
            is_archived: false,
            is_private: false,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "is_channel": !self.is_private,
            "is_group": self.is_private, "is_im": false, "is_private": self.is_private,
            "is_archived": self.is_archived, "is_member": self.is_member,
            "created": 1_449_252_889, "creator": "W012A3BCD",
        })
    }
}

#[derive(Clone, Debug)]
pub struct Group {
    pub id: String,
    pub handle: String,
    pub name: String,
    pub users: Vec<String>,
    pub is_enabled: bool,
}

impl Group {
    pub fn of(id: &str, handle: &str, users: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            handle: handle.to_owned(),
            name: handle.to_uppercase(),
            users: users.iter().map(ToString::to_string).collect(),
            is_enabled: true,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id, "team_id": "T0FAKE", "is_usergroup": true, "name": self.name,
            "handle": self.handle, "description": "", "is_external": false,
            "date_create": 1_447_096_577, "date_update": 1_447_102_109,
            "date_delete": if self.is_enabled { 0 } else { 1_447_102_109 },
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub channel: String,
    pub ts: String,
    pub text: String,
    pub blocks: Value,
    pub metadata: Value,
    /// How often it was replaced.
    pub updates: usize,
}

/// A call of a method, whatever became of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub token: String,
    pub arguments: BTreeMap<String, Value>,
    pub at: Instant,
    /// What was answered; None while it isn't, and where it never will be.
    pub answer: Option<Value>,
}

impl Call {
    /// An argument's text.
    pub fn text(&self, name: &str) -> &str {
        self.arguments
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// What was sent to a response URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub name: String,
    pub body: Value,
}

impl State {
    pub(super) fn new() -> Self {
        let scopes = |scopes: &[&str]| scopes.iter().map(ToString::to_string).collect();
        let bot = [
            "channels:read",
            "chat:write",
            "commands",
            "im:write",
            "usergroups:read",
            "usergroups:write",
            "users:read",
        ];
        let user = ["usergroups:read", "usergroups:write"];
        let tokens = [
            (BOT_TOKEN, scopes(&bot)),
            (USER_TOKEN, scopes(&user)),
            (APP_TOKEN, scopes(&["connections:write"])),
        ];
        let mut app = User::person(BOT_USER, "oncall");
        app.is_bot = true;
        Self {
            tokens: tokens
                .map(|(token, scopes)| (token.to_owned(), scopes))
                .into(),
            revoked: BTreeSet::new(),
            users: [(BOT_USER.to_owned(), app)].into(),
            channels: BTreeMap::new(),
            groups: BTreeMap::new(),
            bots_may_set_groups: true,
            directs: BTreeMap::new(),
            messages: Vec::new(),
            calls: Vec::new(),
            responses: Vec::new(),
            response_urls: BTreeMap::new(),
            sockets: Sockets::default(),
            faults: Faults::default(),
        }
    }

    /// Takes a scope away from a token.
    pub fn drop_scope(&mut self, token: &str, scope: &str) {
        self.tokens.get_mut(token).unwrap().remove(scope);
    }

    /// The calls of a method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        let calls = self.calls.iter().filter(|call| call.method == method);
        calls.cloned().collect()
    }

    pub(super) fn last_calls(&self, count: usize) -> Vec<Call> {
        self.calls[self.calls.len().saturating_sub(count)..].to_vec()
    }

    /// See [`super::FakeSlack::messages`].
    pub fn messages_to(&self, recipient: &str) -> Vec<Message> {
        let channel = self
            .directs
            .get(recipient)
            .map_or(recipient, |channel| channel);
        let messages = self.messages.iter();
        messages
            .filter(|message| message.channel == channel)
            .cloned()
            .collect()
    }

    /// The channel of the direct messages with a person, made where there is none.
    pub(super) fn direct(&mut self, user: &str) -> String {
        let next = format!("D{:08}", self.directs.len() + 1);
        self.directs.entry(user.to_owned()).or_insert(next).clone()
    }

    /// A time stamp that no message has: later ones are greater.
    pub(super) fn next_ts(&self) -> String {
        format!("1800000000.{:06}", self.messages.len() + 1)
    }
}
