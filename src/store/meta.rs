//! Small single values.

use std::ops::ControlFlow;

use super::error::StoreError;
use super::key::Key;
use super::tables::META;
use super::tx::{Order, Reader, WriteTx};

/// Version of the layout of tables, as text.
pub(super) const SCHEMA: &str = "schema_version";
/// Position and hash of the last audit entry.
pub(super) const AUDIT_HEAD: &str = "audit_head";
/// Position of the last notification.
pub(super) const OUTBOX_HEAD: &str = "outbox_head";
/// Release of the zone rules by which handoffs were last computed.
const ZONE_RULES: &str = "zone_rules";

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

/// Whether anything was ever kept here besides the schema version.
///
/// # Errors
/// The engine failed.
pub fn is_empty(tx: &impl Reader) -> Result<bool, StoreError> {
    let mut empty = true;
    tx.scan(
        super::tables::TEAMS,
        &[],
        &Key::new().end(),
        Order::Ascending,
        &mut |_, _| {
            empty = false;
            Ok(ControlFlow::Break(()))
        },
    )?;
    Ok(empty)
}

/// The release of the zone rules by which handoffs were last computed.
///
/// # Errors
/// The engine failed.
pub fn zone_rules(tx: &impl Reader) -> Result<Option<String>, StoreError> {
    text(tx, ZONE_RULES)
}

/// Notes the release of the zone rules by which handoffs are now computed.
///
/// # Errors
/// The engine failed.
pub fn set_zone_rules(tx: &WriteTx, version: &str) -> Result<(), StoreError> {
    set(tx, ZONE_RULES, version.as_bytes())
}
