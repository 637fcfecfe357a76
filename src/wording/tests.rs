//! Each message as people read it.

use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::domain::ids::{NotificationId, TeamId};
use crate::domain::json::Json;
use crate::domain::notification::DeliveryStatus;

struct Company;

impl Names for Company {
    fn name(&self, user: &UserId) -> Option<String> {
        match user.as_str() {
            "UANN" => Some("Ann Arbor".to_owned()),
            "UBOB" => Some("Bob <bob@example.com>".to_owned()),
            _ => None,
        }
    }
}

fn links() -> Links {
    Links::new(Some("https://oncall.example.com/"))
}

fn team(name: &str, number: u128, timezone: &str) -> Value {
    let id = TeamId::from_uuid(uuid::Uuid::from_u128(number));
    let slug = crate::domain::team::slug_from(name);
    json!({"id": id, "name": name, "slug": slug, "timezone": timezone})
}

fn payments() -> Value {
    team("Payments & Co", 1, "Europe/Berlin")
}

/// Written on Monday 2026-11-23 at 08:00 UTC, to Ann.
fn row(event: Event, payload: Value) -> Notification {
    let now: DateTime<Utc> = "2026-11-23T08:00:00Z".parse().unwrap();
    let team = payload["team"]["id"].as_str().unwrap().parse().unwrap();
    Notification {
        id: NotificationId::new(now),
        seq: 1,
        event,
        sink: "slack".to_owned(),
        recipient: "UANN".to_owned(),
        team_id: Some(team),
        payload: Json(payload),
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: now,
        last_error: None,
        created_at: now,
        delivered_at: None,
    }
}

fn with(mut base: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("an object")
    };
    base.as_object_mut().unwrap().extend(more);
    base
}

/// Ann is on call from Monday to Monday, then Cat.
fn shift() -> Value {
    json!({
        "team": payments(),
        "engineer_slack_id": "UANN",
        "previous_engineer_slack_id": "UBOB",
        "source": "auto",
        "start_date": "2026-11-23", "end_date": "2026-11-29",
        "starts_at": "2026-11-23T08:00:00Z", "ends_at": "2026-11-30T08:00:00Z",
        "next": {"engineer_slack_id": "UCAT", "starts_at": "2026-11-30T08:00:00Z"},
    })
}

/// Ann asks for cover by Bob over Christmas.
fn wish() -> Value {
    json!({
        "team": payments(),
        "override_id": uuid::Uuid::from_u128(7),
        "version": 1,
        "substitute_slack_id": "UBOB",
        "replaces_slack_id": "UANN",
        "requested_by": "UANN",
        "approved_by": null,
        "status": "pending",
        "previous_status": null,
        "reason": "skiing <!channel> & more",
        "start_date": "2026-12-24", "end_date": "2026-12-26",
        "starts_at": "2026-12-24T08:00:00Z", "ends_at": "2026-12-27T08:00:00Z",
    })
}

/// A message as it is read: in plain text, then what Slack makes of its blocks.
fn shown(text: &Text) -> String {
    let mut shown = format!("{}\n---\n{}\n---\n", text.title, text.plain);
    for block in text.blocks.as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "section" => writeln!(shown, "{}", block["text"]["text"].as_str().unwrap()).unwrap(),
            "actions" => {
                for button in block["elements"].as_array().unwrap() {
                    let label = &button["text"]["text"].as_str().unwrap();
                    let (action, value) = (&button["action_id"], &button["value"]);
                    writeln!(shown, "[{label}: {action} {value}]").unwrap();
                }
            }
            other => panic!("{other}"),
        }
    }
    shown
}

fn told(rows: &[Notification]) -> String {
    shown(&render(rows, &Company, &links()))
}

fn told_one(event: Event, payload: Value) -> String {
    told(&[row(event, payload)])
}

fn to(recipient: &str, row: Notification) -> Notification {
    Notification {
        recipient: recipient.to_owned(),
        ..row
    }
}

#[test]
fn a_handoff() {
    let all = [
        told_one(Event::Handoff, shift()),
        told_one(
            Event::Handoff,
            with(
                shift(),
                json!({"source": "override", "reason": "swap", "next": null}),
            ),
        ),
        told_one(
            Event::Handoff,
            with(
                shift(),
                json!({"engineer_slack_id": null, "source": null, "starts_at": null,
                "ends_at": null, "reason": "the team's rotation was configured"}),
            ),
        ),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn a_shift_that_starts() {
    let gap = json!({"engineer_slack_id": "UCAT", "starts_at": "2027-11-30T08:00:00Z"});
    let all = [
        told_one(Event::ShiftStarted, shift()),
        told_one(
            Event::ShiftStarted,
            with(
                shift(),
                json!({"previous_engineer_slack_id": null, "source": "manual",
                "reason": "Bob is ill", "next": gap}),
            ),
        ),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn a_shift_that_ends() {
    let bob = json!({"engineer_slack_id": "UBOB", "previous_engineer_slack_id": "UANN"});
    let nobody = json!({"engineer_slack_id": null, "ends_at": null, "next": null});
    let all = [
        told_one(Event::ShiftEnded, with(shift(), bob)),
        told_one(Event::ShiftEnded, with(shift(), nobody)),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn a_shift_that_begins_soon() {
    insta::assert_snapshot!(told_one(Event::ShiftReminder, shift()));
}

#[test]
fn an_override_that_is_asked_for() {
    let offer = json!({"requested_by": "UBOB", "reason": null});
    let all = [
        told_one(Event::OverrideRequested, wish()),
        told_one(Event::OverrideRequested, with(wish(), offer)),
        told_one(
            Event::OverrideRequested,
            with(wish(), json!({"requested_by": null})),
        ),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn an_override_that_was_decided() {
    let decided = |status: &str, was: Value| json!({"status": status, "previous_status": was, "approved_by": "UCAT", "version": 2});
    let approved = with(wish(), decided("approved", "pending".into()));
    let rejected = with(wish(), decided("rejected", "pending".into()));
    let cancelled = with(wish(), decided("cancelled", "approved".into()));
    let at_once = with(wish(), json!({"status": "approved"}));
    let asked = json!({"updates_request": true});
    let event = Event::OverrideDecided;
    let all = [
        told(&[to("UANN", row(event, approved.clone()))]),
        told(&[to("UBOB", row(event, approved.clone()))]),
        told(&[to("UBOB", row(event, rejected.clone()))]),
        told(&[to("UANN", row(event, cancelled))]),
        told(&[to("UBOB", row(event, at_once))]),
        told(&[to("C1", row(event, with(approved, asked.clone())))]),
        told(&[to(
            "C1",
            row(
                event,
                with(rejected, with(asked, json!({"approved_by": null}))),
            ),
        )]),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn a_decision_says_why() {
    let decision = json!({
        "status": "rejected", "previous_status": "pending", "decision_reason": "I am away, too",
    });
    let unnamed = with(wish(), decision);
    let named = with(unnamed.clone(), json!({"approved_by": "UCAT"}));
    let event = Event::OverrideDecided;
    let text = told(&[to("UBOB", row(event, unnamed))]);
    assert!(text.contains("Rejected: I am away, too"), "{text}");
    let text = told(&[to("UBOB", row(event, named))]);
    assert!(
        text.contains("Rejected by ") && text.contains(": I am away, too"),
        "{text}"
    );
}

#[test]
fn a_click_leaves_the_message_that_the_outbox_leaves() {
    let approved = with(wish(), json!({"status": "approved", "approved_by": "UCAT"}));
    let at = "2026-11-23T08:00:00Z".parse().unwrap();
    let clicked = decided(&approved, at, &Company, &links());
    let updates = with(approved, json!({"updates_request": true}));
    let updated = to("C1", row(Event::OverrideDecided, updates));
    assert_eq!(clicked, render(&[updated], &Company, &links()));
}

#[test]
fn a_rotation_that_fails_or_has_nobody() {
    let team = payments();
    let failure = json!({"team": team, "error": "plugin `fair`: no answer\nwithin 100 ms",
        "effective_date": "2026-11-30", "falls_back_to": "round_robin"});
    let alone =
        json!({"engineer_slack_id": null, "ends_at": null, "start_date": null, "next": null});
    let handoff = json!({"team": team, "error": "teams: record damaged", "failed": "handoff"});
    let records = json!({"team": team, "error": "watches: record damaged", "failed": "records"});
    let all = [
        told_one(Event::RotationFailed, failure),
        told_one(Event::RotationFailed, handoff),
        told_one(Event::RotationFailed, records),
        told_one(Event::RotationSkipped, shift()),
        told_one(Event::RotationSkipped, with(shift(), alone)),
    ];
    insta::assert_snapshot!(all.join("=====\n"));
}

#[test]
fn handoffs_that_move() {
    let payload = json!({"team": payments(), "old_handoff_at": "2026-11-30T08:00:00Z",
        "handoff_at": "2026-11-30T06:30:00Z", "reason": "zone rules 2026a → 2026b"});
    insta::assert_snapshot!(told_one(Event::HandoffMoved, payload));
}

#[test]
fn days_without_anybody() {
    let gap = json!({"team": payments(), "start_date": "2026-12-24", "end_date": "2026-12-26",
        "starts_at": "2026-12-24T08:00:00Z", "ends_at": "2026-12-27T08:00:00Z"});
    insta::assert_snapshot!(told_one(Event::CoverageGap, gap));
}

#[test]
fn one_persons_changes_of_a_minute_are_one_message() {
    let other = |payload, name, number| {
        with(
            payload,
            json!({"team": team(name, number, "America/New_York")}),
        )
    };
    let rows = [
        row(Event::ShiftStarted, shift()),
        row(Event::ShiftStarted, other(shift(), "Data", 2)),
        row(Event::ShiftEnded, other(shift(), "Edge", 3)),
        // Taken back at once.
        row(Event::ShiftStarted, other(shift(), "Search", 4)),
        row(Event::ShiftEnded, other(shift(), "Search", 4)),
    ];
    insta::assert_snapshot!(told(&rows));
}

#[test]
fn handoffs_of_several_teams_are_one_message() {
    let data = json!({"team": team("Data", 2, "UTC"), "engineer_slack_id": "UCAT"});
    let rows = [
        row(
            Event::Handoff,
            with(shift(), json!({"engineer_slack_id": "UDAN"})),
        ),
        row(Event::Handoff, with(shift(), data)),
        row(Event::Handoff, shift()),
    ];
    insta::assert_snapshot!(told(&rows));
}

#[test]
fn times_name_their_zone_where_the_clock_changes_between() {
    let (names, links) = (Company, Links::default());
    let now = "2026-10-20T00:00:00Z".parse().unwrap();
    let pen = Pen::new(Form::Plain, &names, &links, "Europe/Berlin", now);
    let (from, to) = ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
    assert_eq!(
        pen.span(from.parse().unwrap(), to.parse().unwrap()),
        "Sun 25 Oct, 00:00 CEST – Mon 26 Oct, 00:00 CET"
    );
    let pen = Pen::new(Form::Plain, &names, &links, "Mars/Olympus", now);
    assert_eq!(pen.at(from.parse().unwrap()), "Sat 24 Oct, 22:00 UTC");
}

#[test]
fn what_is_missing_is_left_out() {
    for event in Event::ALL {
        for payload in [
            json!({"team": payments()}),
            with(shift(), json!({"source": "magic"})),
        ] {
            let text = told_one(*event, payload);
            assert!(!text.contains("null") && !text.contains("None"), "{text}");
        }
    }
}

#[test]
fn a_message_keeps_to_slacks_limits() {
    let long = "&🧨".repeat(600);
    let payload = with(wish(), json!({"reason": long, "error": long}));
    // A test message is always the same, and short.
    for event in Event::ALL.iter().filter(|event| **event != Event::Test) {
        let mut rows = Vec::new();
        for number in 0..200 {
            let name = "<&>".repeat(33);
            let team = json!({"team": team(&name, number, "UTC")});
            rows.push(row(*event, with(payload.clone(), team)));
        }
        let text = render(&rows, &Company, &links());
        let blocks = text.blocks.as_array().unwrap();
        assert!(
            (1..=50).contains(&blocks.len()),
            "{event}: {}",
            blocks.len()
        );
        for section in blocks
            .iter()
            .filter_map(|block| block["text"]["text"].as_str())
        {
            assert!(
                (1..=3000).contains(&section.encode_utf16().count()),
                "{event}"
            );
        }
        // A checkpoint's text is short where its note is missing: all of them fit.
        let last = blocks.last().unwrap()["text"]["text"].as_str();
        assert!(
            *event == Event::AuditCheckpoint || last.is_some_and(|text| text.ends_with(" more")),
            "{event}: {last:?}"
        );
        assert!(text.title.encode_utf16().count() <= 150, "{event}");
        assert!(text.plain.encode_utf16().count() <= 4000, "{event}");
    }
}

#[test]
fn messages_that_ask_for_a_decision_stay_by_themselves() {
    for (first, second, expected) in [
        (Event::ShiftStarted, Event::ShiftEnded, true),
        (Event::ShiftReminder, Event::ShiftStarted, true),
        (Event::Handoff, Event::Handoff, true),
        (Event::Handoff, Event::CoverageGap, false),
        (Event::OverrideRequested, Event::OverrideRequested, false),
        (Event::OverrideDecided, Event::OverrideDecided, false),
        (Event::ShiftStarted, Event::OverrideRequested, false),
    ] {
        assert_eq!(merges(first, second), expected, "{first} {second}");
        assert_eq!(merges(second, first), expected, "{second} {first}");
    }
}
