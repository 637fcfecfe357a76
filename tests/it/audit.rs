//! The audit log, the legacy history, the calendar feeds.

use serde_json::json;

use crate::harness::{Daemon, column, shown};

#[test]
fn entries_are_filtered_by_each_field_and_all_at_once() {
    let daemon = Daemon::start();
    let (core, edge) = (daemon.team("Core"), daemon.team("Edge"));
    let ann = daemon.client("editor", Some("UANN"));
    core.members(&["UBOB"]);
    ann.post(&edge.path("/members"), &json!({"slack_user_id": "UCAT"}))
        .created();
    ann.patch(&edge.path("/members/UCAT"), &json!({"weight": 2}))
        .ok();
    let count =
        |query: &str| daemon.api.get(&format!("/audit-logs?{query}")).ok()["total"].as_u64();
    assert_eq!(count("entity_type=team_membership"), Some(3));
    assert_eq!(count("action=created&entity_type=team"), Some(2));
    assert_eq!(count("actor_id=UANN"), Some(2));
    assert_eq!(count("actor_id=UANN&action=updated"), Some(1));
    assert_eq!(count("team=edge"), Some(3));
    assert_eq!(count(&format!("team={}&actor_id=admin", edge.id)), Some(1));
    assert_eq!(count(&format!("entity_id={}", core.id)), Some(1));
    assert_eq!(
        count("team=core&entity_type=team_membership&action=updated"),
        Some(0)
    );
    daemon.api.get("/audit-logs?team=nobody").problem(404);
    daemon
        .api
        .get("/audit-logs?action=danced")
        .invalid(&["action"]);
    daemon
        .api
        .get("/audit-logs?entity_type=cat&from=x")
        .invalid(&["entity_type", "from"]);
    daemon.api.get("/audit-logs?cursor=x").invalid(&["cursor"]);

    let all = daemon.api.get("/audit-logs").ok();
    let entries = all["items"].as_array().unwrap();
    let total = entries.len() as u64;
    for pair in entries.windows(2) {
        assert_eq!(
            pair[0]["seq"].as_u64().unwrap(),
            pair[1]["seq"].as_u64().unwrap() + 1
        );
        assert_eq!(pair[0]["previous_hash"], pair[1]["hash"]);
    }
    let at = |n: usize| entries[n]["created_at"].as_str().unwrap().to_owned();
    let not_before = entries
        .iter()
        .filter(|e| e["created_at"].as_str() >= Some(&at(2)))
        .count() as u64;
    assert_eq!(count(&format!("from={}", at(2))), Some(not_before));
    assert_eq!(count(&format!("to={}", at(2))), Some(total - not_before));
    assert_eq!(count(&format!("from={}&to={}", at(2), at(2))), Some(0));
    let today = &at(0)[..10];
    assert_eq!(count(&format!("from=2020-01-01&to={today}")), Some(total));
    assert_eq!(count("to=2020-01-01"), Some(0));
    let one = format!("/audit-logs/{}", entries[1]["id"].as_str().unwrap());
    assert_eq!(daemon.api.get(&one).ok(), entries[1]);
    let changed = daemon.api.get("/audit-logs?action=updated").ok();
    assert_eq!(
        changed["items"][0]["changes"],
        json!({"weight": {"old": 1.0, "new": 2.0}})
    );
}

#[test]
fn a_cursor_stays_put_while_entries_are_appended() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    for n in 0..10 {
        team.patch("", &json!({"description": format!("{n}")})).ok();
    }
    let total = daemon.verify_audit();
    let mut seen = Vec::new();
    let mut query = "page_size=4".to_owned();
    loop {
        let page = daemon.api.get(&format!("/audit-logs?{query}")).ok();
        seen.extend(column(&page, "seq").iter().map(|seq| seq.as_u64().unwrap()));
        team.patch("", &json!({"description": query.clone()})).ok();
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("page_size=4&cursor={cursor}");
    }
    assert_eq!(seen, (1..=total).rev().collect::<Vec<_>>());
}

#[test]
fn the_history_keeps_its_legacy_shape() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    team.members(&["UANN"]);
    let ann = daemon.client("editor", Some("UANN"));
    let row = json!({"engineer_slack_id": "UBOB", "start_date": team.day(2), "end_date": team.day(2),
        "note": "swap"});
    ann.post(&team.path("/oncall-schedules"), &row).created();
    let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(2), "reason": "ill"});
    let wish = ann.post(&team.path("/oncall-overrides"), &wish).created();
    let path = team.path(&format!(
        "/oncall-overrides/{}",
        wish["id"].as_str().unwrap()
    ));
    ann.delete(&path).expect(204);
    let history = team.get("/oncall-history").ok();
    let kinds = ["override_deleted", "override_created", "schedule_created"];
    assert_eq!(column(&history, "change_type"), kinds);
    insta::assert_snapshot!(shown(&history["items"][1], team.today), @r#"
    {
      "change_reason": "ill",
      "change_type": "override_created",
      "changed_by": "UANN",
      "created_at": "<time>",
      "effective_date": "today+2",
      "engineer_slack_id": "UCAT",
      "id": "<id>",
      "previous_engineer_slack_id": "UBOB"
    }
    "#);
    assert_eq!(history["total"], 3);
    assert_eq!(daemon.team("Edge").get("/oncall-history").ok()["total"], 0);
}

fn unfolded(feed: &str) -> Vec<String> {
    let feed = feed.replace("\r\n ", "").replace("\r\n\t", "");
    feed.split("\r\n").map(ToOwned::to_owned).collect()
}

fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let value = |line: &'a String| {
        let (known, value) = line.split_once(':')?;
        (known.split(';').next() == Some(name)).then_some(value)
    };
    lines.iter().filter_map(value).collect()
}

#[test]
fn calendar_feeds_are_well_formed_and_keep_their_uids() {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let team = daemon.team("Core, \"Kernel\"; and more");
    team.members(&["UANN", "UBOB"]);
    team.rotate(json!({}));
    let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(8)});
    team.post("/oncall-overrides", &wish).created();
    let path = team.path("/calendar.ics");
    daemon.api.anonymous().get(&path).problem(401);
    daemon
        .api
        .anonymous()
        .get(&format!("{path}?token=oncalld_00"))
        .problem(401);
    let token = json!({"name": "feed", "role": "viewer", "scope": "feeds"});
    let token = daemon.api.post("/tokens", &token).created()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let feed = || {
        let reply = daemon.api.anonymous().get(&format!("{path}?token={token}"));
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(
            reply.header("content-type"),
            Some("text/calendar; charset=utf-8")
        );
        assert!(
            reply.body.split("\r\n").all(|line| line.len() <= 75),
            "lines are folded"
        );
        assert!(!reply.body.replace("\r\n", "").contains('\n'));
        unfolded(&reply.body)
    };
    let first = feed();
    assert_eq!(
        (first[0].as_str(), first[1].as_str()),
        ("BEGIN:VCALENDAR", "VERSION:2.0")
    );
    assert_eq!(values(&first, "PRODID").len(), 1);
    let events = values(&first, "UID").len();
    assert!(
        events >= 6,
        "the override cuts one shift in three: {first:?}"
    );
    for name in ["DTSTART", "DTEND", "DTSTAMP", "SUMMARY", "SEQUENCE"] {
        assert_eq!(values(&first, name).len(), events, "{name}");
    }
    let ends = values(&first, "DTEND");
    for (start, end) in values(&first, "DTSTART").iter().zip(&ends) {
        assert!(start.ends_with('Z') && start < end, "{start} {end}");
    }
    let mut uids = values(&first, "UID");
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), events, "each its own");
    assert!(
        values(&first, "SUMMARY")
            .iter()
            .any(|summary| summary.contains("UCAT"))
    );
    assert_eq!(feed(), first, "nothing changed");

    // Another person takes a shift: the same event, in a later version.
    let rows = team
        .get(&format!(
            "/oncall-schedules?from={}&origin=auto",
            team.day(14)
        ))
        .ok();
    let row = team.path(&format!(
        "/oncall-schedules/{}",
        rows["items"][0]["id"].as_str().unwrap()
    ));
    daemon
        .api
        .patch(&row, &json!({"engineer_slack_id": "UZOE"}))
        .ok();
    let second = feed();
    assert!(
        values(&second, "SUMMARY")
            .iter()
            .any(|summary| summary.contains("UZOE"))
    );
    let mut again = values(&second, "UID");
    again.sort_unstable();
    assert_eq!(again, uids);
    let own = daemon
        .api
        .anonymous()
        .get(&format!("/users/UZOE/calendar.ics?token={token}"));
    assert_eq!(values(&unfolded(&own.body), "UID").len(), 1);
    daemon
        .api
        .anonymous()
        .get(&format!("/teams?token={token}"))
        .problem(401);
}
