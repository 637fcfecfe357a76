//! Badges for a README or a wiki: who is on call for a team or a service, and until when.

use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use super::prelude::*;
use crate::actions::oncall::answer;
use crate::actions::oncall::lookup::etag;
use crate::wire::oncall::{OnCall, OnCallQuery};

/// Seconds that a badge may be shown without asking again, unless a shift ends before.
const LASTS: i64 = 60;
/// Letters of a name; longer ones are cut.
const LETTERS: usize = 40;
/// Units of room beside each text.
const PADDING: usize = 7;

#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge {
    /// What it is of.
    label: Text,
    /// Who is on call, and until when.
    value: Text,
    /// All of it, for those who don't see it.
    title: String,
    is_gap: bool,
    width: usize,
}

/// A text in a badge, as wide as it is drawn.
struct Text {
    words: String,
    /// Its middle.
    x: usize,
    /// What it fills.
    length: usize,
}

/// `GET /badge/{team}`, whose name ends in `.svg`.
pub async fn of_team(State(api): State<Api>, visitor: Visitor, Path(file): Path<String>) -> Shown {
    let query = OnCallQuery {
        team: Some(name_of(&file)?),
        ..OnCallQuery::default()
    };
    show(&api, &visitor, query).await
}

/// `GET /badge/service/{service}`, whose name ends in `.svg`.
pub async fn of_service(
    State(api): State<Api>,
    visitor: Visitor,
    Path(file): Path<String>,
) -> Shown {
    let query = OnCallQuery {
        service: Some(name_of(&file)?),
        ..OnCallQuery::default()
    };
    show(&api, &visitor, query).await
}

fn name_of(file: &str) -> Result<String, Problem> {
    let name = file.strip_suffix(".svg").map(str::to_owned);
    name.ok_or_else(|| {
        let detail = format!("there is no badge `{file}`: its name ends in `.svg`");
        crate::app::ActionError::NotFound(detail).into()
    })
}

async fn show(api: &Api, visitor: &Visitor, query: OnCallQuery) -> Shown {
    let on_call = api.run(move |app| answer(app, &query)).await?;
    let svg = Badge::new(&on_call, visitor).render();
    let svg = svg.map_err(|error| Problem::internal(format!("a badge can't be made: {error}")))?;
    let left = on_call
        .ends_at
        .map(|at| (at - visitor.now).num_seconds().max(0));
    let age = left.map_or(LASTS, |left| left.min(LASTS));
    // What takes a token is for whoever has one.
    let whose = if api.access().anonymous_read {
        "public"
    } else {
        "private"
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml".to_owned()),
        (header::CACHE_CONTROL, format!("{whose}, max-age={age}")),
        (header::ETAG, format!("W/{}", etag(svg.as_bytes()))),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    let mut response = svg.into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

impl Badge {
    fn new(on_call: &OnCall, visitor: &Visitor) -> Self {
        let subject = on_call.service_name.as_ref().unwrap_or(&on_call.team_name);
        let until = on_call
            .ends_at
            .map(|at| When::new(at, &on_call.timezone, visitor.now));
        let name = on_call.display_name.as_deref();
        let (value, title) = match (name, &until) {
            (Some(name), Some(until)) => (
                format!("{} until {}", cut(name), until.text),
                format!(
                    "On call for {subject}: {name}, until {} ({})",
                    until.text, until.zone
                ),
            ),
            (Some(name), None) => (cut(name), format!("On call for {subject}: {name}")),
            (None, _) => (
                "nobody on call".to_owned(),
                format!("Nobody is on call for {subject}"),
            ),
        };
        let label = Text::new(cut(subject), 0);
        let value = Text::new(value, label.end());
        Self {
            width: value.end(),
            label,
            value,
            title: printable(&title),
            is_gap: name.is_none(),
        }
    }
}

impl Text {
    fn new(words: String, start: usize) -> Self {
        // In tenths of a unit, of a sans-serif font of 11 units; the drawing is fitted to it.
        let tenths: usize = words.chars().map(width).sum();
        let length = tenths.div_ceil(10).max(1);
        Self {
            words,
            x: start + PADDING + length / 2,
            length,
        }
    }

    /// Where the room of the text ends.
    fn end(&self) -> usize {
        self.x + self.length.div_ceil(2) + PADDING
    }
}

/// About how wide a letter is, in tenths of a unit.
const fn width(c: char) -> usize {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 34,
        'f' | 't' | 'r' | ' ' | '-' | '(' | ')' => 42,
        'm' | 'w' | 'M' | 'W' | '@' => 98,
        'A'..='Z' => 75,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        c if (c as u32) >= 0x1100 => 120,
        _ => 65,
    }
}

fn cut(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LETTERS {
        return text;
    }
    let start: String = text.chars().take(LETTERS - 1).collect();
    format!("{}…", start.trim_end())
}

/// Without what XML can't hold.
fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(*c, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
