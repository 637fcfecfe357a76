//! Whatever goes wrong is a problem document with the right status.

use std::io::Write;

use serde_json::{Value, json};

use crate::harness::{Client, Daemon};

#[test]
fn paths_and_methods_that_are_not_there_are_problems() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    for path in [
        "/nothing",
        "/teams/nobody",
        "/teams/0190b5a4-7c3e-7000-8000-000000000000",
        "/teams/nobody/members",
        "/services/nothing",
        "/services/nothing/oncall",
        "/audit-logs/nothing",
        "/bare/nothing",
        "/oncall?team=nobody",
        "/oncall?service=nothing",
        &team.path("/oncall-schedules/nothing"),
        &team.path("/oncall-overrides/0190b5a4-7c3e-7000-8000-000000000000"),
    ] {
        daemon.api.get(path).problem(404);
    }
    daemon
        .api
        .delete(&team.path("/members/UNOBODY"))
        .problem(404);
    daemon
        .api
        .delete("/users/UNOBODY/time-off/nothing")
        .problem(404);
    daemon.api.delete("/tokens/nothing").problem(404);
    daemon.api.send("PUT", "/teams", &[], b"{}").problem(405);
    daemon.api.delete("/healthz").problem(405);
    daemon.api.send("BREW", "/teams", &[], b"").problem(405);
}

#[test]
fn bodies_that_do_not_fit_are_problems_that_name_the_field() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let post = |body: &str| daemon.api.send("POST", "/teams", &[], body.as_bytes());
    for broken in [
        "{",
        "nonsense",
        "{\"name\": \"A\"} {}",
        "{\"name\": 1e999}",
        "[",
        "\u{0}",
    ] {
        post(broken).problem(400);
    }
    let bytes = daemon
        .api
        .send("POST", "/teams", &[], b"{\"name\": \"\xff\"}");
    bytes.problem(400);
    post("{}").invalid(&["name"]);
    post("[]").problem(422);
    post("null").problem(422);
    post(r#"{"name": 7}"#).invalid(&["name"]);
    post(r#"{"name": "A", "colour": "red"}"#).invalid(&["colour"]);
    post(r#"{"name": "A", "timezone": "Mars/Base", "slug": "Ä", "handoff_time": "25:00"}"#)
        .invalid(&["handoff_time", "slug", "timezone"]);
    let schedule = json!({"engineer_slack_id": "UANN", "start_date": "2026-13-01"});
    team.post("/oncall-schedules", &schedule)
        .invalid(&["start_date"]);
    let schedule = json!({"engineer_slack_id": "UANN", "start_date": "2026-12-01"});
    team.post("/oncall-schedules", &schedule)
        .invalid(&["end_date"]);

    let text = [("Content-Type", "text/plain")];
    daemon
        .api
        .send("POST", "/teams", &text, b"{\"name\": \"A\"}")
        .problem(415);
    let json_with_charset = [("Content-Type", "application/json; charset=utf-8")];
    daemon
        .api
        .send("POST", "/teams", &json_with_charset, b"{\"name\": \"A\"}")
        .created();
}

#[test]
fn a_body_over_the_limit_is_refused_whether_its_length_is_declared_or_not() {
    let daemon = Daemon::with(&[("SERVER__MAX_BODY_KB", "4")]);
    let large = json!({"name": "x".repeat(5000)}).to_string();
    daemon
        .api
        .send("POST", "/teams", &[], large.as_bytes())
        .problem(413);
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let chunked = [("Transfer-Encoding", "chunked")];
    daemon
        .api
        .send("POST", "/teams", &chunked, chunk.as_bytes())
        .problem(413);
    let keyed = [("Idempotency-Key", "k")];
    daemon
        .api
        .send("POST", "/teams", &keyed, large.as_bytes())
        .problem(413);
    daemon.team("Still there");
}

#[test]
fn tokens_and_roles_are_told_apart() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let wrong = daemon.api.with_token("oncalld_0000");
    let refused = wrong.get("/teams");
    refused.problem(401);
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    let basic = [("Authorization", "Basic YTpi")];
    daemon.api.send("GET", "/teams", &basic, b"").problem(401);
    let anonymous = daemon.api.anonymous();
    anonymous.get("/teams").ok();
    anonymous.post("/teams", &json!({"name": "A"})).problem(401);
    anonymous.get("/tokens").problem(401);

    let viewer = daemon.client("viewer", None);
    let editor = daemon.client("editor", None);
    viewer.get("/teams").ok();
    let member = json!({"slack_user_id": "UANN"});
    viewer.post(&team.path("/members"), &member).problem(403);
    viewer
        .post(&team.path("/rotation/generate"), &json!({}))
        .problem(403);
    editor.post(&team.path("/members"), &member).created();
    editor.post("/teams", &json!({"name": "B"})).problem(403);
    editor.delete(&team.path("")).problem(403);
    editor.get("/tokens").problem(403);
    editor.get("/notifications").problem(403);
    editor
        .post("/tokens", &json!({"name": "x", "role": "admin"}))
        .problem(403);

    daemon.api.delete("/tokens/viewer-nobody").expect(204);
    viewer.get("/teams").problem(401);
    let soon = oncalld::clock::Clock::now(&oncalld::clock::SystemClock)
        + chrono::TimeDelta::milliseconds(300);
    let token = json!({"name": "short", "role": "viewer", "expires_at": soon});
    let token = daemon.api.post("/tokens", &token).created();
    let short = daemon.api.with_token(token["token"].as_str().unwrap());
    std::thread::sleep(std::time::Duration::from_millis(350));
    short.get("/teams").problem(401);
    let list = daemon.api.get("/tokens").ok();
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|token| token.get("token").is_none())
    );
}

#[test]
fn reading_takes_a_token_where_anonymous_reading_is_off() {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let anonymous = daemon.api.anonymous();
    for path in [
        "/teams",
        "/oncall",
        "/events",
        "/audit-logs",
        "/metrics",
        "/nothing",
    ] {
        anonymous.get(path).problem(401);
    }
    for path in ["/healthz", "/readyz", "/openapi.json", "/api/docs/"] {
        assert_eq!(anonymous.get(path).status, 200, "{path}");
    }
    daemon.client("viewer", None).get("/teams").ok();
}

#[test]
fn pages_of_other_sites_are_refused() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    let port = api.address.split(':').nth(1).unwrap();
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost.evil.example:80",
    ] {
        api.send("GET", "/teams", &[("Host", host)], b"")
            .problem(403);
    }
    for host in [
        "localhost",
        "LOCALHOST",
        &format!("127.0.0.1:{port}"),
        "[::1]:1",
    ] {
        api.send("GET", "/teams", &[("Host", host)], b"").ok();
    }
    let body = json!({"name": "A"}).to_string();
    let post = |header| api.send("POST", "/teams", &[header], body.as_bytes());
    post(("Origin", "https://evil.example")).problem(403);
    post(("Origin", "null")).problem(403);
    post(("Sec-Fetch-Site", "cross-site")).problem(403);
    post(("Sec-Fetch-Site", "same-site")).problem(403);
    assert_eq!(api.get("/teams").ok()["total"], 0);
    post(("Sec-Fetch-Site", "same-origin")).created();
    post(("Origin", &format!("http://{}", api.address))).created();
    api.send("GET", "/teams", &[("Sec-Fetch-Site", "cross-site")], b"")
        .ok();
}

#[test]
fn many_bad_tokens_are_held_off_and_good_ones_are_not() {
    let daemon = Daemon::with(&[("AUTH__FAILED_ATTEMPTS_PER_MINUTE", "5")]);
    let wrong = daemon.api.with_token("oncalld_ffff");
    let statuses: Vec<u16> = (0..12).map(|_| wrong.get("/teams").status).collect();
    assert_eq!(statuses[..5], [401; 5]);
    assert_eq!(statuses[11], 429);
    let held_off = wrong.get("/teams");
    held_off.problem(429);
    assert!(held_off.header("retry-after").is_some());
    daemon.api.get("/teams").ok();
}

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
