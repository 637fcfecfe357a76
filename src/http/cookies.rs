//! The cookies of the web pages.

use axum::http::{HeaderMap, HeaderValue, header};

/// Holds the session of somebody who has signed in.
pub const SESSION: &str = "oncalld_session";

/// The value of a cookie that the client sent; the first where there are several.
pub fn find<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = pairs.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name).then_some(value)
    })
}

/// A `Set-Cookie` that scripts can't read and other sites can't cause to be sent. It lasts as
/// long as the browser where `max_age` (in seconds) is not given; 0 removes it. `value` is of
/// characters that a cookie takes as they are.
///
/// # Errors
/// `value` is not.
pub fn set(
    name: &str,
    value: &str,
    max_age: Option<u32>,
    is_secure: bool,
) -> Result<HeaderValue, axum::http::header::InvalidHeaderValue> {
    let lasts = max_age.map_or_else(String::new, |age| format!("; Max-Age={age}"));
    let secure = if is_secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; HttpOnly; SameSite=Strict{lasts}{secure}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; b=2;c=3=4"));
        headers.append(header::COOKIE, HeaderValue::from_static("d=5"));
        assert_eq!(find(&headers, "b"), Some("2"));
        assert_eq!(find(&headers, "c"), Some("3=4"));
        assert_eq!(find(&headers, "d"), Some("5"));
        assert_eq!(find(&headers, "e"), None);
    }
}
