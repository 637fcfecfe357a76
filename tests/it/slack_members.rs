//! Members by a team's Slack group: the real daemon against the fake Slack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::fake_slack::{BOT_TOKEN, FakeSlack, Fault, User};
use crate::harness::{Client, Daemon, Team, column};

/// A workspace of some people, and a daemon of it.
pub struct Company {
    pub slack: FakeSlack,
    pub daemon: Daemon,
}

impl Company {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same, with more config keys.
    pub fn with(more: &[(&str, &str)]) -> Self {
        let slack = FakeSlack::start();
        for (id, name) in [("UANN", "Ann"), ("UBOB", "Bob"), ("UCAT", "Cat")] {
            slack.add_user(id, name);
        }
        slack.add_group("S1", "core", &["UANN", "UBOB"]);
        slack.add_channel("C1", "core");
        let mut settings = slack.settings();
        let key = |(key, value): &(&str, &str)| (format!("ONCALLD__{key}"), (*value).to_owned());
        settings.extend(more.iter().map(key));
        let home = Arc::new(tempfile::tempdir().unwrap());
        let daemon = Daemon::start_in(home, settings);
        Self { slack, daemon }
    }

    /// A team of group S1 whose members were listed by now.
    pub fn core(&self) -> Team {
        let team = self
            .daemon
            .team_with("Core", json!({"slack_group_id": "S1"}));
        wait_until("a first list", || is_synced(&team));
        team
    }

    /// What is logged at `warn`.
    pub fn warnings(&self) -> Vec<String> {
        let log = self.daemon.log();
        let warned = log.lines().filter(|line| line.contains(" WARN "));
        warned.map(ToOwned::to_owned).collect()
    }
}

fn is_synced(team: &Team) -> bool {
    let members = team.get("/members").ok();
    !members["items"][0]["synced_at"].is_null()
}

#[track_caller]
pub fn wait_until(what: &str, is: impl Fn() -> bool) {
    let since = Instant::now();
    while !is() {
        assert!(since.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn sync(team: &Team) -> Value {
    team.post("/members/sync", &json!({})).ok()
}

/// Each member: id, name, whether Slack lists them.
fn members(team: &Team) -> Vec<(String, String, Value)> {
    let list = team.get("/members").ok();
    let mut members: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            let text = |field: &str| member[field].as_str().unwrap().to_owned();
            (
                text("slack_user_id"),
                text("display_name"),
                member["in_slack"].clone(),
            )
        })
        .collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members
}

fn shown(id: &str, name: &str, in_slack: impl Into<Value>) -> (String, String, Value) {
    (id.to_owned(), name.to_owned(), in_slack.into())
}

#[test]
fn a_group_that_a_team_names_becomes_its_member_list() {
    let company = Company::start();
    let team = company.core();
    assert_eq!(
        members(&team),
        [shown("UANN", "ann", true), shown("UBOB", "bob", true)]
    );
    team.rotate(json!({}));
    let (on_call, _) = team.on_call(0);
    assert_eq!(on_call, "UANN");
    let answer = company.daemon.api.get("/oncall?team=core").ok();
    assert_eq!(answer["display_name"], "ann");

    company.slack.with(|state| {
        let group = state.groups.get_mut("S1").unwrap();
        group.users = vec!["UBOB".to_owned(), "UCAT".to_owned()];
    });
    let synced = sync(&team);
    assert_eq!(synced["joined"], json!(["UCAT"]));
    assert_eq!(synced["left"], json!(["UANN"]));
    assert_eq!(synced["members"], 2);
    assert!(synced["synced_at"].is_string());
    // Nobody has a row: who leaves is gone.
    assert_eq!(
        members(&team),
        [shown("UBOB", "bob", true), shown("UCAT", "cat", true)]
    );
    let (next, _) = team.on_call(7);
    assert_eq!(next, "UBOB");
    let audited = company.daemon.audited("entity_type=team_membership");
    let expected = [
        "team_membership joined_slack_group",
        "team_membership joined_slack_group",
        "team_membership joined_slack_group",
        "team_membership left_slack_group",
    ];
    assert_eq!(audited, expected);
    // Nothing has changed: nothing is written but the age.
    let again = sync(&team);
    assert_eq!((&again["joined"], &again["left"]), (&json!([]), &json!([])));
    let count = company.daemon.audited("entity_type=team_membership").len();
    assert_eq!(count, 4);
}

#[test]
fn changing_a_member_of_the_group_makes_a_row_that_outlives_their_leaving() {
    let company = Company::start();
    let team = company.core();
    let changed = team.patch("/members/UANN", &json!({"weight": 2.0})).ok();
    assert_eq!(
        (&changed["in_slack"], &changed["version"]),
        (&json!(true), &json!(1))
    );
    company.slack.with(|state| {
        state.groups.get_mut("S1").unwrap().users = vec!["UBOB".to_owned()];
    });
    sync(&team);
    assert_eq!(
        members(&team),
        [shown("UANN", "ann", false), shown("UBOB", "bob", true)]
    );
}

#[test]
fn whatever_goes_wrong_the_last_good_list_stays_with_its_age() {
    let company = Company::start();
    let team = company.core();
    let good = team.get("/members").ok();
    let faults = [
        Fault::error("internal_error"),
        Fault::error("fatal_error"),
        Fault::error("invalid_auth"),
        Fault::error("no_such_subteam"),
        Fault::Html(500),
        Fault::Html(200),
        Fault::Truncated,
        Fault::BreakBefore,
        Fault::BreakAfter,
        Fault::Answer(json!({"ok": true})),
        Fault::Answer(json!({"ok": true, "users": null})),
        Fault::Answer(json!({"users": []})),
        Fault::Answer(json!([])),
        Fault::Answer(json!({"ok": true, "users": ["nobody"]})),
        // Slack lists nobody, and counts two in its list of groups.
        Fault::Answer(json!({"ok": true, "users": []})),
    ];
    for fault in faults {
        company
            .slack
            .fail("usergroups.users.list", 1, fault.clone());
        let problem = team.post("/members/sync", &json!({})).problem(409);
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("nothing was changed"),
            "{fault:?}: {detail}"
        );
        assert_eq!(team.get("/members").ok(), good, "{fault:?}");
    }
    // An empty list that can't be confirmed is no list either.
    let empty = Fault::Answer(json!({"ok": true, "users": []}));
    let counts = json!([
        {"ok": true, "usergroups": []},
        {"ok": true, "usergroups": [{"id": "S1", "handle": "core", "name": "Core"}]},
        {"ok": true, "usergroups": [
            {"id": "S1", "handle": "core", "name": "Core", "user_count": 0, "date_delete": 9}]},
    ]);
    for answer in counts.as_array().unwrap() {
        company
            .slack
            .fail("usergroups.users.list", 1, empty.clone());
        let fault = Fault::Answer(answer.clone());
        company.slack.fail("usergroups.list", 1, fault);
        team.post("/members/sync", &json!({})).problem(409);
        assert_eq!(team.get("/members").ok(), good, "{answer}");
    }
    company
        .slack
        .fail("usergroups.users.list", 1, Fault::RateLimited(17));
    let limited = team.post("/members/sync", &json!({}));
    limited.problem(429);
    assert_eq!(limited.header("retry-after"), Some("17"));
    assert_eq!(team.get("/members").ok(), good);
    company.slack.go_down();
    team.post("/members/sync", &json!({})).problem(409);
    assert_eq!(team.get("/members").ok(), good);
    company.slack.come_back();
    sync(&team);
    assert_ne!(team.get("/members").ok(), good, "its age");
}

#[test]
fn a_group_that_is_really_empty_empties_the_team() {
    let company = Company::start();
    let team = company.core();
    team.patch("/members/UANN", &json!({"weight": 2.0})).ok();
    company.slack.with(|state| {
        state.groups.get_mut("S1").unwrap().users.clear();
    });
    let synced = sync(&team);
    assert_eq!(synced["members"], 0);
    assert_eq!(synced["left"], json!(["UANN", "UBOB"]));
    assert_eq!(members(&team), [shown("UANN", "ann", false)]);
}

#[test]
fn bots_and_closed_accounts_are_shown_and_never_picked() {
    let company = Company::start();
    company.slack.with(|state| {
        state.users.get_mut("UANN").unwrap().is_bot = true;
        state.users.get_mut("UBOB").unwrap().is_deactivated = true;
        state
            .groups
            .get_mut("S1")
            .unwrap()
            .users
            .push("UCAT".to_owned());
    });
    let team = company.core();
    let list = team.get("/members").ok();
    let mut accounts = column(&list, "slack_account");
    accounts.sort_by_key(ToString::to_string);
    assert_eq!(accounts, ["bot", "deactivated", "person"]);
    team.rotate(json!({"rotation_interval": "daily"}));
    for day in 0..5 {
        assert_eq!(team.on_call(day).0, "UCAT");
    }
    let plan = team.post("/rotation/preview", &json!({"weeks": 1})).ok();
    let passed = &plan["items"][1]["explanation"]["passed_over"];
    let why = |n: usize| {
        (
            passed[n]["slack_user_id"].clone(),
            passed[n]["reason"].clone(),
        )
    };
    assert_eq!(why(0), (json!("UANN"), json!("bot")));
    assert_eq!(why(1), (json!("UBOB"), json!("deactivated")));
}

#[test]
fn nobody_comes_on_call_before_slack_says_that_they_are_a_person() {
    let company = Company::start();
    company.slack.with(|state| {
        let mut bot = User::person("UAABOT", "Bot");
        bot.is_bot = true;
        state.users.insert("UAABOT".to_owned(), bot);
        let group = state.groups.get_mut("S1").unwrap();
        group.users.insert(0, "UAABOT".to_owned());
    });
    company.slack.fail("users.info", 20, Fault::Html(503));
    let team = company
        .daemon
        .team_with("Core", json!({"slack_group_id": "S1"}));
    team.members(&["UCAT"]);
    team.rotate(json!({"rotation_interval": "daily"}));
    let problem = team.post("/members/sync", &json!({})).problem(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("users.info"),
        "{problem}"
    );
    assert_eq!(members(&team), [shown("UCAT", "UCAT", Value::Null)]);
    assert_eq!(team.on_call(0).0, "UCAT");

    wait_until("a list", || {
        team.post("/members/sync", &json!({})).status == 200
    });
    let picked = |team: &Team| (0..6).map(|day| team.on_call(day).0).collect::<Vec<_>>();
    let of_two = |user: &Value| user == "UANN" || user == "UBOB";
    assert!(
        picked(&team).iter().skip(1).all(of_two),
        "{:?}",
        picked(&team)
    );

    // A list that was good stays, with its age, until Slack says who has joined.
    let good = team.get("/members").ok();
    company.slack.with(|state| {
        let group = state.groups.get_mut("S1").unwrap();
        group.users = vec!["UANN".to_owned(), "UNEW".to_owned()];
        let mut closed = User::person("UNEW", "New");
        closed.is_deactivated = true;
        state.users.insert("UNEW".to_owned(), closed);
    });
    company.slack.fail("users.info", 1, Fault::RateLimited(7));
    let limited = team.post("/members/sync", &json!({}));
    limited.problem(429);
    assert_eq!(limited.header("retry-after"), Some("7"));
    assert_eq!(team.get("/members").ok(), good);
    sync(&team);
    assert!(picked(&team).iter().skip(1).all(|user| user == "UANN"));
}

#[test]
fn somebody_of_whom_slack_says_nothing_holds_up_no_others() {
    let company = Company::start();
    // The first who is asked about is out of the app's sight.
    let hidden = Fault::error("user_not_visible");
    company.slack.fail("users.info", 1, hidden);
    let team = company.core();
    let names = members(&team).into_iter().map(|(_, name, _)| name);
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert!(
        names == ["UANN", "bob"] || names == ["UBOB", "ann"],
        "{names:?}"
    );
}

#[test]
fn names_that_slack_does_not_give_hold_up_no_list() {
    let company = Company::start();
    company.slack.with(|state| {
        state.drop_scope(BOT_TOKEN, "users:read");
        state.users.remove("UBOB");
    });
    let team = company.core();
    assert_eq!(
        members(&team),
        [shown("UANN", "UANN", true), shown("UBOB", "UBOB", true)]
    );
    company.slack.with(|state| {
        let scopes = state.tokens.get_mut(BOT_TOKEN).unwrap();
        scopes.insert("users:read".to_owned());
    });
    sync(&team);
    assert_eq!(
        members(&team),
        [shown("UANN", "ann", true), shown("UBOB", "UBOB", true)]
    );
    // Slack knows nobody of that id: it is not asked each time.
    let asked = || {
        company
            .slack
            .with(|state| state.calls_of("users.info").len())
    };
    let before = asked();
    sync(&team);
    assert_eq!(asked(), before);
}

#[test]
fn one_team_that_fails_stops_no_other_and_is_logged_once() {
    let company = Company::with(&[("SLACK__SYNC_MINUTES", "1")]);
    let lost = company
        .daemon
        .team_with("Lost", json!({"slack_group_id": "S404"}));
    let team = company.core();
    assert_eq!(members(&team).len(), 2);
    assert_eq!(lost.get("/members").ok()["total"], 0);
    let about_lost = || {
        let warned = company.warnings().into_iter();
        warned.filter(|line| line.contains("team=\"lost\"")).count()
    };
    wait_until("a warning", || about_lost() > 0);
    // A change of any team has all of them looked at.
    team.patch("", &json!({"description": "x"})).ok();
    lost.patch("", &json!({"description": "x"})).ok();
    company.slack.add_group("S2", "lost", &["UCAT"]);
    lost.patch("", &json!({"slack_group_id": "S2"})).ok();
    wait_until("a list", || is_synced(&lost));
    assert_eq!(about_lost(), 1);
}

#[test]
fn members_are_synced_by_editors_where_there_is_something_to_sync() {
    let company = Company::start();
    let team = company.core();
    let viewer = company.daemon.client("viewer", None);
    let sync = |client: &Client, path: &str| client.post(path, &json!({}));
    sync(&viewer, "/teams/core/members/sync").problem(403);
    let editor = company.daemon.client("editor", None);
    sync(&editor, "/teams/core/members/sync").ok();
    sync(&editor, "/teams/none/members/sync").problem(404);
    team.patch("", &json!({"slack_group_id": null})).ok();
    let problem = sync(&editor, "/teams/core/members/sync").problem(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("slack_group_id")
    );
    // The rows are the member list again: there are none.
    assert_eq!(team.get("/members").ok()["total"], 0);

    let daemon = Daemon::start();
    let team = daemon.team_with("Core", json!({"slack_group_id": "S1"}));
    let problem = team.post("/members/sync", &json!({})).problem(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("slack.bot_token")
    );
    team.members(&["UANN"]);
    assert_eq!(members(&team), [shown("UANN", "UANN", Value::Null)]);
}

#[test]
fn lists_and_names_outlive_a_restart_and_slack() {
    let company = Company::start();
    let team = company.core();
    let before = team.get("/members").ok();
    let Company { slack, daemon } = company;
    slack.go_down();
    let daemon = daemon.restart();
    assert_eq!(daemon.api.get("/teams/core/members").ok(), before);
}

#[test]
fn a_slack_that_never_answers_does_not_hold_up_the_end() {
    let mut company = Company::start();
    for method in ["usergroups.users.list", "users.info"] {
        company.slack.fail(method, 99, Fault::Hang);
    }
    company.daemon.team_with(
        "Core",
        json!({"slack_group_id": "S1", "slack_oncall_group_id": "S9"}),
    );
    company.slack.wait_for("a call that hangs", |state| {
        (!state.calls_of("usergroups.users.list").is_empty()).then_some(())
    });
    let since = Instant::now();
    company.daemon.signal("TERM");
    assert!(company.daemon.wait().success());
    assert!(since.elapsed() < Duration::from_secs(5));
    assert!(
        !company.daemon.log().contains("did not"),
        "{}",
        company.daemon.log()
    );
}
