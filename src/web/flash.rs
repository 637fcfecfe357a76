//! What an action came to, told on the page that follows it: carried there by a cookie that is
//! read once.

use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::cookies;

const NAME: &str = "oncalld_flash";
/// Seconds after which nobody wants to hear of it any more.
const LASTS: u32 = 60;
/// Longer texts are cut, in bytes: browsers keep about 4 kB a cookie.
const LONGEST: usize = 900;

/// What an action came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Whether it went well.
    pub is_good: bool,
    /// In a sentence.
    pub text: String,
}

/// Sends the browser to another page, where `text` tells what was done: with 303, so that loading
/// that page again does nothing again.
pub fn redirect_saying(to: &str, text: &str) -> Response {
    redirect_with(to, true, text)
}

/// As [`redirect_saying`], of something that was not done.
pub fn redirect_refusing(to: &str, text: &str) -> Response {
    redirect_with(to, false, text)
}

fn redirect_with(to: &str, is_good: bool, text: &str) -> Response {
    let mut response = redirect(to);
    if let Ok(cookie) = cookies::set(NAME, &encode(is_good, text), Some(LASTS), false) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Sends the browser to another page of ours; to the first one where `to` is none.
pub fn redirect(to: &str) -> Response {
    let location = HeaderValue::from_str(local(to));
    let location = location.unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// A path of this site: nothing that a browser takes for another host.
pub fn local(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control);
    if is_local { path } else { "/" }
}

/// What the browser carries of an action.
pub fn read(headers: &HeaderMap) -> Option<Flash> {
    let value = cookies::find(headers, NAME)?;
    let (kind, text) = value.split_once('.')?;
    let text = form_urlencoded::parse(text.as_bytes()).next()?.0;
    (!text.is_empty()).then(|| Flash {
        is_good: kind == "good",
        text: text.into_owned(),
    })
}

/// Removes it.
pub fn clear() -> HeaderValue {
    let empty = HeaderValue::from_static("");
    cookies::set(NAME, "", Some(0), false).unwrap_or(empty)
}

fn encode(is_good: bool, text: &str) -> String {
    let mut value = String::from(if is_good { "good." } else { "bad." });
    for part in form_urlencoded::byte_serialize(text.as_bytes()) {
        if value.len() + part.len() > LONGEST {
            break;
        }
        let _ = value.write_str(part);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_as_it_was_said() {
        let text = "“Größe; 50 % = ok” & <b>\n";
        let response = redirect_saying("/teams", text);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert(header::COOKIE, pair.parse().unwrap());
        let flash = read(&headers).unwrap();
        assert_eq!((flash.is_good, flash.text.as_str()), (true, text));
    }

    #[test]
    fn nobody_is_sent_to_another_host() {
        for foreign in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "",
            "x",
            "/a\nb",
        ] {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
        assert_eq!(local("/teams?q=a"), "/teams?q=a");
    }
}
