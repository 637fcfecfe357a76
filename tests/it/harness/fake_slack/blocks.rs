//! What Slack refuses in Block Kit, as far as oncalld could get it wrong: types and lengths by
//! docs.slack.dev/reference/block-kit.

use std::collections::BTreeSet;

use serde_json::Value;

/// What is wrong with these blocks, in Slack's words.
pub(super) fn problems(blocks: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match blocks {
        Value::Null => {}
        Value::Array(blocks) => {
            let mut add = |at: String, what: &str| {
                found.push(format!("[ERROR] {what} [json-pointer:/blocks{at}]"));
            };
            if blocks.len() > 50 {
                add(String::new(), "no more than 50 items allowed");
            }
            for (at, block) in blocks.iter().enumerate() {
                check(block, &format!("/{at}"), &mut add);
            }
        }
        _ => found.push("[ERROR] must be an array [json-pointer:/blocks]".to_owned()),
    }
    found
}

fn check(block: &Value, at: &str, add: &mut impl FnMut(String, &str)) {
    let ids = &mut BTreeSet::new();
    let items = |field: &str| block[field].as_array().cloned().unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "divider" => {}
        "header" => text(
            &block["text"],
            &["plain_text"],
            150,
            &format!("{at}/text"),
            add,
        ),
        "section" => {
            let fields = items("fields");
            if block["text"].is_null() && fields.is_empty() {
                add(at.to_owned(), "must have text or fields");
            }
            if !block["text"].is_null() {
                text(&block["text"], &BOTH, 3000, &format!("{at}/text"), add);
            }
            if fields.len() > 10 {
                add(format!("{at}/fields"), "no more than 10 items allowed");
            }
            for field in fields {
                text(&field, &BOTH, 2000, &format!("{at}/fields"), add);
            }
            if !block["accessory"].is_null() {
                button(&block["accessory"], &format!("{at}/accessory"), ids, add);
            }
        }
        "context" => {
            let elements = items("elements");
            if !(1..=10).contains(&elements.len()) {
                add(format!("{at}/elements"), "must have 1 to 10 items");
            }
            for element in elements.iter().filter(|element| element["type"] != "image") {
                text(element, &BOTH, 2000, &format!("{at}/elements"), add);
            }
        }
        "actions" => {
            let elements = items("elements");
            if !(1..=25).contains(&elements.len()) {
                add(format!("{at}/elements"), "must have 1 to 25 items");
            }
            for element in &elements {
                button(element, &format!("{at}/elements"), ids, add);
            }
        }
        _ => add(format!("{at}/type"), "unsupported type"),
    }
    if block["block_id"].as_str().is_some_and(|id| id.len() > 255) {
        add(format!("{at}/block_id"), "must be less than 256 characters");
    }
}

const BOTH: [&str; 2] = ["mrkdwn", "plain_text"];

fn text(object: &Value, types: &[&str], most: usize, at: &str, add: &mut impl FnMut(String, &str)) {
    if !types.iter().any(|kind| object["type"] == *kind) {
        add(format!("{at}/type"), "unsupported type");
    }
    match object["text"].as_str().map(|text| text.chars().count()) {
        None | Some(0) => add(at.to_owned(), "must be more than 0 characters"),
        Some(length) if length > most => add(
            at.to_owned(),
            &format!("must be less than {} characters", most + 1),
        ),
        Some(_) => {}
    }
}

fn button(
    element: &Value,
    at: &str,
    ids: &mut BTreeSet<String>,
    add: &mut impl FnMut(String, &str),
) {
    if element["type"] != "button" {
        return add(format!("{at}/type"), "unsupported type");
    }
    text(
        &element["text"],
        &["plain_text"],
        75,
        &format!("{at}/text"),
        add,
    );
    let style = element["style"].as_str();
    if style.is_some_and(|style| !matches!(style, "primary" | "danger")) {
        add(format!("{at}/style"), "must be a valid enum value");
    }
    for (field, most) in [("action_id", 255), ("value", 2000), ("url", 3000)] {
        let length = element[field]
            .as_str()
            .map_or(0, |text| text.chars().count());
        if length > most {
            add(
                format!("{at}/{field}"),
                &format!("must be less than {} characters", most + 1),
            );
        }
    }
    if !element["confirm"].is_null() {
        let confirm = &element["confirm"];
        for (field, most) in [("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)] {
            let types: &[&str] = if field == "text" {
                &BOTH
            } else {
                &["plain_text"]
            };
            text(
                &confirm[field],
                types,
                most,
                &format!("{at}/confirm/{field}"),
                add,
            );
        }
    }
    if let Some(id) = element["action_id"].as_str()
        && !ids.insert(id.to_owned())
    {
        add(
            format!("{at}/action_id"),
            "already exists within that block",
        );
    }
}
