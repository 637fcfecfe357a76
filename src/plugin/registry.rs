//! The folder of plugins: which are in service, which can't be loaded and why. Looked at by the
//! clock; what changes is loaded once it has stood still from one look to the next.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::cache::Cache;
use super::engine::Engine;
use super::error::LoadError;
use super::first_look::FirstLook;
use super::folder::{Folder, Stamp};
use super::host::one_line;
use super::hosts::HostPolicy;
use super::limits::{Limits, MIB};
use super::loaded::{Files, Host, Plugin};
use super::manifest::is_name;
use super::rotation::PluginStrategy;
use crate::app::plugins::{PluginChange, PluginEvent, PluginFile, Plugins};
use crate::clock::Clock;
use crate::domain::hex::hex;
use crate::rotation::strategy::Strategy;
use crate::wire::plugin::{PluginKind, PluginStatus, PluginView};

/// The largest plugin: an interpreter with its libraries is some tens of mebibytes.
const MAX_WASM: u64 = 64 * MIB as u64;

/// The largest manifest.
const MAX_MANIFEST: u64 = 256 * 1024;

/// Characters of a problem; a file may bear names of any length.
const PROBLEM_CHARACTERS: usize = 500;

/// What the config says of plugins.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    /// The folder that is looked at.
    pub dir: PathBuf,
    /// The folder for compiled code; nothing is kept where there is none.
    pub cache_dir: Option<PathBuf>,
    /// What plugins may reach.
    pub policy: HostPolicy,
    /// What a call may take.
    pub limits: Limits,
}

/// The plugins.
pub struct Registry {
    dir: PathBuf,
    host: Arc<Host>,
    clock: Arc<dyn Clock>,
    slots: Mutex<BTreeMap<String, Slot>>,
    first_look: FirstLook,
    /// Why the folder can't be seen, as long as it can't.
    unseen: Mutex<Option<String>>,
    /// What happened, and could not be recorded yet.
    unrecorded: Mutex<Vec<PluginEvent>>,
    /// Held while the folder is looked at and what is found is loaded, which may take seconds.
    looking: Mutex<Looking>,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Looking {
    folder: Folder,
    plugins: BTreeMap<String, Seen>,
}

/// What came of a plugin's files.
#[derive(Clone, Default)]
struct Slot {
    plugin: Option<Arc<Plugin>>,
    problem: Option<String>,
}

/// What was seen of a plugin's files.
#[derive(Debug, Default)]
struct Seen {
    /// As they were when last loaded, whatever came of it.
    loaded: Stamp,
    /// As they were at the last look.
    last: Stamp,
    /// The manifest that is in service.
    manifest: String,
}

impl Registry {
    /// A registry that has not looked at its folder yet.
    ///
    /// # Errors
    /// The host can't run WebAssembly.
    pub fn new(settings: PluginSettings, clock: Arc<dyn Clock>) -> Result<Self, LoadError> {
        let engine = Engine::new().map_err(|error| LoadError::Compile(error.to_string()))?;
        let cache = settings.cache_dir.and_then(|dir| {
            let opened = Cache::open(&dir, &engine);
            let warn = |error| {
                tracing::warn!(%error, "compiled plugins can't be kept; each start compiles them");
            };
            opened.map_err(warn).ok()
        });
        let host = Host {
            engine,
            cache,
            policy: settings.policy,
            limits: settings.limits,
            clients: Arc::default(),
        };
        Ok(Self {
            dir: settings.dir,
            host: Arc::new(host),
            clock,
            slots: Mutex::default(),
            first_look: FirstLook::new(),
            unseen: Mutex::default(),
            unrecorded: Mutex::default(),
            looking: Mutex::default(),
        })
    }

    /// A plugin that is in service.
    ///
    /// # Errors
    /// Why it isn't, naming it.
    pub fn find(&self, name: &str, kind: PluginKind) -> Result<Arc<Plugin>, String> {
        // Asked first: what is loaded in between is found.
        let is_loading = self.first_look.is_ahead_of(name);
        let slot = self.slots().get(name).cloned().unwrap_or_default();
        match (slot.plugin, slot.problem) {
            (Some(plugin), _) if plugin.manifest.kind == kind => Ok(plugin),
            (Some(plugin), _) => Err(format!(
                "plugin:{name} is a {} plugin, not a {kind} one",
                plugin.manifest.kind
            )),
            (None, Some(problem)) => Err(format!("plugin:{name} is not loaded: {problem}")),
            (None, None) if is_loading => Err(format!("plugin:{name} is still being compiled")),
            (None, None) => Err(format!("plugin:{name} is not loaded")),
        }
    }

    /// The most that a call of a plugin may take.
    pub fn limits(&self) -> Limits {
        self.host.limits
    }

    /// Looks at the folder and loads what has changed: at once if `now`, else what has stood
    /// still since the last look. Blocks while it compiles.
    pub fn look(&self, now: bool) -> Vec<PluginEvent> {
        let mut looking = held(&self.looking);
        let look = self.first_look.begin();
        let looking = &mut *looking;
        let found = Folder::look(&self.dir, &looking.folder);
        self.note_unseen(found.as_ref().err());
        let mut events = std::mem::take(&mut *held(&self.unrecorded));
        let Ok(folder) = found else {
            return events;
        };
        let found = &folder.files;
        let looking_at = &mut looking.plugins;
        look.found(found.keys());
        for name in found.keys() {
            looking_at.entry(name.clone()).or_default();
        }
        // A large plugin shall not hold up the others.
        let size = |name: &str| found.get(name).and_then(|stamp| Some(stamp.wasm?.size));
        let mut in_order: Vec<_> = looking_at.iter_mut().collect();
        in_order.sort_by_key(|(name, _)| size(name));
        let earlier = events.len();
        for (name, seen) in in_order {
            let stamp = found.get(name).copied().unwrap_or_default();
            let stands_still = now || seen.last == stamp;
            seen.last = stamp;
            if stands_still && seen.loaded != stamp {
                seen.loaded = stamp;
                events.extend(self.take(name, stamp, seen));
            }
            look.done(name);
        }
        looking_at
            .retain(|_, seen| seen.last != Stamp::default() || seen.loaded != Stamp::default());
        looking.folder = folder;
        if let (true, Some(cache)) = (events.len() > earlier, &self.host.cache) {
            let in_service: Vec<_> = self
                .slots()
                .values()
                .filter_map(|slot| slot.plugin.clone())
                .collect();
            let contents: Vec<_> = in_service.iter().map(|plugin| plugin.sha256).collect();
            cache.keep_only(&contents);
        }
        events
    }

    /// Notes, and says once, that the folder can't be seen.
    fn note_unseen(&self, error: Option<&io::Error>) {
        let dir = self.dir.display();
        let problem = error.map(|error| {
            format!(
                "the plugin folder {dir} can't be seen: {error}; what was loaded stays in service"
            )
        });
        let mut unseen = held(&self.unseen);
        if let (Some(problem), None) = (&problem, &*unseen) {
            tracing::warn!("{problem}");
        }
        *unseen = problem;
    }

    /// Brings one plugin in line with its files.
    fn take(&self, name: &str, stamp: Stamp, seen: &mut Seen) -> Option<PluginEvent> {
        let old = self.slots().get(name).and_then(|slot| slot.plugin.clone());
        let old_file = old.as_deref().map(file_of);
        let event = |change| {
            Some(PluginEvent {
                name: name.to_owned(),
                change,
            })
        };
        if stamp == Stamp::default() {
            self.slots().remove(name);
            tracing::info!(plugin = name, "removed");
            return event(PluginChange::Removed { old: old_file });
        }
        match self.load(name) {
            Ok((plugin, manifest)) => {
                let new = file_of(&plugin);
                let is_same = old_file.as_ref() == Some(&new) && seen.manifest == manifest;
                let mut slots = self.slots();
                let slot = slots.entry(name.to_owned()).or_default();
                let was_broken = slot.problem.take().is_some();
                if is_same && !was_broken {
                    return None;
                }
                if !is_same {
                    slot.plugin = Some(Arc::new(plugin));
                }
                seen.manifest = manifest;
                tracing::info!(plugin = name, version = new.version, "loaded");
                event(PluginChange::Loaded { new, old: old_file })
            }
            Err(error) => {
                let problem = one_line(&error.to_string(), PROBLEM_CHARACTERS);
                tracing::warn!(
                    plugin = name,
                    error = problem,
                    in_service = old.is_some(),
                    "can't be loaded"
                );
                self.slots().entry(name.to_owned()).or_default().problem = Some(problem.clone());
                event(PluginChange::Failed {
                    problem,
                    stays: old_file,
                })
            }
        }
    }

    /// The plugin that a name's files make, and its manifest's text. It is not put into service.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load(&self, name: &str) -> Result<(Plugin, String), LoadError> {
        if !is_name(name) {
            let message = format!("`{name}` is not 1 to 64 of a-z, 0-9, - and _");
            return Err(LoadError::File(message));
        }
        let (manifest, wasm) = (format!("{name}.toml"), format!("{name}.wasm"));
        let text = read(&self.dir, &manifest, MAX_MANIFEST)?;
        let text = String::from_utf8(text)
            .map_err(|_| LoadError::Manifest("it is not UTF-8 text".to_owned()))?;
        let wasm = read(&self.dir, &wasm, MAX_WASM)?;
        let files = Files {
            manifest: &text,
            wasm: &wasm,
        };
        let plugin = self.load_files(&files)?;
        if plugin.manifest.name != name {
            return Err(LoadError::Manifest(format!(
                "its name is `{}`, but its file is {manifest}",
                plugin.manifest.name
            )));
        }
        Ok((plugin, text))
    }

    /// The plugin that these files make. A flaw of the compiler is the plugin's problem too.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load_files(&self, files: &Files<'_>) -> Result<Plugin, LoadError> {
        let load = || Plugin::load(&self.host, files, self.clock.now());
        catch_unwind(AssertUnwindSafe(load))
            .unwrap_or_else(|_| Err(LoadError::Compile("the compiler gave up on it".to_owned())))
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<String, Slot>> {
        held(&self.slots)
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plugins for Registry {
    fn strategy(&self, name: &str) -> Result<Box<dyn Strategy>, String> {
        let plugin = self.find(name, PluginKind::Rotation)?;
        Ok(Box::new(PluginStrategy(plugin)))
    }

    fn config_problems(&self, name: &str, config: &Value) -> Vec<String> {
        let Ok(plugin) = self.find(name, PluginKind::Rotation) else {
            return Vec::new();
        };
        let schema = plugin.manifest.schema.as_ref();
        let config = plugin.manifest.config_with(config);
        schema.map_or_else(Vec::new, |schema| schema.problems(&config))
    }

    fn list(&self) -> Vec<PluginView> {
        let slots = self.slots().clone();
        let unseen = held(&self.unseen).clone();
        let view = |(name, slot): (String, Slot)| PluginView {
            name,
            status: match slot.plugin {
                Some(_) => PluginStatus::Loaded,
                None => PluginStatus::Failed,
            },
            problem: slot.problem.or_else(|| unseen.clone()),
            loaded: slot.plugin.map(|plugin| plugin.view()),
            used_by: Vec::new(),
            is_configured_sink: false,
        };
        slots.into_iter().map(view).collect()
    }

    fn reload(&self) -> Vec<PluginEvent> {
        self.look(true)
    }

    fn put_back(&self, events: Vec<PluginEvent>) {
        // What has happened since comes after.
        held(&self.unrecorded).splice(0..0, events);
    }

    fn is_loading(&self, name: &str) -> bool {
        self.first_look.is_ahead_of(name)
    }

    fn await_loaded(&self, name: &str) {
        self.first_look.wait_for(name);
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the plugins in {}", self.dir.display())
    }
}

fn file_of(plugin: &Plugin) -> PluginFile {
    PluginFile {
        version: plugin.manifest.version.clone(),
        sha256: hex(&plugin.sha256),
    }
}

/// The bytes of a file of the folder.
fn read(dir: &Path, file: &str, most: u64) -> Result<Vec<u8>, LoadError> {
    let failed = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => LoadError::File(format!("{file} is missing beside the other")),
        _ => LoadError::Read {
            file: file.to_owned(),
            cause,
        },
    };
    let mut bytes = Vec::new();
    let opened = fs::File::open(dir.join(file)).map_err(failed)?;
    opened
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(LoadError::File(format!(
            "{file} is over {} KiB",
            most / 1024
        )));
    }
    Ok(bytes)
}
