//! From a change to what people read: the real daemon and a Slack of our own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::fake_slack::{FakeSlack, Fault, Message};
use crate::harness::{Daemon, Team};

/// A Slack with three people and a channel, and a daemon that has its token.
fn start() -> (FakeSlack, Daemon) {
    let fake = FakeSlack::start();
    for user in ["UANN", "UBOB", "UCAT"] {
        fake.add_user(user, user);
        // Known by then or not, a name reads the same.
        fake.with(|state| {
            let known = state.users.get_mut(user).unwrap();
            user.clone_into(&mut known.display_name);
        });
    }
    fake.add_channel("C1", "payments");
    let home = Arc::new(tempfile::tempdir().unwrap());
    let daemon = Daemon::start_in(home, fake.settings());
    (fake, daemon)
}

fn team(daemon: &Daemon) -> Team {
    let approval = json!({"slack_channel_id": "C1", "overrides_require_approval": true});
    let team = daemon.team_with("Payments", approval);
    team.members(&["UANN", "UBOB", "UCAT"]);
    team.patch("/members/UCAT", &json!({"team_role": "lead"}))
        .ok();
    team.rotate(json!({}));
    team
}

#[track_caller]
fn wait_for_message(fake: &FakeSlack, to: &str, part: &str) -> Message {
    fake.wait_for(&format!("`{part}` to {to}"), |state| {
        let messages = state.messages_to(to).into_iter();
        messages.rev().find(|message| message.text.contains(part))
    })
}

fn notifications(daemon: &Daemon, query: &str) -> Vec<Value> {
    let list = daemon
        .api
        .get(&format!("/notifications?page_size=200&{query}"));
    list.ok()["items"].as_array().unwrap().clone()
}

#[track_caller]
fn wait_until_settled(daemon: &Daemon) {
    for _ in 0..3000 {
        if notifications(daemon, "status=pending").is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{:#?}", notifications(daemon, "status=pending"));
}

#[test]
fn whoever_comes_on_call_reads_it_and_so_does_the_channel() {
    let (fake, daemon) = start();
    let team = team(&daemon);
    let channel = wait_for_message(&fake, "C1", "Payments");
    assert!(channel.blocks.to_string().contains("<@UANN>"));
    wait_for_message(&fake, "UANN", "Payments");
    wait_until_settled(&daemon);
    assert_eq!(fake.messages("C1").len(), 1);
    assert_eq!(fake.messages("UBOB").len(), 0);
    let row = &notifications(&daemon, "status=delivered")[0];
    assert_eq!(
        (&row["attempts"], &row["sink"]),
        (&json!(1), &json!("slack"))
    );
    drop(team);
}

#[test]
fn a_request_becomes_the_decision_wherever_it_was_read() {
    let (fake, daemon) = start();
    let team = team(&daemon);
    let wish = json!({"substitute_slack_id": "UBOB", "requested_by": "UANN",
        "start_date": team.day(2), "reason": "dentist"});
    let row = team.post("/oncall-overrides", &wish).created();
    let asked = |to: &str| wait_for_message(&fake, to, "dentist");
    for to in ["C1", "UCAT"] {
        let blocks = asked(to).blocks.to_string();
        assert!(blocks.contains("override_approve"), "{to}: {blocks}");
        assert!(blocks.contains("override_reject"), "{to}: {blocks}");
    }
    let path = format!("/oncall-overrides/{}", row["id"].as_str().unwrap());
    let decision = json!({"status": "approved", "approved_by": "UCAT"});
    team.patch(&path, &decision).ok();
    wait_until_settled(&daemon);
    for to in ["C1", "UCAT"] {
        let messages = fake.messages(to);
        let request = messages.iter().find(|message| message.updates > 0);
        let request = request.unwrap_or_else(|| panic!("{to}: {messages:#?}"));
        assert!(request.text.contains("pproved"), "{}", request.text);
        assert!(!request.blocks.to_string().contains("override_approve"));
        let about = messages.iter().filter(|m| m.text.contains("dentist"));
        assert_eq!(about.count(), 1, "{to} is not told a second time");
    }
    for to in ["UANN", "UBOB"] {
        wait_for_message(&fake, to, "pproved");
    }
}

#[test]
fn a_decision_reaches_every_message_that_asked_for_it() {
    let (fake, daemon) = start();
    let team = team(&daemon);
    fake.add_channel("C2", "elsewhere");
    let wish = json!({"substitute_slack_id": "UBOB", "requested_by": "UANN",
        "start_date": team.day(2), "reason": "dentist"});
    let row = team.post("/oncall-overrides", &wish).created();
    for to in ["C1", "UCAT"] {
        wait_for_message(&fake, to, "dentist");
    }
    wait_until_settled(&daemon);
    // Lead and channel are others by the time of the decision.
    let role = |user: &str, role: &str| {
        let path = format!("/members/{user}");
        team.patch(&path, &json!({"team_role": role})).ok();
    };
    role("UCAT", "member");
    role("UANN", "lead");
    team.patch("", &json!({"slack_channel_id": "C2"})).ok();
    let path = format!("/oncall-overrides/{}", row["id"].as_str().unwrap());
    for (number, status) in ["approved", "cancelled"].into_iter().enumerate() {
        team.patch(&path, &json!({"status": status})).ok();
        wait_until_settled(&daemon);
        for to in ["C1", "UCAT"] {
            let requests = fake.messages(to);
            let mut requests = requests.iter().filter(|m| m.text.contains("dentist"));
            let request = requests.next().unwrap();
            assert_eq!(request.updates, number + 1, "{to}: {request:#?}");
            let said = request.text.to_lowercase();
            assert!(said.contains(status), "{to}: {said}");
            assert_eq!(requests.next(), None, "{to}");
        }
        assert_eq!(fake.messages("C2"), []);
    }
}

#[test]
fn what_failed_is_shown_and_can_be_tried_again() {
    let (fake, daemon) = start();
    let test = json!({"recipient": "CNONE"});
    let row = daemon.api.post("/notifications/test", &test).created();
    let id = row["id"].as_str().unwrap();
    let path = format!("/notifications/{id}");
    wait_until_settled(&daemon);
    let row = daemon.api.get(&path).ok();
    assert_eq!(row["status"], "failed");
    let error = row["last_error"].as_str().unwrap();
    assert!(error.contains("channel_not_found"), "{error}");
    let metrics = daemon.api.get("/metrics").body;
    assert!(
        metrics.contains("oncalld_notifications_failed_total{sink=\"slack\"} 1"),
        "{metrics}"
    );

    fake.add_channel("CNONE", "late");
    let retry = format!("{path}/retry");
    assert_eq!(
        daemon.api.post(&retry, &json!({})).ok()["status"],
        "pending"
    );
    wait_until_settled(&daemon);
    assert_eq!(daemon.api.get(&path).ok()["status"], "delivered");
    assert_eq!(fake.messages("CNONE").len(), 1);
    daemon.api.post(&retry, &json!({})).problem(400);
    assert_eq!(
        daemon.audited("action=notification_retried"),
        ["system notification_retried"]
    );
    daemon
        .api
        .post("/notifications/none/retry", &json!({}))
        .problem(404);
    let unknown = json!({"recipient": "C1", "sink": "pigeon"});
    let problem = daemon
        .api
        .post("/notifications/test", &unknown)
        .problem(422);
    assert_eq!(problem["errors"][0]["field"], "sink");
    daemon
        .client("editor", None)
        .post(&retry, &json!({}))
        .problem(403);
}

#[test]
fn a_revoked_token_parks_nothing() {
    let (fake, daemon) = start();
    fake.fail("chat.postMessage", 1, Fault::error("token_revoked"));
    daemon
        .api
        .post("/notifications/test", &json!({"recipient": "C1"}))
        .created();
    let row = loop {
        let row = notifications(&daemon, "")[0].clone();
        if row["last_error"].is_string() {
            break row;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(
        (&row["status"], &row["attempts"]),
        (&json!("pending"), &json!(0))
    );
    assert!(
        row["last_error"]
            .as_str()
            .unwrap()
            .contains("token_revoked")
    );
    let log = daemon.log();
    assert!(log.contains("the sink can't be used"), "{log}");
    assert!(!log.contains("xoxb-"), "no token in the log: {log}");
}

/// SPEC section 6: a crash loses none and repeats at most the one in flight.
#[test]
fn a_daemon_that_is_killed_again_and_again_tells_everybody_in_order() {
    const EACH: usize = 40;
    let (fake, mut daemon) = start();
    let recipients = ["C1", "UANN", "UBOB", "UCAT"];
    // Messages of one kind would become one: who asks for an override is told by itself.
    for number in 0..EACH {
        for to in recipients {
            let test = json!({"recipient": to});
            daemon.api.post("/notifications/test", &test).created();
        }
        if number % 8 == 7 {
            let waiting = notifications(&daemon, "status=pending").len();
            assert!(waiting > 0, "there is nothing for the kill to hit");
            daemon = daemon.restart();
        }
    }
    let mut kills = EACH / 8;
    while !notifications(&daemon, "status=pending").is_empty() {
        std::thread::sleep(Duration::from_millis(400));
        if kills < 12 {
            daemon = daemon.restart();
            kills += 1;
        }
    }
    let rows = notifications(&daemon, "");
    assert_eq!(rows.len(), EACH * recipients.len());
    let order: BTreeMap<_, _> = rows
        .iter()
        .rev()
        .enumerate()
        .map(|(at, row)| (row["id"].as_str().unwrap(), at))
        .collect();
    for to in recipients {
        let messages = fake.messages(to);
        let ids = messages.iter().map(|message| {
            let ids = message.metadata["event_payload"]["ids"].as_array().unwrap();
            ids.iter()
                .map(|id| order[id.as_str().unwrap()])
                .collect::<Vec<_>>()
        });
        // A crash repeats the message that was under way, and nothing that is older.
        let mut next = 0;
        let mut last: Vec<usize> = Vec::new();
        let mut repeated = 0;
        for ids in ids {
            if last.first() == ids.first() {
                repeated += 1;
            } else {
                assert!(ids[0] >= next, "{to} read {ids:?} after {last:?}");
            }
            next = ids.iter().max().unwrap() + 1;
            last = ids;
        }
        assert!(
            repeated <= kills,
            "{to}: {repeated} repeated in {kills} kills"
        );
        let mut read: Vec<_> = messages
            .iter()
            .flat_map(|m| m.metadata["event_payload"]["ids"].as_array().unwrap())
            .collect();
        read.sort_by_key(|id| order[id.as_str().unwrap()]);
        read.dedup();
        assert_eq!(read.len(), EACH, "{to}");
    }
}

#[test]
fn the_command_line_tries_a_sink_and_retries_what_failed() {
    let (fake, daemon) = start();
    let tried = daemon.cli(&["notification", "test", "C1"]);
    assert!(tried.status.success(), "{tried:?}");
    assert!(String::from_utf8_lossy(&tried.stdout).contains("delivered"));
    assert_eq!(fake.messages("C1").len(), 1);

    let tried = daemon.cli(&["notification", "test", "CNONE"]);
    assert_eq!(tried.status.code(), Some(1));
    let said = String::from_utf8_lossy(&tried.stderr);
    assert!(said.contains("channel_not_found"), "{said}");
    let listed = daemon.cli(&["notification", "list", "--status", "failed"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("CNONE") && listed.contains("channel_not_found"),
        "{listed}"
    );
    fake.add_channel("CNONE", "late");
    let retried = daemon.cli(&["notification", "retry", "--failed"]);
    assert!(String::from_utf8_lossy(&retried.stdout).contains("queued 1 failed"));
    wait_until_settled(&daemon);
    assert_eq!(fake.messages("CNONE").len(), 1);
    assert_eq!(
        daemon.cli(&["notification", "retry", "none"]).status.code(),
        Some(3)
    );
}
