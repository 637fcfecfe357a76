//! How names, teams, times and people's own words are written, in either form.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::blocks::cut;
use super::facts::TeamFacts;
use super::{Links, Names};
use crate::domain::ids::UserId;
use crate::domain::zone::Zone;

/// The longest text of a person or an error, in UTF-16 units before escaping; the web page has
/// all of it.
const MAX_QUOTE: usize = 400;
/// What is further away bears its year.
const NEAR: TimeDelta = TimeDelta::days(300);

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Plain text, with display names.
    Plain,
    /// Slack's markup, with mentions.
    Mrkdwn,
}

/// Writes the parts of a sentence in one form, times as a team's clocks show them.
pub struct Pen<'a> {
    form: Form,
    names: &'a dyn Names,
    links: &'a Links,
    zone: Zone,
    now: DateTime<Utc>,
    reader: &'a str,
}

impl<'a> Pen<'a> {
    /// A pen for the times of an IANA zone; UTC where the rules don't know it.
    pub fn new(
        form: Form,
        names: &'a dyn Names,
        links: &'a Links,
        timezone: &str,
        now: DateTime<Utc>,
    ) -> Self {
        let zone = Zone::find(timezone).unwrap_or_else(Zone::utc);
        let reader = "";
        Self {
            form,
            names,
            links,
            zone,
            now,
            reader,
        }
    }

    /// The same for one reader, a Slack id, who is called `you` by [`Pen::whom`].
    #[must_use]
    pub fn for_reader(self, reader: &'a str) -> Self {
        Self { reader, ..self }
    }

    /// Whether the text is for Slack.
    pub fn is_for_slack(&self) -> bool {
        self.form == Form::Mrkdwn
    }

    /// Whether a person is the reader.
    pub fn is_reader(&self, user: &UserId) -> bool {
        user.as_str() == self.reader
    }

    /// A person, as subject or object.
    pub fn person(&self, user: &UserId) -> String {
        match self.form {
            Form::Mrkdwn => format!("<@{user}>"),
            Form::Plain => self.names.name(user).unwrap_or_else(|| user.to_string()),
        }
    }

    /// A person, as object: `you` for the reader.
    pub fn whom(&self, user: &UserId) -> String {
        if self.is_reader(user) {
            "you".to_owned()
        } else {
            self.person(user)
        }
    }

    /// A team, linked to its page where that can be.
    pub(super) fn team(&self, team: &TeamFacts) -> String {
        self.linked(&team.name, &team.slug)
    }

    /// A team's or a service's name, linked to the team's page where that can be.
    pub fn linked(&self, name: &str, slug: &str) -> String {
        let name = self.quote(name);
        match self.links.team(slug).filter(|_| self.is_for_slack()) {
            Some(url) => format!("<{url}|{name}>"),
            None => name,
        }
    }

    /// Words that a person or a program wrote, on one line, cut to 400 characters.
    pub fn quote(&self, text: &str) -> String {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short = cut(&line, MAX_QUOTE);
        if self.is_for_slack() {
            escape(&short)
        } else {
            short
        }
    }

    /// `Mon 30 Nov, 09:00 CET`
    pub fn at(&self, at: DateTime<Utc>) -> String {
        format!("{} {}", self.wall(at), self.zone.abbreviation(at))
    }

    /// `Mon 23 Nov, 09:00 – Mon 30 Nov, 09:00 CET`
    pub fn span(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
        let same = self.zone.abbreviation(from) == self.zone.abbreviation(to);
        let from = if same { self.wall(from) } else { self.at(from) };
        format!("{from} – {}", self.at(to))
    }

    /// `Mon 30 Nov`
    pub fn day(&self, date: NaiveDate) -> String {
        let far = (date - self.now.date_naive()).abs() > NEAR;
        date.format(if far { "%a %-d %b %Y" } else { "%a %-d %b" })
            .to_string()
    }

    /// The date on the team's calendar.
    pub fn today(&self) -> NaiveDate {
        self.zone.local(self.now).date()
    }

    fn wall(&self, at: DateTime<Utc>) -> String {
        let local = self.zone.local(at);
        format!("{}, {}", self.day(local.date()), local.format("%H:%M"))
    }
}

/// Text as Slack takes it for text, not for markup.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
