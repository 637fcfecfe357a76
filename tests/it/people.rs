//! What concerns a person in all their teams: time off, shifts.

use serde_json::{Value, json};

use crate::harness::{Daemon, column};
use crate::rotation::weekly;

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
