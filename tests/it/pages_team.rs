//! A team's pages: schedule, overrides, members.

use serde_json::{Value, json};

use crate::harness::browser::{Browser, between, error_of, said, undo};
use crate::harness::{Daemon, Team};
use crate::slack_members::{Company, wait_until};

/// Team Core, in which overrides wait for a lead: UANN and UBOB, but not UCAT. They take a day each.
fn core(daemon: &Daemon) -> Team {
    let team = daemon.team_with("Core", json!({"overrides_require_approval": true}));
    team.members(&["UANN", "UBOB", "UCAT"]);
    for lead in ["UANN", "UBOB"] {
        team.patch(&format!("/members/{lead}"), &json!({"team_role": "lead"}))
            .ok();
    }
    team
}

fn daily(team: &Team) {
    team.rotate(json!({"rotation_interval": "daily"}));
}

fn member(team: &Team, user: &str) -> Value {
    let list = team.get("/members").ok();
    let mut items = list["items"].as_array().unwrap().iter();
    items
        .find(|it| it["slack_user_id"] == user)
        .cloned()
        .unwrap_or_default()
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
    let mut nobody = Browser::new(&daemon);
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
    let mut viewer = Browser::signed_in(&daemon, "viewer", Some("UCAT"));
    let mut editor = Browser::signed_in(&daemon, "editor", Some("UCAT"));
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
    let mut lead = Browser::signed_in(&daemon, "editor", Some("UANN"));
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
    let page = Browser::new(&daemon).page(&path);
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
    let mut editor = Browser::signed_in(&daemon, "editor", Some("UCAT"));
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
    let mut cat = Browser::signed_in(&daemon, "editor", Some("UCAT"));
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
    assert!(error_of(&page, "start_date").contains("is past"), "{page}");
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
    let mut cat = Browser::signed_in(&daemon, "editor", Some("UCAT"));
    assert_eq!(
        cat.post(&format!("{}/decide", path(&one)), &approve).status,
        403
    );
    let mut nobody = Browser::signed_in(&daemon, "editor", None);
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
    ];
    let page = nobody.submit(&format!("{}/decide", path(&one)), &named);
    assert_eq!(said(&page), "The override is approved.");
    assert_eq!(team.on_call(5), (json!("UCAT"), json!("override")));
    // Two leads have the same list open: the second sees what the first has done.
    let mut ann = Browser::signed_in(&daemon, "editor", Some("UANN"));
    let mut bob = Browser::signed_in(&daemon, "editor", Some("UBOB"));
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
    let status = |filter: &str, browser: &mut Browser| {
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
fn a_member_is_changed_where_they_stand_and_back() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    team.rotate(json!({"rotation_type": "weighted"}));
    let list = team.path("/members");
    let mut ann = Browser::signed_in(&daemon, "editor", Some("UANN"));
    let share = |page: &str, user: &str| {
        let table = between(page, "<table class=\"cards members\">", "</table>");
        let row = between(table, &format!("title=\"{user}\""), "</tr>");
        between(
            between(row, "data-label=\"Share\"", "</td>"),
            "<span>",
            "</span>",
        )
        .to_owned()
    };
    let page = ann.page(&list);
    assert_eq!(
        ["UANN", "UBOB", "UCAT"].map(|user| share(&page, user)),
        ["33 %"; 3]
    );
    let weight = |weight: &'static str, version: &'static str| {
        [
            ("team_role", "member"),
            ("is_eligible_for_oncall", "on"),
            ("weight", weight),
            ("version", version),
        ]
    };
    let page = ann.submit(&format!("{list}/UCAT"), &weight("2", "1"));
    assert_eq!(said(&page), "UCAT has weight 2, not 1.");
    assert_eq!(
        ["UANN", "UCAT"].map(|user| share(&page, user)),
        ["25 %", "50 %"]
    );
    let (action, fields) = undo(&page);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let page = ann.submit(&action, &fields);
    assert_eq!(said(&page), "UCAT has weight 1, not 2.");
    // What is no weight stays in its field, with what is wrong with it.
    let page = ann.refused(&format!("{list}/UCAT"), &weight("heavy", "3"), 422);
    assert!(
        error_of(&page, "weight-UCAT").contains("`heavy` is not a number"),
        "{page}"
    );
    assert!(page.contains("value=\"heavy\""));
    let page = ann.refused(&format!("{list}/UCAT"), &weight("1001", "3"), 422);
    assert!(
        error_of(&page, "weight-UCAT").contains("at most 1000"),
        "{page}"
    );
    // Somebody else was quicker.
    team.patch("/members/UCAT", &json!({"is_eligible_for_oncall": false}))
        .ok();
    let page = ann.refused(&format!("{list}/UCAT"), &weight("3", "3"), 409);
    assert!(
        page.contains("There now: off") && page.contains("There now: <bdi>1</bdi>"),
        "{page}"
    );
    assert!(
        page.contains("value=\"3\"") && page.contains("Drop mine") && page.contains("Save mine")
    );
    assert_eq!(member(&team, "UCAT")["weight"], 1.0);
    let page = ann.submit(&format!("{list}/UCAT"), &weight("3", "4"));
    assert_eq!(
        said(&page),
        "UCAT can be picked by the rotation, has weight 3, not 1."
    );
    assert_eq!(
        ann.refused(&format!("{list}/UNOBODY"), &weight("3", ""), 404)
            .matches("UNOBODY")
            .count(),
        1
    );
    // A lead makes leads; others aren't offered it.
    let page = ann.submit(
        &format!("{list}/UCAT"),
        &[("team_role", "lead"), ("weight", "3"), ("version", "5")],
    );
    assert_eq!(
        said(&page),
        "UCAT leads the team, is no longer picked by the rotation."
    );
    let mut other = Browser::signed_in(&daemon, "editor", Some("UZOE"));
    assert!(!other.page(&list).contains("name=\"team_role\""));
    daemon.verify_audit();
}

#[test]
fn members_come_go_and_come_back_as_they_were() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let list = team.path("/members");
    let mut admin = Browser::signed_in(&daemon, "admin", None);
    let eligible = ("is_eligible_for_oncall", "on");
    let page = admin.refused(
        &list,
        &[("slack_user_id", "someone"), ("weight", "0"), eligible],
        422,
    );
    assert!(
        error_of(&page, "slack_user_id").contains("a Slack user id"),
        "{page}"
    );
    let page = admin.refused(
        &list,
        &[("slack_user_id", "UANN"), ("weight", "1"), eligible],
        422,
    );
    assert_eq!(error_of(&page, "slack_user_id"), "is a member already");
    let page = admin.submit(&list, &[("slack_user_id", "UDAN"), ("weight", "0.5")]);
    assert_eq!(said(&page), "UDAN is a member now.");
    let dan = member(&team, "UDAN");
    assert_eq!(
        (&dan["weight"], &dan["is_eligible_for_oncall"]),
        (&json!(0.5), &json!(false))
    );
    let before = member(&team, "UBOB");
    let page = admin.submit(&format!("{list}/UBOB/remove"), &[]);
    assert_eq!(said(&page), "UBOB is no longer a member.");
    assert_eq!(member(&team, "UBOB"), Value::Null);
    let (action, fields) = undo(&page);
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    admin.submit(&action, &fields);
    let after = member(&team, "UBOB");
    for field in ["team_role", "weight", "is_eligible_for_oncall", "joined_at"] {
        assert_eq!(before[field], after[field]);
    }
    assert!(
        !admin.page(&list).contains("Sync from Slack"),
        "there is no Slack here"
    );
}

#[test]
fn time_off_is_noted_shown_and_taken_back() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    daily(&team);
    let form = team.path("/members/UCAT/time-off");
    let mut ann = Browser::signed_in(&daemon, "editor", Some("UANN"));
    let (from, to) = (team.day(1), team.day(6));
    let page = ann.refused(&form, &[("start_date", &to), ("end_date", &from)], 422);
    assert!(
        error_of(&page, "end_date").contains("is before start_date"),
        "{page}"
    );
    let fields = [
        ("start_date", &*from),
        ("end_date", &*to),
        ("reason", "Skiing & <b>"),
    ];
    let page = ann.submit(&form, &fields);
    assert!(said(&page).starts_with("The time off is noted."), "{page}");
    let away = between(&page, "<table class=\"cards away\">", "</table>");
    assert!(
        away.contains("<rect class=\"off\"") && away.contains("Skiing &#38; &#60;b&#62;"),
        "{away}"
    );
    let id = daemon.api.get("/users/UCAT/time-off").ok()["items"][0]["id"].clone();
    let page = ann.submit(&format!("{form}/{}/remove", id.as_str().unwrap()), &[]);
    assert_eq!(said(&page), "The time off is taken back.");
    assert!(page.contains("Nobody has noted any time off"));
    let (action, fields) = undo(&page);
    let decoded = fields.iter().map(|(name, value)| {
        let value = value
            .replace("&#38;", "&")
            .replace("&#60;", "<")
            .replace("&#62;", ">");
        (name.clone(), value)
    });
    let fields: Vec<_> = decoded.collect();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    ann.submit(&action, &fields);
    let row = daemon.api.get("/users/UCAT/time-off").ok()["items"][0].clone();
    assert_eq!(
        (&row["reason"], &row["end_date"]),
        (&json!("Skiing & <b>"), &json!(to))
    );
    assert!(Browser::new(&daemon).page(&form).contains("Noted"));
}

#[test]
fn members_by_slack_are_shown_with_defaults_and_brought_up_to_date() {
    let company = Company::start();
    let team = company.core();
    let list = team.path("/members");
    let mut admin = Browser::signed_in(&company.daemon, "admin", None);
    wait_until("Ann's name", || {
        team.get("/members").body.contains("\"Ann\"")
    });
    let page = admin.page(&list);
    assert!(
        page.contains("Ann") && page.contains("from Slack, by the defaults"),
        "{page}"
    );
    assert!(page.contains("Sync from Slack") && page.contains("In Slack"));
    // The first change makes their row.
    let weight = [
        ("team_role", "member"),
        ("is_eligible_for_oncall", "on"),
        ("weight", "2"),
        ("version", ""),
    ];
    let page = admin.submit(&format!("{list}/UANN"), &weight);
    assert_eq!(said(&page), "Ann has weight 2, not 1.");
    company.slack.add_group("S1", "core", &["UBOB", "UCAT"]);
    let page = admin.submit(&format!("{list}/sync"), &[]);
    assert_eq!(said(&page), "Slack lists 2 members: 1 new, 1 gone.");
    assert!(page.contains("has left") && page.contains("UCAT"), "{page}");
}

#[test]
fn a_teams_stale_form_shows_both_sides_too() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let mut admin = Browser::signed_in(&daemon, "admin", None);
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
