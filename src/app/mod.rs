//! The kernel: what every use case works with, and what a write takes along. It knows no use
//! case; those that take part in every write are handed to it as [`Part`]s.

pub mod answers;
mod blocking;
pub mod cache;
mod cause;
pub(crate) mod changes;
mod context;
mod entry;
mod error;
pub mod plugins;
mod settings;
mod tx;
mod write;

use std::any::Any;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use tokio::sync::{broadcast, watch};

pub(crate) use self::cause::{Begun, Cause, Change};
pub use self::context::{Actor, Ctx, IdempotencyKey, Source};
pub use self::entry::Entry;
pub use self::error::{ActionError, Result};
pub use self::settings::{Route, Settings};
pub use self::tx::{Tx, check_version};
use crate::clock::Clock;
use crate::domain::audit::AuditEntry;
pub use crate::store::Trouble;
use crate::store::{ReadTx, Store};
use crate::wire::audit::ChangeEvent;

/// How many change events a slow listener may lag behind before it misses some.
const EVENT_BACKLOG: usize = 1024;

/// A use case that takes part in every write: it adds to what is about to be committed, or keeps
/// in memory what the store says and hears what has changed.
pub trait Part: Any + Send + Sync {
    /// Adds to a write that is about to be committed.
    ///
    /// # Errors
    /// Its own; nothing is written then.
    fn before_commit(&self, _tx: &mut Tx<'_>) -> Result<()> {
        Ok(())
    }

    /// Hears what was committed, in the order in which it was.
    fn after_commit(&self, _written: &[AuditEntry]) {}

    /// Hears that the store had to be opened again: a write of which nobody heard may have come to be.
    fn after_reopening(&self) {}
}

/// The running application. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    settings: Settings,
    parts: Vec<Box<dyn Part>>,
    events: broadcast::Sender<ChangeEvent>,
    queued: watch::Sender<usize>,
    on_call_changes: watch::Sender<usize>,
    turn: Mutex<()>,
    /// How often the store had been opened again when that was last told.
    reopened: AtomicU64,
    started_at: DateTime<Utc>,
}

impl App {
    /// An application on an open store, with those who take part in every write.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        settings: Settings,
        parts: Vec<Box<dyn Part>>,
    ) -> Self {
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        Self(Arc::new(Inner {
            store,
            started_at: clock.now(),
            turn: Mutex::new(()),
            reopened: AtomicU64::new(0),
            clock,
            settings,
            parts,
            events,
            queued: watch::Sender::default(),
            on_call_changes: watch::Sender::default(),
        }))
    }

    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// When it was started.
    pub fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }

    /// Where the data file is.
    pub fn store_path(&self) -> &Path {
        self.0.store.path()
    }

    /// Size of the data file, in bytes; 0 where it can't be told.
    pub fn store_bytes(&self) -> u64 {
        let file = std::fs::metadata(self.0.store.path());
        file.map_or(0, |file| file.len())
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

    /// The part of this type.
    ///
    /// # Panics
    /// The application was made without one.
    pub(crate) fn part<T: Part>(&self) -> &T {
        let mut parts = self.0.parts.iter();
        parts
            .find_map(|part| (part.as_ref() as &dyn Any).downcast_ref())
            .expect("invariant: actions::start hands over every part")
    }

    /// Reads from one snapshot.
    pub fn read<T>(&self, f: impl FnOnce(&ReadTx) -> Result<T>) -> Result<T> {
        let found = self.0.store.read(f);
        self.follow_store();
        found
    }

    /// What keeps writes from the disk, if something does. Reads go on meanwhile.
    pub fn disk_trouble(&self) -> Option<Trouble> {
        self.0.store.trouble()
    }

    /// Tries to write again where that failed: true where writes reach the disk, now or all along.
    pub fn recover(&self) -> bool {
        let is_well = self.0.store.recover();
        self.follow_store();
        is_well
    }

    /// Has everybody read anew what they keep of the store, where it had to be opened again.
    fn follow_store(&self) {
        let reopened = self.0.store.reopened();
        if self.0.reopened.swap(reopened, Ordering::AcqRel) == reopened {
            return;
        }
        for part in &self.0.parts {
            part.after_reopening();
        }
        Self::tell(&self.0.queued);
        Self::tell(&self.0.on_call_changes);
    }

    fn tell(changes: &watch::Sender<usize>) {
        changes.send_modify(|total| *total = total.wrapping_add(1));
    }
}
