//! Members by a team's Slack group: what a list that comes in brings about.

use oncalld::actions::members::profiles;
use oncalld::actions::members::slack_group::{self, Listed};
use oncalld::actions::members::time_off;
use oncalld::actions::oncall::lookup;
use oncalld::actions::people::names;
use oncalld::actions::{members, rotation, teams};
use oncalld::app::{ActionError, Settings};
use oncalld::domain::ids::{TeamId, UserId};
use oncalld::domain::profile::SlackProfile;
use oncalld::domain::roster::Account;
use oncalld::wire::Paging;
use oncalld::wire::member::{MemberView, SyncView};
use oncalld::wire::rotation::PlanRequest;
use serde_json::json;

use crate::harness::sandbox::{Sandbox, instant, read};

const MONDAY: &str = "2026-11-23T10:00:00Z";

fn with_slack() -> Settings {
    Settings {
        members_from_slack: true,
        ..Settings::default()
    }
}

/// A team of the rows UA, UB and UC that rotates, and whose group is S1.
fn sandbox() -> Sandbox {
    let config = json!({"slack_group_id": "S1", "rotation_enabled": true});
    Sandbox::with(MONDAY, &config, with_slack())
}

fn id(t: &Sandbox) -> TeamId {
    TeamId::from_uuid(teams::get(&t.app, "t").unwrap().id)
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn profile(t: &Sandbox, id: &str, name: &str, account: Account) -> (UserId, SlackProfile) {
    let said = SlackProfile {
        display_name: name.to_owned(),
        account,
        ..SlackProfile::unknown(t.app.now())
    };
    (user(id), said)
}

fn listed(t: &Sandbox, users: &[&str]) -> Listed {
    Listed {
        group_id: "S1".to_owned(),
        users: users.iter().map(|id| user(id)).collect(),
        asked_at: t.app.now(),
    }
}

fn sync(t: &Sandbox, users: &[&str]) -> SyncView {
    slack_group::apply(&t.app, &t.ctx, id(t), &listed(t, users)).unwrap()
}

fn list(t: &Sandbox) -> Vec<MemberView> {
    let page = members::list(&t.app, "t", &Paging::default()).unwrap();
    page.items
}

/// Each member, and whether Slack lists them.
fn in_slack(t: &Sandbox) -> Vec<(String, Option<bool>)> {
    let mut members: Vec<_> = list(t)
        .into_iter()
        .map(|member| (member.slack_user_id, member.in_slack))
        .collect();
    members.sort();
    members
}

fn pairs(expected: &[(&str, Option<bool>)]) -> Vec<(String, Option<bool>)> {
    let own = |(id, is): &(&str, Option<bool>)| ((*id).to_owned(), *is);
    expected.iter().map(own).collect()
}

/// Who has a future shift.
fn planned(t: &Sandbox) -> Vec<String> {
    let plan = rotation::preview(&t.app, "t", &PlanRequest { weeks: Some(8) }).unwrap();
    let mut who: Vec<_> = plan.items[1..]
        .iter()
        .map(|item| item.engineer_slack_id.clone())
        .collect();
    who.sort();
    who.dedup();
    who
}

#[test]
fn until_a_first_list_comes_the_rows_are_the_members() {
    let t = sandbox();
    assert_eq!(
        in_slack(&t),
        pairs(&[("UA", None), ("UB", None), ("UC", None)])
    );
    assert!(list(&t).iter().all(|member| member.synced_at.is_none()));
    assert_eq!(planned(&t), ["UA", "UB", "UC"]);
}

#[test]
fn a_list_makes_the_group_the_member_list() {
    let t = sandbox();
    t.clock.set(instant("2026-11-23T11:00:00Z"));
    let synced = sync(&t, &["UB", "UC", "UD"]);
    assert_eq!(
        (synced.members, synced.joined.len(), synced.left.len()),
        (3, 3, 0)
    );
    let expected = [
        ("UA", Some(false)),
        ("UB", Some(true)),
        ("UC", Some(true)),
        ("UD", Some(true)),
    ];
    assert_eq!(in_slack(&t), pairs(&expected));
    let members = list(&t);
    let of = |id: &str| members.iter().find(|m| m.slack_user_id == id).unwrap();
    let new = of("UD");
    assert_eq!((new.id, new.version), (None, None));
    assert_eq!(new.joined_at, instant("2026-11-23T11:00:00Z"));
    assert_eq!((new.weight, new.is_eligible_for_oncall), (1.0, true));
    assert_eq!(of("UA").version, Some(1));
    assert!(
        members
            .iter()
            .all(|m| m.synced_at == Some(instant("2026-11-23T11:00:00Z")))
    );

    assert_eq!(planned(&t), ["UB", "UC", "UD"]);
    let rows = t.audited("rotation_generated");
    assert_eq!(
        rows[0].metadata["trigger"],
        "the team's Slack group has changed"
    );
    let plan = rotation::preview(&t.app, "t", &PlanRequest { weeks: Some(4) }).unwrap();
    let why = plan.items[1].explanation.as_ref().unwrap();
    assert_eq!(why.passed_over[0].slack_user_id, "UA");
    assert_eq!(why.passed_over[0].reason, "left_slack_group");
}

#[test]
fn who_joins_and_who_leaves_is_audited_and_the_same_list_again_is_not() {
    let t = sandbox();
    sync(&t, &["UA", "UB"]);
    let entries = |t: &Sandbox| {
        let count = |action| t.audited(action).len();
        (
            count("joined_slack_group"),
            count("left_slack_group"),
            count("rotation_generated"),
        )
    };
    let before = entries(&t);
    t.clock.set(instant("2026-11-23T12:00:00Z"));
    let again = sync(&t, &["UB", "UA"]);
    assert_eq!(entries(&t), before);
    assert!(again.joined.is_empty() && again.left.is_empty());
    assert_eq!(list(&t)[0].synced_at, Some(instant("2026-11-23T12:00:00Z")));

    let changed = sync(&t, &["UB", "UD"]);
    assert_eq!(
        (changed.joined, changed.left),
        (vec!["UD".to_owned()], vec!["UA".to_owned()])
    );
    let left = &t.audited("left_slack_group")[0];
    assert_eq!(left.metadata["slack_user_id"], "UA");
    assert_eq!(left.changes["in_slack"], json!({"old": true, "new": false}));
    assert_eq!(left.entity_id, list(&t)[0].id.map(|id| id.to_string()));
    let joined = &t.audited("joined_slack_group")[0];
    assert_eq!(joined.metadata["slack_user_id"], "UD");
    assert_eq!(joined.entity_id, None);
}

#[test]
fn a_group_that_is_really_empty_leaves_nobody_to_pick() {
    let t = sandbox();
    sync(&t, &["UA", "UB", "UC"]);
    let on_call = t.who("2026-11-23");
    sync(&t, &[]);
    assert!(list(&t).iter().all(|member| member.in_slack == Some(false)));
    // The running period is never touched.
    assert_eq!(t.who("2026-11-23"), on_call);
    assert_eq!(t.who("2026-12-02"), "-");
}

#[test]
fn bots_and_deactivated_accounts_are_shown_and_not_picked() {
    let t = sandbox();
    let profiles = vec![
        profile(&t, "UA", "Ann", Account::Person),
        profile(&t, "UB", "Deploys", Account::Bot),
        profile(&t, "UC", "Cat", Account::Deactivated),
    ];
    profiles::learn(&t.app, &profiles).unwrap();
    sync(&t, &["UA", "UB", "UC"]);
    assert_eq!(planned(&t), ["UA"]);
    let members = list(&t);
    let shown = members
        .iter()
        .map(|m| (m.display_name.as_str(), m.slack_account.unwrap()))
        .collect::<Vec<_>>();
    let expected = [
        ("Ann", Account::Person),
        ("Deploys", Account::Bot),
        ("Cat", Account::Deactivated),
    ];
    assert_eq!(shown, expected);

    // Somebody comes back, and is a candidate again.
    profiles::learn(&t.app, &[profile(&t, "UC", "Cat", Account::Person)]).unwrap();
    assert!(t.who("2026-12-02") == "UC" || t.who("2026-12-09") == "UC");
    let entry = &t.audited("updated")[0];
    assert_eq!(
        entry.changes["slack_account"],
        json!({"old": "deactivated", "new": "person"})
    );
}

#[test]
fn without_slack_in_the_config_the_rows_are_the_members_again() {
    let t = sandbox();
    sync(&t, &["UB"]);
    assert_eq!(planned(&t), ["UB"]);
    slack_group::settle_source(&t.app).unwrap();
    let t = t.restart_with("2026-11-23T12:00:00Z", Settings::default());
    slack_group::settle_source(&t.app).unwrap();
    assert_eq!(
        in_slack(&t),
        pairs(&[("UA", None), ("UB", None), ("UC", None)])
    );
    let stands: Vec<_> = ["2026-12-02", "2026-12-09", "2026-12-16"]
        .map(|date| t.who(date))
        .to_vec();
    assert_eq!(stands.iter().filter(|who| *who == "UB").count(), 1);
    let reason = &t.audited("rotation_generated")[0].metadata["trigger"];
    assert_eq!(reason, "Slack is no longer configured");
    // Once is enough.
    let count = t.audited("rotation_generated").len();
    slack_group::settle_source(&t.app).unwrap();
    assert_eq!(t.audited("rotation_generated").len(), count);
    let t = t.restart_with("2026-11-23T13:00:00Z", with_slack());
    slack_group::settle_source(&t.app).unwrap();
    assert_eq!(t.who("2026-12-02"), "UB");
}

#[test]
fn changing_a_member_known_from_slack_alone_makes_their_row() {
    let t = sandbox();
    sync(&t, &["UA", "UD"]);
    let seen = list(&t).into_iter().find(|m| m.slack_user_id == "UD");
    let stale = read(json!({"weight": 2, "version": 1}));
    let refused = members::update(&t.app, &t.ctx, "t", "UD", &stale).unwrap_err();
    assert!(matches!(refused, ActionError::Conflict { .. }), "{refused}");
    let change = read(json!({"team_role": "lead"}));
    let row = members::update(&t.app, &t.ctx, "t", "UD", &change).unwrap();
    assert_eq!((row.in_slack, row.version), (Some(true), Some(1)));
    assert_eq!(row.joined_at, seen.unwrap().joined_at);
    assert_eq!(row.team_role.as_str(), "lead");
    members::delete(&t.app, &t.ctx, "t", "UD").unwrap();
    let gone = members::delete(&t.app, &t.ctx, "t", "UD").unwrap_err();
    assert!(
        gone.to_string().contains("only through its Slack group"),
        "{gone}"
    );
    assert_eq!(
        in_slack(&t)[3],
        ("UD".to_owned(), Some(true)),
        "by the defaults again"
    );
    let nobody = members::update(&t.app, &t.ctx, "t", "UX", &change).unwrap_err();
    assert!(matches!(nobody, ActionError::NotFound(_)));
}

#[test]
fn a_list_of_another_group_than_the_teams_does_not_count() {
    let t = sandbox();
    sync(&t, &["UB"]);
    t.configure(json!({"slack_group_id": "S2"}));
    assert_eq!(
        in_slack(&t),
        pairs(&[("UA", None), ("UB", None), ("UC", None)])
    );
    assert_eq!(planned(&t), ["UA", "UB", "UC"]);
    let late = slack_group::apply(&t.app, &t.ctx, id(&t), &listed(&t, &["UA"]));
    assert!(matches!(late, Err(ActionError::Conflict { .. })));
    assert_eq!(
        slack_group::due(&t.app, std::time::Duration::ZERO).unwrap()[0].group_id,
        "S2"
    );
    t.configure(json!({"slack_group_id": null}));
    assert!(
        slack_group::due(&t.app, std::time::Duration::ZERO)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_name_that_changes_is_in_the_very_next_answer() {
    let t = sandbox();
    let on_call = t.who("2026-11-23");
    let query = read(json!({"team": "t"}));
    let name = || {
        let answer = lookup::answer(&t.app, &query).unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        answer["display_name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(), on_call);
    for called in ["Ann", "Anna"] {
        let known = profile(&t, &on_call, called, Account::Person);
        profiles::learn(&t.app, &[known]).unwrap();
        assert_eq!(name(), called);
    }
    assert_eq!(
        names::name(&t.app, &user(&on_call)).unwrap().as_deref(),
        Some("Anna")
    );
    // Slack knows no such user: the id is shown.
    profiles::learn(&t.app, &[profile(&t, &on_call, "", Account::Person)]).unwrap();
    assert_eq!(name(), on_call);
}

#[test]
fn profiles_are_looked_up_again_after_a_day() {
    let t = sandbox();
    sync(&t, &["UA", "UD"]);
    let stale = |t: &Sandbox| profiles::stale(&t.app, 9).unwrap();
    assert_eq!(stale(&t), ["UA", "UB", "UC", "UD"].map(user));
    assert_eq!(profiles::stale(&t.app, 2).unwrap().len(), 2);
    profiles::learn(&t.app, &[profile(&t, "UB", "Bob", Account::Person)]).unwrap();
    assert_eq!(stale(&t), ["UA", "UC", "UD"].map(user));
    t.clock.set(instant("2026-11-24T10:00:00Z"));
    assert_eq!(stale(&t).len(), 4);
    let some = vec![user("UB"), user("UX")];
    assert_eq!(profiles::unknown_among(&t.app, some).unwrap(), [user("UX")]);
}

#[test]
fn of_two_lists_that_were_asked_for_at_once_the_later_one_stays() {
    let t = sandbox();
    let earlier = listed(&t, &["UA"]);
    t.clock.set(instant("2026-11-23T10:00:01Z"));
    let later = listed(&t, &["UA", "UB"]);
    t.clock.set(instant("2026-11-23T10:00:02Z"));
    let apply = |list| slack_group::apply(&t.app, &t.ctx, id(&t), list).unwrap();
    assert_eq!(apply(&later).joined, ["UA", "UB"]);
    let late = apply(&earlier);
    assert_eq!((late.members, late.left), (2, Vec::new()));
    assert_eq!(late.synced_at, later.asked_at);
    assert_eq!(
        in_slack(&t),
        pairs(&[("UA", Some(true)), ("UB", Some(true)), ("UC", Some(false))])
    );
    // A clock that was ahead holds up no list once it is put right.
    t.clock.set(instant("2026-11-20T10:00:00Z"));
    assert_eq!(apply(&listed(&t, &["UA"])).left, ["UB"]);
}

#[test]
fn time_off_of_a_member_known_from_slack_alone_replans_the_team() {
    let t = sandbox();
    sync(&t, &["UD"]);
    assert_eq!(t.who("2026-12-02"), "UD");
    let off = read(json!({"start_date": "2026-12-01", "end_date": "2026-12-01"}));
    time_off::create(&t.app, &t.ctx, "UD", &off).unwrap();
    assert_eq!(t.who("2026-12-02"), "-");
}

#[test]
fn a_group_does_not_both_hold_members_and_follow_who_is_on_call() {
    let t = sandbox();
    let update = |team: &str, config| teams::update(&t.app, &t.ctx, team, &read(config));
    let own = update("t", json!({"slack_oncall_group_id": "S1"}));
    assert!(matches!(own, Err(ActionError::Invalid(_))));
    let other = json!({"name": "u", "slack_oncall_group_id": "S9"});
    teams::create(&t.app, &t.ctx, &read(other)).unwrap();
    // Several teams may share one group of who is on call.
    update("t", json!({"slack_oncall_group_id": "S9"})).unwrap();
    for (team, config) in [
        ("u", json!({"slack_oncall_group_id": "S1"})),
        (
            "u",
            json!({"slack_group_id": "S9", "slack_oncall_group_id": null}),
        ),
    ] {
        let refused = update(team, config);
        assert!(
            matches!(refused, Err(ActionError::Conflict { .. })),
            "{refused:?}"
        );
    }
    let taken = json!({"name": "v", "slack_group_id": "S9"});
    assert!(teams::create(&t.app, &t.ctx, &read(taken)).is_err());
}
