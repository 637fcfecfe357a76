//! Writing: one transaction, with all that goes with it.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Answers, Question};
use super::{ActionError, App, Ctx, Result, Tx};
use crate::store::{self, idempotency};
use crate::wire::audit::ChangeEvent;

/// How often a write is undone to ask plugins. It takes another round where a plan builds on what
/// another of the same write came to, or where somebody else has changed the team meanwhile. What is
/// open then counts as failed: nobody is asked while others wait to write.
const ROUNDS: usize = 5;

impl App {
    /// Writes in one transaction, then tells the caches and listeners what changed. Where
    /// plugins have to be asked for it, `f` is undone and run again.
    ///
    /// # Errors
    /// Those of the store and of `f`; nothing is written then.
    pub fn write<T>(&self, ctx: &Ctx, f: impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.write_if(true, ctx, f)
    }

    /// Does all that [`App::write`] does short of committing: what it would come to, or why it would
    /// be refused. Nothing is written, and nobody hears of it.
    ///
    /// # Errors
    /// As [`App::write`].
    pub fn rehearse<T>(&self, ctx: &Ctx, f: impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.write_if(false, ctx, f)
    }

    fn write_if<T>(
        &self,
        is_meant: bool,
        ctx: &Ctx,
        mut f: impl FnMut(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let answers = Answers::default();
        let mut rounds = ROUNDS;
        loop {
            let round = Round {
                is_meant,
                is_last: rounds == 0,
                answers: &answers,
            };
            let questions = match self.write_knowing(ctx, &round, &mut f) {
                Ok(value) | Err(Undone::Rehearsed(value)) => return Ok(value),
                Err(Undone::Failed(error)) => return Err(error),
                Err(Undone::Asks(questions)) => questions,
            };
            for question in questions {
                question.ask(self.settings(), &answers);
            }
            rounds = rounds.saturating_sub(1);
        }
    }

    /// Writes in one transaction, if that takes no more answers of plugins than are known; in the
    /// last round whatever is known.
    fn write_knowing<T>(
        &self,
        ctx: &Ctx,
        round: &Round<'_>,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> std::result::Result<T, Undone<T>> {
        // Writers take turns here, so that each reads the clock once the one before is done,
        // and that what they changed is told in the order in which it was.
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut on_call_changed = false;
        let written = self.0.store.write(|store| {
            let mut tx = Tx {
                store,
                ctx,
                now: self.now(),
                started_at: self.0.started_at,
                settings: self.settings(),
                causes: BTreeMap::new(),
                on_call_changed: false,
                messages: Vec::new(),
                answers: round.answers,
                is_last_round: round.is_last,
                questions: Vec::new(),
            };
            let value = f(&mut tx)?;
            if !tx.questions.is_empty() {
                return Err(Undone::Asks(tx.questions));
            }
            for part in &self.0.parts {
                part.before_commit(&mut tx)?;
            }
            tx.flush()?;
            if !round.is_meant {
                return Err(Undone::Rehearsed(value));
            }
            on_call_changed = tx.on_call_changed;
            Ok(value)
        });
        self.follow_store();
        let written = written?;
        for part in &self.0.parts {
            part.after_commit(&written.audit);
        }
        for entry in &written.audit {
            // An error only says that nobody listens.
            let _ = self.0.events.send(ChangeEvent::from(entry));
        }
        if written.queued > 0 {
            Self::tell(&self.0.queued);
        }
        if on_call_changed {
            Self::tell(&self.0.on_call_changes);
        }
        Ok(written.value)
    }

    /// As [`App::write`]; where the context bears an idempotency key that was done before,
    /// the answer given then. Answer and change are written together.
    ///
    /// # Errors
    /// As [`App::write`]; or the key was used for another request.
    pub fn write_once<T: Serialize + DeserializeOwned>(
        &self,
        ctx: &Ctx,
        mut f: impl FnMut(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let Some(request) = ctx.idempotency else {
            return self.write(ctx, f);
        };
        self.write(ctx, |tx| {
            if let Some(done) = idempotency::find(tx.store, &request.key, tx.now)? {
                if done.fingerprint != request.fingerprint {
                    let message = "was used for another request in the last 24 hours";
                    return Err(ActionError::invalid("Idempotency-Key", message));
                }
                return from_json(&done.result);
            }
            let value = f(tx)?;
            let result = to_json(&value)?;
            let done = idempotency::Done {
                fingerprint: request.fingerprint,
                result,
                at: tx.now,
            };
            idempotency::put(tx.store, &request.key, &done)?;
            Ok(value)
        })
    }
}

/// One try of a write.
struct Round<'a> {
    /// Whether it is to be committed.
    is_meant: bool,
    /// Whether what plugins haven't answered by now counts as failed.
    is_last: bool,
    /// What they answered so far.
    answers: &'a Answers,
}

/// Why a write left nothing behind.
enum Undone<T> {
    Failed(ActionError),
    /// Plugins are to be asked first.
    Asks(Vec<Box<dyn Question>>),
    /// It was not meant to.
    Rehearsed(T),
}

impl<T, E: Into<ActionError>> From<E> for Undone<T> {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| unreadable(&e))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| unreadable(&e))
}

fn unreadable(error: &serde_json::Error) -> ActionError {
    let (table, problem) = ("idempotency".to_owned(), error.to_string());
    store::StoreError::Record { table, problem }.into()
}
