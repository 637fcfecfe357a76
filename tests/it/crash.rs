//! `kill -9` while writing: nothing acknowledged is lost, nothing is there twice.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, command};

/// What a writer sent, and the answer where there was one.
#[derive(Default)]
struct Sent(Mutex<BTreeMap<String, Option<Value>>>);

fn send(api: &Client, name: &str) -> Option<Value> {
    let (thread, n) = name.split_once('-').unwrap();
    let (path, body) = match n.parse::<usize>().unwrap() % 3 {
        0 => ("/teams".to_owned(), json!({"name": name})),
        1 => (
            "/services".to_owned(),
            json!({"name": name, "team_id": "core"}),
        ),
        _ => (
            "/teams/core/members".to_owned(),
            json!({"slack_user_id": format!("U{thread}X{n}")}),
        ),
    };
    let headers = [("Idempotency-Key", name)];
    let reply = api
        .try_send("POST", &path, &headers, body.to_string().as_bytes())
        .ok()?;
    Some(reply.expect(201)["id"].clone())
}

fn write_until_killed(api: &Client, sent: &Sent, thread: usize, next: &AtomicUsize) {
    loop {
        let name = format!("{thread}-{}", next.fetch_add(1, Ordering::SeqCst));
        sent.0.lock().unwrap().insert(name.clone(), None);
        let Some(id) = send(api, &name) else { return };
        sent.0.lock().unwrap().insert(name, Some(id));
    }
}

fn all(api: &Client, path: &str, name: &str) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for page in 1.. {
        let list = api.get(&format!("{path}?page_size=200&page={page}")).ok();
        let items = list["items"].as_array().unwrap().clone();
        if items.is_empty() {
            break;
        }
        for item in items {
            let name = item[name].as_str().unwrap().to_owned();
            found.entry(name).or_default().push(item["id"].clone());
        }
    }
    found
}

#[test]
fn whatever_was_acknowledged_survives_kill_9_and_is_there_once() {
    let mut daemon = Daemon::start();
    daemon.team("Core");
    let (sent, next) = (Sent::default(), AtomicUsize::new(0));
    for round in 0..8u64 {
        let api = daemon.api.clone();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (api, sent, next) = (&api, &sent, &next);
                scope.spawn(move || write_until_killed(api, sent, thread, next));
            }
            // Not the same instant of a commit each time.
            std::thread::sleep(Duration::from_millis(60 + round * 37 % 100));
            daemon.kill();
        });
        daemon = daemon.restart();
        daemon.verify_audit();
        // What was under way may have been done or not; sent again, it is done once.
        let mut sent = sent.0.lock().unwrap();
        for (name, id) in sent.iter_mut().filter(|(_, id)| id.is_none()) {
            *id = send(&daemon.api, name);
        }
    }
    let mut found = all(&daemon.api, "/teams", "name");
    found.extend(all(&daemon.api, "/services", "name"));
    let members = all(&daemon.api, "/teams/core/members", "slack_user_id");
    let sent = sent.0.into_inner().unwrap();
    assert!(sent.len() > 50, "only {} writes", sent.len());
    for (name, id) in &sent {
        let member = format!("U{}", name.replace('-', "X"));
        let ids = found.get(name).or_else(|| members.get(&member));
        assert_eq!(ids, Some(&vec![id.clone().unwrap()]), "{name}");
    }
    assert_eq!(
        found.len() + members.len(),
        sent.len() + 1,
        "nothing else but the team core"
    );
    // The first team, the admin's token, and one entry for each write.
    assert_eq!(daemon.verify_audit(), sent.len() as u64 + 2);
}

#[test]
fn a_first_start_that_is_killed_anywhere_is_followed_by_a_good_one() {
    for delay in 0..12u64 {
        let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
        let mut child = command(home.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay * 4));
        let _ = child.kill();
        child.wait().unwrap();
        let daemon = Daemon::start_in(home, Vec::new());
        daemon.team("Core");
        daemon.verify_audit();
    }
}
