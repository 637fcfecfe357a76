//! Services, and what all resources have in common: entity tags, idempotency keys.

use serde_json::{Value, json};

use crate::harness::{Daemon, column};

#[test]
fn a_service_name_is_unique_among_the_active_whatever_the_case() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let api = &daemon.api;
    let post = |name: &str| api.post("/services", &json!({"name": name, "team_id": team.slug}));
    let first = post("Checkout").created();
    assert_eq!(first["tier"], "standard");
    assert_eq!(first["team_id"], team.id.as_str());
    let clash = post("CHECKOUT").problem(409);
    assert_eq!(clash["conflicting_id"], first["id"]);
    api.delete("/services/checkout").expect(204);
    api.get("/services/checkout").problem(404);
    let path = format!("/services/{}", first["id"].as_str().unwrap());
    assert_eq!(api.get(&path).ok()["is_active"], false);
    post("checkout").created();
    api.patch(&path, &json!({"is_active": true})).problem(409);
    api.patch("/services/CheckOut", &json!({"name": "Cart"}))
        .ok();
    assert_eq!(
        api.patch(&path, &json!({"is_active": true})).ok()["is_active"],
        true
    );
    let query = format!("entity_id={}", first["id"].as_str().unwrap());
    let steps = ["service created", "service deleted", "service restored"];
    assert_eq!(daemon.audited(&query), steps);
    // Names with blanks, slashes and other letters are found too.
    post("Zahlung & Größe/v2").created();
    let named = api
        .get("/services/zahlung%20%26%20GR%C3%96%C3%9FE%2Fv2")
        .ok();
    assert_eq!(named["name"], "Zahlung & Größe/v2");
    assert_eq!(
        api.get("/oncall?service=zahlung+%26+gr%C3%B6%C3%9Fe/v2")
            .ok()["source"],
        "none"
    );
}

#[test]
fn services_are_filtered_by_everything_and_all_at_once() {
    let daemon = Daemon::start();
    let (core, edge) = (daemon.team("Core"), daemon.team("Edge"));
    let api = &daemon.api;
    for (name, team, tier, environment) in [
        ("api", &core, "critical", "prod"),
        ("batch", &core, "low", "prod"),
        ("cdn", &edge, "critical", "prod"),
        ("cdn-test", &edge, "low", "test"),
    ] {
        let service = json!({"name": name, "team_id": team.id, "tier": tier, "environment": environment,
            "owner_slack_id": "UANN", "tech_stack": ["rust"], "metadata": {"runbook": "https://r"},
            "repository_url": "https://git.example/x"});
        api.post("/services", &service).created();
    }
    api.delete("/services/cdn-test").expect(204);
    let names = |query: &str| column(&api.get(&format!("/services?{query}")).ok(), "name");
    assert_eq!(names(""), ["api", "batch", "cdn"]);
    assert_eq!(names("is_active=all"), ["api", "batch", "cdn", "cdn-test"]);
    assert_eq!(names("is_active=false"), ["cdn-test"]);
    assert_eq!(names("team=core"), ["api", "batch"]);
    assert_eq!(names(&format!("team={}", edge.id)), ["cdn"]);
    assert_eq!(names("tier=critical"), ["api", "cdn"]);
    assert_eq!(names("environment=test&is_active=all"), ["cdn-test"]);
    assert_eq!(names("q=CDN&is_active=all"), ["cdn", "cdn-test"]);
    let all = "team=edge&tier=low&environment=test&is_active=false&q=test";
    assert_eq!(names(all), ["cdn-test"]);
    assert_eq!(names("page_size=1&page=2"), ["batch"]);
    api.get("/services?team=nobody").problem(404);
    api.get("/services?tier=huge").invalid(&["tier"]);
}

#[test]
fn a_service_says_what_is_wrong_with_it() {
    let daemon = Daemon::start();
    daemon.team("Core");
    let api = &daemon.api;
    api.post("/services", &json!({}))
        .invalid(&["name", "team_id"]);
    api.post("/services", &json!({"name": "a", "team_id": "nobody"}))
        .invalid(&["team_id"]);
    let service = json!({"name": "a", "team_id": "core", "tier": "huge", "metadata": [],
        "owner_slack_id": "ann", "tech_stack": [""], "repository_url": "javascript:alert(1)"});
    let fields = [
        "tier",
        "metadata",
        "owner_slack_id",
        "tech_stack",
        "repository_url",
    ];
    api.post("/services", &service).invalid(&fields);
    api.post("/services", &json!({"name": "a", "team_id": "core"}))
        .created();
    let cleared = json!({"environment": "prod", "owner_slack_id": "UANN"});
    assert_eq!(
        api.patch("/services/a", &cleared).ok()["owner_slack_id"],
        "UANN"
    );
    let cleared = api
        .patch("/services/a", &json!({"owner_slack_id": null}))
        .ok();
    assert_eq!(
        (&cleared["owner_slack_id"], &cleared["environment"]),
        (&Value::Null, &json!("prod"))
    );
    api.patch("/services/a", &json!({"environment": "x", "version": 1}))
        .problem(409);
}

#[test]
fn an_answer_that_is_known_is_not_sent_again() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    team.members(&["UANN"]);
    let service = json!({"name": "checkout", "team_id": team.slug});
    daemon.api.post("/services", &service).created();
    let paths = [
        "/teams",
        "/teams/core",
        "/oncall?team=core",
        "/oncall?team=core",
        "/oncall",
        "/services/checkout",
        "/audit-logs",
        "/teams/core/members",
        "/teams/core/calendar.ics",
        "/openapi.json",
        "/users/UANN/schedules",
    ];
    for path in paths {
        let first = daemon.api.get(path);
        assert_eq!(first.status, 200, "{path}: {}", first.body);
        let tag = first
            .header("etag")
            .unwrap_or_else(|| panic!("no ETag: {path}"))
            .to_owned();
        let ask = |tag: &str| daemon.api.send("GET", path, &[("If-None-Match", tag)], b"");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
            "*".to_owned(),
        ] {
            let again = ask(&known);
            assert_eq!(
                (again.status, again.body.as_str()),
                (304, ""),
                "{path} {known}"
            );
            assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");
        }
        assert_eq!(ask("\"other\"").status, 200, "{path}");
    }
    let tag = daemon
        .api
        .get("/teams/core")
        .header("etag")
        .unwrap()
        .to_owned();
    team.patch("", &json!({"description": "new"})).ok();
    let changed = daemon
        .api
        .send("GET", "/teams/core", &[("If-None-Match", &tag)], b"");
    assert_eq!(changed.ok()["description"], "new");
}

#[test]
fn a_post_with_an_idempotency_key_is_done_once_also_after_a_restart() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let post = |daemon: &Daemon, path: &str, key: &str, body: &Value| {
        let headers = [("Idempotency-Key", key)];
        daemon
            .api
            .send("POST", path, &headers, body.to_string().as_bytes())
    };
    let body = json!({"name": "Once"});
    let first = post(&daemon, "/teams", "k1", &body).created();
    assert_eq!(post(&daemon, "/teams", "k1", &body).created(), first);
    post(&daemon, "/teams", "k1", &json!({"name": "Twice"})).problem(422);
    post(&daemon, "/services", "k1", &body).problem(422);
    let second = post(&daemon, "/teams", "k2", &body).created();
    assert_ne!(second["id"], first["id"]);
    // A request that failed was not done, and may be tried again.
    let member = json!({"slack_user_id": "UANN", "weight": 0});
    post(&daemon, &team.path("/members"), "k3", &member).problem(422);
    let member = json!({"slack_user_id": "UANN", "weight": 1});
    let added = post(&daemon, &team.path("/members"), "k3", &member).created();
    assert_eq!(
        post(&daemon, &team.path("/members"), "k3", &member).created(),
        added
    );
    for key in ["", &"x".repeat(256)] {
        post(&daemon, "/teams", key, &body).invalid(&["Idempotency-Key"]);
    }
    // Another token's key is another key.
    let token = json!({"name": "second", "role": "admin"});
    let secret = post(&daemon, "/tokens", "k4", &token).created()["token"].clone();
    assert!(
        post(&daemon, "/tokens", "k4", &token)
            .created()
            .get("token")
            .is_none()
    );
    let other = daemon.api.with_token(secret.as_str().unwrap());
    let header = [("Idempotency-Key", "k1")];
    let theirs = other
        .send("POST", "/teams", &header, body.to_string().as_bytes())
        .created();
    assert_ne!(theirs["id"], first["id"]);

    let daemon = daemon.restart();
    assert_eq!(post(&daemon, "/teams", "k1", &body).created(), first);
    assert_eq!(daemon.api.get("/teams?q=once").ok()["total"], 3);
    let (api, body) = (&daemon.api, body.to_string());
    let ids: Vec<Value> = std::thread::scope(|scope| {
        let send = || {
            api.send(
                "POST",
                "/teams",
                &[("Idempotency-Key", "k9")],
                body.as_bytes(),
            )
        };
        let attempts: Vec<_> = (0..6).map(|_| scope.spawn(send)).collect();
        attempts
            .into_iter()
            .map(|a| a.join().unwrap().created()["id"].clone())
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
