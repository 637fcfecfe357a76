//! Whether the scheduler still works.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Without a beat for longer than this the scheduler has stalled: it beats once a second, and
/// every ten seconds where cron has stopped.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// When the scheduler last began a round, by a clock that never jumps.
#[derive(Debug)]
pub struct Heartbeat(Mutex<Instant>);

impl Default for Heartbeat {
    /// The start counts as a beat.
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Heartbeat {
    /// A round begins.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long there has been no beat, if that is too long.
    pub fn stalled(&self, now: Instant) -> Option<Duration> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(now.saturating_duration_since(last)).filter(|since| *since > STALLED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_stalled_after_half_a_minute_without_a_beat() {
        let heart = Heartbeat::default();
        let now = Instant::now();
        assert_eq!(heart.stalled(now), None);
        assert_eq!(heart.stalled(now + Duration::from_secs(29)), None);
        let late = now + Duration::from_secs(40);
        assert!(
            heart
                .stalled(late)
                .is_some_and(|since| since >= STALLED_AFTER)
        );
        *heart.0.lock().unwrap() = late;
        assert_eq!(heart.stalled(late), None);
        heart.beat();
        assert!(heart.stalled(late).is_some());
    }
}
