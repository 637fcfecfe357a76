//! Style sheet, script and icons: embedded, compressed at build, and kept by browsers for good,
//! since a changed file has another name (`build.rs`).

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;

/// An embedded file.
#[derive(Debug)]
pub struct Asset {
    path: &'static str,
    hash: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /assets/{file}`.
pub async fn get(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("/assets/{file}");
    let Some(asset) = ALL.iter().find(|asset| asset.path == path) else {
        let detail = format!("there is no file `{file}`; reload the page for its present name");
        return Problem::new(StatusCode::NOT_FOUND, detail).into_response();
    };
    let accepted = headers.get(header::ACCEPT_ENCODING);
    let accepted = accepted.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let takes_gzip = accepted.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim() == "gzip" && quality.trim() != "q=0"
    });
    let body = if takes_gzip { asset.gzip } else { asset.plain };
    let mut response = Body::from(body).into_response();
    let mut set = |name, value: &'static str| {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    };
    set(header::CONTENT_TYPE, asset.kind);
    set(header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    set(header::VARY, "Accept-Encoding");
    if takes_gzip {
        set(header::CONTENT_ENCODING, "gzip");
    }
    let tag = HeaderValue::from_str(&format!("\"{}\"", asset.hash));
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
