//! The command line against a running daemon, as a new user types it.

use std::process::Output;

use serde_json::json;

use crate::harness::{Daemon, Team};

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The first columns of a table's rows: words with a single space between belong together.
fn first_columns(table: &str, count: usize) -> Vec<String> {
    let columns = |line: &str| {
        let columns = line.split("  ").map(str::trim);
        let columns = columns.filter(|column| !column.is_empty());
        columns.take(count).collect::<Vec<_>>().join(" | ")
    };
    table.lines().skip(1).map(columns).collect()
}

/// Two teams: of Core, UANN is on call and UBOB next; of Edge, nobody is.
fn company(daemon: &Daemon) -> Team {
    daemon.team("Edge");
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({}));
    team
}

#[test]
fn who_is_asked_for_a_team_by_its_place_or_its_name() {
    let daemon = Daemon::start();
    company(&daemon);
    let by_place = stdout(&daemon.cli(&["who", "core"]));
    assert!(by_place.starts_with("on call  UANN\n"), "{by_place}");
    assert!(by_place.contains("\nteam     Core (core)\n"), "{by_place}");
    assert_eq!(
        stdout(&daemon.cli(&["--json", "who", "--team", "core"])),
        stdout(&daemon.cli(&["--json", "who", "core"]))
    );
    let both = daemon.cli(&["who", "core", "--team", "core"]);
    assert_eq!(both.status.code(), Some(2));
    let missing = daemon.cli(&["who", "--team", "cor"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(stderr(&missing).contains("`core`"), "{missing:?}");
}

#[test]
fn who_is_asked_for_a_person() {
    let daemon = Daemon::start();
    company(&daemon);
    let teams = |user: &str| first_columns(&stdout(&daemon.cli(&["who", "--user", user])), 2);
    assert_eq!(teams("UANN"), ["core | UANN"]);
    // Who is next is shown too.
    assert_eq!(teams("UBOB"), ["core | UANN"]);
    let nobody = daemon.cli(&["who", "--user", "UZOE"]);
    assert_eq!(stdout(&nobody), "");
    let note = stderr(&nobody);
    assert!(note.contains("UZOE is neither on call now"), "{note}");
    assert!(note.contains("schedule list --user UZOE"), "{note}");
    // A name that nobody has.
    let name = daemon.cli(&["who", "--user", "zoe"]);
    assert_eq!(name.status.code(), Some(3));
}

#[test]
fn schedules_are_listed_from_today_on_and_who_is_on_call_is_marked() {
    let daemon = Daemon::start();
    let team = company(&daemon);
    let past = json!({
        "engineer_slack_id": "UBOB", "start_date": team.day(-9), "end_date": team.day(-8),
    });
    team.post("/oncall-schedules", &past).created();
    let list = |options: &[&str]| {
        let arguments = [&["schedule", "list", "core"], options].concat();
        let people = first_columns(&stdout(&daemon.cli(&arguments)), 3);
        let person = |row: &String| row.rsplit_once(" | ").unwrap().1.to_owned();
        people.iter().map(person).collect::<Vec<_>>()
    };
    let from_now_on = list(&[]);
    assert_eq!(from_now_on[..2], ["UANN", "UBOB"]);
    let table = stdout(&daemon.cli(&["schedule", "list", "core"]));
    let marked: Vec<_> = table
        .lines()
        .filter(|line| line.contains("(on call now)"))
        .collect();
    assert_eq!(marked.len(), 1, "{table}");
    assert!(marked[0].contains("UANN"), "{table}");
    let all = list(&["--all"]);
    assert_eq!(all.len(), from_now_on.len() + 1);
    assert_eq!(all[0], "UBOB");
    assert_eq!(list(&["--from", &team.day(-8)]), all);
    assert_eq!(list(&["--from", &team.day(-7)]), from_now_on);
    assert_eq!(list(&["--from", &team.day(7)])[0], "UBOB");
    let both = daemon.cli(&["schedule", "list", "core", "--all", "--from", &team.day(0)]);
    assert_eq!(both.status.code(), Some(2));

    // Whoever covers is on call, not the one whose shift it is.
    let cover = json!({"substitute_slack_id": "UBOB", "start_date": team.day(0)});
    team.post("/oncall-overrides", &cover).created();
    let table = stdout(&daemon.cli(&["schedule", "list", "core"]));
    assert!(!table.contains("(on call now)"), "{table}");
}

#[test]
fn what_was_mistyped_is_answered_with_what_was_meant() {
    let daemon = Daemon::start();
    let zone = daemon.cli(&["team", "create", "Core", "--timezone", "Europe/Berln"]);
    assert_eq!(zone.status.code(), Some(1));
    let said = stderr(&zone);
    assert!(said.contains("did you mean `Europe/Berlin`?"), "{said}");
    let zone = json!({"name": "Core", "timezone": "Amercia/New_York"});
    let problem = daemon.api.post("/teams", &zone).invalid(&["timezone"]);
    let said = problem["errors"][0]["message"].as_str().unwrap();
    assert!(said.contains("did you mean `America/New_York`?"), "{said}");
    for (path, meant) in [
        ("/api/v1/team", "did you mean `/api/v1/teams`?"),
        (
            "/api/v1/teams/core/oncal",
            "did you mean `/api/v1/teams/core/oncall`?",
        ),
        ("/api/v1/nothing/like/it", "/api/docs/ lists every path"),
    ] {
        let problem = daemon.api.get(path).problem(404);
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(meant), "{path}: {said}");
    }
}
