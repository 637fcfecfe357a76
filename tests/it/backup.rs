//! Backups, restores, exports, imports, checks and repairs, by the command line.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use redb::{
    Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableHandle as _,
};
use serde_json::json;

use crate::harness::{Daemon, cli_in, data_dir};

type Bytes = TableDefinition<'static, &'static [u8], &'static [u8]>;
type Content = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

/// A company with something of everything, whose daemon is up.
fn company() -> Daemon {
    let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut command = crate::harness::command(home.path());
    command.arg("--demo");
    Daemon::spawn(home, Vec::new(), command)
}

fn store_of(home: &Path) -> PathBuf {
    data_dir(home).join("oncalld.redb")
}

#[track_caller]
fn done(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(output: &Output, told: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    for text in told {
        assert!(stderr.contains(text), "`{text}` is not in: {stderr}");
    }
}

/// All rows of all tables of a file.
fn content(path: &Path) -> Content {
    let copy = tempfile::NamedTempFile::new().unwrap();
    fs::copy(path, copy.path()).unwrap();
    let db = Database::open(copy.path()).unwrap();
    let tx = db.begin_read().unwrap();
    let mut content = Content::new();
    for handle in tx.list_tables().unwrap() {
        let name = handle.name().to_owned();
        let table = tx.open_table(Bytes::new(name.clone().leak())).unwrap();
        let rows = table.iter().unwrap().map(|row| {
            let (key, value) = row.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        });
        content.insert(name, rows.collect());
    }
    content
}

/// Signs a checkpoint of the audit log: a stop has nothing to write then.
fn sealed(daemon: &Daemon) {
    daemon.api.post("/audit-logs/checkpoints", &json!({})).ok();
}

fn stop(daemon: &mut Daemon) {
    daemon.signal("TERM");
    assert!(daemon.wait().success());
}

#[test]
fn a_backup_holds_all_while_writes_go_on_and_is_restored() {
    let mut daemon = company();
    let home = daemon.home.path().to_owned();
    // Writes go on while it is made.
    std::thread::scope(|scope| {
        let api = &daemon.api;
        let writes = scope.spawn(|| {
            for number in 0..50 {
                let service = json!({"name": format!("svc {number}"), "team_id": "payments"});
                api.post("/services", &service).created();
            }
        });
        let told = done(&daemon.cli(&["backup", "busy.redb"]));
        assert!(told.contains("proved"), "{told}");
        writes.join().unwrap();
    });
    sealed(&daemon);
    done(&cli_in(
        &home,
        &["backup", "--data-dir", "data", "online.redb"],
    ));
    let audited = daemon.verify_audit();
    stop(&mut daemon);
    let down = content(&store_of(&home));
    assert!(down["teams"].len() > 3 && down["audit"].len() > 100);
    assert_eq!(content(&home.join("online.redb")), down);
    assert!(content(&home.join("busy.redb"))["teams"] == down["teams"]);
    done(&cli_in(&home, &["backup", "offline.redb"]));
    assert_eq!(content(&home.join("offline.redb")), down);
    refused(
        &cli_in(&home, &["backup", "offline.redb"]),
        &["is there already"],
    );

    // It takes the place of nothing but by force, and what was there is kept.
    let restore = ["restore", "busy.redb"];
    refused(&cli_in(&home, &restore), &["holds something", "--force"]);
    assert_eq!(content(&store_of(&home)), down);
    done(&cli_in(&home, &["restore", "--force", "busy.redb"]));
    assert_eq!(content(&store_of(&home)), content(&home.join("busy.redb")));
    let kept = fs::read_dir(data_dir(&home)).unwrap();
    let kept = kept.map(|entry| entry.unwrap().path());
    let kept = kept.filter(|path| path.to_string_lossy().contains("redb.before-"));
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(content(&kept[0]), down);
    done(&cli_in(&home, &["restore", "--force", "online.redb"]));
    let daemon = daemon.restart();
    assert!(daemon.verify_audit() >= audited);
    refused(
        &cli_in(&home, &["restore", "--force", "online.redb"]),
        &["another oncalld"],
    );
}

#[test]
fn a_backup_that_is_cut_short_or_changed_is_refused() {
    let mut daemon = company();
    let home = daemon.home.path().to_owned();
    done(&cli_in(&home, &["backup", "b.redb"]));
    stop(&mut daemon);
    let before = fs::read(store_of(&home)).unwrap();
    let whole = fs::read(home.join("b.redb")).unwrap();
    for length in [0, 3, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(home.join("cut.redb"), &whole[..length]).unwrap();
        refused(
            &cli_in(&home, &["restore", "--force", "cut.redb"]),
            &["cut.redb is refused"],
        );
    }
    fs::write(home.join("other.redb"), "SQLite format 3").unwrap();
    let other = cli_in(&home, &["restore", "--force", "other.redb"]);
    refused(&other, &["not an oncalld store"]);
    // A bit anywhere: it is found, or it is in no page that is in use.
    let sound = content(&home.join("b.redb"));
    let mut found = 0;
    for number in 0..40 {
        let mut changed = whole.clone();
        let at = (whole.len() / 41) * (number + 1) + number * 7;
        changed[at] ^= 1 << (number % 8);
        fs::write(home.join("flip.redb"), &changed).unwrap();
        let restored = cli_in(&home, &["restore", "--force", "flip.redb"]);
        if restored.status.success() {
            assert_eq!(content(&store_of(&home)), sound, "byte {at}");
            fs::write(store_of(&home), &before).unwrap();
        } else {
            found += 1;
        }
        assert_eq!(fs::read(store_of(&home)).unwrap(), before, "byte {at}");
    }
    assert!(found > 5, "only {found} are found");
    let left = fs::read_dir(data_dir(&home)).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = left.filter(|name| name.contains("redb.restore")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_export_makes_the_same_store_and_a_bad_one_none() {
    let mut daemon = company();
    let home = daemon.home.path().to_owned();
    sealed(&daemon);
    done(&cli_in(&home, &["export", "all.jsonl"]));
    let to_stdout = done(&cli_in(&home, &["export"]));
    stop(&mut daemon);
    let text = fs::read_to_string(home.join("all.jsonl")).unwrap();
    assert_eq!(text, to_stdout);
    assert_eq!(
        text,
        done(&cli_in(&home, &["export"])),
        "the daemon is down"
    );
    let sound = content(&store_of(&home));
    let other = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = other.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let import = |path: &str| cli_in(other.path(), &["import", "oncalld", path]);
    let lines: Vec<_> = text.lines().collect();
    let cut = lines[..lines.len() - 1].join("\n") + "\n";
    let half = &text[..text.len() / 2];
    let twelfth = lines[11].replace("\"key\"", "\"kee\"");
    let newer = text.replacen("\"schema_version\":", "\"schema_version\":9", 1);
    let changed = text.replacen("\"Payments\"", "\"Paymints\"", 1);
    for (text, told) in [
        ("", "line 1"),
        ("{}\n", "line 1"),
        ("id,name\n1,x\n", "line 1"),
        (cut.as_str(), "cut off"),
        (half, "cut off"),
        (&text.replace(lines[11], &twelfth), "line 12"),
        (&newer, "newer"),
        (&changed, "not sound"),
    ] {
        refused(&import(&file("bad.jsonl", text)), &[told]);
        assert!(!store_of(other.path()).exists(), "{told}");
    }
    done(&import(&file("good.jsonl", &text)));
    assert_eq!(content(&store_of(other.path())), sound);
    refused(&import(&file("good.jsonl", &text)), &["holds something"]);
}

#[test]
fn a_check_names_what_is_wrong_and_a_repair_makes_the_indexes_anew() {
    let mut daemon = company();
    let home = daemon.home.path().to_owned();
    stop(&mut daemon);
    let path = store_of(&home);
    let before = fs::read(&path).unwrap();
    let sound = content(&path);
    let told = done(&cli_in(&home, &["check"]));
    assert!(told.contains("as the records say"), "{told}");
    assert_eq!(fs::read(&path).unwrap(), before, "a check changes nothing");
    let indexes = [
        "team_slugs",
        "members_by_user",
        "services_listed",
        "schedules_by_team",
        "overrides_by_status",
        "handoffs",
        "audit_ids",
        "token_hashes",
    ];
    for index in indexes {
        let db = Database::open(&path).unwrap();
        let tx = db.begin_write().unwrap();
        {
            let mut table = tx.open_table(Bytes::new(index)).unwrap();
            let (key, _) = table
                .pop_first()
                .unwrap()
                .map(|(k, v)| (k.value().to_vec(), v.value().to_vec()))
                .unwrap();
            table
                .insert([key.as_slice(), b"x"].concat().as_slice(), b"".as_slice())
                .unwrap();
        }
        tx.commit().unwrap();
        drop(db);
        let checked = cli_in(&home, &["check"]);
        refused(&checked, &["not sound", "--repair"]);
        let told = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(told.contains(index), "{index}: {told}");
        done(&cli_in(&home, &["check", "--repair"]));
        assert_eq!(content(&path), sound, "{index}");
    }
    // A record that can't be read is named, by its key, and no repair makes it up.
    let db = Database::open(&path).unwrap();
    let tx = db.begin_write().unwrap();
    tx.open_table(Bytes::new("services"))
        .unwrap()
        .insert(b"0123456789abcdef".as_slice(), b"\x01zz".as_slice())
        .unwrap();
    tx.commit().unwrap();
    drop(db);
    let checked = cli_in(&home, &["check", "--repair"]);
    refused(&checked, &["not sound"]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        told.contains("services") && told.contains("30313233"),
        "{told}"
    );
}

#[test]
fn compacting_leaves_what_there_is_and_no_more() {
    let mut daemon = company();
    let home = daemon.home.path().to_owned();
    stop(&mut daemon);
    let path = store_of(&home);
    let sound = content(&path);
    let told = done(&cli_in(&home, &["compact"]));
    assert!(told.contains("compacted"), "{told}");
    assert_eq!(content(&path), sound);
    daemon.restart().verify_audit();
}

#[test]
fn backups_are_made_by_the_clock_and_one_that_was_missed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    let daemon = Daemon::with(&[("BACKUP__DIR", &dir)]);
    let since = std::time::Instant::now();
    let made = loop {
        let names = fs::read_dir(folder.path()).unwrap();
        let mut names = names.map(|entry| entry.unwrap().path());
        if let Some(made) = names.find(|path| path.extension().is_some_and(|end| end == "redb")) {
            break made;
        }
        assert!(since.elapsed().as_secs() < 20, "{}", daemon.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(content(&made).contains_key("teams"));
    let mode = fs::metadata(&made).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The next is due tomorrow.
    let log = daemon.log();
    drop(daemon.restart());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{log}");
}
