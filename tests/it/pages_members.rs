//! A team's pages: members and their time off.

use serde_json::{Value, json};

use crate::harness::visitor::{Visitor, between, error_of, said, undo};
use crate::harness::{Daemon, Team};
use crate::pages_team::{core, daily};
use crate::slack_members::{Company, wait_until};

fn member(team: &Team, user: &str) -> Value {
    let list = team.get("/members").ok();
    let mut items = list["items"].as_array().unwrap().iter();
    items
        .find(|it| it["slack_user_id"] == user)
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_member_is_changed_where_they_stand_and_back() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    team.rotate(json!({"rotation_type": "weighted"}));
    let list = team.path("/members");
    let mut ann = Visitor::signed_in(&daemon, "editor", Some("UANN"));
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
    let mut other = Visitor::signed_in(&daemon, "editor", Some("UZOE"));
    assert!(!other.page(&list).contains("name=\"team_role\""));
    daemon.verify_audit();
}

#[test]
fn members_come_go_and_come_back_as_they_were() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let list = team.path("/members");
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
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
    // By a name that is known: whoever fits is offered, but for those who are members.
    for (user, name) in [("UEVE", "Eve <i>Adler"), ("UCAT", "Cat Adler")] {
        daemon
            .api
            .send(
                "PUT",
                &format!("/users/{user}/profile"),
                &[],
                json!({"display_name": name}).to_string().as_bytes(),
            )
            .ok();
    }
    let page = admin.page(&format!(
        "{list}/new?slack_user_id=adler&weight=2&found=UEVE"
    ));
    let found = between(&page, "id=\"found\"", "</div>");
    assert!(
        found.contains("value=\"UEVE\" checked") && found.contains("Eve &#60;i&#62;Adler"),
        "{found}"
    );
    assert!(
        !found.contains("UCAT") && page.contains("value=\"2\""),
        "{page}"
    );
    let page = admin.submit(
        &list,
        &[
            ("slack_user_id", "adler"),
            ("found", "UEVE"),
            ("weight", "2"),
        ],
    );
    assert_eq!(
        said(&page),
        "Eve <i>Adler is a member now."
            .replace('<', "&#60;")
            .replace('>', "&#62;")
    );
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
    let mut ann = Visitor::signed_in(&daemon, "editor", Some("UANN"));
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
    assert!(Visitor::new(&daemon).page(&form).contains("Noted"));
}

#[test]
fn members_by_slack_are_shown_with_defaults_and_brought_up_to_date() {
    let company = Company::start();
    let team = company.core();
    let list = team.path("/members");
    let mut admin = Visitor::signed_in(&company.daemon, "admin", None);
    wait_until("ann's name", || {
        team.get("/members").body.contains("\"ann\"")
    });
    let page = admin.page(&list);
    assert!(
        page.contains("<bdi>ann</bdi>") && page.contains("from Slack, by the defaults"),
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
    assert_eq!(said(&page), "ann has weight 2, not 1.");
    company.slack.add_group("S1", "core", &["UBOB", "UCAT"]);
    let page = admin.submit(&format!("{list}/sync"), &[]);
    assert_eq!(said(&page), "Slack lists 2 members: 1 new, 1 gone.");
    assert!(page.contains("has left") && page.contains("UCAT"), "{page}");
}
