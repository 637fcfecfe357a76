//! The plugins that ship, as `scripts/build-plugins` builds them.

use std::fs;
use std::path::{Path, PathBuf};

/// Manifest and WebAssembly file of a plugin.
pub fn shipped(name: &str) -> (PathBuf, PathBuf) {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/dist");
    let [manifest, wasm] = ["toml", "wasm"].map(|kind| dist.join(format!("{name}.{kind}")));
    for file in [&manifest, &wasm] {
        let hint = "scripts/build-plugins makes it";
        assert!(file.is_file(), "{} is missing: {hint}", file.display());
    }
    (manifest, wasm)
}

/// Copies a plugin into a folder, its manifest changed by `edit`.
pub fn install(name: &str, dir: &Path, edit: impl FnOnce(String) -> String) {
    let (manifest, wasm) = shipped(name);
    fs::create_dir_all(dir).unwrap();
    let text = fs::read_to_string(manifest).unwrap();
    fs::write(dir.join(format!("{name}.toml")), edit(text)).unwrap();
    fs::copy(wasm, dir.join(format!("{name}.wasm"))).unwrap();
}
