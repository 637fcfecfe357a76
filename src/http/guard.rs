//! What every request passes: host, origin, token, request id; then log and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::access::{Needs, needs};
use super::body::read_body;
use super::connections::Peer;
use super::credentials::{note_session_use, recognise, session_of};
use super::headers::{harden, unless_known};
use super::problem::{Explained, InnerError, Problem};
use super::state::Api;
use crate::app::{Actor, Ctx, IdempotencyKey, Source};
use crate::domain::token::Role;
use crate::metrics;

/// What the log shows of a path, in bytes.
const MOST_LOGGED: usize = 300;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CLIENT: HeaderName = HeaderName::from_static("x-oncalld-client");

/// The one middleware.
pub async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let peer = request.extensions().get::<Peer>().cloned();
    let known_tag = request.headers().get(header::IF_NONE_MATCH).cloned();
    let admitted = admit(&api, &request, peer.as_ref());
    let admitted = admitted.and_then(|ctx| {
        let left = api.count(&ctx.actor, peer.as_ref())?;
        Ok((ctx, left))
    });
    let (mut response, id) = match admitted {
        Err(problem) => (problem.into_response(), None),
        Ok((ctx, left)) => {
            let id = ctx.request_id.clone();
            note_session_use(&api, &ctx, request.headers());
            let mut response = pass(&api, request, ctx, next).await;
            if let Some(left) = left {
                left.tell(response.headers_mut());
            }
            (response, id)
        }
    };
    if let Some(id) = &id {
        set_request_id(&mut response, id);
    }
    harden(response.headers_mut(), uri.path());
    if method == Method::GET || method == Method::HEAD {
        response = unless_known(known_tag.as_ref(), response);
    }
    let matched = response.extensions_mut().remove::<MatchedPath>();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let took = started.elapsed();
    api.metrics()
        .count_request(&method, route, response.status(), took);
    log(
        &method,
        &uri,
        peer.as_ref(),
        id.as_deref(),
        &mut response,
        took,
    );
    response
}

impl FromRequestParts<Api> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let ctx = parts.extensions.get::<Self>().cloned();
        ctx.ok_or_else(|| Problem::internal("the guard did not say who acts"))
    }
}

/// Tells the client the request's id.
fn set_request_id(response: &mut Response, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
}

/// Hands the request on, and keeps which route took it.
async fn pass(api: &Api, request: Request, ctx: Ctx, next: Next) -> Response {
    let request = match with_idempotency(api, request, ctx.clone()).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = as_problem(next.run(request).await);
    if response.extensions().get::<Problem>().is_some() {
        // A page about it shows who has signed in.
        response.extensions_mut().insert(ctx);
    }
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// What is refused by a part that isn't ours, such as the docs' pages, is a problem too.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind == "application/problem+json")
        || response.extensions().get::<Explained>().is_some();
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let detail = status.canonical_reason().unwrap_or("refused");
    Problem::new(status, detail.to_lowercase()).into_response()
}

fn admit(api: &Api, request: &Request, peer: Option<&Peer>) -> Result<Ctx, Problem> {
    let (headers, uri) = (request.headers(), request.uri());
    if !metrics::is_known(request.method()) {
        let detail = "there is no such method here";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail));
    }
    // No browser gets at the socket.
    if !matches!(peer, Some(Peer::Local(_))) {
        check_host(api, headers, uri)?;
    }
    let session = session_of(api, headers)?;
    let is_read = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !is_read {
        check_origin(headers, session.is_some())?;
    }
    let is_cli = headers.get(CLIENT).is_some_and(|client| client == "cli");
    let source = match session {
        Some(_) => Source::Ui,
        None if is_cli => Source::Cli,
        None => Source::Api,
    };
    let route = request.extensions().get::<MatchedPath>();
    let needed = route.map_or(Needs::Reading, |route| {
        needs(request.method(), route.as_str())
    });
    let actor = match session {
        Some(actor) => actor,
        // A probe with an old token still learns whether we are well.
        None if needed == Needs::Nothing => Actor::Anonymous,
        None => recognise(api, request, peer)?,
    };
    let ctx = Ctx {
        actor,
        source,
        request_id: Some(next_request_id()),
        peer: peer.map(ToString::to_string),
        idempotency: None,
    };
    match needed {
        Needs::Nothing => {}
        Needs::Reading if api.access().anonymous_read => {}
        Needs::Reading => ctx.require(Role::Viewer)?,
        Needs::Role(role) => ctx.require(role)?,
    }
    Ok(ctx)
}

/// A page of another origin that got a browser to resolve its name to us sends its own name.
pub fn check_host(api: &Api, headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let host = host.unwrap_or_default();
    if api.access().hosts.accepts(host) {
        return Ok(());
    }
    let detail = format!("Host `{host}` is not expected; see server.allowed_hosts in the config");
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// Refuses writes that a browser sends on behalf of another site. In a session, which the browser
/// shows by itself, it has to say that they come from here; a program with a token need not.
fn check_origin(headers: &HeaderMap, is_session: bool) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match (text(&SEC_FETCH_SITE), text(&header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map_or(origin, |(_, host)| host);
            text(&header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host))
        }
        (None, None) => !is_session,
    };
    if is_own {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site requests can't write",
    ))
}

/// Rises with every request; begins at a random number, so that restarts don't repeat ids.
fn next_request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if NEXT.load(Ordering::Relaxed) == 0 {
        let mut seed = [0; 8];
        let _ = getrandom::fill(&mut seed);
        let seed = u64::from_le_bytes(seed) | 1;
        let _ = NEXT.compare_exchange(0, seed, Ordering::Relaxed, Ordering::Relaxed);
    }
    format!("{:016x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Adds the context; for a POST with an idempotency key, with what identifies the request.
async fn with_idempotency(api: &Api, request: Request, ctx: Ctx) -> Result<Request, Problem> {
    let key = request
        .headers()
        .get(IDEMPOTENCY_KEY)
        .filter(|_| request.method() == Method::POST);
    let Some(key) = key.cloned() else {
        let mut request = request;
        request.extensions_mut().insert(ctx);
        return Ok(request);
    };
    if key.is_empty() || key.len() > 255 {
        let message = "is not 1 to 255 characters";
        return Err(crate::domain::invalid::Invalid::one("Idempotency-Key", message).into());
    }
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let bytes = read_body(whole, api).await?;
    let who = match &ctx.actor {
        Actor::Token { id, .. } => id.to_string(),
        Actor::Local(user) => format!("local:{user}"),
        Actor::Anonymous | Actor::Person { .. } | Actor::System => String::new(),
    };
    let digest = |pieces: &[&[u8]]| -> [u8; 32] {
        let mut hasher = Sha256::new();
        for piece in pieces {
            hasher.update((piece.len() as u64).to_le_bytes());
            hasher.update(piece);
        }
        hasher.finalize().into()
    };
    let idempotency = Some(IdempotencyKey {
        key: digest(&[who.as_bytes(), key.as_bytes()]),
        fingerprint: digest(&[parts.uri.path().as_bytes(), &bytes]),
    });
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(Ctx { idempotency, ..ctx });
    Ok(request)
}

/// The beginning of a text, as much as is shown of it.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// Reads that went well are logged at `debug`, since there are thousands a second; writes at
/// `info`, failures of ours at `error`, once, with what the client was not told.
fn log(
    method: &Method,
    uri: &Uri,
    peer: Option<&Peer>,
    id: Option<&str>,
    response: &mut Response,
    took: std::time::Duration,
) {
    let status = response.status();
    let inner = response.extensions_mut().remove::<InnerError>();
    // What a client makes up is not to fill the log.
    let path = cut(uri.path(), MOST_LOGGED);
    let method_text = cut(method.as_str(), 16);
    let peer = peer.map(tracing::field::display);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // 503 and 507 are what overload and full disks are answered with, and no failure of the request.
    if status == StatusCode::INTERNAL_SERVER_ERROR || inner.is_some() {
        let cause = inner.as_ref().map(|inner| inner.0.as_str());
        tracing::error!(
            method = method_text,
            path,
            status = status.as_u16(),
            id,
            peer,
            micros,
            cause,
            "request failed"
        );
    } else if method == Method::GET || method == Method::HEAD {
        tracing::debug!(
            method = method_text,
            path,
            status = status.as_u16(),
            id,
            peer,
            micros,
            "request"
        );
    } else {
        tracing::info!(
            method = method_text,
            path,
            status = status.as_u16(),
            id,
            peer,
            micros,
            "request"
        );
    }
}
