//! The one place where the clock is read.

mod steady;

use std::sync::Mutex;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

pub use self::steady::{Settled, SteadyClock};

/// Tells the time, in whole milliseconds.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;

    /// Compares the clocks it goes by, to be called every second: what has come of it, once.
    fn settle(&self) -> Option<Settled> {
        None
    }

    /// By how much the system's clock has jumped, while that isn't believed.
    fn doubt(&self) -> Option<TimeDelta> {
        None
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = Utc::now();
        to_millis(now)
    }
}

/// The instant in whole milliseconds, which is what the store keeps.
pub fn to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::milliseconds(1)).unwrap_or(at)
}

/// A clock that stands until it's set: for simulations.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Sets the clock.
    pub fn set(&self, now: DateTime<Utc>) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
