//! Which notification of one sink goes out next. Pure: it knows neither time nor I/O.
//!
//! Each recipient has a line. Only the head of a line goes out, and the next one not before what
//! became of it is settled: so a recipient reads messages in the order in which things happened,
//! and one whose messages don't get through holds up nobody else.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::notification::Event;

/// Messages written within this time may become one.
const MERGED_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// No message is made of more.
const MERGED_AT_MOST: usize = 20;

/// A pending notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its position in the outbox.
    pub seq: u64,
    /// What it tells of.
    pub event: Event,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Not before this instant.
    pub due_at: DateTime<Utc>,
}

/// Notifications that go out together: the head of a recipient's line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Whose.
    pub recipient: Arc<str>,
    /// Positions in the outbox, ascending.
    pub positions: Vec<u64>,
}

/// The pending notifications of one sink.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    lines: HashMap<Arc<str>, Line>,
    /// The heads of the lines from which nothing is under way.
    heads: BTreeSet<(DateTime<Utc>, u64, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Entry>,
    /// How many of the first are under way.
    under_way: usize,
}

impl Queue {
    /// Adds one to the end of a recipient's line.
    pub fn push(&mut self, recipient: &str, entry: Entry) {
        let recipient = match self.lines.get_key_value(recipient) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(recipient),
        };
        let line = self.lines.entry(Arc::clone(&recipient)).or_default();
        line.waiting.push_back(entry);
        if line.waiting.len() == 1 {
            self.heads.insert((entry.due_at, entry.seq, recipient));
        }
    }

    /// When the next one is due, if there is one that isn't under way.
    pub fn next_due_at(&self) -> Option<DateTime<Utc>> {
        self.heads.first().map(|(due_at, ..)| *due_at)
    }

    /// Takes the line that has been due longest: its head, and what follows it as far as
    /// `merges` says that both may become one message.
    pub fn take(
        &mut self,
        now: DateTime<Utc>,
        merges: impl Fn(Event, Event) -> bool,
    ) -> Option<Batch> {
        if self.next_due_at()? > now {
            return None;
        }
        let (_, _, recipient) = self.heads.pop_first()?;
        let line = self.lines.get_mut(&recipient)?;
        let first = *line.waiting.front()?;
        let goes_with = |entry: &&Entry| {
            entry.created_at - first.created_at <= MERGED_WITHIN && merges(first.event, entry.event)
        };
        let followers = line.waiting.iter().skip(1).take(MERGED_AT_MOST - 1);
        let others = followers.take_while(goes_with).map(|entry| entry.seq);
        let positions: Vec<_> = std::iter::once(first.seq).chain(others).collect();
        line.under_way = positions.len();
        Some(Batch {
            recipient,
            positions,
        })
    }

    /// What was under way for a recipient is over: each of it leaves the line, or, where `again_at`
    /// names an instant for its position, stays and is due then.
    pub fn done(&mut self, recipient: &str, again_at: impl Fn(u64) -> Option<DateTime<Utc>>) {
        let Some((key, _)) = self.lines.get_key_value(recipient) else {
            return;
        };
        let key = Arc::clone(key);
        let Some(line) = self.lines.get_mut(&key) else {
            return;
        };
        let count = std::mem::take(&mut line.under_way);
        let over: Vec<_> = line.waiting.drain(..count).collect();
        for entry in over.into_iter().rev() {
            if let Some(due_at) = again_at(entry.seq) {
                line.waiting.push_front(Entry { due_at, ..entry });
            }
        }
        match line.waiting.front() {
            Some(head) => drop(self.heads.insert((head.due_at, head.seq, key))),
            None => drop(self.lines.remove(&key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn entry(seq: u64, event: Event, created: i64) -> Entry {
        let created_at = at(created);
        Entry {
            seq,
            event,
            created_at,
            due_at: created_at,
        }
    }

    fn never(_: Event, _: Event) -> bool {
        false
    }

    #[test]
    fn the_next_to_a_recipient_waits_until_the_one_before_is_settled() {
        let mut queue = Queue::default();
        queue.push("U1", entry(1, Event::Handoff, 0));
        queue.push("U1", entry(2, Event::Handoff, 0));
        queue.push("U2", entry(3, Event::Handoff, 0));
        let take =
            |queue: &mut Queue, second| queue.take(at(second), never).map(|batch| batch.positions);
        assert_eq!(take(&mut queue, 0), Some(vec![1]));
        assert_eq!(take(&mut queue, 0), Some(vec![3]));
        assert_eq!(take(&mut queue, 0), None);
        queue.done("U1", |_| Some(at(30)));
        assert_eq!(take(&mut queue, 29), None);
        assert_eq!(take(&mut queue, 30), Some(vec![1]));
        queue.done("U1", |_| None);
        assert_eq!(take(&mut queue, 30), Some(vec![2]));
        queue.done("U1", |_| None);
        queue.done("U2", |_| None);
        assert_eq!(queue.next_due_at(), None);
        assert!(queue.lines.is_empty(), "nothing is kept of recipients");
    }

    #[test]
    fn what_was_written_in_one_minute_may_go_out_as_one() {
        let mut queue = Queue::default();
        for (seq, event, created) in [
            (1, Event::ShiftEnded, 0),
            (2, Event::ShiftStarted, 60),
            (3, Event::ShiftStarted, 61),
            (4, Event::OverrideRequested, 61),
        ] {
            queue.push("U1", entry(seq, event, created));
        }
        let merges = |_: Event, second: Event| second != Event::OverrideRequested;
        let mut take = || {
            let batch = queue.take(at(100), merges);
            queue.done("U1", |_| None);
            batch.map(|batch| batch.positions)
        };
        assert_eq!(take(), Some(vec![1, 2]));
        assert_eq!(take(), Some(vec![3]));
        assert_eq!(take(), Some(vec![4]));
        assert_eq!(take(), None);
    }

    #[derive(Clone, Debug)]
    enum Op {
        Push(u8),
        Take,
        Done(u8, Option<u8>),
        Wait(u8),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            (0u8..4).prop_map(Op::Push),
            Just(Op::Take),
            (0u8..4, proptest::option::of(1u8..9)).prop_map(|(who, again)| Op::Done(who, again)),
            (1u8..20).prop_map(Op::Wait),
        ];
        proptest::collection::vec(op, 0..120)
    }

    proptest! {
        /// Whatever happens in whatever order: every notification goes out, each recipient's in
        /// order, never two at once for one recipient, and never before it is due.
        #[test]
        fn nothing_is_lost_or_overtaken(ops in ops()) {
            let names = ["A", "B", "C", "D"];
            let (mut queue, mut now, mut seq) = (Queue::default(), 0i64, 0u64);
            let mut under_way: HashMap<String, Vec<u64>> = HashMap::new();
            let mut delivered: HashMap<String, Vec<u64>> = HashMap::new();
            let mut not_before: HashMap<String, i64> = HashMap::new();
            let drain = [Op::Wait(200), Op::Take, Op::Take, Op::Take, Op::Take,
                Op::Done(0, None), Op::Done(1, None), Op::Done(2, None), Op::Done(3, None)];
            let drains = std::iter::repeat_n(drain, 130).flatten();
            for op in ops.into_iter().chain(drains) {
                match op {
                    Op::Push(who) => {
                        seq += 1;
                        queue.push(names[usize::from(who)], entry(seq, Event::Handoff, now));
                    }
                    Op::Take => {
                        let Some(batch) = queue.take(at(now), |_, _| true) else { continue };
                        let who = batch.recipient.to_string();
                        prop_assert!(not_before.get(&who).is_none_or(|then| *then <= now));
                        prop_assert!(under_way.insert(who, batch.positions).is_none());
                    }
                    Op::Done(who, again) => {
                        let who = names[usize::from(who)].to_owned();
                        let Some(positions) = under_way.remove(&who) else { continue };
                        queue.done(&who, |_| again.map(|after| at(now + i64::from(after))));
                        match again {
                            Some(after) => drop(not_before.insert(who, now + i64::from(after))),
                            None => delivered.entry(who).or_default().extend(positions),
                        }
                    }
                    Op::Wait(seconds) => now += i64::from(seconds),
                }
            }
            prop_assert!(queue.lines.is_empty());
            let total: usize = delivered.values().map(Vec::len).sum();
            prop_assert_eq!(total as u64, seq);
            for positions in delivered.values() {
                prop_assert!(positions.is_sorted());
            }
        }
    }
}
