//! Connections: how many there are, how long one may take to say what it wants, and how they end.
//!
//! Whoever comes when all places are taken gets that of the connection that has been silent longest,
//! so that connections which ask for nothing keep nobody out. Only where each has a request under way,
//! the new one is turned away.

mod board;
mod doors;
mod tls;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tower::Service;

pub use self::board::Places;
use self::board::{Board, Busy, Held, Line};
use self::doors::Stream;
pub use self::doors::{Doors, Peer, Socket};
pub use self::tls::{Tls, TlsError};

/// How often silent connections are looked for.
const SWEEP: Duration = Duration::from_secs(2);
/// What a connection without a request gets to end by itself when the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// Fields that a request's head may have.
const MOST_FIELDS: usize = 100;
/// Trouble with connections is logged at most so often.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Answers whoever comes in by `doors` with the service that `service_of` makes for each peer, until `stopping` is
/// set and the requests that are under way then have been answered.
pub async fn serve<S>(
    doors: Doors,
    places: Places,
    service_of: impl Fn(Peer) -> S,
    mut stopping: watch::Receiver<Option<String>>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let board = Board::new(places);
    let mut tasks = JoinSet::new();
    let mut sweep = tokio::time::interval(SWEEP);
    let mut trouble = Trouble::default();
    let stopped = stopping.clone();
    for number in 0_u64.. {
        let (stream, peer) = loop {
            tokio::select! {
                () = is_set(&mut stopping) => {
                    drop(doors);
                    while tasks.join_next().await.is_some() {}
                    return;
                }
                Some(_) = tasks.join_next() => {}
                _ = sweep.tick() => {
                    board.sweep();
                    if let Some(tls) = doors.tls.clone() {
                        // Files, which may lie on a slow disk.
                        tokio::task::spawn_blocking(move || follow(&tls));
                    }
                }
                accepted = doors.accept() => match accepted {
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
        let Some(line) = board.take(number, peer.ip()) else {
            if trouble.is_news() {
                tracing::warn!(
                    %peer,
                    most = places.total,
                    most_of_address = places.per_address,
                    "no place for another connection: each has a request under way"
                );
            }
            continue;
        };
        let (board, service, stopped) = (board.clone(), service_of(peer), stopped.clone());
        tasks.spawn(async move {
            match stream {
                Stream::Network(stream, None) => talk(stream, line, service, stopped).await,
                Stream::Network(stream, Some(tls)) => {
                    if let Some(stream) = greet(&tls, stream, &line, stopped.clone()).await {
                        talk(stream, line, service, stopped).await;
                    }
                }
                Stream::Local(stream) => talk(stream, line, service, stopped).await,
            }
            board.leave(number);
        });
    }
}

/// Takes over a certificate that was renewed.
fn follow(tls: &Tls) {
    match tls.follow() {
        Ok(true) => tracing::info!("a new certificate is in service"),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%error, "the new certificate can't be used: the one before stays in service");
        }
    }
}

/// Agrees on keys with a client. Whoever speaks no TLS is gone: there is no way to tell them. Neither does
/// anybody else, or a stop, wait for whoever says nothing.
async fn greet(
    tls: &Tls,
    stream: TcpStream,
    line: &Line,
    mut stopped: watch::Receiver<Option<String>>,
) -> Option<TlsStream<TcpStream>> {
    tokio::select! {
        greeted = tls.greet(stream) => greeted.ok(),
        () = line.close.notified() => None,
        () = is_set(&mut stopped) => None,
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
async fn talk<S, IO>(
    stream: IO,
    line: Arc<Line>,
    service: S,
    mut stopped: watch::Receiver<Option<String>>,
) where
    IO: AsyncRead + AsyncWrite + Unpin,
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
                if !line.is_busy() {
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
