//! A handoff as it happens.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use oncalld::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::harness::{Daemon, column};

fn sleep_until(at: DateTime<Utc>) {
    let wait = (at - SystemClock.now()).to_std().unwrap_or(Duration::ZERO);
    std::thread::sleep(wait);
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
    assert_eq!(daemon.api.get("/notifications").ok()["total"], 0);

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
    assert_eq!(
        entry["metadata"]["catch_up"],
        Value::Null,
        "it is the present one"
    );

    let daemon = daemon.restart();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(daemon.audited("action=rotation_triggered").len(), 1);
    let outbox = daemon.api.get("/notifications").ok();
    let mut told: Vec<String> = column(&outbox, "event")
        .iter()
        .zip(column(&outbox, "recipient"))
        .map(|(event, to)| format!("{} {}", event.as_str().unwrap(), to.as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        ["handoff C1", "shift_ended UANN", "shift_started UBOB"]
    );
    let answer = daemon
        .api
        .get(&format!("/oncall?team={}", killed.slug))
        .ok();
    assert_eq!(answer["engineer_slack_id"], "UBOB");
    daemon.verify_audit();
}
