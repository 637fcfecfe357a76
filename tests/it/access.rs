//! Who may do what: every row of docs/ACCESS.md, held against the running daemon.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, Team};

const ACCESS: &str = include_str!("../../docs/ACCESS.md");
const ROUTER: &str = include_str!("../../src/api/mod.rs");
const PAGES: &str = include_str!("../../src/web/mod.rs");

struct Row {
    method: &'static str,
    path: &'static str,
    takes: &'static str,
    is_bare: bool,
}

/// The rows of the API, and those of the pages.
fn tables() -> (Vec<Row>, Vec<Row>) {
    let (api, pages) = ACCESS.split_once("\n## Pages").unwrap();
    (rows_of(api), rows_of(pages))
}

fn rows() -> Vec<Row> {
    tables().0
}

fn rows_of(text: &'static str) -> Vec<Row> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("| route |"));
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let route = cells.next().unwrap().trim_matches(|c| c == '`' || c == ' ');
        let (method, path) = route.split_once(' ').unwrap();
        Row {
            method,
            path,
            takes: cells.next().unwrap(),
            is_bare: line.contains("*bare*"),
        }
    };
    let rows: Vec<_> = lines
        .skip(2)
        .take_while(|l| l.starts_with('|'))
        .map(row)
        .collect();
    assert!(rows.len() > 40, "the table is read");
    rows
}

/// Those who may call, from nobody to the admin, and which needs each of them meets.
fn callers(daemon: &Daemon) -> Vec<(&'static str, Client, &'static [&'static str])> {
    let all = &["nothing", "reading", "editor", "lead", "admin"];
    vec![
        ("nobody", daemon.api.anonymous(), &all[..1]),
        ("a viewer", daemon.client("viewer", None), &all[..2]),
        ("an editor", daemon.client("editor", None), &all[..3]),
        ("a member", daemon.client("editor", Some("UBOB")), &all[..3]),
        (
            "another team's lead",
            daemon.client("editor", Some("UZOE")),
            &all[..3],
        ),
        ("a lead", daemon.client("editor", Some("UANN")), &all[..4]),
        (
            "a viewer who leads",
            daemon.client("viewer", Some("UANN")),
            &all[..2],
        ),
        ("an admin", daemon.client("admin", None), all),
    ]
}

/// Team `core` of UANN, its lead, and UBOB; UZOE leads another.
fn company() -> (Daemon, Team) {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    let lead = json!({"team_role": "lead"});
    team.patch("/members/UANN", &lead).ok();
    let other = daemon.team("Other");
    other.members(&["UZOE"]);
    other.patch("/members/UZOE", &lead).ok();
    (daemon, team)
}

/// Sends a request that is refused or changes nothing: its body is no JSON.
fn status(client: &Client, row: &Row, team: &str) -> u16 {
    let nobody = "00000000-0000-7000-8000-000000000000";
    let path = row
        .path
        .replace("{team}", team)
        .replace("{user}", "UNOBODY");
    let path = path.replace("{id}", nobody).replace("{service}", nobody);
    if path == "/events" {
        // A stream never ends: its head is enough.
        use std::io::{BufRead as _, BufReader};
        let stream = client.open("GET", "/events", &[], 0).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        return line.split(' ').nth(1).unwrap().parse().unwrap();
    }
    let body: &[u8] = if row.method == "GET" { b"" } else { b"{" };
    let json = [("Content-Type", "application/json")];
    client.send(row.method, &path, &json, body).status
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let daemon = Daemon::start();
    let document = daemon.api.get("/openapi.json").ok();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let rows = rows();
    let by_api = rows
        .iter()
        .filter(|row| !row.is_bare && row.path != "/openapi.json");
    let by_api: BTreeSet<_> = by_api
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(by_api, routes);
    let beside = ROUTER.split(".route(\"").skip(1);
    for path in beside.map(|rest| rest.split('"').next().unwrap()) {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        assert!(rows.iter().any(|row| row.path == path), "no row for {path}");
    }
}

#[test]
fn every_page_has_a_row_and_every_row_a_page() {
    let mut routes = BTreeSet::new();
    for route in PAGES.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        for method in ["get", "post"] {
            if route.contains(&format!("{method}(")) {
                routes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let rows = tables().1.into_iter();
    let rows: BTreeSet<_> = rows
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(rows, routes);
}

#[test]
fn everybody_may_see_the_pages_that_the_table_says() {
    let (daemon, _) = company();
    let mut wrong = Vec::new();
    for (who, client, meets) in callers(&daemon) {
        let refused = if who == "nobody" { 401 } else { 403 };
        for row in tables().1 {
            // A form without a token is refused as one with a wrong token is.
            if row.path == "/sign-in" && row.method == "POST" {
                continue;
            }
            // Whose profile somebody may change depends on the person: tests of profiles look.
            let depends_on_person = row.path == "/people/{user}/edit" && row.method == "POST";
            if depends_on_person && meets.contains(&"editor") {
                continue;
            }
            let path = row.path.replace("{team}", "nowhere");
            let path = path.replace("{user}", "UNOBODY").replace("{file}", "none");
            let nothing = "00000000-0000-7000-8000-000000000000";
            let path = path.replace("{id}", nothing).replace("{service}", nothing);
            let form = [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Sec-Fetch-Site", "same-origin"),
            ];
            // In full: by its path alone the client takes it for one of the API.
            let url = format!("http://{}{path}", client.address);
            let status = client.send(row.method, &url, &form, b"").status;
            let is_refused = status == 401 || status == 403;
            let may = meets.contains(&row.takes);
            if may == is_refused || !may && status != refused {
                wrong.push(format!(
                    "{who}: {} {} takes {}, answered {status}",
                    row.method, row.path, row.takes
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everybody_may_call_what_the_table_says() {
    let (daemon, _) = company();
    let mut wrong = Vec::new();
    for (who, client, meets) in callers(&daemon) {
        for row in rows() {
            let refused = match who {
                "nobody" => 401,
                _ => 403,
            };
            for team in ["core", "nowhere"] {
                let may = meets.contains(&row.takes);
                // Whether somebody leads a team that isn't there is nobody's business.
                let depends_on_team = row.takes == "lead" && meets.contains(&"editor");
                let is_signed = row.path.starts_with("/slack/") && row.is_bare;
                if depends_on_team || is_signed {
                    continue;
                }
                let status = status(&client, &row, team);
                let is_refused = status == 401 || status == 403;
                if may == is_refused || !may && status != refused {
                    wrong.push(format!(
                        "{who}: {} {} ({team}) takes {}, answered {status}",
                        row.method, row.path, row.takes
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_team_and_its_rotation_are_changed_by_those_who_lead_it() {
    let (daemon, _) = company();
    let changes = [
        ("/teams/core", json!({"description": "x"})),
        (
            "/teams/core/rotation-config",
            json!({"rotation_interval": "daily"}),
        ),
    ];
    for (who, client, meets) in callers(&daemon) {
        for (path, change) in &changes {
            let status = client.patch(path, change).status;
            let expected = match who {
                "nobody" => 401,
                _ if meets.contains(&"lead") => 200,
                _ => 403,
            };
            assert_eq!(status, expected, "{who}: {path}");
        }
    }
}

#[test]
fn leads_are_made_and_unmade_by_leads_and_admins_only() {
    let (daemon, team) = company();
    let lead = |user: &str| json!({"slack_user_id": user, "team_role": "lead"});
    for (who, client, meets) in callers(&daemon) {
        let may = meets.contains(&"lead");
        let refused = if who == "nobody" { 401 } else { 403 };
        let is_right = |status: u16, good: &[u16]| {
            if may {
                good.contains(&status)
            } else {
                status == refused
            }
        };
        let members = team.path("/members");
        // Themselves, somebody new, and somebody whose row is there.
        for user in ["UBOB", "UNEW", "UZOE"] {
            let status = client.post(&members, &lead(user)).status;
            assert!(
                is_right(status, &[200, 201]),
                "{who} makes {user} lead: {status}"
            );
        }
        let bob = team.path("/members/UBOB");
        let status = client.patch(&bob, &json!({"team_role": "lead"})).status;
        assert!(is_right(status, &[200]), "{who}: {status}");
        // Nor do they take the role from a lead, by a change or by removing them.
        daemon.api.post(&members, &lead("UEVE"));
        let eve = team.path("/members/UEVE");
        let status = client.patch(&eve, &json!({"team_role": "member"})).status;
        assert!(is_right(status, &[200]), "{who} takes the role: {status}");
        daemon.api.patch(&eve, &json!({"team_role": "lead"})).ok();
        let status = client.delete(&eve).status;
        assert!(is_right(status, &[204]), "{who} removes a lead: {status}");
        for user in ["UNEW", "UZOE", "UEVE"] {
            daemon.api.delete(&team.path(&format!("/members/{user}")));
        }
        daemon.api.patch(&bob, &json!({"team_role": "member"})).ok();
    }
    // What an editor may do with members is as before.
    let editor = daemon.client("editor", Some("UEVE"));
    let change = json!({"weight": 2.0, "is_eligible_for_oncall": false});
    editor.patch(&team.path("/members/UANN"), &change).ok();
    let same = json!({"slack_user_id": "UANN", "team_role": "lead"});
    editor.post(&team.path("/members"), &same).ok();
    editor.delete(&team.path("/members/UBOB")).expect(204);
}

#[test]
fn made_up_methods_make_no_metrics() {
    let daemon = Daemon::start();
    let labels = || -> BTreeMap<String, Value> {
        let text = daemon.api.get("/metrics").body;
        let lines = text.lines().filter(|line| line.contains("method="));
        lines
            .map(|line| (line.split(' ').next().unwrap().to_owned(), Value::Null))
            .collect()
    };
    for number in 0..20 {
        let reply = daemon
            .api
            .send(&format!("BREW{number}"), "/teams", &[], b"");
        assert_eq!(reply.status, 405);
    }
    let long = format!("/teams/{}", "x".repeat(4_000));
    daemon.api.send(&"M".repeat(1_000), &long, &[], b"");
    // The log comes by another way than the answer.
    let since = std::time::Instant::now();
    let line = loop {
        let log = daemon.log();
        if let Some(line) = log.lines().find(|line| line.contains("MMM")) {
            break line.to_owned();
        }
        assert!(since.elapsed().as_secs() < 10, "{log}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(line.len() < 700, "{line}");
    let found = labels();
    assert!(
        !found.keys().any(|label| label.contains("BREW")),
        "{found:?}"
    );
    assert!(
        found.keys().any(|label| label.contains("\"other\"")),
        "{found:?}"
    );
}
