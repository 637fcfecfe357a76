//! What the API answers, whole: fields, forms and texts that clients depend on.

use serde_json::{Value, json};

use crate::harness::{Daemon, Reply, Team, shown};

/// A team of two that is asked before somebody covers, with a weekly rotation.
fn payments(daemon: &Daemon) -> Team {
    let fields = json!({
        "name": "Payments", "slack_channel_id": "C1", "overrides_require_approval": true,
    });
    let team = daemon.team_with("Payments", fields);
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({"rotation_type": "weighted"}));
    team
}

#[test]
fn a_team_and_its_members() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    insta::assert_snapshot!(shown(&team.get("").ok(), team.today), @r#"
    {
      "created_at": "<time>",
      "description": null,
      "handoff_day": null,
      "handoff_time": "00:00",
      "id": "<id>",
      "is_active": true,
      "name": "Payments",
      "overrides_require_approval": true,
      "plugin_config": {},
      "problems": [],
      "rotation_enabled": true,
      "rotation_interval": "weekly",
      "rotation_order": [],
      "rotation_start_date": "today",
      "rotation_type": "weighted",
      "slack_channel_id": "C1",
      "slack_group_id": null,
      "slack_oncall_group_id": null,
      "slug": "payments",
      "timezone": "<zone>",
      "updated_at": "<time>",
      "version": 2
    }
    "#);
    insta::assert_snapshot!(shown(&team.get("/members?page_size=1").ok(), team.today), @r#"
    {
      "items": [
        {
          "created_at": "<time>",
          "display_name": "UANN",
          "id": "<id>",
          "in_slack": null,
          "is_eligible_for_oncall": true,
          "joined_at": "<time>",
          "slack_account": null,
          "slack_user_id": "UANN",
          "synced_at": null,
          "team_id": "<id>",
          "team_role": "member",
          "updated_at": "<time>",
          "version": 1,
          "weight": 1.0
        }
      ],
      "page": 1,
      "page_size": 1,
      "total": 2
    }
    "#);
}

#[test]
fn a_schedule_and_an_override_of_somebody_from_elsewhere() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    let row = json!({
        "engineer_slack_id": "UBOB", "start_date": team.day(9), "end_date": team.day(10),
        "note": "swapped", "created_by": "UANN",
    });
    let row = team.post("/oncall-schedules", &row).created();
    insta::assert_snapshot!(shown(&row, team.today), @r#"
    {
      "created_at": "<time>",
      "created_by": "UANN",
      "end_date": "today+10",
      "ends_at": "<time>",
      "engineer_slack_id": "UBOB",
      "explanation": null,
      "id": "<id>",
      "note": "swapped",
      "origin": "manual",
      "start_date": "today+9",
      "starts_at": "<time>",
      "team_id": "<id>",
      "updated_at": "<time>",
      "version": 1,
      "warnings": []
    }
    "#);
    let wish = json!({
        "substitute_slack_id": "UZOE", "start_date": team.day(2), "reason": "dentist",
        "requested_by": "UANN",
    });
    let wish = team.post("/oncall-overrides", &wish).created();
    insta::assert_snapshot!(shown(&wish, team.today), @r#"
    {
      "approved_by": null,
      "created_at": "<time>",
      "decided_at": null,
      "decision_reason": null,
      "end_date": "today+2",
      "ends_at": "<time>",
      "id": "<id>",
      "reason": "dentist",
      "requested_by": "UANN",
      "start_date": "today+2",
      "starts_at": "<time>",
      "status": "pending",
      "substitute_slack_id": "UZOE",
      "team_id": "<id>",
      "updated_at": "<time>",
      "version": 1,
      "warnings": [
        "UZOE is not a member of team `payments`"
      ]
    }
    "#);
    let path = format!("/oncall-overrides/{}", wish["id"].as_str().unwrap());
    let decided = team
        .patch(&path, &json!({"status": "approved", "reason": "get well"}))
        .ok();
    let fields = decided.as_object().unwrap().iter();
    let changed = fields.filter(|(field, now)| wish[*field] != **now);
    let changed = changed.map(|(field, now)| (field.clone(), now.clone()));
    insta::assert_snapshot!(shown(&Value::Object(changed.collect()), team.today), @r#"
    {
      "decided_at": "<time>",
      "decision_reason": "get well",
      "status": "approved",
      "updated_at": "<time>",
      "version": 2
    }
    "#);
}

#[test]
fn a_preview_with_its_explanation() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    let plan = team.post("/rotation/preview", &json!({"weeks": 2})).ok();
    insta::assert_snapshot!(shown(&plan["items"][1], team.today), @r#"
    {
      "end_date": "today+13",
      "ends_at": "<time>",
      "engineer_slack_id": "UBOB",
      "explanation": {
        "candidates": [
          {
            "credit": -0.5,
            "gap": -0.5,
            "last_served_date": "today+6",
            "served": 1.0,
            "slack_user_id": "UANN",
            "target": 0.5,
            "weight": 1.0
          },
          {
            "credit": 0.5,
            "gap": 0.5,
            "last_served_date": null,
            "served": 0.0,
            "slack_user_id": "UBOB",
            "target": 0.5,
            "weight": 1.0
          }
        ],
        "hold": false,
        "passed_over": [],
        "period_end_date": "today+13",
        "period_number": 2,
        "period_start_date": "today+7",
        "reason": "largest credit of 2 candidates: +0.50 of a shift",
        "strategy": "weighted",
        "strategy_error": null
      },
      "start_date": "today+7",
      "starts_at": "<time>",
      "week_number": 2
    }
    "#);
}

#[test]
fn a_service_and_who_is_on_call_for_it() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    let service = json!({
        "name": "checkout", "team_id": "payments", "tier": "critical", "environment": "production",
        "repository_url": "https://git.example.com/checkout", "tech_stack": ["rust"],
        "metadata": {"runbook": "https://wiki.example.com/checkout"},
    });
    let service = daemon.api.post("/services", &service).created();
    insta::assert_snapshot!(shown(&service, team.today), @r#"
    {
      "created_at": "<time>",
      "environment": "production",
      "id": "<id>",
      "is_active": true,
      "metadata": {
        "runbook": "https://wiki.example.com/checkout"
      },
      "name": "checkout",
      "owner_slack_id": null,
      "repository_url": "https://git.example.com/checkout",
      "team_id": "<id>",
      "tech_stack": [
        "rust"
      ],
      "tier": "critical",
      "updated_at": "<time>",
      "version": 1
    }
    "#);
    let answer = daemon.api.get("/oncall?service=checkout").ok();
    insta::assert_snapshot!(shown(&answer, team.today), @r#"
    {
      "date": "today",
      "display_name": "UANN",
      "end_date": "today+6",
      "ends_at": "<time>",
      "engineer_slack_id": "UANN",
      "next": {
        "display_name": "UBOB",
        "engineer_slack_id": "UBOB",
        "starts_at": "<time>"
      },
      "service_id": "<id>",
      "service_name": "checkout",
      "source": "auto",
      "start_date": "today",
      "starts_at": "<time>",
      "team_id": "<id>",
      "team_name": "Payments",
      "team_slug": "payments",
      "timezone": "<zone>"
    }
    "#);
}

#[test]
fn what_a_message_is_about() {
    let daemon = Daemon::start();
    let team = daemon.team_with("Core", json!({"slack_channel_id": "C1"}));
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({"rotation_type": "weighted"}));
    let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(0), "reason": "swap"});
    team.post("/oncall-overrides", &wish).created();
    let sent = daemon.api.get("/notifications").ok();
    let sent = sent["items"].as_array().unwrap();
    let sent = sent.iter().find(|row| row["event"] == "shift_started");
    insta::assert_snapshot!(shown(&sent.unwrap()["payload"], team.today), @r#"
    {
      "end_date": "today",
      "ends_at": "<time>",
      "engineer_slack_id": "UCAT",
      "next": {
        "engineer_slack_id": "UANN",
        "starts_at": "<time>"
      },
      "previous_engineer_slack_id": "UANN",
      "reason": "swap",
      "source": "override",
      "start_date": "today",
      "starts_at": "<time>",
      "team": {
        "id": "<id>",
        "name": "Core",
        "slug": "core",
        "timezone": "<zone>"
      }
    }
    "#);
}

#[test]
fn an_audit_entry() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    let ann = daemon.client("editor", Some("UANN"));
    ann.patch(&team.path("/members/UBOB"), &json!({"weight": 2}))
        .ok();
    let query = "actor_id=UANN&entity_type=team_membership";
    let mut list = daemon.api.get(&format!("/audit-logs?{query}")).ok();
    let mut entry = list["items"][0].take();
    let peer = entry["metadata"]["peer"].take();
    assert!(peer.as_str().unwrap().starts_with("127.0.0.1"), "{peer}");
    let token = entry["metadata"]["token_id"].take();
    assert_eq!(token.as_str().map(str::len), Some(36), "{token}");
    let request = entry["metadata"]["request_id"].take();
    assert_eq!(request.as_str().map(str::len), Some(16), "{request}");
    insta::assert_snapshot!(shown(&entry, team.today), @r#"
    {
      "action": "updated",
      "actor_id": "UANN",
      "actor_type": "user",
      "change_reason": null,
      "change_type": null,
      "changes": {
        "weight": {
          "new": 2.0,
          "old": 1.0
        }
      },
      "created_at": "<time>",
      "effective_date": null,
      "engineer_slack_id": null,
      "entity_id": "<id>",
      "entity_type": "team_membership",
      "hash": "<hash>",
      "id": "<id>",
      "metadata": {
        "peer": null,
        "request_id": null,
        "slack_user_id": "UBOB",
        "source": "api",
        "token": "editor-UANN",
        "token_id": null
      },
      "previous_engineer_slack_id": null,
      "previous_hash": "<hash>",
      "seq": 8,
      "team_id": "<id>"
    }
    "#);
}

#[test]
fn problems() {
    let daemon = Daemon::start();
    let team = payments(&daemon);
    let said = |reply: Reply, status: u16| shown(&reply.problem(status), team.today);
    let get = |path: &str| daemon.api.get(path);
    insta::assert_snapshot!(said(get("/teams/paymnts"), 404), @r#"
    {
      "detail": "there is no team `paymnts`",
      "status": 404,
      "title": "Not Found"
    }
    "#);
    insta::assert_snapshot!(said(get("/team"), 404), @r#"
    {
      "detail": "nothing is served at `/api/v1/team`; did you mean `/api/v1/teams`?",
      "status": 404,
      "title": "Not Found"
    }
    "#);
    let invalid = json!({"name": "", "timezone": "Europe/Berln", "colour": "red"});
    let reply = daemon.api.post("/teams", &invalid);
    insta::assert_snapshot!(said(reply, 422), @r#"
    {
      "detail": "colour: unknown field `colour`, expected one of `name`, `slug`, `description`, `slack_group_id`, `slack_oncall_group_id`, `slack_channel_id`, `timezone`, `overrides_require_approval`, `is_active`, `rotation_enabled`, `rotation_type`, `rotation_interval`, `rotation_start_date`, `rotation_order`, `handoff_day`, `handoff_time`, `plugin_config`, `version`",
      "errors": [
        {
          "field": "colour",
          "message": "unknown field `colour`, expected one of `name`, `slug`, `description`, `slack_group_id`, `slack_oncall_group_id`, `slack_channel_id`, `timezone`, `overrides_require_approval`, `is_active`, `rotation_enabled`, `rotation_type`, `rotation_interval`, `rotation_start_date`, `rotation_order`, `handoff_day`, `handoff_time`, `plugin_config`, `version`"
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity"
    }
    "#);
    let invalid = json!({"name": "", "timezone": "Europe/Berln", "handoff_time": "9:00"});
    let reply = daemon.api.post("/teams", &invalid);
    insta::assert_snapshot!(said(reply, 422), @r#"
    {
      "detail": "name: has 0 characters, expected 1 to 100; timezone: `Europe/Berln` is not an IANA time zone; did you mean `Europe/Berlin`?; handoff_time: `9:00` is not a time of day as HH:MM, 00:00 to 23:59",
      "errors": [
        {
          "field": "name",
          "message": "has 0 characters, expected 1 to 100"
        },
        {
          "field": "timezone",
          "message": "`Europe/Berln` is not an IANA time zone; did you mean `Europe/Berlin`?"
        },
        {
          "field": "handoff_time",
          "message": "`9:00` is not a time of day as HH:MM, 00:00 to 23:59"
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity"
    }
    "#);
    let wish = json!({"substitute_slack_id": "UBOB", "start_date": team.day(2)});
    team.post("/oncall-overrides", &wish).created();
    let reply = team.post("/oncall-overrides", &wish);
    insta::assert_snapshot!(said(reply, 409), @r#"
    {
      "conflicting_id": "<id>",
      "detail": "overlaps the pending override for UBOB from today+2 to today+2",
      "status": 409,
      "title": "Conflict"
    }
    "#);
    let reply = team.patch("", &json!({"description": "x", "version": 9}));
    insta::assert_snapshot!(said(reply, 409), @r#"
    {
      "detail": "version 9 is not the current one, 2: read it again and redo the change",
      "status": 409,
      "title": "Conflict"
    }
    "#);
    let viewer = daemon.client("viewer", None);
    let reply = viewer.post(&team.path("/members"), &json!({"slack_user_id": "UCAT"}));
    insta::assert_snapshot!(said(reply, 403), @r#"
    {
      "detail": "this requires the role editor; token `viewer-nobody` has viewer",
      "status": 403,
      "title": "Forbidden"
    }
    "#);
    insta::assert_snapshot!(said(daemon.api.with_token("oncalld_0").get("/teams"), 401), @r#"
    {
      "detail": "the token is unknown, revoked or expired",
      "status": 401,
      "title": "Unauthorized"
    }
    "#);
    insta::assert_snapshot!(said(daemon.api.send("PUT", "/teams", &[], b"{}"), 405), @r#"
    {
      "detail": "`/api/v1/teams` does not support PUT",
      "status": 405,
      "title": "Method Not Allowed"
    }
    "#);
}
