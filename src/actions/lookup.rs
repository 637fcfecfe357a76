//! Ready answers to "who is on call?", as bytes, by the question as it was put.
//!
//! An answer is dropped as soon as a change concerns its team, any service changes, or the
//! team's on-call day ends. One that was computed before a change and comes to be kept only
//! after it is refused: that is what the count of changes is for.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::app::App;
use super::error::{ActionError, Result};
use super::oncall::{on_call, resolve};
use crate::domain::audit::{AuditEntry, EntityType};
use crate::domain::ids::TeamId;
use crate::store::StoreError;
use crate::wire::audit::hex;
use crate::wire::oncall::{Moment, OnCallQuery};

/// Answers that are kept; about 1 kB each.
const KEPT: usize = 32_768;

/// An answer, ready to send.
#[derive(Debug)]
pub struct Answer {
    /// JSON.
    pub body: Vec<u8>,
    /// Its entity tag, quoted.
    pub etag: String,
    valid_until: DateTime<Utc>,
    team: TeamId,
}

/// The answers that are ready.
#[derive(Debug, Default)]
pub struct LookupCache {
    answers: RwLock<HashMap<Box<str>, Arc<Answer>>>,
    changes: AtomicU64,
}

impl LookupCache {
    /// The ready answer to a question, if it still holds.
    pub fn get(&self, question: &str, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers
            .get(question)
            .filter(|answer| now < answer.valid_until)
            .cloned()
    }

    fn put(&self, question: &str, answer: &Arc<Answer>, changes: u64) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes.load(Ordering::Acquire) != changes {
            return;
        }
        if answers.len() >= KEPT {
            answers.clear();
        }
        answers.insert(question.into(), Arc::clone(answer));
    }

    /// Drops the answers that these changes may have made wrong.
    pub(super) fn forget(&self, changes: &[AuditEntry]) {
        if changes.is_empty() {
            return;
        }
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::Release);
        if changes
            .iter()
            .any(|entry| entry.event.entity_type == EntityType::Service)
        {
            answers.clear();
            return;
        }
        let teams: HashSet<_> = changes
            .iter()
            .filter_map(|entry| entry.event.team_id)
            .collect();
        if !teams.is_empty() {
            answers.retain(|_, answer| !teams.contains(&answer.team));
        }
    }
}

/// Answers a query about now from memory, or else from the store; `question` is the query
/// as it was put.
///
/// # Errors
/// As [`super::oncall::answer`].
pub fn answer(app: &App, question: &str, query: &OnCallQuery) -> Result<Arc<Answer>> {
    let now = app.now();
    if let Some(ready) = app.lookups().get(question, now) {
        return Ok(ready);
    }
    let changes = app.lookups().changes.load(Ordering::Acquire);
    let answer = app.read(|tx| {
        let (team, service) = resolve(tx, query)?;
        let answer = on_call(tx, &team, service.as_ref(), &Moment::default(), now)?;
        let body = serde_json::to_vec(&answer).map_err(|e| unwritable(&e))?;
        Ok(Answer {
            etag: etag(&body),
            body,
            valid_until: team.clock().ends_at(answer.date),
            team: team.id,
        })
    })?;
    let answer = Arc::new(answer);
    app.lookups().put(question, &answer, changes);
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
