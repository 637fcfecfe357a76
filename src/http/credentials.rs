//! What a request shows of who acts: a token in its header, or a feed's in its address; a session's
//! cookie; the socket by which it came.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, StatusCode, Uri, header};

use super::connections::Peer;
use super::cookies;
use super::problem::Problem;
use super::scope;
use super::state::Api;
use crate::actions::admin::{sessions, tokens};
use crate::app::{Actor, Ctx, Source};
use crate::domain::token::Scope;

/// Who acts in the session of the request's cookie. A token in the header goes before it; a
/// session that has ended is none.
pub(super) fn session_of(api: &Api, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let Some(cookie) = cookies::find(headers, cookies::SESSION) else {
        return Ok(None);
    };
    Ok(sessions::recognise(api.app(), cookie)?)
}

/// Writes down, beside the request, that its session is in use.
pub(super) fn note_session_use(api: &Api, ctx: &Ctx, headers: &HeaderMap) {
    let cookie = cookies::find(headers, cookies::SESSION);
    if let (Source::Ui, Some(cookie)) = (ctx.source, cookie.map(ToOwned::to_owned)) {
        let api = api.clone();
        tokio::spawn(async move { api.run(move |app| sessions::note_use(app, &cookie)).await });
    }
}

/// Who shows the token of a request, or comes in by the socket; else nobody in particular.
///
/// # Errors
/// The token is unknown, or may not be shown here.
pub(super) fn recognise(
    api: &Api,
    request: &Request,
    peer: Option<&Peer>,
) -> Result<Actor, Problem> {
    let uri = request.uri();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let Some(shown) = presented(request.headers(), uri, route) else {
        return Ok(match peer {
            Some(Peer::Local(user)) => Actor::Local(Arc::clone(user)),
            _ => Actor::Anonymous,
        });
    };
    if let Some(known) = tokens::recognise(api.app(), &shown.secret)? {
        let token = known.token();
        if shown.in_address && token.scope != Scope::Feeds {
            let detail = "addresses end up in logs and histories: they take a token for feeds, and \
                          nothing else";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        scope::check(api, token, route, uri)?;
        note_token_use(api, &known);
        return Ok(Actor::from(token));
    }
    if let Some(address) = peer.and_then(Peer::ip)
        && !api.may_fail_again(address)
    {
        let detail = "too many unknown tokens from this address; wait a minute";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
        return Err(Problem {
            retry_after: Some(60),
            ..problem
        });
    }
    let detail = "the token is unknown, revoked or expired";
    Err(Problem::new(StatusCode::UNAUTHORIZED, detail))
}

/// Writes down, beside the request, that its token is in use.
fn note_token_use(api: &Api, known: &tokens::KnownToken) {
    let app = api.app();
    // A disk that takes no writes is reported by others.
    if app.disk_trouble().is_none() && known.claims_note(app.now()) {
        let (api, id) = (api.clone(), known.token().id);
        tokio::spawn(async move { api.run(move |app| tokens::note_use(app, id)).await });
    }
}

/// The token in the `Authorization` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a request shows of a token.
struct Shown {
    secret: String,
    /// Whether it is in the address rather than in a header.
    in_address: bool,
}

/// The token of a request: in the header; for calendar clients, which can't set one, in the
/// query of a feed.
fn presented(headers: &HeaderMap, uri: &Uri, route: &str) -> Option<Shown> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Some(Shown {
            // Another scheme than Bearer is a token that nobody knows.
            secret: bearer(headers).unwrap_or_default().to_owned(),
            in_address: false,
        });
    }
    if !scope::is_feed(route) {
        return None;
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query
        .into_iter()
        .find(|(name, _)| name == "token")
        .map(|(_, token)| Shown {
            secret: token.into_owned(),
            in_address: true,
        })
}
