//! What clients see, as it was when somebody last looked: the API's description, some answers.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::Daemon;

/// `UPDATE_GOLDEN=1` rewrites it.
#[test]
fn the_committed_api_description_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let text = oncalld::api::openapi_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "tests/golden/openapi.json is out of date: UPDATE_GOLDEN=1"
    );
    let daemon = Daemon::start();
    assert_eq!(daemon.api.get("/openapi.json").body, text);
    let document: Value = serde_json::from_str(&text).unwrap();
    for path in [
        "/teams",
        "/oncall",
        "/services/{service}",
        "/teams/{team}/rotation/preview",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

/// Replaces what is another each time: ids, instants, dates, hashes, the zone.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| (name.clone(), redacted(value));
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(items) => items.iter().map(redacted).collect(),
        Value::String(text) => {
            let is_date = |word: &str| chrono::NaiveDate::parse_from_str(word, "%F").is_ok();
            let is_instant = chrono::DateTime::parse_from_rfc3339(text).is_ok();
            let is_hex = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
            match text {
                _ if uuid::Uuid::parse_str(text).is_ok() => "[id]".into(),
                _ if is_instant => "[instant]".into(),
                _ if is_hex => "[hex]".into(),
                _ if text.starts_with("Etc/") => "[zone]".into(),
                // Dates stand in messages too.
                text => text
                    .split(' ')
                    .map(|word| if is_date(word) { "[date]" } else { word })
                    .collect::<Vec<_>>()
                    .join(" ")
                    .into(),
            }
        }
        other => other.clone(),
    }
}

/// By name: the order of fields is no promise, and hangs on how `serde_json` was built.
fn shown(value: &Value) -> String {
    let mut value = redacted(value);
    value.sort_all_objects();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn answers_look_as_they_did() {
    let daemon = Daemon::start();
    let team = daemon.team_with("Core", json!({"slack_channel_id": "C1"}));
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({"rotation_type": "weighted"}));
    insta::assert_snapshot!(shown(&team.get("").ok()), @r#"
    {
      "created_at": "[instant]",
      "description": null,
      "handoff_day": null,
      "handoff_time": "00:00",
      "id": "[id]",
      "is_active": true,
      "name": "Core",
      "overrides_require_approval": false,
      "plugin_config": {},
      "problems": [],
      "rotation_enabled": true,
      "rotation_interval": "weekly",
      "rotation_order": [],
      "rotation_start_date": "[date]",
      "rotation_type": "weighted",
      "slack_channel_id": "C1",
      "slack_group_id": null,
      "slack_oncall_group_id": null,
      "slug": "core",
      "timezone": "[zone]",
      "updated_at": "[instant]",
      "version": 2
    }
    "#);
    insta::assert_snapshot!(shown(&team.get("/members").ok()["items"][0]), @r#"
    {
      "created_at": "[instant]",
      "display_name": "UANN",
      "id": "[id]",
      "in_slack": null,
      "is_eligible_for_oncall": true,
      "joined_at": "[instant]",
      "slack_account": null,
      "slack_user_id": "UANN",
      "synced_at": null,
      "team_id": "[id]",
      "team_role": "member",
      "updated_at": "[instant]",
      "version": 1,
      "weight": 1.0
    }
    "#);
    insta::assert_snapshot!(shown(&team.get("/oncall").ok()), @r#"
    {
      "date": "[date]",
      "display_name": "UANN",
      "end_date": "[date]",
      "ends_at": "[instant]",
      "engineer_slack_id": "UANN",
      "next": {
        "display_name": "UBOB",
        "engineer_slack_id": "UBOB",
        "starts_at": "[instant]"
      },
      "service_id": null,
      "service_name": null,
      "source": "auto",
      "start_date": "[date]",
      "starts_at": "[instant]",
      "team_id": "[id]",
      "team_name": "Core",
      "team_slug": "core",
      "timezone": "[zone]"
    }
    "#);
    let rows = team.get("/oncall-schedules").ok();
    insta::assert_snapshot!(shown(&rows["items"][1]), @r#"
    {
      "created_at": "[instant]",
      "created_by": null,
      "end_date": "[date]",
      "ends_at": "[instant]",
      "engineer_slack_id": "UBOB",
      "explanation": {
        "candidates": [
          {
            "credit": -0.5,
            "gap": -0.5,
            "last_served_date": "[date]",
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
        "period_end_date": "[date]",
        "period_number": 2,
        "period_start_date": "[date]",
        "reason": "largest credit of 2 candidates: +0.50 of a shift",
        "strategy": "weighted",
        "strategy_error": null
      },
      "id": "[id]",
      "note": null,
      "origin": "auto",
      "start_date": "[date]",
      "starts_at": "[instant]",
      "team_id": "[id]",
      "updated_at": "[instant]",
      "version": 1
    }
    "#);
    let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(0), "reason": "swap"});
    insta::assert_snapshot!(shown(&team.post("/oncall-overrides", &wish).created()), @r#"
    {
      "approved_by": null,
      "created_at": "[instant]",
      "decided_at": null,
      "end_date": "[date]",
      "ends_at": "[instant]",
      "id": "[id]",
      "reason": "swap",
      "requested_by": null,
      "start_date": "[date]",
      "starts_at": "[instant]",
      "status": "approved",
      "substitute_slack_id": "UCAT",
      "team_id": "[id]",
      "updated_at": "[instant]",
      "version": 1,
      "warnings": [
        "UCAT is not a member of team `core`"
      ]
    }
    "#);
    let sent = daemon.api.get("/notifications").ok();
    let sent = sent["items"].as_array().unwrap();
    let sent = sent.iter().find(|row| row["event"] == "shift_started");
    insta::assert_snapshot!(shown(&sent.unwrap()["payload"]), @r#"
    {
      "end_date": "[date]",
      "ends_at": "[instant]",
      "engineer_slack_id": "UCAT",
      "next": {
        "engineer_slack_id": "UANN",
        "starts_at": "[instant]"
      },
      "previous_engineer_slack_id": "UANN",
      "reason": "swap",
      "source": "override",
      "start_date": "[date]",
      "starts_at": "[instant]",
      "team": {
        "id": "[id]",
        "name": "Core",
        "slug": "core",
        "timezone": "[zone]"
      }
    }
    "#);
    let entries = daemon.api.get("/audit-logs?entity_type=override").ok();
    insta::assert_snapshot!(shown(&entries["items"][0]), @r#"
    {
      "action": "created",
      "actor_id": "admin",
      "actor_type": "user",
      "change_reason": "swap",
      "change_type": "override_created",
      "changes": {
        "end_date": {
          "new": "[date]",
          "old": null
        },
        "ends_at": {
          "new": "[instant]",
          "old": null
        },
        "reason": {
          "new": "swap",
          "old": null
        },
        "start_date": {
          "new": "[date]",
          "old": null
        },
        "starts_at": {
          "new": "[instant]",
          "old": null
        },
        "status": {
          "new": "approved",
          "old": null
        },
        "substitute_slack_id": {
          "new": "UCAT",
          "old": null
        },
        "team_id": {
          "new": "[id]",
          "old": null
        }
      },
      "created_at": "[instant]",
      "effective_date": "[date]",
      "engineer_slack_id": "UCAT",
      "entity_id": "[id]",
      "entity_type": "override",
      "hash": "[hex]",
      "id": "[id]",
      "metadata": {
        "peer": "127.0.0.1",
        "request_id": "[hex]",
        "source": "api",
        "token": "admin"
      },
      "previous_engineer_slack_id": "UANN",
      "previous_hash": "[hex]",
      "seq": 7,
      "team_id": "[id]"
    }
    "#);
    let clash = team.post("/oncall-overrides", &wish).problem(409);
    insta::assert_snapshot!(shown(&clash), @r#"
    {
      "conflicting_id": "[id]",
      "detail": "overlaps the approved override for UCAT from [date] to [date]",
      "status": 409,
      "title": "Conflict"
    }
    "#);
    let wrong = daemon
        .api
        .post("/teams", &json!({"name": "", "handoff_day": 9}))
        .problem(422);
    insta::assert_snapshot!(shown(&wrong), @r#"
    {
      "detail": "name: has 0 characters, expected 1 to 100; handoff_day: 9 is not a weekday: 0 = Monday … 6 = Sunday",
      "errors": [
        {
          "field": "name",
          "message": "has 0 characters, expected 1 to 100"
        },
        {
          "field": "handoff_day",
          "message": "9 is not a weekday: 0 = Monday … 6 = Sunday"
        }
      ],
      "status": 422,
      "title": "Unprocessable Entity"
    }
    "#);
}
