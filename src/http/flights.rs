//! Many who ask the same at once wait for one computation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use super::problem::Problem;

/// Computations under way, by the question that they answer.
#[derive(Debug)]
pub struct Flights<T>(Mutex<HashMap<String, Listed<T>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A computation that may still be joined.
#[derive(Debug)]
struct Listed<T> {
    landed: Arc<Landed<T>>,
    /// The count of changes when it began.
    changes: u64,
    /// Those who wait for it.
    waiting: usize,
}

/// What it comes to.
type Landed<T> = OnceCell<Result<T, Problem>>;

impl<T: Clone> Flights<T> {
    /// What `compute` comes to, or what it comes to for somebody who has put the same question
    /// since the last change: `changes` counts those. Whoever asks after a change never gets
    /// what was begun before it.
    ///
    /// # Errors
    /// That of the computation, which all who wait for it get. Where the one who computes goes
    /// away or panics, the next of them computes.
    pub async fn join<F>(
        &self,
        question: &str,
        changes: u64,
        compute: impl FnOnce() -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let seat = self.board(question, changes);
        seat.landed.get_or_init(compute).await.clone()
    }

    fn board<'a>(&'a self, question: &'a str, changes: u64) -> Seat<'a, T> {
        let mut listed = self.lock();
        let flight = match listed.get_mut(question) {
            Some(flight) if flight.changes == changes => flight,
            _ => {
                let flight = Listed {
                    landed: Arc::default(),
                    changes,
                    waiting: 0,
                };
                // Those who wait for one that was begun before a change wait on.
                listed
                    .entry(question.to_owned())
                    .insert_entry(flight)
                    .into_mut()
            }
        };
        flight.waiting += 1;
        Seat {
            flights: self,
            question,
            landed: Arc::clone(&flight.landed),
        }
    }
}

impl<T> Flights<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Listed<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait. The last to leave takes the computation off the list.
struct Seat<'a, T> {
    flights: &'a Flights<T>,
    question: &'a str,
    landed: Arc<Landed<T>>,
}

impl<T> Drop for Seat<'_, T> {
    fn drop(&mut self) {
        let mut listed = self.flights.lock();
        if let Some(flight) = listed.get_mut(self.question)
            && Arc::ptr_eq(&flight.landed, &self.landed)
        {
            flight.waiting -= 1;
            if flight.waiting == 0 {
                listed.remove(self.question);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::StatusCode;
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    impl<T> Flights<T> {
        fn under_way(&self) -> usize {
            self.lock().len()
        }
    }

    #[tokio::test]
    async fn a_burst_of_the_same_question_is_computed_once() {
        let (flights, asked) = (Flights::default(), AtomicUsize::new(0));
        let burst = (0..50).map(|_| {
            flights.join("a", 0, || async {
                tokio::task::yield_now().await;
                Ok(asked.fetch_add(1, Ordering::SeqCst))
            })
        });
        let answers = join_all(burst).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap() == 0));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(flights.under_way(), 0);
        let next = flights.join("a", 0, || async { Ok(7) }).await;
        assert_eq!(next.unwrap(), 7, "what has landed is not kept");
    }

    #[tokio::test]
    async fn who_asks_after_a_change_does_not_get_what_was_begun_before_it() {
        let flights = Flights::default();
        let (land, landing) = oneshot::channel();
        let before = flights.join("a", 1, || async { Ok(landing.await.unwrap()) });
        let mut before = Box::pin(before);
        assert!(before.as_mut().now_or_never().is_none());
        let after = flights.join("a", 2, || async { Ok("new") });
        assert_eq!(after.await.unwrap(), "new");
        let other = flights.join("b", 1, || async { Ok("other") });
        assert_eq!(other.await.unwrap(), "other");
        land.send("old").unwrap();
        assert_eq!(before.await.unwrap(), "old");
        assert_eq!(flights.under_way(), 0);
    }

    #[tokio::test]
    async fn a_failure_is_everybodys_and_is_not_kept() {
        let flights = Flights::<u8>::default();
        let burst = (0..5).map(|n| {
            flights.join("a", 0, move || async move {
                tokio::task::yield_now().await;
                Err(Problem::new(StatusCode::NOT_FOUND, format!("by {n}")))
            })
        });
        for answer in join_all(burst).await {
            assert_eq!(answer.unwrap_err().detail, "by 0");
        }
        assert_eq!(flights.join("a", 0, || async { Ok(1) }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn who_goes_away_or_panics_while_computing_leaves_it_to_the_next() {
        let flights = Arc::new(Flights::<u8>::default());
        let mut first = Box::pin(flights.join("a", 0, pending));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(flights.join("a", 0, || async { panic!("as it happens") }));
        assert!(second.as_mut().now_or_never().is_none());
        let third = tokio::spawn({
            let flights = Arc::clone(&flights);
            async move { flights.join("a", 0, || async { Ok(3) }).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        let panic = std::panic::AssertUnwindSafe(second).catch_unwind().await;
        assert!(panic.is_err());
        assert_eq!(third.await.unwrap().unwrap(), 3);
        assert_eq!(flights.under_way(), 0);
    }
}
