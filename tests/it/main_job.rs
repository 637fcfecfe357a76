//! The main job, from an empty store to a proven audit log.

use serde_json::json;

use crate::harness::{Daemon, column};

#[test]
fn a_team_rotates_by_weight_and_a_lead_approves_an_override() {
    let daemon = Daemon::start();
    let team = daemon.team_with("Payments", json!({"overrides_require_approval": true}));
    for (user, role, weight) in [
        ("UANN", "lead", 2.0),
        ("UBOB", "member", 1.0),
        ("UCAT", "member", 1.0),
    ] {
        let member = json!({"slack_user_id": user, "team_role": role, "weight": weight});
        team.post("/members", &member).created();
    }
    let config = team.rotate(json!({"rotation_type": "weighted"}));
    assert_eq!(
        config["rotation_start_date"],
        team.day(0),
        "it starts today"
    );

    let preview = team.post("/rotation/preview", &json!({"weeks": 8})).ok();
    let generated = team.post("/rotation/generate", &json!({"weeks": 8})).ok();
    assert_eq!(preview, generated);
    let mut picked = column(&preview, "engineer_slack_id");
    assert_eq!(picked.len(), 8);
    assert_eq!(picked[0], "UANN", "the largest target comes first");
    picked.sort_by_key(ToString::to_string);
    let expected = [
        "UANN", "UANN", "UANN", "UANN", "UBOB", "UBOB", "UCAT", "UCAT",
    ];
    assert_eq!(picked, expected, "each has their share");

    let service = json!({"name": "Checkout", "team_id": team.slug, "tier": "critical"});
    daemon.api.post("/services", &service).created();
    let now = daemon.api.get("/oncall?service=checkout").ok();
    assert_eq!(now["engineer_slack_id"], "UANN");
    assert_eq!(now["source"], "auto");
    assert_eq!(now["team_slug"], "payments");
    assert_eq!(now["service_name"], "Checkout");

    let cat = daemon.client("editor", Some("UCAT"));
    let lead = daemon.client("editor", Some("UANN"));
    let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(1), "reason": "swap"});
    let row = cat.post(&team.path("/oncall-overrides"), &wish).created();
    assert_eq!(row["status"], "pending");
    assert_eq!(row["requested_by"], "UCAT");
    assert_eq!(row["end_date"], row["start_date"]);
    assert_eq!(
        team.on_call(1),
        ("UANN".into(), "auto".into()),
        "it is not in force yet"
    );

    let path = team.path(&format!(
        "/oncall-overrides/{}",
        row["id"].as_str().unwrap()
    ));
    cat.patch(&path, &json!({"status": "approved"}))
        .problem(403);
    let decided = lead.patch(&path, &json!({"status": "approved"})).ok();
    assert_eq!(decided["approved_by"], "UANN");
    assert!(decided["decided_at"].is_string());
    assert_eq!(team.on_call(1), ("UCAT".into(), "override".into()));
    assert_eq!(team.on_call(2), ("UANN".into(), "auto".into()));

    let steps = daemon.audited(&format!("team={}", team.slug));
    let expected = [
        "team created",
        "team_membership created",
        "team_membership created",
        "team_membership created",
        "rotation_config updated",
        "rotation_config rotation_generated",
        "rotation_config rotation_generated",
        "service created",
        "override override_requested",
        "override override_approved",
    ];
    assert_eq!(steps, expected);
    let approvals = daemon.api.get("/audit-logs?action=override_approved").ok();
    let entry = &approvals["items"][0];
    assert_eq!(entry["actor_id"], "UANN");
    assert_eq!(entry["actor_type"], "user");
    assert_eq!(entry["engineer_slack_id"], "UCAT");
    assert_eq!(entry["previous_engineer_slack_id"], "UANN");
    assert_eq!(
        entry["changes"]["status"],
        json!({"old": "pending", "new": "approved"})
    );
    assert_eq!(entry["metadata"]["source"], "api");
    assert_eq!(entry["metadata"]["token"], "editor-UANN");
    assert_eq!(entry["metadata"]["peer"], "127.0.0.1");
    assert!(entry["metadata"]["request_id"].is_string());
    let entries = daemon.api.get("/audit-logs").ok()["total"]
        .as_u64()
        .unwrap();
    assert_eq!(daemon.verify_audit(), entries);
    let daemon = daemon.restart();
    assert_eq!(daemon.verify_audit(), entries);
}
