//! What is posted.

use serde_json::{Value, json};

use crate::bindings::Notification;
use crate::bindings::http::{Header, Request};
use crate::config::{Config, Format};

/// The most characters of a title and of a text: what Discord takes, and well below what Teams does.
const TITLE: usize = 256;
const TEXT: usize = 4000;

/// The request that posts a notification.
///
/// # Errors
/// There is no webhook for its team.
pub fn request(config: &Config, notification: &Notification) -> Result<Request, String> {
    let team = notification.team.as_ref();
    let url = config
        .webhook(team.map(|team| team.slug.as_str()))?
        .to_owned();
    let title = cut(&notification.title, TITLE);
    let text = cut(&notification.text, TEXT);
    let mut facts = vec![("For", config.name(&notification.recipient))];
    facts.extend(team.map(|team| ("Team", team.name.as_str())));
    let body = match config.format {
        Format::Teams => card(&title, &text, &facts),
        Format::Discord => embed(&title, &text, &facts, &notification.created_at),
    };
    Ok(Request {
        method: "POST".into(),
        url,
        headers: vec![Header {
            name: "content-type".into(),
            value: "application/json".into(),
        }],
        body: body.to_string().into_bytes(),
    })
}

/// A message with an Adaptive Card. Rich text takes no Markdown: a name with `[` or `*` stays as
/// it is, and nobody's name becomes a link.
fn card(title: &str, text: &str, facts: &[(&str, &str)]) -> Value {
    let block = |run: Value| json!({"type": "RichTextBlock", "inlines": [run]});
    let facts: Vec<_> = facts
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let facts = facts.join(" · ");
    let mut body = vec![block(json!({
        "type": "TextRun", "text": title, "weight": "Bolder", "size": "Medium",
    }))];
    if !text.is_empty() {
        body.push(block(json!({"type": "TextRun", "text": text})));
    }
    body.push(block(
        json!({"type": "TextRun", "text": facts, "isSubtle": true, "size": "Small"}),
    ));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": title,
                "body": body,
            },
        }],
    })
}

/// A message with an embed, in which nobody is pinged, whatever the text says.
fn embed(title: &str, text: &str, facts: &[(&str, &str)], created_at: &str) -> Value {
    let fields: Vec<_> = facts
        .iter()
        .map(|(name, value)| json!({"name": name, "value": cut(value, TITLE), "inline": true}))
        .collect();
    json!({
        "username": "oncalld",
        "allowed_mentions": {"parse": []},
        "embeds": [{
            "title": title, "description": text, "fields": fields, "timestamp": created_at,
        }],
    })
}

/// The text with at most `most` characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::oncalld::plugin::types::Team;

    fn notification() -> Notification {
        Notification {
            id: "01a20928-d8f2-76f6-9ca3-30247f87c6b6".into(),
            event: "handoff".into(),
            recipient: "UANA".into(),
            team: Some(Team {
                id: String::new(),
                name: "Platform [core](x)".into(),
                slug: "platform".into(),
                timezone: "UTC".into(),
            }),
            title: "UANA is on call for Platform".into(),
            text: "Until Mon 30 Nov 2026 09:00.\nBefore: UBEN".into(),
            created_at: "2026-11-23T09:00:00Z".into(),
            payload: "{}".into(),
        }
    }

    fn posted(config: &str, notification: &Notification) -> (Request, Value) {
        let request = request(&Config::parse(config).unwrap(), notification).unwrap();
        let body = serde_json::from_slice(&request.body).unwrap();
        (request, body)
    }

    #[test]
    fn teams_gets_an_adaptive_card_without_markdown() {
        let config = r#"{"url": "https://example.com/hook", "names": {"UANA": "Ana"}}"#;
        let (request, body) = posted(config, &notification());
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", "https://example.com/hook")
        );
        let card = &body["attachments"][0]["content"];
        assert_eq!(card["type"], "AdaptiveCard");
        let texts: Vec<_> = card["body"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["inlines"][0]["text"].as_str().unwrap())
            .collect();
        assert_eq!(
            texts,
            [
                "UANA is on call for Platform",
                "Until Mon 30 Nov 2026 09:00.\nBefore: UBEN",
                "For: Ana · Team: Platform [core](x)",
            ]
        );
        assert!(
            card["body"]
                .as_array()
                .unwrap()
                .iter()
                .all(|block| block["type"] == "RichTextBlock")
        );
    }

    #[test]
    fn discord_gets_an_embed_that_pings_nobody() {
        let config = r#"{"format": "discord", "url": "https://discord.com/api/webhooks/1/t"}"#;
        let (_, body) = posted(config, &notification());
        assert_eq!(body["allowed_mentions"], json!({"parse": []}));
        let embed = &body["embeds"][0];
        assert_eq!(embed["title"], "UANA is on call for Platform");
        assert_eq!(embed["timestamp"], "2026-11-23T09:00:00Z");
        assert_eq!(embed["fields"][0]["value"], "UANA");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let long = Notification {
            title: "é".repeat(300),
            text: "語".repeat(9000),
            team: None,
            ..notification()
        };
        let (request, body) = posted(
            r#"{"format": "discord", "url": "https://discord.com/x"}"#,
            &long,
        );
        let embed = &body["embeds"][0];
        assert_eq!(embed["title"].as_str().unwrap().chars().count(), TITLE);
        assert!(embed["description"].as_str().unwrap().ends_with("語…"));
        assert!(request.body.len() < 28_000);
    }
}
