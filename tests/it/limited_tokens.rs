//! Tokens that open only a part of what their role allows, and how long they last.

use serde_json::{Value, json};

use crate::harness::{Client, Daemon};

/// A daemon whose reading takes a token, with two teams and a service of each.
fn daemon() -> Daemon {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    for team in ["Core", "Web"] {
        daemon.team(team).members(&["UANN", "UBOB"]);
        let service = json!({"name": format!("{team} API"), "team_id": team.to_lowercase()});
        daemon.api.post("/services", &service).created();
    }
    daemon
}

fn make(daemon: &Daemon, token: &Value) -> (Client, String) {
    let made = daemon.api.post("/tokens", token).created();
    let secret = made["token"].as_str().unwrap().to_owned();
    (daemon.api.with_token(&secret), secret)
}

#[test]
fn a_token_for_feeds_opens_feeds_and_nothing_else() {
    let daemon = daemon();
    let anybody = daemon.api.anonymous();
    let feeds = |limit: Value| {
        let mut token =
            json!({"name": format!("feeds {limit}"), "role": "viewer", "scope": "feeds"});
        for (name, value) in limit.as_object().unwrap() {
            token[name] = value.clone();
        }
        make(&daemon, &token)
    };
    let core = "/teams/core/calendar.ics";
    let (web, ann, bob) = (
        "/teams/web/calendar.ics",
        "/users/UANN/calendar.ics",
        "/users/UBOB/calendar.ics",
    );
    for (limit, open) in [
        (json!({}), vec![core, web, ann, bob]),
        (json!({"team": "core"}), vec![core]),
        (json!({"slack_user_id": "UANN"}), vec![ann]),
    ] {
        let (client, secret) = feeds(limit.clone());
        for feed in [core, web, ann, bob] {
            let by_address = anybody.get(&format!("{feed}?token={secret}"));
            let by_header = client.get(feed);
            let status = if open.contains(&feed) { 200 } else { 403 };
            assert_eq!(by_address.status, status, "{feed} by {limit}");
            assert_eq!(by_header.status, status, "{feed} by {limit}");
        }
        for closed in [
            "/teams",
            "/teams/core",
            "/oncall?team=core",
            "/users",
            "/events",
        ] {
            client.get(closed).problem(403);
            anybody
                .get(&format!(
                    "{closed}{}token={secret}",
                    if closed.contains('?') { '&' } else { '?' }
                ))
                .problem(401);
        }
        client
            .get("/teams/nowhere/calendar.ics")
            .problem(if limit == json!({}) { 404 } else { 403 });
        client
            .post(
                "/tokens",
                &json!({"name": "x", "role": "viewer", "scope": "feeds"}),
            )
            .problem(403);
    }
    // An address takes no other token, whatever it may do.
    for role in ["viewer", "editor", "admin"] {
        let (_, secret) = make(
            &daemon,
            &json!({"name": format!("some {role}"), "role": role}),
        );
        let refused = anybody.get(&format!("{core}?token={secret}")).problem(403);
        assert!(refused["detail"].as_str().unwrap().contains("for feeds"));
    }
}

#[test]
fn a_token_of_a_team_opens_that_team_and_its_lookups() {
    let daemon = daemon();
    let (core, _) = make(
        &daemon,
        &json!({"name": "core", "role": "editor", "team": "core"}),
    );
    for _ in 0..2 {
        // Twice: the second one could lie ready.
        daemon.api.get("/oncall?team=core").ok();
        daemon.api.get("/oncall?team=web").ok();
        core.get("/oncall?team=core").ok();
        core.get("/oncall?service=core%20api").ok();
        core.get("/services/Core%20API/oncall").ok();
        core.get("/teams/core").ok();
        core.get("/teams/core/members").ok();
        for closed in [
            "/oncall?team=web",
            "/oncall?service=Web%20API",
            "/oncall?team=core&service=Web%20API",
            "/oncall?team=core&team=web",
            "/services/Web%20API/oncall",
            "/services/none",
            "/services",
            "/teams",
            "/teams/web",
            "/teams/w%65b/members",
            "/users/UANN/calendar.ics",
            "/audit-logs",
            "/events",
        ] {
            core.get(closed).problem(403);
        }
    }
    core.post("/teams/core/members", &json!({"slack_user_id": "UCAT"}))
        .created();
    core.post("/teams/web/members", &json!({"slack_user_id": "UCAT"}))
        .problem(403);
    core.post(
        "/users/UANN/time-off",
        &json!({"start_date": "2030-01-01", "end_date": "2030-01-02"}),
    )
    .problem(403);
    let id = daemon.api.get("/teams/core").ok()["id"].clone();
    core.get(&format!("/teams/{}/members", id.as_str().unwrap()))
        .ok();
    // It is for programs: there is no page for it.
    let made = daemon
        .api
        .post(
            "/tokens",
            &json!({"name": "web", "role": "viewer", "team": "web"}),
        )
        .created();
    assert_eq!(made["team_id"], daemon.api.get("/teams/web").ok()["id"]);
    assert_eq!(made["scope"], "all");
}

#[test]
fn limits_that_make_no_sense_are_refused_with_their_field() {
    let daemon = daemon();
    let invalid = |token: Value, field: &str| {
        daemon.api.post("/tokens", &token).invalid(&[field]);
    };
    invalid(
        json!({"name": "a", "role": "editor", "scope": "feeds"}),
        "scope",
    );
    invalid(
        json!({"name": "a", "role": "viewer", "scope": "some"}),
        "scope",
    );
    invalid(
        json!({"name": "a", "role": "admin", "team": "core"}),
        "team",
    );
    let both = json!({"name": "a", "role": "viewer", "scope": "feeds", "team": "core", "slack_user_id": "UANN"});
    invalid(both, "team");
    let both = json!({"name": "a", "role": "viewer", "expires_at": "2035-01-01T00:00:00Z", "never_expires": true});
    invalid(both, "never_expires");
    daemon
        .api
        .post(
            "/tokens",
            &json!({"name": "a", "role": "viewer", "team": "none"}),
        )
        .problem(404);
    // Editors make tokens for feeds, and no others.
    let editor = daemon.client("editor", Some("UANN"));
    editor
        .post(
            "/tokens",
            &json!({"name": "b", "role": "viewer", "scope": "feeds"}),
        )
        .created();
    editor
        .post("/tokens", &json!({"name": "c", "role": "viewer"}))
        .problem(403);
    editor.get("/tokens").problem(403);
}

#[test]
fn tokens_expire_by_themselves_and_show_when_they_were_used() {
    let daemon = Daemon::with(&[
        ("AUTH__TOKEN_DAYS", "30"),
        ("AUTH__ANONYMOUS_READ", "false"),
    ]);
    let day =
        |text: &Value| -> chrono::DateTime<chrono::Utc> { text.as_str().unwrap().parse().unwrap() };
    let token = json!({"name": "month", "role": "viewer"});
    let month = daemon.api.post("/tokens", &token).created();
    assert_eq!(
        (day(&month["expires_at"]) - day(&month["created_at"])).num_days(),
        30
    );
    let forever = daemon.cli(&[
        "token",
        "create",
        "forever",
        "--role",
        "viewer",
        "--never-expires",
    ]);
    assert!(forever.status.success(), "{forever:?}");
    let client = daemon.api.with_token(month["token"].as_str().unwrap());
    let of = |name: &str| {
        let tokens = daemon.api.get("/tokens").ok();
        let mut tokens = tokens["items"].as_array().unwrap().iter();
        tokens.find(|token| token["name"] == name).unwrap().clone()
    };
    assert_eq!(of("forever")["expires_at"], Value::Null);
    assert_eq!(of("month")["last_used_at"], Value::Null);
    let before = daemon.api.get("/audit-logs").ok()["total"].clone();
    client.get("/oncall?team=core").problem(404);
    // It is written down beside the request.
    let used = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Some(of("month")["last_used_at"].clone()).filter(|used| !used.is_null())
    });
    let used = day(&used.expect("its use is written down"));
    assert!(used >= day(&month["created_at"]));
    assert_eq!(
        daemon.api.get("/audit-logs").ok()["total"],
        before,
        "use is no change"
    );
    let listed = daemon.cli(&["token", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains("LAST USED") && listed.contains("never"),
        "{listed}"
    );
}
