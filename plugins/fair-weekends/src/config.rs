//! What a team may set in its `plugin_config`.

use serde::Deserialize;

use crate::bindings::rotation::Weekday;
use crate::calendar::Holiday;

/// The most that a day may count.
const MOST_POINTS: f64 = 100.0;

/// The config; a day that is neither weekend nor holiday counts one point.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which days of the week are the weekend. A day on call lasts into the next morning: who
    /// counts Friday night as weekend adds `friday`.
    #[serde(deserialize_with = "weekdays")]
    pub weekend_days: Vec<Weekday>,
    /// How many points a weekend day counts.
    pub weekend_points: f64,
    /// Holidays: `2026-12-25`, or `12-25` for each year's.
    pub holidays: Vec<Holiday>,
    /// How many points a holiday counts, on a weekend too.
    pub holiday_points: f64,
    /// With daily shifts: whoever begins a weekend or a run of weekdays stays on for all of it.
    pub blocks: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            weekend_days: vec![Weekday::Saturday, Weekday::Sunday],
            weekend_points: 2.0,
            holidays: Vec::new(),
            holiday_points: 3.0,
            blocks: false,
        }
    }
}

impl Config {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Names the field and what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, String> {
        let config: Self =
            serde_json::from_str(json).map_err(|error| format!("plugin_config: {error}"))?;
        for (field, points) in [
            ("weekend_points", config.weekend_points),
            ("holiday_points", config.holiday_points),
        ] {
            if !(1.0..=MOST_POINTS).contains(&points) {
                return Err(format!(
                    "plugin_config: {field} is {points}, expected 1 to {MOST_POINTS}"
                ));
            }
        }
        Ok(config)
    }
}

/// Weekdays by their English names.
fn weekdays<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Weekday>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase", remote = "Weekday")]
    enum Named {
        Monday,
        Tuesday,
        Wednesday,
        Thursday,
        Friday,
        Saturday,
        Sunday,
    }
    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "Named")] Weekday);
    let names = Vec::<Wrapped>::deserialize(from)?;
    Ok(names.into_iter().map(|Wrapped(day)| day).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_config_is_the_default() {
        let config = Config::parse("{}").unwrap();
        assert_eq!(config.weekend_days, [Weekday::Saturday, Weekday::Sunday]);
        assert!(config.holidays.is_empty() && !config.blocks);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, named) in [
            (r#"{"weekend_points": 0.5}"#, "weekend_points is 0.5"),
            (r#"{"holiday_points": 1e9}"#, "holiday_points"),
            (r#"{"weekend_days": ["sat"]}"#, "unknown variant `sat`"),
            (r#"{"holidays": ["2026-02-30"]}"#, "2026-02-30"),
            (r#"{"weekends": []}"#, "unknown field `weekends`"),
            ("[", "plugin_config"),
        ] {
            let error = Config::parse(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
