//! Socket Mode: Slack's envelopes over a connection that we open, so that nobody has to reach
//! us. Slack ends each connection after some hours, and says so before; the next one is open by
//! then.

mod connection;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::client::Slack;
use super::envelope::Handler;
use super::error::SlackError;
use super::websocket::Socket;

/// How many envelopes are known again. Slack repeats one within minutes.
const REMEMBERED: usize = 1024;

/// How patient Socket Mode is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From one ping of ours to the next.
    pub ping: Duration,
    /// A connection on which nothing arrives for so long is dead: at least two pings.
    pub silence: Duration,
    /// After the first failed attempt to connect; doubled after each further one. Also the least
    /// from one attempt to the next.
    pub pause: Duration,
    /// The longest pause between attempts.
    pub max_pause: Duration,
    /// How long before a connection's announced end the next one is opened.
    pub ahead: Duration,
    /// How long a connection is still read after the next one is open.
    pub drain: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(10),
            silence: Duration::from_secs(35),
            pause: Duration::from_secs(1),
            max_pause: Duration::from_mins(1),
            ahead: Duration::from_mins(1),
            drain: Duration::from_secs(5),
        }
    }
}

/// Socket Mode, running.
#[derive(Debug)]
pub struct SocketMode(JoinHandle<()>);

impl SocketMode {
    /// Connects, and hands over what arrives, until `stopping` is set.
    pub fn start(
        slack: Slack,
        handler: Handler,
        timing: Timing,
        stopping: watch::Receiver<Option<String>>,
    ) -> Self {
        let shared = Shared {
            slack,
            handler,
            timing,
            stopping,
            seen: Arc::default(),
            newest: Arc::new(watch::Sender::new(0)),
        };
        Self(tokio::spawn(run(shared)))
    }

    /// Waits until it has ended, with all that was handed over.
    pub async fn stopped(self) {
        if let Err(error) = self.0.await {
            tracing::error!(%error, "Socket Mode failed");
        }
    }
}

/// What the connections share.
#[derive(Clone)]
struct Shared {
    slack: Slack,
    handler: Handler,
    timing: Timing,
    stopping: watch::Receiver<Option<String>>,
    /// The envelopes that were handed over lately.
    seen: Arc<Mutex<VecDeque<String>>>,
    /// The number of the newest connection that Slack has greeted.
    newest: Arc<watch::Sender<u64>>,
}

impl Shared {
    /// Whether an envelope is seen for the first time.
    fn is_new(&self, id: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.iter().any(|known| known == id) {
            return false;
        }
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(id.to_owned());
        true
    }
}

/// Opens one connection after the other; each asks for the next one in time.
async fn run(shared: Shared) {
    let mut stopping = shared.stopping.clone();
    let mut connections = JoinSet::new();
    tokio::select! {
        () = keep_open(&shared, &mut connections) => {}
        _ = stopping.wait_for(Option::is_some) => {}
    }
    while connections.join_next().await.is_some() {}
}

async fn keep_open(shared: &Shared, connections: &mut JoinSet<()>) {
    let mut failures = 0;
    // What the log says by now: the same trouble is told once.
    let mut told = String::new();
    for number in 1.. {
        let since = Instant::now();
        let mut earliest = since;
        let trouble = match connect(shared).await {
            Ok(socket) => {
                let (ask, asked) = oneshot::channel();
                connections.spawn(connection::serve(shared.clone(), number, socket, ask));
                // Dropped without a word where the connection ended before it was greeted.
                asked.await.err().map(|_| "Slack did not greet".to_owned())
            }
            Err(error) => {
                if let SlackError::RateLimited { after, .. } = error {
                    earliest = Instant::now() + after;
                }
                Some(error.to_string())
            }
        };
        failures = if trouble.is_some() { failures + 1 } else { 0 };
        let trouble = trouble.unwrap_or_default();
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(trouble, "Socket Mode: can't connect; trying again");
        }
        told = trouble;
        while connections.try_join_next().is_some() {}
        let next = since + pause(&shared.timing, failures);
        sleep_until(next.max(earliest)).await;
    }
}

/// How long after an attempt the next one may be; after failures longer and longer, and not all
/// daemons at the same moment.
fn pause(timing: &Timing, failures: u32) -> Duration {
    let doubled = timing.pause.saturating_mul(1 << failures.min(16));
    let longest = doubled.min(timing.max_pause).max(timing.pause);
    if failures == 0 {
        return timing.pause;
    }
    let mut chance = [0];
    // Without random numbers the pauses are merely even.
    let _ = getrandom::fill(&mut chance);
    longest / 2 + longest * u32::from(chance[0]) / 512
}

async fn connect(shared: &Shared) -> Result<Socket, SlackError> {
    let address = shared.slack.open_socket().await?;
    shared.slack.open_websocket(&address).await
}
