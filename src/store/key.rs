//! Keys: fixed-width parts whose byte order is the order of what they stand for.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use uuid::Uuid;

/// A key under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Vec<u8>);

impl Key {
    /// An empty key: a prefix of all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends 16 bytes of an id.
    pub fn id(mut self, id: Uuid) -> Self {
        self.0.extend(id.as_bytes());
        self
    }

    /// Appends one byte.
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Appends a date, 4 bytes; earlier dates first. Dates before year 1 are all the same.
    pub fn date(mut self, date: NaiveDate) -> Self {
        let day = date.num_days_from_ce().max(0).unsigned_abs();
        self.0.extend(day.to_be_bytes());
        self
    }

    /// Appends an instant in milliseconds, 8 bytes; earlier ones first.
    pub fn instant(mut self, at: DateTime<Utc>) -> Self {
        self.0.extend(ordered(at.timestamp_millis()));
        self
    }

    /// Appends a position, 8 bytes.
    pub fn seq(mut self, seq: u64) -> Self {
        self.0.extend(seq.to_be_bytes());
        self
    }

    /// Appends text and a closing zero byte, so that no text is a prefix of another.
    pub fn text(mut self, text: &str) -> Self {
        self.0.extend(text.bytes().filter(|b| *b != 0));
        self.0.push(0);
        self
    }

    /// Appends bytes as they are.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The range of all keys that begin with this one.
    pub fn prefixed(&self) -> (Vec<u8>, Vec<u8>) {
        (self.0.clone(), self.end())
    }

    /// The first key after all that begin with this one.
    pub fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return end;
            }
        }
        vec![u8::MAX; 64]
    }
}

/// Flips the sign bit, so that negative numbers sort before positive ones.
fn ordered(n: i64) -> [u8; 8] {
    (n ^ i64::MIN).to_be_bytes()
}

/// The id at the end of an index key, if it is long enough.
pub fn trailing_id(key: &[u8]) -> Option<Uuid> {
    let start = key.len().checked_sub(16)?;
    Uuid::from_slice(key.get(start..)?).ok()
}

/// The date before the id at the end of an index key, as [`Key::date`] appends it, if the key is
/// long enough.
pub fn date_before_id(key: &[u8]) -> Option<[u8; 4]> {
    let (before, _) = key.split_at_checked(key.len().checked_sub(16)?)?;
    before.last_chunk().copied()
}

/// The position at the end of an index key, if it is long enough.
pub fn trailing_seq(key: &[u8]) -> Option<u64> {
    let start = key.len().checked_sub(8)?;
    Some(u64::from_be_bytes(key.get(start..)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_time_comes_first() {
        let key = |date| Key::new().date(date).0;
        let epoch = NaiveDate::from_epoch_days(0).unwrap();
        assert!(key(NaiveDate::MIN) < key(epoch) && key(epoch) < key(NaiveDate::MAX));
    }

    proptest::proptest! {
        #[test]
        fn key_order_is_the_order_of_the_parts(a: i32, b: i32, ta in "[A-Z]{0,4}", tb in "[A-Z]{0,4}") {
            let date = |n: i32| NaiveDate::from_epoch_days(n % 100_000).unwrap();
            let (da, db) = (date(a), date(b));
            let key = |t: &str, d| Key::new().text(t).date(d);
            proptest::prop_assert_eq!((&ta, da).cmp(&(&tb, db)), key(&ta, da).0.cmp(&key(&tb, db).0));
            let (ia, ib) = (i64::from(a) * 1000, i64::from(b) * 1000);
            proptest::prop_assert_eq!(ia.cmp(&ib), ordered(ia).cmp(&ordered(ib)));
        }

        #[test]
        fn a_prefix_range_holds_what_begins_so(prefix: Vec<u8>, rest: Vec<u8>) {
            let prefix: Vec<u8> = prefix.into_iter().take(20).collect();
            let (from, to) = Key::new().bytes(&prefix).prefixed();
            let key: Vec<u8> = prefix.iter().chain(&rest).copied().take(60).collect();
            proptest::prop_assert!(from <= key && key < to);
        }
    }
}
