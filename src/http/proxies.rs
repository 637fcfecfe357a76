//! Whom a request comes from, where reverse proxies that are trusted pass it on.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::config::ForwardedHeader;
use crate::http::connections::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose word counts.
#[derive(Clone, Debug)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Vec<IpNet>,
    /// The header in which they say whom they speak for.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// Who is behind a peer, as far as trusted proxies say: the last address of the header that isn't
    /// theirs. What comes before it may be made up by that client. Anybody else stays who they are.
    pub fn client(&self, peer: &Peer, headers: &HeaderMap) -> Peer {
        let Peer::Address(address) = peer else {
            return peer.clone();
        };
        if !self.is_trusted(address.ip()) {
            return peer.clone();
        }
        let mut client = address.ip();
        for hop in self.hops(headers).iter().rev() {
            // Whoever a proxy doesn't name is as far as we see.
            let Some(hop) = hop else { break };
            client = *hop;
            if !self.is_trusted(client) {
                break;
            }
        }
        Peer::Address(SocketAddr::new(client, 0))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// The addresses of the header, in its order; none for what names none.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let name = match self.header {
            ForwardedHeader::Forwarded => header::FORWARDED,
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        };
        let lines = headers.get_all(name);
        let lines = lines.iter().map(|line| line.to_str().unwrap_or_default());
        let elements = lines.flat_map(|line| unquoted(line, ','));
        elements
            .map(|element| match self.header {
                ForwardedHeader::Forwarded => of_pairs(element),
                ForwardedHeader::XForwardedFor => address(element.trim()),
            })
            .collect()
    }
}

/// The parts of a text between separators that aren't in quotes.
fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut in_quotes = false;
    text.split(move |letter| {
        in_quotes ^= letter == '"';
        letter == separator && !in_quotes
    })
}

/// The `for` of an element of `Forwarded` (RFC 7239).
fn of_pairs(element: &str) -> Option<IpAddr> {
    let mut pairs = unquoted(element, ';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// An address, perhaps with a port; IPv6 perhaps in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => text,
    };
    let parsed = bare.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    parsed
        .or_else(with_port)
        .map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[&str]) -> String {
        let trusted = ["127.0.0.0/8", "10.0.0.0/24", "fd00::/64"];
        let proxies = Proxies {
            trusted: trusted.map(|net| net.parse().unwrap()).to_vec(),
            header,
        };
        let mut headers = HeaderMap::new();
        let name = match header {
            ForwardedHeader::Forwarded => header::FORWARDED,
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
        };
        for line in lines {
            headers.append(&name, HeaderValue::from_str(line).unwrap());
        }
        let peer = Peer::Address(SocketAddr::new(peer.parse().unwrap(), 4711));
        proxies.client(&peer, &headers).to_string()
    }

    #[test]
    fn a_trusted_proxy_says_whom_it_speaks_for_and_nobody_else_does() {
        let of = |peer: &str, lines: &[&str]| client(ForwardedHeader::XForwardedFor, peer, lines);
        assert_eq!(of("127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(of("192.0.2.1", &["192.0.2.7"]), "192.0.2.1", "not trusted");
        assert_eq!(of("127.0.0.1", &[]), "127.0.0.1");
        // What a client wrote itself stands before what proxies add.
        assert_eq!(of("127.0.0.1", &["1.1.1.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(
            of("127.0.0.1", &["1.1.1.1", "192.0.2.7, 10.0.0.9"]),
            "192.0.2.7"
        );
        assert_eq!(
            of("127.0.0.1", &["10.0.0.8, 10.0.0.9"]),
            "10.0.0.8",
            "all of them proxies"
        );
        assert_eq!(of("127.0.0.1", &["192.0.2.7, junk, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(
            of("::ffff:127.0.0.1", &["[2001:db8::1]:443"]),
            "2001:db8::1"
        );
        assert_eq!(of("fd00::5", &["192.0.2.7:80"]), "192.0.2.7");
    }

    #[test]
    fn forwarded_is_read_as_its_rfc_has_it() {
        let of = |line: &str| client(ForwardedHeader::Forwarded, "127.0.0.1", &[line]);
        assert_eq!(
            of("for=192.0.2.60;proto=http;by=203.0.113.43"),
            "192.0.2.60"
        );
        assert_eq!(of("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(
            of("for=192.0.2.43, for=198.51.100.17;by=\"a,b;c\""),
            "198.51.100.17"
        );
        assert_eq!(of("for=192.0.2.43, for=unknown"), "127.0.0.1");
        assert_eq!(of("for=\"_gazonk\""), "127.0.0.1");
        assert_eq!(of("by=10.0.0.9"), "127.0.0.1");
    }
}
