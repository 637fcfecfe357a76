//! The methods, each as its page at docs.slack.dev says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::blocks;
use super::web::{Refusal, refuse};
use super::workspace::{BOT_USER, Guest, Message, State};

/// The methods by what they take and which scope they need.
const METHODS: [(&str, bool, Option<&str>); 10] = [
    ("apps.connections.open", true, Some("connections:write")),
    ("auth.test", true, None),
    ("chat.postMessage", true, Some("chat:write")),
    ("chat.update", true, Some("chat:write")),
    ("conversations.info", false, None),
    ("conversations.open", true, Some("im:write")),
    ("usergroups.list", false, Some("usergroups:read")),
    ("usergroups.users.list", false, Some("usergroups:read")),
    ("usergroups.users.update", true, Some("usergroups:write")),
    ("users.info", false, Some("users:read")),
];

type Arguments = BTreeMap<String, Value>;

fn find(method: &str) -> Option<&'static (&'static str, bool, Option<&'static str>)> {
    METHODS.iter().find(|(name, ..)| *name == method)
}

pub(super) fn exists(method: &str) -> bool {
    find(method).is_some()
}

pub(super) fn takes_json(method: &str) -> bool {
    find(method).is_some_and(|(_, json, _)| *json)
}

/// The scope that a call needs.
pub(super) fn scope(state: &State, method: &str, arguments: &Arguments) -> Option<&'static str> {
    if method == "conversations.info" {
        let channel = text(arguments, "channel");
        let is_private = |channel: &super::Channel| channel.is_private;
        return Some(match channel.chars().next() {
            Some('D') => "im:read",
            _ if state.channels.get(channel).is_some_and(is_private) => "groups:read",
            _ => "channels:read",
        });
    }
    find(method)?.2
}

pub(super) fn execute(
    state: &mut State,
    method: &str,
    token: &str,
    arguments: &Arguments,
) -> Result<Value, Refusal> {
    match method {
        "apps.connections.open" => Ok(json!({})), // the URL is put in by who knows it
        "auth.test" => Ok(auth_test(token)),
        "chat.postMessage" => post_message(state, arguments),
        "chat.update" => update(state, arguments),
        "conversations.info" => conversation(state, arguments),
        "conversations.open" => open(state, arguments),
        "usergroups.list" => Ok(list_groups(state, arguments)),
        "usergroups.users.list" => list_group_users(state, arguments),
        "usergroups.users.update" => set_group_users(state, token, arguments),
        "users.info" => user_info(state, arguments),
        _ => Err(refuse("unknown_method")),
    }
}

/// An argument's text; what isn't given is empty.
fn text<'a>(arguments: &'a Arguments, name: &str) -> &'a str {
    let value = arguments.get(name).and_then(Value::as_str);
    value.unwrap_or_default()
}

/// `true` in JSON, `true` or `1` in a form.
fn flag(arguments: &Arguments, name: &str) -> bool {
    arguments.get(name) == Some(&Value::Bool(true)) || matches!(text(arguments, name), "true" | "1")
}

/// A nested argument: itself in JSON, its text in a form.
fn nested(arguments: &Arguments, name: &str) -> Result<Value, ()> {
    match arguments.get(name) {
        None => Ok(Value::Null),
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(drop),
        Some(value) => Ok(value.clone()),
    }
}

/// A list: an array in JSON, by commas in a form.
fn list(arguments: &Arguments, name: &str) -> Vec<String> {
    let texts: Vec<_> = match arguments.get(name) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        _ => Vec::new(),
    };
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    texts.map(ToOwned::to_owned).collect()
}

fn auth_test(token: &str) -> Value {
    let mut answer = json!({
        "url": "https://fake.slack.com/", "team": "Fake", "team_id": "T0FAKE",
        "user": "oncall", "user_id": BOT_USER, "is_enterprise_install": false,
    });
    if token.starts_with("xoxb-") {
        answer["bot_id"] = "B0FAKE".into();
    }
    answer
}

/// The channel that a message goes to, by the rules about who may write where.
fn destination(state: &mut State, wanted: &str) -> Result<String, Refusal> {
    if let Some(user) = state.users.get(wanted) {
        if user.is_bot || user.is_deactivated {
            return Err(refuse("channel_not_found"));
        }
        return Ok(state.direct(wanted));
    }
    if state.directs.values().any(|channel| channel == wanted) {
        return Ok(wanted.to_owned());
    }
    let name = wanted.strip_prefix('#').unwrap_or(wanted);
    let mut channels = state.channels.values();
    let channel = channels.find(|channel| channel.id == wanted || channel.name == name);
    match channel {
        None => Err(refuse("channel_not_found")),
        Some(channel) if channel.is_archived => Err(refuse("is_archived")),
        Some(channel) if channel.is_member => Ok(channel.id.clone()),
        Some(channel) if channel.is_private => Err(refuse("channel_not_found")),
        Some(_) => Err(refuse("not_in_channel")),
    }
}

/// Text, blocks and metadata of a message.
fn content(arguments: &Arguments) -> Result<(String, Value, Value), Refusal> {
    let blocks = nested(arguments, "blocks").map_err(|()| refuse("invalid_blocks_format"))?;
    let problems = blocks::problems(&blocks);
    if !problems.is_empty() {
        return Err(json!({"ok": false, "error": "invalid_blocks",
                          "response_metadata": {"messages": problems}}));
    }
    let metadata = nested(arguments, "metadata").map_err(|()| refuse("invalid_metadata_format"))?;
    let is_metadata = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
    if !metadata.is_null() && metadata != json!({}) && !is_metadata {
        return Err(refuse("invalid_metadata_format"));
    }
    Ok((text(arguments, "text").to_owned(), blocks, metadata))
}

fn is_empty(blocks: &Value) -> bool {
    blocks.as_array().is_none_or(Vec::is_empty)
}

fn sent(message: &Message) -> Value {
    json!({
        "channel": message.channel, "ts": message.ts, "text": message.text,
        "message": {"type": "message", "subtype": "bot_message", "bot_id": "B0FAKE",
                    "user": BOT_USER, "text": message.text, "blocks": message.blocks,
                    "ts": message.ts},
    })
}

fn post_message(state: &mut State, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = destination(state, text(arguments, "channel"))?;
    let (text, blocks, metadata) = content(arguments)?;
    if text.is_empty() && is_empty(&blocks) {
        return Err(refuse("no_text"));
    }
    let message = Message {
        channel,
        ts: state.next_ts(),
        text: text.chars().take(40_000).collect(),
        blocks,
        metadata,
        updates: 0,
    };
    let mut answer = sent(&message);
    if message.text.len() < text.len() {
        answer["warning"] = "message_truncated".into();
    }
    state.messages.push(message);
    Ok(answer)
}

fn update(state: &mut State, arguments: &Arguments) -> Result<Value, Refusal> {
    let channel = text(arguments, "channel");
    let exists = |known: &String| known == channel;
    if !state.channels.keys().any(exists) && !state.directs.values().any(exists) {
        return Err(refuse("channel_not_found"));
    }
    if state
        .channels
        .get(channel)
        .is_some_and(|channel| channel.is_archived)
    {
        return Err(refuse("is_inactive"));
    }
    let (new_text, blocks, metadata) = content(arguments)?;
    if new_text.chars().count() > 4_000 {
        return Err(refuse("msg_too_long"));
    }
    let ts = text(arguments, "ts");
    let mut messages = state.messages.iter_mut();
    let message = messages.find(|message| message.channel == channel && message.ts == ts);
    let message = message.ok_or_else(|| refuse("message_not_found"))?;
    if new_text.is_empty() && blocks.is_null() {
        return Err(refuse("no_text"));
    }
    message.text = new_text;
    // What isn't given stays; an empty array takes it away.
    if !blocks.is_null() {
        message.blocks = blocks;
    }
    if !metadata.is_null() {
        message.metadata = metadata;
    }
    message.updates += 1;
    Ok(sent(message))
}

fn conversation(state: &State, arguments: &Arguments) -> Result<Value, Refusal> {
    let id = text(arguments, "channel");
    if let Some((user, _)) = state.directs.iter().find(|(_, channel)| *channel == id) {
        return Ok(json!({"channel": {"id": id, "is_im": true, "user": user}}));
    }
    let channel = state.channels.get(id);
    let seen = channel.filter(|channel| channel.is_member || !channel.is_private);
    let channel = seen.ok_or_else(|| refuse("channel_not_found"))?;
    Ok(json!({"channel": channel.to_json()}))
}

fn open(state: &mut State, arguments: &Arguments) -> Result<Value, Refusal> {
    let users = list(arguments, "users");
    let [user] = &users[..] else {
        return Err(refuse(if users.is_empty() {
            "users_list_not_supplied"
        } else {
            "not_enough_users"
        }));
    };
    let known = state
        .users
        .get(user)
        .ok_or_else(|| refuse("user_not_found"))?;
    if known.is_deactivated {
        return Err(refuse("user_disabled"));
    }
    if known.is_bot {
        return Err(refuse("cannot_dm_bot"));
    }
    let already_open = state.directs.contains_key(user);
    let id = state.direct(user);
    Ok(json!({"no_op": already_open, "already_open": already_open, "channel": {"id": id}}))
}

fn list_groups(state: &State, arguments: &Arguments) -> Value {
    let all = flag(arguments, "include_disabled");
    let groups = state
        .groups
        .values()
        .filter(|group| all || group.is_enabled);
    let groups: Vec<_> = groups
        .map(|group| {
            let mut json = group.to_json();
            if flag(arguments, "include_count") {
                json["user_count"] = group.users.len().into();
            }
            if flag(arguments, "include_users") {
                json["users"] = group.users.clone().into();
            }
            json
        })
        .collect();
    json!({"usergroups": groups})
}

fn list_group_users(state: &State, arguments: &Arguments) -> Result<Value, Refusal> {
    let group = state.groups.get(text(arguments, "usergroup"));
    let all = flag(arguments, "include_disabled");
    let group = group.filter(|group| all || group.is_enabled);
    let group = group.ok_or_else(|| refuse("no_such_subteam"))?;
    Ok(json!({"users": group.users}))
}

fn set_group_users(
    state: &mut State,
    token: &str,
    arguments: &Arguments,
) -> Result<Value, Refusal> {
    if token.starts_with("xoxb-") && !state.bots_may_set_groups {
        return Err(refuse("permission_denied"));
    }
    let users = list(arguments, "users");
    if users.is_empty() {
        return Err(refuse("no_users_provided"));
    }
    let group = state.groups.get_mut(text(arguments, "usergroup"));
    let group = group.ok_or_else(|| refuse("no_such_subteam"))?;
    let is_refused = |user: &String| {
        let known = state.users.get(user);
        known.is_none_or(|user| user.is_bot || user.is_deactivated || user.guest != Guest::No)
    };
    let refused = users.iter().filter(|user| is_refused(user));
    let refused: Vec<_> = refused
        .map(|user| format!("[ERROR] users: {user}"))
        .collect();
    if !refused.is_empty() {
        return Err(json!({"ok": false, "error": "invalid_users",
                          "response_metadata": {"messages": refused}}));
    }
    group.users = users;
    let mut json = group.to_json();
    json["users"] = group.users.clone().into();
    // Slack writes this one as text.
    json["user_count"] = group.users.len().to_string().into();
    Ok(json!({"usergroup": json}))
}

fn user_info(state: &State, arguments: &Arguments) -> Result<Value, Refusal> {
    let user = state.users.get(text(arguments, "user"));
    let user = user.ok_or_else(|| refuse("user_not_found"))?;
    Ok(json!({"user": user.to_json()}))
}
