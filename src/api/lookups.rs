//! Lookups whose answers lie ready in memory go before everything else: they are what
//! programs ask thousands of times a second. Whatever is not one of them, or would be
//! refused, goes the common way.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, header};
use axum::response::Response;
use futures_util::future::Either;
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
}

impl Lookups {
    /// In front of `router`.
    pub fn new(api: Api, router: Router) -> Self {
        Self { api, router }
    }

    fn ready(&self, request: &Request) -> Option<std::sync::Arc<Answer>> {
        if request.method() != Method::GET || request.uri().path() != PATH {
            return None;
        }
        let question = request.uri().query()?;
        let headers = request.headers();
        let app = self.api.app();
        let may_read = match guard::bearer(headers) {
            Some(secret) => tokens::is_remembered(app, secret),
            None => {
                self.api.access().anonymous_read && !headers.contains_key(header::AUTHORIZATION)
            }
        };
        let may_pass = may_read && guard::check_host(&self.api, headers, request.uri()).is_ok();
        may_pass.then(|| app.lookups().get(question, app.now()))?
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
        let started = Instant::now();
        let Some(answer) = self.ready(&request) else {
            return Either::Right(self.router.call(request));
        };
        let known = request.headers().get(header::IF_NONE_MATCH);
        let mut response = guard::unless_known(known, reply::ready(&answer));
        let id = guard::next_request_id();
        let took = started.elapsed();
        self.api.metrics().count_lookup(took);
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0);
        guard::log(
            request.method(),
            request.uri(),
            peer,
            Some(&id),
            &mut response,
            took,
        );
        guard::set_request_id(&mut response, &id);
        Either::Left(ready(Ok(response)))
    }
}
