//! Rotation: config, preview and generate, manual rows and time off.

use serde_json::{Value, json};

use crate::harness::{Daemon, Team, column};

#[test]
fn a_rotation_config_says_what_is_wrong_with_it() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let config = |body: Value| team.patch("/rotation-config", &body);
    config(json!({"rotation_interval": "daily", "handoff_day": 1})).invalid(&["handoff_day"]);
    config(json!({"handoff_day": 7})).invalid(&["handoff_day"]);
    config(json!({"handoff_day": -1})).invalid(&["handoff_day"]);
    config(json!({"handoff_time": "24:00"})).invalid(&["handoff_time"]);
    config(json!({"handoff_time": "9:00"})).invalid(&["handoff_time"]);
    config(json!({"timezone": "Europe/Atlantis"})).invalid(&["timezone"]);
    config(json!({"rotation_type": "custom"})).invalid(&["rotation_order"]);
    config(json!({"rotation_type": "custom", "rotation_order": ["U1", "U1"]}))
        .invalid(&["rotation_order"]);
    config(json!({"rotation_type": "plugin:nothing"})).invalid(&["rotation_type"]);
    config(json!({"rotation_type": "random"})).invalid(&["rotation_type"]);
    config(json!({"rotation_interval": "monthly"})).invalid(&["rotation_interval"]);
    config(json!({"name": "Other"})).invalid(&["name"]);
    assert_eq!(team.get("").ok()["version"], 1, "nothing of this was kept");

    let set = json!({"rotation_interval": "biweekly", "handoff_day": 4, "handoff_time": "09:30",
        "rotation_type": "custom", "rotation_order": ["UBOB", "UANN"], "timezone": "Europe/Berlin",
        "plugin_config": {"a": 1}});
    let team_now = config(set.clone()).ok();
    for (field, value) in set.as_object().unwrap() {
        assert_eq!(team_now[field], *value, "{field}");
    }
    assert_eq!(team_now["rotation_enabled"], false);
    config(json!({"rotation_interval": "daily"})).invalid(&["handoff_day"]);
    config(json!({"rotation_interval": "daily", "handoff_day": null})).ok();
    for weeks in [0, 53, -1] {
        team.post("/rotation/preview", &json!({"weeks": weeks}))
            .invalid(&["weeks"]);
    }
    team.post("/rotation/generate", &json!({})).problem(409);
}

fn weekly(daemon: &Daemon, users: &[&str]) -> Team {
    let team = daemon.team("Core");
    team.members(users);
    team.rotate(json!({}));
    team
}

fn planned(team: &Team) -> Vec<String> {
    let plan = team.post("/rotation/preview", &json!({"weeks": 4})).ok();
    let text = |item: &Value| {
        let part = |field: &str| item[field].as_str().unwrap().to_owned();
        format!(
            "{} {}..{}",
            part("engineer_slack_id"),
            part("start_date"),
            part("end_date")
        )
    };
    plan["items"].as_array().unwrap().iter().map(text).collect()
}

/// `(user, first day, last day)` as in a plan.
fn shifts(team: &Team, shifts: &[(&str, i64, i64)]) -> Vec<String> {
    let text = |(user, from, to): &(&str, i64, i64)| {
        format!("{user} {}..{}", team.day(*from), team.day(*to))
    };
    shifts.iter().map(text).collect()
}

#[test]
fn preview_tells_each_shift_and_why_and_generate_gives_the_same() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB", "UCAT", "UDAN"]);
    team.patch("/members/UDAN", &json!({"is_eligible_for_oncall": false}))
        .ok();
    let preview = team.post("/rotation/preview", &json!({})).ok();
    let items = preview["items"].as_array().unwrap();
    assert_eq!(column(&preview, "week_number"), [1, 2, 3, 4]);
    assert_eq!(
        column(&preview, "engineer_slack_id"),
        ["UANN", "UBOB", "UCAT", "UANN"]
    );
    for pair in items.windows(2) {
        assert_eq!(pair[0]["ends_at"], pair[1]["starts_at"]);
    }
    assert_eq!(items[0]["start_date"], team.day(0));
    assert_eq!(items[0]["end_date"], team.day(6));
    let why = &items[1]["explanation"];
    assert_eq!(why["strategy"], "round_robin");
    assert_eq!(why["period_number"], 2);
    assert_eq!(why["reason"], "next in the ring after UANN");
    assert_eq!(why["candidates"].as_array().unwrap().len(), 3);
    assert_eq!(why["passed_over"][0]["slack_user_id"], "UDAN");
    assert_eq!(why["passed_over"][0]["reason"], "ineligible");
    let first = &why["candidates"][0];
    assert_eq!(
        (&first["slack_user_id"], &first["served"]),
        (&json!("UANN"), &json!(1.0))
    );
    assert_eq!(first["last_served_date"], team.day(6));
    assert_eq!(first["weight"], 1.0);
    for field in ["target", "credit", "gap"] {
        assert!(first[field].is_number(), "{field}");
    }
    assert_eq!(team.post("/rotation/generate", &json!({})).ok(), preview);
    assert_eq!(team.post("/rotation/preview", &json!({})).ok(), preview);
    let rows = team
        .get(&format!("/oncall-schedules?from={}", team.day(7)))
        .ok();
    assert_eq!(rows["items"][0]["explanation"], *why, "the row keeps why");
}

#[test]
fn generating_twice_changes_nothing() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB"]);
    team.post("/rotation/generate", &json!({"weeks": 9})).ok();
    let rows = team.get("/oncall-schedules").ok();
    let entries = daemon.verify_audit();
    team.post("/rotation/generate", &json!({"weeks": 9})).ok();
    team.post("/rotation/generate", &json!({"weeks": 1})).ok();
    assert_eq!(team.get("/oncall-schedules").ok(), rows);
    assert_eq!(daemon.verify_audit(), entries);
}

#[test]
fn a_manual_schedule_cuts_the_auto_ones_and_takes_a_turn_where_it_covers_all() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB", "UCAT"]);
    let plain = [
        ("UANN", 0, 6),
        ("UBOB", 7, 13),
        ("UCAT", 14, 20),
        ("UANN", 21, 27),
    ];
    assert_eq!(planned(&team), shifts(&team, &plain));
    let row = |user: &str, from: i64, to: i64| {
        let row = json!({"engineer_slack_id": user, "start_date": team.day(from), "end_date": team.day(to)});
        team.post("/oncall-schedules", &row)
    };
    let cut = row("UZOE", 9, 10).created();
    assert_eq!(cut["origin"], "manual");
    assert_eq!(
        cut["warnings"].as_array().unwrap().len(),
        1,
        "she is no member: {cut}"
    );
    let around = [
        ("UANN", 0, 6),
        ("UBOB", 7, 8),
        ("UBOB", 11, 13),
        ("UCAT", 14, 20),
        ("UANN", 21, 27),
    ];
    assert_eq!(planned(&team), shifts(&team, &around));
    assert_eq!(team.on_call(9), ("UZOE".into(), "manual".into()));
    assert_eq!(team.on_call(11), ("UBOB".into(), "auto".into()));

    let clash = row("UANN", 10, 12).problem(409);
    assert_eq!(clash["conflicting_id"], cut["id"]);
    assert!(
        clash["detail"].as_str().unwrap().contains("UZOE"),
        "{clash}"
    );
    let whole = row("UANN", 14, 20).created();
    assert_eq!(whole["warnings"], json!([]));
    let expected = [
        ("UANN", 0, 6),
        ("UBOB", 7, 8),
        ("UBOB", 11, 13),
        ("UCAT", 21, 27),
    ];
    assert_eq!(
        planned(&team),
        shifts(&team, &expected),
        "the covered period takes no turn"
    );

    for id in [&cut["id"], &whole["id"]] {
        let path = team.path(&format!("/oncall-schedules/{}", id.as_str().unwrap()));
        daemon.api.delete(&path).expect(204);
    }
    assert_eq!(planned(&team), shifts(&team, &plain));
    row("UANN", -20, -19).created();
    row("UANN", 5, 4).invalid(&["end_date"]);
    assert_eq!(team.rows("origin=manual").len(), 1);
    assert_eq!(
        team.rows(&format!("origin=auto&to={}", team.day(8))).len(),
        2
    );
    assert_eq!(
        team.rows(&format!("from={}&to={}", team.day(8), team.day(8)))
            .len(),
        1
    );
}

#[test]
fn a_changed_auto_row_becomes_a_manual_one() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB"]);
    let rows = team
        .get(&format!("/oncall-schedules?from={}", team.day(7)))
        .ok();
    let path = format!(
        "/oncall-schedules/{}",
        rows["items"][0]["id"].as_str().unwrap()
    );
    let noted = team.patch(&path, &json!({"note": "mind the gap"})).ok();
    assert_eq!(noted["origin"], "auto");
    let changed = team
        .patch(&path, &json!({"engineer_slack_id": "UANN"}))
        .ok();
    assert_eq!(changed["origin"], "manual");
    assert_eq!(changed["note"], "mind the gap");
    assert_eq!(team.on_call(7), ("UANN".into(), "manual".into()));
    assert_eq!(
        team.on_call(14).0,
        "UBOB",
        "the covered period takes no turn"
    );
    team.post("/rotation/generate", &json!({})).ok();
    assert_eq!(team.on_call(7), ("UANN".into(), "manual".into()));
}

#[test]
fn somebody_is_put_on_call_now_until_the_period_ends() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB"]);
    let assign = |body: Value| team.post("/oncall", &body);
    let row = assign(json!({"engineer_slack_id": "UBOB", "reason": "UANN is ill"})).created();
    assert_eq!(
        (&row["start_date"], &row["end_date"]),
        (&json!(team.day(0)), &json!(team.day(6)))
    );
    assert_eq!(row["origin"], "manual");
    assert_eq!(team.on_call(0), ("UBOB".into(), "manual".into()));
    assign(json!({"engineer_slack_id": "UCAT", "end_date": team.day(1)})).created();
    assert_eq!(team.on_call(0).0, "UCAT");
    assert_eq!(team.on_call(2).0, "UBOB", "the rest of the row stands");
    assign(json!({"engineer_slack_id": "UCAT", "end_date": team.day(-1)})).invalid(&["end_date"]);
    assign(json!({})).invalid(&["engineer_slack_id"]);
    let events = column(&daemon.api.get("/notifications").ok(), "event");
    assert!(events.contains(&"shift_started".into()), "{events:?}");

    let plain = daemon.team("No rotation");
    let row = plain
        .post("/oncall", &json!({"engineer_slack_id": "UBOB"}))
        .created();
    assert_eq!(row["end_date"], plain.day(0));
}

#[test]
fn time_off_is_planned_around_and_what_stands_is_a_conflict() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB", "UCAT"]);
    let off = |user: &str, from: i64, to: i64| {
        let row = json!({"start_date": team.day(from), "end_date": team.day(to), "reason": "sea"});
        daemon.api.post(&format!("/users/{user}/time-off"), &row)
    };
    let bob = off("UBOB", 13, 13).created();
    assert_eq!(bob["warnings"], json!([]), "the rotation went round it");
    assert_eq!(team.on_call(7).0, "UCAT");
    let why = team.post("/rotation/preview", &json!({})).ok()["items"][1]["explanation"].clone();
    assert_eq!(why["passed_over"][0]["slack_user_id"], "UBOB");
    assert_eq!(why["passed_over"][0]["reason"], "time_off");

    let ann = off("UANN", 0, 2).created();
    assert_eq!(
        ann["warnings"].as_array().unwrap().len(),
        1,
        "the running shift stands: {ann}"
    );
    assert_eq!(team.on_call(0).0, "UANN");
    let range = format!("/fairness?from={}&to={}", team.day(0), team.day(20));
    let report = team.get(&range).ok();
    let conflict = &report["conflicts"][0];
    assert_eq!(conflict["slack_user_id"], "UANN");
    assert_eq!(conflict["time_off_end_date"], team.day(2));
    let hers = daemon.api.get("/users/UANN/schedules").ok();
    assert_eq!(hers["items"][0]["conflicts_with_time_off"], true);
    assert_eq!(hers["items"][0]["team_slug"], "core");

    let row =
        json!({"engineer_slack_id": "UBOB", "start_date": team.day(13), "end_date": team.day(13)});
    let row = team.post("/oncall-schedules", &row).created();
    assert!(
        row["warnings"][0].as_str().unwrap().contains("time off"),
        "{row}"
    );
    let path = team.path(&format!(
        "/oncall-schedules/{}",
        row["id"].as_str().unwrap()
    ));
    daemon.api.delete(&path).expect(204);
    let list = daemon.api.get("/users/UBOB/time-off").ok();
    assert_eq!(column(&list, "reason"), ["sea"]);
    daemon
        .api
        .delete(&format!(
            "/users/UBOB/time-off/{}",
            bob["id"].as_str().unwrap()
        ))
        .expect(204);
    assert_eq!(team.on_call(7).0, "UBOB");
    off("UBOB", 3, 2).invalid(&["end_date"]);
    off("bob", 3, 4).invalid(&["user"]);
}

#[test]
fn fairness_counts_who_really_served() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    let from = team.day(-14);
    team.rotate(json!({"rotation_interval": "weekly", "rotation_start_date": from}));
    for (user, from, to) in [("UANN", -14, -8), ("UBOB", -7, -3)] {
        let row = json!({"engineer_slack_id": user, "start_date": team.day(from), "end_date": team.day(to)});
        team.post("/oncall-schedules", &row).created();
    }
    let report = team
        .get(&format!("/fairness?from={from}&to={}", team.day(-1)))
        .ok();
    assert_eq!(report["covered_days"], 12);
    assert_eq!(
        report["gaps"],
        json!([{"start_date": team.day(-2), "end_date": team.day(-1)}])
    );
    let members = report["members"].as_array().unwrap();
    let ann = members
        .iter()
        .find(|m| m["slack_user_id"] == "UANN")
        .unwrap();
    assert_eq!(
        (&ann["days_served"], &ann["manual_days"]),
        (&json!(7), &json!(7))
    );
    assert_eq!(
        (&ann["auto_days"], &ann["weekend_days"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(ann["target_share"], 0.5);
    let share = ann["actual_share"].as_f64().unwrap();
    assert!((share - 7.0 / 12.0).abs() < 1e-6, "{share}");
    team.get(&format!(
        "/fairness?from={}&to={}",
        team.day(1),
        team.day(0)
    ))
    .problem(422);
}

#[test]
fn a_person_sees_all_their_shifts() {
    let daemon = Daemon::start();
    let core = weekly(&daemon, &["UANN", "UBOB"]);
    let edge = daemon.team("Edge");
    let wish = json!({"substitute_slack_id": "UBOB", "start_date": edge.day(2)});
    edge.post("/oncall-overrides", &wish).created();
    let list = |query: &str| {
        daemon
            .api
            .get(&format!("/users/UBOB/schedules?{query}"))
            .ok()
    };
    let to = format!("to={}", core.day(14));
    assert_eq!(column(&list(&to), "kind"), ["override", "schedule"]);
    assert_eq!(
        column(&list(&to), "status"),
        [json!("approved"), Value::Null]
    );
    assert_eq!(column(&list(&to), "team_slug"), ["edge", "core"]);
    let range = format!("from={}&{to}", core.day(3));
    assert_eq!(column(&list(&range), "origin"), ["auto"]);
    daemon.api.get("/users/bob/schedules").invalid(&["user"]);
}
