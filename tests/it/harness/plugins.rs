//! The plugins that ship, as `scripts/build-plugins` builds them, and strategies written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use wit_component::StringEncoding;

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

/// A strategy whose `pick`, of the context at `$ctx`, is `body`. `$answer` takes the address
/// and length of a user id and of a reason; the ids of the candidates lie where the first
/// words of their records say, 80 bytes each.
pub fn strategy(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (memory (export "memory") 16)
            (global $free (mut i32) (i32.const 65536))
            (func (export "cabi_realloc")
                (param i32) (param i32) (param i32) (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                (global.set $free (i32.add (local.get $at) (local.get $size)))
                (local.get $at))
            (data (i32.const 0x100) "it is their turn UNOBODY UCYD")
            (func $answer (param $user i32) (param $user_len i32) (param $why i32)
                (param $why_len i32) (result i32)
                (i32.store (i32.const 0x14) (local.get $user))
                (i32.store (i32.const 0x18) (local.get $user_len))
                (i32.store (i32.const 0x1c) (local.get $why))
                (i32.store (i32.const 0x20) (local.get $why_len))
                (i32.const 0x10))
            (func (export "pick") (param $ctx i32) (result i32) (local $last i32) {body}))"#
    );
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let wit = include_str!("../../../plugins/wit/0.1.0/plugin.wit");
    let package = resolve.push_str("plugin.wit", wit).unwrap();
    let world = resolve
        .select_world(&[package], Some("rotation-strategy"))
        .unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    module
}
