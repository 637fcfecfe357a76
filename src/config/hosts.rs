//! Host names in the configuration, and which `Host` header a request may carry.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::value::Text;

/// A host, with a port if only that port is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// A name or an address, lower case; IPv6 in brackets.
    name: String,
    port: Option<u16>,
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        let (name, port) = split_port(text)?;
        let name = match name.strip_prefix('[') {
            Some(rest) => format!("[{}]", rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
            None => name.to_ascii_lowercase(),
        };
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let mut labels = name.split('.');
        let is_name = labels.all(|label| !label.is_empty() && label.chars().all(valid));
        (name.starts_with('[') || is_name).then_some(Self { name, port })
    }

    /// What both mean; nothing where they are at odds.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let at_odds = self
            .port
            .zip(other.port)
            .is_some_and(|(own, other)| own != other);
        (self.name == other.name && !at_odds).then(|| Self {
            name: self.name.clone(),
            port: self.port.or(other.port),
        })
    }

    /// Whether it means this host, in lower case and IPv6 in brackets, at this port.
    pub fn is(&self, name: &str, port: u16) -> bool {
        self.name == name && self.port.is_none_or(|own| own == port)
    }

    fn any_port(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            port: None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The text names no host.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not {expected}", expected = Host::EXPECTED)]
pub struct NotAHost(String);

impl FromStr for Host {
    type Err = NotAHost;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| NotAHost(text.to_owned()))
    }
}

impl Text for Host {
    const EXPECTED: &'static str =
        "a host name such as \"hooks.example.com\", \"10.0.0.5:8443\" or \"[fd00::5]\"";

    fn from_text(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

/// An entry of `server.allowed_hosts` or `plugins.allowed_hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// `*`: whatever the `Host` header says.
    Any,
    /// This host.
    Host(Host),
}

impl Text for AllowedHost {
    const EXPECTED: &'static str = "a host name such as \"oncall.example.com\", \"10.0.0.5:8460\" or \
                                    \"[fd00::5]\", or \"*\" for any";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "*" => Some(Self::Any),
            _ => Host::parse(text).map(Self::Host),
        }
    }
}

/// An http or https URL without user, query, fragment and trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: String,
    host: String,
}

impl BaseUrl {
    /// The URL, to which a path that begins with a slash can be joined.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether what is sent there can be read by nobody on the way.
    pub(super) fn is_encrypted_or_local(&self) -> bool {
        self.url.starts_with("https://") || is_loopback_name(&self.host)
    }
}

impl Text for BaseUrl {
    const EXPECTED: &'static str =
        "an http or https URL without a trailing slash, such as \"https://oncall.example.com\"";

    fn from_text(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, "-"));
        let in_path = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
        if path.is_empty() || path.ends_with('/') || !path.chars().all(in_path) {
            return None;
        }
        let host = Host::parse(authority)?.name;
        Some(Self {
            url: text.to_owned(),
            host,
        })
    }
}

/// Which `Host` headers are expected; the rest are refused, against DNS rebinding.
#[derive(Debug, Clone)]
pub struct ExpectedHosts {
    any: bool,
    hosts: Vec<Host>,
}

impl ExpectedHosts {
    pub(super) fn new(server: &super::Server) -> Self {
        let listen = match server.listen.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let public = server.public_url.iter().map(|url| url.host.clone());
        let names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let mut hosts: Vec<_> = names
            .into_iter()
            .chain([listen])
            .chain(public)
            .map(Host::any_port)
            .collect();
        hosts.extend(
            server
                .allowed_hosts
                .iter()
                .filter_map(|allowed| match allowed {
                    AllowedHost::Host(host) => Some(host.clone()),
                    AllowedHost::Any => None,
                }),
        );
        Self {
            any: server.allowed_hosts.contains(&AllowedHost::Any),
            hosts,
        }
    }

    /// Whether a request with this `Host` header may pass.
    #[must_use]
    pub fn accepts(&self, header: &str) -> bool {
        let Some((name, port)) = split_port(header) else {
            return self.any;
        };
        let matches = |host: &Host| {
            host.name.eq_ignore_ascii_case(name) && (host.port.is_none() || host.port == port)
        };
        self.any || self.hosts.iter().any(matches)
    }
}

/// Whether a URL's host is this host: `localhost` or a loopback address, IPv6 in brackets.
pub fn is_loopback_name(host: &str) -> bool {
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Splits `name:port`, `name`, `[v6]:port` or `[v6]`; the brackets stay with the name.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let name_end = text.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = text[name_end..].find(':').map(|at| name_end + at) else {
        return Some((text, None));
    };
    let digits = &text[colon + 1..];
    let port = digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?;
    Some((&text[..colon], Some(port.filter(|port| *port != 0)?)))
}

#[cfg(test)]
mod tests {
    use crate::config::{CliOverrides, Config, ConfigError};

    fn load(key: &str, value: &str) -> Result<Config, ConfigError> {
        let env = [(format!("ONCALLD__SERVER__{key}"), value.to_owned())];
        Config::load(None, env.into_iter(), CliOverrides::default())
    }

    fn accepted(config: &Config, header: &str) -> bool {
        config.expected_hosts().accepts(header)
    }

    #[test]
    fn loopback_names_are_expected_with_any_port_and_in_any_case() {
        let config = Config::default();
        for header in [
            "localhost",
            "LocalHost:8460",
            "127.0.0.1:1",
            "127.0.0.1",
            "[::1]:8460",
            "[::1]",
        ] {
            assert!(accepted(&config, header), "{header}");
        }
        for header in [
            "",
            ":8460",
            "evil.example",
            "evil.example:8460",
            "localhost.evil.example",
            "localhost:",
            "localhost:x",
            "localhost:0",
            "localhost:99999",
            "localhost:80:80",
            "localhost:+1",
            "::1",
            "[::1]x",
            "[::1]]",
            "]:1",
        ] {
            assert!(!accepted(&config, header), "{header}");
        }
    }

    #[test]
    fn the_listen_address_and_the_public_host_are_expected() {
        assert!(accepted(
            &load("LISTEN", "10.0.0.5:80").unwrap(),
            "10.0.0.5:8460"
        ));
        assert!(accepted(
            &load("LISTEN", "[fd00::5]:80").unwrap(),
            "[FD00::5]:80"
        ));
        let behind_proxy = load("PUBLIC_URL", "https://OnCall.example.com:8443/base").unwrap();
        assert!(accepted(&behind_proxy, "oncall.example.com"));
        assert!(accepted(&behind_proxy, "oncall.example.com:8443"));
        assert!(!accepted(&behind_proxy, "example.com"));
    }

    #[test]
    fn an_allowed_host_with_a_port_means_that_port_and_a_star_means_any() {
        let config = load("ALLOWED_HOSTS", "a.example, B.example:8460, [FD00:0::5]").unwrap();
        for header in ["a.example", "A.example:1", "b.example:8460", "[fd00::5]:1"] {
            assert!(accepted(&config, header), "{header}");
        }
        for header in ["b.example", "b.example:1", "*"] {
            assert!(!accepted(&config, header), "{header}");
        }
        let config = load("ALLOWED_HOSTS", "*").unwrap();
        assert!(accepted(&config, "evil.example") && accepted(&config, ""));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "a b",
            "a..b",
            ".a",
            "a:",
            "a:0",
            "a:70000",
            "http://a",
            "a/b",
            "*.example",
            "::1",
            "[::1",
            "ä.example",
        ] {
            assert!(load("ALLOWED_HOSTS", host).is_err(), "{host}");
        }
    }

    #[test]
    fn a_public_url_is_http_without_user_query_and_trailing_slash() {
        for url in [
            "http://a",
            "https://a.example:8443",
            "https://[::1]:8460",
            "https://a/oncall",
            "http://10.0.0.1",
        ] {
            let public = load("PUBLIC_URL", url).unwrap().server.public_url.unwrap();
            assert_eq!(public.as_str(), url);
        }
        for url in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https:///x",
            "https://a/",
            "https://a/b/",
            "https://u@a",
            "https://a?x",
            "https://a/b?x",
            "https://a/b#c",
            "https://a b",
            "https://a/b c",
            "https://a:x",
        ] {
            assert!(load("PUBLIC_URL", url).is_err(), "{url}");
        }
    }
}
