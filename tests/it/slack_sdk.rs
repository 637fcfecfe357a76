//! The fake Slack, judged by Slack's own SDK for Python: what the SDK makes of its answers is
//! what it makes of Slack's.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::fake_slack::{BOT_USER, Channel, FakeSlack, Fault};
use crate::harness::judge;

#[test]
fn slacks_own_sdk_takes_the_fake_for_slack() {
    let fake = FakeSlack::start();
    fake.add_user("U1", "Ann");
    fake.add_user("U2", "Ben");
    fake.add_channel("C1", "payments");
    fake.add_group("S1", "payments", &["U1"]);
    let mut hidden = Channel::public("C2", "secret");
    hidden.is_private = true;
    fake.with(|state| state.channels.insert("C2".to_owned(), hidden));
    // The first call of the list goes well, the next two don't.
    fake.fail("usergroups.list", 1, Fault::Slow(std::time::Duration::ZERO));
    fake.fail("usergroups.list", 1, Fault::RateLimited(7));
    fake.fail("usergroups.list", 1, Fault::Html(503));
    let envelope = fake.send_envelope("slash_commands", json!({"command": "/oncall", "text": "ü"}));

    let output = judge("slack_client.py")
        .arg(fake.base_url())
        .arg(fake.response_url("click"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();

    let messages = fake.messages("C1");
    let [first, second] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(
        (&*first.text, first.updates, &first.blocks),
        ("updated", 1, &json!([]))
    );
    assert_eq!(first.metadata["event_type"], "handoff");
    assert_eq!(second.text, "by JSON");
    let refused =
        |error: &str| json!({"status": 200, "error": error, "needed": null, "retry_after": null});
    let scopes = "channels:read,chat:write,commands,im:write,usergroups:read,usergroups:write,\
                  users:read";
    let no_json = "Received a response in a non-JSON format: \
                   <!DOCTYPE html><html><title>Server Error | Slack</title></html>";
    let expected = [
        json!({"user_id": BOT_USER, "scopes": scopes}),
        json!({"channel": "C1", "ts": first.ts, "text": "by form"}),
        json!({"ts": first.ts, "text": "updated"}),
        json!({"text": "by JSON"}),
        json!({"direct": fake.with(|state| state.directs["U1"].clone())}),
        json!({"member": true}),
        json!({"name": "ann"}),
        json!({"groups": [["payments", 1]]}),
        json!({"users": ["U2", "U1"]}),
        refused("channel_not_found"),
        refused("no_text"),
        refused("invalid_users"),
        refused("user_not_found"),
        json!({"status": 200, "error": "missing_scope", "needed": "groups:read",
               "retry_after": null}),
        refused("unknown_method"),
        refused("invalid_auth"),
        json!({"status": 429, "error": "ratelimited", "needed": null, "retry_after": "7"}),
        json!({"status": 503, "error": no_json, "needed": null, "retry_after": null}),
        json!({"status": 200, "body": "ok"}),
        json!({"type": "slash_commands", "payload": {"command": "/oncall", "text": "ü"}}),
    ];
    assert_eq!(said, expected);
    let responses = fake.with(|state| state.responses.clone());
    assert_eq!(responses[0].body["text"], "done");
    fake.wait_for("acknowledgement", |state| {
        (!state.sockets.envelope(&envelope).acks.is_empty()).then_some(())
    });
}
