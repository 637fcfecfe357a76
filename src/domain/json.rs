//! Free-form JSON inside an entity.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A JSON value. On disk it is its text, since the record format is positional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Json(pub Value);

impl Json {
    /// An empty object.
    pub fn object() -> Self {
        Self(Value::Object(Map::new()))
    }

    /// True for null and for an object without fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_null() || self.0.as_object().is_some_and(Map::is_empty)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        // By name, whichever order the maps of this build of serde_json have.
        let mut value = self.0.clone();
        value.sort_all_objects();
        serde_json::to_string(&value)
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Value::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The audit log hashes the text of what it wrote, and proves it by what it reads.
        #[test]
        fn every_number_reads_as_it_was_written(number: f64) {
            let text = serde_json::to_string(&number).unwrap();
            let read: Value = serde_json::from_str(&text).unwrap();
            proptest::prop_assert_eq!(text, read.to_string());
        }
    }
}
