//! Whose turn it is: first which region's, then who in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::bindings::rotation::{Candidate, Context, Pick};

/// What a team may set in its `plugin_config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The regions, each with its people's Slack user ids.
    regions: BTreeMap<String, BTreeSet<String>>,
    /// The regions in the order of their turns, a period each. One that is named twice has
    /// two turns. Empty: all regions, by name.
    order: Vec<String>,
    /// Days on which a region hands its turn to the next one, such as `2026-12-25`.
    holidays: BTreeMap<String, BTreeSet<String>>,
}

impl Config {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Names the field and what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, String> {
        let mut config: Self =
            serde_json::from_str(json).map_err(|error| format!("plugin_config: {error}"))?;
        if config.regions.is_empty() {
            return Err(
                "plugin_config: regions is empty, expected regions and their people".into(),
            );
        }
        if config.order.is_empty() {
            config.order = config.regions.keys().cloned().collect();
        }
        let named = config.order.iter().chain(config.holidays.keys());
        for region in named {
            if !config.regions.contains_key(region) {
                return Err(format!(
                    "plugin_config: {region:?} is not one of the regions"
                ));
            }
        }
        Ok(config)
    }

    fn is_in(&self, region: &str, candidate: &Candidate) -> bool {
        self.regions
            .get(region)
            .is_some_and(|users| users.contains(&candidate.user))
    }
}

/// The region whose turn it is by the period's number; where nobody there can be picked, or the
/// region has a holiday, the next one.
///
/// # Errors
/// No candidate is in any of the regions.
pub fn pick(ctx: &Context, config: &Config) -> Result<Pick, String> {
    let turns = config.order.len();
    let turn = ctx.period.number.saturating_sub(1) as usize % turns;
    let in_turn = || config.order.iter().cycle().skip(turn).take(turns);
    let present = |region: &&String| ctx.candidates.iter().any(|c| config.is_in(region, c));
    let works = |region: &&String| !has_holiday(ctx, config, region);
    let region = in_turn()
        .filter(works)
        .find(present)
        // On a holiday of all of them somebody has to be on call too.
        .or_else(|| in_turn().find(present))
        .ok_or("no candidate is in any of the regions of plugin_config")?;

    // Ring order decides among those who never were; it is kept by min_by_key.
    let chosen = ctx
        .candidates
        .iter()
        .filter(|c| config.is_in(region, c))
        .min_by_key(|c| c.last_served.map(|day| day.number))
        .ok_or("the region has no candidate")?;

    let first = &config.order[turn];
    let whose = if region == first {
        format!("{region} has the turn")
    } else if has_holiday(ctx, config, first) {
        format!("{region} takes over from {first}, which has a holiday")
    } else {
        format!("{region} takes over from {first}, where nobody can")
    };
    let since = match chosen.last_served {
        Some(day) => format!(
            "longest since on call there ({})",
            iso(day.year, day.month, day.day)
        ),
        None => "never on call before".to_owned(),
    };
    Ok(Pick {
        user: chosen.user.clone(),
        reason: format!("{whose}; {since}"),
    })
}

fn has_holiday(ctx: &Context, config: &Config, region: &str) -> bool {
    let Some(holidays) = config.holidays.get(region) else {
        return false;
    };
    let (first, last) = (ctx.period.first, ctx.period.last);
    // Dates in this form sort as they follow each other.
    let first = iso(first.year, first.month, first.day);
    let last = iso(last.year, last.month, last.day);
    holidays.range(first..=last).next().is_some()
}

fn iso(year: u16, month: u8, day: u8) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::oncalld::plugin::types::Team;
    use crate::bindings::rotation::{Date, Period, Role, Weekday};

    const THREE: &str = r#"{"regions": {"apac": ["UA1", "UA2"], "emea": ["UE"], "amer": ["UM"]},
        "order": ["apac", "emea", "amer"],
        "holidays": {"emea": ["2026-12-02", "2026-12-03"], "amer": ["2026-12-03"]}}"#;

    /// A day of December 2026.
    fn day(day: u8) -> Date {
        let weekday = Weekday::Monday;
        Date {
            year: 2026,
            month: 12,
            day,
            weekday,
            number: 20_787 + i32::from(day),
        }
    }

    fn context(number: u32, first: u8, candidates: &[(&str, Option<u8>)]) -> Context {
        let candidate = |(user, last): &(&str, Option<u8>)| Candidate {
            user: (*user).into(),
            role: Role::Member,
            weight: 1.0,
            target: 0.25,
            joined: day(1),
            served: 0.0,
            credit: 0.0,
            last_served: last.map(day),
        };
        Context {
            team: Team {
                id: String::new(),
                name: String::new(),
                slug: String::new(),
                timezone: "UTC".into(),
            },
            period: Period {
                number,
                first: day(first),
                last: day(first),
            },
            candidates: candidates.iter().map(candidate).collect(),
            last_pick: None,
            recent_shifts: Vec::new(),
            periods_counted: number - 1,
            config: THREE.into(),
            seed: 0,
        }
    }

    fn picked(number: u32, first: u8, candidates: &[(&str, Option<u8>)]) -> (String, String) {
        let ctx = context(number, first, candidates);
        let pick = pick(&ctx, &Config::parse(THREE).unwrap()).unwrap();
        (pick.user, pick.reason)
    }

    const EVERYBODY: [(&str, Option<u8>); 5] = [
        ("UA1", Some(9)),
        ("UA2", Some(8)),
        ("UE", None),
        ("UM", None),
        ("UX", None),
    ];

    #[test]
    fn regions_take_turns_and_in_a_region_whoever_was_on_call_longest_ago() {
        let turns: Vec<_> = (1..=4)
            .map(|number| picked(number, 10, &EVERYBODY).0)
            .collect();
        assert_eq!(turns, ["UA2", "UE", "UM", "UA2"]);
        let (_, reason) = picked(1, 10, &EVERYBODY);
        assert_eq!(
            reason,
            "apac has the turn; longest since on call there (2026-12-08)"
        );
        let (user, reason) = picked(1, 10, &[("UA1", Some(1)), ("UA2", None)]);
        assert_eq!(
            (user.as_str(), reason.as_str()),
            ("UA2", "apac has the turn; never on call before")
        );
    }

    #[test]
    fn a_region_without_candidates_or_with_a_holiday_hands_on() {
        let (user, reason) = picked(2, 10, &[("UA1", None), ("UM", None)]);
        assert_eq!(user, "UM");
        assert_eq!(
            reason,
            "amer takes over from emea, where nobody can; never on call before"
        );
        let (user, reason) = picked(2, 2, &EVERYBODY);
        assert_eq!(user, "UM");
        assert!(
            reason.starts_with("amer takes over from emea, which has a holiday"),
            "{reason}"
        );
        assert_eq!(picked(2, 3, &EVERYBODY).0, "UA2", "amer has a holiday too");
        assert_eq!(
            picked(2, 3, &[("UE", None), ("UM", None)]).0,
            "UE",
            "nobody else is there"
        );
    }

    #[test]
    fn people_in_no_region_are_not_picked() {
        let ctx = context(1, 10, &[("UX", None)]);
        let error = pick(&ctx, &Config::parse(THREE).unwrap()).unwrap_err();
        assert!(
            error.contains("no candidate is in any of the regions"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_in_the_config_is_named() {
        for (json, named) in [
            ("{}", "regions is empty"),
            (
                r#"{"regions": {"a": []}, "order": ["b"]}"#,
                "\"b\" is not one of the regions",
            ),
            (r#"{"regions": {"a": []}, "holidays": {"c": []}}"#, "\"c\""),
            (r#"{"regions": ["U1"]}"#, "invalid type"),
            (r#"{"region": {}}"#, "unknown field `region`"),
        ] {
            let error = Config::parse(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
        let config = Config::parse(r#"{"regions": {"b": [], "a": []}}"#).unwrap();
        assert_eq!(config.order, ["a", "b"]);
    }
}
