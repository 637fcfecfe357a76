//! The audit log as a page and as files.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::visitor::{Visitor, text_of};
use crate::harness::{Daemon, command};

/// The rows of a file by RFC 4180.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = csv.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match (letter, is_quoted) {
            ('"', true) if letters.peek() == Some(&'"') => cell.extend(letters.next()),
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) => {
                assert_eq!(letters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (letter, _) => cell.push(letter),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last row ends");
    rows
}

#[test]
fn the_log_is_filtered_and_each_entry_tells_what_changed() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    daemon.team("<script>alert(1)</script>");
    team.members(&["UANN"]);
    team.patch("/members/UANN", &json!({"weight": 2.5})).ok();
    let mut pages = Visitor::new(&daemon);
    let all = pages.get("/audit");
    assert_eq!(all.status, 200);
    assert!(all.body.contains("&#60;script&#62;alert(1)") && !all.body.contains("<script>alert"));
    let found =
        pages.get("/audit?entity_type=team_membership&action=updated&team=core&actor_id=admin");
    let log = text_of(&found.body, "log");
    assert!(log.contains("weight 1 2.5"), "{log}");
    assert_eq!(found.body.matches("<details id=\"entry-").count(), 1);
    assert!(found.body.contains("href=\"/teams/core/members\""));
    assert!(text_of(&pages.get("/audit?action=restored").body, "log").contains("Nothing fits"));
    // Who acted may be named.
    let ann = daemon.client("editor", Some("UANN"));
    let name = json!({"display_name": "Ann Lee"}).to_string();
    daemon
        .api
        .send("PUT", "/users/UANN/profile", &[], name.as_bytes())
        .ok();
    ann.post("/services", &json!({"name": "Ledger", "team_id": team.id}))
        .created();
    let found = pages.get("/audit?actor_id=ann%20lee").body;
    assert_eq!(found.matches("<details id=\"entry-").count(), 1);
    assert!(text_of(&found, "log").contains("Ann Lee"));
    // Wrong values stand beside their fields, and show nothing.
    let wrong = pages.get("/audit?team=nowhere");
    assert_eq!(wrong.status, 422);
    assert_eq!(
        text_of(&wrong.body, "team-error"),
        "there is no team `nowhere`"
    );
    let wrong = pages.get("/audit?from=once&entity_type=cat");
    assert_eq!(wrong.status, 422);
    text_of(&wrong.body, "from-error");
    text_of(&wrong.body, "entity_type-error");
}

#[test]
fn pages_follow_each_other_by_cursor_while_new_entries_come() {
    let daemon = Daemon::start();
    for n in 0..60 {
        daemon
            .api
            .post("/teams", &json!({"name": format!("Team {n}")}))
            .created();
    }
    let mut pages = Visitor::new(&daemon);
    let seqs = |body: &str| -> BTreeSet<u64> {
        let entries = body.split("id=\"entry-").skip(1);
        entries
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect()
    };
    let first = pages.get("/audit?entity_type=team").body;
    let older = first.split("rel=\"next\" href=\"").nth(1).unwrap();
    let older = older.split('"').next().unwrap().replace("&#38;", "&");
    daemon.team("New");
    let second = pages.get(&older).body;
    let (first, second) = (seqs(&first), seqs(&second));
    assert_eq!((first.len(), second.len()), (50, 10));
    assert!(first.is_disjoint(&second));
}

#[test]
fn a_spreadsheet_gets_texts_and_no_formulas() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let reason = "=HYPERLINK(\"http://x\",\"a, b\")\nnext";
    let shift = json!({"engineer_slack_id": "UANN", "reason": reason});
    team.post("/oncall", &shift).created();
    let mut pages = Visitor::new(&daemon);
    let file = pages.get("/audit/export.csv?team=core&entity_type=schedule");
    assert_eq!(file.status, 200);
    let name = file.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment; filename=\"oncalld-audit-") && name.ends_with(".csv\""));
    let body = unchunked(&file.body);
    let rows = rows(&body);
    let column = |name: &str| rows[0].iter().position(|it| it == name).unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert_eq!(rows[1][column("change_reason")], format!("'{reason}"));
    assert_eq!(rows[1][column("entity_type")], "schedule");
    assert_eq!(pages.get("/audit/export.csv?team=nowhere").status, 422);
    assert_eq!(pages.get("/audit/export.jsonl?from=x").status, 422);
}

#[test]
fn the_file_of_a_long_log_has_every_entry_once() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let mut command = command(home.path());
    command.arg("--demo");
    let daemon = Daemon::spawn(home, Vec::new(), command);
    let total = daemon.api.get("/audit-logs").ok()["total"]
        .as_u64()
        .unwrap();
    assert!(total > 500, "more than is read at once: {total}");
    let file = Visitor::new(&daemon).get("/audit/export.jsonl");
    let body = unchunked(&file.body);
    let entries = body
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let seqs: Vec<_> = entries
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, (1..=total).rev().collect::<Vec<_>>());
}

#[test]
fn whoever_doubts_the_log_has_it_verified() {
    let daemon = Daemon::start();
    daemon.team("Core");
    let entries = daemon.verify_audit();
    let page = Visitor::new(&daemon).get("/audit/verify");
    assert_eq!(page.status, 200);
    let text = text_of(&page.body, "main");
    assert!(
        text.contains(&format!("Yes. {entries} entries were checked")),
        "{text}"
    );
}

/// A body that came in chunks.
fn unchunked(body: &str) -> String {
    let (mut text, mut rest) = (Vec::new(), body.as_bytes());
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return String::from_utf8(text).unwrap();
        }
        text.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
}
