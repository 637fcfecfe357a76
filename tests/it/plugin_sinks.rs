//! Notifications through a plugin that ships, to a chat of our own that answers as it's told.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Daemon;
use crate::harness::plugins::install;

/// A webhook on this host.
#[derive(Default)]
struct Chat {
    /// Status lines and headers to answer with; once they are used up, 200.
    answers: Mutex<VecDeque<&'static str>>,
    /// What was posted.
    posted: Mutex<Vec<Value>>,
}

impl Chat {
    fn start() -> (Arc<Self>, u16) {
        let chat = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&chat);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(BufReader::new(stream.unwrap()));
            }
        });
        (chat, port)
    }

    fn answer(&self, mut stream: BufReader<std::net::TcpStream>) {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap() <= 2 {
                break;
            }
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        self.posted
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or("200 OK");
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
    }

    fn will_answer(&self, answers: &[&'static str]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn posts(&self) -> usize {
        self.posted.lock().unwrap().len()
    }
}

/// Puts `teams-webhook` into a folder, for that port.
fn put(folder: &Path, port: u16) {
    install("teams-webhook", folder, |text| {
        let url = format!("url = \"http://127.0.0.1:{port}/hook\"");
        text.replace("url = \"\"", &url)
            .replace("discord.com", "127.0.0.1")
    });
}

/// A daemon whose notifications go through `teams-webhook` to that port.
fn start(port: u16) -> Daemon {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let daemon = |key: &str, value: &str| (format!("ONCALLD__{key}"), value.to_owned());
    let settings = vec![
        daemon("NOTIFICATIONS__SINKS", "plugin:teams-webhook"),
        daemon("NOTIFICATIONS__BACKOFF_SECONDS", "1"),
        daemon("PLUGINS__PRIVATE_HOSTS", "127.0.0.1"),
    ];
    put(&home.path().join("plugins"), port);
    Daemon::start_in(home, settings)
}

/// Has a test message sent; its id.
fn send(daemon: &Daemon, recipient: &str) -> String {
    let test = json!({"recipient": recipient, "sink": "plugin:teams-webhook"});
    let row = daemon.api.post("/notifications/test", &test);
    row.created()["id"].as_str().unwrap().to_owned()
}

/// Waits for a notification to be so; its row.
#[track_caller]
fn wait_until(daemon: &Daemon, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let list = daemon.api.get("/notifications?page_size=200").ok();
        let rows = list["items"].as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == id).unwrap();
        if is_so(row) {
            return row.clone();
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{row:#}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_handoff_is_told_through_the_plugin_in_plain_words() {
    let (chat, port) = Chat::start();
    let daemon = start(port);
    let team = daemon.team_with("Payments", json!({"slack_channel_id": "C1"}));
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({}));
    let since = Instant::now();
    while chat.posts() < 2 {
        assert!(since.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    let posted = chat.posted.lock().unwrap()[0].to_string();
    assert!(
        posted.contains("AdaptiveCard") && posted.contains("Payments"),
        "{posted}"
    );
    let listed = daemon.api.get("/plugins").ok()["items"][0].take();
    assert_eq!(listed["is_configured_sink"], true);
    assert_eq!(listed["loaded"]["hosts"], json!(["127.0.0.1"]));
}

#[test]
fn what_the_plugin_says_of_a_failure_is_done() {
    let (chat, port) = Chat::start();
    let daemon = start(port);
    // What may pass is tried again.
    chat.will_answer(&["503 Service Unavailable"]);
    let row = wait_until(&daemon, &send(&daemon, "C1"), |row| {
        row["status"] == "delivered"
    });
    assert_eq!(row["attempts"], 2);
    // What won't, is not.
    chat.will_answer(&["404 Not Found"]);
    let row = wait_until(&daemon, &send(&daemon, "C1"), |row| {
        row["status"] == "failed"
    });
    assert_eq!(row["attempts"], 1);
    let error = row["last_error"].as_str().unwrap();
    assert!(error.starts_with("plugin:teams-webhook: "), "{error}");
    // Who asks to be left alone for a while, is.
    chat.will_answer(&["429 Too Many Requests\r\nretry-after: 300"]);
    let row = wait_until(&daemon, &send(&daemon, "C1"), |row| row["attempts"] == 1);
    let instant = |field: &str| -> chrono::DateTime<chrono::Utc> {
        row[field].as_str().unwrap().parse().unwrap()
    };
    let wait = instant("next_attempt_at") - instant("created_at");
    assert!((300..330).contains(&wait.num_seconds()), "{row:#}");
}

#[test]
fn a_plugin_that_is_gone_keeps_its_notifications_waiting() {
    let (chat, port) = Chat::start();
    let daemon = start(port);
    let folder = daemon.home.path().join("plugins");
    for file in ["teams-webhook.wasm", "teams-webhook.toml"] {
        fs::remove_file(folder.join(file)).unwrap();
    }
    daemon.api.post("/plugins/reload", &Value::Null).ok();
    let id = send(&daemon, "C1");
    let row = wait_until(&daemon, &id, |row| row["last_error"].is_string());
    assert_eq!(row["last_error"], "plugin:teams-webhook is not loaded");
    assert_eq!(
        (&row["status"], &row["attempts"]),
        (&json!("pending"), &json!(0))
    );
    let listed = daemon.api.get("/plugins").ok()["items"][0].take();
    assert_eq!(listed["status"], "missing");
    assert_eq!(chat.posts(), 0);
    // What waits goes out within a minute of the plugin's return, what is told then at once.
    put(&daemon.home.path().join("plugins"), port);
    let daemon = daemon.restart();
    wait_until(&daemon, &send(&daemon, "C2"), |row| {
        row["status"] == "delivered"
    });
    let row = wait_until(&daemon, &id, |_| true);
    assert_eq!(
        (&row["status"], &row["attempts"]),
        (&json!("pending"), &json!(0))
    );
    assert_eq!(chat.posts(), 1);
}
