//! `[server]` and `[auth]`: the HTTP server, and who gets in.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;

use crate::config::Problem;
use crate::config::hosts::{AllowedHost, BaseUrl};
use crate::config::value::{Text, bounded, list, optional_text, text};

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
    /// The certificate that is shown, with those between it and its authority, as PEM; with the key.
    #[serde(default, deserialize_with = "optional_text")]
    pub tls_cert_file: Option<PathBuf>,
    /// Its private key, as PEM; with the certificate.
    #[serde(default, deserialize_with = "optional_text")]
    pub tls_key_file: Option<PathBuf>,
    /// Reverse proxies that are believed whom they speak for.
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they say so.
    pub forwarded_header: ForwardedHeader,
    /// Connections that one address may have.
    #[serde(deserialize_with = "bounded::<1, 1_000_000, _, _>")]
    pub max_connections_per_address: usize,
    /// How long requests in flight may take to end at a shutdown, in seconds.
    #[serde(deserialize_with = "bounded::<1, 9, _, _>")]
    pub shutdown_seconds: u64,
}

/// The header in which a reverse proxy says whom it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as most of them do.
    XForwardedFor,
    /// `Forwarded`, of RFC 7239.
    Forwarded,
}

/// An address counts as the network of that address alone.
impl Text for IpNet {
    const EXPECTED: &'static str = "an IP address or a network, such as \"10.0.0.0/8\"";

    fn from_text(text: &str) -> Option<Self> {
        let address = || text.parse::<IpAddr>().ok().map(Self::from);
        text.parse().ok().or_else(address)
    }
}

impl Server {
    /// Where certificate and key are, if TLS is spoken.
    #[must_use]
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        self.tls_cert_file
            .as_deref()
            .zip(self.tls_key_file.as_deref())
    }

    /// That files which go together are both named.
    pub(in crate::config) fn check_files(&self) -> Result<(), Problem> {
        let (set, other) = match (&self.tls_cert_file, &self.tls_key_file) {
            (Some(_), None) => ("server.tls_cert_file", "server.tls_key_file"),
            (None, Some(_)) => ("server.tls_key_file", "server.tls_cert_file"),
            _ => return Ok(()),
        };
        let message = format!("is set, but `{other}` is not: TLS takes both");
        Err(Problem::new(set, message))
    }
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
    /// Requests that one token, or one address without a token, has each minute; no limit without it.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Days after which a new token expires, unless whoever makes it says otherwise.
    #[serde(deserialize_with = "bounded::<1, 3_650, _, _>")]
    pub token_days: u32,
}
