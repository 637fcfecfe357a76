//! Bodies and queries, with a clear problem where they don't fit.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::domain::invalid::Invalid;
use crate::http::Api;
use crate::http::body::read_body;
use crate::http::problem::Problem;
use crate::wire::Paging;

/// The parameters of a path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Api> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, api).await;
        path.map(|path| Self(path.0))
            .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let is_json = essence.eq_ignore_ascii_case("application/json");
        let bytes = read_body(request, api).await?;
        if !is_json && !bytes.is_empty() {
            let detail = format!("Content-Type is `{kind}`, expected application/json");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        // No body at all is an empty object: every field may be left out.
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        parse(bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() {
            return Problem::from(complaint(&path, &without_place(&cause)));
        }
        let detail = format!("the body is not JSON: {cause}");
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    deserializer.end().map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the body is not a single JSON value: {error}"),
        )
    })?;
    Ok(value)
}

/// The message of a JSON error without its line and column, which tell nobody anything here.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place)
        .map(ToOwned::to_owned)
        .unwrap_or(text)
}

/// A complaint about a field; where it is unknown or missing, the message holds its name.
fn complaint(path: &str, message: &str) -> Invalid {
    let quoted = || message.split('`').nth(1);
    let named = ["unknown field", "missing field"]
        .iter()
        .any(|start| message.starts_with(start));
    match (named, path) {
        (true, _) => Invalid::one(quoted().unwrap_or("body"), message),
        (false, "." | "?") => Invalid::one("body", message),
        (false, path) => Invalid::one(path, message),
    }
}

/// Query parameters; unknown ones are refused.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + IntoParams + Send> FromRequestParts<Api> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        refuse_unknown(query, &names::<T>())?;
        query_of(query).map(Self)
    }
}

/// Query parameters of a list, and which page of it; unknown ones are refused.
#[derive(Debug)]
pub struct Listing<T>(pub T, pub Paging);

impl<T: DeserializeOwned + IntoParams + Send> FromRequestParts<Api> for Listing<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let known = [names::<T>(), names::<Paging>()].concat();
        refuse_unknown(query, &known)?;
        let paging: Paging = query_of(query)?;
        let mut invalid = Invalid::default();
        let (page, size) = (paging.page.unwrap_or(1), paging.size());
        invalid.check(page >= 1, "page", format!("{page} is not 1 or more"));
        let message = format!("{size} is not 1 to {}", Paging::MAX_SIZE);
        invalid.check((1..=Paging::MAX_SIZE).contains(&size), "page_size", message);
        invalid.into_result(())?;
        Ok(Self(query_of(query)?, paging))
    }
}

/// No parameters beside those of every list.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, IntoParams)]
pub struct NoFilter {}

fn names<T: IntoParams>() -> Vec<String> {
    T::into_params(|| Some(ParameterIn::Query))
        .into_iter()
        .map(|param| param.name)
        .collect()
}

fn refuse_unknown(query: &str, known: &[String]) -> Result<(), Problem> {
    let pairs: Vec<(String, String)> = query_of(query)?;
    let mut invalid = Invalid::default();
    for (name, _) in pairs {
        if !known.contains(&name) {
            invalid.add(
                &name,
                format!(
                    "is not a parameter of this path, expected one of {}",
                    known.join(", ")
                ),
            );
        }
    }
    Ok(invalid.into_result(())?)
}

fn query_of<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        complaint(&path, &error.into_inner().to_string()).into()
    })
}
