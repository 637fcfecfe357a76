//! Lookups whose answers lie ready in memory go before everything else: they are what
//! programs ask thousands of times a second. Whatever is not one of them, or would be
//! refused, goes the common way. They bear no request id, and are timed by nobody: reading the
//! clock twice would be a good part of what they cost.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, header};
use axum::response::Response;
use axum::serve::IncomingStream;
use futures_util::future::Either;
use tokio::net::TcpListener;
use tower::Service;

use super::state::Api;
use super::{guard, reply};
use crate::actions::lookup::Answer;
use crate::actions::tokens;

/// The path of lookups.
pub const PATH: &str = "/api/v1/oncall";

/// Answers lookups from memory, and hands everything else to the router.
#[derive(Clone)]
pub struct Lookups {
    api: Api,
    router: Router,
    /// Who is at the other end of this connection.
    peer: Option<SocketAddr>,
}

impl Lookups {
    /// In front of `router`.
    pub fn new(api: Api, router: Router) -> Self {
        Self {
            api,
            router,
            peer: None,
        }
    }

    fn ready(&self, request: &Request) -> Option<std::sync::Arc<Answer>> {
        if request.method() != Method::GET || request.uri().path() != PATH {
            return None;
        }
        let question = request.uri().query()?;
        let headers = request.headers();
        let app = self.api.app();
        let now = app.now();
        let may_read = match guard::bearer(headers) {
            Some(secret) => tokens::is_remembered(app, secret, now),
            None => {
                self.api.access().anonymous_read && !headers.contains_key(header::AUTHORIZATION)
            }
        };
        let may_pass = may_read && guard::check_host(&self.api, headers, request.uri()).is_ok();
        may_pass.then(|| app.lookups().get(question, now))?
    }
}

impl Service<Request> for Lookups {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, <Router as Service<Request>>::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(answer) = self.ready(&request) else {
            let mut request = request;
            if let Some(peer) = self.peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            return Either::Right(self.router.call(request));
        };
        self.api.metrics().count_lookup();
        tracing::debug!(uri = %request.uri(), "lookup from memory");
        let known = request.headers().get(header::IF_NONE_MATCH);
        let response = guard::unless_known(known, reply::ready(&answer));
        Either::Left(ready(Ok(response)))
    }
}

/// A connection's own service, which knows its peer.
impl Service<IncomingStream<'_, TcpListener>> for Lookups {
    type Response = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, connection: IncomingStream<'_, TcpListener>) -> Self::Future {
        let peer = Some(*connection.remote_addr());
        ready(Ok(Self {
            peer,
            ..self.clone()
        }))
    }
}
