//! The process: starts that fail, stops in order, kills.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::ReadableDatabase;

use crate::harness::{Client, Daemon, command, data_dir, fails_to_start};

#[test]
fn sigterm_stops_the_daemon_in_time_whoever_is_still_connected() {
    let mut daemon = Daemon::start();
    let _stream = daemon.api.events();
    let mut half = daemon
        .api
        .open("POST", "/teams", &[("Content-Length", "100")], 5)
        .unwrap();
    half.write_all(b"{\"nam").unwrap();
    let mut idle = std::net::TcpStream::connect(&daemon.api.address).unwrap();
    idle.write_all(b"GET /healthz HT").unwrap();
    daemon.team("Core");
    daemon.signal("TERM");
    let since = Instant::now();
    let status = daemon.wait();
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert!(status.success(), "{status}: {}", daemon.log());
    assert!(daemon.log().contains("stopped"), "{}", daemon.log());
    let daemon = daemon.restart();
    assert_eq!(daemon.api.get("/teams").ok()["total"], 1);
}

#[test]
fn a_daemon_that_nobody_is_connected_to_stops_at_once() {
    for signal in ["TERM", "INT"] {
        let mut daemon = Daemon::start();
        daemon.team("Core");
        daemon.signal(signal);
        let since = Instant::now();
        assert!(daemon.wait().success());
        assert!(
            since.elapsed() < Duration::from_secs(2),
            "{:?}",
            since.elapsed()
        );
    }
}

/// It ends with another code than 0, after one line that says why.
#[track_caller]
fn refuses(command: Command, code: i32, told: &[&str]) {
    let (status, stderr) = fails_to_start(command);
    assert_eq!(status, Some(code), "{stderr}");
    let is_log = |line: &&str| line.get(4..5) == Some("-") && line.contains('T');
    let lines: Vec<_> = stderr.lines().filter(|line| !is_log(line)).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    for part in told {
        assert!(lines[0].contains(part), "`{part}` is not in: {}", lines[0]);
    }
}

#[test]
fn two_daemons_share_neither_a_store_nor_a_port() {
    let daemon = Daemon::start();
    daemon.team("Core");
    refuses(
        command(daemon.home.path()),
        1,
        &["oncalld.lock", "another oncalld"],
    );
    let elsewhere = tempfile::tempdir().unwrap();
    let same_port = listening_on(elsewhere.path(), &daemon.api.address);
    refuses(same_port, 1, &[&daemon.api.address]);
    assert!(
        !data_dir(elsewhere.path()).join("oncalld.redb").exists(),
        "it made no store"
    );
    daemon.team("Edge");
    daemon.verify_audit();
}

#[test]
fn of_many_daemons_that_start_at_once_on_a_fresh_folder_one_serves_and_keeps_what_it_took() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let mut racers: Vec<_> = (0..6)
        .map(|_| command(home.path()).spawn().unwrap())
        .collect();
    while racers.len() > 1 {
        racers.retain_mut(|racer| {
            racer.try_wait().unwrap().is_none_or(|status| {
                assert_eq!(status.code(), Some(1));
                false
            })
        });
    }
    let mut winner = racers.pop().unwrap();
    let log = BufReader::new(winner.stderr.take().unwrap()).lines();
    let ready = log.map_while(Result::ok).find(|line| line.contains("url="));
    let address = ready.unwrap().split("http://").nth(1).unwrap().to_owned();
    let token = fs::read_to_string(data_dir(home.path()).join("admin.token")).unwrap();
    let api = Client {
        address: address.split(' ').next().unwrap().to_owned(),
        token: Some(token.trim().to_owned()),
    };
    api.post("/teams", &serde_json::json!({"name": "Core"}))
        .created();
    winner.kill().unwrap();
    winner.wait().unwrap();
    let again = Daemon::start_in(home, Vec::new());
    again.api.get("/teams/core").ok();
}

fn listening_on(home: &Path, address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
    command
        .args(["serve", "--listen", address, "--data-dir"])
        .arg(data_dir(home));
    command
        .current_dir(home)
        .stderr(std::process::Stdio::piped());
    command
}

/// A folder whose store is made by `make` is refused, and every byte of it stays.
#[track_caller]
fn refuses_store(make: impl FnOnce(&Path), told: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let store = data_dir(home.path()).join("oncalld.redb");
    fs::create_dir(data_dir(home.path())).unwrap();
    make(&store);
    let before = fs::read(&store).unwrap();
    refuses(command(home.path()), 1, told);
    assert!(
        fs::read(&store).unwrap() == before,
        "the file was changed: {told:?}"
    );
}

/// The bytes of a store that was closed in order.
fn sound_store() -> Vec<u8> {
    let mut daemon = Daemon::start();
    for n in 0..5 {
        daemon.team(&format!("Team {n}")).members(&["UANN", "UBOB"]);
    }
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    fs::read(data_dir(daemon.home.path()).join("oncalld.redb")).unwrap()
}

#[test]
fn what_is_no_store_is_left_alone() {
    for text in ["hello", "x", "SQLite format 3\u{0} and more of it"] {
        refuses_store(
            |path| fs::write(path, text).unwrap(),
            &["oncalld.redb", "not an oncalld store"],
        );
    }
    let other_program = |path: &Path| {
        let db = redb::Database::create(path).unwrap();
        let tx = db.begin_write().unwrap();
        let table = redb::TableDefinition::<&str, u64>::new("theirs");
        tx.open_table(table).unwrap().insert("a", 1).unwrap();
        tx.commit().unwrap();
    };
    refuses_store(other_program, &["oncalld.redb", "not an oncalld store"]);
}

#[test]
fn a_damaged_store_is_left_alone() {
    let sound = sound_store();
    for length in [sound.len() / 2, 4096, 100] {
        let truncate = |path: &Path| fs::write(path, &sound[..length]).unwrap();
        refuses_store(truncate, &["oncalld.redb", "damaged", "restore a backup"]);
    }
    let mut scrambled = sound.clone();
    scrambled[16..512].iter_mut().for_each(|byte| *byte ^= 0xa5);
    let scramble = |path: &Path| fs::write(path, &scrambled).unwrap();
    refuses_store(scramble, &["oncalld.redb"]);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let sound = sound_store();
    let newer = |path: &Path| {
        fs::write(path, &sound).unwrap();
        let db = redb::Database::open(path).unwrap();
        let meta = redb::TableDefinition::<&[u8], &[u8]>::new("meta");
        let tx = db.begin_read().unwrap();
        let known = tx
            .open_table(meta)
            .unwrap()
            .get(&b"schema_version"[..])
            .unwrap()
            .unwrap();
        let known: u32 = std::str::from_utf8(known.value()).unwrap().parse().unwrap();
        let tx = db.begin_write().unwrap();
        let next = (known + 1).to_string();
        tx.open_table(meta)
            .unwrap()
            .insert(&b"schema_version"[..], next.as_bytes())
            .unwrap();
        tx.commit().unwrap();
    };
    refuses_store(newer, &["oncalld.redb", "newer", "upgrade"]);
}

#[test]
fn a_data_folder_that_cannot_be_and_a_wrong_config_are_told() {
    let home = tempfile::tempdir().unwrap();
    fs::write(data_dir(home.path()), "a file, no folder").unwrap();
    refuses(command(home.path()), 1, &["data"]);
    assert_eq!(
        fs::read_to_string(data_dir(home.path())).unwrap(),
        "a file, no folder"
    );

    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    fs::write(
        &config,
        "[server]\nmax_body_kb = 64\n\n[rotation]\nlookahead_week = 3\n",
    )
    .unwrap();
    let (code, stderr) = fails_to_start(command(home.path()));
    assert_ne!(code, Some(0));
    assert!(
        stderr.contains("config.toml") && stderr.contains("lookahead_week"),
        "{stderr}"
    );
    assert!(
        stderr.contains(":5") || stderr.contains("line 5"),
        "{stderr}"
    );
    fs::write(&config, "[server]\nmax_body_kb = \"much\"\n").unwrap();
    let (_, stderr) = fails_to_start(command(home.path()));
    assert!(
        stderr.contains(":2") || stderr.contains("line 2"),
        "{stderr}"
    );
    assert!(!data_dir(home.path()).exists(), "nothing was made");
}
