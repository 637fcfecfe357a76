//! One sink with its queue, its limits and its pauses. A lane that is slow, paused or full holds
//! up no other.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::queue::{Batch, Entry, Queue};
use super::sink::{Limits, Sink};
use crate::domain::notification::Notification;

/// More than this many a second is no limit.
const UNLIMITED: u32 = 100_000;

/// One sink, and what is on its way to it.
pub(crate) struct Lane {
    pub sink: Arc<dyn Sink>,
    pub limits: Limits,
    pub queue: Queue,
    /// Deliveries that are under way.
    pub under_way: usize,
    rate: Option<DefaultDirectRateLimiter>,
    paused_until: Option<DateTime<Utc>>,
    /// What made the sink unusable; none while it's usable.
    pub trouble: Option<String>,
}

/// Whether something may go out.
pub(crate) enum Next {
    /// This.
    Now(Batch),
    /// Nothing before this long, unless something changes.
    In(Duration),
    /// Nothing, unless something changes.
    Nothing,
}

impl Lane {
    pub fn new(sink: Arc<dyn Sink>) -> Self {
        let limits = sink.limits();
        let is_limited = limits.per_second.get() < UNLIMITED;
        let rate = is_limited.then(|| RateLimiter::direct(Quota::per_second(limits.per_second)));
        Self {
            sink,
            limits,
            rate,
            queue: Queue::default(),
            under_way: 0,
            paused_until: None,
            trouble: None,
        }
    }

    /// Adds a pending notification. A fresh one may have to wait for others.
    pub fn push(&mut self, row: &Notification) {
        let gather = TimeDelta::from_std(self.limits.gather).unwrap_or_default();
        let due_at = match row.attempts {
            0 => row.next_attempt_at + gather,
            _ => row.next_attempt_at,
        };
        let entry = Entry {
            seq: row.seq,
            event: row.event,
            created_at: row.created_at,
            due_at,
        };
        self.queue.push(&row.recipient, entry);
    }

    /// Lets nothing out before `until`.
    pub fn pause(&mut self, until: DateTime<Utc>) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// What goes out next, if something may.
    pub fn next(&mut self, now: DateTime<Utc>) -> Next {
        if self.under_way >= self.limits.concurrency {
            return Next::Nothing;
        }
        let Some(due_at) = self.queue.next_due_at() else {
            return Next::Nothing;
        };
        let opens_at = self.paused_until.map_or(due_at, |until| due_at.max(until));
        if opens_at > now {
            return Next::In((opens_at - now).to_std().unwrap_or_default());
        }
        if let Some(rate) = &self.rate
            && let Err(early) = rate.check()
        {
            return Next::In(early.wait_time_from(DefaultClock::default().now()));
        }
        self.paused_until = None;
        let sink = Arc::clone(&self.sink);
        match self.queue.take(now, |a, b| sink.merges(a, b)) {
            Some(batch) => {
                self.under_way += 1;
                Next::Now(batch)
            }
            None => Next::Nothing,
        }
    }
}
