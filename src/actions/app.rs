//! What every action works on: the store, the clock, the settings, and who listens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};

use super::context::Ctx;
use super::deliveries;
use super::error::{ActionError, Result};
use super::lookup::Lookups;
use super::planning::{Answers, Question};
use super::plugins::{NoPlugins, Plugins};
use super::tokens::KnownTokens;
use crate::clock::Clock;
use crate::domain::audit::AuditEvent;
use crate::domain::ids::TeamId;
use crate::domain::notification::Event;
use crate::rotation::plan::OnFailure;
use crate::store::outbox::Message;
use crate::store::{self, ReadTx, Store, WriteTx, idempotency, outbox};
use crate::wire::audit::ChangeEvent;

/// How many change events a slow listener may lag behind before it misses some.
const EVENT_BACKLOG: usize = 1024;

/// How often a write is undone to ask plugins; then they are asked within it. It takes another
/// round where a plan builds on what another of the same write came to, or where somebody else
/// has changed the team meanwhile.
const ROUNDS: usize = 4;

/// The parts of the config that actions go by, and what it makes available to them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Weeks that auto schedules are kept ahead.
    pub lookahead_weeks: u32,
    /// What to do where a strategy fails.
    pub on_failure: OnFailure,
    /// Whether overrides wait for a lead, unless the team says otherwise.
    pub require_approval: bool,
    /// Whether Slack is configured, so that the Slack groups of teams are their member lists.
    pub members_from_slack: bool,
    /// Where notifications go.
    pub sinks: Vec<Route>,
    /// Hours before a shift at which its engineer is reminded; 0 for no reminders.
    pub reminder_hours: u32,
    /// The plugins.
    pub plugins: Arc<dyn Plugins>,
}

/// A way for notifications out of the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Name of the sink: `slack`, `webhook:<endpoint>`, `plugin:<name>`.
    pub sink: String,
    /// What goes this way; everything where there is no list.
    pub events: Option<Vec<Event>>,
}

impl Route {
    /// Everything, through a sink.
    pub fn all_to(sink: impl Into<String>) -> Self {
        let sink = sink.into();
        Self { sink, events: None }
    }

    /// Whether an event goes this way.
    pub fn takes(&self, event: Event) -> bool {
        self.events
            .as_ref()
            .is_none_or(|events| events.contains(&event))
    }

    /// Whether recipients are Slack's, so that who has no channel there can't be told.
    pub fn is_slack(&self) -> bool {
        self.sink == "slack"
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lookahead_weeks: 4,
            on_failure: OnFailure::RoundRobin,
            require_approval: false,
            members_from_slack: false,
            sinks: vec![Route::all_to("slack")],
            reminder_hours: 24,
            plugins: Arc::new(NoPlugins),
        }
    }
}

/// The running application. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    settings: Settings,
    lookups: Lookups,
    tokens: KnownTokens,
    events: broadcast::Sender<ChangeEvent>,
    queued: watch::Sender<usize>,
    on_call_changes: watch::Sender<usize>,
    turn: Mutex<()>,
    started_at: DateTime<Utc>,
}

impl App {
    /// An application on an open store.
    pub fn new(store: Store, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        Self(Arc::new(Inner {
            store,
            started_at: clock.now(),
            turn: Mutex::new(()),
            clock,
            settings,
            lookups: Lookups::default(),
            tokens: KnownTokens::default(),
            events,
            queued: watch::Sender::default(),
            on_call_changes: watch::Sender::default(),
        }))
    }

    /// An application on an empty store in memory.
    #[cfg(test)]
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        let store = Store::in_memory().expect("a store in memory opens");
        Self::new(store, clock, Settings::default())
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The parts of the config that actions go by.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Every change from now on, as it is committed.
    pub fn subscribe(&self) -> broadcast::Receiver<ChangeEvent> {
        self.0.events.subscribe()
    }

    /// Changes whenever notifications were put into the outbox.
    pub fn queued(&self) -> watch::Receiver<usize> {
        self.0.queued.subscribe()
    }

    /// Changes whenever somebody else has come on call in some team, by a handoff, a change or
    /// because a row's first day has come.
    pub fn on_call_changes(&self) -> watch::Receiver<usize> {
        self.0.on_call_changes.subscribe()
    }

    /// Ready answers to lookups.
    pub fn lookups(&self) -> &Lookups {
        &self.0.lookups
    }

    /// Tokens that were recognised of late.
    pub(super) fn tokens(&self) -> &KnownTokens {
        &self.0.tokens
    }

    /// Reads from one snapshot.
    ///
    /// # Errors
    /// Those of the store and of `f`.
    pub fn read<T>(&self, f: impl FnOnce(&ReadTx) -> Result<T>) -> Result<T> {
        self.0.store.read(f)
    }

    /// Writes in one transaction, then tells the caches and listeners what changed. Where
    /// plugins have to be asked for it, `f` is undone and run again.
    ///
    /// # Errors
    /// Those of the store and of `f`; nothing is written then.
    pub fn write<T>(&self, ctx: &Ctx, mut f: impl FnMut(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let answers = Answers::default();
        let mut rounds = ROUNDS;
        loop {
            let questions = match self.write_knowing(ctx, &answers, rounds == 0, &mut f) {
                Ok(value) => return Ok(value),
                Err(Undone::Failed(error)) => return Err(error),
                Err(Undone::Asks(questions)) => questions,
            };
            for question in questions {
                question.ask(self.settings(), &answers);
            }
            rounds = rounds.saturating_sub(1);
        }
    }

    /// Writes in one transaction, if that takes no more answers of plugins than are known or,
    /// where it `may_ask`, than it then asks for.
    fn write_knowing<T>(
        &self,
        ctx: &Ctx,
        answers: &Answers,
        may_ask: bool,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> std::result::Result<T, Undone> {
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
                told: BTreeSet::new(),
                on_call_changed: false,
                answers,
                may_ask,
                questions: Vec::new(),
            };
            let value = f(&mut tx)?;
            if !tx.questions.is_empty() {
                return Err(Undone::Asks(tx.questions));
            }
            super::watch::look_at_changed(&mut tx)?;
            on_call_changed = tx.on_call_changed;
            Ok(value)
        })?;
        self.0.lookups.forget(&written.audit);
        self.0.tokens.forget(&written.audit);
        for entry in &written.audit {
            // An error only says that nobody listens.
            let _ = self.0.events.send(ChangeEvent::from(entry));
        }
        let count = |total: &mut usize| *total = total.wrapping_add(1);
        if written.queued > 0 {
            self.0.queued.send_modify(count);
        }
        if on_call_changed {
            self.0.on_call_changes.send_modify(count);
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

/// Why a write left nothing behind.
enum Undone {
    Failed(ActionError),
    /// Plugins are to be asked first.
    Asks(Vec<Question>),
}

impl<E: Into<ActionError>> From<E> for Undone {
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
    /// Teams whose change of who is on call was told in this write.
    pub(super) told: BTreeSet<TeamId>,
    /// Whether somebody else came on call somewhere.
    pub(super) on_call_changed: bool,
    /// What plugins answered so far.
    pub(super) answers: &'a Answers,
    /// Whether they may be asked in this write.
    pub(super) may_ask: bool,
    /// Plans that take more of their answers; there is no write with such.
    pub(super) questions: Vec<Question>,
}

impl Tx<'_> {
    /// Appends to the audit log.
    ///
    /// # Errors
    /// The store failed.
    pub fn audit(&mut self, event: AuditEvent) -> Result<()> {
        Ok(store::audit::append(self.store, event, self.now)?)
    }

    /// Puts a message into the outbox. What happens while the sample company or another system's
    /// past is brought in is told to nobody.
    ///
    /// # Errors
    /// The store failed.
    pub fn notify(&mut self, sink: &str, message: &Message) -> Result<()> {
        if self.ctx.source != super::Source::Import {
            let row = outbox::push(self.store, sink, message, self.now)?;
            deliveries::note_request(self.store, &row, "")?;
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
