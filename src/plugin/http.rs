//! `http-send`: requests of sinks, to their hosts only.
//!
//! A name is resolved once, by a resolver that lets public addresses pass only, and what it
//! answers is what is connected to: no later answer of the DNS can lead elsewhere.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use tokio::runtime::Handle;

use super::host::bindings::sink::oncalld::plugin::http::{Header, HttpError, Request, Response};
use super::hosts::{Granted, Reach, is_public};
use super::limits::MIB;

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
    public: OnceLock<Result<Client, String>>,
    any: OnceLock<Result<Client, String>>,
}

impl Clients {
    fn get(&self, reach: Reach) -> Result<&Client, String> {
        let (slot, build): (_, fn() -> reqwest::ClientBuilder) = match reach {
            Reach::Public => (&self.public, || {
                builder().dns_resolver(Arc::new(PublicOnly))
            }),
            Reach::Any => (&self.any, builder),
        };
        let client = slot.get_or_init(|| build().build().map_err(|error| root(&error)));
        client.as_ref().map_err(Clone::clone)
    }
}

fn builder() -> reqwest::ClientBuilder {
    // An error means that there is a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("oncalld/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(REQUEST_TIME / 2)
        .timeout(REQUEST_TIME)
}

/// Resolves names, and refuses those with an address that isn't public.
struct PublicOnly;

/// A name leads to an address that isn't public.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` leads to {address}, which is private; plugins.private_hosts can allow it")]
struct PrivateAddress {
    name: String,
    address: IpAddr,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            for address in found.iter().map(SocketAddr::ip) {
                check_address(name.as_str(), address)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn check_address(name: &str, address: IpAddr) -> Result<(), PrivateAddress> {
    if is_public(address) {
        return Ok(());
    }
    let name = name.to_owned();
    Err(PrivateAddress { name, address })
}

/// The requests of one call.
pub struct Requests {
    clients: Arc<Clients>,
    granted: Granted,
    runtime: Handle,
    left: u32,
    until: Instant,
}

impl Requests {
    /// None sent yet. They run on `runtime`, for which the plugin's thread waits.
    pub fn new(clients: Arc<Clients>, granted: Granted, runtime: Handle) -> Self {
        Self {
            clients,
            granted,
            runtime,
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
        let (client, request) = self.checked(request)?;
        let time = self
            .until
            .saturating_duration_since(Instant::now())
            .min(REQUEST_TIME);
        let too_late = || HttpError::Timeout(format!("no answer within {} ms", time.as_millis()));
        self.runtime.block_on(async {
            let answer = tokio::time::timeout(time, exchange(client, request)).await;
            answer.unwrap_or_else(|_| Err(too_late()))
        })
    }

    /// The request and who may send it, if it breaks no rule.
    fn checked(&self, request: Request) -> Result<(&Client, reqwest::Request), HttpError> {
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
        let mut outgoing = reqwest::Request::new(method, url);
        *outgoing.headers_mut() = headers;
        if !request.body.is_empty() {
            *outgoing.body_mut() = Some(request.body.into());
        }
        Ok((client, outgoing))
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
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let is_this_machine =
            host == "localhost" || address.is_some_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine => {}
            other => {
                let message = format!("`{other}://{host}` has to be https, but for this machine");
                return Err(forbidden(message));
            }
        }
        if let (Reach::Public, Some(address)) = (reach, address) {
            check_address(host, address).map_err(|error| forbidden(error.to_string()))?;
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

async fn exchange(client: &Client, request: reqwest::Request) -> Result<Response, HttpError> {
    let mut answer = client
        .execute(request)
        .await
        .map_err(|error| failure(&error))?;
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
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(private) = cause.downcast_ref::<PrivateAddress>() {
            return HttpError::Forbidden(private.to_string());
        }
        source = cause.source();
    }
    let message = root(error);
    if error.is_timeout() {
        return HttpError::Timeout(message);
    }
    HttpError::Unreachable(message)
}

fn forbidden(message: String) -> HttpError {
    HttpError::Forbidden(message)
}

/// The innermost cause, which says what happened.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
