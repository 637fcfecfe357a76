//! How single values are read: text with rules, bounded numbers, lists, each naming what it expects.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};

/// A value that is written as a string.
pub(super) trait Text: Sized {
    /// What is expected, for error messages.
    const EXPECTED: &'static str;

    /// The value, or nothing where the text isn't as expected.
    fn from_text(text: &str) -> Option<Self>;
}

impl Text for SocketAddr {
    const EXPECTED: &'static str = "an IP address with a port, such as \"127.0.0.1:8460\"";

    fn from_text(text: &str) -> Option<Self> {
        Self::from_str(text).ok()
    }
}

impl Text for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn from_text(text: &str) -> Option<Self> {
        (!text.trim().is_empty()).then(|| Self::from(text))
    }
}

/// For `deserialize_with`: a string.
pub(super) fn text<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Parsed::deserialize(deserializer)?.0)
}

/// For `deserialize_with`: a string, where the key is set at all.
pub(super) fn optional_text<'de, T: Text, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    text(deserializer).map(Some)
}

/// For `deserialize_with`: a list of strings, each at most once.
pub(super) fn list<'de, T: Text + PartialEq, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(ListVisitor(PhantomData))
}

/// For `deserialize_with`: a list of strings, each at most once, where the key is set at all.
pub(super) fn optional_list<'de, T: Text + PartialEq, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list(deserializer).map(Some)
}

/// For `deserialize_with`: a whole number within bounds.
pub(super) fn bounded<
    'de,
    const MIN: u32,
    const MAX: u32,
    T: TryFrom<u32>,
    D: Deserializer<'de>,
>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_u32(BoundedVisitor::<MIN, MAX, T>(PhantomData))
}

/// For `deserialize_with`: a list of whole numbers within bounds, at least one.
pub(super) fn bounded_list<
    'de,
    const MIN: u32,
    const MAX: u32,
    T: TryFrom<u32>,
    D: Deserializer<'de>,
>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(BoundedListVisitor::<MIN, MAX, T>(PhantomData))
}

/// Reads a [`Text`] wherever serde wants a type, so that a list's error points at the one item.
struct Parsed<T>(T);

impl<'de, T: Text> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(TextVisitor(PhantomData))
            .map(Self)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Text> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Text + PartialEq> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list, each item {}", T::EXPECTED)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(Parsed(item)) = seq.next_element()? {
            if items.contains(&item) {
                let position = items.len() + 1;
                let problem =
                    format!("item {position} repeats another, expected each at most once");
                return Err(de::Error::custom(problem));
            }
            items.push(item);
        }
        Ok(items)
    }
}

struct BoundedVisitor<const MIN: u32, const MAX: u32, T>(PhantomData<T>);

impl<const MIN: u32, const MAX: u32, T: TryFrom<u32>> Visitor<'_> for BoundedVisitor<MIN, MAX, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        let within = u32::try_from(number)
            .ok()
            .filter(|n| (MIN..=MAX).contains(n));
        within
            .and_then(|n| T::try_from(n).ok())
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// Reads a bounded number wherever serde wants a type.
struct Bounded<const MIN: u32, const MAX: u32, T>(T);

impl<'de, const MIN: u32, const MAX: u32, T: TryFrom<u32>> Deserialize<'de>
    for Bounded<MIN, MAX, T>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded::<MIN, MAX, T, D>(deserializer).map(Self)
    }
}

struct BoundedListVisitor<const MIN: u32, const MAX: u32, T>(PhantomData<T>);

impl<'de, const MIN: u32, const MAX: u32, T: TryFrom<u32>> Visitor<'de>
    for BoundedListVisitor<MIN, MAX, T>
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a list of whole numbers from {MIN} to {MAX}, at least one"
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut numbers = Vec::new();
        while let Some(Bounded::<MIN, MAX, T>(number)) = seq.next_element()? {
            numbers.push(number);
        }
        if numbers.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(numbers)
    }
}
