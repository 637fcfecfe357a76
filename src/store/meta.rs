//! Small single values.

use super::error::StoreError;
use super::key::Key;
use super::tables::{META, TEAMS, TIME_OFF};
use super::tx::{Reader, WriteTx};

/// Version of the layout of tables, as text.
pub(super) const SCHEMA: &str = "schema_version";
/// Position and hash of the last audit entry.
pub(super) const AUDIT_HEAD: &str = "audit_head";
/// Position of the last notification.
pub(super) const OUTBOX_HEAD: &str = "outbox_head";
/// Release of the zone rules by which handoffs were last computed.
const ZONE_RULES: &str = "zone_rules";
/// Whether members came from Slack when the daemon last started.
const MEMBERS_FROM_SLACK: &str = "members_from_slack";

fn key(name: &str) -> Key {
    Key::new().bytes(name.as_bytes())
}

pub(super) fn get(tx: &impl Reader, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    tx.get(META, key(name).as_slice())
}

pub(super) fn set(tx: &WriteTx, name: &str, value: &[u8]) -> Result<(), StoreError> {
    tx.set(META, &key(name), value)
}

pub(super) fn text(tx: &impl Reader, name: &str) -> Result<Option<String>, StoreError> {
    Ok(get(tx, name)?.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Whether there is nothing here but tokens, and the audit log of them: no team, and so none
/// of what a team has, and no time off.
pub fn is_empty(tx: &impl Reader) -> Result<bool, StoreError> {
    Ok(tx.count(TEAMS)? == 0 && tx.count(TIME_OFF)? == 0)
}

/// The release of the zone rules by which handoffs were last computed.
pub fn zone_rules(tx: &impl Reader) -> Result<Option<String>, StoreError> {
    text(tx, ZONE_RULES)
}

/// Notes the release of the zone rules by which handoffs are now computed.
pub fn set_zone_rules(tx: &WriteTx, version: &str) -> Result<(), StoreError> {
    set(tx, ZONE_RULES, version.as_bytes())
}

/// Whether members came from Slack when the daemon last started.
pub fn members_from_slack(tx: &impl Reader) -> Result<bool, StoreError> {
    Ok(text(tx, MEMBERS_FROM_SLACK)?.is_some_and(|text| text == "true"))
}

/// Notes whether members come from Slack.
pub fn set_members_from_slack(tx: &WriteTx, is: bool) -> Result<(), StoreError> {
    set(tx, MEMBERS_FROM_SLACK, is.to_string().as_bytes())
}
