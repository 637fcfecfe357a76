//! Websockets on the Web API's own HTTP client: the same certificates, proxies and time limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{StatusCode, Upgraded, Url};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio_websockets::{ClientBuilder, Limits, WebSocketStream};

use super::answer;
use super::client::{Slack, may_be_told_secrets};
use super::error::SlackError;

/// An open websocket.
pub(super) type Socket = WebSocketStream<Upgraded>;

/// The largest message that is read; Slack's own are of some kilobytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What RFC 6455 has both sides hash with the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// What errors call this step.
const METHOD: &str = "Socket Mode";

impl Slack {
    /// Opens a websocket at the address that `apps.connections.open` gave.
    ///
    /// # Errors
    /// Nobody is there, or no websocket.
    pub(super) async fn open_websocket(&self, address: &str) -> Result<Socket, SlackError> {
        let unexpected = |problem: &str| SlackError::Unexpected {
            method: METHOD,
            problem: problem.to_owned(),
        };
        // wss is https, ws is http: only the first letters differ.
        let url = address.strip_prefix("ws").map(|rest| format!("http{rest}"));
        let url = url.and_then(|url| Url::parse(&url).ok());
        let url = url.filter(may_be_told_secrets);
        let url = url.ok_or_else(|| unexpected("the address is neither wss nor of loopback"))?;
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|_| unexpected("the host provided no random bytes"))?;
        let key = STANDARD.encode(key);
        let request = self.http().get(url);
        let request = request
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let response = request.send().await;
        let response = response.map_err(|error| answer::unreachable(METHOD, &error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let status = response.status().as_u16();
            return Err(unexpected(&format!("HTTP {status} instead of a websocket")));
        }
        let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        if accept.is_none_or(|accept| *accept != accept_of(&key)) {
            return Err(unexpected("the websocket was not accepted for our key"));
        }
        let stream = response.upgrade().await;
        let stream = stream.map_err(|error| answer::unreachable(METHOD, &error))?;
        let limits = Limits::default().max_payload_len(Some(MAX_BYTES));
        Ok(ClientBuilder::new().limits(limits).take_over(stream))
    }
}

/// What a server answers to a key.
fn accept_of(key: &str) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{GUID}").as_bytes());
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_has_its_answer() {
        let accept = accept_of("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
