//! What people are told though nobody changed anything: time alone brings it about.

use oncalld::actions::members::time_off;
use oncalld::actions::messages::lookout;
use serde_json::json;

use crate::harness::sandbox::{Sandbox, instant, weekly};

/// UA until 30 November at 09:00, UB until 7 December, then UC.
fn team() -> Sandbox {
    Sandbox::new("2026-11-23T10:00:00Z", &weekly())
}

#[test]
fn the_first_day_of_an_override_tells_both_and_so_does_the_day_after_it() {
    let t = team();
    t.override_of("UC", "2026-11-25", "2026-11-26");
    let started = ["handoff C1", "shift_ended UA", "shift_started UC"];
    let ended = ["handoff C1", "shift_ended UC", "shift_started UA"];
    let tick = |now: &'static str| t.messages_of(|t| t.tick_at(now));
    assert_eq!(tick("2026-11-24T08:59:00Z"), [""; 0]);
    assert_eq!(tick("2026-11-24T09:00:00Z"), ["shift_reminder UC"]);
    assert_eq!(tick("2026-11-25T08:59:59Z"), [""; 0]);
    assert_eq!(tick("2026-11-25T09:00:00Z"), started);
    assert_eq!(tick("2026-11-25T09:00:01Z"), [""; 0]);
    assert_eq!(tick("2026-11-26T09:00:00Z"), ["shift_reminder UA"]);
    assert_eq!(tick("2026-11-27T09:00:00Z"), ended);
}

#[test]
fn a_change_just_after_the_instant_does_not_tell_a_second_time() {
    let t = team();
    t.override_of("UC", "2026-11-25", "2026-11-25");
    t.clock.set("2026-11-25T09:00:00Z".parse().unwrap());
    let by_change = t.messages_of(|t| t.configure(json!({"description": "x"})));
    let told = "handoff C1, shift_ended UA, shift_reminder UA, shift_started UC";
    assert_eq!(by_change.join(", "), told);
    let by_tick = t.messages_of(|t| t.tick_at("2026-11-25T09:00:01Z"));
    assert_eq!(by_tick, [""; 0]);
    t.tick_at("2026-11-26T09:00:00Z");
    t.clock.set("2026-11-30T09:00:00Z".parse().unwrap());
    let at_a_handoff = t.messages_of(|t| {
        t.configure(json!({"description": "y"}));
        t.tick_at("2026-11-30T09:00:00Z");
    });
    let handoff = ["handoff C1", "shift_ended UA", "shift_started UB"];
    assert_eq!(
        at_a_handoff
            .iter()
            .filter(|message| !message.starts_with("shift_reminder"))
            .collect::<Vec<_>>(),
        handoff.iter().collect::<Vec<_>>()
    );
}

#[test]
fn whoever_is_next_is_reminded_once_and_so_is_a_stand_in() {
    let t = team();
    let tick = |now: &'static str| t.messages_of(|t| t.tick_at(now));
    assert_eq!(tick("2026-11-29T08:59:59Z"), [""; 0]);
    assert_eq!(tick("2026-11-29T09:00:00Z"), ["shift_reminder UB"]);
    assert_eq!(tick("2026-11-29T12:00:00Z"), [""; 0]);
    // The rotation picks another for a shift that begins in some hours.
    let swapped = t.messages_of(|t| t.take_off("UB", "2026-11-30", "2026-12-06"));
    assert_eq!(swapped, ["shift_reminder UC"]);
    assert_eq!(
        tick("2026-11-30T09:00:00Z"),
        ["handoff C1", "shift_ended UA", "shift_started UC"]
    );
}

#[test]
fn a_reminder_that_fell_into_a_downtime_is_sent_while_it_is_of_use() {
    let t = team().restart_at("2026-11-29T20:00:00Z");
    let tick = |t: &Sandbox, now: &'static str| t.messages_of(|t| t.tick_at(now));
    assert_eq!(tick(&t, "2026-11-29T20:00:00Z"), ["shift_reminder UB"]);
    // UA was the last to be told that they are on call.
    let t = t.restart_at("2026-12-07T10:00:00Z");
    assert_eq!(
        tick(&t, "2026-12-07T10:00:00Z"),
        ["handoff C1", "shift_ended UA", "shift_started UC"]
    );
}

#[test]
fn days_without_anybody_are_told_once() {
    let t = team();
    let off: Vec<_> = ["UA", "UB", "UC"].into();
    let gap = t.messages_of(|t| {
        for user in &off {
            t.take_off(user, "2026-12-10", "2026-12-10");
        }
    });
    assert_eq!(gap, ["coverage_gap C1"]);
    let quiet = t.messages_of(|t| {
        t.configure(json!({"description": "x"}));
        t.tick_at("2026-11-24T10:00:00Z");
    });
    assert_eq!(quiet, [""; 0]);
    // Filled, and open again: that is a new one.
    let id = t.override_of("UD", "2026-12-07", "2026-12-13");
    let again = t.messages_of(|t| t.decide(&id, "cancelled").unwrap());
    assert_eq!(again, ["coverage_gap C1", "override_decided UD"]);
}

#[test]
fn a_gap_that_goes_on_beyond_the_horizon_is_not_told_each_week() {
    let t = team();
    let gap = t.messages_of(|t| {
        for user in ["UA", "UB", "UC"] {
            t.take_off(user, "2026-12-14", "2027-12-31");
        }
    });
    assert_eq!(gap, ["coverage_gap C1"]);
    for now in ["2026-11-30T09:00:00Z", "2026-12-07T09:00:00Z"] {
        let told = t.messages_of(|t| t.tick_at(now));
        assert!(!told.contains(&"coverage_gap C1".to_owned()), "{told:?}");
    }
}

#[test]
fn time_off_that_is_taken_back_closes_the_gap() {
    let t = team();
    let take_off = |t: &Sandbox| {
        let off = ["UA", "UB"].map(|user| t.take_off(user, "2026-12-10", "2026-12-10"));
        drop(off);
        t.take_off("UC", "2026-12-10", "2026-12-10")
    };
    let id = take_off(&t);
    time_off::delete(&t.app, &t.ctx, "UC", &id).unwrap();
    let again = t.messages_of(|t| t.take_off("UC", "2026-12-10", "2026-12-10"));
    assert_eq!(again, ["coverage_gap C1"]);
}

#[test]
fn a_store_that_kept_nothing_of_what_was_told_tells_nobody_what_they_know() {
    let t = team();
    // As an older oncalld leaves it: somebody on call, and days without anybody.
    for user in ["UA", "UB", "UC"] {
        t.take_off(user, "2026-12-10", "2026-12-10");
    }
    let store = t.forget_what_was_told();
    assert_eq!(
        store.messages_of(|t| lookout::begin(&t.app).unwrap()),
        [""; 0]
    );
    let tick = |now: &'static str| store.messages_of(|t| t.tick_at(now));
    assert_eq!(tick("2026-11-29T09:00:00Z"), ["shift_reminder UB"]);
}

#[test]
fn what_was_told_while_a_handoff_was_due_stays_told_over_a_restart() {
    let t = team();
    t.clock.set(instant("2026-11-30T09:00:10Z"));
    let assigned = t.messages_of(|t| t.assign("UC"));
    let changed: Vec<_> = assigned
        .iter()
        .filter(|message| !message.starts_with("shift_reminder"))
        .collect();
    assert_eq!(
        changed,
        ["handoff C1", "shift_ended UA", "shift_started UC"]
    );
    let t = t.restart_at("2026-11-30T09:00:20Z");
    let handed_off = t.messages_of(|t| assert_eq!(t.tick_at("2026-11-30T09:00:20Z"), 1));
    assert_eq!(handed_off, [""; 0]);
}
