//! The `changes` of an audit entry: what differs between two views of an entity.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::json::Json;

/// Fields that change by themselves and tell nothing.
const NOISE: &[&str] = &[
    "id",
    "created_at",
    "updated_at",
    "version",
    "warnings",
    "problems",
];

/// `{"field": {"old": …, "new": …}}` for each field that differs; a side that is not there
/// is null in all its fields.
pub fn between<T: Serialize>(old: Option<&T>, new: Option<&T>) -> Json {
    let (old, new) = (fields(old), fields(new));
    let mut changes = Map::new();
    for name in old.keys().chain(new.keys()) {
        let side = |fields: &Map<String, Value>| fields.get(name).cloned().unwrap_or(Value::Null);
        let (was, is) = (side(&old), side(&new));
        if was != is && !NOISE.contains(&name.as_str()) {
            changes.insert(name.clone(), json!({"old": was, "new": is}));
        }
    }
    Json(Value::Object(changes))
}

fn fields<T: Serialize>(view: Option<&T>) -> Map<String, Value> {
    match view.map(serde_json::to_value) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => Map::new(),
    }
}
