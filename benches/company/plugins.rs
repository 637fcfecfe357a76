//! Plugins: a pick, a preview through one, a load from the cache, an endless loop beside other
//! work, and what an idle one takes. It wants `scripts/build-plugins` to have been run.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use oncalld::actions::{rotation, services};
use oncalld::app::{Ctx, Settings};
use oncalld::clock::{ManualClock, SystemClock};
use oncalld::config::Config;
use oncalld::daemon;
use oncalld::delivery::Counters;
use oncalld::domain::oncall_day::add_days;
use oncalld::http::connections::{self, Doors, Places};
use oncalld::http::{Access, Api};
use oncalld::low_priority;
use oncalld::plugin::trial::{PickTrial, TrialCandidate, TrialShift};
use oncalld::plugin::{Files, HostPolicy, Limits, Plugin, PluginSettings, Registry};
use oncalld::rotation::coverage::Source;
use oncalld::store::Store;
use oncalld::wire::rotation::PlanRequest;
use oncalld::wire::service::ServiceInput;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use wit_component::StringEncoding;

use crate::{median, seed, tell};

const DIST: &str = "plugins/dist";
const WIT: &str = include_str!("../../plugins/wit/0.1.0/plugin.wit");
const SAMPLE: &str = include_str!("../../src/cli/plugin/samples/rotation.json");

/// Copies of an idle plugin that are weighed together.
const COPIES: u32 = 20;

/// Rounds with an endless loop, and as many without.
const ROUNDS: usize = 9;

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
    plugin.try_pick(&trial)?;
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
    let app = oncalld::actions::start(store, Arc::new(ManualClock::new(seed::now())), settings);
    seed::one_team(&app, "plugin:fair-weekends", 10)?;
    let request = PlanRequest { weeks: Some(52) };
    let took = median(51, || {
        black_box(rotation::preview(&app, "team-0", &request)).expect("previews");
    });
    let what = "52 weeks of preview through fair-weekends, each pick asked for twice";
    tell(what, took, Duration::from_millis(20));
    Ok(())
}

/// How long an endless loop lasts beyond its limit, and what lookups over HTTP lose meanwhile:
/// rounds with and without it in turn, each as long as the loop may last. One connection leaves
/// a core to the loop; with many, it takes its part of what they would use up.
fn endless(registry: &Registry) -> Result<()> {
    let wasm = embedded(ENDLESS)?;
    let manifest = "name = \"endless\"\nversion = \"1\"\nkind = \"rotation\"\n";
    let files = Files {
        manifest,
        wasm: &wasm,
    };
    let trial = trial()?;
    let served = Served::start()?;
    let mut over = Vec::new();
    for connections in [1, 16] {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            // Loaded anew each time: one that keeps running into its limits is paused.
            let plugin = registry.load_files(&files)?;
            let limit = plugin.limits.timeout;
            let alone = served.lookups_while(connections, || std::thread::sleep(limit))?;
            let beside = served.lookups_while(connections, || {
                let began_at = Instant::now();
                let picked = low_priority::run(|| plugin.try_pick(&trial));
                assert!(picked.is_err(), "it never answers");
                over.push(began_at.elapsed().saturating_sub(limit));
            })?;
            rounds.push((beside / alone, alone));
        }
        tell_lookups(connections, rounds);
    }
    over.sort();
    let most = Duration::from_millis(20);
    tell(
        "an endless loop beyond its limit",
        over[over.len() / 2],
        most,
    );
    Ok(())
}

/// The median of rounds: lookups beside the loop over those without, and how many those were.
fn tell_lookups(connections: usize, mut rounds: Vec<(f64, f64)>) {
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, alone) = rounds[ROUNDS / 2];
    let (least, most) = (rounds[0].0, rounds[ROUNDS - 1].0);
    let verdict = if ratio >= 0.9 { "ok" } else { "MISSED" };
    println!(
        "lookups over HTTP beside an endless loop, {connections} connections: {ratio:.2} of \
         those without (limit 0.90; {least:.2} to {most:.2} in {ROUNDS} rounds, {alone:.0} a \
         second without) {verdict}"
    );
}

/// The API of a company of one team and its service, on a port of loopback.
struct Served {
    address: SocketAddr,
    /// Ends with it.
    _runtime: Runtime,
    _dir: tempfile::TempDir,
}

impl Served {
    fn start() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let app = seed::app(Store::open(&dir.path().join("oncalld.redb"))?);
        seed::one_team(&app, "weighted", 10)?;
        let service = ServiceInput {
            name: Some("service-0".to_owned()),
            team_id: Some("team-0".to_owned()),
            ..ServiceInput::default()
        };
        services::create(&app, &Ctx::system(), &service)?;
        let access = Access::from(&Config::default());
        let stopping = watch::Sender::new(None);
        let stopped = stopping.subscribe();
        let api = Api::new(
            app,
            access,
            &Counters::default(),
            None,
            stopping.subscribe(),
        );
        let runtime = Runtime::new()?;
        let network = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = network.local_addr()?;
        let doors = Doors {
            network,
            tls: None,
            socket: None,
        };
        let service = daemon::service(api, None);
        let places = Places {
            total: 1_024,
            per_address: 1_024,
        };
        let of_peer = move |peer| service.of_peer(peer);
        runtime.spawn(connections::serve(doors, places, of_peer, stopped));
        Ok(Self {
            address,
            _runtime: runtime,
            _dir: dir,
        })
    }

    /// Lookups a second while `f` runs, on each connection one after the other.
    fn lookups_while(&self, connections: usize, f: impl FnOnce()) -> Result<f64> {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ask = || scope.spawn(|| lookups(self.address, &over));
            let clients: Vec<_> = (0..connections).map(|_| ask()).collect();
            f();
            over.store(true, Ordering::Relaxed);
            let rates = clients.into_iter().map(|c| c.join().expect("no panic"));
            rates.sum()
        })
    }
}

/// Lookups a second on a connection of its own, until it is over.
fn lookups(address: SocketAddr, over: &AtomicBool) -> Result<f64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request =
        format!("GET /api/v1/oncall?service=service-0 HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let (began_at, mut count) = (Instant::now(), 0_u32);
    let mut buffer = vec![0; 16 * 1024];
    while !over.load(Ordering::Relaxed) {
        stream.write_all(request.as_bytes())?;
        read_answer(&mut stream, &mut buffer)?;
        count += 1;
    }
    Ok(f64::from(count) / began_at.elapsed().as_secs_f64())
}

/// Reads one answer of a server that tells its length, and insists on 200.
fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<()> {
    let mut have = 0;
    loop {
        let more = stream.read(&mut buffer[have..])?;
        anyhow::ensure!(more > 0, "the server hung up");
        have += more;
        let text = std::str::from_utf8(&buffer[..have])?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        anyhow::ensure!(head.starts_with("HTTP/1.1 200 "), "{text}");
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.context("no length")?.parse()? {
            return Ok(());
        }
    }
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
