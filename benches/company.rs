//! Benchmarks on a company of 10,000 teams with a year of weekly shifts, and on an audit log
//! of a million entries. `scripts/bench` runs them all; docs/BENCHMARKS.md tells how to read
//! them.
//!
//! `cargo bench --bench company -- COMMAND DIR`:
//! - `seed DIR`: makes the company's store in DIR, if it isn't there
//! - `bare ADDRESS FILE`: a bare axum server that answers every GET with FILE's bytes
//! - `preview`: 52 weeks of weighted rotation for 10 members
//! - `handoffs DIR`: all teams' handoffs at one instant, on a copy of DIR's store
//! - `misses DIR`: every service looked up with no answer ready, and after one was changed
//! - `growth DIR [TEAMS]`: what handoffs (of so many teams in turn, by default 1,000) and previews
//!   cost after one year and after many
//! - `deliveries DIR`: 10,000 notifications to a sink that takes 50 ms, and then idleness
//! - `queue DIR`: puts 10,000 notifications for the webhook `slow` into DIR's store
//! - `slow ADDRESS`: a server that answers every request after 50 ms
//! - `plugins`: a pick, a preview, a load, an endless loop, an idle plugin
//! - `audit DIR`: filters of a log of a million entries

#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "numbers of teams and weeks are small"
)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use oncalld::actions::rotation;
use oncalld::app::Settings;
use oncalld::clock::ManualClock;

#[path = "company/audit_log.rs"]
mod audit_log;
#[path = "company/deliveries.rs"]
mod deliveries;
#[path = "company/growth.rs"]
mod growth;
#[path = "company/misses.rs"]
mod misses;
#[path = "company/plugins.rs"]
mod plugins;
#[path = "company/seed.rs"]
mod seed;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["seed", dir] => seed(Path::new(dir)),
        ["bare", address, file] => bare(address, file),
        ["handoffs", dir] => growth::handoffs(Path::new(dir)),
        ["growth", dir] => growth::measure(Path::new(dir), 1_000),
        ["growth", dir, teams] => growth::measure(Path::new(dir), teams.parse()?),
        ["misses", dir] => misses::measure(Path::new(dir)),
        ["deliveries", dir] => deliveries::measure(Path::new(dir)),
        ["queue", dir] => deliveries::queue(Path::new(dir)),
        ["slow", address] => deliveries::slow(address),
        ["plugins"] => plugins::measure(),
        ["audit", dir] => audit_log::measure(Path::new(dir)),
        // Also what `cargo bench` runs by itself: it needs no preparation.
        [] | ["preview"] => preview(),
        other => bail!("unknown arguments {other:?}; see the head of benches/company.rs"),
    }
}

/// Runs `f` some times and returns the median of its times.
fn median(times: usize, mut f: impl FnMut()) -> Duration {
    let mut taken: Vec<_> = (0..times)
        .map(|_| {
            let started = Instant::now();
            f();
            started.elapsed()
        })
        .collect();
    taken.sort();
    taken[times / 2]
}

/// One line a result: what, how much, and the most that it may be.
fn tell(what: &str, took: Duration, limit: Duration) {
    let verdict = if took <= limit { "ok" } else { "MISSED" };
    println!("{what}: {took:.2?} (limit {limit:.0?}) {verdict}");
}

fn seed(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    seed::COMPANY.seed(&dir.join("oncalld.redb"))
}

/// The yardstick: axum with one route and nothing else.
fn bare(address: &str, file: &str) -> Result<()> {
    let body = std::fs::read(file).with_context(|| format!("can't read {file}"))?;
    let body: &'static [u8] = body.leak();
    tokio::runtime::Runtime::new()?.block_on(async {
        let json = [("content-type", "application/json")];
        let route = axum::routing::get(move || async move { (json, body) });
        let router = axum::Router::new().route("/api/v1/oncall", route);
        let listener = tokio::net::TcpListener::bind(address).await?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}

fn preview() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let clock = Arc::new(ManualClock::new(seed::now()));
    let app = oncalld::actions::start(
        oncalld::store::Store::open(&dir.path().join("oncalld.redb"))?,
        clock,
        Settings::default(),
    );
    seed::one_team(&app, "weighted", 10)?;
    let request = oncalld::wire::rotation::PlanRequest { weeks: Some(52) };
    let took = median(51, || {
        black_box(rotation::preview(&app, "team-0", &request)).expect("previews");
    });
    tell(
        "52 weeks of weighted preview, 10 members",
        took,
        Duration::from_millis(5),
    );
    Ok(())
}
