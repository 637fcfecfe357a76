//! Compiled code on disk: whose it is, and when it is used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::HostPolicy;
use super::registry_tests::{Folder, PICK_SECOND, changes};
use super::testing::{LIMITS, PICK_FIRST, context, manifest, registry, strategy};
use crate::wire::plugin::PluginKind;

fn compiled(folder: &Folder) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.dir.path().join("cache")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|e| e == "cwasm"))
        .collect()
}

#[test]
fn compiled_code_is_kept_for_its_owner_only_and_dropped_with_its_plugin() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    let cache = folder.dir.path().join("cache");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    let [code] = compiled(&folder).try_into().unwrap();
    assert_eq!(mode(&code), 0o600);
    let written = fs::metadata(&code).unwrap().modified().unwrap();
    let again = registry(folder.dir.path(), LIMITS, HostPolicy::default());
    again.look(true);
    assert_eq!(
        fs::metadata(&code).unwrap().modified().unwrap(),
        written,
        "it was not compiled"
    );
    folder.put("fair", "2.0.0", &strategy(PICK_SECOND));
    folder.settle();
    let [other] = compiled(&folder).try_into().unwrap();
    assert_ne!(other, code);
}

#[test]
fn a_key_that_others_may_know_is_replaced_and_links_are_not_followed() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    let (cache, elsewhere) = (folder.dir.path().join("cache"), folder.path("elsewhere"));
    let key = cache.join("key");
    let old = fs::read(&key).unwrap();
    let again = || registry(folder.dir.path(), LIMITS, HostPolicy::default()).look(true);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    again();
    let new = fs::read(&key).unwrap();
    assert_ne!(new, old);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // A link to a file of the right size, which stays as it is.
    fs::rename(&key, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &key).unwrap();
    again();
    assert_eq!(fs::read(&elsewhere).unwrap(), new);
    assert!(fs::symlink_metadata(&key).unwrap().is_file());
    assert_ne!(fs::read(&key).unwrap(), new);
}

#[test]
fn compiled_code_that_others_wrote_is_not_run() {
    let folder = Folder::new();
    folder.put("fair", "1.0.0", &strategy(PICK_FIRST));
    folder.settle();
    let [code] = compiled(&folder).try_into().unwrap();
    let whole = fs::read(&code).unwrap();
    for at in [0, 40, whole.len() / 2, whole.len() - 1] {
        let mut tampered = whole.clone();
        tampered[at] ^= 1;
        fs::write(&code, &tampered).unwrap();
        let again = registry(folder.dir.path(), LIMITS, HostPolicy::default());
        again.look(true);
        let plugin = again.find("fair", PluginKind::Rotation).unwrap();
        assert_eq!(plugin.pick(&context(&["U1"])).unwrap().user.as_str(), "U1");
        assert_ne!(fs::read(&code).unwrap(), tampered, "it was compiled again");
    }
}

#[test]
fn a_cache_that_others_may_write_to_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let registry = registry(dir.path(), LIMITS, HostPolicy::default());
    fs::create_dir(dir.path().join("plugins")).unwrap();
    fs::write(dir.path().join("plugins/fair.wasm"), strategy(PICK_FIRST)).unwrap();
    fs::write(
        dir.path().join("plugins/fair.toml"),
        manifest("fair", "rotation"),
    )
    .unwrap();
    assert_eq!(changes(&registry.look(true)), ["fair: none → 1.0.0"]);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}
