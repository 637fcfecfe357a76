//! The HTTP client: paths, token, time limits, and answers as the wire types.

use std::io::Write;
use std::marker::PhantomData;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::Query;
use super::connection::{Connection, Token};
use super::error::CliError;
use super::missing;
use super::problem::Problem;
use crate::tls;

const CONNECT: Duration = Duration::from_secs(2);
const TOTAL: Duration = Duration::from_secs(30);
/// How long a backup of a large store may take.
const LONGEST: Duration = Duration::from_hours(1);

const USER_AGENT: &str = concat!("oncalld/", env!("CARGO_PKG_VERSION"));

/// How the audit log can tell the command line from other programs.
const CLIENT: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-oncalld-client"),
    HeaderValue::from_static("cli"),
);

/// Talks to one daemon.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    connection: Connection,
}

/// What the daemon answered: a `T`, once it is read.
#[derive(Debug)]
pub(super) struct Answer<T> {
    /// The JSON as it came; empty where there is none.
    pub(super) json: String,
    kind: PhantomData<T>,
}

impl<T: DeserializeOwned> Answer<T> {
    /// The answer as its type.
    ///
    /// # Errors
    /// It has another shape: the daemon is of another version, or none.
    pub(super) fn read(&self) -> Result<T, CliError> {
        serde_json::from_str(&self.json).map_err(|error| {
            CliError::failed(format!(
                "this version of oncalld can't read the daemon's answer ({error}); \
                 --json prints it as it is"
            ))
        })
    }
}

/// A request before it is sent: the path below `/api/v1`, one segment an item.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) path: &'a [&'a str],
    pub(super) query: Query,
}

impl Client {
    /// A client for that daemon.
    ///
    /// # Errors
    /// The token can't be sent, or the host's certificates can't be read.
    pub(super) fn new(connection: Connection) -> Result<Self, CliError> {
        tls::use_ring();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([CLIENT]))
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(Policy::none());
        if connection.is_local() {
            builder = builder.no_proxy();
        }
        if connection.url.scheme() == "http" {
            // Certificates aren't needed: a host without any will do, and a start is faster.
            builder = builder.tls_certs_only([]);
        }
        if let Token::Socket(path) = &connection.token {
            builder = builder.unix_socket(path.as_path());
        }
        let http = builder
            .build()
            .map_err(|error| CliError::failed(format!("can't set up HTTP: {}", root(&error))))?;
        Ok(Self { http, connection })
    }

    /// The daemon that it talks to.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads.
    pub(super) async fn get<T>(&self, path: &[&str], query: Query) -> Result<Answer<T>, CliError> {
        self.send(Method::GET, Request { path, query }, None).await
    }

    /// Makes or does something.
    pub(super) async fn post<T>(&self, path: &[&str], body: Value) -> Result<Answer<T>, CliError> {
        let query = Query::default();
        self.send(Method::POST, Request { path, query }, Some(body))
            .await
    }

    /// Sets something.
    pub(super) async fn put<T>(&self, path: &[&str], body: Value) -> Result<Answer<T>, CliError> {
        let query = Query::default();
        self.send(Method::PUT, Request { path, query }, Some(body))
            .await
    }

    /// Changes something.
    pub(super) async fn patch<T>(&self, path: &[&str], body: Value) -> Result<Answer<T>, CliError> {
        let query = Query::default();
        self.send(Method::PATCH, Request { path, query }, Some(body))
            .await
    }

    /// Deletes something; whatever is answered is of no interest.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<Answer<Value>, CliError> {
        let query = Query::default();
        self.send(Method::DELETE, Request { path, query }, None)
            .await
    }

    /// Does what may take minutes.
    pub(super) async fn slowly<T>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Value>,
    ) -> Result<Answer<T>, CliError> {
        let query = Query::default();
        let url = self.url(&Request { path, query })?;
        let request = self.http.request(method, url).timeout(TOTAL * 20);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = self.execute(request).await?;
        self.answer(response).await
    }

    /// Reads what is too long to be held, and writes it as it comes.
    ///
    /// # Errors
    /// It is refused, breaks off, or can't be written.
    pub(super) async fn download(&self, name: &str, out: &mut impl Write) -> Result<(), CliError> {
        let path = &[name];
        let query = Query::default();
        let url = self.url(&Request { path, query })?;
        let mut response = self.execute(self.http.get(url).timeout(LONGEST)).await?;
        if !response.status().is_success() {
            return self.answer::<Value>(response).await.map(drop);
        }
        let broken = |error: reqwest::Error| {
            let url = &self.connection.url;
            CliError::failed(format!("the answer of {url} broke off: {}", root(&error)))
        };
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            let written = out.write_all(&piece);
            written.map_err(|error| CliError::failed(format!("can't be written: {error}")))?;
        }
        let flushed = out.flush();
        flushed.map_err(|error| CliError::failed(format!("can't be written: {error}")))
    }

    /// Reads a path that is not below `/api/v1`, and hands back the answer whatever its status.
    ///
    /// # Errors
    /// The daemon can't be reached.
    pub(super) async fn get_plain(&self, name: &str) -> Result<(StatusCode, String), CliError> {
        let url = self.joined(&[name])?;
        let response = self.execute(self.http.get(url)).await?;
        let status = response.status();
        Ok((status, self.text(response).await?))
    }

    async fn send<T>(
        &self,
        method: Method,
        request: Request<'_>,
        body: Option<Value>,
    ) -> Result<Answer<T>, CliError> {
        let mut builder = self.http.request(method, self.url(&request)?);
        if let Some(body) = &body {
            builder = builder.json(body);
        }
        let response = self.execute(builder).await?;
        let status = response.status();
        let mut answer = self.answer(response).await;
        if let Err(error) = &mut answer {
            let team = body.as_ref().and_then(|body| body.get("team_id")?.as_str());
            let hint = match (status, team) {
                (StatusCode::NOT_FOUND, _) => missing::hint(self, &request).await,
                (StatusCode::UNPROCESSABLE_ENTITY, Some(team)) => {
                    missing::team_hint(self, team).await
                }
                _ => None,
            };
            if let Some(hint) = hint {
                error.message = format!("{error}\n{hint}");
            }
        }
        answer
    }

    /// Reads without a hint at what was meant where nothing is found: hints are made with it.
    pub(super) async fn peek<T: DeserializeOwned>(&self, path: &[&str], query: Query) -> Option<T> {
        let url = self.url(&Request { path, query }).ok()?;
        let response = self.execute(self.http.get(url)).await.ok()?;
        self.answer(response).await.ok()?.read().ok()
    }

    async fn execute(&self, mut request: reqwest::RequestBuilder) -> Result<Response, CliError> {
        if let Some(secret) = self.connection.token.secret() {
            let value = HeaderValue::from_str(&format!("Bearer {}", secret.expose()));
            let mut value = value
                .map_err(|_| CliError::usage("the token contains characters that no token has"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &reqwest::Error) -> CliError {
        let url = self.connection.url.as_str().trim_end_matches('/');
        if error.is_timeout() && !error.is_connect() {
            return CliError::failed(format!("oncalld at {url} took too long to answer"));
        }
        CliError::unreachable(format!(
            "can't reach oncalld at {url}: {}\n\
             start it with `oncalld serve`, or set ONCALLD_URL (or --url) to where it runs",
            root(error)
        ))
    }

    async fn text(&self, response: Response) -> Result<String, CliError> {
        response.text().await.map_err(|error| {
            let url = &self.connection.url;
            CliError::failed(format!("the answer of {url} broke off: {}", root(&error)))
        })
    }

    async fn answer<T>(&self, response: Response) -> Result<Answer<T>, CliError> {
        let status = response.status();
        if status.is_success() {
            let json = self.text(response).await?;
            let kind = PhantomData;
            return Ok(Answer { json, kind });
        }
        let location = response.headers().get("location");
        let location = location.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let problem = Problem::of(&self.text(response).await?);
        Err(problem.into_error(status, &self.connection, location.or(retry_after)))
    }

    fn url(&self, request: &Request<'_>) -> Result<Url, CliError> {
        let path: Vec<_> = ["api", "v1"]
            .into_iter()
            .chain(request.path.iter().copied())
            .collect();
        let mut url = self.joined(&path)?;
        if !request.query.0.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query.0);
        }
        Ok(url)
    }

    /// The daemon's address with these segments, each one encoded.
    fn joined(&self, path: &[&str]) -> Result<Url, CliError> {
        // No encoding saves these: they would lead to another path.
        if let Some(name) = path.iter().find(|name| matches!(**name, "" | "." | "..")) {
            return Err(CliError::not_found(format!("nothing is named `{name}`")));
        }
        let mut url = self.connection.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        Ok(url)
    }
}

/// The innermost cause, which says what happened.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
