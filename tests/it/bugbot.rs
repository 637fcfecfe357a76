//! Imports of bugbot's dumps.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Client, Daemon, cli_in, data_dir};

const TEAM: &str = "7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01";
const OTHER: &str = "7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c02";

const TEAMS: &str = "\
id,slack_group_id,description,created_at,updated_at,old_flag
7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,S0PAYMENTS,\"Cards, and \"\"more\"\"\",2023-01-02 03:04:05.678+00,2024-01-02 03:04:05+02,t
7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c02,S0SEARCH,,2023-01-02 03:04:05+00,,f
";
const SERVICES: &str = "\
id,service_name,team_id,github_repo,tier,tech_stack,metadata,created_at
11111111-1111-4111-8111-111111111111,checkout,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,https://github.com/acme/checkout,critical,\"{rust,\"\"two words\"\"}\",\"{\"\"runbook\"\": \"\"https://wiki/x\"\"}\",2023-02-02 03:04:05+00
42,search,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c02,,,,,2023-02-02 03:04:05+00
";
const SCHEDULES: &str = "\
id,team_id,engineer_slack_id,start_date,end_date,created_by,created_at
22222222-2222-4222-8222-222222222222,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,UADA,2023-03-01,2023-03-07,UBEA,2023-02-20 10:00:00+00
";
const OVERRIDES: &str = "\
id,team_id,substitute_slack_id,start_date,end_date,reason,created_by,created_at
33333333-3333-4333-8333-333333333333,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,UBEA,2023-03-03,2023-03-04,\"a
wedding\",UADA,2023-02-20 10:00:00+00
";
const HISTORY: &str = "\
id,team_id,engineer_slack_id,previous_engineer_slack_id,change_type,change_reason,effective_date,changed_by,created_at
44444444-4444-4444-8444-444444444403,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,UBEA,UADA,override_created,\"\",2023-03-03,UADA,2023-02-20 10:00:00.5+00
44444444-4444-4444-8444-444444444401,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,UADA,,manual,first,2023-01-02,UBEA,2023-01-02 05:30:00+05:30
44444444-4444-4444-8444-444444444402,7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c01,UBEA,UADA,auto_rotation,,2023-01-09,,2023-01-09 09:00:00+00
";

fn dump(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn whole() -> TempDir {
    dump(&[
        ("teams.csv", TEAMS),
        ("service_team_mapping.csv", SERVICES),
        ("oncall_schedules.csv", SCHEDULES),
        ("oncall_overrides.csv", OVERRIDES),
        ("oncall_history.csv", HISTORY),
    ])
}

fn import(home: &Path, dump: &Path, more: &[&str]) -> Output {
    let path = dump.display().to_string();
    let arguments = [&["import", "bugbot", &path], more].concat();
    cli_in(home, &arguments)
}

#[track_caller]
fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{err}");
    (out, err)
}

fn serve(home: Arc<TempDir>) -> Daemon {
    Daemon::start_in(home, Vec::new())
}

#[test]
fn a_dump_is_carried_over_whole_and_once() {
    let (home, dump) = (Arc::new(tempfile::tempdir().unwrap()), whole());
    let (out, err) = told(&import(home.path(), dump.path(), &["--dry-run"]));
    assert!(
        out.contains("oncall_history") && err.contains("dry run"),
        "{out}{err}"
    );
    let (out, err) = told(&import(home.path(), dump.path(), &[]));
    let lines: Vec<Vec<_>> = out
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        lines.contains(&vec!["oncall_history", "3", "3", "0"]),
        "{out}"
    );
    assert!(lines.contains(&vec!["teams", "2", "2", "0"]), "{out}");
    assert!(err.contains("teams: not carried over: old_flag"), "{err}");

    let mut daemon = serve(Arc::clone(&home));
    let api = &daemon.api;
    let team = api.get(&format!("/teams/{TEAM}")).ok();
    assert_eq!(
        (&team["name"], &team["slug"]),
        (&json!("S0PAYMENTS"), &json!("s0payments"))
    );
    assert_eq!(team["description"], "Cards, and \"more\"");
    assert_eq!(team["created_at"], "2023-01-02T03:04:05.678Z");
    assert_eq!(team["updated_at"], "2024-01-02T01:04:05Z");
    assert_eq!(team["rotation_enabled"], false);
    let service = api.get("/services/checkout").ok();
    assert_eq!(
        service["repository_url"],
        "https://github.com/acme/checkout"
    );
    assert_eq!(service["tech_stack"], json!(["rust", "two words"]));
    assert_eq!(service["metadata"], json!({"runbook": "https://wiki/x"}));
    assert_eq!(
        (&service["tier"], &service["is_active"]),
        (&json!("critical"), &json!(true))
    );
    assert_eq!(api.get("/services/search").ok()["tier"], "standard");
    let on = |date: &str| api.get(&format!("/oncall?team={TEAM}&date={date}")).ok();
    assert_eq!(on("2023-03-02")["source"], "manual");
    let covered = on("2023-03-04");
    assert_eq!(
        (&covered["source"], &covered["engineer_slack_id"]),
        (&json!("override"), &json!("UBEA"))
    );
    let shift = api
        .get(&format!(
            "/teams/{TEAM}/oncall-overrides/33333333-3333-4333-8333-333333333333"
        ))
        .ok();
    assert_eq!(
        (&shift["status"], &shift["requested_by"]),
        (&json!("approved"), &json!("UADA"))
    );
    assert_eq!(shift["reason"], "a\nwedding");
    // Newest first, as they were, down to the text that is empty and the one that is null.
    let history = api.get(&format!("/teams/{TEAM}/oncall-history")).ok();
    let row = |id: u32,
               engineer: &str,
               previous: Option<&str>,
               kind: &str,
               reason: Option<&str>,
               day: &str,
               by: Option<&str>,
               at: &str| {
        json!({"id": format!("44444444-4444-4444-8444-4444444444{id:02}"), "engineer_slack_id": engineer,
            "previous_engineer_slack_id": previous, "change_type": kind, "change_reason": reason,
            "effective_date": day, "changed_by": by, "created_at": at})
    };
    assert_eq!(
        history["items"],
        json!([
            row(
                3,
                "UBEA",
                Some("UADA"),
                "override_created",
                Some(""),
                "2023-03-03",
                Some("UADA"),
                "2023-02-20T10:00:00.500Z"
            ),
            row(
                2,
                "UBEA",
                Some("UADA"),
                "auto_rotation",
                None,
                "2023-01-09",
                None,
                "2023-01-09T09:00:00Z"
            ),
            row(
                1,
                "UADA",
                None,
                "manual",
                Some("first"),
                "2023-01-02",
                Some("UBEA"),
                "2023-01-02T00:00:00Z"
            ),
        ])
    );
    let entry = |id: u32| {
        api.get(&format!(
            "/audit-logs/44444444-4444-4444-8444-4444444444{id:02}"
        ))
        .ok()
    };
    let kind = |entry: &Value| {
        ["action", "entity_type", "actor_type"]
            .map(|field| entry[field].as_str().unwrap().to_owned())
    };
    assert_eq!(kind(&entry(1)), ["updated", "team", "user"]);
    assert_eq!(kind(&entry(2)), ["rotation_triggered", "team", "system"]);
    assert_eq!(kind(&entry(3)), ["created", "override", "user"]);
    let entries = daemon.verify_audit();
    // Nobody is told of what is long past.
    assert_eq!(daemon.api.get("/notifications").ok()["total"], 0);
    let busy = import(home.path(), dump.path(), &[]);
    assert!(
        String::from_utf8_lossy(&busy.stderr).contains("another oncalld"),
        "{busy:?}"
    );
    daemon.signal("TERM");
    assert!(daemon.wait().success());

    let (out, _) = told(&import(home.path(), dump.path(), &[]));
    assert!(
        out.lines()
            .skip(1)
            .all(|line| line.split_whitespace().nth(2) == Some("0")),
        "{out}"
    );
    assert_eq!(daemon.restart().verify_audit(), entries, "nothing twice");
}

#[test]
fn lines_of_json_are_read_too_and_a_file_by_itself() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let teams = json!({"id": TEAM, "name": "Payments", "slug": "pay", "is_active": true,
        "created_at": "2023-01-02T03:04:05.678+00:00"});
    let services = json!({"id": 7, "service_name": "checkout", "team_id": TEAM, "tech_stack": ["rust"],
        "metadata": {"a": 1}});
    let dump = dump(&[
        ("teams.jsonl", &format!("{teams}\n\n")),
        ("service_team_mapping.jsonl", &format!("{services}\n")),
    ]);
    told(&import(home.path(), &dump.path().join("teams.jsonl"), &[]));
    told(&import(
        home.path(),
        &dump.path().join("service_team_mapping.jsonl"),
        &[],
    ));
    let daemon = serve(home);
    assert_eq!(daemon.api.get("/teams/pay").ok()["name"], "Payments");
    let service = daemon.api.get("/services/checkout").ok();
    assert_eq!(
        (&service["tech_stack"], &service["metadata"]),
        (&json!(["rust"]), &json!({"a": 1}))
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_nothing_is_imported() {
    let change = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let history = |from, to| ("oncall_history.csv", change(HISTORY, from, to));
    let schedules = |from, to| ("oncall_schedules.csv", change(SCHEDULES, from, to));
    let again = format!("{SCHEDULES}x,{TEAM},UBEA,2023-03-07,2023-03-09,,\n");
    let slugs = format!("id,name,slug\n{TEAM},A,pay\n{OTHER},B,pay\n");
    let cases: Vec<((&str, String), &[&str])> = vec![
        (
            history("auto_rotation", "rotated"),
            &["oncall_history.csv:4", "change_type", "`rotated`"],
        ),
        (
            history("2023-01-09 09:00:00+00", "soon"),
            &["oncall_history.csv:4", "created_at", "`soon`"],
        ),
        (
            history("UBEA,UADA,override", "bea,UADA,override"),
            &["oncall_history.csv:2", "engineer_slack_id", "`bea`"],
        ),
        (
            schedules(TEAM, "7b1c0e0a-3f0e-4a53-9a53-2f7d6b3d1c99"),
            &["oncall_schedules.csv:2", "team_id"],
        ),
        (
            schedules("2023-03-07", "2023-02-07"),
            &["oncall_schedules.csv:2", "end_date"],
        ),
        (
            schedules("2023-03-07,UBEA", "2023-03-07"),
            &["oncall_schedules.csv:2", "fields"],
        ),
        (
            schedules("start_date", "begin_date"),
            &["oncall_schedules.csv:1", "start_date"],
        ),
        (
            ("oncall_schedules.csv", again),
            &["oncall_schedules.csv:3", "overlap"],
        ),
        (
            (
                "oncall_overrides.csv",
                OVERRIDES.split("wedding").next().unwrap().to_owned(),
            ),
            &["oncall_overrides.csv:2", "quote"],
        ),
        (("teams.csv", slugs), &["teams.csv:3", "slug", "another"]),
        (
            ("teams.csv", "id;name\n1;x\n".to_owned()),
            &["teams.csv:1", "id"],
        ),
        (
            (
                "service_team_mapping.csv",
                change(SERVICES, "critical", "huge"),
            ),
            &["service_team_mapping.csv:2", "tier", "huge"],
        ),
    ];
    for ((name, text), expected) in cases {
        let (home, dump) = (tempfile::tempdir().unwrap(), whole());
        fs::write(dump.path().join(name), text).unwrap();
        let refused = import(home.path(), dump.path(), &[]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        for part in expected {
            assert!(told.contains(part), "`{part}` is not in: {told}");
        }
        let checked = cli_in(home.path(), &["check", "--json"]);
        let found: Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!(found["records"]["teams"], 0, "{told}");
        assert_eq!(found["records"]["audit"], 0, "{told}");
    }
    let home = tempfile::tempdir().unwrap();
    let latin = dump(&[]);
    fs::write(latin.path().join("teams.csv"), b"id,name\n1,caf\xe9\n").unwrap();
    let told = import(home.path(), latin.path(), &[]);
    assert!(
        String::from_utf8_lossy(&told.stderr).contains("UTF-8"),
        "{told:?}"
    );
    let nothing = import(home.path(), dump(&[("users.csv", "id\n")]).path(), &[]);
    assert!(
        String::from_utf8_lossy(&nothing.stderr).contains("no table of bugbot"),
        "{nothing:?}"
    );
    assert!(data_dir(home.path()).exists());
}

/// All rows of a team's history, newest first.
fn history(api: &Client, team: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let path = format!("/teams/{team}/oncall-history?page={page}&page_size=200");
        let answer = api.get(&path).ok();
        rows.extend(answer["items"].as_array().unwrap().clone());
        if rows.len() as u64 == answer["total"].as_u64().unwrap() {
            break;
        }
    }
    rows
}

#[test]
fn dumps_of_a_real_postgresql_give_the_rows_that_were_in_it() {
    let dump = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/bugbot_dump.sh");
    let dumped = Command::new("bash")
        .arg(script)
        .arg(dump.path())
        .output()
        .unwrap();
    assert!(dumped.status.success(), "run scripts/setup: {dumped:?}");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(dump.path().join(name)).unwrap()).unwrap()
    };
    let (expected, services) = (read("history.json"), read("services.json"));
    for form in ["csv", "json"] {
        let home = Arc::new(tempfile::tempdir().unwrap());
        let (out, _) = told(&import(home.path(), &dump.path().join(form), &[]));
        for counted in [
            "teams 5 5 0",
            "service_team_mapping 24 24 0",
            "oncall_schedules 200 200 0",
            "oncall_overrides 200 200 0",
            "oncall_history 500 500 0",
        ] {
            let mut lines = out
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            assert!(
                lines.any(|line| line == counted),
                "{form}: {counted}: {out}"
            );
        }
        let daemon = serve(home);
        for (team, rows) in expected.as_object().unwrap() {
            let found = history(&daemon.api, team);
            let rows = rows.as_array().unwrap();
            assert_eq!(found.len(), rows.len(), "{form}");
            for (found, row) in found.iter().zip(rows) {
                let at = |row: &Value| -> DateTime<Utc> {
                    row["created_at"].as_str().unwrap().parse().unwrap()
                };
                assert_eq!(at(found), at(row), "{form}");
                let mut row = row.clone();
                row["created_at"] = found["created_at"].clone();
                assert_eq!(found, &row, "{form}");
            }
        }
        for service in services.as_array().unwrap() {
            let found = daemon
                .api
                .get(&format!("/services/{}", service["id"].as_str().unwrap()))
                .ok();
            for (field, value) in service.as_object().unwrap() {
                assert_eq!(&found[field], value, "{form}: {field}");
            }
        }
        daemon.verify_audit();
    }
}
