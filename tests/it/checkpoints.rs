//! Checkpoints of the audit log: what they prove, of a log that was cut off, put back or rewritten.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{Daemon, data_dir};

fn text(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

/// Signs a checkpoint by the command line, and keeps it elsewhere.
fn checkpoint(daemon: &Daemon, name: &str) -> PathBuf {
    let made = daemon.cli(&["audit", "checkpoint"]);
    assert!(made.status.success(), "{}", text(&made));
    let path = daemon.home.path().join(name);
    fs::write(&path, &made.stdout).unwrap();
    path
}

fn verify(daemon: &Daemon, against: &Path) -> Output {
    daemon.cli(&["audit", "verify", "--against", against.to_str().unwrap()])
}

fn stop(mut daemon: Daemon) -> Arc<tempfile::TempDir> {
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    Arc::clone(&daemon.home)
}

fn store(home: &Path) -> PathBuf {
    data_dir(home).join("oncalld.redb")
}

/// The notes in the data folder, oldest first.
fn kept(home: &Path) -> Vec<String> {
    let folder = fs::read_dir(data_dir(home).join("audit-checkpoints")).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path| fs::read_to_string(path).unwrap();
    paths.into_iter().map(read).collect()
}

#[test]
fn a_log_is_held_against_what_was_kept_of_it() {
    let daemon = Daemon::start();
    daemon.team("Core");
    let first = checkpoint(&daemon, "first.txt");
    let again = checkpoint(&daemon, "again.txt");
    assert_eq!(
        fs::read(&first).unwrap(),
        fs::read(again).unwrap(),
        "nothing was audited since"
    );
    daemon.team("Web");
    let proven = verify(&daemon, &first);
    assert!(proven.status.success(), "{}", text(&proven));
    assert!(
        text(&proven).contains("are there as they were"),
        "{}",
        text(&proven)
    );

    let key = daemon.api.get("/audit-logs/verify").ok()["key"].clone();
    let key = key.as_str().unwrap();
    let by_key = daemon.cli(&["audit", "verify", "--key", key]);
    assert!(by_key.status.success(), "{}", text(&by_key));
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let by_other = daemon.cli(&["audit", "verify", "--key", other]);
    assert_eq!(by_other.status.code(), Some(1));
    assert!(
        text(&by_other).contains("begun anew, or rewritten"),
        "{}",
        text(&by_other)
    );

    // One that was edited is none.
    let edited = fs::read_to_string(&first)
        .unwrap()
        .replacen("head ", "head 0", 1);
    let invalid = json!({"checkpoint": edited, "key": "mine"});
    daemon
        .api
        .post("/audit-logs/verify", &invalid)
        .invalid(&["checkpoint", "key"]);
    // A stop signs what is new, and the file is proven while the daemon is down.
    let expected = daemon.api.get("/audit-logs/verify").ok();
    let home = stop(daemon);
    let notes = kept(home.path());
    let first_note = fs::read_to_string(&first).unwrap();
    assert!(notes.contains(&first_note), "{notes:?}");
    let (last, head) = (notes.last().unwrap(), expected["head"].as_str().unwrap());
    assert!(last.contains(head), "{notes:?}");
    let offline = std::process::Command::new(env!("CARGO_BIN_EXE_oncalld"))
        .env_clear()
        .current_dir(home.path())
        .args([
            "--data-dir",
            "data",
            "--json",
            "audit",
            "verify",
            "--against",
        ])
        .arg(&first)
        .output()
        .unwrap();
    assert!(offline.status.success(), "{}", text(&offline));
    let proof: Value = serde_json::from_slice(&offline.stdout).unwrap();
    assert_eq!(proof["key"], key);
    assert_eq!(proof["checkpoints"], notes.len());
    assert_eq!(proof["sealed"], proof["entries"]);
}

#[test]
fn an_older_file_and_a_rewritten_log_are_found() {
    let daemon = Daemon::start();
    daemon.team("Core");
    checkpoint(&daemon, "first.txt");
    let home = stop(daemon);
    let older = home.path().join("older.redb");
    fs::copy(store(home.path()), &older).unwrap();

    let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    daemon.team("Web");
    let second = checkpoint(&daemon, "second.txt");
    stop(daemon);
    fs::copy(&older, store(home.path())).unwrap();
    let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    daemon.verify_audit();
    let put_back = verify(&daemon, &second);
    assert_eq!(put_back.status.code(), Some(1), "{}", text(&put_back));
    assert!(
        text(&put_back).contains("an older file"),
        "{}",
        text(&put_back)
    );
    // What came to the older file since makes up for nothing.
    for name in ["Web", "Ops", "Data"] {
        daemon.team(name);
    }
    let rewritten = verify(&daemon, &second);
    assert_eq!(rewritten.status.code(), Some(1), "{}", text(&rewritten));
    assert!(
        text(&rewritten).contains("the log was rewritten"),
        "{}",
        text(&rewritten)
    );
    daemon.verify_audit();
    drop(daemon);

    // The same changes, made again by this program.
    let forger = Daemon::start();
    forger.team("Core");
    forger.team("Web");
    forger.verify_audit();
    let forged = verify(&forger, &second);
    assert_eq!(forged.status.code(), Some(1), "{}", text(&forged));
}

#[test]
fn checkpoints_are_for_admins_to_sign_and_for_everybody_to_read() {
    let daemon = Daemon::start();
    let made = daemon.api.post("/audit-logs/checkpoints", &json!({})).ok();
    let editor = daemon.client("editor", None);
    editor
        .post("/audit-logs/checkpoints", &json!({}))
        .problem(403);
    let list = editor.get("/audit-logs/checkpoints").ok();
    assert_eq!(list["items"][0]["note"], made["note"]);
    let expected = json!({"checkpoint": made["note"]});
    let proof = editor.post("/audit-logs/verify", &expected).ok();
    assert_eq!(proof["against"], made["entries"]);
    let listed = daemon.cli(&["audit", "checkpoints"]);
    let head = made["head"].as_str().unwrap();
    assert!(text(&listed).contains(head), "{}", text(&listed));
}

#[test]
fn files_of_a_log_that_was_there_before_hide_none_of_the_next() {
    let daemon = Daemon::start();
    let home = stop(daemon);
    let before = kept(home.path());
    fs::remove_file(store(home.path())).unwrap();
    fs::remove_file(data_dir(home.path()).join("admin.token")).unwrap();
    let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    drop(stop(daemon));
    // Both logs have the same length.
    let after = kept(home.path());
    assert_eq!(after.len(), before.len() * 2, "{after:?}");
}
