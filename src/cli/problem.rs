//! The daemon's refusals (`application/problem+json`) as texts for people.

use std::fmt::Write as _;

use reqwest::StatusCode;
use serde::Deserialize;

use super::connection::{Connection, Token};
use super::error::CliError;
use super::table::clean;

/// What a refusal says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    title: Option<String>,
    detail: Option<String>,
    errors: Vec<Field>,
}

/// One field and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Field {
    field: String,
    message: String,
}

impl Problem {
    /// Reads a body; one that is no problem is a problem that says nothing.
    pub(super) fn of(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }

    /// The error to show. `header` is `Location` or `Retry-After`, where the answer has one.
    pub(super) fn into_error(
        self,
        status: StatusCode,
        connection: &Connection,
        header: Option<String>,
    ) -> CliError {
        let url = &connection.url;
        if status.is_redirection() {
            let to = header.map_or_else(String::new, |to| format!(" to {}", clean(&to)));
            return CliError::failed(format!(
                "{url} redirects{to}: set ONCALLD_URL (or --url) to the final address"
            ));
        }
        if self.title.is_none() && self.detail.is_none() {
            return CliError::failed(format!("{url} answered {status}: is it oncalld?"));
        }
        let mut message = self.text();
        match status {
            StatusCode::UNAUTHORIZED => message = unauthorized(&message, &connection.token),
            StatusCode::TOO_MANY_REQUESTS => {
                if let Some(seconds) = header {
                    let _ = write!(message, "\ntry again in {} s", clean(&seconds));
                }
            }
            StatusCode::NOT_FOUND => return CliError::not_found(message),
            _ => {}
        }
        CliError::failed(message)
    }

    /// What is wrong; several fields with their complaints each on a line of its own.
    fn text(&self) -> String {
        let complaint = |Field { field, message }: &Field| clean(&format!("{field}: {message}"));
        if let [only] = self.errors.as_slice() {
            return complaint(only);
        }
        let text = match (&self.title, &self.detail) {
            // The detail only says the same on one line.
            _ if !self.errors.is_empty() => "these values are refused:".to_owned(),
            (_, Some(detail)) if !detail.is_empty() => clean(detail),
            (Some(title), _) => clean(title),
            _ => String::new(),
        };
        self.errors
            .iter()
            .fold(text, |text, field| text + "\n  " + &complaint(field))
    }
}

/// What the daemon says of the token, and how to get another.
fn unauthorized(said: &str, token: &Token) -> String {
    match token {
        Token::Given(_) => format!(
            "{said}\nit was given by --token or ONCALLD_TOKEN; an admin creates a new one with \
             `oncalld token create`"
        ),
        Token::File(_, path) => format!(
            "{said}\nit is from {}, which may be another daemon's; give the right one with \
             --data-dir or ONCALLD_TOKEN",
            path.display()
        ),
        Token::Socket(path) => format!("{said}\nit was asked by {}", path.display()),
        Token::Missing(why) => format!(
            "this requires a token, and none was found ({why})\nset ONCALLD_TOKEN; an admin \
             creates one with `oncalld token create`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Kind;
    use super::*;

    fn error(status: u16, body: &str, token: Token, header: Option<&str>) -> CliError {
        let url = "http://127.0.0.1:8460".parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let header = header.map(str::to_owned);
        let connection = Connection {
            url,
            token,
            is_by_config: true,
        };
        Problem::of(body).into_error(status, &connection, header)
    }

    fn missing() -> Token {
        Token::Missing("data/admin.token can't be read".to_owned())
    }

    #[test]
    fn wrong_fields_stand_one_a_line() {
        let body = r#"{"title": "Invalid", "status": 422, "detail": "two fields are wrong",
            "errors": [{"field": "weight", "message": "must be above 0"},
                       {"field": "name", "message": "a\u001b[2Jb"}]}"#;
        let error = error(422, body, missing(), None);
        assert_eq!(error.kind, Kind::Failed);
        assert_eq!(
            error.message,
            "these values are refused:\n  weight: must be above 0\n  name: a\u{fffd}[2Jb"
        );
        let one = r#"{"detail": "x", "errors": [{"field": "weight", "message": "is 0"}]}"#;
        let error = self::error(422, one, missing(), None);
        assert_eq!(error.message, "weight: is 0");
    }

    #[test]
    fn what_is_missing_has_its_own_exit_code() {
        let error = error(404, r#"{"title": "Not found"}"#, missing(), None);
        assert_eq!(
            (error.kind, error.message.as_str()),
            (Kind::NotFound, "Not found")
        );
    }

    #[test]
    fn a_refused_token_says_how_to_get_another() {
        let body = r#"{"title": "Unauthorized", "detail": "a token is needed"}"#;
        let text = |token| error(401, body, token, None).message;
        assert!(text(missing()).contains("data/admin.token can't be read"));
        assert!(text(Token::Given("x".into())).contains("oncalld token create"));
        assert!(text(Token::File("x".into(), "d/t".into())).contains("d/t"));
    }

    #[test]
    fn another_server_and_a_redirect_are_told_apart() {
        let message = error(404, "<html>", missing(), None).message;
        assert!(
            message.ends_with("answered 404 Not Found: is it oncalld?"),
            "{message}"
        );
        let message = error(301, "", missing(), Some("https://x/")).message;
        assert!(message.contains("redirects to https://x/"), "{message}");
    }
}
