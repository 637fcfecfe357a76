#![no_main]
//! Any bytes as a plugin's two files, all the way: what they are, or why they are none; what is
//! a plugin is compiled, linked and called once, within limits so tight that a run stays quick.
//! Text is taken for WebAssembly's own (WAT), so that what is changed in it stays WebAssembly
//! more often; a core module of it is given the component type that a plugin has to embed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oncalld::clock::SystemClock;
use oncalld::plugin::trial::{DeliveryTrial, PickTrial, inspect};
use oncalld::plugin::{Files, HostPolicy, Limits, Manifest, PluginSettings, Registry};
use oncalld::wire::plugin::PluginKind;
use wit_component::StringEncoding;

const WIT: &str = include_str!("../../plugins/wit/0.1.0/plugin.wit");
const PICK: &str = include_str!("../../src/cli/plugin/samples/rotation.json");
const DELIVERY: &str = include_str!("../../src/cli/plugin/samples/sink.json");

/// The compiler takes a while over more.
const MOST_BYTES: usize = 32 * 1024;

const LIMITS: Limits = Limits {
    memory_mb: 4,
    timeout: Duration::from_millis(50),
    fuel: 100_000,
};

/// One engine for all runs, and no folder: nothing is kept.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let settings = PluginSettings {
        dir: "nowhere".into(),
        cache_dir: None,
        policy: HostPolicy::default(),
        limits: LIMITS,
    };
    Registry::new(settings, Arc::new(SystemClock)).expect("an engine")
});

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"(") {
        if let Some(wasm) = text(bytes) {
            plugin(&wasm);
        }
    } else {
        plugin(bytes);
        manifest(bytes);
    }
});

fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(manifest) = Manifest::read(text) {
        assert!(oncalld::plugin::is_name(&manifest.name));
        let own = serde_json::json!({"a": 1});
        let config = manifest.config_with(&own);
        if let Some(schema) = &manifest.schema {
            let _ = schema.problems(&config);
        }
    }
}

/// The binary of a text; a core module says of itself what component it would be.
fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut module = wat::parse_bytes(bytes).ok()?.into_owned();
    let is_core = module.starts_with(b"\0asm\x01\0\0\0");
    if is_core && !bytes.windows(14).any(|word| word == b"component-type") {
        let is_sink = bytes.windows(9).any(|word| word == b"\"deliver\"");
        let world = if is_sink {
            "notification-sink"
        } else {
            "rotation-strategy"
        };
        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("plugin.wit", WIT).expect("the interface");
        let world = resolve
            .select_world(&[package], Some(world))
            .expect("a world");
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .ok()?;
    }
    Some(module)
}

/// Takes a file for a plugin as the daemon does.
fn plugin(wasm: &[u8]) {
    let (rotation, sink) = (PluginKind::Rotation, PluginKind::Sink);
    for kind in [rotation, sink] {
        let manifest = format!("name = \"x\"\nversion = \"1\"\nkind = \"{kind}\"\n");
        let files = Files {
            manifest: &manifest,
            wasm,
        };
        let Ok(found) = inspect(&files) else { return };
        assert_eq!(found.interface, "0.1.0");
        if wasm.len() <= MOST_BYTES {
            call(&files, kind);
        }
    }
}

/// Calls what can be loaded: it answers, or it is told in a line what went wrong.
fn call(files: &Files<'_>, kind: PluginKind) {
    let Ok(plugin) = REGISTRY.load_files(files) else {
        return;
    };
    assert_eq!(plugin.manifest.kind, kind);
    let told = match kind {
        PluginKind::Rotation => {
            let trial: PickTrial = serde_json::from_str(PICK).expect("the sample");
            match plugin.try_pick(&trial) {
                Ok(pick) => pick.reason,
                Err(error) => error.to_string(),
            }
        }
        PluginKind::Sink => {
            let trial: DeliveryTrial = serde_json::from_str(DELIVERY).expect("the sample");
            let (delivered, _) = plugin.try_deliver(&trial);
            delivered.map_or_else(|error| error.to_string(), |()| "delivered".to_owned())
        }
    };
    assert!(!told.trim().is_empty() && !told.contains('\n'), "{told:?}");
    assert!(plugin.fuel_of_last_call() <= LIMITS.fuel);
}
