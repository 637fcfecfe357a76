//! What attacks and accidents must not bring about.

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Client, Daemon, command, data_dir, fails_to_start};

#[test]
fn every_answer_tells_browsers_to_take_it_for_what_it_is() {
    let daemon = Daemon::start();
    daemon.team("Core");
    let lookup = "/oncall?team=core";
    daemon.api.get(lookup).ok();
    // The second is ready in memory, and never reaches the router.
    let paths = [
        lookup,
        lookup,
        "/teams",
        "/nowhere",
        "/teams/core/calendar.ics",
        "/openapi.json",
    ];
    let own = [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/docs/",
        "/nowhere",
        "/badge/core.svg",
    ];
    let own = own.map(|path| format!("http://{}{path}", daemon.api.address));
    for path in paths.iter().copied().chain(own.iter().map(String::as_str)) {
        let reply = daemon.api.get(path);
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src '"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
    }
}

#[test]
fn probes_answer_whatever_token_comes_with_them() {
    let daemon = Daemon::start();
    let stranger = daemon.api.with_token("oncalld_of_another_time");
    for path in ["/healthz", "/readyz", "/api/v1/openapi.json"] {
        let url = format!("http://{}{path}", daemon.api.address);
        assert_eq!(stranger.get(&url).status, 200, "{path}");
    }
    assert_eq!(stranger.get("/teams").status, 401);
}

#[test]
fn the_api_description_says_where_a_token_is_required() {
    let document = Daemon::start().api.get("/openapi.json").ok();
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    let token = json!({"token": []});
    assert_eq!(security("/teams", "get"), json!([token, {}]));
    assert_eq!(security("/teams", "post"), json!([token]));
    assert_eq!(security("/tokens", "get"), json!([token]));
    assert_eq!(security("/users/{user}/profile", "put"), json!([token]));
}

#[test]
fn a_lost_store_is_not_replaced_by_an_empty_one_unless_asked_for() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let mut daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    daemon.team("Core");
    daemon.signal("TERM");
    daemon.wait();
    let (store, token) = (
        data_dir(home.path()).join("oncalld.redb"),
        data_dir(home.path()).join("admin.token"),
    );
    let secret = fs::read(&token).unwrap();
    let kept = fs::read(&store).unwrap();
    for is_removed in [true, false] {
        if is_removed {
            fs::remove_file(&store).unwrap();
        } else {
            fs::write(&store, b"").unwrap();
        }
        let (code, stderr) = fails_to_start(command(home.path()));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            stderr.contains("oncalld.redb is missing or empty"),
            "{stderr}"
        );
        assert!(stderr.contains("serve --new"), "{stderr}");
        assert_eq!(fs::read(&token).unwrap(), secret, "the token is as it was");
        // Put back, it goes on.
        fs::write(&store, &kept).unwrap();
        let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
        daemon.api.get("/teams/core").ok();
    }
    fs::remove_file(&store).unwrap();
    let mut anew = command(home.path());
    anew.arg("--new");
    let daemon = Daemon::spawn(Arc::clone(&home), Vec::new(), anew);
    assert_eq!(daemon.api.get("/teams/core").status, 404);
    assert_ne!(fs::read(&token).unwrap(), secret, "a token of its own");
}

#[test]
fn a_new_store_is_written_to_no_file_that_somebody_prepared() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let data = data_dir(home.path());
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let elsewhere = home.path().join("elsewhere");
    fs::write(&elsewhere, b"mine").unwrap();
    symlink(&elsewhere, data.join("oncalld.redb.new")).unwrap();
    let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    daemon.team("Core");
    assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
    let mode = fs::metadata(data.join("oncalld.redb"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// What would end a line, can't be seen, or turns the direction of what follows.
const HIDDEN: [&str; 6] = [
    "a\r\nX-EVIL:1",
    "a\nb",
    "a\tb",
    "a\u{0}b",
    "a\u{202e}b",
    "a\u{200b}b",
];

#[test]
fn names_are_one_line_without_anything_hidden() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let post = |path: &str, body| daemon.api.post(path, &body);
    let invalid = |client: &Client, path: &str, body, field: &str| {
        client.post(path, &body).invalid(&[field]);
    };
    for name in HIDDEN {
        invalid(&daemon.api, "/teams", json!({"name": name}), "name");
        invalid(
            &daemon.api,
            "/tokens",
            json!({"name": name, "role": "viewer"}),
            "name",
        );
        let service = json!({"name": name, "team_id": "core"});
        invalid(&daemon.api, "/services", service, "name");
        let service = json!({"name": "x", "team_id": "core", "tech_stack": [name]});
        invalid(&daemon.api, "/services", service, "tech_stack");
        team.patch("", &json!({"name": name})).invalid(&["name"]);
    }
    // What is written with joiners is a name like any other.
    for name in ["شبکه‌ها", "👩‍🚀 Space", "Größe"] {
        post("/services", json!({"name": name, "team_id": "core"})).created();
    }
    // A description has lines.
    team.patch("", &json!({"description": "one\ntwo"})).ok();
}

#[test]
fn whoever_has_the_data_folder_comes_in_by_its_socket_without_a_token() {
    let mut daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let data = data_dir(daemon.home.path());
    let socket = data.join("oncalld.sock");
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Were the token needed, this would fail.
    fs::remove_file(data.join("admin.token")).unwrap();
    let made = daemon.cli_on_host(&["team", "create", "Core"]);
    assert!(made.status.success(), "{made:?}");
    let audited = daemon.api.get("/audit-logs?entity_type=team").ok();
    let by = audited["items"][0]["actor_id"].as_str().unwrap();
    assert!(by.starts_with("local:"), "{by}");
    // A token that is given goes before; by the network one is needed.
    let lesser = daemon.client("viewer", None).token.unwrap();
    let url = format!("http://{}", daemon.api.address);
    let refused =
        daemon.cli_on_host(&["--token", &lesser, "--url", &url, "team", "create", "Other"]);
    assert!(!refused.status.success(), "{refused:?}");
    daemon.api.anonymous().get("/teams").problem(401);
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    assert!(!socket.exists(), "it goes with the daemon");
}

#[test]
fn the_socket_can_be_left_out_and_a_start_goes_on_without() {
    let daemon = Daemon::with(&[("SERVER__SOCKET", "false")]);
    let data = data_dir(daemon.home.path());
    assert!(!data.join("oncalld.sock").exists());
    let made = daemon.cli(&["team", "create", "Core"]);
    assert!(made.status.success(), "{made:?}");
    let audited = daemon.api.get("/audit-logs?entity_type=team").ok();
    assert_eq!(audited["items"][0]["actor_id"], "admin");
}

/// Connections that begin a request and leave it at that.
fn half_open(daemon: &Daemon, count: usize) -> Vec<TcpStream> {
    let half = |_| {
        let mut line = TcpStream::connect(&daemon.api.address).unwrap();
        // One that has been closed for another already can't be written to.
        let _ = line.write_all(b"GET /healthz HT");
        line
    };
    (0..count).map(half).collect()
}

#[test]
fn connections_that_ask_for_nothing_keep_nobody_out() {
    let daemon = Daemon::with(&[("SERVER__MAX_CONNECTIONS", "32")]);
    daemon.team("Core");
    let mut events = daemon.api.events();
    let lines = half_open(&daemon, 200);
    for _ in 0..50 {
        daemon.api.get("/oncall?team=core").ok();
    }
    drop(lines);
    // Whoever has a request under way keeps their place.
    daemon.team("Other");
    let mut told = String::new();
    while !told.contains("data:") {
        assert_ne!(
            events.read_line(&mut told).unwrap(),
            0,
            "the stream ended: {told}"
        );
    }
}

#[test]
fn a_stop_waits_for_no_connection_that_asks_for_nothing() {
    let mut daemon = Daemon::start();
    daemon.team("Core");
    let _lines = half_open(&daemon, 20);
    let since = Instant::now();
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn what_others_can_read_is_named_at_the_start_and_by_a_check_of_either_kind() {
    let mut daemon = Daemon::start();
    let home = Arc::clone(&daemon.home);
    let dir = data_dir(home.path());
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_oncalld"));
        command.env_clear().current_dir(home.path());
        let told = command
            .args(["--data-dir", "data", "check"])
            .output()
            .unwrap();
        assert!(told.status.success(), "{told:?}");
        String::from_utf8([told.stdout, told.stderr].concat()).unwrap()
    };
    let is_named = |text: &str| text.contains("can enter or list") && text.contains("chmod 700");
    assert!(!is_named(&check()) && !is_named(&daemon.log()));
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(is_named(&check()));
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    assert!(is_named(&check()));
    let daemon = Daemon::start_in(Arc::clone(&home), Vec::new());
    assert!(is_named(&daemon.log()), "{}", daemon.log());
}

/// The names in backticks of a table's last column.
fn named_tests(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let names = last.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(ToOwned::to_owned).collect()
}

fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *found += &fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let names = named_tests(include_str!("../../docs/SECURITY.md"));
    assert!(names.len() > 40, "{names:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = String::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut found);
    }
    let is_missing = |name: &&String| !found.contains(&format!("fn {name}("));
    let missing: Vec<_> = names.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
