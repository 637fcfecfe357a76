//! Requests to wherever a configuration or a plugin says: not into the private network, and
//! nowhere but to the address that was checked.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

use crate::tls;

const CONNECT: Duration = Duration::from_secs(5);

const USER_AGENT: &str = concat!("oncalld/", env!("CARGO_PKG_VERSION"));

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those of the public internet.
    Internet,
    /// Those of the public internet, and this host by a loopback address.
    Public,
    /// All of them.
    Anywhere,
}

/// A host's address lies beyond the reach.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {kind}: nothing is sent there")]
pub struct Refused {
    /// The address, and the name that leads to it where there is one.
    what: String,
    kind: &'static str,
}

impl Reach {
    /// Whether the address may be connected to.
    fn check(self, address: IpAddr) -> Result<(), Refused> {
        let kind = match self {
            Self::Anywhere => None,
            Self::Internet if address.to_canonical().is_loopback() => Some(LOOPBACK),
            Self::Internet | Self::Public => kind_if_not_public(address),
        };
        kind.map_or(Ok(()), |kind| {
            let what = address.to_string();
            Err(Refused { what, kind })
        })
    }
}

/// An HTTP client that stays within its reach. It follows no redirects, and goes through no
/// proxy, which would connect in its place. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    reach: Reach,
}

impl Client {
    /// A client whose requests may take `timeout`, from connecting to the end of the answer.
    /// Without `tls` it needs no certificates, and is for plain http alone.
    ///
    /// # Errors
    /// The host's certificates can't be read.
    pub fn new(reach: Reach, timeout: Duration, tls: bool) -> Result<Self, reqwest::Error> {
        Self::with_lookup(reach, timeout, tls, look_up)
    }

    fn with_lookup(
        reach: Reach,
        timeout: Duration,
        tls: bool,
        lookup: Lookup,
    ) -> Result<Self, reqwest::Error> {
        tls::use_ring();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .timeout(timeout)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { reach, lookup }));
        if !tls {
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build()?;
        Ok(Self { http, reach })
    }

    /// A request. Where the host is a name, its addresses are checked when it is sent, and
    /// [`refusal`] tells whether that is why it failed.
    ///
    /// # Errors
    /// The host is an address beyond the reach.
    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Refused> {
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        if let Some(address) = literal {
            self.reach.check(address)?;
        }
        Ok(self.http.request(method, url))
    }
}

/// The refusal because of which a request failed, if that is why.
pub fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The last cause of an error, which says what happened; it doesn't hold the URL.
pub fn root(error: &reqwest::Error) -> String {
    let last = causes(error).last();
    last.map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    fn next<'a>(cause: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        (*cause).source()
    }
    std::iter::successors(error.source(), next)
}

type Lookup = fn(&str) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Hands out the addresses of a name once all of them are checked: what is connected to is what
/// was checked, whatever the name leads to a moment later.
struct Resolver {
    reach: Reach,
    lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let host = name.as_str().to_owned();
        let addresses = (self.lookup)(&host);
        Box::pin(async move {
            let addresses = addresses.await?;
            for address in &addresses {
                reach.check(address.ip()).map_err(|refused| Refused {
                    what: format!("{}, where {host} leads,", refused.what),
                    ..refused
                })?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn look_up(host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
    let host = host.to_owned();
    Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
}

/// What an address is that is neither public nor loopback.
fn kind_if_not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(ip) => kind_of_v4(ip),
        IpAddr::V6(ip) => kind_of_v6(ip),
    }
}

const LOOPBACK: &str = "an address of this host";
const METADATA: &str = "an address of a cloud's own services";
const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address";
const MULTICAST: &str = "a multicast address";
const RESERVED: &str = "a reserved address";

fn kind_of_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        [168, 63, 129, 16] | [169, 254, 169, 254] => Some(METADATA),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(PRIVATE),
        [100, 64..=127, ..] => Some("an address of a provider's network"),
        [169, 254, ..] => Some(LINK_LOCAL),
        [224..=239, ..] => Some(MULTICAST),
        // "This" network, special purposes, documentation, benchmarks, the future.
        [0 | 240..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Some(RESERVED),
        _ => None,
    }
}

fn kind_of_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(ip) = ip.to_ipv4_mapped() {
        return kind_of_v4(ip);
    }
    match ip.segments() {
        // Translated to IPv4 on the way: NAT64 and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let ip = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
            kind_of_v4(ip).or(ip.is_loopback().then_some(RESERVED))
        }
        [0xfc00..=0xfdff, ..] => Some(PRIVATE),
        [0xfe80..=0xfebf, ..] => Some(LINK_LOCAL),
        [0xff00..=0xffff, ..] => Some(MULTICAST),
        // Protocols (Teredo among them) and documentation, within what is public.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(RESERVED),
        [0, 0, 0, 0, 0, 0, 0, 1] | [0x2000..=0x3fff, ..] => None,
        _ => Some(RESERVED),
    }
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
