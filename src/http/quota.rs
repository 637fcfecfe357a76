//! How much one token, or one address without a token, may ask for in a minute, where that is limited.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::connections::Peer;
use super::problem::Problem;
use crate::app::Actor;
use crate::domain::ids::TokenId;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// How often those who have asked for nothing of late are forgotten.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// Who is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Token(TokenId),
    Address(IpAddr),
}

type Limiter = RateLimiter<Who, DashMapStateStore<Who>, DefaultClock, StateInformationMiddleware>;

/// Requests a minute. What is saved up is a minute's worth at most, and comes back evenly.
pub struct Requests {
    per_minute: NonZeroU32,
    limiter: Limiter,
    forgotten: Mutex<Instant>,
}

impl Requests {
    /// So many for each.
    pub fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(per_minute));
        Self {
            per_minute,
            limiter: limiter.with_middleware(),
            forgotten: Mutex::new(Instant::now()),
        }
    }

    /// Counts a request: what its answer says of the limit.
    ///
    /// # Errors
    /// There are none left this minute.
    pub fn count(&self, actor: &Actor, peer: Option<&Peer>) -> Result<Option<Left>, Problem> {
        let who = match (actor, peer.and_then(Peer::ip)) {
            (Actor::Token { id, .. }, _) => Who::Token(*id),
            (_, Some(address)) => Who::Address(network(address)),
            // Of this host's own nothing is counted.
            (_, None) => return Ok(None),
        };
        self.forget();
        match self.limiter.check_key(&who) {
            Ok(state) => Ok(Some(Left {
                per_minute: self.per_minute,
                remaining: state.remaining_burst_capacity(),
            })),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                let seconds = wait.as_secs() + 1;
                let of = match who {
                    Who::Token(_) => "this token",
                    Who::Address(_) => "this address",
                };
                let detail = format!(
                    "{of} has used up its {} requests a minute (auth.requests_per_minute)",
                    self.per_minute
                );
                Err(Problem {
                    retry_after: Some(seconds),
                    ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
                })
            }
        }
    }

    fn forget(&self) {
        let mut last = self
            .forgotten
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= FORGET_EVERY {
            *last = Instant::now();
            drop(last);
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    per_minute: NonZeroU32,
    remaining: u32,
}

impl Left {
    /// Says so, in the form of draft-ietf-httpapi-ratelimit-headers.
    pub fn tell(self, headers: &mut HeaderMap) {
        let policy = format!("\"minute\";q={};w=60", self.per_minute);
        let left = format!("\"minute\";r={}", self.remaining);
        for (name, text) in [(POLICY, policy), (LIMIT, left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

/// An address as it is counted: whoever has one of IPv6 has all of its /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let bits = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::Address(SocketAddr::new(text.parse().unwrap(), 1))
    }

    #[test]
    fn each_address_has_its_own_and_a_network_of_ipv6_is_one() {
        let requests = Requests::new(NonZeroU32::new(2).unwrap());
        let ask = |text: &str| requests.count(&Actor::Anonymous, Some(&peer(text)));
        assert_eq!(ask("192.0.2.1").unwrap().unwrap().remaining, 1);
        assert_eq!(ask("::ffff:192.0.2.1").unwrap().unwrap().remaining, 0);
        let refused = ask("192.0.2.1").unwrap_err();
        assert_eq!(refused.status, 429);
        assert!(
            refused
                .retry_after
                .is_some_and(|seconds| (1..=31).contains(&seconds))
        );
        ask("192.0.2.2").unwrap();
        ask("2001:db8::1").unwrap();
        ask("2001:db8::ffff:2").unwrap();
        ask("2001:db8::3").unwrap_err();
        ask("2001:db8:0:1::3").unwrap();
        let local = Peer::Local("root".into());
        for _ in 0..5 {
            assert_eq!(
                requests
                    .count(&Actor::Local("root".into()), Some(&local))
                    .unwrap(),
                None
            );
        }
    }
}
