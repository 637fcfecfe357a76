//! What people are called, as it is set: by whom, what of it shows where, and who is found by it.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, Reply, column, data_dir};
use crate::rotation::weekly;
use crate::slack_members::{Company, wait_until};

fn set(client: &Client, user: &str, profile: &Value) -> Reply {
    let path = format!("/users/{user}/profile");
    client.send("PUT", &path, &[], profile.to_string().as_bytes())
}

fn call(daemon: &Daemon, user: &str, name: &str) {
    set(&daemon.api, user, &json!({"display_name": name})).ok();
}

fn cli(daemon: &Daemon, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oncalld"))
        .env_clear()
        .env("ONCALLD_URL", format!("http://{}", daemon.api.address))
        .env("ONCALLD_TOKEN", daemon.api.token.as_deref().unwrap())
        .arg("--data-dir")
        .arg(data_dir(daemon.home.path()))
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn printed(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = cli(daemon, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Its exit code, and what it says on stderr.
fn refused(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = cli(daemon, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), error)
}

#[test]
fn a_name_that_is_set_shows_in_the_very_next_answer_everywhere() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB"]);
    let asked = || daemon.api.get("/oncall?team=core").ok();
    let (first, next) = (asked()["display_name"].clone(), asked()["next"].clone());
    assert_eq!(
        (first, &next["display_name"]),
        ("UANN".into(), &json!("UBOB"))
    );

    let nothing = daemon.api.get("/users/UANN/profile").ok();
    let expected = json!({
        "slack_user_id": "UANN", "display_name": "UANN", "name_source": "none", "email": null,
        "timezone": null, "teams": ["core"], "created_at": null, "updated_at": null,
        "version": null,
    });
    assert_eq!(nothing, expected);
    let ann = json!({"display_name": " Ann  Núñez ", "email": "ann@example.com",
        "timezone": "Europe/Madrid"});
    let ann = set(&daemon.api, "UANN", &ann).ok();
    let (name, source) = (&ann["display_name"], &ann["name_source"]);
    assert_eq!((name, source), (&json!("Ann Núñez"), &json!("set")));
    assert_eq!(ann["version"], 1);
    call(&daemon, "UBOB", "Bob Hart");

    assert_eq!(asked()["display_name"], "Ann Núñez");
    assert_eq!(asked()["next"]["display_name"], "Bob Hart");
    let members = team.get("/members").ok();
    assert_eq!(column(&members, "display_name"), ["Ann Núñez", "Bob Hart"]);
    let fairness = team.get("/fairness").ok();
    assert_eq!(fairness["members"][0]["display_name"], "Ann Núñez");
    let calendar = team.get("/calendar.ics").body.replace("\r\n ", "");
    assert!(calendar.contains("On call: Ann Núñez (Core)"), "{calendar}");
    call(&daemon, "UBOB", "Robert");
    assert_eq!(
        asked()["next"]["display_name"],
        "Robert",
        "of the next, too"
    );
}

#[test]
fn what_is_set_changes_by_version_and_only_changes_are_audited() {
    let daemon = Daemon::start();
    let by = |profile: Value| set(&daemon.api, "USAM", &profile);
    let conflict = by(json!({"display_name": "Sam", "version": 1})).problem(409);
    assert!(conflict["detail"].as_str().unwrap().contains("version 1"));
    by(json!({"display_name": "Sam", "email": "sam@example.com"})).ok();
    let first = daemon.api.get("/users/USAM/profile");
    let etag = first.header("etag").unwrap().to_owned();
    let known = [("If-None-Match", etag.as_str())];
    let again = |known: &[(&str, &str)]| {
        let answer = daemon.api.send("GET", "/users/USAM/profile", known, b"");
        answer.status
    };
    assert_eq!(again(&known), 304);

    assert_eq!(by(json!({"display_name": "Sam"})).ok()["version"], 1);
    assert_eq!(by(json!({})).ok()["email"], "sam@example.com", "as it was");
    assert_eq!(again(&known), 304);
    let second = by(json!({"email": null, "version": 1})).ok();
    assert_eq!(
        (&second["version"], &second["email"]),
        (&json!(2), &json!(null))
    );
    assert_eq!(again(&known), 200);
    by(json!({"display_name": "Samuel", "version": 1})).problem(409);
    let third = by(json!({"display_name": null})).ok();
    assert_eq!(
        (&third["display_name"], &third["name_source"]),
        (&json!("USAM"), &json!("none"))
    );

    assert_eq!(
        daemon.audited("entity_type=user&entity_id=USAM"),
        ["user created", "user updated", "user updated"]
    );
    let entries = daemon.api.get("/audit-logs?entity_type=user").ok();
    assert_eq!(
        entries["items"][1]["changes"],
        json!({"email": {"old": "sam@example.com", "new": null}})
    );
    daemon.verify_audit();
}

#[test]
fn people_their_leads_and_admins_say_what_people_are_called() {
    let daemon = Daemon::start();
    let core = daemon.team("Core");
    core.members(&["UANN", "UBOB"]);
    core.patch("/members/UANN", &json!({"team_role": "lead"}))
        .ok();
    let other = daemon.team("Other");
    other.members(&["UZOE"]);
    other
        .patch("/members/UZOE", &json!({"team_role": "lead"}))
        .ok();

    let name = json!({"display_name": "Bob"});
    let ann = daemon.client("editor", Some("UANN"));
    for (caller, status) in [
        (daemon.api.anonymous(), 401),
        (daemon.client("viewer", Some("UBOB")), 403),
        (daemon.client("editor", None), 403),
        (daemon.client("editor", Some("UCAT")), 403),
        (daemon.client("editor", Some("UZOE")), 403),
        (daemon.client("editor", Some("UBOB")), 200),
        (ann.clone(), 200),
        (daemon.client("admin", None), 200),
    ] {
        set(&caller, "UBOB", &name).expect(status);
    }
    // Whose team was deleted leads nobody.
    daemon.api.delete("/teams/core").expect(204);
    let refusal = set(&ann, "UBOB", &json!({"display_name": "B"})).problem(403);
    assert!(refusal["detail"].as_str().unwrap().contains("UBOB"));
    set(&ann, "UANN", &json!({"display_name": "Ann"})).ok();
}

#[test]
fn what_is_no_name_is_refused_by_field_and_what_looks_odd_is_kept_as_text() {
    let daemon = Daemon::start();
    let by = |profile: Value| set(&daemon.api, "USAM", &profile);
    for name in [
        "",
        " ",
        "Sam\nOkoye",
        "\u{202e}maS",
        "Sa\u{200b}m",
        "UANN",
        &"🦀".repeat(100),
        &"x".repeat(100_000),
    ] {
        by(json!({"display_name": name})).invalid(&["display_name"]);
    }
    let all = json!({"display_name": "\u{7}", "email": "sam", "timezone": "Lagoss"});
    by(all).invalid(&["display_name", "email", "timezone"]);
    let zone = by(json!({"timezone": "Africa/Lagoss"})).invalid(&["timezone"]);
    assert!(
        zone["detail"].as_str().unwrap().contains("`Africa/Lagos`?"),
        "{zone}"
    );
    by(json!({"pronouns": "they"})).invalid(&["pronouns"]);
    by(json!({"display_name": 7})).invalid(&["display_name"]);
    set(&daemon.api, "sam", &json!({})).invalid(&["user"]);
    daemon.api.get("/users/sam/profile").invalid(&["user"]);
    assert_eq!(daemon.audited("entity_type=user"), [""; 0]);

    let markup = "<script>alert('&')</script> *Sam* `x`";
    for name in [markup, "عمر حداد", "👩\u{200d}🚀 Zoë", &"é".repeat(80)] {
        assert_eq!(by(json!({"display_name": name})).ok()["display_name"], name);
    }
}

#[test]
fn people_are_listed_by_name_and_found_by_name_id_and_address() {
    let daemon = Daemon::start();
    daemon.team("Core").members(&["UANN", "UBOB", "UCAT"]);
    call(&daemon, "UCAT", "Zoë Núñez");
    call(&daemon, "UBOB", "Ben Okoye");
    call(&daemon, "UOUT", "Omar Haddad");
    set(&daemon.api, "UANN", &json!({"email": "a.lee@example.com"})).ok();
    let list = |query: &str| {
        let list = daemon.api.get(&format!("/users?{query}")).ok();
        column(&list, "slack_user_id")
    };
    assert_eq!(list(""), ["UBOB", "UOUT", "UANN", "UCAT"]);
    assert_eq!(list("page=2&page_size=3"), ["UCAT"]);
    assert_eq!(list("q=nunez"), ["UCAT"]);
    assert_eq!(list("q=Z%C3%96E%20n"), ["UCAT"]);
    assert_eq!(list("q=a.lee%40"), ["UANN"]);
    assert_eq!(list("q=ubo"), ["UBOB"]);
    assert_eq!(list("q=nobody"), [""; 0]);
    assert_eq!(list("ids=UCAT,UNEW"), ["UCAT", "UNEW"]);
    daemon.api.get("/users?ids=UCAT&q=x").invalid(&["ids"]);
    daemon.api.get("/users?ids=cat").invalid(&["ids"]);
    let many = vec!["UCAT"; 201].join(",");
    daemon
        .api
        .get(&format!("/users?ids={many}"))
        .invalid(&["ids"]);
    daemon.api.get("/users?name=x").invalid(&["name"]);
}

#[test]
fn a_name_from_slack_is_changed_in_slack_and_the_rest_is_set_beside_it() {
    let company = Company::start();
    company.slack.with(|state| {
        let ann = state.users.get_mut("UANN").unwrap();
        ann.email = Some("ann@slack.example".to_owned());
    });
    let daemon = &company.daemon;
    let _team = company.core();
    let profile = || daemon.api.get("/users/UANN/profile").ok();
    wait_until("a name", || profile()["name_source"] == "slack");
    assert_eq!(profile()["email"], "ann@slack.example");
    assert_eq!(profile()["timezone"], "Europe/Berlin");

    let refused = set(&daemon.api, "UANN", &json!({"display_name": "Anna"})).problem(409);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("`ann`, comes from Slack"), "{detail}");
    set(&daemon.api, "UANN", &json!({"display_name": null})).problem(409);
    let same = json!({"display_name": "ann", "email": "ann@example.com"});
    let set_beside = set(&daemon.api, "UANN", &same).ok();
    assert_eq!(set_beside["email"], "ann@example.com");
    assert_eq!(set_beside["name_source"], "slack");
    set(&daemon.api, "UANN", &json!({"email": null})).ok();
    assert_eq!(profile()["email"], "ann@slack.example");

    // Slack knows nothing of somebody from elsewhere.
    let guest = set(&daemon.api, "UELSE", &json!({"display_name": "Else"})).ok();
    assert_eq!(guest["name_source"], "set");
}

#[test]
fn the_command_line_takes_names_and_shows_them_with_the_ids() {
    let daemon = Daemon::start();
    let team = weekly(&daemon, &["UANN", "UBOB", "UCAT"]);
    let shown = printed(
        &daemon,
        &[
            "user",
            "set",
            "UBOB",
            "--name",
            "Bob Hart",
            "--timezone",
            "Europe/Dublin",
        ],
    );
    assert!(
        shown.starts_with("name       Bob Hart\nid         UBOB\n"),
        "{shown}"
    );
    for (user, name) in [("UANN", "Ann Lee"), ("UCAT", "Cat Hart")] {
        call(&daemon, user, name);
    }
    let list = printed(&daemon, &["user", "list", "-q", "hart"]);
    let ids: Vec<_> = list.lines().skip(1).map(|line| &line[..15]).collect();
    assert_eq!(ids, ["Bob Hart  UBOB ", "Cat Hart  UCAT "], "{list}");

    let day = team.day(2);
    let request = [
        "override",
        "request",
        "core",
        "bob hart",
        &day,
        "--requested-by",
        "ann",
    ];
    let requested = printed(&daemon, &request);
    assert!(
        requested.contains("substitute    Bob Hart (UBOB)\n"),
        "{requested}"
    );
    assert!(
        requested.contains("requested by  Ann Lee (UANN)\n"),
        "{requested}"
    );
    for (arguments, expected) in [
        (&["who", "core"][..], "Ann Lee (UANN)"),
        (&["who", "--user", "bob"], "core"),
        (
            &["schedule", "list", "core"],
            "Ann Lee (UANN)  (on call now)",
        ),
        (&["override", "list", "core"], "Bob Hart (UBOB)"),
        (&["rotation", "preview", "core"], "Cat Hart (UCAT)"),
        (
            &["rotation", "preview", "core", "--why"],
            "  Cat Hart (UCAT)",
        ),
        (&["fairness", "core"], "Cat Hart (UCAT)"),
        (&["member", "list", "core"], "Bob Hart (UBOB)"),
        (&["audit", "list"], "Cat Hart (UCAT)"),
        (&["schedule", "list", "--user", "Ann Lee"], "core"),
    ] {
        let text = printed(&daemon, arguments);
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    let json = printed(&daemon, &["--json", "rotation", "preview", "core"]);
    assert!(!json.contains("Hart"), "{json}");

    let (code, error) = refused(&daemon, &["timeoff", "list", "hart"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        error,
        "error: 2 people are called `hart`; give the id of one:\n  Bob Hart (UBOB)\n  \
         Cat Hart (UCAT)\n"
    );
    for (name, hint) in [
        ("Bo", "did you mean Bob Hart (UBOB)?"),
        ("Bbo Hart", "did you mean Bob Hart (UBOB)?"),
        ("ubob", "did you mean Bob Hart (UBOB)?"),
        (
            "somebody else",
            "`oncalld user list` shows the people that there are",
        ),
    ] {
        let (code, error) = refused(&daemon, &["timeoff", "list", name]);
        assert_eq!(code, Some(3), "{error}");
        assert_eq!(error, format!("error: nobody is called `{name}`\n{hint}\n"));
    }
}
