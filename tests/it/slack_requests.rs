//! What Slack sends over HTTP, signed by Slack's own SDK.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::fake_slack::{FakeSlack, SIGNING_SECRET};
use crate::harness::{Daemon, Reply, judge};

const COMMAND: &str = "command=%2Foncall&text=help&user_id=U1&team_id=T0FAKE";
const CLICK: &str = "payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D";

/// Timestamp and signature of each case: a secret, the request's age in seconds, a body.
fn signed(cases: &[(&str, i64, &str)]) -> Vec<(String, String)> {
    let mut judge = judge("slack_signature.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = judge.stdin.take().unwrap();
    for (secret, age, body) in cases {
        let case = json!({"secret": secret, "age": age, "body": body});
        writeln!(input, "{case}").unwrap();
    }
    drop(input);
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let signed = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (text(&line["timestamp"]), text(&line["signature"]))
    });
    signed.collect()
}

fn send(daemon: &Daemon, path: &str, (time, signature): &(String, String), body: &str) -> Reply {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Slack-Request-Timestamp", time),
        ("X-Slack-Signature", signature),
    ];
    let api = daemon.api.anonymous();
    api.send("POST", path, &headers, body.as_bytes())
}

fn daemon(more: &[(&str, &str)]) -> (FakeSlack, Daemon) {
    let fake = FakeSlack::start();
    let mut settings = fake.settings();
    let more = more
        .iter()
        .map(|(key, value)| (format!("ONCALLD__{key}"), (*value).to_owned()));
    settings.extend(more);
    let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
    (fake, Daemon::start_in(home, settings))
}

#[test]
fn requests_that_slack_signed_are_taken_and_no_others() {
    // What Slack signs needs no token, also where reading does.
    let (_fake, daemon) = daemon(&[("AUTH__ANONYMOUS_READ", "false")]);
    let other = "8f742231b10e8888abcd99yyyzzz85a6";
    let ssl_check = "ssl_check=1&token=abc";
    let signed = signed(&[
        (SIGNING_SECRET, 0, COMMAND),
        (SIGNING_SECRET, 0, CLICK),
        (SIGNING_SECRET, 240, COMMAND),
        (SIGNING_SECRET, 0, ssl_check),
        (SIGNING_SECRET, 0, "text=no+command"),
        (SIGNING_SECRET, 400, COMMAND),
        (SIGNING_SECRET, -400, COMMAND),
        (other, 0, COMMAND),
    ]);
    let [command, click, late, check, nonsense, old, early, foreign] = &signed[..] else {
        panic!("{signed:?}");
    };
    let (commands, interactions) = ("/slack/commands", "/slack/interactions");
    for (path, signed, body) in [
        (commands, command, COMMAND),
        (interactions, click, CLICK),
        (commands, late, COMMAND),
        (commands, check, ssl_check),
        (interactions, check, ssl_check),
    ] {
        let reply = send(&daemon, path, signed, body);
        assert_eq!((reply.status, &*reply.body), (200, ""), "{path} {body}");
    }
    send(&daemon, commands, nonsense, "text=no+command").problem(400);

    let (time, signature) = command;
    let unsigned = (time.clone(), String::new());
    let later = (late.0.clone(), signature.clone());
    let tampered = COMMAND.replace("U1", "U2");
    for (path, signed, body) in [
        (commands, old, COMMAND),
        (commands, early, COMMAND),
        (commands, foreign, COMMAND),
        (commands, command, &*tampered),
        (commands, command, ""),
        (interactions, command, CLICK),
        (commands, &later, COMMAND),
        (commands, &unsigned, COMMAND),
        (commands, &unsigned, ssl_check),
        (commands, &(String::new(), signature.clone()), COMMAND),
    ] {
        send(&daemon, path, signed, body).problem(401);
    }
    // A token is no signature.
    let body = COMMAND.as_bytes();
    daemon.api.send("POST", commands, &[], body).problem(401);
    let log = daemon.log();
    assert!(!log.contains(SIGNING_SECRET), "{log}");
}

#[test]
fn requests_of_slack_are_guarded_like_others() {
    let (_fake, daemon) = daemon(&[("SERVER__MAX_BODY_KB", "1")]);
    let large = format!("{COMMAND}&text={}", "x".repeat(2000));
    let signed = signed(&[(SIGNING_SECRET, 0, COMMAND), (SIGNING_SECRET, 0, &large)]);
    send(&daemon, "/slack/commands", &signed[1], &large).problem(413);
    daemon
        .api
        .send("GET", "/slack/commands", &[], b"")
        .problem(405);
    let (time, signature) = &signed[0];
    let headers = [
        ("Host", "evil.example"),
        ("X-Slack-Request-Timestamp", &**time),
        ("X-Slack-Signature", signature),
    ];
    let body = COMMAND.as_bytes();
    daemon
        .api
        .send("POST", "/slack/commands", &headers, body)
        .problem(403);
}

#[test]
fn a_command_that_was_taken_is_answered_before_the_daemon_ends() {
    let (_fake, mut daemon) = daemon(&[]);
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http%3A%2F%2F{}%2Fanswer", slow.local_addr().unwrap());
    let body = format!("{COMMAND}&response_url={url}");
    let signed = signed(&[(SIGNING_SECRET, 0, &body)]);
    let reply = send(&daemon, "/slack/commands", &signed[0], &body);
    assert_eq!(reply.status, 200);
    let (mut answer, _) = slow.accept().unwrap();
    daemon.signal("TERM");
    while TcpStream::connect(&daemon.api.address).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // It takes no more requests. One that doesn't wait would end about now.
    std::thread::sleep(Duration::from_millis(200));
    answer
        .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 11\r\n\r\nexpired_url")
        .unwrap();
    assert!(daemon.wait().success());
    assert!(daemon.log().contains("expired_url"), "{}", daemon.log());
}

#[test]
fn without_a_signing_secret_nothing_is_there() {
    let daemon = Daemon::start();
    let signed = signed(&[(SIGNING_SECRET, 0, COMMAND)]);
    for path in ["/slack/commands", "/slack/interactions"] {
        send(&daemon, path, &signed[0], COMMAND).problem(404);
    }
}
