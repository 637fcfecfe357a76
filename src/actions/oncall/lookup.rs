//! Ready answers to "who is on call?", as bytes, by the question as it was put.
//!
//! An answer is forgotten as soon as a change concerns its team, any service changes, or the
//! team's on-call day ends.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::actions::oncall::{on_call, resolve};
use crate::app::cache::Memory;
use crate::app::{ActionError, App, Part, Result};
use crate::domain::audit::{AuditEntry, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::store::StoreError;
use crate::wire::audit::hex;
use crate::wire::oncall::{Moment, OnCallQuery};

/// Longer questions are not kept, in bytes: names have at most 100 characters.
const LONGEST_QUESTION: usize = 1024;

/// Answers that are kept; about 1 kB each.
const KEPT: usize = 32_768;

/// An answer, ready to send.
#[derive(Debug)]
pub struct Answer {
    /// JSON.
    pub body: Bytes,
    /// Its entity tag, quoted.
    pub etag: Bytes,
    valid_until: DateTime<Utc>,
    team: TeamId,
    /// Whom it names.
    engineer: Option<String>,
}

/// The answers that are ready.
#[derive(Debug)]
pub struct Lookups(Memory<Box<str>, Arc<Answer>>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Memory::new(KEPT))
    }
}

impl Lookups {
    /// Those of an application.
    pub fn of(app: &App) -> &Self {
        app.part()
    }

    /// The ready answer to a question, if it still holds.
    pub fn get(&self, question: &str, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        self.0
            .get(question)
            .filter(|answer| now < answer.valid_until)
    }

    /// Forgets the answers that show the names of these people.
    pub(crate) fn forget_people(&self, users: &[UserId]) {
        let users: HashSet<_> = users.iter().map(UserId::as_str).collect();
        self.0.forget(|answer| {
            let engineer = answer.engineer.as_deref();
            engineer.is_some_and(|engineer| users.contains(engineer))
        });
    }
}

impl Part for Lookups {
    /// Forgets the answers that these changes may have made wrong.
    fn after_commit(&self, written: &[AuditEntry]) {
        let is_service = |entry: &AuditEntry| entry.event.entity_type == EntityType::Service;
        let teams: HashSet<_> = written
            .iter()
            .filter_map(|entry| entry.event.team_id)
            .collect();
        if written.iter().any(is_service) {
            self.0.forget(|_| true);
        } else if !teams.is_empty() {
            self.0.forget(|answer| teams.contains(&answer.team));
        }
    }
}

/// The answer to a question that lies ready and still holds.
pub fn ready(app: &App, question: &str, now: DateTime<Utc>) -> Option<Arc<Answer>> {
    Lookups::of(app).get(question, now)
}

/// Answers a query about now from memory, or else from the store; `question` is the query
/// as it was put.
///
/// # Errors
/// As [`crate::actions::oncall::answer`].
pub fn answer(app: &App, question: &str, query: &OnCallQuery) -> Result<Arc<Answer>> {
    let now = app.now();
    if let Some(ready) = Lookups::of(app).get(question, now) {
        return Ok(ready);
    }
    let changes = Lookups::of(app).0.changes();
    let answer = app.read(|tx| {
        let (team, service) = resolve(tx, query)?;
        let answer = on_call(tx, &team, service.as_ref(), &Moment::default(), now)?;
        let body = serde_json::to_vec(&answer).map_err(|e| unwritable(&e))?;
        Ok(Answer {
            etag: etag(&body).into(),
            body: body.into(),
            valid_until: team.clock().ends_at(answer.date),
            team: team.id,
            engineer: answer.engineer_slack_id,
        })
    })?;
    let answer = Arc::new(answer);
    if question.len() <= LONGEST_QUESTION {
        let memory = &Lookups::of(app).0;
        memory.keep(question.into(), Arc::clone(&answer), changes);
    }
    Ok(answer)
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
