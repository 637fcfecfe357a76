//! The folder of plugins as its users treat it.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::testing::{LIMITS, PICK_FIRST, context, manifest, registry, strategy};
use super::{HostPolicy, Registry};
use crate::app::plugins::{PluginChange, PluginEvent, Plugins as _};
use crate::wire::plugin::{PluginKind, PluginStatus};

pub(super) struct Folder {
    pub dir: tempfile::TempDir,
    pub registry: Registry,
}

impl Folder {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("plugins")).unwrap();
        let registry = registry(dir.path(), LIMITS, HostPolicy::default());
        Self { dir, registry }
    }

    pub fn path(&self, file: &str) -> std::path::PathBuf {
        self.dir.path().join("plugins").join(file)
    }

    /// Puts a plugin there by renaming, as careful people do.
    pub fn put(&self, name: &str, version: &str, wasm: &[u8]) {
        let manifest = manifest(name, "rotation").replace("1.0.0", version);
        replace(&self.path(&format!("{name}.wasm")), wasm);
        replace(&self.path(&format!("{name}.toml")), manifest.as_bytes());
    }

    /// What two looks by the clock bring.
    pub fn settle(&self) -> Vec<PluginEvent> {
        let mut events = self.registry.look(false);
        events.extend(self.registry.look(false));
        events
    }

    pub fn picks(&self, name: &str) -> Result<String, String> {
        let plugin = self.registry.find(name, PluginKind::Rotation)?;
        let pick = plugin
            .pick(&context(&["U1", "U2"]))
            .map_err(|error| error.to_string())?;
        Ok(pick.user.to_string())
    }
}

fn replace(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

pub(super) fn changes(events: &[PluginEvent]) -> Vec<String> {
    let change = |event: &PluginEvent| match &event.change {
        PluginChange::Loaded { new, old } => {
            let old = old.as_ref().map_or("none", |old| &old.version);
            format!("{}: {old} → {}", event.name, new.version)
        }
        PluginChange::Failed { problem, stays } => {
            format!("{}: {problem} ({})", event.name, stays.is_some())
        }
        PluginChange::Removed { .. } => format!("{}: removed", event.name),
    };
    events.iter().map(change).collect()
}

/// Picks the second of two candidates, whose records are 80 bytes each.
pub(super) const PICK_SECOND: &str = "(call $answer
    (i32.load offset=80 (i32.load offset=60 (local.get $ctx)))
    (i32.load offset=84 (i32.load offset=60 (local.get $ctx)))
    (i32.const 0x100) (i32.const 7))";

#[test]
fn two_files_dropped_into_the_folder_run() {
    let folder = Folder::new();
    folder.registry.look(true);
    assert_eq!(
        folder.picks("fair"),
        Err("plugin:fair is not loaded".to_owned())
    );
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    assert!(
        folder.registry.look(false).is_empty(),
        "files that may still be written wait"
    );
    assert_eq!(
        changes(&folder.registry.look(false)),
        ["fair: none → 1.0.0"]
    );
    assert_eq!(folder.picks("fair"), Ok("U1".to_owned()));
    assert!(folder.settle().is_empty(), "nothing has changed");
}

#[test]
fn a_changed_file_goes_into_service_and_calls_under_way_keep_the_old_one() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    let under_way = folder.registry.find("fair", PluginKind::Rotation).unwrap();
    folder.put("fair", "2.0.0", &strategy(PICK_SECOND));
    assert_eq!(changes(&folder.settle()), ["fair: 1.0.0 → 2.0.0"]);
    assert_eq!(folder.picks("fair"), Ok("U2".to_owned()));
    assert_eq!(
        under_way
            .pick(&context(&["U1", "U2"]))
            .unwrap()
            .user
            .as_str(),
        "U1"
    );
}

#[test]
fn a_broken_new_file_leaves_the_old_one_in_service() {
    let folder = Folder::new();
    let good = strategy(PICK_FIRST);
    folder.put("fair", "1.0.0", &good);
    folder.settle();
    folder.put("fair", "2.0.0", &good[..good.len() / 2]);
    let events = changes(&folder.settle());
    assert!(
        events[0].starts_with("fair: it is no WebAssembly component: "),
        "{events:?}"
    );
    assert!(events[0].ends_with("(true)"), "{events:?}");
    assert_eq!(folder.picks("fair"), Ok("U1".to_owned()));
    let listed = folder.registry.list().remove(0);
    assert_eq!(listed.status, PluginStatus::Loaded);
    assert!(
        listed
            .problem
            .unwrap()
            .starts_with("it is no WebAssembly component")
    );
    assert_eq!(listed.loaded.unwrap().version, "1.0.0");
    assert!(folder.settle().is_empty(), "the same failure is told once");
    folder.put("fair", "2.0.1", &good);
    assert_eq!(changes(&folder.settle()), ["fair: 1.0.0 → 2.0.1"]);
    assert_eq!(folder.registry.list().remove(0).problem, None);
}

#[test]
fn a_file_that_is_written_in_place_does_no_harm_to_what_runs() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    fs::write(folder.path("fair.wasm"), b"\0asm").unwrap();
    assert_eq!(folder.picks("fair"), Ok("U1".to_owned()));
}

#[test]
fn a_removed_plugin_is_no_longer_there() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    fs::remove_file(folder.path("fair.wasm")).unwrap();
    fs::remove_file(folder.path("fair.toml")).unwrap();
    assert_eq!(changes(&folder.settle()), ["fair: removed"]);
    assert_eq!(
        folder.picks("fair"),
        Err("plugin:fair is not loaded".to_owned())
    );
    assert!(folder.registry.list().is_empty());
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    assert_eq!(changes(&folder.settle()), ["fair: none → 1.0.0"]);
}

#[test]
fn half_a_plugin_and_a_misnamed_one_say_what_is_wrong() {
    let folder = Folder::new();
    replace(&folder.path("half.wasm"), &strategy(PICK_FIRST));
    replace(
        &folder.path("other.toml"),
        manifest("fair", "rotation").as_bytes(),
    );
    replace(&folder.path("other.wasm"), &strategy(PICK_FIRST));
    replace(&folder.path("Fair Play.wasm"), b"");
    fs::create_dir(folder.path("folder.wasm")).unwrap();
    assert_eq!(
        changes(&folder.registry.look(true)),
        [
            "Fair Play: `Fair Play` is not 1 to 64 of a-z, 0-9, - and _ (false)",
            "half: half.toml is missing beside the other (false)",
            "other: the manifest is wrong: its name is `fair`, but its file is other.toml (false)",
        ]
    );
    assert_eq!(
        folder.picks("half"),
        Err("plugin:half is not loaded: half.toml is missing beside the other".to_owned())
    );
}

#[test]
fn a_folder_that_is_not_there_holds_no_plugins() {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path(), LIMITS, HostPolicy::default());
    assert!(registry.look(true).is_empty());
}

#[test]
fn until_the_folder_was_looked_at_any_plugin_may_yet_come() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    assert!(folder.registry.is_loading("fair"));
    assert_eq!(
        folder.picks("fair"),
        Err("plugin:fair is still being compiled".to_owned())
    );
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            folder.registry.await_loaded("fair");
            folder.picks("fair")
        });
        folder.registry.look(true);
        assert_eq!(waiting.join().unwrap(), Ok("U1".to_owned()));
    });
    assert!(!folder.registry.is_loading("fair"));
    assert!(!folder.registry.is_loading("gone"));
}

#[test]
fn a_folder_that_can_not_be_read_keeps_nobody_waiting() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("plugins"), "no folder").unwrap();
    let registry = registry(dir.path(), LIMITS, HostPolicy::default());
    assert!(registry.look(true).is_empty());
    assert!(!registry.is_loading("fair"));
}

#[test]
fn a_folder_that_is_gone_for_a_while_takes_nothing_out_of_service() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    let (plugins, away) = (folder.path(""), folder.dir.path().join("away"));
    fs::rename(&plugins, &away).unwrap();
    assert!(folder.settle().is_empty());
    assert_eq!(folder.picks("fair").unwrap(), "U1");
    let [listed] = folder.registry.list().try_into().unwrap();
    assert_eq!(listed.status, PluginStatus::Loaded);
    let problem = listed.problem.unwrap();
    assert!(
        problem.contains("can't be seen") && problem.ends_with("stays in service"),
        "{problem}"
    );
    fs::rename(&away, &plugins).unwrap();
    assert!(folder.settle().is_empty());
    assert_eq!(folder.registry.list()[0].problem, None);
}

#[test]
fn the_old_file_put_back_ends_the_problem_and_that_is_an_event() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    folder.picks("fair").unwrap();
    folder.put("fair", "1.0.0", b"broken");
    assert_eq!(folder.settle().len(), 1);
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    assert_eq!(changes(&folder.settle()), ["fair: 1.0.0 → 1.0.0"]);
    let [listed] = folder.registry.list().try_into().unwrap();
    assert_eq!(listed.problem, None);
    assert_eq!(
        listed.loaded.unwrap().calls,
        1,
        "it was in service throughout"
    );
}

#[test]
fn what_could_not_be_recorded_comes_again_before_what_has_happened_since() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    let events = folder.settle();
    folder.registry.put_back(events);
    folder.put("late", "1.0.0", &strategy(PICK_FIRST));
    assert_eq!(
        changes(&folder.registry.look(true)),
        ["fair: none → 1.0.0", "late: none → 1.0.0"]
    );
    assert!(folder.settle().is_empty(), "and not once more");
}

#[test]
fn small_plugins_are_loaded_before_large_ones() {
    let folder = Folder::new();
    let mut large = strategy(PICK_FIRST);
    // A custom section: its id, its length, the length of its name, which is empty.
    large.extend([0, 0x81, 0x01, 0]);
    large.extend([0; 128]);
    folder.put("a-large", "1.0.0", &large);
    folder.put("b-small", "1.0.0", &strategy(PICK_FIRST));
    assert_eq!(
        changes(&folder.registry.look(true)),
        ["b-small: none → 1.0.0", "a-large: none → 1.0.0"]
    );
}

#[test]
fn a_teams_config_is_held_against_the_manifests_schema() {
    let folder = Folder::new();
    let manifest = manifest("fair", "rotation")
        + "[config]\nfactor = 2\n[config_schema]\nadditionalProperties = false\n\
           properties.factor = { type = \"number\", minimum = 1 }\n";
    replace(&folder.path("fair.toml"), manifest.as_bytes());
    replace(&folder.path("fair.wasm"), &strategy(PICK_FIRST));
    assert_eq!(changes(&folder.registry.look(true)), ["fair: none → 1.0.0"]);
    let problems = |config| folder.registry.config_problems("fair", &config);
    assert!(problems(json!({})).is_empty());
    assert_eq!(
        problems(json!({"factor": 0})),
        ["`factor` is 0, expected minimum 1"]
    );
    assert_eq!(problems(json!({"extra": 0})), ["`extra` is not expected"]);
    assert!(
        folder
            .registry
            .config_problems("gone", &json!({"extra": 0}))
            .is_empty()
    );
}
