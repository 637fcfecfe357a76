//! Ready answers to "who is on call?", as bytes, by the question as it was put.
//!
//! An answer is forgotten as soon as a change concerns its team, any service changes, or the
//! team's on-call day ends.

use std::collections::HashSet;
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
use crate::domain::ids::{TeamId, UserId};
use crate::store::StoreError;
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
    /// The on-call day that it is about; a clock that was wrong may be set back.
    valid: Range<DateTime<Utc>>,
    team: TeamId,
    /// Whom it names.
    engineer: Option<String>,
}

/// The answers that are ready.
#[derive(Debug)]
pub struct Lookups(Cache<Box<str>, Arc<Answer>>);

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
    pub fn get(&self, question: &str, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        self.0
            .get(question)
            .filter(|answer| answer.valid.contains(&now))
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
            valid: team.clock().starts_at(answer.date)..team.clock().ends_at(answer.date),
            team: team.id,
            engineer: answer.engineer_slack_id,
        })
    })?;
    let answer = Arc::new(answer);
    if question.len() <= LONGEST_QUESTION {
        let cache = &Lookups::of(app).0;
        cache.keep(question.into(), Arc::clone(&answer), changes);
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

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::actions::{schedules, start_in_memory, teams};
    use crate::app::Ctx;
    use crate::clock::ManualClock;

    fn read<T: DeserializeOwned>(json: Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_nobody_of_the_future_on_call() {
        let clock = Arc::new(ManualClock::new("2026-11-25T12:00:00Z".parse().unwrap()));
        let app = start_in_memory(clock.clone());
        let ctx = Ctx::system();
        teams::create(&app, &ctx, &read(json!({"name": "Core"}))).unwrap();
        for (user, day) in [("UANN", "2026-11-25"), ("UBOB", "2026-11-28")] {
            let row = json!({"engineer_slack_id": user, "start_date": day, "end_date": day});
            schedules::create(&app, &ctx, "core", &read(row)).unwrap();
        }
        let on_call = || {
            let query = read(json!({"team": "core"}));
            answer(&app, "team=core", &query).unwrap().engineer.clone()
        };
        assert_eq!(on_call().as_deref(), Some("UANN"));
        for (now, user) in [
            ("2026-11-28T12:00:00Z", "UBOB"),
            ("2026-11-25T12:00:01Z", "UANN"),
            ("2026-11-28T23:59:59Z", "UBOB"),
        ] {
            clock.set(now.parse().unwrap());
            assert_eq!(on_call().as_deref(), Some(user), "at {now}");
        }
    }
}
