//! What the other side's answer means.

use crate::bindings::DeliveryError;
use crate::bindings::http::{HttpError, Response};
use crate::bindings::notifications::FailureKind;

/// The most characters of an answer that are repeated.
const QUOTED: usize = 200;

/// Delivered, or why not. No message repeats the address, whose path is a secret.
///
/// # Errors
/// Another try may help where the other side was busy, broken or not to be reached.
pub fn verdict(answer: Result<Response, HttpError>) -> Result<(), DeliveryError> {
    let response = match answer {
        Ok(response) => response,
        Err(HttpError::Unreachable(why)) => return Err(retryable(format!("unreachable: {why}"))),
        Err(HttpError::Timeout(why)) => return Err(retryable(format!("timed out: {why}"))),
        Err(HttpError::Forbidden(why)) => return Err(permanent(format!("not allowed: {why}"))),
        // It has been posted, most likely: trying again would post it twice.
        Err(HttpError::TooLarge(why)) => return Err(permanent(format!("answer too large: {why}"))),
    };
    let status = response.status;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&response.body)
        .chars()
        .take(QUOTED)
        .collect();
    let message = format!("the webhook answered {status}: {said}");
    Err(match status {
        408 | 425 | 429 | 500.. => DeliveryError {
            retry_after: retry_after(&response),
            ..retryable(message)
        },
        _ => permanent(message),
    })
}

/// Another try may help.
fn retryable(message: String) -> DeliveryError {
    DeliveryError {
        kind: FailureKind::Retryable,
        message,
        retry_after: None,
    }
}

/// Another try won't help.
pub fn permanent(message: String) -> DeliveryError {
    DeliveryError {
        kind: FailureKind::Permanent,
        message,
        retry_after: None,
    }
}

/// The header's whole seconds, rounded up; Discord sends fractions. A date is passed over: the
/// sink has no clock to compare it with.
fn retry_after(response: &Response) -> Option<u32> {
    let header = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
    let seconds: f64 = header.value.trim().parse().ok()?;
    let whole = seconds.ceil();
    // A float becomes the nearest whole number that fits.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is within bounds"
    )]
    (0.0..=f64::from(u32::MAX))
        .contains(&whole)
        .then_some(whole as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::http::Header;

    fn answer(status: u16, retry_after: Option<&str>) -> Result<(), DeliveryError> {
        let header = |value: &str| Header {
            name: "retry-after".into(),
            value: value.into(),
        };
        verdict(Ok(Response {
            status,
            headers: retry_after.map(header).into_iter().collect(),
            body: b"no\xffpe".to_vec(),
        }))
    }

    #[test]
    fn any_2xx_is_delivered() {
        assert!(
            [200, 202, 204]
                .into_iter()
                .all(|status| answer(status, None).is_ok())
        );
    }

    #[test]
    fn busy_and_broken_is_tried_again_when_the_other_side_says() {
        for status in [408, 429, 500, 503] {
            let error = answer(status, Some("2")).unwrap_err();
            assert_eq!(
                (error.kind, error.retry_after),
                (FailureKind::Retryable, Some(2)),
                "{status}"
            );
        }
        let after = |value| answer(429, Some(value)).unwrap_err().retry_after;
        assert_eq!(after("0.35"), Some(1));
        assert_eq!(after(" 60 "), Some(60));
        for odd in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e300", "NaN", ""] {
            assert_eq!(after(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_the_other_side_refuses_is_not_tried_again() {
        for status in [301, 400, 401, 404, 410] {
            let error = answer(status, Some("2")).unwrap_err();
            assert_eq!(
                (error.kind, error.retry_after),
                (FailureKind::Permanent, None),
                "{status}"
            );
            assert!(
                error.message.contains(&status.to_string()),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn no_answer_is_tried_again_unless_it_is_forbidden() {
        let kind = |error| verdict(Err(error)).unwrap_err().kind;
        assert_eq!(
            kind(HttpError::Unreachable("x".into())),
            FailureKind::Retryable
        );
        assert_eq!(kind(HttpError::Timeout("x".into())), FailureKind::Retryable);
        assert_eq!(
            kind(HttpError::Forbidden("x".into())),
            FailureKind::Permanent
        );
        assert_eq!(
            kind(HttpError::TooLarge("x".into())),
            FailureKind::Permanent
        );
    }
}
