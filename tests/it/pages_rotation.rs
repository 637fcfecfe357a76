//! The pages of a team's rotation, its fairness and its history.

use std::fs;

use chrono::{NaiveDate, TimeDelta};
use oncalld::actions::teams::review::review;
use serde_json::json;

use crate::harness::plugins::strategy;
use crate::harness::sandbox::{Sandbox, instant, read, weekly};
use crate::harness::visitor::{Visitor, text_of};
use crate::harness::{Daemon, Team};

/// A team of three with a weekly rotation that begins today, and its page.
fn team(daemon: &Daemon) -> (Team, String) {
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB", "UCYD"]);
    team.patch("/members/UANN", &json!({"team_role": "lead"}))
        .ok();
    team.rotate(json!({}));
    let page = team.path("/rotation");
    (team, page)
}

/// The form as the page has it, with a custom order.
fn order<'a>(team: &'a Team, version: &'a str, users: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let info = team.api.get(&team.path("")).ok();
    let zone = info["timezone"].as_str().unwrap().to_owned();
    let mut fields = vec![
        ("version", version),
        ("rotation_enabled", "on"),
        ("rotation_type", "custom"),
        ("rotation_interval", "weekly"),
        ("handoff_day", ""),
        ("handoff_time", "00:00"),
        ("timezone", zone.leak()),
        ("rotation_start_date", team.today.to_string().leak()),
    ];
    fields.extend(users.iter().map(|user| ("rotation_order", *user)));
    fields
}

fn version(team: &Team) -> String {
    team.api.get(&team.path("")).ok()["version"].to_string()
}

#[test]
fn a_change_is_reviewed_before_it_is_saved_and_comes_as_it_was_reviewed() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let mut lead = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let at = version(&team);
    let (before, audited) = (team.rows(""), daemon.verify_audit());

    let change = order(&team, &at, &["UANN", "UCYD", "UBOB"]);
    let review = lead.filled(&format!("{page}/review"), &change);
    assert_eq!(review.status, 200, "{}", review.body);
    let text = text_of(&review.body, "review");
    // UANN is on call this week; then UBOB and UCYD have changed places.
    assert!(text.contains("rotation type round_robin custom"), "{text}");
    assert!(text.contains("14 days move"), "{text}");
    assert!(text.contains("UBOB UCYD"), "{text}");
    assert!(text.contains("Who serves how much"), "{text}");
    // Nothing was written.
    assert_eq!((team.rows(""), daemon.verify_audit()), (before, audited));

    let saved = lead.post(&page, &change);
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, Some(&*page))
    );
    let rows = team.rows(&format!("from={}", team.day(7)));
    assert!(
        rows[0].starts_with("UCYD") && rows[1].starts_with("UBOB"),
        "{rows:?}"
    );
    let at = version(&team);
    let again = order(&team, &at, &["UANN", "UCYD", "UBOB"]);
    let review = lead.filled(&format!("{page}/review"), &again);
    assert!(text_of(&review.body, "review").contains("Nothing: the config is as it stands"));
}

#[test]
fn saving_brings_what_the_review_promised_however_long_the_rotation_ran() {
    let changes = [
        json!({"rotation_interval": "biweekly"}),
        json!({"rotation_interval": "daily", "handoff_day": null}),
        json!({"handoff_day": 3}),
        json!({"rotation_type": "custom", "rotation_order": ["UC", "UA"]}),
        json!({"rotation_type": "weighted"}),
        json!({"rotation_start_date": "2026-12-14"}),
        json!({"timezone": "Asia/Tokyo"}),
        json!({"rotation_enabled": false}),
        json!({"description": "moves nobody"}),
    ];
    let mut moved = 0;
    for change in changes {
        let t = Sandbox::new("2026-09-07T10:00:00Z", &weekly());
        t.override_of("UB", "2026-12-02", "2026-12-03");
        for week in 1..=12 {
            let now = instant("2026-09-07T10:00:00Z") + TimeDelta::weeks(week);
            t.tick_at(&now.to_rfc3339());
        }
        let review = review(&t.app, "t", &read(change.clone()), 3).unwrap();
        let days: Vec<_> = review.from.iter_days().take(21).collect();
        let promised = |day: &NaiveDate| {
            let mut moves = review.moves.iter();
            let moved = moves.find(|it| (it.start_date..=it.end_date).contains(day));
            match moved {
                Some(moved) => moved.after.clone().unwrap_or_else(|| "-".to_owned()),
                None => t.who(&day.to_string()),
            }
        };
        let promised: Vec<_> = days.iter().map(promised).collect();
        t.configure(change.clone());
        let came: Vec<_> = days.iter().map(|day| t.who(&day.to_string())).collect();
        assert_eq!(promised, came, "{change}");
        moved += usize::from(!review.moves.is_empty());
    }
    assert!(moved >= 4, "{moved} changes moved somebody");
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_nothing_is_changed() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let at = version(&team);
    let mut fields = order(&team, &at, &[]);
    for (name, value) in &mut fields {
        match *name {
            "timezone" => *value = "Mars/<Olympus>",
            "handoff_time" => *value = "25:00",
            "rotation_start_date" => *value = "soon",
            _ => {}
        }
    }
    let soon = admin.post(&page, &fields);
    assert_eq!(soon.status, 422);
    let text = text_of(&soon.body, "rotation_start_date-error");
    assert_eq!(text, "`soon` is not a day such as 2026-11-30");
    fields.retain(|(name, _)| *name != "rotation_start_date");
    let reply = admin.post(&page, &fields);
    assert_eq!(reply.status, 422, "{}", reply.body);
    for field in ["timezone", "handoff_time"] {
        text_of(&reply.body, &format!("{field}-error"));
    }
    assert!(
        reply.body.contains("value=\"Mars/&#60;Olympus&#62;\""),
        "what was typed stays"
    );
    assert!(
        reply
            .body
            .contains("a custom rotation needs the user ids in their order")
    );
    assert_eq!(version(&team), at);
}

#[test]
fn who_was_overtaken_sees_both_and_chooses() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let old = version(&team);
    let mine = order(&team, &old, &["UCYD", "UBOB"]);
    team.rotate(json!({"rotation_interval": "biweekly"}));

    let reply = admin.post(&page, &mine);
    assert_eq!(reply.status, 409);
    assert!(reply.body.contains("Somebody changed this team meanwhile"));
    let text = text_of(&reply.body, "review");
    assert!(text.contains("rotation interval biweekly weekly"), "{text}");
    assert_eq!(team.get("").ok()["rotation_interval"], "biweekly");
    // Saved again, mine goes in its place.
    let new = version(&team);
    assert!(
        reply
            .body
            .contains(&format!("name=\"version\" value=\"{new}\""))
    );
    let mine = order(&team, &new, &["UCYD", "UBOB"]);
    assert_eq!(admin.post(&page, &mine).status, 303);
    assert_eq!(team.get("").ok()["rotation_interval"], "weekly");
}

#[test]
fn everybody_may_look_and_those_who_lead_may_change() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let at = version(&team);
    let fields = order(&team, &at, &["UBOB"]);
    let mut anonymous = Visitor::new(&daemon);
    let shown = anonymous.get(&page);
    assert_eq!(shown.status, 200);
    assert!(
        !shown.body.contains("id=\"config\"") && shown.body.contains("Each in turn, by seniority")
    );
    assert!(
        anonymous
            .post(&page, &fields)
            .header("location")
            .unwrap()
            .starts_with("/sign-in")
    );
    let mut viewer = Visitor::signed_in(&daemon, "viewer", None);
    assert_eq!(viewer.post(&page, &fields).status, 403);
    assert_eq!(viewer.post(&format!("{page}/generate"), &[]).status, 403);
    let mut member = Visitor::signed_in(&daemon, "editor", Some("UBOB"));
    assert_eq!(member.post(&page, &fields).status, 403);
    assert_eq!(version(&team), at);
    daemon.api.delete(&team.path("")).expect(204);
    let gone = anonymous.get(&format!("/teams/{}/rotation", team.id));
    assert_eq!(gone.status, 200);
    assert!(gone.body.contains("A deleted team rotates no more"));
    assert_eq!(anonymous.get("/teams/nowhere/rotation").status, 404);
}

#[test]
fn the_ring_is_moved_by_its_buttons_where_there_is_no_script() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let at = version(&team);
    let mut fields = order(&team, &at, &["UANN", "UBOB"]);
    fields.push(("move", "up:UBOB"));
    let reply = admin.filled(&format!("{page}/review"), &fields);
    let places = ["UBOB", "UANN", "UCYD"].map(|user| {
        reply
            .body
            .find(&format!("name=\"rotation_order\" value=\"{user}\""))
            .unwrap()
    });
    assert!(places.is_sorted(), "{places:?}");
    assert!(
        reply.body.contains("value=\"UANN\" checked")
            && !reply.body.contains("value=\"UCYD\" checked")
    );
}

#[test]
fn the_settings_of_a_plugin_are_a_form_made_of_its_schema() {
    const FIRST: &str = "
        (call $answer (i32.load (i32.load offset=60 (local.get $ctx)))
            (i32.load offset=4 (i32.load offset=60 (local.get $ctx))) (i32.const 0x100) (i32.const 16))";
    let daemon = Daemon::start();
    let folder = daemon.home.path().join("plugins");
    fs::create_dir(&folder).unwrap();
    let manifest = "name = \"first\"\nversion = \"1.0.0\"\nkind = \"rotation\"\n\
        [config_schema]\ntype = \"object\"\nadditionalProperties = false\n\
        [config_schema.properties.points]\ntype = \"number\"\nminimum = 1\ndescription = \"what a <day> counts\"\n\
        [config_schema.properties.days]\ntype = \"array\"\nitems.enum = [\"saturday\", \"sunday\"]\n";
    fs::write(folder.join("first.toml"), manifest).unwrap();
    fs::write(folder.join("first.wasm"), strategy(FIRST)).unwrap();
    daemon.api.post("/plugins/reload", &json!(null)).ok();
    let (team, page) = team(&daemon);
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let shown = admin.get(&page).body;
    assert!(shown.contains("value=\"plugin:first\""), "{shown}");
    assert!(
        shown.contains("name=\"config.first.points\"")
            && shown.contains("What a &#60;day&#62; counts")
    );

    let at = version(&team);
    let mut fields = order(&team, &at, &[]);
    for (name, value) in &mut fields {
        if *name == "rotation_type" {
            *value = "plugin:first";
        }
    }
    let with = |more: &[(&'static str, &'static str)]| [&fields[..], more].concat();
    let wrong = admin.post(&page, &with(&[("config.first.points", "many")]));
    assert_eq!(wrong.status, 422);
    assert_eq!(
        text_of(&wrong.body, "config.first.points-error"),
        "`many` is not a number"
    );
    let low = admin.post(&page, &with(&[("config.first.points", "0")]));
    assert_eq!(low.status, 422);
    assert!(low.body.contains("`points` is 0, expected minimum 1"));
    let good = [
        ("config.first.points", "2.5"),
        ("config.first.days", "sunday"),
    ];
    assert_eq!(admin.post(&page, &with(&good)).status, 303);
    let stored = team.get("").ok();
    assert_eq!(stored["rotation_type"], "plugin:first");
    assert_eq!(
        stored["plugin_config"],
        json!({"points": 2.5, "days": ["sunday"]})
    );
    let shown = admin.get(&page).body;
    assert!(shown.contains("value=\"sunday\" checked") && shown.contains("value=\"2.5\""));
}

#[test]
fn schedules_are_generated_as_far_as_they_were_previewed() {
    let daemon = Daemon::start();
    let (team, page) = team(&daemon);
    let mut editor = Visitor::signed_in(&daemon, "editor", None);
    let preview = editor.get(&format!("{page}?weeks=12")).body;
    assert!(preview.contains("id=\"why-12\"") && !preview.contains("id=\"why-13\""));
    let done = editor.post(&format!("{page}/generate"), &[("weeks", "12")]);
    assert_eq!(done.status, 303);
    assert_eq!(done.header("location"), Some(&*format!("{page}?weeks=12")));
    assert_eq!(team.rows("").len(), 12);
    team.rotate(json!({"rotation_enabled": false}));
    let refused = editor.post(&format!("{page}/generate"), &[]);
    assert_eq!(refused.status, 303);
    assert!(refused.header("set-cookie").unwrap().contains("bad."));
}

#[test]
fn fairness_is_drawn_with_its_numbers_beside_it() {
    let daemon = Daemon::start();
    let (team, _) = team(&daemon);
    let mut pages = Visitor::new(&daemon);
    let page = team.path("/fairness");
    let range = format!("{page}?from={}&to={}", team.day(0), team.day(20));
    let shown = pages.get(&range);
    assert_eq!(shown.status, 200, "{}", shown.body);
    let numbers = text_of(&shown.body, "numbers");
    assert!(numbers.contains("UANN 7 7 0 0"), "{numbers}");
    assert_eq!(shown.body.matches("class=\"chart line\"").count(), 3);
    assert!(shown.body.contains("Every day was covered"));
    let off = json!({"start_date": team.day(1), "end_date": team.day(1)});
    daemon.api.post("/users/UANN/time-off", &off).created();
    let shown = pages.get(&range).body;
    assert!(
        shown.contains("id=\"conflicts-title\"") && shown.contains("on call"),
        "{shown}"
    );
    assert!(!shown.contains("Nobody was on call on days off"));

    let wrong = pages.get(&format!("{page}?from=yesterday"));
    assert_eq!(wrong.status, 422);
    assert!(text_of(&wrong.body, "from-error").contains("is not a day"));
    let turned = pages.get(&format!("{page}?from=2026-02-01&to=2026-01-01"));
    assert_eq!(turned.status, 422);
    assert!(turned.body.contains("is before"));
}

#[test]
fn the_history_of_a_team_has_its_changes_and_who_was_put_on_call() {
    let daemon = Daemon::start();
    let (team, _) = team(&daemon);
    let other = daemon.team("Other");
    let note = json!({"engineer_slack_id": "UBOB", "reason": "<b>swap</b>"});
    team.post("/oncall", &note).created();
    let mut pages = Visitor::new(&daemon);
    let page = team.path("/history");
    let changes = text_of(&pages.get(&page).body, "history");
    assert!(changes.contains("on call: UANN → UBOB"), "{changes}");
    let turns = pages.get(&format!("{page}?view=on-call")).body;
    let text = text_of(&turns, "history");
    assert!(
        text.contains("BO UBOB AN UANN") && turns.contains("&#60;b&#62;swap"),
        "{text}"
    );
    let others = text_of(&pages.get(&other.path("/history")).body, "history");
    assert!(
        others.contains("created") && !others.contains("UBOB"),
        "{others}"
    );
}
