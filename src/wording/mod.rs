//! All wording of notifications: what a message says, in plain text and as Slack's Block Kit.
//!
//! A text is written once and read twice: a [`Pen`] knows how to write a name, a team, a time in
//! either form.

pub mod blocks;
mod facts;
mod overrides;
mod pen;
mod rotation;
mod shifts;
pub mod time;

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::blocks::{Blocks, Button, cut};
use self::facts::Facts;
pub use self::overrides::{APPROVE, CANCEL, REJECT};
pub use self::pen::{Form, Pen, escape};
use crate::domain::ids::UserId;
use crate::domain::notification::{Event, Notification};

/// The longest title, in UTF-16 units.
const MAX_TITLE: usize = 150;
/// The longest plain text, in UTF-16 units: what Slack shows of one.
const MAX_PLAIN: usize = 4000;

/// A message, ready to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// One line of plain text, at most 150 characters.
    pub title: String,
    /// All of it as plain text, at most 4000 characters. Nothing is escaped.
    pub plain: String,
    /// A list of Block Kit blocks, within Slack's limits.
    pub blocks: Value,
}

/// What people are called.
pub trait Names: Send + Sync {
    /// A person's name, where it is known.
    fn name(&self, user: &UserId) -> Option<String>;
}

/// Where the web pages are.
#[derive(Clone, Debug, Default)]
pub struct Links(Option<String>);

impl Links {
    /// Links below `server.public_url`; none without one.
    pub fn new(public_url: Option<&str>) -> Self {
        Self(public_url.map(|url| url.trim_end_matches('/').to_owned()))
    }

    /// The page of a team.
    pub fn team(&self, slug: &str) -> Option<String> {
        let base = self.0.as_ref()?;
        Some(format!("{base}/teams/{slug}"))
    }
}

/// What one message says, in one form.
#[derive(Debug, Default)]
struct Wording {
    headline: String,
    lines: Vec<String>,
    buttons: Vec<Button>,
}

impl Wording {
    fn into_markup(self) -> String {
        let headline = format!("*{}*", self.headline);
        let lines: Vec<_> = [headline].into_iter().chain(self.lines).collect();
        lines.join("\n")
    }
}

/// A message about notifications to one recipient, in the order of the outbox.
pub fn render(notifications: &[Notification], names: &dyn Names, links: &Links) -> Text {
    let news: Vec<_> = standing(notifications)
        .into_iter()
        .map(News::from)
        .collect();
    said(&news, names, links)
}

/// The message that asks for a decision, once there is one; `payload` is as in
/// `override_decided`, as it stands at `at`.
pub fn decided(payload: &Value, at: DateTime<Utc>, names: &dyn Names, links: &Links) -> Text {
    let mut news = News::new(Event::OverrideDecided, payload, "", at);
    news.facts.updates_request = true;
    said(&[news], names, links)
}

/// What a message about an event would say to a reader, in Slack's markup, for an answer that
/// says it in passing; `payload` is as in a notification of the event.
pub fn in_passing(
    event: Event,
    payload: &Value,
    reader: &UserId,
    at: DateTime<Utc>,
    names: &dyn Names,
    links: &Links,
) -> String {
    let news = News::new(event, payload, reader.as_str(), at);
    news.wording(Form::Mrkdwn, names, links).into_markup()
}

/// Whether notifications of these events read better as one message.
pub fn merges(first: Event, second: Event) -> bool {
    let is_override = |event| matches!(event, Event::OverrideRequested | Event::OverrideDecided);
    let is_shift = |event| {
        matches!(
            event,
            Event::ShiftStarted | Event::ShiftEnded | Event::ShiftReminder
        )
    };
    !is_override(first) && (first == second || is_shift(first) && is_shift(second))
}

/// Those that a later one has not made untrue: of a team's changes of who is on call, the last.
fn standing(notifications: &[Notification]) -> Vec<&Notification> {
    let now_on_call = |event| {
        matches!(
            event,
            Event::Handoff | Event::ShiftStarted | Event::ShiftEnded
        )
    };
    let overtaken = |row: &Notification, later: &Notification| {
        row.team_id == later.team_id && now_on_call(row.event) && now_on_call(later.event)
    };
    let mut rows = notifications.iter();
    let mut standing = Vec::new();
    while let Some(row) = rows.next() {
        if !rows.as_slice().iter().any(|later| overtaken(row, later)) {
            standing.push(row);
        }
    }
    standing
}

/// One thing to tell.
struct News<'a> {
    event: Event,
    facts: Facts,
    recipient: &'a str,
    at: DateTime<Utc>,
}

impl<'a> From<&'a Notification> for News<'a> {
    fn from(row: &'a Notification) -> Self {
        Self::new(row.event, &row.payload.0, &row.recipient, row.created_at)
    }
}

impl<'a> News<'a> {
    fn new(event: Event, payload: &Value, recipient: &'a str, at: DateTime<Utc>) -> Self {
        let facts = Facts::read(payload);
        Self {
            event,
            facts,
            recipient,
            at,
        }
    }

    fn wording(&self, form: Form, names: &dyn Names, links: &Links) -> Wording {
        let zone = &self.facts.team.timezone;
        let pen = Pen::new(form, names, links, zone, self.at).for_reader(self.recipient);
        let facts = &self.facts;
        match self.event {
            Event::Handoff => shifts::handoff(&pen, facts),
            Event::ShiftStarted => shifts::started(&pen, facts),
            Event::ShiftEnded => shifts::ended(&pen, facts),
            Event::ShiftReminder => shifts::reminder(&pen, facts),
            Event::OverrideRequested => overrides::requested(&pen, facts),
            Event::OverrideDecided => overrides::decided(&pen, facts),
            Event::RotationFailed => rotation::failed(&pen, facts),
            Event::RotationSkipped => rotation::skipped(&pen, facts),
            Event::HandoffMoved => rotation::moved(&pen, facts),
            Event::CoverageGap => rotation::gap(&pen, facts),
            Event::Test => rotation::test(&pen, facts),
            Event::AuditCheckpoint => rotation::checkpoint(&pen, facts),
        }
    }

    /// In plain text, a team's name can't be its link.
    fn in_plain_text(&self, wording: &Wording, links: &Links) -> String {
        let link = links.team(&self.facts.team.slug);
        let lines = [&wording.headline]
            .into_iter()
            .chain(&wording.lines)
            .chain(&link);
        lines.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

fn said(news: &[News<'_>], names: &dyn Names, links: &Links) -> Text {
    let (mut titles, mut plain, mut blocks) = (Vec::new(), Vec::new(), Blocks::default());
    for one in news {
        let wording = one.wording(Form::Plain, names, links);
        plain.push(one.in_plain_text(&wording, links));
        titles.push(wording.headline);
        let mut wording = one.wording(Form::Mrkdwn, names, links);
        let buttons = std::mem::take(&mut wording.buttons);
        blocks.paragraph(&wording.into_markup());
        blocks.buttons(&buttons);
    }
    Text {
        title: cut(&titles.join(" · "), MAX_TITLE),
        plain: cut(&plain.join("\n\n"), MAX_PLAIN),
        blocks: blocks.into_json(),
    }
}

#[cfg(test)]
mod tests;
