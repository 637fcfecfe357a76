//! Plugins: a pick, a preview through one, a load from the cache, an endless loop beside other
//! work, and what an idle one takes. It wants `scripts/build-plugins` to have been run.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use oncalld::actions::{App, Settings, rotation, teams};
use oncalld::clock::{ManualClock, SystemClock};
use oncalld::config::Config;
use oncalld::domain::oncall_day::add_days;
use oncalld::plugin::trial::{PickTrial, TrialCandidate, TrialShift};
use oncalld::plugin::{Files, HostPolicy, Limits, Plugin, PluginSettings, Registry};
use oncalld::rotation::coverage::Source;
use oncalld::store::Store;
use oncalld::wire::rotation::PlanRequest;
use wit_component::StringEncoding;

use crate::{median, seed, tell};

const DIST: &str = "plugins/dist";
const WIT: &str = include_str!("../../plugins/wit/0.1.0/plugin.wit");
const SAMPLE: &str = include_str!("../../src/cli/plugin/samples/rotation.json");

/// Copies of an idle plugin that are weighed together.
const COPIES: u32 = 20;

/// Never answers.
const ENDLESS: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "pick") (param i32) (result i32) (loop $again (br $again)) (unreachable)))"#;

/// All of it, one line a result.
pub fn measure() -> Result<()> {
    let cache = tempfile::tempdir()?;
    // A folder of its own mode: others may look into the temporary one.
    let registry = Arc::new(registry(Some(&cache.path().join("plugins")))?);
    let (manifest, wasm) = files("fair-weekends")?;
    let files = Files {
        manifest: &manifest,
        wasm: &wasm,
    };
    let plugin = registry.load_files(&files)?;

    let trial = trial()?;
    plugin.try_pick(&trial).map_err(anyhow::Error::msg)?;
    let took = median(1001, || drop(black_box(plugin.try_pick(&trial))));
    let what = "pick by fair-weekends, 20 candidates, 64 past shifts";
    tell(what, took, Duration::from_micros(100));

    let took = median(51, || drop(black_box(registry.load_files(&files))));
    tell("load from the disk cache", took, Duration::from_millis(5));

    preview(&registry)?;
    endless(&registry)?;
    idle(&registry, &files)
}

fn registry(cache_dir: Option<&Path>) -> Result<Registry> {
    let plugins = Config::default().plugins;
    let settings = PluginSettings {
        dir: DIST.into(),
        cache_dir: cache_dir.map(Path::to_owned),
        policy: HostPolicy::from(&plugins),
        limits: Limits {
            fuel: u64::MAX / 2,
            ..Limits::from(&plugins)
        },
    };
    Ok(Registry::new(settings, Arc::new(SystemClock))?)
}

fn files(name: &str) -> Result<(String, Vec<u8>)> {
    let path = |ending: &str| format!("{DIST}/{name}.{ending}");
    let missing = || format!("{DIST} has no {name}: scripts/build-plugins makes it");
    let manifest = std::fs::read_to_string(path("toml")).with_context(missing)?;
    let wasm = std::fs::read(path("wasm")).with_context(missing)?;
    Ok((manifest, wasm))
}

fn trial() -> Result<PickTrial> {
    let mut trial: PickTrial = serde_json::from_str(SAMPLE)?;
    let candidate = trial.candidates[0].clone();
    trial.candidates = (0..20)
        .map(|number| TrialCandidate {
            user: format!("U{number:04}"),
            target: 0.05,
            ..candidate.clone()
        })
        .collect();
    trial.recent_shifts = (0..64)
        .map(|number| {
            let first = add_days(trial.period.first, (number - 64) * 7);
            TrialShift {
                user: format!("U{:04}", number % 20),
                first,
                last: add_days(first, 6),
                source: Source::Auto,
            }
        })
        .collect();
    trial.periods_counted = 64;
    Ok(trial)
}

fn preview(registry: &Arc<Registry>) -> Result<()> {
    registry.look(true);
    let dir = tempfile::tempdir()?;
    let settings = Settings {
        plugins: registry.clone(),
        ..Settings::default()
    };
    let store = Store::open(&dir.path().join("oncalld.redb"))?;
    let app = App::new(store, Arc::new(ManualClock::new(seed::now())), settings);
    seed::one_team(&app, "plugin:fair-weekends", 10)?;
    let request = PlanRequest { weeks: Some(52) };
    let took = median(51, || {
        black_box(rotation::preview(&app, "team-0", &request)).expect("previews");
    });
    let what = "52 weeks of preview through fair-weekends, each pick asked for twice";
    tell(what, took, Duration::from_millis(20));
    Ok(())
}

/// How long an endless loop lasts beyond its limit, and what reads lose meanwhile.
fn endless(registry: &Registry) -> Result<()> {
    let wasm = embedded(ENDLESS)?;
    let manifest = "name = \"endless\"\nversion = \"1\"\nkind = \"rotation\"\n";
    let plugin = registry.load_files(&Files {
        manifest,
        wasm: &wasm,
    })?;
    let trial = trial()?;
    let dir = tempfile::tempdir()?;
    let app = seed::app(Store::open(&dir.path().join("oncalld.redb"))?);
    seed::one_team(&app, "weighted", 10)?;

    let alone = reads_until(&app, || std::thread::sleep(plugin.limits.timeout));
    let mut took = Duration::ZERO;
    let beside = reads_until(&app, || {
        let began_at = Instant::now();
        let stopped = plugin.try_pick(&trial);
        took = began_at.elapsed();
        assert!(stopped.is_err(), "it never answers");
    });
    let over = took.saturating_sub(plugin.limits.timeout);
    tell(
        "an endless loop beyond its limit",
        over,
        Duration::from_millis(20),
    );
    let lost = 100.0 * (1.0 - beside / alone);
    println!("lookups lost beside an endless loop: {lost:.1} % (limit 10 %)");
    Ok(())
}

/// Reads a second, on another thread, while `f` runs.
fn reads_until(app: &App, f: impl FnOnce()) -> f64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let began_at = Instant::now();
            let mut reads = 0_u32;
            while !over.load(Ordering::Relaxed) {
                black_box(teams::get(app, "team-0")).expect("reads");
                reads += 1;
            }
            f64::from(reads) / began_at.elapsed().as_secs_f64()
        });
        f();
        over.store(true, Ordering::Relaxed);
        reader.join().expect("reads")
    })
}

fn idle(registry: &Registry, files: &Files<'_>) -> Result<()> {
    let before = resident_kib()?;
    let loaded: Result<Vec<Plugin>, _> = (0..COPIES).map(|_| registry.load_files(files)).collect();
    let loaded = black_box(loaded?);
    let each = resident_kib()?.saturating_sub(before) / u64::from(COPIES);
    let verdict = if each <= 2048 { "ok" } else { "MISSED" };
    println!("memory of an idle plugin: {each} KiB (limit 2048 KiB) {verdict}");
    drop(loaded);
    Ok(())
}

fn resident_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let text = line.context("the system tells no VmRSS")?;
    Ok(text.trim().trim_end_matches(" kB").parse()?)
}

/// A core module with its component type embedded.
fn embedded(text: &str) -> Result<Vec<u8>> {
    let mut module = wat::parse_str(text)?;
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("plugin.wit", WIT)?;
    let world = resolve.select_world(&[package], Some("rotation-strategy"))?;
    let encoding = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding)?;
    Ok(module)
}
