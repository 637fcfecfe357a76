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
    /// How to take it back, where that is one step.
    pub undo: Option<Undo>,
}

/// A form that takes back what was done: it is sent with a button beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// Where it goes.
    pub action: String,
    /// Its fields.
    pub fields: Vec<(String, String)>,
}

/// Sends the browser to another page, where `text` tells what was done: with 303, so that loading
/// that page again does nothing again.
pub fn redirect_saying(to: &str, text: &str) -> Response {
    redirect_with(to, &encode(true, text))
}

/// As [`redirect_saying`], of something that one step takes back.
pub fn redirect_undoable(to: &str, text: &str, undo: &Undo) -> Response {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    fields.extend_pairs(&undo.fields);
    let parts = [undo.action.as_str(), &fields.finish()].map(escape);
    redirect_with(to, &format!("{}~{}", encode(true, text), parts.join("~")))
}

/// As [`redirect_saying`], of something that was not done.
pub fn redirect_refusing(to: &str, text: &str) -> Response {
    redirect_with(to, &encode(false, text))
}

fn redirect_with(to: &str, value: &str) -> Response {
    let mut response = redirect(to);
    if let Ok(cookie) = cookies::set(NAME, value, Some(LASTS), false) {
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
    let (kind, rest) = value.split_once('.')?;
    let mut parts = rest.split('~').map(unescape);
    let text = parts.next().filter(|text| !text.is_empty())?;
    let undo = parts.next().zip(parts.next()).map(|(action, fields)| Undo {
        action: local(&action).to_owned(),
        fields: form_urlencoded::parse(fields.as_bytes())
            .into_owned()
            .collect(),
    });
    Some(Flash {
        is_good: kind == "good",
        text,
        undo,
    })
}

/// Removes it.
pub fn clear() -> HeaderValue {
    let empty = HeaderValue::from_static("");
    cookies::set(NAME, "", Some(0), false).unwrap_or(empty)
}

fn escape(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What [`escape`] has escaped: one value, whatever it holds.
fn unescape(text: &str) -> String {
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(text, _)| text.into_owned())
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
        assert_eq!(flash.undo, None);
    }

    #[test]
    fn what_is_taken_back_is_a_form_of_this_site() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let undo = |action: &str| Undo {
            action: action.to_owned(),
            fields: vec![field("weight", "1.5"), field("note", "a&b = ~ ü")],
        };
        let carried = |undo: &Undo| {
            let response = redirect_undoable("/teams", "Saved.", undo);
            let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
            let mut headers = HeaderMap::new();
            let pair = cookie.split(';').next().unwrap();
            headers.insert(header::COOKIE, pair.parse().unwrap());
            read(&headers).unwrap()
        };
        let flash = carried(&undo("/teams/core/members/UANN"));
        assert_eq!(flash.text, "Saved.");
        assert_eq!(flash.undo, Some(undo("/teams/core/members/UANN")));
        let foreign = carried(&undo("https://evil.example")).undo.unwrap();
        assert_eq!(foreign.action, "/");
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
