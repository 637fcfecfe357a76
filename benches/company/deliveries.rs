//! 10,000 queued notifications, to a sink that takes 50 ms for each.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use oncalld::app::{App, Ctx, Route, Settings};
use oncalld::clock::SystemClock;
use oncalld::delivery::sink::{Delivered, Delivery, Limits, Sink};
use oncalld::delivery::{Counters, Dispatcher, Policy};
use oncalld::domain::json::Json;
use oncalld::domain::notification::Event;
use oncalld::store::Store;
use oncalld::store::outbox::Message;
use tokio::sync::watch;

const COUNT: usize = 10_000;
const ANSWER: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Slow {
    delivered: AtomicUsize,
}

impl Sink for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn deliver<'a>(&'a self, _delivery: &'a Delivery) -> Delivered<'a> {
        Box::pin(async {
            tokio::time::sleep(ANSWER).await;
            self.delivered.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        })
    }
}

/// Puts notifications for the webhook `slow` into the store in `dir`, which no daemon has open.
pub fn queue(dir: &Path) -> Result<()> {
    let store = Store::open(&dir.join("oncalld.redb"))?;
    let app = oncalld::actions::start(store, Arc::new(SystemClock), Settings::default());
    fill(&app, "webhook:slow")
}

/// Answers every request after 50 ms.
pub fn slow(address: &str) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let answer = || async { tokio::time::sleep(ANSWER).await };
        let router = axum::Router::new().fallback(answer);
        let listener = tokio::net::TcpListener::bind(address).await?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}

fn fill(app: &App, sink: &str) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        for number in 0..COUNT {
            let message = Message {
                event: Event::Test,
                recipient: format!("U{number}"),
                team_id: None,
                payload: Json::object(),
            };
            tx.notify(sink, &message);
        }
        Ok(())
    })?;
    Ok(())
}

/// Measures on a store in `dir`: the time against the ideal one, and what waiting costs.
pub fn measure(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let copy = tempfile::tempdir_in(dir)?;
    let settings = Settings {
        sinks: vec![Route::all_to("slow")],
        ..Settings::default()
    };
    let store = Store::open(&copy.path().join("oncalld.redb"))?;
    let app = oncalld::actions::start(store, Arc::new(SystemClock), settings);
    fill(&app, "slow")?;
    let concurrency = u32::try_from(Limits::default().concurrency)?;
    let ideal = ANSWER * u32::try_from(COUNT)? / concurrency;
    tokio::runtime::Runtime::new()?.block_on(async {
        let sink = Arc::new(Slow::default());
        let sinks: Vec<Arc<dyn Sink>> = vec![sink.clone()];
        let policy = Policy {
            max_attempts: 3,
            backoff: vec![Duration::from_secs(1)],
            keep_days: 90,
        };
        let (before, started) = (cpu_time()?, Instant::now());
        let stopping = watch::Sender::new(None);
        let dispatcher = Dispatcher::start(
            app,
            sinks,
            policy,
            Counters::default(),
            stopping.subscribe(),
        );
        while sink.delivered.load(Ordering::Relaxed) < COUNT {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = started.elapsed();
        let what = format!("{COUNT} notifications of 50 ms, {concurrency} at a time");
        super::tell(&what, took, ideal.mul_f64(1.3));
        let spent = cpu_time()?.saturating_sub(before);
        println!(
            "  {:.2} × the ideal time; {spent:.2?} of processor time",
            took.as_secs_f64() / ideal.as_secs_f64()
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = cpu_time()?;
        tokio::time::sleep(Duration::from_secs(20)).await;
        let spent = cpu_time()?.saturating_sub(before);
        super::tell("idle for 20 s", spent, Duration::from_millis(20));
        stopping.send_replace(Some("done".to_owned()));
        dispatcher.stopped().await;
        Ok(())
    })
}

/// Processor time that this process has had, by Linux's `/proc/self/stat` (in hundredths of a
/// second).
pub fn cpu_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("no name in stat")?;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || -> Result<u64> { Ok(fields.next().context("too short")?.parse()?) };
    Ok(Duration::from_millis((ticks()? + ticks()?) * 10))
}
