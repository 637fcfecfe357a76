//! Lookups whose answers lie ready in memory go before everything else: they are what
//! programs ask thousands of times a second. Whatever is not one of them, or would be
//! refused, goes the common way. They bear no request id, and are timed by nobody: reading the
//! clock twice would be a good part of what they cost.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use futures_util::future::Either;
use tower::Service;

use super::reply;
use crate::actions::admin::tokens::{self, Admission};
use crate::actions::oncall::lookup::{self, Answer, Question};
use crate::http::Api;
use crate::http::connections::Peer;
use crate::http::{credentials, guard, headers};

/// The path of lookups.
pub const PATH: &str = "/api/v1/oncall";

/// Answers lookups from memory, and hands everything else to the router.
///
/// hyper copies the service for each request. What is copied belongs to one connection, so that
/// cores which serve different ones don't pass the same counts back and forth.
#[derive(Clone)]
pub struct Lookups(Arc<Connection>);

struct Connection {
    api: Api,
    router: Router,
    /// Who is at the other end; nobody yet for what connections are made from.
    peer: Option<Peer>,
    /// What the connection showed last: programs show the same each time.
    admitted: Mutex<Option<Admitted>>,
}

/// A token and a host that may look up.
struct Admitted {
    authorization: Option<HeaderValue>,
    host: HeaderValue,
    /// None where reading takes no token.
    admission: Option<Admission>,
}

impl Lookups {
    /// In front of `router`.
    pub fn new(api: Api, router: Router) -> Self {
        Self::of(api, router, None)
    }

    /// The service of one connection, which knows its peer.
    #[must_use]
    pub fn of_peer(&self, peer: Peer) -> Self {
        Self::of(self.0.api.clone(), self.0.router.clone(), Some(peer))
    }

    fn of(api: Api, router: Router, peer: Option<Peer>) -> Self {
        let admitted = Mutex::default();
        Self(Arc::new(Connection {
            api,
            router,
            peer,
            admitted,
        }))
    }
}

impl Connection {
    fn ready(&self, request: &Request) -> Option<Arc<Answer>> {
        if request.method() != Method::GET || request.uri().path() != PATH {
            return None;
        }
        let question = Question::read(request.uri().query()?)?;
        let app = self.api.app();
        let now = app.now();
        let may_read = self.is_admitted(request.headers(), now) || self.admit(request, now);
        may_read.then(|| lookup::ready(app, &question, now))?
    }

    /// Whether the request shows what the last one showed, and that still holds. The compared
    /// secret is the connection's own, so nothing is to be learnt from how long it takes.
    fn is_admitted(&self, headers: &HeaderMap, now: DateTime<Utc>) -> bool {
        let admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        admitted.as_ref().is_some_and(|last| {
            let holds = |admission: Admission| admission.holds(self.api.app(), now);
            headers.get(header::AUTHORIZATION) == last.authorization.as_ref()
                && headers.get(header::HOST) == Some(&last.host)
                && last.admission.is_none_or(holds)
        })
    }

    /// Whether host and token are known, which is kept for the connection's next request.
    fn admit(&self, request: &Request, now: DateTime<Utc>) -> bool {
        let headers = request.headers();
        let authorization = headers.get(header::AUTHORIZATION);
        let admission = match authorization {
            Some(_) => {
                credentials::bearer(headers).map(|token| tokens::admit(self.api.app(), token, now))
            }
            None => self.api.access().anonymous_read.then_some(None),
        };
        let knows_token = admission.is_some_and(|a| a.is_some() || authorization.is_none());
        let knows_host = guard::check_host(&self.api, headers, request.uri()).is_ok();
        if let Some(host) = headers
            .get(header::HOST)
            .filter(|_| knows_token && knows_host)
        {
            *self.admitted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Admitted {
                authorization: authorization.cloned(),
                host: host.clone(),
                admission: admission.flatten(),
            });
        }
        knows_token && knows_host
    }
}

impl Service<Request> for Lookups {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, <Router as Service<Request>>::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The router takes whatever comes, whenever it comes.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let connection = &*self.0;
        let Some(answer) = connection.ready(&request) else {
            if let Some(peer) = &connection.peer {
                let proxies = &connection.api.access().proxies;
                let client = proxies.client(peer, request.headers());
                request.extensions_mut().insert(client);
            }
            return Either::Right(connection.router.clone().call(request));
        };
        connection.api.metrics().count_lookup();
        tracing::debug!(uri = %request.uri(), "lookup from memory");
        let known = request.headers().get(header::IF_NONE_MATCH);
        let response = headers::unless_known(known, reply::ready(&answer));
        Either::Left(ready(Ok(response)))
    }
}
