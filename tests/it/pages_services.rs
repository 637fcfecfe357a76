//! Pages of services; lookups, badges and the wall view.

use serde_json::json;

use crate::harness::visitor::{Visitor, between, error_of, said, undo};
use crate::harness::{Daemon, Team};

/// Team Core, of which UANN, called Ann Ruiz, is on call today and UBOB from tomorrow on.
fn core(daemon: &Daemon) -> Team {
    let team = daemon.team("Core");
    team.members(&["UANN", "UBOB"]);
    let name = json!({"display_name": "Ann Ruiz"});
    let put = daemon.api.send(
        "PUT",
        "/users/UANN/profile",
        &[],
        name.to_string().as_bytes(),
    );
    put.ok();
    for (user, from, to) in [("UANN", 0, 0), ("UBOB", 1, 3)] {
        let row = json!({"engineer_slack_id": user, "start_date": team.day(from), "end_date": team.day(to)});
        team.post("/oncall-schedules", &row).created();
    }
    team
}

fn service(daemon: &Daemon, team: &Team, name: &str) -> String {
    let made = json!({"name": name, "team_id": team.id});
    let made = daemon.api.post("/services", &made).created();
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn services_are_listed_with_who_is_on_call_and_filtered() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let other = daemon.team("Other");
    let pay = json!({
        "name": "pay <b>", "team_id": team.id, "tier": "critical", "environment": "production",
        "repository_url": "https://git.example/pay", "owner_slack_id": "UANN",
        "tech_stack": ["Rust", "redb"],
    });
    daemon.api.post("/services", &pay).created();
    let git =
        json!({"name": "mail", "team_id": other.id, "repository_url": "git@git.example:mail"});
    daemon.api.post("/services", &git).created();
    let mut nobody = Visitor::new(&daemon);
    let page = nobody.page("/services");
    let row = between(
        &page,
        "<bdi class=\"strong\">pay &#60;b&#62;</bdi>",
        "</tr>",
    );
    for part in [
        "<bdi>Ann Ruiz</bdi>",
        "<bdi>Core</bdi>",
        "critical",
        "<bdi>production</bdi>",
        "href=\"https://git.example/pay\"",
        "Rust, redb",
    ] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let mail = between(&page, "<bdi class=\"strong\">mail</bdi>", "</tr>");
    assert!(
        mail.contains("nobody") && mail.contains("<bdi>git@git.example:mail</bdi>"),
        "{mail}"
    );
    assert!(!page.contains("method=\"post\"") && !page.contains("/services/new"));
    for (query, shown) in [
        ("tier=critical", [true, false]),
        ("team=other", [false, true]),
        ("environment=production", [true, false]),
        ("q=MAI", [false, true]),
        ("tier=low", [false, false]),
        ("team=&tier=&q=", [true, true]),
    ] {
        let page = nobody.page(&format!("/services?{query}"));
        let found = ["pay &#60;b&#62;</bdi>", ">mail</bdi>"].map(|name| page.contains(name));
        assert_eq!(found, shown, "{query}");
    }
    assert_eq!(nobody.get("/services?team=nowhere").status, 404);
    let mut viewer = Visitor::signed_in(&daemon, "viewer", None);
    for form in [
        "/services/new",
        "/services/pay/edit",
        "/services/pay/delete",
    ] {
        let reply = nobody.get(form);
        assert!(reply.header("location").unwrap().starts_with("/sign-in?"));
        assert_eq!(viewer.get(form).status, 403, "{form}");
    }
}

#[test]
fn a_service_is_made_changed_deleted_and_restored() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let mut editor = Visitor::signed_in(&daemon, "editor", None);
    let page = editor.page("/services/new");
    assert!(
        page.contains("name=\"key_1\"") && !page.contains("name=\"key_2\""),
        "{page}"
    );
    // With everything wrong, it is shown again with what was typed.
    let wrong = [
        ("name", ""),
        ("team_id", ""),
        ("repository_url", "<i>ftp"),
        ("owner_slack_id", "Zoe"),
        ("tier", "standard"),
    ];
    let page = editor.refused("/services", &wrong, 422);
    assert!(
        error_of(&page, "owner_slack_id").contains("`Zoe` is not a user id"),
        "{page}"
    );
    let page = editor.refused("/services", &[&wrong[..3], &wrong[4..]].concat(), 422);
    assert!(error_of(&page, "team_id").contains("is required"), "{page}");
    assert!(page.contains("value=\"&#60;i&#62;ftp\""), "{page}");
    let rows = [
        ("key_0", "runbook"),
        ("value_0", "https://wiki.example/pay"),
        ("key_1", ""),
        ("value_1", "lost"),
        ("key_2", "runbook"),
        ("value_2", ""),
    ];
    let fields = [
        ("name", "pay"),
        ("team_id", team.id.as_str()),
        ("repository_url", "https://git.example/pay"),
        ("environment", "production"),
        ("tier", "critical"),
        ("owner_slack_id", "ann ruiz"),
        ("tech_stack", "Rust, , redb"),
    ];
    let page = editor.refused("/services", &[&fields[..], &rows[..]].concat(), 422);
    assert_eq!(error_of(&page, "key_1"), "is needed with a value");
    assert_eq!(error_of(&page, "key_2"), "`runbook` is there twice");
    assert_eq!(
        daemon.api.get("/services").ok()["total"],
        0,
        "nothing is half-written"
    );
    let page = editor.submit("/services", &[&fields[..], &rows[..2]].concat());
    assert_eq!(said(&page), "Service pay is there.");
    let made = daemon.api.get("/services/pay").ok();
    assert_eq!(made["owner_slack_id"], "UANN");
    assert_eq!(made["tech_stack"], json!(["Rust", "redb"]));
    assert_eq!(
        made["metadata"],
        json!({"runbook": "https://wiki.example/pay"})
    );
    // What a form can't say stays as it is.
    let odd = json!({"metadata": {"runbook": "a\nb", "slo": 99.9}, "tech_stack": ["a, b"]});
    daemon.api.patch("/services/pay", &odd).ok();
    let path = format!("/services/{}/edit", made["id"].as_str().unwrap());
    let edited = |version: &'static str, name: &'static str| {
        [
            ("name", name),
            ("team_id", team.id.as_str()),
            ("repository_url", ""),
            ("tier", "low"),
            ("owner_slack_id", "UANN"),
            ("found", "UBOB"),
            ("tech_stack", "a, b"),
            ("key_0", "runbook"),
            ("value_0", "ab"),
            ("key_1", "slo"),
            ("value_1", "99.9"),
            ("key_2", "page"),
            ("value_2", "7"),
            ("version", version),
        ]
    };
    let page = editor.refused(&path, &edited("1", "mine"), 409);
    assert!(
        page.contains("value=\"mine\"") && page.contains("There now: <bdi>pay</bdi>"),
        "{page}"
    );
    assert!(
        page.contains(&format!("href=\"{path}\">Drop mine")),
        "{page}"
    );
    let page = editor.submit(&path, &edited("2", "mine"));
    assert_eq!(said(&page), "Service mine is saved.");
    let saved = daemon.api.get("/services/mine").ok();
    let metadata = json!({"runbook": "a\nb", "slo": 99.9, "page": "7"});
    assert_eq!(
        (&saved["metadata"], &saved["tech_stack"]),
        (&metadata, &json!(["a, b"]))
    );
    assert_eq!(
        (
            &saved["owner_slack_id"],
            &saved["repository_url"],
            &saved["tier"]
        ),
        (&json!("UBOB"), &json!(null), &json!("low"))
    );
    assert!(
        editor
            .page("/services/mine/delete")
            .contains("Delete <bdi>mine</bdi>?")
    );
    let page = editor.submit("/services/mine/delete", &[]);
    assert_eq!(said(&page), "Service mine is deleted.");
    let restore = undo(&page).0;
    // Its name is taken meanwhile.
    let taken = service(&daemon, &team, "mine");
    let page = editor.submit(&restore, &[]);
    assert!(
        said(&page).contains("a service named `mine` already exists"),
        "{page}"
    );
    daemon.api.delete(&format!("/services/{taken}")).expect(204);
    assert_eq!(said(&editor.submit(&restore, &[])), "Service mine is back.");
    daemon.verify_audit();
}

#[test]
fn who_is_on_call_is_told_for_exactly_what_is_meant() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    daemon.team("Checkout");
    let pay = service(&daemon, &team, "payments api");
    service(&daemon, &team, "payments web");
    let runbook = json!({"metadata": {"runbook": "https://wiki.example/pay"}});
    daemon.api.patch(&format!("/services/{pay}"), &runbook).ok();
    let mut nobody = Visitor::new(&daemon);
    assert!(
        nobody
            .page("/oncall-lookup")
            .contains("Type the name of what is broken")
    );
    for query in ["q=PAYMENTS+API", "q=api", &format!("service={pay}")] {
        let page = nobody.page(&format!("/oncall-lookup?{query}"));
        let card = between(&page, "<section class=\"panel answer\"", "</section>");
        for part in [
            "<bdi>payments api</bdi>",
            "<bdi>Ann Ruiz</bdi>",
            "<bdi>UBOB</bdi>",
            "<dd>hand</dd>",
            "href=\"https://wiki.example/pay\"",
            &format!("src=\"/badge/service/{pay}.svg\""),
        ] {
            assert!(card.contains(part), "{query}, {part}: {card}");
        }
    }
    let page = nobody.page("/oncall-lookup?q=core");
    assert!(page.contains("<bdi>Ann Ruiz</bdi>") && page.contains("src=\"/badge/core.svg\""));
    let page = nobody.page("/oncall-lookup?team=checkout");
    assert!(page.contains("Nobody is on call."), "{page}");
    // Of several, the right one is chosen; somebody who types gets the same list.
    for query in ["q=payments", "suggest=yes&q=payments+api"] {
        let page = nobody.page(&format!("/oncall-lookup?{query}"));
        let link = between(
            &page,
            &format!("<a href=\"/oncall-lookup?service={pay}\""),
            "</a>",
        );
        assert!(link.contains("data-suggestion"), "{link}");
        assert!(link.contains("service · Ann Ruiz is on call"), "{link}");
    }
    let page = nobody.page("/oncall-lookup?suggest=yes&q=c");
    for text in ["team · Ann Ruiz is on call", "team · nobody is on call"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = nobody.page("/oncall-lookup?q=ruiz");
    assert!(
        page.contains("on call for <a href=\"/teams/core\">"),
        "{page}"
    );
    let page = nobody.page("/oncall-lookup?person=UBOB");
    assert!(
        page.contains("not on call now") && page.contains("/teams/core"),
        "{page}"
    );
    let page = nobody.page("/oncall-lookup?q=%3Cscript%3E");
    assert!(
        page.contains("Nothing is called") && page.contains("&#60;script&#62;"),
        "{page}"
    );
    assert_eq!(nobody.get("/oncall-lookup?service=nothing").status, 404);
    assert_eq!(nobody.get("/oncall-lookup?person=%3F").status, 404);
}

#[test]
fn a_badge_tells_who_is_on_call_and_is_cached_for_a_minute() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    let name = json!({"display_name": "<Ann> & \"Co\""});
    let body = name.to_string();
    daemon
        .api
        .send("PUT", "/users/UANN/profile", &[], body.as_bytes())
        .ok();
    let id = service(&daemon, &team, "a/b c");
    let url = |path: &str| format!("http://{}{path}", daemon.api.address);
    let get = |path: &str, headers: &[(&str, &str)]| {
        daemon.api.anonymous().send("GET", &url(path), headers, b"")
    };
    for (path, subject) in [
        ("/badge/core.svg".to_owned(), "Core"),
        (format!("/badge/{}.svg", team.id), "Core"),
        ("/badge/service/a%2Fb%20c.svg".to_owned(), "a/b c"),
        (format!("/badge/service/{id}.svg"), "a/b c"),
    ] {
        let reply = get(&path, &[]);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("image/svg+xml"));
        let lasts = reply.header("cache-control").unwrap();
        assert!(lasts.starts_with("public, max-age="), "{lasts}");
        let title = between(&reply.body, "<title id=\"title\">", "</title>");
        let start = format!("On call for {subject}: &#60;Ann&#62; &#38; &#34;Co&#34;, until ");
        assert!(title.starts_with(&start), "{title}");
        assert!(reply.body.starts_with("<svg ") && reply.body.contains("role=\"img\""));
        assert_eq!(reply.body.matches("<text ").count(), 2);
        let tag = reply.header("etag").unwrap();
        assert_eq!(get(&path, &[("If-None-Match", tag)]).status, 304);
    }
    daemon.team("Idle");
    assert!(
        get("/badge/idle.svg", &[])
            .body
            .contains("Nobody is on call for Idle")
    );
    for missing in ["/badge/core", "/badge/nowhere.svg", "/badge/service/no.svg"] {
        assert_eq!(get(missing, &[]).status, 404, "{missing}");
    }
    // Where reading takes a token, so does a badge, and no cache may share it.
    let closed = Daemon::with(&[("AUTH__ANONYMOUS_READ", "false")]);
    core(&closed);
    let path = format!("http://{}/badge/core.svg", closed.api.address);
    assert_eq!(
        closed.api.anonymous().send("GET", &path, &[], b"").status,
        401
    );
    let reply = closed.api.send("GET", &path, &[], b"");
    assert!(
        reply
            .header("cache-control")
            .unwrap()
            .starts_with("private, ")
    );
}

#[test]
fn the_wall_shows_each_team_and_alarms_where_nobody_is() {
    let daemon = Daemon::start();
    let team = core(&daemon);
    daemon.team("Idle");
    let mut nobody = Visitor::new(&daemon);
    let reply = nobody.get("/wall");
    assert!(!reply.body.contains("<nav") && reply.body.contains("data-live"));
    assert!(reply.body.contains("/assets/icon.") && !reply.body.contains("icon-alarm"));
    let card = between(&reply.body, "<li class=\"wallcard fine\">", "</li>");
    for part in [
        "<bdi>Core</bdi>",
        "<bdi>Ann Ruiz</bdi>",
        "then <bdi>UBOB</bdi>",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    let idle = between(&reply.body, "<li class=\"wallcard idle\">", "</li>");
    assert!(idle.contains("Nobody is planned"), "{idle}");
    // A day that nobody covers: first a warning, then an alarm.
    let row =
        json!({"engineer_slack_id": "UANN", "start_date": team.day(5), "end_date": team.day(6)});
    team.post("/oncall-schedules", &row).created();
    let reply = nobody.get("/wall?q=core");
    let card = between(&reply.body, "<li class=\"wallcard warn\">", "</li>");
    assert!(card.contains("Nobody on "), "{card}");
    assert!(!reply.body.contains("<bdi>Idle</bdi>"));
    let rows = team
        .get(&format!("/oncall-schedules?from={0}&to={0}", team.day(0)))
        .ok();
    let today = rows["items"][0]["id"].as_str().unwrap().to_owned();
    daemon
        .api
        .delete(&team.path(&format!("/oncall-schedules/{today}")))
        .expect(204);
    let reply = nobody.get("/wall");
    let first = between(&reply.body, "<li class=\"wallcard ", "</li>");
    assert!(
        first.starts_with("gap\"") && first.contains("Nobody is on call"),
        "{first}"
    );
    assert!(reply.body.contains("icon-alarm"), "{}", reply.body);
    assert!(reply.body.contains("nobody on call in 1"));
}
