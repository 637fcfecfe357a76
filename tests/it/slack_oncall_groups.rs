//! Slack groups that are kept set to who is on call, and `oncalld slack doctor`.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::Team;
use crate::harness::fake_slack::{BOT_TOKEN, Fault, Guest, State, USER_TOKEN};
use crate::slack_members::{Company, wait_until};

impl Company {
    fn group(&self, id: &str) -> Vec<String> {
        self.slack.with(|state| {
            let mut users = state.groups[id].users.clone();
            users.sort();
            users
        })
    }

    #[track_caller]
    fn wait_for_group(&self, id: &str, users: &[&str]) {
        wait_until(&format!("{id} holds {users:?}"), || self.group(id) == users);
    }

    fn times_set(&self) -> usize {
        self.slack
            .with(|state| state.calls_of("usergroups.users.update").len())
    }

    fn oncall_team(&self, name: &str) -> Team {
        self.daemon
            .team_with(name, json!({"slack_oncall_group_id": "S9"}))
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        let doctor = ["slack", "doctor"];
        self.daemon.cli(&[&doctor, arguments].concat())
    }
}

fn put_on_call(team: &Team, user: &str) {
    let body = json!({"engineer_slack_id": user});
    let reply = team.post("/oncall", &body);
    assert!(reply.status < 300, "{}", reply.body);
}

#[test]
fn the_group_follows_who_is_on_call() {
    let company = Company::start();
    company.slack.add_group("S9", "core-oncall", &["UCAT"]);
    let team = company.oncall_team("Core");
    team.members(&["UANN", "UBOB"]);
    // Nobody is on call, and a group can't be emptied.
    wait_until("a warning", || {
        company
            .warnings()
            .iter()
            .any(|line| line.contains("can't empty a group"))
    });
    assert_eq!(company.group("S9"), ["UCAT"]);
    team.rotate(json!({}));
    company.wait_for_group("S9", &["UANN"]);
    put_on_call(&team, "UBOB");
    company.wait_for_group("S9", &["UBOB"]);
    let cover = json!({"substitute_slack_id": "UCAT", "start_date": team.day(0)});
    let cover = team.post("/oncall-overrides", &cover).created();
    company.wait_for_group("S9", &["UCAT"]);
    let id = cover["id"].as_str().unwrap();
    company
        .daemon
        .api
        .delete(&team.path(&format!("/oncall-overrides/{id}")))
        .expect(204);
    company.wait_for_group("S9", &["UBOB"]);
    // What changes nobody on call sets nothing: groups are set in the order of their ids, so
    // it would have happened before S99 is set.
    company.slack.add_group("S99", "edge-oncall", &["UCAT"]);
    let edge = json!({"slack_oncall_group_id": "S99"});
    let edge = company.daemon.team_with("Edge", edge);
    let before = company.times_set();
    let later = json!({"substitute_slack_id": "UCAT", "start_date": team.day(3)});
    team.post("/oncall-overrides", &later).created();
    team.patch("", &json!({"description": "x"})).ok();
    put_on_call(&edge, "UANN");
    company.wait_for_group("S99", &["UANN"]);
    assert_eq!(company.times_set(), before + 1);
}

#[test]
fn teams_share_a_group_and_the_user_token_sets_it() {
    let company = Company::with(&[("SLACK__USER_TOKEN", USER_TOKEN)]);
    company
        .slack
        .with(|state| state.bots_may_set_groups = false);
    company.slack.add_group("S9", "oncall", &["UCAT"]);
    let (core, edge) = (company.oncall_team("Core"), company.oncall_team("Edge"));
    put_on_call(&core, "UANN");
    company.wait_for_group("S9", &["UANN"]);
    put_on_call(&edge, "UBOB");
    company.wait_for_group("S9", &["UANN", "UBOB"]);
    put_on_call(&core, "UBOB");
    company.wait_for_group("S9", &["UBOB"]);
    edge.patch("", &json!({"slack_oncall_group_id": null})).ok();
    put_on_call(&core, "UANN");
    company.wait_for_group("S9", &["UANN"]);
}

#[test]
fn whom_slack_refuses_is_skipped_and_the_others_go_through() {
    let company = Company::start();
    company.slack.with(|state| {
        state.users.get_mut("UCAT").unwrap().guest = Guest::SingleChannel;
    });
    company.slack.add_group("S9", "oncall", &["UBOB"]);
    let (core, edge) = (company.oncall_team("Core"), company.oncall_team("Edge"));
    put_on_call(&core, "UCAT");
    put_on_call(&edge, "UANN");
    company.wait_for_group("S9", &["UANN"]);
    put_on_call(&edge, "UBOB");
    company.wait_for_group("S9", &["UBOB"]);
    let warned = company.warnings();
    let about_cat = warned
        .iter()
        .filter(|line| line.contains("user=UCAT"))
        .count();
    assert_eq!(about_cat, 1, "{warned:?}");
}

#[test]
fn whom_slack_refused_is_tried_again_when_the_group_is_looked_at_again() {
    let company = Company::start();
    let guest = |guest| {
        let cat = |state: &mut State| state.users.get_mut("UCAT").unwrap().guest = guest;
        company.slack.with(cat);
    };
    guest(Guest::SingleChannel);
    company.slack.add_group("S9", "oncall", &["UBOB"]);
    let (core, edge) = (company.oncall_team("Core"), company.oncall_team("Edge"));
    put_on_call(&core, "UCAT");
    put_on_call(&edge, "UANN");
    company.wait_for_group("S9", &["UANN"]);
    guest(Guest::No);
    // Also what went wrong has it looked at again as a whole.
    company
        .slack
        .fail("usergroups.users.list", 1, Fault::Html(502));
    put_on_call(&edge, "UBOB");
    company.wait_for_group("S9", &["UBOB", "UCAT"]);
}

#[test]
fn a_group_that_can_not_be_set_is_tried_again() {
    let company = Company::start();
    company.slack.add_group("S9", "oncall", &["UCAT"]);
    company
        .slack
        .fail("usergroups.users.update", 1, Fault::RateLimited(1));
    let team = company.oncall_team("Core");
    put_on_call(&team, "UANN");
    company.wait_for_group("S9", &["UANN"]);
    company
        .slack
        .fail("usergroups.users.update", 1, Fault::Html(502));
    put_on_call(&team, "UBOB");
    company.wait_for_group("S9", &["UBOB"]);
}

#[test]
fn the_doctor_shows_what_is_wrong_and_puts_right_what_it_can() {
    let company = Company::start();
    let healthy = company.doctor(&["--json"]);
    let report: Value = serde_json::from_slice(&healthy.stdout).unwrap();
    assert_eq!(report["healthy"], true, "{report}");
    assert_eq!(report["workspace"]["bot_user_id"], "UBOT");
    assert_eq!(healthy.status.code(), Some(0));

    let team = company.core();
    team.patch(
        "",
        &json!({"slack_channel_id": "C2", "slack_oncall_group_id": "S9"}),
    )
    .ok();
    company
        .slack
        .with(|state| state.drop_scope(BOT_TOKEN, "usergroups:write"));
    company.slack.add_group("S9", "core-oncall", &["UCAT"]);
    company.slack.add_channel("C2", "lonely");
    company.slack.with(|state| {
        state.channels.get_mut("C2").unwrap().is_member = false;
        state
            .groups
            .get_mut("S1")
            .unwrap()
            .users
            .push("UCAT".to_owned());
    });
    put_on_call(&team, "UANN");
    let sick = company.doctor(&[]);
    assert_eq!(sick.status.code(), Some(1));
    let text = String::from_utf8(sick.stdout).unwrap();
    for part in [
        "problem: the bot token lacks usergroups:write: keeping on-call groups up to date",
        "problem: core: the bot is not in #lonely: invite it there",
        "problem: S9: it does not hold exactly who is on call",
        "@core (S1)",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }

    company.slack.with(|state| {
        let scopes = state.tokens.get_mut(BOT_TOKEN).unwrap();
        scopes.insert("usergroups:write".to_owned());
        state.channels.get_mut("C2").unwrap().is_member = true;
    });
    let applied = company.doctor(&["--apply"]);
    let text = String::from_utf8(applied.stdout).unwrap();
    assert_eq!(applied.status.code(), Some(0), "{text}");
    assert!(
        text.contains("fixed: members of core: 1 joined, 0 left"),
        "{text}"
    );
    assert!(text.contains("fixed: set S9 to who is on call"), "{text}");
    assert_eq!(company.group("S9"), ["UANN"]);
}

#[test]
fn the_doctor_is_for_admins_and_says_what_a_bad_token_is() {
    let company = Company::start();
    let editor = company.daemon.client("editor", None);
    editor.get("/api/v1/slack/doctor").problem(403);
    editor.post("/api/v1/slack/doctor", &json!({})).problem(403);
    company
        .slack
        .with(|state| state.revoked.insert(BOT_TOKEN.to_owned()));
    let report = company.daemon.api.get("/api/v1/slack/doctor").ok();
    assert_eq!(report["healthy"], false);
    assert_eq!(report["workspace"], Value::Null);
    let problem = report["problems"][0].as_str().unwrap();
    assert!(problem.contains("token_revoked"), "{problem}");
    let without = crate::harness::Daemon::start();
    without.api.get("/api/v1/slack/doctor").problem(409);
}
