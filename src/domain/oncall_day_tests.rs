//! Brute force: a walk in 30-second steps through every kind of odd clock change.

use chrono::{TimeDelta, Timelike};

use super::*;

fn clock(zone: &str, handoff: &str) -> OnCallClock {
    OnCallClock::new(zone, handoff.parse().unwrap())
}

/// (zone, a date near the change): half-hour change, gaps and overlaps at midnight,
/// a skipped calendar day, a doubled one, a permanent change, plain changes.
const ODD: &[(&str, &str)] = &[
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Asia/Beirut", "2026-03-29"),
    ("Pacific/Apia", "2011-12-30"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("America/Vancouver", "2026-03-08"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-10-25"),
    ("Asia/Kathmandu", "2026-06-01"),
    ("Antarctica/Troll", "2026-03-29"),
];

#[test]
fn days_follow_one_another_without_gap_or_overlap_through_every_clock_change() {
    for (zone, date) in ODD {
        for handoff in [
            "00:00", "00:30", "01:30", "02:00", "02:30", "09:00", "23:45",
        ] {
            let clock = clock(zone, handoff);
            let date: NaiveDate = date.parse().unwrap();
            let first = clock.starts_at(add_days(date, -3));
            let last = clock.starts_at(add_days(date, 3));
            let mut at = first;
            let mut before = clock.day_at(at);
            while at < last {
                let day = clock.day_at(at);
                let name = format!("{zone} {handoff} {at} {day}");
                assert!(
                    clock.starts_at(day) <= at && at < clock.ends_at(day),
                    "{name}"
                );
                assert!(day >= before, "went back: {name}");
                before = day;
                at += TimeDelta::seconds(30);
            }
        }
    }
}

#[test]
fn a_day_is_the_local_date_less_one_before_the_handoff_time() {
    // On days without a clock change the rule of the contract holds word for word.
    let clock = clock("Asia/Kolkata", "09:30");
    let mut at: DateTime<Utc> = "2026-05-01T00:00:00Z".parse().unwrap();
    for _ in 0..(3 * 2880) {
        let local = at.naive_utc() + TimeDelta::minutes(330);
        let early = (local.time().hour(), local.time().minute()) < (9, 30);
        let expected = if early {
            previous_day(local.date())
        } else {
            local.date()
        };
        assert_eq!(clock.day_at(at), expected);
        at += TimeDelta::seconds(30);
    }
}

#[test]
fn handoff_keeps_wall_clock_across_spring_forward_and_fall_back() {
    let clock = clock("Europe/Berlin", "09:00");
    let starts = |date: &str| clock.starts_at(date.parse().unwrap()).to_rfc3339();
    assert_eq!(starts("2026-03-28"), "2026-03-28T08:00:00+00:00");
    assert_eq!(starts("2026-03-29"), "2026-03-29T07:00:00+00:00");
    assert_eq!(starts("2026-10-24"), "2026-10-24T07:00:00+00:00");
    assert_eq!(starts("2026-10-25"), "2026-10-25T08:00:00+00:00");
}

#[test]
fn handoff_times_are_hours_and_minutes() {
    for good in ["00:00", "09:05", "23:59"] {
        assert_eq!(good.parse::<HandoffTime>().unwrap().to_string(), good);
    }
    for bad in [
        "",
        "9:00",
        "24:00",
        "12:60",
        "12:0",
        "+1:00",
        "12:00:00",
        "noon",
        "１２:00",
    ] {
        assert!(bad.parse::<HandoffTime>().is_err(), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn every_instant_lies_in_its_day(
        seconds in 0i64..4_102_444_800, minutes in 0u16..1440, zone in 0usize..ODD.len(),
    ) {
        let clock = OnCallClock::new(ODD[zone].0, HandoffTime(minutes));
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let day = clock.day_at(at);
        proptest::prop_assert!(clock.starts_at(day) <= at && at < clock.ends_at(day));
    }
}
