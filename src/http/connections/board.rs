//! Who is connected, and who has to make place for whom.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;

/// How long a connection may be without a request: one that is idle, and one whose head comes in
/// pieces.
const SILENCE: Duration = Duration::from_secs(30);
/// File descriptors that are kept for everything else.
const RESERVED: u64 = 128;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// In all.
    pub total: usize,
    /// From one address.
    pub per_address: usize,
}

impl Places {
    /// As many as wanted, if the process may hold so many files; that limit is raised as far as it goes.
    #[must_use]
    pub fn within_file_limit(self) -> Self {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        let raised = rustix::process::Rlimit {
            current: limit.maximum,
            ..limit
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
        let files = limit.current.unwrap_or(u64::MAX).saturating_sub(RESERVED);
        let files = usize::try_from(files).unwrap_or(usize::MAX).max(16);
        Self {
            total: self.total.min(files),
            ..self
        }
    }
}

/// A connection, as others see it.
#[derive(Debug)]
pub struct Line {
    /// Where it comes from; all that come by the socket of the data folder share one.
    address: Option<IpAddr>,
    /// Requests under way, until their answers are written.
    busy: AtomicUsize,
    /// Whether it had one since the last sweep, which saves each request a look at the clock.
    was_busy: AtomicBool,
    /// When a sweep last found that it had had one, in milliseconds since the start.
    silent_since: AtomicU64,
    /// Told when it has to end.
    pub close: Notify,
}

impl Line {
    /// Whether it has a request under way.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }
}

/// The open connections.
#[derive(Clone, Debug)]
pub struct Board {
    places: Places,
    started: Instant,
    lines: Arc<Mutex<HashMap<u64, Arc<Line>>>>,
}

impl Board {
    /// Nobody is connected yet.
    pub fn new(places: Places) -> Self {
        Self {
            places,
            started: Instant::now(),
            lines: Arc::default(),
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A place for a new connection, if need be that of the longest silent one.
    pub fn take(&self, number: u64, address: Option<IpAddr>) -> Option<Arc<Line>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let own = lines.values().filter(|line| line.address == address);
        // Nobody has more than there are: mostly there is nothing to count.
        let most = self.places.per_address;
        let is_own_full = lines.len() >= most && own.count() >= most;
        if is_own_full || lines.len() >= self.places.total {
            let silent = lines.iter().filter(|(_, line)| {
                line.busy.load(Ordering::Relaxed) == 0 && (!is_own_full || line.address == address)
            });
            let longest = silent.min_by_key(|(_, line)| {
                let was_busy = line.was_busy.load(Ordering::Relaxed);
                (was_busy, line.silent_since.load(Ordering::Relaxed))
            });
            let longest = longest.map(|(number, _)| *number)?;
            if let Some(line) = lines.remove(&longest) {
                line.close.notify_one();
            }
        }
        let line = Arc::new(Line {
            address,
            busy: AtomicUsize::new(0),
            was_busy: AtomicBool::new(false),
            silent_since: AtomicU64::new(self.millis()),
            close: Notify::new(),
        });
        lines.insert(number, Arc::clone(&line));
        Some(line)
    }

    /// Gives a place back.
    pub fn leave(&self, number: u64) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.remove(&number);
    }

    /// Closes what has been silent for too long.
    pub fn sweep(&self) {
        let limit = u64::try_from(SILENCE.as_millis()).unwrap_or(u64::MAX);
        let now = self.millis();
        let since = now.saturating_sub(limit);
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.values() {
            let is_busy = line.busy.load(Ordering::Relaxed) > 0;
            if line.was_busy.swap(false, Ordering::Relaxed) || is_busy {
                line.silent_since.store(now, Ordering::Relaxed);
            } else if line.silent_since.load(Ordering::Relaxed) < since {
                line.close.notify_one();
            }
        }
    }
}

/// A request that is under way.
pub struct Busy(Arc<Line>);

impl Busy {
    /// One more of this connection.
    pub fn new(line: &Arc<Line>) -> Self {
        line.busy.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(line))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.was_busy.store(true, Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that keeps its request under way.
pub struct Held {
    /// The body.
    pub body: Body,
    /// What it keeps.
    pub _busy: Busy,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(total: usize, per_address: usize) -> Board {
        Board::new(Places { total, per_address })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn numbers(board: &Board) -> Vec<u64> {
        let mut numbers: Vec<_> = board.lines.lock().unwrap().keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn the_longest_silent_makes_place_and_who_asks_stays() {
        let board = board(3, 10);
        for number in 0..3 {
            let line = board.take(number, Some(address(1))).unwrap();
            line.silent_since.store(10 - number, Ordering::Relaxed);
        }
        let _busy = Busy::new(&board.lines.lock().unwrap()[&2]);
        board.take(3, Some(address(2))).unwrap();
        assert_eq!(numbers(&board), [0, 2, 3], "2 has a request under way");
        let rest = [0, 3].map(|it| Busy::new(&board.lines.lock().unwrap()[&it]));
        assert!(board.take(4, Some(address(2))).is_none());
        drop(rest);
        assert!(board.take(4, Some(address(2))).is_some());
    }

    #[test]
    fn an_address_that_has_its_share_pushes_out_its_own() {
        let board = board(10, 2);
        board.take(0, Some(address(1))).unwrap();
        for number in 1..6 {
            board.take(number, Some(address(2))).unwrap();
        }
        let numbers = numbers(&board);
        assert_eq!(numbers.len(), 3, "{numbers:?}");
        assert!(numbers.contains(&0) && numbers.contains(&5), "{numbers:?}");
    }
}
