//! `http-send`: requests of sinks, to their hosts only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use tokio::runtime::Handle;

use super::host::bindings::sink::oncalld::plugin::http::{Header, HttpError, Request, Response};
use super::hosts::Granted;
use super::limits::MIB;
use crate::config::is_loopback_name;
use crate::outbound::{self, Client, Reach, Refused};

/// The longest that one request may take.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// The longest that all requests of a call may take together.
pub const CALL_TIME: Duration = Duration::from_secs(30);

/// Requests of one call.
const REQUESTS: u32 = 10;

/// Bytes of a body, either way.
const BODY: usize = MIB;

/// Headers of a request, and the bytes of all of them.
const HEADERS: (usize, usize) = (64, 16 * 1024);

/// Headers that belong to the connection.
const CONNECTION_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The HTTP clients of all plugins; made when first needed, since that reads the system's
/// certificates. They keep nothing of a plugin but idle connections.
#[derive(Debug, Default)]
pub struct Clients {
    internet: OnceLock<Result<Client, String>>,
    anywhere: OnceLock<Result<Client, String>>,
}

impl Clients {
    fn get(&self, reach: Reach) -> Result<&Client, String> {
        let slot = match reach {
            Reach::Internet | Reach::Public => &self.internet,
            Reach::Anywhere => &self.anywhere,
        };
        let client = slot.get_or_init(|| {
            Client::new(reach, REQUEST_TIME, true).map_err(|error| outbound::root(&error))
        });
        client.as_ref().map_err(Clone::clone)
    }
}

/// The requests of one call.
pub struct Requests {
    granted: Granted,
    clients: Arc<Clients>,
    way: Way,
    left: u32,
    until: Instant,
}

/// Who answers requests.
enum Way {
    /// Those whom they are for, on this runtime.
    Network(Handle),
    /// A script.
    Script(Arc<Mutex<Script>>),
}

/// Answers in place of the network's, and what was asked.
#[derive(Debug, Default)]
pub struct Script {
    /// In order.
    pub answers: VecDeque<Response>,
    /// What was to be sent.
    pub asked: Vec<Request>,
}

impl Requests {
    /// None sent yet. They run on `runtime`, for which the plugin's thread waits.
    pub fn new(clients: Arc<Clients>, granted: Granted, runtime: Handle) -> Self {
        Self {
            granted,
            clients,
            way: Way::Network(runtime),
            left: REQUESTS,
            until: Instant::now() + CALL_TIME,
        }
    }

    /// Nothing is sent: a script answers, by the same rules.
    pub fn scripted(granted: Granted, script: Arc<Mutex<Script>>) -> Self {
        Self {
            granted,
            clients: Arc::default(),
            way: Way::Script(script),
            left: REQUESTS,
            until: Instant::now() + CALL_TIME,
        }
    }

    /// Sends a request and waits for the answer.
    pub fn send(&mut self, request: Request) -> Result<Response, HttpError> {
        let Some(left) = self.left.checked_sub(1) else {
            let message = format!("more than {REQUESTS} requests in one call");
            return Err(HttpError::Forbidden(message));
        };
        self.left = left;
        let runtime = match &self.way {
            Way::Network(runtime) => runtime,
            Way::Script(script) => {
                let _checked = self.checked(request.clone())?;
                let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
                script.asked.push(request);
                let answer = script.answers.pop_front();
                let none = "nothing is sent, and the context has no response left";
                return answer.ok_or_else(|| HttpError::Unreachable(none.to_owned()));
            }
        };
        let request = self.checked(request)?;
        let time = self
            .until
            .saturating_duration_since(Instant::now())
            .min(REQUEST_TIME);
        let too_late = || HttpError::Timeout(format!("no answer within {} ms", time.as_millis()));
        runtime.block_on(async {
            let answer = tokio::time::timeout(time, exchange(request)).await;
            answer.unwrap_or_else(|_| Err(too_late()))
        })
    }

    /// The request, ready to send, if it breaks no rule.
    fn checked(&self, request: Request) -> Result<RequestBuilder, HttpError> {
        let url = Url::parse(&request.url)
            .map_err(|error| forbidden(format!("`{}`: {error}", request.url)))?;
        let reach = self.reach(&url)?;
        let method = match request.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => {
                let message = format!("`{other}` is not GET, POST, PUT, PATCH or DELETE");
                return Err(forbidden(message));
            }
        };
        if request.body.len() > BODY {
            return Err(forbidden("the body is over 1 MiB".to_owned()));
        }
        let headers = headers(&request.headers)?;
        let client = self.clients.get(reach).map_err(HttpError::Unreachable)?;
        let outgoing = client
            .request(method, url)
            .map_err(|error| private(&error))?;
        let outgoing = outgoing.headers(headers);
        Ok(if request.body.is_empty() {
            outgoing
        } else {
            outgoing.body(request.body)
        })
    }

    fn reach(&self, url: &Url) -> Result<Reach, HttpError> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(forbidden(format!("`{url}` is neither https nor http")));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(forbidden(
                "the address holds a user name or password".to_owned(),
            ));
        }
        let reach = self.granted.reach(host, port).ok_or_else(|| {
            forbidden(format!(
                "`{host}:{port}` is not among the plugin's hosts: both its manifest and \
                 plugins.allowed_hosts have to name it"
            ))
        })?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback_name(host) => {}
            other => {
                let message = format!("`{other}://{host}` has to be https, but for this machine");
                return Err(forbidden(message));
            }
        }
        Ok(reach)
    }
}

fn headers(given: &[Header]) -> Result<HeaderMap, HttpError> {
    let (most, most_bytes) = HEADERS;
    let bytes: usize = given
        .iter()
        .map(|header| header.name.len() + header.value.len())
        .sum();
    if given.len() > most || bytes > most_bytes {
        return Err(forbidden(
            "more than 64 headers, or 16 KiB of them".to_owned(),
        ));
    }
    let mut headers = HeaderMap::new();
    for Header { name, value } in given {
        let wrong = |problem: &str| forbidden(format!("header `{name}` {problem}"));
        let parsed: HeaderName = name
            .parse()
            .map_err(|_| wrong("has a name that no header has"))?;
        if CONNECTION_HEADERS.contains(&parsed.as_str()) {
            return Err(wrong("belongs to the connection"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| wrong("has a value that no header has"))?;
        headers.append(parsed, value);
    }
    Ok(headers)
}

async fn exchange(request: RequestBuilder) -> Result<Response, HttpError> {
    let mut answer = request.send().await.map_err(|error| failure(&error))?;
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let (name, value) = (name.as_str().to_owned(), value.to_str().ok()?.to_owned());
        Some(Header { name, value })
    };
    let headers = answer.headers().iter().filter_map(text).collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > BODY {
            return Err(HttpError::TooLarge("the answer is over 1 MiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    let status = answer.status().as_u16();
    Ok(Response {
        status,
        headers,
        body,
    })
}

fn failure(error: &reqwest::Error) -> HttpError {
    if let Some(refused) = outbound::refusal(error) {
        return private(refused);
    }
    let message = outbound::root(error);
    if error.is_timeout() {
        return HttpError::Timeout(message);
    }
    HttpError::Unreachable(message)
}

fn private(refused: &Refused) -> HttpError {
    forbidden(format!(
        "{refused}, unless plugins.private_hosts names the host"
    ))
}

fn forbidden(message: String) -> HttpError {
    HttpError::Forbidden(message)
}
