//! `kill -9` while writing: nothing acknowledged is lost, nothing is there twice.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, command, data_dir};

const ROUNDS: usize = 8;
const WRITERS: usize = 4;

/// What a writer sent, and the answer where there was one.
#[derive(Default)]
struct Sent(Mutex<BTreeMap<String, Option<Value>>>);

impl Sent {
    fn note(&self, name: &str, id: Option<Value>) {
        self.0.lock().unwrap().insert(name.to_owned(), id);
    }

    fn acknowledged(&self) -> usize {
        self.0.lock().unwrap().values().flatten().count()
    }
}

/// A write of this name, as far as its head: the connection, and the body to send.
fn begin(api: &Client, name: &str) -> std::io::Result<(TcpStream, String)> {
    let (writer, n) = name.split_once('-').unwrap();
    let (path, body) = match n.parse::<usize>().unwrap() % 3 {
        0 => ("/teams", json!({"name": name})),
        1 => ("/services", json!({"name": name, "team_id": "core"})),
        _ => (
            "/teams/core/members",
            json!({"slack_user_id": format!("U{writer}X{n}")}),
        ),
    };
    let body = body.to_string();
    let key = [("Idempotency-Key", name)];
    let stream = api.open("POST", path, &key, body.len())?;
    Ok((stream, body))
}

fn send(api: &Client, name: &str) -> std::io::Result<Value> {
    let (stream, body) = begin(api, name)?;
    let reply = Client::finish(stream, body.as_bytes())?;
    Ok(reply.expect(201)["id"].clone())
}

/// Writes until the daemon is gone. Whether that was in the middle of a write.
fn write_until_killed(api: &Client, sent: &Sent, writer: usize, next: &AtomicUsize) -> bool {
    loop {
        let name = format!("{writer}-{}", next.fetch_add(1, Ordering::SeqCst));
        sent.note(&name, None);
        let Ok((stream, body)) = begin(api, &name) else {
            return false;
        };
        let Ok(reply) = Client::finish(stream, body.as_bytes()) else {
            return true;
        };
        sent.note(&name, Some(reply.expect(201)["id"].clone()));
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
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let api = daemon.api.clone();
        // Each round has one write that is done and whose answer nobody reads, and one of
        // which only half arrives.
        let (unread, half) = (format!("8-{}", round * 3), format!("9-{}", round * 3));
        std::thread::scope(|scope| {
            let (api, sent, next) = (&api, &sent, &next);
            let before = sent.acknowledged();
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| scope.spawn(move || write_until_killed(api, sent, writer, next)))
                .collect();
            sent.note(&half, None);
            let (mut half, body) = begin(api, &half).unwrap();
            half.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
            sent.note(&unread, None);
            let (mut stream, body) = begin(api, &unread).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
            while api.get(&format!("/teams/{unread}")).status == 404
                || sent.acknowledged() < before + 5 * WRITERS
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            daemon.kill();
            let hits = writers.into_iter().map(|writer| writer.join().unwrap());
            interrupted += hits.filter(|hit| *hit).count();
        });
        daemon = daemon.restart();
        daemon.verify_audit();
        let team = |name: &str| daemon.api.get(&format!("/teams/{name}")).status;
        assert_eq!((team(&unread), team(&half)), (200, 404));
        // What was under way may have been done or not; sent again, it is done once.
        let mut sent = sent.0.lock().unwrap();
        for (name, id) in sent.iter_mut().filter(|(_, id)| id.is_none()) {
            *id = Some(send(&daemon.api, name).unwrap());
        }
    }
    // Nearly always each writer waits for an answer; a half of them is certain enough.
    assert!(
        interrupted >= ROUNDS * WRITERS / 2,
        "only {interrupted} writes were under way at the kills"
    );
    let mut found = all(&daemon.api, "/teams", "name");
    found.extend(all(&daemon.api, "/services", "name"));
    let members = all(&daemon.api, "/teams/core/members", "slack_user_id");
    let sent = sent.0.into_inner().unwrap();
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
    let mut unfinished = 0;
    // What a first start makes, in this order; the kill comes as soon as it is there, or a
    // little later.
    for made in ["", "oncalld.lock", "oncalld.redb", "admin.token"] {
        for delay in [0, 2, 8] {
            let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
            let data = data_dir(home.path());
            let mut child = command(home.path()).spawn().unwrap();
            while !made.is_empty() && !data.join(made).exists() {
                assert_eq!(child.try_wait().unwrap(), None, "it ended without {made}");
            }
            std::thread::sleep(Duration::from_millis(delay));
            child.kill().unwrap();
            child.wait().unwrap();
            unfinished += usize::from(!data.join("admin.token").exists());
            let daemon = Daemon::start_in(home, Vec::new());
            daemon.team("Core");
            daemon.verify_audit();
        }
    }
    assert!(unfinished > 0, "every kill came after the start was done");
}
