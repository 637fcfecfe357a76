//! A person's page, and "My shifts".

use serde_json::json;

use crate::harness::visitor::{Visitor, between, error_of, said, undo};
use crate::harness::{Daemon, Team};
use crate::pages_team::core;
use crate::slack_members::Company;

fn shift(team: &Team, user: &str, from: i64, to: i64) -> String {
    let row =
        json!({"engineer_slack_id": user, "start_date": team.day(from), "end_date": team.day(to)});
    let row = team.post("/oncall-schedules", &row).created();
    row["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_has_the_shifts_of_all_their_teams() {
    let daemon = Daemon::start();
    let (team, edge) = (core(&daemon), daemon.team("Edge"));
    edge.members(&["UANN"]);
    let running = shift(&team, "UANN", -1, 2);
    let past = shift(&edge, "UANN", -9, -8);
    shift(&edge, "UANN", 5, 9);
    // Somebody else covers the middle of it, and she is asked to cover elsewhere.
    let cover = |team: &Team, who: &str, from: i64| {
        let wish = json!({"substitute_slack_id": who, "start_date": team.day(from), "requested_by": "UBOB"});
        team.post("/oncall-overrides", &wish).created()
    };
    cover(&edge, "UBOB", 7);
    cover(&team, "UANN", 12);
    let mut editor = Visitor::signed_in(&daemon, "editor", None);
    let page = editor.page("/people/UANN");
    let panel = |title: &str| between(&page, &format!("id=\"{title}\""), "</section>");
    let shifts = panel("shifts-title");
    let links: Vec<_> = shifts.split("class=\"strong\" href=\"").skip(1).collect();
    assert_eq!(links.len(), 3, "{shifts}");
    assert!(links[0].starts_with(&team.path(&format!("/schedule/{running}"))));
    assert!(links[0].contains(">now<"), "{}", links[0]);
    // Only days that are still to come can be covered.
    let asks =
        |link: &str| between(link, "<a class=\"button\" href=\"", "\"").replace("&#38;", "&");
    let ask = |team: &Team, from: i64, to: i64| {
        let (from, to) = (team.day(from), team.day(to));
        team.path(&format!(
            "/overrides/new?start_date={from}&end_date={to}&requested_by=UANN"
        ))
    };
    assert_eq!(asks(links[0]), ask(&team, 0, 2));
    assert_eq!(asks(links[1]), ask(&edge, 5, 6));
    assert_eq!(asks(links[2]), ask(&edge, 8, 9));
    let form = editor.page(&asks(links[1]));
    let value = format!(
        "name=\"start_date\" type=\"date\" min=\"{}\" value=\"{}\"",
        edge.day(0),
        edge.day(5)
    );
    assert!(form.contains(&value), "{form}");
    assert!(shifts.contains("Asked to cover"), "{shifts}");
    assert!(panel("past-title").contains(&past));
    let teams = panel("teams-title");
    assert!(teams.contains("Core") && teams.contains("lead") && teams.contains("Edge"));
    assert!(panel("feed-title").contains("data-copy=\"/api/v1/users/UANN/calendar.ics\""));
    // A viewer asks for nothing.
    let mut viewer = Visitor::signed_in(&daemon, "viewer", None);
    let page = viewer.page("/people/UANN");
    assert!(!page.contains("overrides/new") && !page.contains("method=\"post\""));
    assert!(
        viewer
            .page("/people/UNOBODY")
            .contains("nothing is planned")
    );
    assert_eq!(viewer.get("/people/nobody!").status, 422);
}

#[test]
fn my_shifts_are_those_of_whoever_has_signed_in() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    shift(&team, "UANN", 3, 4);
    let page = Visitor::new(&daemon).page("/my-shifts");
    assert!(page.contains("href=\"/sign-in?next=/my-shifts\""), "{page}");
    let page = Visitor::signed_in(&daemon, "viewer", None).page("/my-shifts?q=uan");
    assert!(
        page.contains("bound to nobody") && page.contains("href=\"/people/UANN\""),
        "{page}"
    );
    let page = Visitor::signed_in(&daemon, "editor", Some("UANN")).page("/my-shifts");
    assert!(
        page.contains("Your shifts") && page.contains("href=\"/teams/core\""),
        "{page}"
    );
}

#[test]
fn time_off_is_noted_and_taken_back_where_it_stands() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let id = shift(&team, "UANN", 3, 4);
    let mut ann = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let path = "/people/UANN/time-off";
    let days = (team.day(4), team.day(6));
    let fields = |end: &'static str| [("start_date", days.0.clone()), ("end_date", end.to_owned())];
    let wrong = fields("soon");
    let wrong: Vec<_> = wrong
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let page = ann.refused(path, &wrong, 422);
    assert_eq!(
        error_of(&page, "end_date"),
        "`soon` is not a date such as 2026-11-26"
    );
    assert!(page.contains(&format!("value=\"{}\"", days.0)), "{page}");
    let off = [
        ("start_date", days.0.as_str()),
        ("end_date", days.1.as_str()),
        ("reason", "Skiing <b>"),
        ("next", "/my-shifts"),
    ];
    let page = ann.submit(path, &off);
    assert!(
        said(&page).starts_with("The time off is noted. But note: manual shift"),
        "{page}"
    );
    assert!(
        page.contains("Your shifts") && page.contains("Skiing &#60;b&#62;"),
        "{page}"
    );
    assert!(between(&page, &id, "</tr>").contains("during time off"));
    let remove = between(&page, "action=\"/people/UANN/time-off/", "\"").to_owned();
    let page = ann.submit(&format!("{path}/{remove}"), &[("next", "/my-shifts")]);
    assert!(between(&page, "id=\"off\"", "</div>").contains("Nothing is noted"));
    let (action, fields) = undo(&page);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert!(ann.submit(&action, &fields).contains("Skiing"));
    // Nobody is sent anywhere else by a form.
    let reply = ann.post(
        path,
        &[("start_date", &days.0), ("next", "https://evil.example")],
    );
    assert_eq!(reply.header("location"), Some("/"));
}

#[test]
fn a_profile_is_set_by_those_who_may_and_never_over_anothers_change() {
    let daemon = Daemon::start();
    core(&daemon);
    let path = "/people/UCAT/edit";
    let set = |name: &'static str, zone: &'static str, version: &'static str| {
        [
            ("display_name", name),
            ("email", ""),
            ("timezone", zone),
            ("version", version),
        ]
    };
    let mut lead = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let page = lead.submit(path, &set("Cat <i>", "", ""));
    assert!(said(&page).starts_with("The profile is saved"));
    assert!(
        page.contains("Cat &#60;i&#62;") && page.contains("UCAT"),
        "{page}"
    );
    let page = lead.refused(path, &set("Cat", "Europe/Berlni", "1"), 422);
    assert!(
        error_of(&page, "timezone").contains("Europe/Berlin"),
        "{page}"
    );
    lead.submit(path, &set("Cat", "Europe/Berlin", "1"));
    let page = lead.refused(path, &set("Kat", "Europe/Berlin", "1"), 409);
    assert!(
        page.contains("There now: <bdi>Cat</bdi>") && page.contains("Save mine"),
        "{page}"
    );
    assert!(!page.contains("There now: <bdi>Europe"), "{page}");
    lead.submit(path, &set("Kat", "Europe/Berlin", "2"));
    // Neither themselves nor one of their leads.
    let mut other = Visitor::signed_in(&daemon, "editor", Some("UZOE"));
    assert!(!other.page("/people/UCAT").contains("/edit"));
    assert_eq!(other.post(path, &set("Z", "", "3")).status, 403);
    let mut cat = Visitor::signed_in(&daemon, "editor", Some("UCAT"));
    assert!(cat.page("/my-shifts").contains(path));
}

#[test]
fn what_slack_tells_is_not_set_over_it() {
    let company = Company::start();
    company.core();
    let mut admin = Visitor::signed_in(&company.daemon, "admin", None);
    let form = admin.page("/people/UANN/edit");
    assert!(form.contains("By Slack; it is changed there"), "{form}");
    let known = company.daemon.api.get("/users/UANN/profile").ok();
    let shown = |field: &str| known[field].as_str().unwrap_or_default().to_owned();
    let (email, zone) = (shown("email"), shown("timezone"));
    let fields = [
        ("email", email.as_str()),
        ("timezone", zone.as_str()),
        ("version", ""),
    ];
    admin.submit("/people/UANN/edit", &fields);
    assert_eq!(company.daemon.api.get("/users/UANN/profile").ok(), known);
}
