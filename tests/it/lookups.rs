//! Who is on call: now, at an instant, on a day; and at once after each change.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Daemon, column, shown};

#[test]
fn an_answer_names_its_source_by_precedence_and_who_is_next() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    assert_eq!(team.on_call(0), (Value::Null, "none".into()));
    insta::assert_snapshot!(shown(&team.get("/oncall").ok(), team.today), @r#"
    {
      "date": "today",
      "display_name": null,
      "end_date": null,
      "ends_at": null,
      "engineer_slack_id": null,
      "next": null,
      "service_id": null,
      "service_name": null,
      "source": "none",
      "start_date": null,
      "starts_at": null,
      "team_id": "<id>",
      "team_name": "Core",
      "team_slug": "core",
      "timezone": "<zone>"
    }
    "#);
    team.rotate(json!({}));
    let auto = team.get("/oncall").ok();
    assert_eq!(
        (&auto["engineer_slack_id"], &auto["source"]),
        (&json!("UANN"), &json!("auto"))
    );
    assert_eq!(auto["date"], team.day(0));
    assert_eq!(
        (&auto["start_date"], &auto["end_date"]),
        (&json!(team.day(0)), &json!(team.day(6)))
    );
    assert_eq!(
        auto["next"],
        json!({"engineer_slack_id": "UBOB", "display_name": "UBOB", "starts_at": auto["ends_at"]})
    );
    let row =
        json!({"engineer_slack_id": "UCAT", "start_date": team.day(0), "end_date": team.day(2)});
    team.post("/oncall-schedules", &row).created();
    let manual = team.get("/oncall").ok();
    assert_eq!(
        (&manual["engineer_slack_id"], &manual["source"]),
        (&json!("UCAT"), &json!("manual"))
    );
    assert_eq!(manual["next"]["engineer_slack_id"], "UANN");
    let wish = json!({"substitute_slack_id": "UDAN", "start_date": team.day(1)});
    team.post("/oncall-overrides", &wish).created();
    let cut = team.get("/oncall").ok();
    assert_eq!(
        cut["end_date"],
        team.day(0),
        "the override cuts what it covers"
    );
    assert_eq!(
        cut["next"],
        json!({"engineer_slack_id": "UDAN", "display_name": "UDAN", "starts_at": cut["ends_at"]})
    );
    assert_eq!(team.on_call(1), ("UDAN".into(), "override".into()));
    assert_eq!(team.on_call(2), ("UCAT".into(), "manual".into()));
    assert_eq!(team.on_call(3), ("UANN".into(), "auto".into()));
    assert_eq!(team.on_call(-1), (Value::Null, "none".into()));
    assert_eq!(team.on_call(365), (Value::Null, "none".into()));
}

#[test]
fn services_and_teams_are_looked_up_alone_together_and_all() {
    let daemon = Daemon::start();
    let (core, edge) = (daemon.team("Core"), daemon.team("Edge"));
    edge.post("/oncall", &json!({"engineer_slack_id": "UANN"}))
        .created();
    let service = json!({"name": "CDN", "team_id": edge.slug});
    let service = daemon.api.post("/services", &service).created();
    let ask = |query: &str| daemon.api.get(&format!("/oncall?{query}"));
    let id = service["id"].as_str().unwrap();
    for query in [
        "service=cdn",
        "service=CDN",
        &format!("service={id}"),
        "service=cdn&team=edge",
        &format!("team={}&service=cdn", edge.id),
    ] {
        let answer = ask(query).ok();
        assert_eq!(answer["engineer_slack_id"], "UANN", "{query}");
        assert_eq!(answer["service_id"], id, "{query}");
        assert_eq!(answer["team_id"], edge.id.as_str(), "{query}");
    }
    ask("service=cdn&team=core").problem(404);
    ask("colour=red").invalid(&["colour"]);
    let list = ask("").ok();
    assert_eq!(column(&list, "team_slug"), ["core", "edge"]);
    assert_eq!(column(&list, "source"), ["none", "manual"]);
    assert_eq!(
        daemon.api.get("/services/cdn/oncall").ok(),
        ask("service=cdn").ok()
    );
    assert_eq!(edge.get("/oncall").ok(), ask("team=edge").ok());
    let tomorrow = format!("date={}", core.day(1));
    assert_eq!(column(&ask(&tomorrow).ok(), "source"), ["none", "none"]);
    ask(&format!("team=edge&{tomorrow}&at=2026-01-01T00:00:00Z")).invalid(&["date"]);
    ask("team=edge&date=tomorrow").invalid(&["date"]);
    ask("team=edge&at=2026-01-01").invalid(&["at"]);
}

#[test]
fn an_answer_changes_at_once_with_each_change() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let edge = daemon.team("Edge");
    let service = json!({"name": "checkout", "team_id": team.slug});
    daemon.api.post("/services", &service).created();
    let look = || daemon.api.get("/oncall?service=checkout").ok();
    let who = || look()["engineer_slack_id"].clone();
    for n in 0..20 {
        let user = format!("U{n}");
        let wish = json!({"substitute_slack_id": user, "start_date": team.day(0)});
        let row = team.post("/oncall-overrides", &wish).created();
        assert_eq!(who(), user.as_str());
        let path = team.path(&format!(
            "/oncall-overrides/{}",
            row["id"].as_str().unwrap()
        ));
        daemon.api.delete(&path).expect(204);
        let expected = if n == 0 {
            Value::Null
        } else {
            format!("V{n}").replace('V', "W").into()
        };
        let before = if n == 0 {
            expected
        } else {
            format!("W{}", n - 1).into()
        };
        assert_eq!(who(), before);
        team.post("/oncall", &json!({"engineer_slack_id": format!("W{n}")}))
            .created();
        assert_eq!(who(), format!("W{n}"));
    }
    team.patch("", &json!({"name": "Kernel"})).ok();
    assert_eq!(look()["team_name"], "Kernel");
    edge.post("/oncall", &json!({"engineer_slack_id": "UEDGE"}))
        .created();
    assert_eq!(who(), "W19");
    daemon
        .api
        .patch("/services/checkout", &json!({"team_id": "edge"}))
        .ok();
    assert_eq!(who(), "UEDGE");
    daemon
        .api
        .patch("/services/checkout", &json!({"name": "Cart"}))
        .ok();
    daemon.api.get("/oncall?service=checkout").problem(404);
    daemon.api.delete("/teams/edge").expect(204);
    daemon.api.get("/oncall?service=cart").problem(404);
    daemon
        .api
        .patch("/teams/edge", &json!({"is_active": true}))
        .ok();
    assert_eq!(
        daemon.api.get("/oncall?service=cart").ok()["engineer_slack_id"],
        "UEDGE"
    );
}

#[test]
fn readers_never_see_an_answer_from_before_a_change_that_they_know_of() {
    let daemon = Daemon::start();
    let team = daemon.team("Core");
    let done = std::sync::atomic::AtomicU64::new(0);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    let known = done.load(std::sync::atomic::Ordering::SeqCst);
                    let answer = daemon.api.get("/oncall?team=core").ok();
                    let user = answer["engineer_slack_id"]
                        .as_str()
                        .unwrap_or("U0")
                        .to_owned();
                    let seen: u64 = user[1..].parse().unwrap();
                    assert!(seen >= known, "{seen} after {known}");
                }
            });
        }
        for n in 1..=60u64 {
            team.post("/oncall", &json!({"engineer_slack_id": format!("U{n}")}))
                .created();
            done.store(n, std::sync::atomic::Ordering::SeqCst);
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}

#[test]
fn a_service_is_found_as_soon_as_it_is_there_and_no_longer_than_that() {
    let daemon = Daemon::start();
    let (core, edge) = (daemon.team("Core"), daemon.team("Edge"));
    let status = |name: &str| daemon.api.get(&format!("/oncall?service={name}")).status;
    for (n, team) in [&core, &edge, &core].into_iter().enumerate() {
        assert_eq!(status("cart"), 404);
        let service = json!({"name": "Cart", "team_id": team.slug});
        daemon.api.post("/services", &service).created();
        let answer = daemon.api.get("/oncall?service=CART").ok();
        assert_eq!(answer["team_slug"], team.slug.as_str());
        let name = format!("cart-{n}");
        let renamed = daemon.api.patch("/services/cart", &json!({"name": name}));
        renamed.ok();
        assert_eq!((status("cart"), status(&name)), (404, 200));
        daemon.api.delete(&format!("/services/{name}")).expect(204);
        assert_eq!(status(&name), 404);
    }
}

#[test]
fn days_begin_and_end_where_the_zones_clock_jumps() {
    let daemon = Daemon::start();
    let cases = [
        // A time that the clock skips means the first instant after the gap.
        (
            "America/New_York",
            "02:30",
            "2026-03-08",
            "2026-03-08T07:00:00Z",
            "2026-03-09T06:30:00Z",
        ),
        // One that occurs twice means the first.
        (
            "America/New_York",
            "01:30",
            "2026-11-01",
            "2026-11-01T05:30:00Z",
            "2026-11-02T06:30:00Z",
        ),
        // Half an hour forth and back.
        (
            "Australia/Lord_Howe",
            "02:15",
            "2026-10-04",
            "2026-10-03T15:30:00Z",
            "2026-10-04T15:15:00Z",
        ),
        (
            "Australia/Lord_Howe",
            "01:45",
            "2026-04-05",
            "2026-04-04T14:45:00Z",
            "2026-04-05T15:15:00Z",
        ),
        (
            "Asia/Kathmandu",
            "00:00",
            "2026-06-01",
            "2026-05-31T18:15:00Z",
            "2026-06-01T18:15:00Z",
        ),
        (
            "Pacific/Apia",
            "00:00",
            "2026-06-01",
            "2026-05-31T11:00:00Z",
            "2026-06-01T11:00:00Z",
        ),
    ];
    for (n, (zone, handoff, date, starts_at, ends_at)) in cases.into_iter().enumerate() {
        let fields = json!({"timezone": zone, "handoff_time": handoff});
        let team = daemon.team_with(&format!("Team {n}"), fields);
        let row = json!({"engineer_slack_id": "UANN", "start_date": date, "end_date": date});
        team.post("/oncall-schedules", &row).created();
        let answer = team.get(&format!("/oncall?date={date}")).ok();
        assert_eq!(answer["starts_at"], starts_at, "{zone} {date}");
        assert_eq!(answer["ends_at"], ends_at, "{zone} {date}");
        let source = |at: &str| team.get(&format!("/oncall?at={at}")).ok()["source"].clone();
        let second_before = |at: &str| {
            let at = chrono::DateTime::parse_from_rfc3339(at).unwrap().to_utc();
            (at - chrono::TimeDelta::seconds(1))
                .format("%FT%TZ")
                .to_string()
        };
        assert_eq!(source(&second_before(starts_at)), "none", "{zone} {date}");
        assert_eq!(source(starts_at), "manual", "{zone} {date}");
        assert_eq!(source(&second_before(ends_at)), "manual", "{zone} {date}");
        assert_eq!(source(ends_at), "none", "{zone} {date}");
        let in_offset = starts_at.replace('Z', "%2B00:00");
        assert_eq!(source(&in_offset), "manual");
    }
}

/// The status lines that one connection answers to lookups with these headers, in turn.
fn statuses_on_one_connection(address: &str, requests: &[(&str, &str)]) -> Vec<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut statuses = Vec::new();
    for (host, authorization) in requests {
        let head = format!("GET /api/v1/oncall?team=core HTTP/1.1\r\nHost: {host}\r\n");
        write!(stream, "{head}Authorization: {authorization}\r\n\r\n").unwrap();
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).unwrap();
        statuses.push(line.split(' ').nth(1).unwrap().parse().unwrap());
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        reader.read_exact(&mut vec![0; length]).unwrap();
    }
    statuses
}

#[test]
fn a_connection_that_was_admitted_once_is_not_for_another_token_or_host() {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let team = daemon.team("Core");
    team.members(&["UANN"]);
    let viewer = daemon.client("viewer", None);
    let good = format!("Bearer {}", viewer.token.as_ref().unwrap());
    let asked = [
        ("localhost", good.as_str()),
        ("localhost", good.as_str()),
        ("localhost", "Bearer oncalld_bad"),
        ("localhost", "Basic YTpi"),
        ("evil.example", good.as_str()),
        ("localhost", good.as_str()),
    ];
    let statuses = statuses_on_one_connection(&daemon.api.address, &asked);
    assert_eq!(statuses, [200, 200, 401, 401, 403, 200]);
    daemon.api.delete("/tokens/viewer-nobody").expect(204);
    let statuses = statuses_on_one_connection(&daemon.api.address, &asked[..2]);
    assert_eq!(statuses, [401, 401]);
}
