//! A plugin that is in service: made from its two files, called with limits, watched.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use wasmtime::{Store, Trap, UpdateDeadline};

use super::cache::{Cache, Hash};
use super::engine::Engine;
use super::error::{CallError, Cause, LoadError, chain};
use super::host::{Call, bindings};
use super::hosts::{Granted, HostPolicy};
use super::http::{Clients, Requests};
use super::interface::{self, Described};
use super::limits::Limits;
use super::manifest::Manifest;
use crate::domain::hex::hex;
use crate::wire::plugin::{LoadedPlugin, PluginKind};

/// Costly failures one after the other after which a plugin is left alone for a while: it
/// would hold up whoever plans, team after team.
const PATIENCE: u32 = 3;

/// How long it is left alone.
const PAUSE: Duration = Duration::from_mins(1);

/// What all plugins share.
#[derive(Debug)]
pub struct Host {
    /// Compiles and runs them.
    pub engine: Engine,
    /// Compiled code on disk, where that works.
    pub cache: Option<Cache>,
    /// What they may reach.
    pub policy: HostPolicy,
    /// What a call may take.
    pub limits: Limits,
    /// Sends the requests of sinks.
    pub clients: Arc<Clients>,
}

/// A plugin's two files, as they were read.
#[derive(Debug)]
pub struct Files<'a> {
    /// The manifest's text.
    pub manifest: &'a str,
    /// The component, or the core module.
    pub wasm: &'a [u8],
}

/// A plugin that can be called.
pub struct Plugin {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What a call may take.
    pub limits: Limits,
    /// What it may reach.
    pub granted: Granted,
    /// The version of the interface that it speaks.
    pub interface: &'static str,
    /// SHA-256 of its WebAssembly file.
    pub sha256: Hash,
    /// Since when it is in service.
    pub loaded_at: DateTime<Utc>,
    pub(super) program: Program,
    host: Arc<Host>,
    record: Mutex<Record>,
}

/// Linked code, from which each call gets an instance of its own.
pub enum Program {
    /// A rotation strategy.
    Rotation(bindings::rotation::RotationStrategyPre<Call>),
    /// A notification sink.
    Sink(bindings::sink::NotificationSinkPre<Call>),
}

/// How its calls went.
#[derive(Debug, Default)]
struct Record {
    calls: u64,
    failures: u64,
    microseconds: u64,
    /// What the last call burnt.
    fuel: u64,
    last_failure: Option<Cause>,
    /// Costly failures since the last call that went well.
    costly_in_a_row: u32,
    paused_until: Option<Instant>,
}

impl Plugin {
    /// Checks, compiles (or finds compiled) and links a plugin.
    ///
    /// # Errors
    /// What is wrong with its files.
    pub fn load(
        host: &Arc<Host>,
        files: &Files<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, LoadError> {
        let manifest = Manifest::read(files.manifest)?;
        let described = interface::describe(files.wasm)?;
        if described.kind != manifest.kind {
            let (said, is) = (manifest.kind, described.kind);
            return Err(LoadError::OtherKind { said, is });
        }
        let sha256 = Sha256::digest(files.wasm).into();
        let refused = |error: wasmtime::Error| LoadError::Compile(chain(&error));
        let program = link(host, &described, &sha256).map_err(refused)?;
        Ok(Self {
            limits: manifest.limits_within(host.limits),
            granted: host.policy.grant(&manifest.hosts),
            interface: described.version,
            sha256,
            loaded_at: now,
            manifest,
            program,
            host: host.clone(),
            record: Mutex::default(),
        })
    }

    /// What it is and how it fares.
    pub fn view(&self) -> LoadedPlugin {
        let record = self.record();
        LoadedPlugin {
            kind: self.manifest.kind,
            version: self.manifest.version.clone(),
            description: self.manifest.description.clone(),
            interface: self.interface.to_owned(),
            sha256: hex(&self.sha256),
            loaded_at: self.loaded_at,
            hosts: self.granted.names(),
            refused_hosts: self
                .granted
                .refused
                .iter()
                .map(ToString::to_string)
                .collect(),
            max_memory_mb: self.limits.memory_mb as u64,
            timeout_ms: u64::try_from(self.limits.timeout.as_millis()).unwrap_or(u64::MAX),
            fuel: self.limits.fuel,
            config_schema: self
                .manifest
                .schema
                .as_ref()
                .map(|schema| schema.json().clone()),
            calls: record.calls,
            failures: record.failures,
            microseconds: record.microseconds,
            last_failure: record.last_failure.as_ref().map(ToString::to_string),
        }
    }

    /// Fuel that the last call burnt.
    pub fn fuel_of_last_call(&self) -> u64 {
        self.record().fuel
    }

    /// Where its requests go: to its hosts, on the calling thread's runtime.
    pub(super) fn network(&self) -> Option<Requests> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let (clients, granted) = (self.host.clients.clone(), self.granted.clone());
        Some(Requests::new(clients, granted, runtime))
    }

    /// Calls it by `run` in a store of its own, counts how that went, and names it in what went
    /// wrong. Only a sink has a use for `requests`.
    ///
    /// # Errors
    /// What `run` says, or what made it fail.
    pub(super) fn call<T>(
        &self,
        answer_bytes: usize,
        requests: Option<Requests>,
        run: impl FnOnce(&mut Store<Call>) -> wasmtime::Result<Result<T, Cause>>,
    ) -> Result<T, CallError> {
        let began_at = Instant::now();
        let paused = self.record().pause(began_at);
        let answer = match paused {
            Some(cause) => Err(cause),
            // A flaw of the runtime is the plugin's problem too.
            None => catch_unwind(AssertUnwindSafe(|| self.run(answer_bytes, requests, run)))
                .unwrap_or_else(|_| Err(Cause::Trap("the runtime gave up on it".to_owned()))),
        };
        self.record().note(began_at, answer.as_ref().err());
        answer.map_err(|cause| CallError {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            cause,
        })
    }

    fn run<T>(
        &self,
        answer_bytes: usize,
        requests: Option<Requests>,
        run: impl FnOnce(&mut Store<Call>) -> wasmtime::Result<Result<T, Cause>>,
    ) -> Result<T, Cause> {
        let engine = &self.host.engine;
        let _running = engine.begin_call();
        let call = Call::new(self.manifest.name.clone(), self.limits, requests);
        let mut store = Store::new(engine.wasm(), call);
        store.limiter(|call| &mut call.limiter);
        store.set_hostcall_fuel(answer_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|call| {
            let is_overdue = call.data().is_overdue();
            Ok(if is_overdue {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Continue(1)
            })
        });
        let outcome = store
            .set_fuel(self.limits.fuel)
            .and_then(|()| run(&mut store));
        let left = store.get_fuel().unwrap_or_default();
        self.record().fuel = self.limits.fuel.saturating_sub(left);
        outcome.unwrap_or_else(|error| Err(self.cause(&store, &error, answer_bytes)))
    }

    fn cause(&self, store: &Store<Call>, error: &wasmtime::Error, answer_bytes: usize) -> Cause {
        let trap = error.downcast_ref::<Trap>();
        match (trap, &store.data().limiter.hit) {
            (Some(Trap::OutOfFuel), _) => Cause::Fuel(self.limits.fuel),
            (Some(Trap::Interrupt), _) => Cause::Time(self.limits.timeout.as_millis()),
            (Some(Trap::StackOverflow), _) => Cause::Stack,
            // What it was refused before is why it gave up.
            (_, Some(hit)) => hit.clone(),
            (Some(trap), None) => Cause::Trap(trap.to_string()),
            (None, None) => {
                let message = chain(error);
                if message.contains("hostcall") {
                    return Cause::Huge(answer_bytes / 1024);
                }
                Cause::Unreadable(message)
            }
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Why it is not to be called at `now`, if it isn't.
    fn pause(&self, now: Instant) -> Option<Cause> {
        self.paused_until.filter(|until| now < *until)?;
        let last = self.last_failure.clone()?;
        Some(Cause::Paused(Box::new(last)))
    }

    fn note(&mut self, began_at: Instant, failure: Option<&Cause>) {
        self.calls += 1;
        let took = u64::try_from(began_at.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.microseconds = self.microseconds.saturating_add(took);
        let Some(cause) = failure else {
            self.costly_in_a_row = 0;
            return;
        };
        self.failures += 1;
        if matches!(cause, Cause::Paused(_)) {
            return;
        }
        self.last_failure = Some(cause.clone());
        self.costly_in_a_row = if cause.is_costly() {
            self.costly_in_a_row + 1
        } else {
            0
        };
        if self.costly_in_a_row >= PATIENCE {
            self.paused_until = Some(Instant::now() + PAUSE);
        }
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "plugin {} {}", self.manifest.name, self.manifest.version)
    }
}

/// The code of a component, from the cache or compiled, linked to what its kind may call.
fn link(host: &Host, described: &Described<'_>, sha256: &Hash) -> wasmtime::Result<Program> {
    let engine = &host.engine;
    let cached = host.cache.as_ref().and_then(|cache| cache.find(sha256));
    let component = match cached.and_then(|code| engine.load(&code).ok()) {
        Some(component) => component,
        None => {
            let code = engine.compile(&described.component)?;
            if let Some(Err(error)) = host.cache.as_ref().map(|cache| cache.put(sha256, &code)) {
                tracing::warn!(%error, "a compiled plugin can't be kept");
            }
            engine.load(&code)?
        }
    };
    Ok(match described.kind {
        PluginKind::Rotation => {
            let linked = engine.strategy_linker()?.instantiate_pre(&component)?;
            Program::Rotation(bindings::rotation::RotationStrategyPre::new(linked)?)
        }
        PluginKind::Sink => {
            let linked = engine.sink_linker()?.instantiate_pre(&component)?;
            Program::Sink(bindings::sink::NotificationSinkPre::new(linked)?)
        }
    })
}
