//! Inputs that nobody should send: refused, or taken, but never a failure.

use std::io::Write;

use serde_json::{Value, json};

use crate::harness::{Client, Daemon};

fn nested(depth: usize) -> String {
    "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth)
}

#[test]
fn no_input_is_so_nasty_that_the_daemon_fails() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let other = daemon.team("Other");
    team.members(&["UANN", "UBOB"]);
    let service = json!({"name": "Checkout", "team_id": team.slug});
    daemon.api.post("/services", &service).created();
    let reads = [
        "?page=0",
        "?page=-1",
        "?page=18446744073709551615&page_size=200",
        "?page_size=0",
        "?page_size=201",
        "?page=99999999999999999999",
        "?page=1e3",
        "?page=",
        "?q=%FF%FE",
        "?%FF",
        "?q=%00",
        "?q=%F0%9F%A6%80",
        "?=",
        "?&&&",
        "?page=1&page=2",
        "?unknown=1",
        "?from=%2B262142-12-31",
        "?from=9999-12-31",
        "?to=9999-12-31",
        "?from=-262143-01-01&to=%2B262142-12-31",
        "?from=0000-01-01",
        "?date=9999-12-31",
        "?date=-9999-01-01",
        "?at=9999-12-31T23:59:59Z",
        "?at=%2B262142-12-31T23:59:59Z",
        "?at=-262143-01-01T00:00:00Z",
        "?at=1969-12-31T23:59:59Z",
        "?at=2026-01-01T00:00:00%2B23:59",
        "?from=%2B262142-12-31T23:59:59Z",
        "?cursor=0",
        "?cursor=18446744073709551615",
        "?cursor=-1",
        "?team=%00",
        "?is_active=maybe",
    ];
    let paths = [
        "/teams",
        "/services",
        "/oncall",
        "/audit-logs",
        "/tokens",
        "/notifications",
        "/users/UANN/schedules",
        "/users/UANN/time-off",
        "/teams/core/members",
        "/teams/core/oncall",
        "/teams/core/oncall-schedules",
        "/teams/core/oncall-overrides",
        "/teams/core/fairness",
        "/teams/core/oncall-history",
        "/teams/core/calendar.ics",
        "/users/UANN/calendar.ics",
        "/services/checkout/oncall",
    ];
    let long = "x".repeat(20_000);
    let mut odd: Vec<String> = paths
        .iter()
        .flat_map(|path| reads.iter().map(move |query| format!("{path}{query}")))
        .collect();
    for name in [
        "%FF",
        "%00",
        "%F0%9F%A6%80",
        "..%2F..%2Fetc",
        "%2e%2e",
        "a%0d%0ab",
        "%",
        &long,
    ] {
        for path in [
            "/teams/{}",
            "/services/{}",
            "/users/{}/schedules",
            "/teams/core/members/{}",
            "/audit-logs/{}",
            "/api/docs/{}",
            "/teams/{}/calendar.ics",
            "/oncall?service={}",
        ] {
            odd.push(path.replace("{}", name));
        }
    }
    for path in &odd {
        check(&daemon.api, "GET", path, "");
    }
    let numbers = [
        "1e308",
        "-1e308",
        "1e-400",
        "0",
        "-0.0",
        "-1",
        "99999999999999999999999",
        "1.5",
    ];
    let strings = [
        "\"\"",
        "\"\\u0000\"",
        "\"🦀\"",
        "\"9999-12-31\"",
        "\"+262142-12-31\"",
        "\"-262143-01-01\"",
        "\"9999-12-31T23:59:59Z\"",
        "\"+262142-12-31T23:59:59Z\"",
        "\"U🦀\"",
        "\"\\ud800\"",
        "\"2026-02-30\"",
        "\"U1\"",
    ];
    let mut values: Vec<String> = numbers
        .iter()
        .chain(&strings)
        .map(ToString::to_string)
        .collect();
    values.extend(["null", "true", "[]", "{}", "[[[]]]"].map(ToOwned::to_owned));
    values.extend((115..130).map(nested));
    values.extend([nested(5000), "[".repeat(100_000), format!("\"{long}\"")]);
    let day = team.day(1);
    let bodies: [(&str, &str, Value, &[&str]); 9] = [
        (
            "POST",
            "/teams",
            json!({"name": "N"}),
            &[
                "name",
                "slug",
                "description",
                "timezone",
                "plugin_config",
                "slack_group_id",
            ],
        ),
        (
            "PATCH",
            "/teams/other",
            json!({}),
            &[
                "rotation_start_date",
                "handoff_day",
                "handoff_time",
                "rotation_order",
                "rotation_type",
                "rotation_interval",
                "plugin_config",
                "version",
                "rotation_enabled",
            ],
        ),
        (
            "POST",
            "/teams/core/members",
            json!({"slack_user_id": "UCAT"}),
            &["slack_user_id", "weight", "joined_at", "team_role"],
        ),
        (
            "POST",
            "/teams/core/oncall-schedules",
            json!({"engineer_slack_id": "UANN", "start_date": day, "end_date": day}),
            &[
                "engineer_slack_id",
                "start_date",
                "end_date",
                "note",
                "created_by",
            ],
        ),
        (
            "POST",
            "/teams/core/oncall-overrides",
            json!({"substitute_slack_id": "UANN", "start_date": day}),
            &[
                "substitute_slack_id",
                "start_date",
                "end_date",
                "reason",
                "requested_by",
            ],
        ),
        (
            "POST",
            "/teams/core/oncall",
            json!({"engineer_slack_id": "UANN"}),
            &["engineer_slack_id", "end_date", "reason"],
        ),
        (
            "POST",
            "/users/UANN/time-off",
            json!({"start_date": day, "end_date": day}),
            &["start_date", "end_date", "reason"],
        ),
        (
            "PATCH",
            "/services/checkout",
            json!({}),
            &[
                "environment",
                "tier",
                "owner_slack_id",
                "tech_stack",
                "metadata",
                "repository_url",
            ],
        ),
        (
            "POST",
            "/teams/core/rotation/preview",
            json!({}),
            &["weeks"],
        ),
    ];
    for (method, path, base, fields) in &bodies {
        for field in *fields {
            for value in &values {
                let mut body = base.clone();
                body[*field] = "@".into();
                check(
                    &daemon.api,
                    method,
                    path,
                    &body.to_string().replacen("\"@\"", value, 1),
                );
            }
        }
    }
    // Whatever was accepted can be read, and is proven.
    for path in paths {
        assert_eq!(daemon.api.get(path).status, 200, "{path}");
    }
    other.get("/oncall-schedules").ok();
    let mut raw = daemon.api.open("GET", "/\u{7f}\u{1}", &[], 0).unwrap();
    let _ = raw.write_all(b"\x00\xff\r\n\r\n");
    daemon.verify_audit();
    let daemon = daemon.restart();
    daemon.verify_audit();
    daemon.api.get("/audit-logs?page_size=200").ok();
}

/// An answer that is no failure of the daemon's, and a problem document where it is none of 2xx.
fn check(api: &Client, method: &str, path: &str, body: &str) {
    let reply = api.send(method, path, &[], body.as_bytes());
    let about: String = format!("{method} {path} {body}")
        .chars()
        .take(300)
        .collect();
    assert!(
        reply.status < 500,
        "{about}: {} {}",
        reply.status,
        reply.body
    );
    // The server itself refuses what is no HTTP, before the daemon sees it.
    if reply.status >= 400 && !reply.body.is_empty() {
        let kind = reply.header("content-type");
        assert_eq!(
            kind,
            Some("application/problem+json"),
            "{about}: {}",
            reply.body
        );
    }
}
