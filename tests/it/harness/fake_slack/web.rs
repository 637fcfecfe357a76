//! The Web API over HTTP: forms and JSON, tokens and scopes, faults, response URLs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State as Shares};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{any, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::faults::Fault;
use super::listener::{Accepting, Peer};
use super::methods;
use super::workspace::{Call, Response, State};
use super::{Shared, socket};

/// What a call is refused with, as `error` and what stands beside it.
pub(super) type Refusal = Value;

pub(super) fn refuse(error: &str) -> Refusal {
    json!({"ok": false, "error": error})
}

pub(super) async fn serve(listener: TcpListener, shared: Shared) {
    let listener = Accepting(listener, shared.connections.clone());
    let router = Router::new()
        .route("/api/{method}", any(call))
        .route("/response/{name}", post(respond))
        .with_state(shared)
        .into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, router).await.unwrap();
}

async fn call(
    Shares(shared): Shares<Shared>,
    Path(method): Path<String>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let arguments = arguments(&method, &parts.headers, query, &body);
    let token = token(&parts.headers, &arguments);
    let (fault, index) = {
        let mut state = shared.state();
        state.calls.push(Call {
            method: method.clone(),
            token: token.clone(),
            arguments: arguments.clone(),
            at: Instant::now(),
            answer: None,
        });
        (state.faults.next(&method), state.calls.len() - 1)
    };
    let answer = match &fault {
        Some(fault) if !fault.is_done() => None,
        _ => {
            let mut state = shared.state();
            let result = execute(&mut state, &method, &token, &arguments);
            let mut answer = result.unwrap_or_else(|refusal| refusal);
            if method == "apps.connections.open" && answer["ok"] == true {
                answer["url"] = socket::ticket(&mut state, shared.sockets).into();
            }
            state.calls[index].answer = Some(answer.clone());
            Some(answer)
        }
    };
    let scopes = scopes(&shared.state(), &token);
    let mut response = strike(&shared, peer, fault, answer.unwrap_or_default()).await;
    let headers = response.headers_mut();
    headers.insert("x-oauth-scopes", scopes.join(",").parse().unwrap());
    headers.insert("x-slack-req-id", format!("{index}").parse().unwrap());
    response
}

/// Answers as the fault wants it.
async fn strike(
    shared: &Shared,
    Peer(peer): Peer,
    fault: Option<Fault>,
    answer: Value,
) -> HttpResponse {
    let json = |body: String| {
        let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        (kind, body).into_response()
    };
    match fault {
        None => json(answer.to_string()),
        Some(Fault::RateLimited(seconds)) => {
            let body = refuse("ratelimited").to_string();
            let retry = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, retry, json(body)).into_response()
        }
        Some(Fault::Error(error)) => json(refuse(&error).to_string()),
        Some(Fault::Answer(body)) => json(body.to_string()),
        Some(Fault::Html(status)) => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            let page = "<!DOCTYPE html><html><title>Server Error | Slack</title></html>";
            (StatusCode::from_u16(status).unwrap(), kind, page).into_response()
        }
        Some(Fault::Truncated) => {
            let body = answer.to_string();
            json(body.chars().take(body.chars().count() / 2).collect())
        }
        Some(Fault::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            json(answer.to_string())
        }
        Some(Fault::Hang) => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        Some(Fault::BreakBefore | Fault::BreakAfter) => {
            shared.connections.break_one(peer);
            // Nobody is there to read it.
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

/// The arguments, wherever they stand. Methods that take no JSON don't see it.
fn arguments(
    method: &str,
    headers: &HeaderMap,
    query: &str,
    body: &Bytes,
) -> BTreeMap<String, Value> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = |text: &[u8]| -> Vec<(String, Value)> {
        let pairs = form_urlencoded::parse(text).into_owned();
        pairs.map(|(name, value)| (name, value.into())).collect()
    };
    let mut arguments: BTreeMap<_, _> = form(query.as_bytes()).into_iter().collect();
    if kind.starts_with("application/x-www-form-urlencoded") {
        arguments.extend(form(body));
    } else if kind.starts_with("application/json") && methods::takes_json(method) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        arguments.extend(body.as_object().cloned().unwrap_or_default());
    }
    arguments
}

fn token(headers: &HeaderMap, arguments: &BTreeMap<String, Value>) -> String {
    let header = headers.get(header::AUTHORIZATION);
    let bearer = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let argument = || arguments.get("token")?.as_str();
    bearer.or_else(argument).unwrap_or_default().to_owned()
}

fn scopes(state: &State, token: &str) -> Vec<String> {
    let scopes = state.tokens.get(token);
    scopes.into_iter().flatten().cloned().collect()
}

/// Checks token and scope, and does it.
fn execute(
    state: &mut State,
    method: &str,
    token: &str,
    arguments: &BTreeMap<String, Value>,
) -> Result<Value, Refusal> {
    if !methods::exists(method) {
        return Err(refuse("unknown_method"));
    }
    if token.is_empty() {
        return Err(refuse("not_authed"));
    }
    if state.revoked.contains(token) {
        return Err(refuse("token_revoked"));
    }
    let Some(provided) = state.tokens.get(token) else {
        return Err(refuse("invalid_auth"));
    };
    let is_for_apps = method == "apps.connections.open";
    if is_for_apps != token.starts_with("xapp-") && method != "auth.test" {
        return Err(refuse("not_allowed_token_type"));
    }
    if let Some(needed) = methods::scope(state, method, arguments)
        && !provided.contains(needed)
    {
        return Err(
            json!({"ok": false, "error": "missing_scope", "needed": needed,
                          "provided": listed(provided)}),
        );
    }
    let mut answer = methods::execute(state, method, token, arguments)?;
    answer["ok"] = true.into();
    Ok(answer)
}

fn listed(scopes: &BTreeSet<String>) -> String {
    scopes
        .iter()
        .map(|scope| &**scope)
        .collect::<Vec<_>>()
        .join(",")
}

/// A response URL: five times, and without a token.
async fn respond(
    Shares(shared): Shares<Shared>,
    Path(name): Path<String>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    body: Bytes,
) -> HttpResponse {
    let fault = shared.state().faults.next("response_url");
    if fault.as_ref().is_none_or(Fault::is_done) {
        let mut state = shared.state();
        let Some(left) = state.response_urls.get_mut(&name) else {
            return (StatusCode::NOT_FOUND, "expired_url").into_response();
        };
        if *left == 0 {
            return (StatusCode::NOT_FOUND, "used_url").into_response();
        }
        *left -= 1;
        let Ok(body) = serde_json::from_slice(&body) else {
            return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
        };
        state.responses.push(Response { name, body });
    }
    match fault {
        None => "ok".into_response(),
        fault => strike(&shared, peer, fault, json!({"ok": true})).await,
    }
}
