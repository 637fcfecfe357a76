//! The plugins that ship, each loaded and called by our own host within the default limits.

use std::path::Path;
use std::sync::Arc;

use oncalld::clock::SystemClock;
use oncalld::config::Config;
use oncalld::plugin::trial::{DeliveryTrial, PickTrial};
use oncalld::plugin::{HostPolicy, Limits, PluginSettings, Registry};
use serde_json::{Value, json};

use crate::harness::plugins::shipped;

/// What `oncalld plugin run --sample` prints.
const PICK: &str = include_str!("../../src/cli/plugin/samples/rotation.json");
const DELIVERY: &str = include_str!("../../src/cli/plugin/samples/sink.json");

/// A registry of what is in `plugins/dist`. What it compiles is kept from one run of the tests to
/// the next: an interpreter takes half a minute.
fn registry() -> Registry {
    let config = Config::default();
    let (manifest, _) = shipped("fair-weekends");
    let settings = PluginSettings {
        dir: manifest.parent().unwrap().to_owned(),
        cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache")),
        policy: HostPolicy::from(&config.plugins),
        limits: Limits::from(&config.plugins),
    };
    let registry = Registry::new(settings, Arc::new(SystemClock)).unwrap();
    registry.look(true);
    registry
}

#[test]
fn every_plugin_that_ships_loads_and_answers() {
    let registry = registry();
    let ann_rests = "U03CYD";
    for (name, config, expected) in [
        ("fair-weekends", json!({}), Some(ann_rests)),
        (
            "follow-the-sun",
            json!({"regions": {"apac": ["U01ANN"], "emea": ["U02BOB", "U03CYD"]}}),
            None,
        ),
        ("least-recent", json!({}), Some(ann_rests)),
        ("gentle-start", json!({}), None),
    ] {
        shipped(name);
        let (plugin, _) = registry.load(name).unwrap();
        let mut trial: PickTrial = serde_json::from_str(PICK).unwrap();
        trial.config = config.as_object().unwrap().clone();
        let picked = plugin
            .try_pick(&trial)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plugin.try_pick(&trial), Ok(picked.clone()), "{name}");
        if let Some(user) = expected {
            assert_eq!(picked.user.as_str(), user, "{name}: {}", picked.reason);
        }
        assert!(
            plugin.fuel_of_last_call() < plugin.limits.fuel / 2,
            "{name}"
        );
    }
}

#[test]
fn the_sink_that_ships_posts_what_it_is_told() {
    let (manifest, wasm) = shipped("teams-webhook");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let manifest = manifest.replace("url = \"\"", "url = \"https://discord.com/api/hook\"");
    let config = Config::default();
    let settings = PluginSettings {
        dir: "nowhere".into(),
        cache_dir: None,
        policy: HostPolicy {
            allowed: vec![oncalld::config::AllowedHost::Any],
            private: Vec::new(),
        },
        limits: Limits::from(&config.plugins),
    };
    let registry = Registry::new(settings, Arc::new(SystemClock)).unwrap();
    let files = oncalld::plugin::Files {
        manifest: &manifest,
        wasm: &std::fs::read(wasm).unwrap(),
    };
    let plugin = registry.load_files(&files).unwrap();
    let trial: DeliveryTrial = serde_json::from_str(DELIVERY).unwrap();
    let (delivered, asked) = plugin.try_deliver(&trial);
    assert_eq!(delivered, Ok(()));
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].url, "https://discord.com/api/hook");
    let body: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert!(body.to_string().contains("Ann is on call"), "{body}");
}
