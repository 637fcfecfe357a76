//! Signatures of the requests that Slack sends: `v0`, HMAC-SHA256 over time and body.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::domain::hex::unhex;
use crate::secret::Secret;

/// How far a request's time may be from ours, both ways.
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// Why a request isn't taken for Slack's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// A header is missing, or isn't of its form.
    #[error("X-Slack-Signature or X-Slack-Request-Timestamp is missing or malformed")]
    Malformed,
    /// It was sent too long ago, or its clock is wrong, or ours.
    #[error("X-Slack-Request-Timestamp is more than 5 minutes from this host's clock")]
    Stale,
    /// Another secret, or another body.
    #[error("X-Slack-Signature is not of this body by slack.signing_secret")]
    Wrong,
}

/// Checks that a request comes from somebody who knows the signing secret, and was sent just now.
///
/// `timestamp` and `signature` are the headers `X-Slack-Request-Timestamp` and
/// `X-Slack-Signature`; `body` is what was sent, byte by byte.
///
/// # Errors
/// It doesn't.
pub fn verify(
    secret: &Secret,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), NotSigned> {
    let signature = signature.strip_prefix("v0=").and_then(unhex);
    let signature = signature.ok_or(NotSigned::Malformed)?;
    if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotSigned::Malformed);
    }
    let sent_at = timestamp.parse().ok();
    let sent_at = sent_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let sent_at = sent_at.ok_or(NotSigned::Malformed)?;
    if (now - sent_at).abs() > WINDOW {
        return Err(NotSigned::Stale);
    }
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = mac.expect("invariant: HMAC takes a key of any length");
    for part in [b"v0:", timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    // Compares in constant time.
    mac.verify_slice(&signature).map_err(|_| NotSigned::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of https://docs.slack.dev/authentication/verifying-requests-from-slack
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIME: &str = "1531420618";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
        %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015\
        .47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_531_420_618 + seconds, 0).unwrap()
    }

    fn check(time: &str, signature: &str, body: &[u8], now: i64) -> Result<(), NotSigned> {
        let secret = Secret::new(SECRET.to_owned());
        verify(&secret, time, signature, body, at(now))
    }

    #[test]
    fn slacks_own_example_is_signed() {
        assert_eq!(check(TIME, SIGNATURE, BODY, 0), Ok(()));
        let upper = SIGNATURE.replace("a2114d", "A2114D");
        assert_eq!(check(TIME, &upper, BODY, 0), Ok(()));
    }

    #[test]
    fn a_request_is_good_for_five_minutes_both_ways() {
        for (now, expected) in [
            (-301, Err(NotSigned::Stale)),
            (-300, Ok(())),
            (300, Ok(())),
            (301, Err(NotSigned::Stale)),
        ] {
            assert_eq!(check(TIME, SIGNATURE, BODY, now), expected, "{now}");
        }
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let mut body = BODY.to_vec();
        for at in [0, body.len() / 2, body.len() - 1] {
            body[at] ^= 1;
            assert_eq!(check(TIME, SIGNATURE, &body, 0), Err(NotSigned::Wrong));
            body[at] ^= 1;
        }
        assert_eq!(
            check("1531420619", SIGNATURE, BODY, 0),
            Err(NotSigned::Wrong)
        );
        let other = Secret::new("8f742231b10e8888abcd99yyyzzz85a6".to_owned());
        let result = verify(&other, TIME, SIGNATURE, BODY, at(0));
        assert_eq!(result, Err(NotSigned::Wrong));
        // The beginning of the right signature is not enough.
        assert_eq!(
            check(TIME, &SIGNATURE[..35], BODY, 0),
            Err(NotSigned::Wrong)
        );
        assert_eq!(check(TIME, "v0=", BODY, 0), Err(NotSigned::Wrong));
    }

    #[test]
    fn a_check_of_the_certificate_is_signed_like_everything_else() {
        let body = b"ssl_check=1&token=xyzz0WbapA4vBCDEFasx0q6G";
        assert_eq!(check(TIME, SIGNATURE, body, 0), Err(NotSigned::Wrong));
        assert_eq!(check(TIME, "", body, 0), Err(NotSigned::Malformed));
    }

    #[test]
    fn nonsense_is_malformed() {
        for signature in [
            "",
            "v1=00",
            &SIGNATURE[3..],
            "v0=0",
            "v0=zz",
            "v0=é0",
            "v0=+1",
        ] {
            let result = check(TIME, signature, BODY, 0);
            assert_eq!(result, Err(NotSigned::Malformed), "{signature}");
        }
        for time in [
            "",
            "soon",
            "-1",
            "+1531420618",
            "1531420618.0",
            " 1531420618",
            "99999999999999999999",
            "9223372036854775807",
        ] {
            let result = check(time, SIGNATURE, BODY, 0);
            assert_eq!(result, Err(NotSigned::Malformed), "{time}");
        }
    }
}
