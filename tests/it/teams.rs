//! Teams and their members.

use serde_json::{Value, json};

use crate::harness::{Daemon, column, shown};

#[test]
fn slugs_are_made_from_names_and_numbered_on_collision() {
    let daemon = Daemon::start();
    let slugs: Vec<_> = (0..3).map(|_| daemon.team("Edge & CDN").slug).collect();
    assert_eq!(slugs, ["edge-cdn", "edge-cdn-2", "edge-cdn-3"]);
    let taken = daemon
        .api
        .post("/teams", &json!({"name": "X", "slug": "edge-cdn-2"}));
    taken.problem(409);
    let own = daemon
        .api
        .post("/teams", &json!({"name": "X", "slug": "own"}))
        .created();
    assert_eq!(own["slug"], "own");
    daemon
        .api
        .patch("/teams/own", &json!({"slug": "edge-cdn"}))
        .problem(409);
    let renamed = daemon
        .api
        .patch("/teams/own", &json!({"slug": "mine"}))
        .ok();
    assert_eq!(renamed["slug"], "mine");
    daemon.api.get("/teams/own").problem(404);
    for slug in ["", "Upper", "a b", "ä", &"x".repeat(101)] {
        daemon
            .api
            .post("/teams", &json!({"name": "X", "slug": slug}))
            .invalid(&["slug"]);
    }
    for name in ["", "   ", &"x".repeat(101), "a\u{0}b"] {
        daemon
            .api
            .post("/teams", &json!({"name": name}))
            .invalid(&["name"]);
    }
}

#[test]
fn a_deleted_team_keeps_everything_and_can_be_restored() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({}));
    let service = json!({"name": "checkout", "team_id": team.id});
    daemon.api.post("/services", &service).created();
    daemon.api.get("/oncall?service=checkout").ok();

    daemon.api.delete(&team.path("")).expect(204);
    assert_eq!(
        daemon.api.get(&format!("/teams/{}", team.id)).ok()["is_active"],
        false
    );
    daemon.api.get("/oncall?team=core").problem(404);
    daemon.api.get("/oncall?service=checkout").problem(404);
    assert_eq!(daemon.api.get("/oncall").ok()["total"], 0);
    let listed = |query: &str| column(&daemon.api.get(&format!("/teams{query}")).ok(), "slug");
    assert_eq!(listed(""), Vec::<Value>::new());
    assert_eq!(listed("?is_active=false"), ["core"]);
    assert_eq!(listed("?is_active=all"), ["core"]);
    team.post("/members", &json!({"slack_user_id": "UCAT"}))
        .problem(404);
    team.post("/rotation/generate", &json!({})).problem(404);

    let restored = daemon
        .api
        .patch(&format!("/teams/{}", team.id), &json!({"is_active": true}));
    assert_eq!(restored.ok()["is_active"], true);
    assert_eq!(team.get("/members").ok()["total"], 2);
    assert_eq!(
        team.on_call(0).1,
        "auto",
        "somebody is on call again at once"
    );
    let query = format!("entity_type=team&entity_id={}", team.id);
    assert_eq!(
        daemon.audited(&query),
        ["team created", "team deleted", "team restored"]
    );
}

#[test]
fn teams_are_listed_by_name_in_pages_and_searched() {
    let daemon = Daemon::start();
    for name in ["beta", "Alpha", "Gamma Ray", "delta"] {
        daemon.team(name);
    }
    let list = |query: &str| daemon.api.get(&format!("/teams{query}")).ok();
    assert_eq!(
        column(&list(""), "name"),
        ["Alpha", "beta", "delta", "Gamma Ray"]
    );
    let page = list("?page=2&page_size=3");
    assert_eq!(column(&page, "name"), ["Gamma Ray"]);
    let counts = [&page["total"], &page["page"], &page["page_size"]];
    assert_eq!(counts, [4, 2, 3]);
    assert_eq!(list("?page=9")["items"], json!([]));
    assert_eq!(list("")["page_size"], 50);
    assert_eq!(column(&list("?q=GAMMA"), "name"), ["Gamma Ray"]);
    assert_eq!(column(&list("?q=gamma-ray"), "name"), ["Gamma Ray"]);
    daemon.api.get("/teams?page=0").invalid(&["page"]);
    daemon
        .api
        .get("/teams?page_size=201")
        .invalid(&["page_size"]);
    daemon.api.get("/teams?colour=red").invalid(&["colour"]);
    daemon
        .api
        .get("/teams?is_active=maybe")
        .invalid(&["is_active"]);
}

#[test]
fn a_change_based_on_another_version_is_a_conflict_and_changes_nothing() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let patch = |body: Value| team.patch("", &body);
    assert_eq!(team.get("").ok()["version"], 1);
    assert_eq!(
        patch(json!({"description": "a", "version": 1})).ok()["version"],
        2
    );
    patch(json!({"description": "b", "version": 1})).problem(409);
    let team_now = team.get("").ok();
    assert_eq!(
        (&team_now["description"], &team_now["version"]),
        (&json!("a"), &json!(2))
    );
    assert_eq!(patch(json!({"description": "c"})).ok()["version"], 3);
    assert_eq!(
        patch(json!({"description": "c"})).ok()["version"],
        3,
        "nothing changed"
    );
    assert_eq!(
        patch(json!({"description": null})).ok()["description"],
        Value::Null
    );
    team.patch(
        "/rotation-config",
        &json!({"rotation_enabled": true, "version": 1}),
    )
    .problem(409);
    team.members(&["UANN"]);
    team.patch("/members/UANN", &json!({"weight": 2, "version": 7}))
        .problem(409);
    let again = json!({"slack_user_id": "UANN", "weight": 2, "version": 7});
    team.post("/members", &again).problem(409);
    let day = team.day(3);
    let row = json!({"engineer_slack_id": "UANN", "start_date": day, "end_date": day});
    let row = team.post("/oncall-schedules", &row).created();
    let path = format!("/oncall-schedules/{}", row["id"].as_str().unwrap());
    team.patch(&path, &json!({"note": "n", "version": 2}))
        .problem(409);
    assert_eq!(
        team.patch(&path, &json!({"note": "n", "version": 1})).ok()["version"],
        2
    );
    let row = team.post(
        "/oncall-overrides",
        &json!({"substitute_slack_id": "UANN", "start_date": day}),
    );
    let path = format!(
        "/oncall-overrides/{}",
        row.created()["id"].as_str().unwrap()
    );
    team.patch(&path, &json!({"status": "cancelled", "version": 9}))
        .problem(409);
    team.patch(&path, &json!({"status": "cancelled", "version": 1}))
        .ok();
}

#[test]
fn of_concurrent_changes_to_one_version_exactly_one_wins() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|n| {
                let team = &team;
                let body = json!({"description": format!("by {n}"), "version": 1});
                scope.spawn(move || team.patch("", &body).status)
            })
            .collect();
        attempts
            .into_iter()
            .map(|attempt| attempt.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        7,
        "{statuses:?}"
    );
    assert_eq!(team.get("").ok()["version"], 2);
    assert_eq!(daemon.audited("action=updated").len(), 1);
}

#[test]
fn members_are_added_changed_and_removed() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let put = |body: Value| team.post("/members", &body);
    let new = put(json!({"slack_user_id": "UBOB"})).created();
    insta::assert_snapshot!(shown(&new, team.today), @r#"
    {
      "created_at": "<time>",
      "display_name": "UBOB",
      "id": "<id>",
      "in_slack": null,
      "is_eligible_for_oncall": true,
      "joined_at": "<time>",
      "slack_account": null,
      "slack_user_id": "UBOB",
      "synced_at": null,
      "team_id": "<id>",
      "team_role": "member",
      "updated_at": "<time>",
      "version": 1,
      "weight": 1.0
    }
    "#);
    let changed = put(json!({"slack_user_id": "UBOB", "team_role": "lead", "weight": 0.5})).ok();
    assert_eq!(
        (&changed["id"], &changed["version"]),
        (&new["id"], &json!(2))
    );
    assert_eq!(changed["team_role"], "lead");
    let same = put(json!({"slack_user_id": "UBOB"})).ok();
    assert_eq!(
        (&same["weight"], &same["version"]),
        (&json!(0.5), &json!(2))
    );

    for weight in [json!(0), json!(-1), json!(1000.01), json!("1")] {
        put(json!({"slack_user_id": "UANN", "weight": weight})).invalid(&["weight"]);
    }
    put(json!({"slack_user_id": "UANN", "weight": 1000})).created();
    for user in ["", "U", "ann", "X123", "U12-3", "U0123456789ABCDEFGHIJ"] {
        put(json!({"slack_user_id": user})).invalid(&["slack_user_id"]);
    }
    put(json!({"slack_user_id": "UCAT", "team_role": "boss"})).invalid(&["team_role"]);
    let early = json!({"slack_user_id": "UDAN", "joined_at": "2020-01-01T00:00:00Z"});
    put(early).created();
    let by_seniority = column(&team.get("/members").ok(), "slack_user_id");
    assert_eq!(by_seniority, ["UDAN", "UBOB", "UANN"]);
    let changed = team
        .patch("/members/UANN", &json!({"is_eligible_for_oncall": false}))
        .ok();
    assert_eq!(changed["is_eligible_for_oncall"], false);
    daemon.api.delete(&team.path("/members/UANN")).expect(204);
    daemon.api.delete(&team.path("/members/UANN")).problem(404);
    assert_eq!(team.get("/members").ok()["total"], 2);
}

#[test]
fn every_weight_survives_the_audit_log() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let members: Vec<String> = (100..180).map(|n| format!("U{n}")).collect();
    // Digits in which a careless reader of numbers loses the last one.
    for (user, n) in members.iter().zip(1u32..) {
        let weight = (f64::from(n) * 0.123_456_789_012_345_67).sin().abs() * 999.0 + 1e-9;
        let member = team.post(
            "/members",
            &json!({"slack_user_id": user, "weight": weight}),
        );
        let read = team.get(&format!("/members?page={n}&page_size=1")).ok();
        assert_eq!(member.created()["weight"], read["items"][0]["weight"]);
    }
    daemon.verify_audit();
}

#[test]
fn leads_change_their_own_team_and_no_other() {
    let daemon = Daemon::start();
    let (own, other) = (daemon.team("Own"), daemon.team("Other"));
    own.post(
        "/members",
        &json!({"slack_user_id": "UANN", "team_role": "lead"}),
    )
    .created();
    other
        .post("/members", &json!({"slack_user_id": "UANN"}))
        .created();
    let lead = daemon.client("editor", Some("UANN"));
    lead.patch(&own.path(""), &json!({"description": "mine"}))
        .ok();
    lead.patch(
        &own.path("/rotation-config"),
        &json!({"rotation_enabled": true}),
    )
    .ok();
    lead.patch(&other.path(""), &json!({"description": "mine"}))
        .problem(403);
    lead.patch(&own.path(""), &json!({"is_active": false}))
        .problem(403);
}
