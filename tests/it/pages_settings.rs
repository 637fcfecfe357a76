//! The settings: tokens, plugins, notifications, Slack, about.

use serde_json::json;

use crate::harness::Daemon;
use crate::harness::visitor::{Visitor, between, error_of, main_of, said};
use crate::slack_members::{Company, wait_until};

const TABS: [&str; 5] = ["tokens", "plugins", "notifications", "slack", "about"];

#[test]
fn settings_are_for_admins() {
    let daemon = Daemon::start();
    let mut editor = Visitor::signed_in(&daemon, "editor", Some("UANN"));
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let mut nobody = Visitor::new(&daemon);
    assert_eq!(
        admin.get("/settings").header("location"),
        Some("/settings/tokens")
    );
    for tab in TABS {
        let path = format!("/settings/{tab}");
        assert_eq!(nobody.get(&path).status, 303);
        assert_eq!(editor.get(&path).status, 403);
        let page = admin.page(&path);
        let current = format!("href=\"{path}\" aria-current=\"page\"");
        assert!(page.contains(&current), "{page}");
    }
    assert_eq!(editor.post("/settings/plugins/reload", &[]).status, 403);
    let made = [("name", "Mine"), ("role", "admin")];
    assert_eq!(editor.post("/settings/tokens", &made).status, 403);
    assert!(!admin.page("/settings/tokens").contains("Mine"));
}

#[test]
fn a_token_shows_its_secret_once_and_is_revoked() {
    let daemon = Daemon::start();
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let list = "/settings/tokens";
    let wrong = [
        ("name", "CI"),
        ("role", "viewer"),
        ("slack_user_id", "ann"),
        ("expires_at", "2001-01-01"),
    ];
    let page = admin.refused(list, &wrong, 422);
    assert!(!error_of(&page, "slack_user_id").is_empty());
    assert_eq!(error_of(&page, "expires_at"), "is in the past");
    let fields = [
        ("name", "CI <b>"),
        ("role", "viewer"),
        ("slack_user_id", "UANN"),
        ("expires_at", "2999-12-31"),
    ];
    let reply = admin.post(list, &fields);
    assert_eq!(
        (reply.status, reply.header("cache-control")),
        (200, Some("no-store"))
    );
    assert_eq!(reply.header("etag"), None);
    let page = main_of(&reply.body);
    let secret = between(&page, "<code>", "</code>").to_owned();
    let client = daemon.api.with_token(&secret);
    client.get("/teams").ok();
    let page = admin.page(list);
    let row = between(&page, "CI &#60;b&#62;", "</tr>");
    assert!(
        !page.contains(&secret) && row.contains("UANN") && row.contains("Jan 3000"),
        "{row}"
    );
    // Sent again, it is no second one.
    let page = admin.refused(list, &fields, 409);
    assert!(page.contains("already exists"), "{page}");
    let revoke = between(row, "href=\"/settings/tokens/", "\"").to_owned();
    let path = format!("{list}/{revoke}");
    assert!(admin.page(&path).contains("Revoke <bdi>CI"));
    let page = admin.submit(&path, &[]);
    assert_eq!(said(&page), "Token CI &#60;b&#62; is revoked.");
    assert_eq!(client.get("/teams").status, 401);
    assert_eq!(admin.get(&path).status, 404);
}

#[test]
fn the_last_admin_token_is_not_revoked() {
    let daemon = Daemon::start();
    let tokens = daemon.api.get("/tokens").ok();
    let id = tokens["items"][0]["id"].as_str().unwrap();
    let secret = daemon.api.token.clone().unwrap();
    let mut admin = Visitor::new(&daemon);
    admin.submit("/sign-in", &[("token", &secret)]);
    let path = format!("/settings/tokens/{id}/delete");
    assert!(
        admin
            .page(&path)
            .contains("You have signed in with this one")
    );
    let page = admin.submit(&path, &[]);
    assert!(said(&page).contains("last valid admin token"), "{page}");
    assert!(page.contains("yours"));
}

#[test]
fn a_plugin_that_cant_be_loaded_is_told_of() {
    let daemon = Daemon::start();
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    assert!(
        admin
            .page("/settings/plugins")
            .contains("There are no plugins")
    );
    let folder = daemon.home.path().join("plugins");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("dice.toml"), "name = \"dice\"").unwrap();
    let page = admin.submit("/settings/plugins/reload", &[]);
    assert_eq!(
        said(&page),
        "The folder was read: 1 of 1 plugins can&#39;t be used."
    );
    let panel = between(&page, "aria-label=\"Plugin dice\"", "</section>");
    let problem = daemon.api.get("/plugins").ok()["items"][0]["problem"].clone();
    let problem = problem
        .as_str()
        .unwrap()
        .split(['`', '"', '\n'])
        .next()
        .unwrap()
        .trim();
    assert!(
        panel.contains("failed") && panel.contains(problem),
        "{problem}: {panel}"
    );
}

#[test]
fn what_failed_is_seen_and_sent_again() {
    let company = Company::start();
    let mut admin = Visitor::signed_in(&company.daemon, "admin", None);
    let list = "/settings/notifications";
    let page = admin.refused(
        &format!("{list}/test"),
        &[("sink", "pigeon"), ("recipient", "C1")],
        422,
    );
    assert!(error_of(&page, "sink").contains("pigeon"), "{page}");
    let page = admin.submit(
        &format!("{list}/test"),
        &[("sink", "slack"), ("recipient", "CNONE")],
    );
    assert!(said(&page).starts_with("A test is on its way through slack"));
    let api = &company.daemon.api;
    let count =
        |status: &str| api.get(&format!("/notifications?status={status}")).ok()["total"].clone();
    wait_until("the test fails", || count("failed") == json!(1));
    assert!(
        admin
            .page(&format!("{list}?status=delivered"))
            .contains("None has this status")
    );
    let page = admin.page(&format!("{list}?status=failed"));
    let id = between(&page, &format!("action=\"{list}/"), "/retry\"").to_owned();
    company.slack.add_channel("CNONE", "new");
    let page = admin.submit(&format!("{list}/{id}/retry"), &[]);
    assert_eq!(said(&page), "The message to CNONE is sent again.");
    wait_until("the test arrives", || count("delivered") == json!(1));
    let page = admin.submit(&format!("{list}/{id}/retry"), &[]);
    assert!(
        said(&page).contains("only a failed one can be retried"),
        "{page}"
    );
}

#[test]
fn the_doctor_says_what_works_with_slack_and_puts_right_what_does_not() {
    let company = Company::start();
    let team = company.core();
    let mut admin = Visitor::signed_in(&company.daemon, "admin", None);
    let page = admin.page("/settings/slack");
    let row = between(&page, &format!("href=\"/teams/{}\"", team.slug), "</tr>");
    assert!(row.contains("@core") && row.contains("works"), "{row}");
    assert!(page.contains("usergroups:read"), "{page}");
    let page = admin.submit("/settings/slack", &[]);
    assert!(!said(&page).is_empty());
    let without = Daemon::start();
    let mut admin = Visitor::signed_in(&without, "admin", None);
    assert!(
        admin
            .page("/settings/slack")
            .contains("Slack is not configured")
    );
    assert_eq!(admin.post("/settings/slack", &[]).status, 409);
}

#[test]
fn about_tells_what_the_probes_do() {
    let daemon = Daemon::start();
    let mut admin = Visitor::signed_in(&daemon, "admin", None);
    let page = admin.page("/settings/about");
    let version = format!("oncalld {}", env!("CARGO_PKG_VERSION"));
    assert!(page.contains(&version), "{page}");
    let entries = daemon.verify_audit();
    assert!(
        page.contains(&format!("{entries} entries")),
        "{entries}: {page}"
    );
    assert!(!page.contains("0 bytes"), "{page}");
}
