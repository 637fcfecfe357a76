//! How many event streams somebody may hold open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;

use super::problem::Problem;
use crate::app::{Actor, Ctx};
use crate::domain::ids::TokenId;

/// Streams that one address may hold; behind a proxy that is all of its clients.
const MOST_OF_ADDRESS: usize = 512;
/// Streams that one token may hold.
const MOST_OF_TOKEN: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Address(String),
    Token(TokenId),
}

impl Holder {
    const fn most(&self) -> usize {
        match self {
            Self::Address(_) => MOST_OF_ADDRESS,
            Self::Token(_) => MOST_OF_TOKEN,
        }
    }
}

/// The open streams, by who holds them.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<Holder, usize>>>);

/// The right to one stream, until it's dropped.
#[derive(Debug)]
pub struct Place {
    streams: Streams,
    holders: Vec<Holder>,
}

impl Streams {
    /// Takes a place for whoever asks.
    ///
    /// # Errors
    /// 429 where address or token hold as many as they may.
    pub fn take(&self, ctx: &Ctx) -> Result<Place, Problem> {
        let address = ctx.peer.clone().map(Holder::Address);
        let token = match &ctx.actor {
            Actor::Token { id, .. } => Some(Holder::Token(*id)),
            Actor::Anonymous | Actor::Local(_) | Actor::Person { .. } | Actor::System => None,
        };
        let holders: Vec<_> = address.into_iter().chain(token).collect();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |holder: &Holder| open.get(holder).copied().unwrap_or(0);
        if let Some(holder) = holders.iter().find(|holder| held(holder) >= holder.most()) {
            let most = holder.most();
            let whose = match holder {
                Holder::Address(_) => "address",
                Holder::Token(_) => "token",
            };
            let detail = format!("this {whose} holds {most} event streams; close one first");
            return Err(Problem {
                retry_after: Some(60),
                ..Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
            });
        }
        for holder in &holders {
            *open.entry(holder.clone()).or_default() += 1;
        }
        let streams = self.clone();
        Ok(Place { streams, holders })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            if let Some(count) = open.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    open.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_streams_and_gets_its_places_back() {
        let streams = Streams::default();
        let ctx = |peer: &str| Ctx {
            peer: Some(peer.to_owned()),
            ..Ctx::system()
        };
        let places: Vec<_> = (0..MOST_OF_ADDRESS)
            .map(|_| streams.take(&ctx("192.0.2.1")).unwrap())
            .collect();
        assert_eq!(streams.take(&ctx("192.0.2.1")).unwrap_err().status, 429);
        streams.take(&ctx("192.0.2.2")).unwrap();
        drop(places);
        assert_eq!(streams.0.lock().unwrap().len(), 0);
        streams.take(&ctx("192.0.2.1")).unwrap();
    }
}
