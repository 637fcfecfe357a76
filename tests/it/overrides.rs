//! Overrides: who may ask, decide and cancel, and what follows.

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, Reply, Team, column};

fn team(daemon: &Daemon) -> Team {
    let team = daemon.team_with("Core", json!({"overrides_require_approval": true}));
    team.members(&["UANN", "UBOB", "UCAT"]);
    for lead in ["UANN", "UBOB"] {
        team.patch(&format!("/members/{lead}"), &json!({"team_role": "lead"}))
            .ok();
    }
    team
}

fn ask(client: &Client, team: &Team, user: &str, day: i64) -> Reply {
    let wish = json!({"substitute_slack_id": user, "start_date": team.day(day)});
    client.post(&team.path("/oncall-overrides"), &wish)
}

fn path(team: &Team, row: &Value) -> String {
    team.path(&format!(
        "/oncall-overrides/{}",
        row["id"].as_str().unwrap()
    ))
}

#[test]
fn only_the_transitions_of_the_contract_are_possible() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let states = ["pending", "approved", "rejected", "cancelled"];
    let allowed = [
        ("pending", "approved"),
        ("pending", "rejected"),
        ("pending", "cancelled"),
        ("approved", "cancelled"),
    ];
    let mut day = 0;
    for from in states {
        for to in states {
            day += 1;
            let row = ask(&daemon.api, &team, "UCAT", day).created();
            let path = path(&team, &row);
            if from != "pending" {
                daemon.api.patch(&path, &json!({"status": from})).ok();
            }
            let before = daemon.api.get(&path).ok();
            let reply = daemon.api.patch(&path, &json!({"status": to}));
            if allowed.contains(&(from, to)) {
                let now = reply.ok();
                assert_eq!(now["status"], to);
                assert_eq!(now["version"], before["version"].as_u64().unwrap() + 1);
            } else {
                reply.problem(400);
                assert_eq!(daemon.api.get(&path).ok(), before, "{from} to {to}");
            }
        }
        let row = ask(&daemon.api, &team, "UCAT", day + 20).created();
        let path = path(&team, &row);
        if from != "pending" {
            daemon.api.patch(&path, &json!({"status": from})).ok();
        }
        let cancelled = daemon.api.delete(&path);
        if ["pending", "approved"].contains(&from) {
            cancelled.expect(204);
        } else {
            cancelled.problem(400);
        }
    }
    let row = ask(&daemon.api, &team, "UCAT", 90).created();
    daemon
        .api
        .patch(&path(&team, &row), &json!({"status": "done"}))
        .invalid(&["status"]);
    daemon.verify_audit();
}

#[test]
fn overrides_of_a_team_do_not_overlap_while_they_hold_their_days() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let other_team = daemon.team("Edge");
    let wish = |from: i64, to: i64| {
        let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(from), "end_date": team.day(to)});
        team.post("/oncall-overrides", &wish)
    };
    let first = wish(5, 8).created();
    for (from, to) in [(5, 8), (8, 8), (3, 5), (1, 20), (6, 7)] {
        let clash = wish(from, to).problem(409);
        assert_eq!(clash["conflicting_id"], first["id"]);
        let detail = clash["detail"].as_str().unwrap();
        assert!(
            detail.contains("UCAT") && detail.contains(&team.day(5)),
            "{detail}"
        );
    }
    wish(4, 4).created();
    wish(9, 9).created();
    ask(&daemon.api, &other_team, "UCAT", 6).created();
    daemon
        .api
        .patch(&path(&team, &first), &json!({"status": "rejected"}))
        .ok();
    let second = wish(5, 8).created();
    daemon
        .api
        .patch(&path(&team, &second), &json!({"status": "approved"}))
        .ok();
    wish(5, 8).problem(409);
    daemon.api.delete(&path(&team, &second)).expect(204);
    wish(5, 8).created();

    wish(-1, 30).invalid(&["start_date"]);
    wish(40, 39).invalid(&["end_date"]);
    let list = |query: &str| {
        column(
            &team.get(&format!("/oncall-overrides?{query}")).ok(),
            "status",
        )
    };
    assert_eq!(list("status=rejected"), ["rejected"]);
    assert_eq!(list("").len(), 5);
    assert_eq!(
        list(&format!("from={}&status=pending", team.day(9))).len(),
        1
    );
    team.get("/oncall-overrides?status=done")
        .invalid(&["status"]);
}

#[test]
fn leads_decide_and_nobody_approves_their_own() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let [ann, bob, cat, dan] =
        ["UANN", "UBOB", "UCAT", "UDAN"].map(|user| daemon.client("editor", Some(user)));
    let approve = json!({"status": "approved"});
    let of_cat = path(&team, &ask(&cat, &team, "UBOB", 1).created());
    cat.patch(&of_cat, &approve).problem(403);
    dan.patch(&of_cat, &approve).problem(403);
    dan.delete(&of_cat).problem(403);
    dan.patch(&of_cat, &json!({"status": "rejected"}))
        .problem(403);
    daemon
        .client("viewer", Some("UANN"))
        .patch(&of_cat, &approve)
        .problem(403);
    daemon.api.anonymous().patch(&of_cat, &approve).problem(401);
    assert_eq!(ann.patch(&of_cat, &approve).ok()["approved_by"], "UANN");
    cat.delete(&of_cat).expect(204);

    let of_ann = path(&team, &ask(&ann, &team, "UCAT", 2).created());
    ann.patch(&of_ann, &approve).problem(403);
    assert_eq!(bob.patch(&of_ann, &approve).ok()["approved_by"], "UBOB");
    let of_ann = path(&team, &ask(&ann, &team, "UCAT", 3).created());
    ann.patch(&of_ann, &json!({"status": "cancelled"})).ok();
    let admin = daemon.client("admin", Some("UEVE"));
    let of_eve = path(&team, &ask(&admin, &team, "UCAT", 4).created());
    admin.patch(&of_eve, &approve).ok();
    let of_cat = path(&team, &ask(&cat, &team, "UCAT", 5).created());
    assert_eq!(
        daemon.api.patch(&of_cat, &approve).ok()["approved_by"],
        Value::Null
    );
}

#[test]
fn who_acts_is_the_tokens_person_and_only_a_token_of_nobody_names_one() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let cat = daemon.client("editor", Some("UCAT"));
    let program = daemon.client("editor", None);
    let wish = |day: i64, by: &str| json!({"substitute_slack_id": "UBOB", "start_date": team.day(day), "requested_by": by});
    let overrides = team.path("/oncall-overrides");
    cat.post(&overrides, &wish(1, "UANN")).problem(403);
    assert_eq!(
        cat.post(&overrides, &wish(1, "UCAT")).created()["requested_by"],
        "UCAT"
    );
    let row = program.post(&overrides, &wish(2, "UCAT")).created();
    assert_eq!(row["requested_by"], "UCAT");
    let path = path(&team, &row);
    let decide = |by: &str| json!({"status": "approved", "approved_by": by});
    program
        .patch(&path, &json!({"status": "approved"}))
        .problem(403);
    program.patch(&path, &decide("UCAT")).problem(403);
    cat.patch(&path, &decide("UANN")).problem(403);
    assert_eq!(
        program.patch(&path, &decide("UANN")).ok()["approved_by"],
        "UANN"
    );
    let row = json!({"engineer_slack_id": "UBOB", "start_date": team.day(1), "end_date": team.day(1),
        "created_by": "UANN"});
    cat.post(&team.path("/oncall-schedules"), &row).problem(403);
    assert_eq!(
        program
            .post(&team.path("/oncall-schedules"), &row)
            .created()["created_by"],
        "UANN"
    );
}

#[test]
fn approval_takes_two_people_and_the_schedule_is_no_way_around_it() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let [ann, cat] = ["UANN", "UCAT"].map(|user| daemon.client("editor", Some(user)));
    let program = daemon.client("editor", None);
    let schedules = team.path("/oncall-schedules");
    let now = team.path("/oncall");
    let shift = |from: i64, to: i64| json!({"engineer_slack_id": "UCAT", "start_date": team.day(from), "end_date": team.day(to)});
    let assign = json!({"engineer_slack_id": "UCAT"});
    for engineer in [&cat, &program] {
        let refused = engineer.post(&now, &assign).problem(403);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("ask for an override"), "{detail}");
        engineer.post(&schedules, &shift(3, 4)).problem(403);
        engineer.post(&schedules, &shift(-1, 0)).problem(403);
    }
    assert_eq!(daemon.api.get(&now).ok()["source"], "none");
    // What is over is history, which everybody may put right.
    let past = cat.post(&schedules, &shift(-3, -2)).created();
    let past = format!("{schedules}/{}", past["id"].as_str().unwrap());
    cat.patch(&past, &json!({"start_date": team.day(-4)})).ok();
    cat.patch(&past, &json!({"end_date": team.day(1)}))
        .problem(403);
    let row = ann.post(&schedules, &shift(3, 4)).created();
    let row = format!("{schedules}/{}", row["id"].as_str().unwrap());
    cat.patch(&row, &json!({"engineer_slack_id": "UBOB"}))
        .problem(403);
    cat.delete(&row).problem(403);
    cat.patch(&row, &json!({"note": "swapped by hand"})).ok();
    ann.post(&now, &assign).created();

    // A token of nobody speaks for the people whom it names, not for nobody.
    let overrides = team.path("/oncall-overrides");
    let wish = json!({"substitute_slack_id": "UBOB", "start_date": team.day(8)});
    let unnamed = path(&team, &program.post(&overrides, &wish).created());
    let decide = json!({"status": "approved", "approved_by": "UANN"});
    program.patch(&unnamed, &decide).problem(403);
    ann.patch(&unnamed, &json!({"status": "approved"})).ok();
    let wish =
        json!({"substitute_slack_id": "UBOB", "start_date": team.day(9), "requested_by": "UCAT"});
    let named = program.post(&overrides, &wish).created();
    program.patch(&path(&team, &named), &decide).ok();
    let of_named = format!("/audit-logs?entity_id={}", named["id"].as_str().unwrap());
    let entries = daemon.api.get(&of_named).ok();
    let who = |entry: &Value| {
        let (metadata, actor) = (&entry["metadata"], &entry["actor_id"]);
        assert_eq!(metadata["token"], *actor);
        assert!(metadata["token_id"].is_string(), "{metadata}");
        metadata["acting_for"].clone()
    };
    let named: Vec<_> = entries["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(who)
        .collect();
    assert_eq!(named, ["UANN", "UCAT"]);
}

#[test]
fn time_off_is_ones_own_to_say_or_a_leads() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let [ann, cat, dan] = ["UANN", "UCAT", "UDAN"].map(|user| daemon.client("editor", Some(user)));
    let off = json!({"start_date": team.day(3), "end_date": team.day(4)});
    dan.post("/users/UCAT/time-off", &off).problem(403);
    let mut rows = Vec::new();
    for actor in [&cat, &ann, &daemon.client("editor", None)] {
        rows.push(actor.post("/users/UCAT/time-off", &off).created());
    }
    let path = |row: &Value| format!("/users/UCAT/time-off/{}", row["id"].as_str().unwrap());
    dan.delete(&path(&rows[0])).problem(403);
    ann.delete(&path(&rows[0])).expect(204);
    cat.post("/users/UDAN/time-off", &off).problem(403);
}

#[test]
fn of_many_who_decide_at_once_exactly_one_wins() {
    let daemon = Daemon::start();
    let team = team(&daemon);
    let cat = daemon.client("editor", Some("UCAT"));
    let path = path(&team, &ask(&cat, &team, "UBOB", 3).created());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|n| {
                let (api, path) = (&daemon.api, &path);
                let status = if n % 2 == 0 { "approved" } else { "rejected" };
                scope.spawn(move || api.patch(path, &json!({"status": status})).status)
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
    assert!(
        statuses
            .iter()
            .all(|status| [200, 400, 409].contains(status)),
        "{statuses:?}"
    );
    let decided: Vec<String> = daemon.audited("entity_type=override");
    assert_eq!(decided.len(), 2, "{decided:?}");
    let sent = daemon.api.get("/notifications").ok();
    let told = |event: &str| {
        let of_event =
            |n: &&Value| n["event"] == event && n["payload"]["updates_request"].is_null();
        sent["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(of_event)
            .count()
    };
    assert_eq!(told("override_requested"), 2, "both leads");
    assert_eq!(
        told("override_decided"),
        2,
        "requester and substitute, each once"
    );
    let updates = sent["items"].as_array().unwrap().iter();
    let updates = updates.filter(|n| n["payload"]["updates_request"] == true);
    assert_eq!(
        updates.count(),
        2,
        "what asked the leads is brought up to date"
    );
}

#[test]
fn of_many_who_ask_for_the_same_day_exactly_one_gets_it() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..8)
            .map(|n| {
                let (api, team) = (&daemon.api, &team);
                scope.spawn(move || ask(api, team, &format!("U{n}"), 3).status)
            })
            .collect();
        attempts
            .into_iter()
            .map(|attempt| attempt.join().unwrap())
            .collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        7,
        "{statuses:?}"
    );
}

#[test]
fn without_approval_an_override_is_in_force_at_once() {
    let daemon = Daemon::with(&[("OVERRIDES__REQUIRE_APPROVAL", "true")]);
    let careful = daemon.team("Careful");
    let quick = daemon.team_with("Quick", json!({"overrides_require_approval": false}));
    assert_eq!(careful.get("").ok()["overrides_require_approval"], true);
    assert_eq!(
        ask(&daemon.api, &careful, "UANN", 0).created()["status"],
        "pending"
    );
    assert_eq!(careful.on_call(0), (Value::Null, "none".into()));
    let row = ask(&daemon.api, &quick, "UANN", 0).created();
    assert_eq!(row["status"], "approved");
    assert!(
        row["warnings"][0]
            .as_str()
            .unwrap()
            .contains("not a member"),
        "{row}"
    );
    assert_eq!(quick.on_call(0), ("UANN".into(), "override".into()));
    let answer = quick.get("/oncall").ok();
    assert_eq!(
        (&answer["starts_at"], &answer["ends_at"]),
        (&row["starts_at"], &row["ends_at"])
    );
}
