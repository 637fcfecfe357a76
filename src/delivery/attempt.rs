//! One try to deliver a batch: what goes in, how it went, and what follows.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;

use super::queue::Batch;
use super::sink::{Delivery, DeliveryError, Receipt, Sink};
use crate::actions::messages::deliveries::{self, Outcome, Prepared};
use crate::app::App;
use crate::domain::notification::Notification;

/// How long a sink that can't be used is left alone.
const UNUSABLE_FOR: Duration = Duration::from_mins(1);

/// A wait that is shorter is not written down: at a busy hour there are many.
const WORTH_WRITING: Duration = Duration::from_mins(1);

/// How the dispatcher goes about failures, and how long it keeps what is done.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Tries before a notification is parked as failed.
    pub max_attempts: u32,
    /// Waits after the first, second, … try; the last one is for all further ones.
    pub backoff: Vec<Duration>,
    /// Days that notifications are kept once they're no longer pending.
    pub keep_days: u32,
}

impl Policy {
    /// How long to wait after so many attempts: as the list says, a fifth more or less, so that
    /// what failed together does not come back together.
    fn wait_after(&self, attempts: u32) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(last);
        let wait = self.backoff.get(at.min(last)).copied().unwrap_or_default();
        let mut dice = [0];
        // Without randomness there is no jitter, which does little harm.
        let _ = getrandom::fill(&mut dice);
        wait.mul_f64(0.8 + 0.4 * f64::from(dice[0]) / 255.0)
    }
}

/// A delivery that is over.
pub(crate) struct Finished {
    pub lane: usize,
    pub recipient: Arc<str>,
    /// What is to be written.
    pub outcomes: Vec<(Notification, Outcome)>,
    /// What stays as it is, and when it is due again.
    pub held: HashMap<u64, DateTime<Utc>>,
    /// Whether the sink is to be left alone, and why.
    pub pause: Option<Pause>,
}

pub(crate) struct Pause {
    pub until: DateTime<Utc>,
    /// What is wrong with the sink; none where it merely asked to slow down.
    pub trouble: Option<String>,
}

/// Delivers one batch, but for what is stale by now.
pub(crate) async fn deliver(
    app: App,
    policy: Policy,
    sink: Arc<dyn Sink>,
    timeout: Duration,
    lane: usize,
    batch: Batch,
) -> Finished {
    let mut finished = Finished {
        lane,
        recipient: batch.recipient,
        outcomes: Vec::new(),
        held: HashMap::new(),
        pause: None,
    };
    let positions = batch.positions.clone();
    let prepare = move |app: &App| deliveries::prepare(app, &positions);
    let prepared = match app.run(prepare).await {
        Ok(prepared) => prepared,
        Err(error) => {
            tracing::error!(%error, "a notification can't be read; trying again");
            let again_at = app.now() + TimeDelta::minutes(1);
            finished.held = batch.positions.iter().map(|seq| (*seq, again_at)).collect();
            return finished;
        }
    };
    let mut delivery = Delivery {
        notifications: Vec::new(),
        request: None,
    };
    for Prepared {
        notification,
        stale,
        request,
    } in prepared
    {
        match stale {
            Some(why) => finished
                .outcomes
                .push((notification, Outcome::Dropped(why))),
            None => {
                delivery.notifications.push(notification);
                delivery.request = request.map(Receipt);
            }
        }
    }
    if delivery.notifications.is_empty() {
        return finished;
    }
    let result = try_once(&*sink, &delivery, timeout).await;
    conclude(
        &mut finished,
        delivery.notifications,
        result,
        &policy,
        app.now(),
    );
    finished
}

/// One try. A sink that hangs or panics has failed, and does no other harm.
async fn try_once(
    sink: &dyn Sink,
    delivery: &Delivery,
    timeout: Duration,
) -> Result<Option<Receipt>, DeliveryError> {
    let delivering = AssertUnwindSafe(async { sink.deliver(delivery).await }).catch_unwind();
    match tokio::time::timeout(timeout, delivering).await {
        Ok(Ok(result)) => result,
        Ok(Err(_panic)) => Err(DeliveryError::retry("the sink panicked")),
        Err(_elapsed) => {
            let message = format!("no answer within {} s", timeout.as_secs_f32());
            Err(DeliveryError::retry(message))
        }
    }
}

/// What follows from how a try went.
fn conclude(
    finished: &mut Finished,
    rows: Vec<Notification>,
    result: Result<Option<Receipt>, DeliveryError>,
    policy: &Policy,
    now: DateTime<Utc>,
) {
    let later = |wait: Duration| now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::days(1));
    let outcome = match result {
        Ok(receipt) => Outcome::Delivered(receipt.map(|receipt| receipt.0)),
        Err(DeliveryError::Permanent { message }) => Outcome::Failed(message),
        Err(DeliveryError::Retry { message, after }) => {
            let attempts = |row: &Notification| row.attempts + 1;
            let most = rows.iter().map(attempts).max().unwrap_or(1);
            let at = later(policy.wait_after(most).max(after.unwrap_or_default()));
            // Of a message made of several, each has its own attempts.
            let outcome = |row: &Notification| match attempts(row) {
                tries if tries >= policy.max_attempts => {
                    Outcome::Failed(format!("given up after {tries} attempts: {message}"))
                }
                _ => Outcome::Again {
                    at,
                    error: message.clone(),
                    counts: true,
                },
            };
            let outcomes = rows.into_iter().map(|row| (row.clone(), outcome(&row)));
            return finished.outcomes.extend(outcomes);
        }
        Err(error @ DeliveryError::RateLimited { after }) => {
            let until = later(after);
            finished.pause = Some(Pause {
                until,
                trouble: None,
            });
            if after < WORTH_WRITING {
                finished.held = rows.iter().map(|row| (row.seq, until)).collect();
                return;
            }
            Outcome::Again {
                at: until,
                error: error.to_string(),
                counts: false,
            }
        }
        Err(DeliveryError::SinkUnusable { message }) => {
            let until = later(UNUSABLE_FOR);
            finished.pause = Some(Pause {
                until,
                trouble: Some(message.clone()),
            });
            Outcome::Again {
                at: until,
                error: message,
                counts: false,
            }
        }
    };
    let outcomes = rows.into_iter().map(|row| (row, outcome.clone()));
    finished.outcomes.extend(outcomes);
}
