//! Whatever goes wrong is a problem document with the right status.

use chrono::TimeDelta;
use oncalld::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::harness::Daemon;

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
fn a_token_is_good_until_it_expires_and_not_after() {
    let daemon = Daemon::start();
    let expiry = SystemClock.now() + TimeDelta::seconds(1);
    let token = json!({"name": "short", "role": "viewer", "expires_at": expiry});
    let token = daemon.api.post("/tokens", &token).created();
    let short = daemon.api.with_token(token["token"].as_str().unwrap());
    loop {
        let asked_at = SystemClock.now();
        let reply = short.get("/teams");
        if asked_at >= expiry {
            reply.problem(401);
            break;
        }
        // What is asked before and answered after may be either.
        if SystemClock.now() < expiry {
            reply.ok();
        }
    }
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
    // A preview is a POST that only reads.
    let team = daemon.team("Secret");
    let preview = team.path("/rotation/preview");
    daemon
        .api
        .anonymous()
        .post(&preview, &json!({}))
        .problem(401);
    daemon.api.post(&preview, &json!({})).ok();
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
