//! A team's pages: schedule, shifts, overrides.

use serde_json::{Value, json};

use crate::harness::visitor::{Visitor, between, error_of, said};
use crate::harness::{Daemon, Team};

/// Team Core, in which overrides wait for a lead: UANN and UBOB, but not UCAT. They take a day each.
pub fn core(daemon: &Daemon) -> Team {
    let team = daemon.team_with("Core", json!({"overrides_require_approval": true}));
    team.members(&["UANN", "UBOB", "UCAT"]);
    for lead in ["UANN", "UBOB"] {
        team.patch(&format!("/members/{lead}"), &json!({"team_role": "lead"}))
            .ok();
    }
    team
}

pub fn daily(team: &Team) {
    team.rotate(json!({"rotation_interval": "daily"}));
}

fn first_override(team: &Team) -> Value {
    team.get("/oncall-overrides").ok()["items"][0].clone()
}

#[test]
fn everybody_sees_a_team_and_those_who_may_change_it_how() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    daily(&team);
    let forms = ["/schedule/new", "/assign", "/overrides/new", "/members/new"];
    let tabs = ["", "/overrides", "/members"];
    let mut nobody = Visitor::new(&daemon);
    for tab in tabs {
        let page = nobody.page(&team.path(tab));
        assert!(
            page.contains("UANN") && !page.contains("method=\"post\""),
            "{page}"
        );
    }
    for form in forms {
        let reply = nobody.get(&team.path(form));
        assert_eq!(reply.status, 303);
        assert!(
            reply
                .header("location")
                .unwrap()
                .starts_with("/sign-in?next=")
        );
    }
    let mut viewer = Visitor::signed_in(&daemon, "viewer", Some("UCAT"));
    let mut editor = Visitor::signed_in(&daemon, "editor", Some("UCAT"));
    for form in forms {
        assert_eq!(viewer.get(&team.path(form)).status, 403);
        let page = editor.page(&team.path(form));
        assert!(page.contains("method=\"post\""), "{page}");
    }
    for tab in tabs {
        assert!(!viewer.page(&team.path(tab)).contains("overrides/new"));
        editor.page(&team.path(tab));
    }
    assert_eq!(
        viewer
            .post(&team.path("/members/UCAT"), &[("weight", "2")])
            .status,
        403
    );
    let missing = editor.get("/teams/nowhere/members");
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("There is nothing here"));
    // By its id, and once it's deleted, it is still there to be read.
    daemon.api.delete(&team.path("")).expect(204);
    for tab in tabs {
        let page = editor.page(&format!("/teams/{}{tab}", team.id));
        assert!(
            page.contains("This team is deleted") && !page.contains("method=\"post\""),
            "{page}"
        );
    }
}

#[test]
fn a_schedule_shows_each_layer_and_where_nobody_is() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let mut lead = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let path = format!("{}?from={}", team.path(""), team.day(-2));
    assert!(lead.page(&path).contains("Nobody is planned in this time"));
    let shift = |user: &str, from: i64, to: i64| {
        let row = json!({"engineer_slack_id": user, "start_date": team.day(from), "end_date": team.day(to)});
        team.post("/oncall-schedules", &row).created()
    };
    let past = shift("UANN", -2, -1);
    shift("UBOB", 3, 4);
    let cover = json!({"substitute_slack_id": "UCAT", "start_date": team.day(4)});
    let cover = team.post("/oncall-overrides", &cover).created();
    let off = json!({"start_date": team.day(1), "end_date": team.day(2), "reason": "Skiing"});
    daemon.api.post("/users/UCAT/time-off", &off).created();
    let page = lead.page(&path);
    let timeline = between(&page, "<table class=\"timeline\">", "</table>");
    let cells = |row: &str| {
        let row = between(timeline, &format!("<bdi>{row}</bdi></th>"), "</tr>");
        let cell = |cell: &str| {
            let span = cell.split('"').next().unwrap();
            let name = cell
                .split("<bdi>")
                .nth(1)
                .and_then(|rest| rest.split('<').next());
            let empty = if cell.contains("nobody") {
                "nobody"
            } else {
                ""
            };
            format!("{span} {}", name.unwrap_or(empty))
        };
        row.split("<td colspan=\"")
            .skip(1)
            .map(cell)
            .collect::<Vec<_>>()
    };
    assert_eq!(cells("On call"), ["2 UANN", "3 nobody", "2 UBOB", "21 "]);
    assert_eq!(cells("By hand"), ["2 UANN", "3 ", "2 UBOB", "21 "]);
    assert_eq!(cells("Overrides"), ["6 ", "1 UCAT", "21 "]);
    assert_eq!(cells("UCAT away"), ["3 ", "2 UCAT", "23 "]);
    let title = format!("UCAT, {}, by an override that waits", shown(&team, 4));
    assert!(timeline.contains(&title), "{title}: {timeline}");
    assert!(timeline.contains("Skiing"));
    // Its rows lead to what they show, gaps to asking for cover, and so do days of the calendar.
    for (what, row) in [("schedule", &past), ("overrides", &cover)] {
        let href = team.path(&format!("/{what}/{}", row["id"].as_str().unwrap()));
        assert!(
            timeline.contains(&format!("href=\"{href}\"")),
            "{href}: {timeline}"
        );
    }
    let gap = format!(
        "/overrides/new?start_date={}&#38;end_date={}",
        team.day(0),
        team.day(2)
    );
    assert!(timeline.contains(&gap), "{gap}: {timeline}");
    let month = lead.page(&format!("{}?month={}", team.path(""), &team.day(3)[..7]));
    let day = between(&month, &format!("start_date={}&#38;", team.day(3)), "</td>");
    assert!(day.contains("<bdi>UBOB</bdi>"), "{day}");
    let present = lead.page(&team.path(""));
    assert_eq!(
        present.matches("aria-current=\"date\"").count(),
        2,
        "today, in both"
    );
    // Who may not ask is led nowhere where they would.
    let page = Visitor::new(&daemon).page(&path);
    assert!(
        page.contains("Nobody is on call") && !page.contains("/new?"),
        "{page}"
    );
}

/// A day as pages show it.
fn shown(team: &Team, days: i64) -> String {
    let date: chrono::NaiveDate = team.day(days).parse().unwrap();
    let far = date.format("%Y").to_string() != team.day(0)[..4];
    date.format(if far { "%-d %b %Y" } else { "%-d %b" })
        .to_string()
}

#[test]
fn a_shift_tells_why_and_a_stale_form_shows_both_sides() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    daily(&team);
    let mut editor = Visitor::signed_in(&daemon, "editor", Some("UBOB"));
    let rows = team
        .get(&format!("/oncall-schedules?from={}", team.day(1)))
        .ok();
    let auto = team.path(&format!(
        "/schedule/{}",
        rows["items"][0]["id"].as_str().unwrap()
    ));
    let page = editor.page(&auto);
    assert!(
        page.contains("by the rotation") && page.contains("<div class=\"why\">"),
        "{page}"
    );
    // A new one, first with everything wrong, then in the way of another.
    let form = team.path("/schedule/new");
    let page = editor.refused(
        &form,
        &[("start_date", "soon"), ("engineer_slack_id", "")],
        422,
    );
    assert!(
        error_of(&page, "start_date").contains("`soon` is not a date"),
        "{page}"
    );
    let (first, last) = (team.day(10), team.day(12));
    let fields = [
        ("engineer_slack_id", "UANN"),
        ("engineer_slack_id_other", "UZOE"),
        ("start_date", &first),
        ("end_date", &last),
        ("note", "<b>A \"swap\"</b>"),
    ];
    let page = editor.submit(&form, &fields);
    assert_eq!(
        said(&page),
        "The shift is there. But note: UZOE is not a member of team `core`."
    );
    let page = editor.refused(&form, &fields, 409);
    assert!(
        page.contains("overlaps the manual schedule of UZOE"),
        "{page}"
    );
    assert!(
        page.contains("value=\"UZOE\"") && page.contains("&#60;b&#62;A &#34;swap&#34;"),
        "{page}"
    );
    let row = team.get("/oncall-schedules?origin=manual").ok()["items"][0].clone();
    let id = row["id"].as_str().unwrap();
    let path = team.path(&format!("/schedule/{id}"));
    let api = format!("/oncall-schedules/{id}");
    // Somebody else changes it while the form is open.
    team.patch(&api, &json!({"note": "theirs", "end_date": team.day(13)}))
        .ok();
    let mine = |version: &'static str| {
        [
            ("engineer_slack_id", "UBOB"),
            ("start_date", &*first),
            ("end_date", &*last),
            ("note", "mine"),
            ("version", version),
        ]
    };
    let page = editor.refused(&path, &mine("1"), 409);
    let theirs: Vec<_> = page
        .split("There now: ")
        .skip(1)
        .map(|rest| rest.split("</span>").next().unwrap())
        .collect();
    let end = format!("<bdi>{}</bdi>", team.day(13));
    assert_eq!(
        theirs,
        ["<bdi>UZOE</bdi>", &end, "<bdi>theirs</bdi>"],
        "{page}"
    );
    assert!(
        page.contains(">mine</textarea>") && page.contains("name=\"version\" value=\"2\""),
        "{page}"
    );
    assert!(
        page.contains(&format!("href=\"{path}\">Drop mine")),
        "{page}"
    );
    assert_eq!(
        team.get(&api).ok()["note"],
        "theirs",
        "nothing is half-written"
    );
    let page = editor.submit(&path, &mine("2"));
    assert_eq!(said(&page), "The shift is saved.");
    assert_eq!(team.get(&api).ok()["engineer_slack_id"], "UBOB");
    let page = editor.submit(&format!("{path}/delete"), &[]);
    assert_eq!(said(&page), "The shift is deleted.");
    assert_eq!(editor.get(&path).status, 404);
    // And somebody takes over at once.
    let page = editor.submit(
        &team.path("/assign"),
        &[("engineer_slack_id", "UCAT"), ("reason", "ill")],
    );
    assert!(said(&page).starts_with("They are on call now."), "{page}");
    assert_eq!(team.on_call(0), (json!("UCAT"), json!("manual")));
    daemon.verify_audit();
}

#[test]
fn who_asks_for_cover_sees_whom_it_replaces() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let form = team.path("/overrides/new");
    let row =
        json!({"engineer_slack_id": "UANN", "start_date": team.day(1), "end_date": team.day(2)});
    team.post("/oncall-schedules", &row).created();
    let mut cat = Visitor::signed_in(&daemon, "editor", Some("UCAT"));
    let days =
        |from: i64, to: i64| format!("start_date={}&end_date={}", team.day(from), team.day(to));
    let preview = cat.page(&format!("{form}?{}&reason=Dentist", days(1, 4)));
    let replaced = between(&preview, "id=\"replaced\"", "</div>");
    assert!(
        replaced.contains("<bdi>UANN</bdi>") && replaced.contains("nobody"),
        "{replaced}"
    );
    assert_eq!(replaced.matches("<tr>").count(), 3);
    assert!(
        preview.contains(">Dentist</textarea>")
            && preview.contains(&format!("value=\"{}\"", team.day(4)))
    );
    for odd in [
        "start_date=x",
        "start_date=2026-12-01&end_date=2026-11-01",
        "start_date=1000-01-01",
    ] {
        assert!(
            cat.page(&format!("{form}?{odd}"))
                .contains("Choose the days")
        );
    }
    let yesterday = team.day(-1);
    let page = cat.refused(
        &form,
        &[("start_date", &yesterday), ("substitute_slack_id", "UBOB")],
        422,
    );
    assert!(
        error_of(&page, "start_date").contains("is in the past"),
        "{page}"
    );
    let page = cat.refused(
        &form,
        &[("start_date", ""), ("substitute_slack_id", "")],
        422,
    );
    assert!(
        error_of(&page, "start_date").contains("is needed"),
        "{page}"
    );
    let (from, to) = (team.day(1), team.day(2));
    let fields = [
        ("substitute_slack_id", "UBOB"),
        ("start_date", &*from),
        ("end_date", &*to),
        ("reason", "<i>x"),
    ];
    let page = cat.submit(&form, &fields);
    assert_eq!(said(&page), "The request is made: it waits for a lead.");
    assert!(
        page.contains("&#60;i&#62;x")
            && page.contains("<span class=\"badge pending\">pending</span>"),
        "{page}"
    );
    let page = cat.refused(&form, &fields, 409);
    assert!(
        page.contains("overlaps the pending override for UBOB"),
        "{page}"
    );
    let preview = cat.page(&format!("{form}?{}", days(1, 1)));
    assert!(preview.contains("has to be cancelled first"), "{preview}");
    let row = first_override(&team);
    assert_eq!(
        (&row["requested_by"], &row["status"]),
        (&json!("UCAT"), &json!("pending"))
    );
}

#[test]
fn overrides_are_decided_once_and_by_those_who_may() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let ask = |days: i64| {
        let wish = json!({"substitute_slack_id": "UCAT", "start_date": team.day(days), "requested_by": "UCAT"});
        let row = team.post("/oncall-overrides", &wish).created();
        row["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (ask(5), ask(9));
    let list = team.path("/overrides");
    let path = |id: &str| format!("{list}/{id}");
    let approve = [("status", "approved"), ("version", "1"), ("next", &*list)];
    // A member who is no lead may not; a token of nobody has to name the lead.
    let mut cat = Visitor::signed_in(&daemon, "editor", Some("UCAT"));
    assert_eq!(
        cat.post(&format!("{}/decide", path(&one)), &approve).status,
        403
    );
    let mut nobody = Visitor::signed_in(&daemon, "editor", None);
    let page = nobody.submit(&format!("{}/decide", path(&one)), &approve);
    assert!(
        said(&page).contains("say here which lead decides"),
        "{page}"
    );
    let choice = between(&page, "name=\"approved_by\"", "</select>");
    assert!(choice.contains("UANN") && choice.contains("UBOB") && !choice.contains("UCAT"));
    let named = [
        ("status", "approved"),
        ("version", "1"),
        ("approved_by", "UANN"),
        ("reason", "she owes you <b>one</b>"),
    ];
    let page = nobody.submit(&format!("{}/decide", path(&one)), &named);
    assert_eq!(said(&page), "The override is approved.");
    let page = nobody.page(&path(&one));
    assert!(page.contains("she owes you &#60;b&#62;one"), "{page}");
    assert_eq!(team.on_call(5), (json!("UCAT"), json!("override")));
    // Two leads have the same list open: the second sees what the first has done.
    let mut ann = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let mut bob = Visitor::signed_in(&daemon, "editor", Some("UBOB"));
    let page = ann.page(&list);
    assert!(
        page.contains(">Approve</button>") && page.contains(">Reject</button>"),
        "{page}"
    );
    ann.submit(
        &format!("{}/decide", path(&two)),
        &[("status", "rejected"), ("version", "1")],
    );
    let page = bob.refused(&format!("{}/decide", path(&two)), &approve, 409);
    assert!(page.contains("Somebody else was quicker"), "{page}");
    assert!(
        page.contains("<span class=\"badge rejected\">") && !page.contains(">Approve<"),
        "{page}"
    );
    // Cancelling asks first.
    let page = bob.page(&format!("{}/delete", path(&one)));
    assert!(
        page.contains("Cancel the override for <bdi>UCAT</bdi>?"),
        "{page}"
    );
    let elsewhere = [
        ("status", "cancelled"),
        ("version", "2"),
        ("next", "//evil.example"),
    ];
    let reply = bob.post(&format!("{}/decide", path(&one)), &elsewhere);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    assert_eq!(team.on_call(5).1, "none");
    let status = |filter: &str, browser: &mut Visitor| {
        let page = browser.page(&format!("{list}?{filter}"));
        ["pending", "approved", "rejected", "cancelled"]
            .map(|status| page.contains(&format!("<span class=\"badge {status}\">")))
    };
    assert_eq!(status("", &mut ann), [false, false, true, true]);
    assert_eq!(
        status("status=rejected", &mut ann),
        [false, false, true, false]
    );
    assert_eq!(
        status("status=odd&when=past", &mut ann),
        [false, false, true, true]
    );
    let decided = daemon.audited("entity_type=override");
    assert_eq!(decided.len(), 5, "{decided:?}");
}

#[test]
fn a_teams_stale_form_shows_both_sides_too() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let path = team.path("/edit");
    let version = daemon.api.get(&team.path("")).ok()["version"].to_string();
    team.patch("", &json!({"description": "<script>alert(1)</script>"}))
        .ok();
    let fields = [
        ("name", "Mine"),
        ("description", "mine"),
        ("timezone", "UTC"),
        ("version", &*version),
    ];
    let page = admin.refused(&path, &fields, 409);
    assert!(
        page.contains("There now: <bdi>&#60;script&#62;alert(1)"),
        "{page}"
    );
    assert!(
        page.contains("There now: <bdi>Core</bdi>") && page.contains("value=\"Mine\""),
        "{page}"
    );
    assert_eq!(daemon.api.get(&team.path("")).ok()["name"], "Core");
    let next = (version.parse::<u64>().unwrap() + 1).to_string();
    let fields = [
        ("name", "Mine"),
        ("description", "mine"),
        ("timezone", "UTC"),
        ("version", &*next),
    ];
    assert_eq!(said(&admin.submit(&path, &fields)), "The team is saved.");
}
