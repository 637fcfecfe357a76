//! Heavy reads, such as previews of years: a few at once, some in a queue, no more.
//!
//! They run with less priority than lookups, and whoever would have to wait long is told to come
//! back instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;

/// Those that may wait for a place.
const QUEUE: usize = 16;

/// The places for heavy reads.
#[derive(Debug)]
pub struct Heavy {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Heavy {
    /// Half of the cores, so that the other half is there for all else.
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with((cores / 2).max(1))
    }
}

impl Heavy {
    fn with(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Waits for a place, which goes along with the work: it goes on where its client goes away.
    ///
    /// # Errors
    /// 503 where too many wait already.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let busy = || Problem {
            retry_after: Some(1),
            ..Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many previews, reports and calendars are asked for at once; try again in a second",
            )
        };
        let _waiting = Waiting::begin(&self.waiting).ok_or_else(busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_| busy())
    }
}

/// Somebody in the queue, until they have their place or go away.
struct Waiting<'q>(&'q AtomicUsize);

impl<'q> Waiting<'q> {
    fn begin(count: &'q AtomicUsize) -> Option<Self> {
        if count.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_that_is_full_takes_nobody_until_it_moves() {
        let heavy = Arc::new(Heavy::with(1));
        let first = heavy.take().await.unwrap();
        let mut queue = Vec::new();
        for _ in 0..QUEUE {
            let heavy = Arc::clone(&heavy);
            queue.push(tokio::spawn(async move { heavy.take().await.is_ok() }));
        }
        while heavy.waiting.load(Ordering::Relaxed) < QUEUE {
            tokio::task::yield_now().await;
        }
        let refused = heavy.take().await.unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (503, Some(1)));
        // Somebody who goes away leaves their place in the queue.
        queue.pop().unwrap().abort();
        while heavy.waiting.load(Ordering::Relaxed) == QUEUE {
            tokio::task::yield_now().await;
        }
        drop(first);
        for waits in queue {
            assert!(waits.await.unwrap());
        }
        assert_eq!(heavy.waiting.load(Ordering::Relaxed), 0);
        assert!(heavy.take().await.is_ok());
    }
}
