//! Ready answers to "who is on call?", as bytes, by what the question means.
//!
//! An answer is forgotten as soon as a change concerns its team, its service or the name of whom
//! it shows, and holds for its team's on-call day only. Questions without an answer, such as
//! those for a service that isn't there, are not kept: nobody can fill the memory with names
//! that they make up.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::actions::oncall::{on_call, resolve};
use crate::app::cache::Cache;
use crate::app::{ActionError, App, Part, Result};
use crate::domain::audit::{AuditEntry, EntityType};
use crate::domain::hex::hex;
use crate::domain::ids::{ServiceId, TeamId, UserId};
use crate::domain::service::Service;
use crate::store::StoreError;
use crate::wire::oncall::{Moment, OnCall, OnCallQuery};

/// Answers that are kept; about 1 kB each.
const KEPT: usize = 32_768;

/// A question about now, in its one spelling: names that mean the same service, or ids that are
/// the same, are the same question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question<'a>(Cow<'a, str>);

impl<'a> Question<'a> {
    /// The question that a request's query string puts; none where that names neither a service
    /// nor a team, or wants more than to know who is on call for them now. What is one need not be
    /// valid.
    pub fn read(query: &'a str) -> Option<Self> {
        if is_plain(query) {
            return Some(Self(Cow::Borrowed(query)));
        }
        let (mut service, mut team) = (None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let known = match &*name {
                "service" => &mut service,
                "team" => &mut team,
                _ => return None,
            };
            if known.replace(value).is_some() {
                return None;
            }
        }
        Question::spelled(service.as_deref(), team.as_deref())
    }

    /// The question that a query puts; none where it names neither a service nor a team, or
    /// another moment than now.
    pub fn of(query: &OnCallQuery) -> Option<Question<'static>> {
        if query.at.is_some() || query.date.is_some() {
            return None;
        }
        Question::spelled(query.service.as_deref(), query.team.as_deref())
    }

    fn spelled(service: Option<&str>, team: Option<&str>) -> Option<Question<'static>> {
        let service = service.map(|reference| match reference.parse::<ServiceId>() {
            Ok(id) => id.to_string(),
            Err(_) => Service::name_key(reference),
        });
        let team = team.map(|reference| match reference.parse::<TeamId>() {
            Ok(id) => id.to_string(),
            Err(_) => reference.to_owned(),
        });
        let named = [("service", service), ("team", team)];
        let named = named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let mut text = form_urlencoded::Serializer::new(String::new());
        let text = text.extend_pairs(named).finish();
        (!text.is_empty()).then_some(Question(Cow::Owned(text)))
    }

    /// The one spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a query is in its one spelling as it is, as far as that can be told at a glance: most
/// are.
fn is_plain(query: &str) -> bool {
    let reference = query
        .strip_prefix("service=")
        .or(query.strip_prefix("team="));
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
    reference.is_some_and(|reference| !reference.is_empty() && reference.bytes().all(is_plain))
}

/// An answer, ready to send.
#[derive(Debug)]
pub struct Answer {
    /// JSON.
    pub body: Bytes,
    /// Its entity tag, quoted.
    pub etag: Bytes,
    /// The on-call day that it is about; a clock that was wrong may be set back.
    valid: Range<DateTime<Utc>>,
}

impl Answer {
    /// Whether it holds at an instant, as far as that goes by the clock.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.valid.contains(&now)
    }
}

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Dependency {
    /// All that is audited for a team.
    Team(TeamId),
    /// All that is audited of a service, such as another name.
    Service(ServiceId),
    /// What a person is called.
    Person(UserId),
}

/// The answers that are ready.
#[derive(Debug)]
pub struct Lookups(Cache<Arc<str>, Arc<Answer>, Dependency>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl Lookups {
    /// Those of an application.
    pub fn of(app: &App) -> &Self {
        app.part()
    }

    /// The ready answer to a question, if it still holds.
    fn get(&self, question: &Question<'_>, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        let ready = self.0.get(question.as_str());
        ready.filter(|answer| answer.holds_at(now))
    }

    /// Forgets the answers that show the names of these people.
    pub(crate) fn forget_people(&self, users: &[UserId]) {
        let changed: Vec<_> = users.iter().cloned().map(Dependency::Person).collect();
        self.0.forget(&changed);
    }
}

impl Part for Lookups {
    /// Forgets the answers that these changes may have made wrong.
    fn after_commit(&self, written: &[AuditEntry]) {
        let (mut teams, mut services) = (BTreeSet::new(), BTreeSet::new());
        for AuditEntry { event, .. } in written {
            let service = event.entity_id.as_deref().and_then(|id| id.parse().ok());
            match (event.entity_type, service) {
                // No service's change tells anything of its team's other services.
                (EntityType::Service, Some(service)) => {
                    services.insert(service);
                }
                _ => teams.extend(event.team_id),
            }
        }
        let services = services.into_iter().map(Dependency::Service);
        let changed: Vec<_> = teams
            .into_iter()
            .map(Dependency::Team)
            .chain(services)
            .collect();
        if !changed.is_empty() {
            self.0.forget(&changed);
        }
        let is_user = |entry: &&AuditEntry| entry.event.entity_type == EntityType::User;
        let users = written.iter().filter(is_user);
        let users: Vec<UserId> = users
            .filter_map(|entry| entry.event.entity_id.as_ref()?.parse().ok())
            .collect();
        if !users.is_empty() {
            self.forget_people(&users);
        }
    }

    fn after_reopening(&self) {
        self.0.forget_all();
    }
}

/// The answer to a question that lies ready and still holds.
pub fn ready(app: &App, question: &Question<'_>, now: DateTime<Utc>) -> Option<Arc<Answer>> {
    Lookups::of(app).get(question, now)
}

/// The count of changes that made answers wrong: where it's the same before and after, what was
/// read in between is what a reader finds now.
pub fn changes(app: &App) -> u64 {
    Lookups::of(app).0.changes()
}

/// Answers a query about now from memory, or else from the store, and keeps the answer ready.
///
/// # Errors
/// As [`crate::actions::oncall::answer`].
pub fn answer(app: &App, query: &OnCallQuery) -> Result<Arc<Answer>> {
    let (question, now) = (Question::of(query), app.now());
    if let Some(ready) = question
        .as_ref()
        .and_then(|question| ready(app, question, now))
    {
        return Ok(ready);
    }
    let cache = &Lookups::of(app).0;
    let changes = cache.changes();
    app.read(|tx| {
        let (team, service) = resolve(tx, query)?;
        let found = on_call(tx, &team, service.as_ref(), &Moment::default(), now)?;
        let body = serde_json::to_vec(&found).map_err(|e| unwritable(&e))?;
        let answer = Arc::new(Answer {
            etag: etag(&body).into(),
            body: body.into(),
            valid: team.clock().starts_at(found.date)..team.clock().ends_at(found.date),
        });
        if let Some(question) = question
            && means_only(query, service.as_ref())
        {
            let dependencies = dependencies(&team.id, service.as_ref(), &found);
            let key = question.as_str().into();
            cache.keep(key, Arc::clone(&answer), dependencies, changes);
        }
        Ok(answer)
    })
}

/// Whether a query can mean no other service than the one that was found for it. A service whose
/// name reads like an id is found by that until there is one of that id.
fn means_only(query: &OnCallQuery, found: Option<&Service>) -> bool {
    let named = query
        .service
        .as_deref()
        .and_then(|id| id.parse::<ServiceId>().ok());
    named.is_none_or(|id| found.is_some_and(|service| service.id == id))
}

fn dependencies(team: &TeamId, service: Option<&Service>, found: &OnCall) -> Vec<Dependency> {
    let next = found.next.as_ref();
    let named = [
        found.engineer_slack_id.as_deref(),
        next.map(|next| next.engineer_slack_id.as_str()),
    ];
    let named = named.into_iter().flatten();
    let people = named.filter_map(|user| user.parse().ok().map(Dependency::Person));
    let service = service.map(|service| Dependency::Service(service.id));
    let of_rows = [Some(Dependency::Team(*team)), service];
    of_rows.into_iter().flatten().chain(people).collect()
}

/// A strong entity tag of some bytes.
pub fn etag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    format!("\"{}\"", hex(hash.get(..12).unwrap_or_default()))
}

fn unwritable(error: &serde_json::Error) -> ActionError {
    let (table, problem) = ("oncall".to_owned(), error.to_string());
    StoreError::Record { table, problem }.into()
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
