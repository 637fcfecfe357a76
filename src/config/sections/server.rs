//! `[server]` and `[auth]`: the HTTP server, and who gets in.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

use crate::config::hosts::{AllowedHost, BaseUrl};
use crate::config::value::{bounded, list, optional_text, text};

/// `[server]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address to serve on.
    #[serde(deserialize_with = "text")]
    pub listen: SocketAddr,
    /// Where people reach the daemon, if not at `listen`.
    #[serde(default, deserialize_with = "optional_text")]
    pub public_url: Option<BaseUrl>,
    /// `Host` headers to accept besides those that always are; see [`Config::expected_hosts`](crate::config::Config::expected_hosts).
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<AllowedHost>,
    /// The folder of the data file and the admin token.
    #[serde(deserialize_with = "text")]
    pub data_dir: PathBuf,
    /// Whether users of this host that may read the data folder come in by a socket in it.
    pub socket: bool,
    /// The largest request body, in units of 1024 bytes.
    #[serde(deserialize_with = "bounded::<1, 65_536, _, _>")]
    pub max_body_kb: usize,
    /// Connections that may be open at once.
    #[serde(deserialize_with = "bounded::<16, 1_000_000, _, _>")]
    pub max_connections: usize,
    /// Connections that one address may have.
    #[serde(deserialize_with = "bounded::<1, 1_000_000, _, _>")]
    pub max_connections_per_address: usize,
    /// How long requests in flight may take to end at a shutdown, in seconds.
    #[serde(deserialize_with = "bounded::<1, 9, _, _>")]
    pub shutdown_seconds: u64,
}

/// `[auth]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Whether reads need no token, as configured; [`Config::anonymous_read`](crate::config::Config::anonymous_read) is what holds.
    pub anonymous_read: Option<bool>,
    /// Failed attempts to authenticate that a peer address has each minute.
    #[serde(deserialize_with = "bounded::<1, 10_000, _, _>")]
    pub failed_attempts_per_minute: NonZeroU32,
    /// Days after which a new token expires, unless whoever makes it says otherwise.
    #[serde(deserialize_with = "bounded::<1, 3_650, _, _>")]
    pub token_days: u32,
}
