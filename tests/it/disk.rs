//! A disk that takes no writes, and then does again. That nothing is lost whenever it fails is tested
//! beside the use cases (`src/actions/fault_tests.rs`), access by access.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Client, Daemon, Reply};

/// Adds a service.
fn add(api: &Client, name: &str) -> Reply {
    api.post("/services", &json!({"name": name, "team_id": "core"}))
}

fn ready(api: &Client) -> Reply {
    api.get(&format!("http://{}/readyz", api.address))
}

fn takes_writes(api: &Client) -> bool {
    let metrics = api.get(&format!("http://{}/metrics", api.address));
    metrics.body.contains("\noncalld_disk_takes_writes 1")
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else_until_there_is_room() {
    let mut daemon = Daemon::start();
    daemon.team("Core");
    add(&daemon.api, "first").created();
    assert!(takes_writes(&daemon.api));
    let (api, is_over) = (&daemon.api, AtomicBool::new(false));
    thread::scope(|scope| {
        let readers = [
            "/oncall?team=core",
            "/teams/core",
            "/services",
            "/teams/core/members",
        ];
        let readers = readers.map(|path| {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut read = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let reply = api.get(path);
                    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
                    read += 1;
                }
                read
            })
        });
        daemon.limit_files(Some(16 * 1024));
        let refused = add(api, "second");
        let problem = refused.problem(507);
        assert!(refused.header("retry-after").is_some());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("Make room"), "{detail}");
        add(api, "third").problem(507);
        let unready = ready(api).problem(503);
        assert!(unready["detail"].as_str().unwrap().contains("Make room"));
        assert!(!takes_writes(api));
        // It is tried again meanwhile, in vain.
        thread::sleep(Duration::from_secs(3));
        add(api, "fourth").problem(507);
        daemon.limit_files(None);
        let since = Instant::now();
        while add(api, "fifth").status != 201 {
            assert!(since.elapsed() < Duration::from_secs(20), "no recovery");
            thread::sleep(Duration::from_millis(100));
        }
        ready(api).ok();
        assert!(takes_writes(api));
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 10, "readers go on");
        }
    });
    let log = daemon.log();
    assert_eq!(log.matches("the disk takes no writes").count(), 1, "{log}");
    assert_eq!(
        log.matches("the disk takes writes again").count(),
        1,
        "{log}"
    );
    let names = |daemon: &Daemon| {
        let all = daemon.api.get("/services").ok();
        let all = all["items"].as_array().unwrap().clone();
        all.iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&daemon), ["fifth", "first"]);
    daemon.verify_audit();
    daemon = daemon.restart();
    assert_eq!(names(&daemon), ["fifth", "first"]);
    daemon.verify_audit();
}
