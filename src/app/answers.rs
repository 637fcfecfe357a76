//! What plugins are asked while no write is under way, and what they answered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Settings;
use crate::rotation::strategy::{Fingerprint, Pick};

/// What a write wants to know before it can be written.
pub trait Question: Send {
    /// Finds the answers, and keeps them.
    fn ask(&self, settings: &Settings, answers: &Answers);
}

/// What plugins answered, by what they were asked. A failure is an answer too.
#[derive(Default)]
pub struct Answers(Mutex<HashMap<Fingerprint, Answer>>);

/// A pick, or why there is none.
pub type Answer = std::result::Result<Pick, String>;

impl Answers {
    /// The answer to a question, once there is one.
    pub fn find(&self, question: Fingerprint) -> Option<Answer> {
        self.lock().get(&question).cloned()
    }

    /// Keeps an answer.
    pub fn keep(&self, question: Fingerprint, answer: Answer) {
        self.lock().insert(question, answer);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
