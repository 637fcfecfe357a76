//! Connections: how many there are, how long one may take to say what it wants, and how they end.
//!
//! Whoever comes when all places are taken gets that of the connection that has been silent longest,
//! so that connections which ask for nothing keep nobody out. Only where each has a request under way,
//! the new one is turned away.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tower::Service;

/// How long a connection may be without a request: one that is idle, and one whose head comes in
/// pieces.
const SILENCE: Duration = Duration::from_secs(30);
/// How often silent connections are looked for.
const SWEEP: Duration = Duration::from_secs(2);
/// What a connection without a request gets to end by itself when the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// File descriptors that are kept for everything else.
const RESERVED: u64 = 128;
/// Fields that a request's head may have.
const MOST_FIELDS: usize = 100;
/// Trouble with connections is logged at most so often.
const LOG_EVERY: Duration = Duration::from_secs(10);

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
struct Line {
    address: IpAddr,
    /// Requests under way, until their answers are written.
    busy: AtomicUsize,
    /// Whether it had one since the last sweep, which saves each request a look at the clock.
    was_busy: AtomicBool,
    /// When a sweep last found that it had had one, in milliseconds since the start.
    silent_since: AtomicU64,
    close: Notify,
}

/// The open connections.
#[derive(Clone, Debug)]
struct Board {
    places: Places,
    started: Instant,
    lines: Arc<Mutex<HashMap<u64, Arc<Line>>>>,
}

impl Board {
    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A place for a new connection, if need be that of the longest silent one.
    fn take(&self, number: u64, address: IpAddr) -> Option<Arc<Line>> {
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

    fn leave(&self, number: u64) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.remove(&number);
    }

    /// Closes what has been silent for too long.
    fn sweep(&self) {
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

/// Answers on `listener` with the service that `service_of` makes for each peer, until `stopping` is
/// set and the requests that are under way then have been answered.
pub async fn serve<S>(
    listener: TcpListener,
    places: Places,
    service_of: impl Fn(SocketAddr) -> S,
    mut stopping: watch::Receiver<Option<String>>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let board = Board {
        places,
        started: Instant::now(),
        lines: Arc::default(),
    };
    let mut tasks = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP);
    let mut trouble = Trouble::default();
    let stopped = stopping.clone();
    for number in 0_u64.. {
        let (stream, peer) = loop {
            tokio::select! {
                () = is_set(&mut stopping) => {
                    drop(listener);
                    while tasks.join_next().await.is_some() {}
                    return;
                }
                Some(_) = tasks.join_next() => {}
                _ = sweep.tick() => board.sweep(),
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => break accepted,
                    Err(error) => {
                        if trouble.is_news() {
                            tracing::error!(%error, "connections can't be accepted");
                        }
                        // What is missing, such as descriptors, isn't there a microsecond later.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                },
            }
        };
        // Answers are written whole: nothing is to be gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let Some(line) = board.take(number, peer.ip()) else {
            if trouble.is_news() {
                tracing::warn!(
                    peer = %peer.ip(),
                    most = places.total,
                    most_of_address = places.per_address,
                    "no place for another connection: each has a request under way"
                );
            }
            continue;
        };
        let (board, service, stopped) = (board.clone(), service_of(peer), stopped.clone());
        tasks.spawn(async move {
            talk(stream, line, service, stopped).await;
            board.leave(number);
        });
    }
}

async fn is_set(stopping: &mut watch::Receiver<Option<String>>) {
    // Without a sender nothing is left to answer for, either.
    let _ = stopping.wait_for(Option::is_some).await;
}

/// Logs what may happen thousands of times a second now and then only.
#[derive(Default)]
struct Trouble(Option<Instant>);

impl Trouble {
    fn is_news(&mut self) -> bool {
        let is_news = self.0.is_none_or(|last| last.elapsed() >= LOG_EVERY);
        if is_news {
            self.0 = Some(Instant::now());
        }
        is_news
    }
}

/// Answers the requests of one connection until it ends.
async fn talk<S>(
    stream: TcpStream,
    line: Arc<Line>,
    service: S,
    mut stopped: watch::Receiver<Option<String>>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let counted = Counted {
        service,
        line: Arc::clone(&line),
    };
    let talk = http1::Builder::new()
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), counted);
    let mut talk = std::pin::pin!(talk);
    // How it ends is the peer's business.
    tokio::select! {
        _ = talk.as_mut() => return,
        () = line.close.notified() => return,
        () = is_set(&mut stopped) => talk.as_mut().graceful_shutdown(),
    }
    // What has asked for nothing by now has nothing to wait for.
    loop {
        tokio::select! {
            _ = talk.as_mut() => return,
            () = tokio::time::sleep(FAREWELL) => {
                if line.busy.load(Ordering::Relaxed) == 0 {
                    return;
                }
            }
        }
    }
}

/// Counts the requests under way.
struct Counted<S> {
    service: S,
    line: Arc<Line>,
}

impl<S> hyper::service::Service<Request<Incoming>> for Counted<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = Busy::new(&self.line);
        // Our services are always ready.
        let answer = self.service.clone().call(request.map(Body::new));
        Box::pin(async move {
            let response = answer.await?;
            // What is there in full is as good as written; a stream is under way until it ends.
            if response.body().size_hint().exact().is_some() {
                return Ok(response);
            }
            Ok(response.map(|body| Body::new(Held { body, _busy: busy })))
        })
    }
}

/// A request that is under way.
struct Busy(Arc<Line>);

impl Busy {
    fn new(line: &Arc<Line>) -> Self {
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
struct Held {
    body: Body,
    _busy: Busy,
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
        Board {
            places: Places { total, per_address },
            started: Instant::now(),
            lines: Arc::default(),
        }
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
            let line = board.take(number, address(1)).unwrap();
            line.silent_since.store(10 - number, Ordering::Relaxed);
        }
        let _busy = Busy::new(&board.lines.lock().unwrap()[&2]);
        board.take(3, address(2)).unwrap();
        assert_eq!(numbers(&board), [0, 2, 3], "2 has a request under way");
        let rest = [0, 3].map(|it| Busy::new(&board.lines.lock().unwrap()[&it]));
        assert!(board.take(4, address(2)).is_none());
        drop(rest);
        assert!(board.take(4, address(2)).is_some());
    }

    #[test]
    fn an_address_that_has_its_share_pushes_out_its_own() {
        let board = board(10, 2);
        board.take(0, address(1)).unwrap();
        for number in 1..6 {
            board.take(number, address(2)).unwrap();
        }
        let numbers = numbers(&board);
        assert_eq!(numbers.len(), 3, "{numbers:?}");
        assert!(numbers.contains(&0) && numbers.contains(&5), "{numbers:?}");
    }
}
