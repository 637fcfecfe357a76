//! A handoff as it happens.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use oncalld::clock::{Clock, SystemClock};
use serde_json::json;

use crate::harness::{Daemon, column};

fn sleep_until(at: DateTime<Utc>) {
    let wait = (at - SystemClock.now()).to_std().unwrap_or(Duration::ZERO);
    std::thread::sleep(wait);
}

/// What waits in the outbox: events and recipients, in order of their names.
fn told(daemon: &Daemon) -> Vec<String> {
    let outbox = daemon.api.get("/notifications").ok();
    let events = column(&outbox, "event").into_iter();
    let pairs = events.zip(column(&outbox, "recipient"));
    let mut told: Vec<_> = pairs
        .map(|(event, to)| format!("{} {}", event.as_str().unwrap(), to.as_str().unwrap()))
        .collect();
    told.sort_unstable();
    told
}

/// Takes up to 64 seconds: `.config/nextest.toml` starts it first.
#[test]
fn a_handoff_happens_once_also_when_the_daemon_is_killed_around_it() {
    let mut daemon = Daemon::start();
    let now = SystemClock.now();
    let minute = now
        .with_second(0)
        .and_then(|at| at.with_nanosecond(0))
        .unwrap();
    let mut at = minute + TimeDelta::minutes(1);
    if at - now < TimeDelta::seconds(4) {
        at += TimeDelta::minutes(1);
    }
    let config = json!({"timezone": "UTC", "slack_channel_id": "C1", "rotation_interval": "daily",
        "handoff_time": at.format("%H:%M").to_string()});
    let (killed, quiet) = (
        daemon.team_with("Killed", config.clone()),
        daemon.team_with("Quiet", config),
    );
    for team in [&killed, &quiet] {
        team.members(&["UANN", "UBOB"]);
        team.rotate(json!({}));
        let answer = team.get("/oncall").ok();
        assert_eq!(answer["engineer_slack_id"], "UANN");
        assert_eq!(answer["ends_at"], at.format("%FT%TZ").to_string());
    }
    quiet
        .patch("/rotation-config", &json!({"rotation_enabled": false}))
        .ok();
    // Whoever is put on call by switching a rotation on is told so, once.
    let before = told(&daemon);
    assert_eq!(
        before,
        [
            "handoff C1",
            "handoff C1",
            "shift_reminder UBOB",
            "shift_reminder UBOB",
            "shift_started UANN",
            "shift_started UANN"
        ]
    );

    sleep_until(at - TimeDelta::milliseconds(400));
    for _ in 0..6 {
        daemon = daemon.restart();
        std::thread::sleep(Duration::from_millis(150));
    }
    let path = format!("/audit-logs?action=rotation_triggered&team={}", killed.slug);
    let handoffs = || daemon.api.get(&path).ok();
    let since = std::time::Instant::now();
    while handoffs()["total"] == 0 && since.elapsed() < Duration::from_secs(15) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let list = handoffs();
    assert_eq!(list["total"], 1, "{list}");
    let entry = &list["items"][0];
    assert_eq!(entry["engineer_slack_id"], "UBOB");
    assert_eq!(entry["previous_engineer_slack_id"], "UANN");
    assert_eq!(entry["effective_date"], at.date_naive().to_string());
    assert_eq!(entry["actor_type"], "system");

    // Each start begins with what is due, and an orderly end waits until that is done.
    let mut daemon = daemon.restart();
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    let daemon = daemon.restart();
    assert_eq!(daemon.audited("action=rotation_triggered").len(), 1);
    let mut since = told(&daemon);
    for known in before {
        let at = since.iter().position(|told| *told == known).unwrap();
        since.remove(at);
    }
    // Of the team whose rotation was switched off, the last shift has ended too.
    assert_eq!(
        since,
        [
            "handoff C1",
            "handoff C1",
            "shift_ended UANN",
            "shift_ended UANN",
            "shift_reminder UANN",
            "shift_started UBOB"
        ]
    );
    let answer = daemon
        .api
        .get(&format!("/oncall?team={}", killed.slug))
        .ok();
    assert_eq!(answer["engineer_slack_id"], "UBOB");
    daemon.verify_audit();
}
