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
      "id": "<id>",
      "name": "Payments",
      "slug": "payments",
      "description": null,
      "slack_group_id": null,
      "slack_oncall_group_id": null,
      "slack_channel_id": "C1",
      "timezone": "<zone>",
      "overrides_require_approval": true,
      "is_active": true,
      "rotation_enabled": true,
      "rotation_type": "weighted",
      "rotation_interval": "weekly",
      "rotation_start_date": "today",
      "rotation_order": [],
      "handoff_day": null,
      "handoff_time": "00:00",
      "plugin_config": {},
      "problems": [],
      "created_at": "<time>",
      "updated_at": "<time>",
      "version": 2
    }
    "#);
    insta::assert_snapshot!(shown(&team.get("/members?page_size=1").ok(), team.today), @r#"
    {
      "items": [
        {
          "id": "<id>",
          "team_id": "<id>",
          "slack_user_id": "UANN",
          "display_name": "UANN",
          "in_slack": null,
          "slack_account": null,
          "synced_at": null,
          "team_role": "member",
          "is_eligible_for_oncall": true,
          "weight": 1.0,
          "joined_at": "<time>",
          "created_at": "<time>",
          "updated_at": "<time>",
          "version": 1
        }
      ],
      "total": 2,
      "page": 1,
      "page_size": 1
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
      "id": "<id>",
      "team_id": "<id>",
      "engineer_slack_id": "UBOB",
      "start_date": "today+9",
      "end_date": "today+10",
      "starts_at": "<time>",
      "ends_at": "<time>",
      "origin": "manual",
      "created_by": "UANN",
      "note": "swapped",
      "explanation": null,
      "created_at": "<time>",
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
      "id": "<id>",
      "team_id": "<id>",
      "substitute_slack_id": "UZOE",
      "start_date": "today+2",
      "end_date": "today+2",
      "starts_at": "<time>",
      "ends_at": "<time>",
      "reason": "dentist",
      "status": "pending",
      "requested_by": "UANN",
      "approved_by": null,
      "decided_at": null,
      "created_at": "<time>",
      "updated_at": "<time>",
      "version": 1,
      "warnings": [
        "UZOE is not a member of team `payments`"
      ]
    }
    "#);
    let path = format!("/oncall-overrides/{}", wish["id"].as_str().unwrap());
    let decided = team.patch(&path, &json!({"status": "approved"})).ok();
    let fields = decided.as_object().unwrap().iter();
    let changed = fields.filter(|(field, now)| wish[*field] != **now);
    let changed = changed.map(|(field, now)| (field.clone(), now.clone()));
    insta::assert_snapshot!(shown(&Value::Object(changed.collect()), team.today), @r#"
    {
      "status": "approved",
      "decided_at": "<time>",
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
      "week_number": 2,
      "start_date": "today+7",
      "end_date": "today+13",
      "starts_at": "<time>",
      "ends_at": "<time>",
      "engineer_slack_id": "UBOB",
      "explanation": {
        "strategy": "weighted",
        "reason": "largest credit of 2 candidates: +0.50 of a shift",
        "period_number": 2,
        "period_start_date": "today+7",
        "period_end_date": "today+13",
        "candidates": [
          {
            "slack_user_id": "UANN",
            "weight": 1.0,
            "target": 0.5,
            "served": 1.0,
            "credit": -0.5,
            "gap": -0.5,
            "last_served_date": "today+6"
          },
          {
            "slack_user_id": "UBOB",
            "weight": 1.0,
            "target": 0.5,
            "served": 0.0,
            "credit": 0.5,
            "gap": 0.5,
            "last_served_date": null
          }
        ],
        "passed_over": [],
        "hold": false,
        "strategy_error": null
      }
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
      "id": "<id>",
      "name": "checkout",
      "team_id": "<id>",
      "repository_url": "https://git.example.com/checkout",
      "environment": "production",
      "tier": "critical",
      "owner_slack_id": null,
      "tech_stack": [
        "rust"
      ],
      "metadata": {
        "runbook": "https://wiki.example.com/checkout"
      },
      "is_active": true,
      "created_at": "<time>",
      "updated_at": "<time>",
      "version": 1
    }
    "#);
    let answer = daemon.api.get("/oncall?service=checkout").ok();
    insta::assert_snapshot!(shown(&answer, team.today), @r#"
    {
      "engineer_slack_id": "UANN",
      "display_name": "UANN",
      "team_id": "<id>",
      "team_name": "Payments",
      "team_slug": "payments",
      "service_id": "<id>",
      "service_name": "checkout",
      "source": "auto",
      "date": "today",
      "start_date": "today",
      "end_date": "today+6",
      "starts_at": "<time>",
      "ends_at": "<time>",
      "timezone": "<zone>",
      "next": {
        "engineer_slack_id": "UBOB",
        "starts_at": "<time>"
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
    let request = entry["metadata"]["request_id"].take();
    assert_eq!(request.as_str().map(str::len), Some(16), "{request}");
    insta::assert_snapshot!(shown(&entry, team.today), @r#"
    {
      "id": "<id>",
      "seq": 8,
      "team_id": "<id>",
      "entity_type": "team_membership",
      "entity_id": "<id>",
      "action": "updated",
      "actor_type": "user",
      "actor_id": "UANN",
      "changes": {
        "weight": {
          "old": 1.0,
          "new": 2.0
        }
      },
      "metadata": {
        "source": "api",
        "request_id": null,
        "peer": null,
        "token": "editor-UANN",
        "slack_user_id": "UBOB"
      },
      "engineer_slack_id": null,
      "previous_engineer_slack_id": null,
      "change_type": null,
      "change_reason": null,
      "effective_date": null,
      "created_at": "<time>",
      "previous_hash": "<hash>",
      "hash": "<hash>"
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
      "title": "Not Found",
      "status": 404,
      "detail": "there is no team `paymnts`"
    }
    "#);
    insta::assert_snapshot!(said(get("/team"), 404), @r#"
    {
      "title": "Not Found",
      "status": 404,
      "detail": "nothing is served at `/api/v1/team`; did you mean `/api/v1/teams`?"
    }
    "#);
    let invalid = json!({"name": "", "timezone": "Europe/Berln", "colour": "red"});
    let reply = daemon.api.post("/teams", &invalid);
    insta::assert_snapshot!(said(reply, 422), @r#"
    {
      "title": "Unprocessable Entity",
      "status": 422,
      "detail": "colour: unknown field `colour`, expected one of `name`, `slug`, `description`, `slack_group_id`, `slack_oncall_group_id`, `slack_channel_id`, `timezone`, `overrides_require_approval`, `is_active`, `rotation_enabled`, `rotation_type`, `rotation_interval`, `rotation_start_date`, `rotation_order`, `handoff_day`, `handoff_time`, `plugin_config`, `version`",
      "errors": [
        {
          "field": "colour",
          "message": "unknown field `colour`, expected one of `name`, `slug`, `description`, `slack_group_id`, `slack_oncall_group_id`, `slack_channel_id`, `timezone`, `overrides_require_approval`, `is_active`, `rotation_enabled`, `rotation_type`, `rotation_interval`, `rotation_start_date`, `rotation_order`, `handoff_day`, `handoff_time`, `plugin_config`, `version`"
        }
      ]
    }
    "#);
    let invalid = json!({"name": "", "timezone": "Europe/Berln", "handoff_time": "9:00"});
    let reply = daemon.api.post("/teams", &invalid);
    insta::assert_snapshot!(said(reply, 422), @r#"
    {
      "title": "Unprocessable Entity",
      "status": 422,
      "detail": "name: has 0 characters, expected 1 to 100; timezone: `Europe/Berln` is not an IANA zone name such as Europe/Berlin; did you mean Europe/Berlin?; handoff_time: `9:00` is not a time of day as HH:MM, 00:00 to 23:59",
      "errors": [
        {
          "field": "name",
          "message": "has 0 characters, expected 1 to 100"
        },
        {
          "field": "timezone",
          "message": "`Europe/Berln` is not an IANA zone name such as Europe/Berlin; did you mean Europe/Berlin?"
        },
        {
          "field": "handoff_time",
          "message": "`9:00` is not a time of day as HH:MM, 00:00 to 23:59"
        }
      ]
    }
    "#);
    let wish = json!({"substitute_slack_id": "UBOB", "start_date": team.day(2)});
    team.post("/oncall-overrides", &wish).created();
    let reply = team.post("/oncall-overrides", &wish);
    insta::assert_snapshot!(said(reply, 409), @r#"
    {
      "title": "Conflict",
      "status": 409,
      "detail": "overlaps the pending override for UBOB from today+2 to today+2",
      "conflicting_id": "<id>"
    }
    "#);
    let reply = team.patch("", &json!({"description": "x", "version": 9}));
    insta::assert_snapshot!(said(reply, 409), @r#"
    {
      "title": "Conflict",
      "status": 409,
      "detail": "version 9 is not the current one, 2: read it again and redo the change"
    }
    "#);
    let viewer = daemon.client("viewer", None);
    let reply = viewer.post(&team.path("/members"), &json!({"slack_user_id": "UCAT"}));
    insta::assert_snapshot!(said(reply, 403), @r#"
    {
      "title": "Forbidden",
      "status": 403,
      "detail": "this takes the role editor; token `viewer-nobody` has viewer"
    }
    "#);
    insta::assert_snapshot!(said(daemon.api.with_token("oncalld_0").get("/teams"), 401), @r#"
    {
      "title": "Unauthorized",
      "status": 401,
      "detail": "the token is unknown, revoked or expired"
    }
    "#);
    insta::assert_snapshot!(said(daemon.api.send("PUT", "/teams", &[], b"{}"), 405), @r#"
    {
      "title": "Method Not Allowed",
      "status": 405,
      "detail": "`/api/v1/teams` does not take PUT"
    }
    "#);
}
