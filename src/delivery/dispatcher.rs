//! From the outbox to the sinks: at least once, in order for each recipient.
//!
//! One task owns all state: what is pending (read from the outbox, in order, as it's written), one
//! lane a sink, and the deliveries under way, each a task of its own. What became of a delivery is
//! settled with the outbox before the next message to that recipient goes out; so a crash repeats
//! at most what was under way. Settling is done for many deliveries in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::attempt::{Finished, Policy, deliver};
use super::counters::Counters;
use super::lane::{Lane, Next};
use super::sink::Sink;
use crate::actions::messages::deliveries::{self, Outcome};
use crate::app::{ActionError, App};
use crate::delivery::missing::Missing;
use crate::domain::notification::Notification;

/// Rows that are read from the outbox at once.
const READ_AT_ONCE: usize = 1_000;
/// The clock is checked again at least this often: somebody may have set it.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long to wait where the store could not be read or written.
const STORE_TROUBLE: Duration = Duration::from_secs(1);
/// How long what is over waits to be settled with what ends meanwhile: a transaction costs more
/// than all that a delivery does otherwise.
const SETTLED_WITHIN: Duration = Duration::from_millis(50);
/// How often old notifications are removed.
const TIDIED_EVERY: Duration = Duration::from_hours(1);

/// The running dispatcher.
pub struct Dispatcher {
    task: JoinHandle<()>,
    wake: Arc<Notify>,
}

impl Dispatcher {
    /// Starts. Stops by itself when `stopping` is set.
    pub fn start(
        app: App,
        sinks: Vec<Arc<dyn Sink>>,
        policy: Policy,
        counters: Counters,
        stopping: watch::Receiver<Option<String>>,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let run = Run {
            app,
            policy,
            counters,
            stopping,
            wake: Arc::clone(&wake),
            by_name: sinks
                .iter()
                .enumerate()
                .map(|(at, sink)| (sink.name().to_owned(), at))
                .collect(),
            lanes: sinks.into_iter().map(Lane::new).collect(),
            seen: 0,
            deliveries: JoinSet::new(),
            finished: Vec::new(),
            finished_since: Instant::now(),
            settling: None,
        };
        let task = tokio::spawn(run.until_stopped());
        Self { task, wake }
    }

    /// Has it look at the clock, which may have been set.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until the deliveries that are under way are done and settled.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the dispatcher failed");
        }
    }

    /// Ends it at once, as a crash would: what is under way may be repeated.
    pub fn abort(&self) {
        self.task.abort();
    }
}

/// Deliveries that were to be settled, and whether they are.
type Settled = (Vec<Finished>, Result<(), ActionError>);

struct Run {
    app: App,
    policy: Policy,
    counters: Counters,
    stopping: watch::Receiver<Option<String>>,
    wake: Arc<Notify>,
    lanes: Vec<Lane>,
    by_name: HashMap<String, usize>,
    /// The last position of the outbox that was read.
    seen: u64,
    deliveries: JoinSet<Finished>,
    /// Over, but not settled.
    finished: Vec<Finished>,
    /// When the first of these ended.
    finished_since: Instant,
    settling: Option<JoinHandle<Settled>>,
}

impl Run {
    async fn until_stopped(mut self) {
        let mut queued = self.app.queued();
        let mut stopped = self.stopping.clone();
        let wake = Arc::clone(&self.wake);
        let mut tidied_at = Instant::now();
        let mut is_read = self.read_new().await;
        let mut is_settled = true;
        loop {
            let mut patience = self.start_deliveries();
            if !(is_read && is_settled) {
                patience = patience.min(STORE_TROUBLE);
                is_settled = true;
            } else if !self.finished.is_empty() {
                let waited = self.finished_since.elapsed();
                match SETTLED_WITHIN.checked_sub(waited) {
                    Some(rest) if !rest.is_zero() => patience = patience.min(rest),
                    _ => self.start_settling(),
                }
            }
            tokio::select! {
                () = async { drop(stopped.wait_for(Option::is_some).await) } => break,
                changed = queued.changed() => {
                    if changed.is_err() { break }
                    is_read = self.read_new().await;
                }
                Some(finished) = self.deliveries.join_next() => self.note(finished),
                settled = settled(&mut self.settling) => is_settled = self.note_settled(settled),
                () = wake.notified() => {}
                () = sleep(patience) => {
                    if !is_read {
                        is_read = self.read_new().await;
                    }
                    if tidied_at.elapsed() >= TIDIED_EVERY {
                        tidied_at = Instant::now();
                        self.tidy();
                    }
                }
            }
        }
        self.end_in_order().await;
    }

    /// Waits for what is under way, and settles each as it ends: one that hangs shall not have the
    /// others told again after the next start.
    async fn end_in_order(&mut self) {
        while !(self.deliveries.is_empty() && self.settling.is_none() && self.finished.is_empty()) {
            self.start_settling();
            tokio::select! {
                Some(finished) = self.deliveries.join_next() => self.note(finished),
                settled = settled(&mut self.settling) => if !self.note_settled(settled) {
                    return;
                },
            }
        }
    }

    /// Reads what was written to the outbox since the last time. False where that failed.
    async fn read_new(&mut self) -> bool {
        loop {
            let seen = self.seen;
            let read = move |app: &App| deliveries::pending_after(app, seen, READ_AT_ONCE);
            let rows = match self.app.run(read).await {
                Ok(rows) => rows,
                Err(error) => {
                    self.report(&error, "the outbox can't be read");
                    return false;
                }
            };
            for row in &rows {
                self.seen = self.seen.max(row.seq);
                let lane = self.lane_of(&row.sink);
                self.lanes[lane].push(row);
            }
            if rows.len() < READ_AT_ONCE {
                return true;
            }
        }
    }

    fn lane_of(&mut self, sink: &str) -> usize {
        if let Some(lane) = self.by_name.get(sink) {
            return *lane;
        }
        let lane = self.lanes.len();
        self.lanes
            .push(Lane::new(Arc::new(Missing(sink.to_owned()))));
        self.by_name.insert(sink.to_owned(), lane);
        lane
    }

    /// Starts what may go out; how long to wait before there may be more.
    fn start_deliveries(&mut self) -> Duration {
        if self.app.disk_trouble().is_some() {
            // What goes out now could not be settled, and might go out again after a restart.
            return STORE_TROUBLE;
        }
        let now = self.app.now();
        let mut patience = LONGEST_SLEEP;
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            loop {
                match lane.next(now) {
                    Next::Now(batch) => {
                        let (sink, timeout) = (Arc::clone(&lane.sink), lane.limits.timeout);
                        let (app, policy) = (self.app.clone(), self.policy.clone());
                        let delivery = deliver(app, policy, sink, timeout, at, batch);
                        self.deliveries.spawn(delivery);
                    }
                    Next::In(wait) => {
                        patience = patience.min(wait.max(Duration::from_millis(1)));
                        break;
                    }
                    Next::Nothing => break,
                }
            }
        }
        patience
    }

    /// Notes that a delivery is over. Its recipient's line goes on once that is settled.
    fn note(&mut self, finished: Result<Finished, tokio::task::JoinError>) {
        match finished {
            Ok(finished) => {
                let lane = &mut self.lanes[finished.lane];
                lane.under_way -= 1;
                let sink = Arc::clone(&lane.sink);
                let name = sink.name();
                if let Some(pause) = &finished.pause {
                    lane.pause(pause.until);
                    if pause.trouble.is_some() && lane.trouble != pause.trouble {
                        let error = pause.trouble.as_deref();
                        tracing::error!(sink = name, error, "the sink can't be used");
                        lane.trouble.clone_from(&pause.trouble);
                    }
                } else if delivered(&finished) && lane.trouble.take().is_some() {
                    tracing::info!(sink = name, "the sink can be used again");
                }
                if self.finished.is_empty() {
                    self.finished_since = Instant::now();
                }
                self.finished.push(finished);
            }
            // It catches panics of the sink itself; what is left is a shutdown of the runtime.
            Err(error) => tracing::error!(%error, "a delivery was lost from sight"),
        }
    }

    /// Writes what became of the deliveries that are over, unless that is under way already.
    fn start_settling(&mut self) {
        if self.settling.is_some() || self.finished.is_empty() {
            return;
        }
        let (app, mut finished) = (self.app.clone(), std::mem::take(&mut self.finished));
        let settle = move || {
            let outcomes: Vec<_> = finished
                .iter_mut()
                .flat_map(|finished| finished.outcomes.iter().cloned())
                .collect();
            let result = match outcomes.as_slice() {
                [] => Ok(()),
                outcomes => deliveries::settle(&app, outcomes),
            };
            (finished, result)
        };
        self.settling = Some(tokio::task::spawn_blocking(settle));
    }

    /// Lets the lines go on whose deliveries are settled. False where settling failed; it's tried
    /// again.
    fn note_settled(&mut self, (finished, result): Settled) -> bool {
        if let Err(error) = result {
            self.report(&error, "the outcome of notifications can't be written");
            self.finished.extend(finished);
            return false;
        }
        for finished in finished {
            let lane = &mut self.lanes[finished.lane];
            let mut held = finished.held;
            for (row, outcome) in &finished.outcomes {
                self.counters.count(row, outcome);
                log(row, outcome);
                if let Outcome::Again { at, .. } = outcome {
                    held.insert(row.seq, *at);
                }
            }
            lane.queue
                .done(&finished.recipient, |seq| held.get(&seq).copied());
        }
        true
    }

    fn tidy(&self) {
        let (app, keep_days) = (self.app.clone(), self.policy.keep_days);
        tokio::task::spawn_blocking(move || match deliveries::prune(&app, keep_days) {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed old notifications"),
            Err(error) => tracing::error!(%error, "old notifications can't be removed"),
        });
    }

    fn report(&self, error: &ActionError, what: &str) {
        // Of a disk that fails the scheduler tells.
        if self.app.disk_trouble().is_none() {
            tracing::error!(%error, "{what}; trying again");
        }
    }
}

/// Waits until what is being settled is; forever where nothing is.
async fn settled(settling: &mut Option<JoinHandle<Settled>>) -> Settled {
    let Some(task) = settling else {
        return std::future::pending().await;
    };
    let result = task.await;
    *settling = None;
    result.unwrap_or_else(|panic| {
        tracing::error!(%panic, "settling panicked; its notifications wait for a restart");
        (Vec::new(), Ok(()))
    })
}

fn delivered(finished: &Finished) -> bool {
    let is_delivered = |(_, outcome): &(_, Outcome)| matches!(outcome, Outcome::Delivered(_));
    finished.outcomes.iter().any(is_delivered)
}

/// Each failure is logged here, and nowhere else.
fn log(row: &Notification, outcome: &Outcome) {
    let (id, event, sink, recipient) = (row.id, row.event, &row.sink, &row.recipient);
    match outcome {
        Outcome::Delivered(_) => tracing::debug!(%id, %event, sink, recipient, "delivered"),
        Outcome::Again { error, counts, .. } if *counts => {
            tracing::info!(%id, %event, sink, recipient, error, "not delivered; trying again");
        }
        // What is wrong with the sink itself was logged when it began.
        Outcome::Again { .. } => {}
        Outcome::Failed(error) => {
            tracing::warn!(%id, %event, sink, recipient, error, "given up; see `oncalld notification`");
        }
        Outcome::Dropped(why) => tracing::info!(%id, %event, sink, recipient, why, "not sent"),
    }
}

#[cfg(test)]
#[path = "dispatcher_tests.rs"]
mod tests;
