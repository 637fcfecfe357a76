//! What tests of the use cases share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{members, parts};
use crate::app::plugins::{PluginEvent, Plugins};
use crate::app::{ActionError, App, Ctx, Part, Settings, Tx};
use crate::clock::Clock;
use crate::domain::audit::Action;
use crate::rotation::strategy::{Pick, PickContext, Strategy};
use crate::store::Store;
use crate::wire::plugin::PluginView;

pub type Meanwhile = Box<dyn FnOnce() + Send>;

/// Picks the last in the ring, and does something first that a test wants done meanwhile.
#[derive(Clone, Default)]
pub struct LastInRing {
    pub meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    /// How often it was asked.
    pub asked: Arc<AtomicUsize>,
    pub is_loading: Arc<AtomicBool>,
}

impl LastInRing {
    /// What is done at the next question.
    pub fn meanwhile(&self, f: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(f));
    }
}

impl Strategy for LastInRing {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let last = context.standings.last().ok_or("nobody")?;
        let (user, reason) = (last.user.clone(), "the last in the ring".to_owned());
        Ok(Pick { user, reason })
    }
}

impl std::fmt::Debug for LastInRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LastInRing")
    }
}

impl Plugins for LastInRing {
    fn strategy(&self, name: &str) -> Result<Box<dyn Strategy>, String> {
        match name {
            "last" => Ok(Box::new(self.clone())),
            _ => Err(format!("plugin:{name} is not loaded")),
        }
    }

    fn config_problems(&self, _: &str, _: &Value) -> Vec<String> {
        Vec::new()
    }

    fn list(&self) -> Vec<PluginView> {
        Vec::new()
    }

    fn reload(&self) -> Vec<PluginEvent> {
        Vec::new()
    }

    fn is_loading(&self, _: &str) -> bool {
        self.is_loading.load(Ordering::Relaxed)
    }

    fn await_loaded(&self, _: &str) {
        self.is_loading.store(false, Ordering::Relaxed);
    }
}

pub fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// Joins team Core.
pub fn join(app: &App, user: &str) {
    let member = read(json!({"slack_user_id": user}));
    members::put(app, &Ctx::system(), "core", &member).unwrap();
}

/// Has handoffs fail while it says so, and nothing else.
#[derive(Debug)]
struct Refusal(Arc<AtomicBool>);

impl Part for Refusal {
    fn before_commit(&self, tx: &mut Tx<'_>) -> Result<(), ActionError> {
        let handoffs = [Action::RotationTriggered, Action::RotationSkipped];
        let mut audited = tx.store.audited().iter();
        if self.0.load(Ordering::Relaxed) && audited.any(|e| handoffs.contains(&e.event.action)) {
            return Err(ActionError::Internal("handoffs are refused".to_owned()));
        }
        Ok(())
    }
}

/// An application on an empty store in memory, and what has its handoffs fail.
pub fn start_refusing(clock: Arc<dyn Clock>, settings: Settings) -> (App, Arc<AtomicBool>) {
    let refuses = Arc::new(AtomicBool::new(false));
    let mut parts = parts();
    parts.push(Box::new(Refusal(refuses.clone())));
    let store = Store::in_memory().unwrap();
    (App::new(store, clock, settings, parts), refuses)
}
