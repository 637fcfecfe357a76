//! Answers as snapshots show them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use serde_json::Value;

/// An answer without what differs from run to run: `<id>`, `<time>`, `<hash>`, `<zone>`, and
/// days as `today+7`; fields by name.
pub fn shown(answer: &Value, today: NaiveDate) -> String {
    serde_json::to_string_pretty(&masked(answer, today)).unwrap()
}

fn masked(value: &Value, today: NaiveDate) -> Value {
    match value {
        Value::String(text) => masked_text(text, today).into(),
        Value::Array(items) => items.iter().map(|item| masked(item, today)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| (name.clone(), masked(value, today)));
            let by_name: BTreeMap<_, _> = fields.collect();
            by_name.into_iter().collect()
        }
        other => other.clone(),
    }
}

fn masked_text(text: &str, today: NaiveDate) -> String {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash {
        "<hash>".to_owned()
    } else if DateTime::parse_from_rfc3339(text).is_ok() {
        "<time>".to_owned()
    } else if text.starts_with("Etc/") {
        "<zone>".to_owned()
    } else {
        let words = text.split_inclusive([' ', ',', ';', ':', '`', '.', '/']);
        words.map(|word| masked_word(word, today)).collect()
    }
}

/// A word with the sign that ends it.
fn masked_word(word: &str, today: NaiveDate) -> String {
    let end = word
        .trim_end_matches([' ', ',', ';', ':', '`', '.', '/'])
        .len();
    let (word, sign) = word.split_at(end);
    let known = if uuid::Uuid::parse_str(word).is_ok() {
        Some("<id>".to_owned())
    } else if let Ok(date) = word.parse::<NaiveDate>() {
        Some(match (date - today).num_days() {
            0 => "today".to_owned(),
            days => format!("today{days:+}"),
        })
    } else {
        None
    };
    known.unwrap_or_else(|| word.to_owned()) + sign
}
