//! A write under way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::answers::{Answers, Question};
use super::{ActionError, Cause, Ctx, Result, Settings, Source};
use crate::domain::ids::TeamId;
use crate::store::outbox::Message;
use crate::store::{self, WriteTx};

/// A write under way: what actions write through.
pub struct Tx<'a> {
    /// The store's transaction.
    pub store: &'a mut WriteTx,
    /// Who acts.
    pub ctx: &'a Ctx,
    /// The instant of the whole write.
    pub now: DateTime<Utc>,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// The parts of the config that actions go by.
    pub settings: &'a Settings,
    /// Why somebody else may be on call, by team.
    pub(crate) causes: BTreeMap<TeamId, Cause>,
    /// Messages for the outbox, which they enter with the commit.
    pub(crate) messages: Vec<(String, Message)>,
    /// Whether somebody else came on call somewhere.
    pub(crate) on_call_changed: bool,
    /// What plugins answered so far.
    pub(crate) answers: &'a Answers,
    /// Whether what they haven't answered by now counts as failed.
    pub(crate) is_last_round: bool,
    /// Plans that take more of their answers; there is no write with such.
    pub(crate) questions: Vec<Box<dyn Question>>,
}

impl Tx<'_> {
    /// Puts a message into the outbox. What happens while the sample company or another system's
    /// past is brought in is told to nobody.
    pub fn notify(&mut self, sink: &str, message: &Message) {
        if self.ctx.source != Source::Import {
            self.messages.push((sink.to_owned(), message.clone()));
        }
    }

    /// Writes the messages into the outbox.
    pub(crate) fn flush(&mut self) -> Result<()> {
        for (sink, message) in std::mem::take(&mut self.messages) {
            store::outbox::push(self.store, &sink, &message, self.now)?;
        }
        Ok(())
    }
}

/// Refuses a change that is based on another version than the current one.
///
/// # Errors
/// A conflict that names both.
pub fn check_version(given: Option<u64>, current: u64) -> Result<()> {
    match given {
        Some(given) if given != current => Err(ActionError::conflict(format!(
            "version {given} is not the current one, {current}: read it again and redo the change"
        ))),
        _ => Ok(()),
    }
}
