//! The event stream.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use oncalld::actions::members::slack_group::{self, Listed};
use oncalld::app::{Ctx, Settings};
use oncalld::clock::{Clock as _, SystemClock};
use oncalld::config::Config;
use oncalld::daemon;
use oncalld::delivery::Counters;
use oncalld::http::{Access, Api};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::Daemon;
use crate::harness::sandbox::Sandbox;

#[test]
fn the_event_stream_tells_each_change_and_ends_with_the_daemon() {
    let mut daemon = Daemon::start();
    let mut events = daemon.api.anonymous().events();
    let team = daemon.team("Core");
    team.members(&["UANN"]);
    let mut told: Vec<Value> = Vec::new();
    while told.len() < 2 {
        let mut line = String::new();
        assert!(
            events.read_line(&mut line).unwrap() > 0,
            "it ended: {told:?}"
        );
        if let Some(data) = line.trim().strip_prefix("data:") {
            told.push(serde_json::from_str(data).unwrap());
        }
    }
    assert_eq!(told[0]["entity_type"], "team");
    assert_eq!(told[0]["action"], "created");
    assert_eq!(told[0]["entity_id"], team.id.as_str());
    assert_eq!(told[1]["entity_type"], "team_membership");
    assert_eq!(told[1]["team_id"], team.id.as_str());
    daemon.signal("TERM");
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut events, &mut rest).unwrap();
    assert!(daemon.wait().success());
}

/// Reads events until one of this name comes; its id and its data. None at the end.
fn next_event(stream: &mut impl BufRead, name: &str) -> Option<(u64, String)> {
    let (mut id, mut is_it) = (0, false);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        match line.trim().split_once(':') {
            Some(("event", event)) => is_it = event.trim() == name,
            Some(("id", text)) => id = text.trim().parse().unwrap(),
            Some(("data", data)) if is_it => return Some((id, data.trim().to_owned())),
            _ => {}
        }
    }
}

#[test]
fn an_event_stream_ends_with_its_token() {
    let daemon = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    let token = |fields: Value| {
        let made = daemon.api.post("/tokens", &fields).created();
        let client = daemon.api.with_token(made["token"].as_str().unwrap());
        (made["id"].as_str().unwrap().to_owned(), client)
    };
    let (_, other) = token(json!({"name": "other", "role": "viewer"}));
    let (id, revoked) = token(json!({"name": "revoked", "role": "viewer"}));
    let (mut lasting, mut ending) = (other.events(), revoked.events());
    daemon.api.delete(&format!("/tokens/{id}")).expect(204);
    assert_eq!(next_event(&mut ending, "change"), None);
    assert!(next_event(&mut lasting, "change").is_some());
    let soon = SystemClock.now() + chrono::TimeDelta::seconds(2);
    let (_, expiring) = token(json!({"name": "soon", "role": "viewer", "expires_at": soon}));
    let mut ending = expiring.events();
    assert_eq!(next_event(&mut ending, "change"), None);
    assert!(SystemClock.now() >= soon);
}

#[test]
fn an_event_stream_goes_on_where_the_last_one_ended() {
    let daemon = Daemon::start();
    let listen = |last: &str| {
        let headers = [("Last-Event-ID", last)];
        BufReader::new(daemon.api.open("GET", "/events", &headers, 0).unwrap())
    };
    let mut first = daemon.api.events();
    let team = daemon.team("Core");
    let (id, _) = next_event(&mut first, "change").unwrap();
    team.members(&["UANN", "UBOB", "UCAT"]);
    let mut second = listen(&id.to_string());
    let members: Vec<_> = (0..3)
        .map(|_| next_event(&mut second, "change").unwrap())
        .collect();
    let ids: Vec<_> = members.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [id + 1, id + 2, id + 3]);
    assert!(
        members
            .iter()
            .all(|(_, data)| data.contains("team_membership"))
    );
    // What comes then is told as it happens.
    team.members(&["UDAN"]);
    assert_eq!(next_event(&mut second, "change").unwrap().0, id + 4);
    // A position that is yet to come: everything has to be read again.
    let mut third = listen(&u64::MAX.to_string());
    assert!(next_event(&mut third, "missed").is_some());
    let mut fourth = listen("nonsense");
    team.members(&["UEVE"]);
    assert_eq!(next_event(&mut third, "change").unwrap().0, id + 5);
    assert_eq!(next_event(&mut fourth, "change").unwrap().0, id + 5);
}

/// A listener that is slower than the changes: what its channel drops is read from the audit log.
#[tokio::test]
async fn an_event_stream_that_lags_behind_tells_every_change_once_and_in_order() {
    const CHANGES: u64 = 1500;
    const PATIENCE: Duration = Duration::from_secs(10);
    let settings = Settings {
        members_from_slack: true,
        ..Settings::default()
    };
    let group = json!({"slack_group_id": "S1"});
    let t = Sandbox::with("2026-11-23T08:00:00Z", &group, settings);
    let access = Access::from(&Config::default());
    let stopping = tokio::sync::watch::Sender::new(None);
    let api = Api::new(
        t.app.clone(),
        access,
        &Counters::default(),
        None,
        stopping.subscribe(),
    );
    let request = Request::get("/api/v1/events").header("Host", "localhost");
    let request = request.body(Body::empty()).unwrap();
    let answer = daemon::service(api, None).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    // Nobody reads while a large group joins, which is more than the channel holds.
    let team = slack_group::slack_teams(&t.app).unwrap()[0].id;
    let user = |number| format!("U{number}").parse().unwrap();
    let listed = Listed {
        group_id: "S1".to_owned(),
        users: (0..CHANGES).map(user).collect(),
        asked_at: t.app.now(),
    };
    slack_group::apply(&t.app, &Ctx::system(), team, &listed).unwrap();
    let mut body = answer.into_body().into_data_stream();
    let mut text = String::new();
    let mut read_to = async |last: u64| {
        while text.matches("id: ").count() < usize::try_from(last).unwrap() {
            let part = tokio::time::timeout(PATIENCE, body.next());
            let part = part.await.expect("the stream goes on").unwrap();
            text += std::str::from_utf8(&part.unwrap()).unwrap();
        }
        let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.map(|id| id.parse().unwrap()).collect::<Vec<u64>>()
    };
    let told = read_to(CHANGES).await;
    let first = told[0];
    assert_eq!(told, (first..first + CHANGES).collect::<Vec<_>>());
    // What comes then is told as it happens.
    t.configure(json!({"description": "large"}));
    assert_eq!(read_to(CHANGES + 1).await.last(), Some(&(first + CHANGES)));
}
