//! What goes wrong, as ordered or by chance.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

/// One way in which a call goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// HTTP 429 and `Retry-After` in seconds; nothing is done.
    RateLimited(u64),
    /// HTTP 200 and `"ok": false`; nothing is done.
    Error(String),
    /// HTTP 200 and this body; nothing is done.
    Answer(Value),
    /// A page of HTML with this status; nothing is done.
    Html(u16),
    /// Done, and half of the answer is sent as if it were all.
    Truncated,
    /// Done, and answered after a while.
    Slow(Duration),
    /// Not done, and never answered.
    Hang,
    /// The connection breaks before anything is done.
    BreakBefore,
    /// The connection breaks once it's done.
    BreakAfter,
}

impl Fault {
    /// An error of Slack's.
    pub fn error(name: &str) -> Self {
        Self::Error(name.to_owned())
    }

    /// Whether the call is carried out all the same.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Truncated | Self::Slow(_) | Self::BreakAfter)
    }
}

/// Faults by chance; the same seed gives the same chances.
#[derive(Clone, Debug)]
pub struct Chaos {
    /// Of a hundred calls, how many go wrong.
    pub percent: u64,
    /// One of these each time.
    pub faults: Vec<Fault>,
    random: u64,
}

impl Chaos {
    pub fn new(seed: u64, percent: u64, faults: Vec<Fault>) -> Self {
        assert!(!faults.is_empty());
        Self {
            percent,
            faults,
            random: seed,
        }
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn strike(&mut self) -> Option<Fault> {
        if self.next() % 100 >= self.percent {
            return None;
        }
        let at = usize::try_from(self.next() % self.faults.len() as u64).unwrap();
        Some(self.faults[at].clone())
    }
}

#[derive(Default)]
pub(super) struct Faults {
    ordered: VecDeque<(String, usize, Fault)>,
    pub(super) chaos: Option<Chaos>,
}

impl Faults {
    pub(super) fn order(&mut self, method: &str, times: usize, fault: Fault) {
        self.ordered.push_back((method.to_owned(), times, fault));
    }

    /// What the next call of a method meets with.
    pub(super) fn next(&mut self, method: &str) -> Option<Fault> {
        self.ordered.retain(|(_, times, _)| *times > 0);
        let mut ordered = self.ordered.iter_mut();
        if let Some((_, times, fault)) = ordered.find(|(of, ..)| of == method || of == "*") {
            *times -= 1;
            return Some(fault.clone());
        }
        self.chaos.as_mut().and_then(Chaos::strike)
    }
}
