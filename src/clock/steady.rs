//! The system's clock, not believed at once when it jumps.
//!
//! A wrong wall clock (a bad time server, a virtual machine that is restored, a battery that died)
//! would hand shifts off days early and drop messages as stale, for good. The monotonic clock
//! doesn't jump: while the two disagree, time goes on from what was last believed, until the new
//! time has stood for a minute.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Clock, SystemClock};

/// What clocks may differ by without a jump, in milliseconds: time servers step by less.
const TOLERANCE: u64 = 120_000;
/// How long a jump has to stand before it is believed, in milliseconds.
const PROOF: i64 = 60_000;

/// What [`Clock::settle`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The clock jumped, by so much; it isn't believed yet.
    Jumped(TimeDelta),
    /// A jump has stood long enough: it's believed from now on.
    Confirmed(TimeDelta),
    /// A jump was taken back before it was believed.
    Withdrawn,
}

/// The system's clock, steadied by the monotonic one.
#[derive(Debug)]
pub struct SteadyClock {
    started: Instant,
    /// What the wall clock is believed to be ahead of the monotonic one, in milliseconds.
    base: AtomicI64,
    doubt: Mutex<Option<Doubt>>,
}

/// A jump that isn't believed yet.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// By the monotonic clock.
    since: i64,
    /// What the wall clock is ahead since then.
    base: i64,
}

impl SteadyClock {
    /// A clock that believes the system's as it stands now.
    pub fn start() -> Self {
        Self::at(SystemClock.now().timestamp_millis())
    }

    fn at(wall: i64) -> Self {
        Self {
            started: Instant::now(),
            base: AtomicI64::new(wall),
            doubt: Mutex::default(),
        }
    }

    /// Wall and monotonic clock, in milliseconds.
    fn read(&self) -> (i64, i64) {
        let mono = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        (SystemClock.now().timestamp_millis(), mono)
    }

    fn now_at(&self, (wall, mono): (i64, i64)) -> i64 {
        let base = self.base.load(Ordering::Relaxed);
        if wall.saturating_sub(mono).abs_diff(base) <= TOLERANCE {
            wall
        } else {
            base.saturating_add(mono)
        }
    }

    fn settle_at(&self, (wall, mono): (i64, i64)) -> Option<Settled> {
        let mut doubt = self.doubt.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, base) = (wall.saturating_sub(mono), self.base.load(Ordering::Relaxed));
        let jump = TimeDelta::milliseconds(seen.saturating_sub(base));
        if seen.abs_diff(base) <= TOLERANCE {
            // Slow corrections add up.
            self.base.store(seen, Ordering::Relaxed);
            return doubt.take().map(|_| Settled::Withdrawn);
        }
        match *doubt {
            Some(known) if known.base.abs_diff(seen) <= TOLERANCE => {
                if mono - known.since < PROOF {
                    return None;
                }
                self.base.store(seen, Ordering::Relaxed);
                *doubt = None;
                Some(Settled::Confirmed(jump))
            }
            _ => {
                *doubt = Some(Doubt {
                    since: mono,
                    base: seen,
                });
                Some(Settled::Jumped(jump))
            }
        }
    }

    fn doubt_at(&self, (wall, mono): (i64, i64)) -> Option<TimeDelta> {
        let base = self.base.load(Ordering::Relaxed);
        let jump = wall.saturating_sub(mono).saturating_sub(base);
        (jump.unsigned_abs() > TOLERANCE).then(|| TimeDelta::milliseconds(jump))
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        let at = self.now_at(self.read());
        DateTime::from_timestamp_millis(at).unwrap_or_else(|| SystemClock.now())
    }

    fn settle(&self) -> Option<Settled> {
        self.settle_at(self.read())
    }

    fn doubt(&self) -> Option<TimeDelta> {
        self.doubt_at(self.read())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;
    const MINUTE: i64 = 60_000;
    const DAYS: i64 = 3 * 24 * 60 * MINUTE;

    /// What the clock shows, in minutes since the start, while the wall clock is `off`.
    fn shown(clock: &SteadyClock, off: i64, minute: i64) -> i64 {
        let mono = minute * MINUTE;
        (clock.now_at((START + mono + off, mono)) - START) / MINUTE
    }

    fn settle(clock: &SteadyClock, off: i64, minute: i64) -> Option<Settled> {
        let mono = minute * MINUTE;
        clock.settle_at((START + mono + off, mono))
    }

    #[test]
    fn a_glitch_changes_nothing() {
        let clock = SteadyClock::at(START);
        for off in [DAYS, -DAYS] {
            assert_eq!(shown(&clock, off, 5), 5, "also before anybody looked");
            let jump = TimeDelta::milliseconds(off);
            assert_eq!(settle(&clock, off, 5), Some(Settled::Jumped(jump)));
            assert_eq!(
                clock.doubt_at((START + 5 * MINUTE + off, 5 * MINUTE)),
                Some(jump)
            );
            assert_eq!(shown(&clock, off, 5), 5);
            assert_eq!(settle(&clock, 0, 5), Some(Settled::Withdrawn));
            assert_eq!(shown(&clock, 0, 6), 6);
            assert_eq!(settle(&clock, 0, 6), None);
            assert_eq!(clock.doubt_at((START + 6 * MINUTE, 6 * MINUTE)), None);
        }
    }

    #[test]
    fn a_time_that_stands_for_a_minute_is_believed() {
        let clock = SteadyClock::at(START);
        let jump = TimeDelta::milliseconds(DAYS);
        assert_eq!(settle(&clock, DAYS, 1), Some(Settled::Jumped(jump)));
        assert_eq!(settle(&clock, DAYS, 2), Some(Settled::Confirmed(jump)));
        assert_eq!(shown(&clock, DAYS, 2), 2 + DAYS / MINUTE);
        assert_eq!(settle(&clock, DAYS, 3), None);
        // And back, the same way.
        assert_eq!(settle(&clock, 0, 4), Some(Settled::Jumped(-jump)));
        assert_eq!(shown(&clock, 0, 4), 4 + DAYS / MINUTE);
        assert_eq!(settle(&clock, 0, 5), Some(Settled::Confirmed(-jump)));
        assert_eq!(shown(&clock, 0, 5), 5);
    }

    #[test]
    fn a_clock_that_jumps_about_has_to_stand_still_first() {
        let clock = SteadyClock::at(START);
        for minute in 1..10 {
            let off = if minute % 2 == 0 { DAYS } else { -DAYS };
            assert!(matches!(
                settle(&clock, off, minute),
                Some(Settled::Jumped(_))
            ));
            assert_eq!(shown(&clock, off, minute), minute);
        }
    }

    #[test]
    fn slow_corrections_are_followed_however_far_they_go() {
        let clock = SteadyClock::at(START);
        for minute in 1..1000 {
            assert_eq!(settle(&clock, minute * 10_000, minute), None);
        }
        assert_eq!(
            shown(&clock, 999 * 10_000, 999),
            999 + 999 * 10_000 / MINUTE
        );
    }
}
