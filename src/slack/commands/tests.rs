//! What people type, and what they are answered, on Wednesday 2026-11-25 at 13:00 in Berlin.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::parse::{NotACommand, Substitute, Wish};
use super::*;
use crate::actions::{members, services, teams};
use crate::clock::ManualClock;
use crate::secret::Secret;
use crate::slack::SlackOptions;
use crate::wording::{APPROVE, CANCEL, REJECT};

const ANN: &str = "U0000ANN1";
const BOB: &str = "U0000BOB1";
const CAT: &str = "U0000CAT1";
const EVE: &str = "U0000EVE1";
const ROOT: &str = "U000ROOT1";

struct Nameless;

impl Names for Nameless {
    fn name(&self, _user: &UserId) -> Option<String> {
        None
    }
}

/// Payments, whose leads approve, with Ann, who leads, Bob and Cat; Data with Ann alone. Eve is
/// in no team, Root may everything.
fn company() -> (Deps, Arc<ManualClock>) {
    let start: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let app = crate::actions::start_in_memory(clock.clone());
    let ctx = Ctx::system();
    let read = |json: Value| serde_json::from_value(json).unwrap();
    let payments = json!({"name": "Payments", "timezone": "Europe/Berlin", "handoff_time": "09:00",
        "handoff_day": 0, "overrides_require_approval": true, "slack_channel_id": "C1"});
    teams::create(&app, &ctx, &read(payments)).unwrap();
    teams::create(&app, &ctx, &read(json!({"name": "Data & AI"}))).unwrap();
    let joined = [
        ("payments", ANN, "lead"),
        ("payments", BOB, "member"),
        ("payments", CAT, "member"),
        ("data-ai", ANN, "member"),
    ];
    for (seconds, (team, user, role)) in (0..).zip(joined) {
        clock.set(start + TimeDelta::seconds(seconds));
        let member = json!({"slack_user_id": user, "team_role": role});
        members::put(&app, &ctx, team, &serde_json::from_value(member).unwrap()).unwrap();
    }
    for team in ["payments", "data-ai"] {
        let rotation = json!({"rotation_enabled": true, "rotation_start_date": "2026-11-16"});
        teams::update(&app, &ctx, team, &read(rotation)).unwrap();
    }
    let service = json!({"name": "Checkout", "team_id": "payments"});
    services::create(&app, &ctx, &serde_json::from_value(service).unwrap()).unwrap();
    clock.set("2026-11-25T12:00:00Z".parse().unwrap());
    let deps = Deps {
        app,
        slack: Slack::new(SlackOptions::new(Secret::new("xoxb-1".to_owned()))).unwrap(),
        admins: Arc::new([ROOT.parse().unwrap()]),
        links: Links::new(Some("https://oncall.example.com")),
        names: Arc::new(Nameless),
    };
    (deps, clock)
}

fn person<'a>(deps: &'a Deps, user: &str) -> Person<'a> {
    Person::new(deps, user.parse().unwrap()).unwrap()
}

/// What is answered, as it is read.
fn said(deps: &Deps, user: &str, text: &str) -> String {
    shown(person(deps, user).answer(text))
}

fn shown(reply: Reply) -> String {
    let message = reply.into_json();
    assert_eq!(message["response_type"], "ephemeral");
    let mut shown = message["text"].as_str().unwrap().to_owned();
    for button in buttons_of(&message) {
        shown.extend(["\n[", button["text"]["text"].as_str().unwrap(), "]"]);
    }
    shown
}

fn buttons_of(message: &Value) -> Vec<Value> {
    let blocks = message["blocks"].as_array().unwrap().iter();
    let elements = blocks.filter_map(|block| block["elements"].as_array());
    elements.flatten().cloned().collect()
}

/// Asks for an override, and says what its button bears.
fn asked(deps: &Deps, user: &str, text: &str) -> String {
    let message = person(deps, user).answer(text).into_json();
    let buttons = buttons_of(&message);
    let button = buttons.first().unwrap_or_else(|| panic!("{message}"));
    button["value"].as_str().unwrap().to_owned()
}

/// The value of the buttons that a request bears.
fn with_version(value: &str, version: u64) -> String {
    let mut value: Value = serde_json::from_str(value).unwrap();
    value["version"] = version.into();
    value.to_string()
}

/// What a click comes to: what the message says then, and what the person is told.
fn click(deps: &Deps, user: &str, action: &str, value: &str) -> (Option<String>, Option<String>) {
    match person(deps, user).decide(buttons::wanted(action).unwrap(), value) {
        Ok(outcome) => (
            outcome.message.map(|text| text.plain),
            outcome.told.map(shown),
        ),
        Err(error) => (None, Some(shown(reply::sorry(&error)))),
    }
}

#[test]
fn what_is_typed_is_understood() {
    let wish = |team: &str, substitute: Substitute, days_and_reason: &str| {
        Command::Override(Wish {
            team: team.to_owned(),
            substitute,
            days_and_reason: days_and_reason.to_owned(),
        })
    };
    let user = |id: &str| Substitute::User(id.parse().unwrap());
    let cancel = |team: &str, days: &str| Command::Cancel {
        team: team.to_owned(),
        days: days.to_owned(),
    };
    for (text, expected) in [
        ("", Command::MyShifts),
        ("  ", Command::MyShifts),
        ("help", Command::Help),
        ("?", Command::Help),
        ("payments", Command::Whoever("payments".to_owned())),
        ("<#C1|payments>", Command::Whoever("#payments".to_owned())),
        ("Data &amp; AI", Command::Whoever("Data & AI".to_owned())),
        ("team help", Command::Team("help".to_owned())),
        ("Service  checkout", Command::Service("checkout".to_owned())),
        (
            "service <http://checkout.example.com|checkout.example.com>",
            Command::Service("checkout.example.com".to_owned()),
        ),
        (
            "override payments <@U1|sam> 2026-12-24",
            wish("payments", user("U1"), "2026-12-24"),
        ),
        (
            "override data &amp; ai <@U1> 24 Dec ask <@U2|bob> or <!subteam^S1|@web> in <#C1|x>",
            wish("data & ai", user("U1"), "24 Dec ask @bob or @web in #x"),
        ),
        (
            "override payments me today",
            wish("payments", Substitute::Me, "today"),
        ),
        (
            "OVERRIDE WEB U0123ABCD monday",
            wish("WEB", user("U0123ABCD"), "monday"),
        ),
        (
            "cancel payments 24 Dec..27 Dec",
            cancel("payments", "24 Dec..27 Dec"),
        ),
    ] {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_incomplete_says_what_to_type() {
    for text in [
        "service",
        "team ",
        "override",
        "override payments",
        "override payments <@U1|sam>",
        "override <@U1|sam> 24 Dec",
        "override payments tomorrow please",
        "cancel",
        "cancel payments",
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains("`/oncall "), "{text}: {error}");
    }
    let plain = parse("override payments @sam 24 Dec");
    assert_eq!(plain, Err(NotACommand::PlainMention("@sam".to_owned())));
}

#[test]
fn a_team_is_answered_for_by_slug_name_or_channel_and_a_service_by_its_name() {
    let (deps, _) = company();
    insta::assert_snapshot!(said(&deps, EVE, "payments"), @r#"
    *<https://oncall.example.com/teams/payments|Payments>: <@U0000ANN1> is on call*
    Until Mon 30 Nov, 09:00 CET, then <@U0000BOB1>.
    "#);
    for text in ["Payments", "<#C1|payments>", "team PAYMENTS"] {
        assert_eq!(
            said(&deps, EVE, text),
            said(&deps, EVE, "payments"),
            "{text}"
        );
    }
    insta::assert_snapshot!(said(&deps, EVE, "service checkout"), @r#"
    *Checkout (<https://oncall.example.com/teams/payments|Payments>): <@U0000ANN1> is on call*
    Until Mon 30 Nov, 09:00 CET, then <@U0000BOB1>.
    "#);
    assert_eq!(
        said(&deps, EVE, "checkout"),
        said(&deps, EVE, "service checkout")
    );
    insta::assert_snapshot!(said(&deps, EVE, "data &amp; ai"), @r#"
    *<https://oncall.example.com/teams/data-ai|Data &amp; AI>: <@U0000ANN1> is on call*
    Until Mon 30 Nov, 00:00 UTC, then <@U0000ANN1>.
    "#);
}

#[test]
fn near_misses_are_suggested() {
    let (deps, _) = company();
    insta::assert_snapshot!(said(&deps, EVE, "paymetns"), @"There is no team or service `paymetns`; did you mean `payments`?");
    insta::assert_snapshot!(said(&deps, EVE, "chekout"), @"There is no team or service `chekout`; did you mean `Checkout`?");
    insta::assert_snapshot!(said(&deps, EVE, "billing"), @"There is no team or service `billing`; there are `data-ai`, `payments`.");
    insta::assert_snapshot!(said(&deps, EVE, "service chekout"), @"There is no service `chekout`; did you mean `Checkout`?");
    insta::assert_snapshot!(said(&deps, ANN, "override paymnts me 24 Dec"), @"There is no team `paymnts`; did you mean `payments`?");
}

#[test]
fn ones_own_shifts_are_those_that_stand() {
    let (deps, _) = company();
    insta::assert_snapshot!(said(&deps, EVE, ""), @"You have no shift in the next 90 days.");
    insta::assert_snapshot!(said(&deps, BOB, ""), @r#"
    *Your next shifts*
    • <https://oncall.example.com/teams/payments|Payments>: Mon 30 Nov, 09:00 – Mon 7 Dec, 09:00 CET
    • <https://oncall.example.com/teams/payments|Payments>: Mon 21 Dec, 09:00 – Mon 28 Dec, 09:00 CET
    "#);
    // One that waits for a decision, and one of Ann's days that is decided.
    asked(&deps, BOB, &format!("override payments <@{BOB}|bob> 2 Dec"));
    let taken = asked(&deps, ANN, &format!("override payments <@{CAT}> today"));
    click(&deps, ROOT, APPROVE, &with_version(&taken, 1));
    insta::assert_snapshot!(said(&deps, BOB, ""), @r#"
    *Your next shifts*
    • <https://oncall.example.com/teams/payments|Payments>: Mon 30 Nov, 09:00 – Mon 7 Dec, 09:00 CET
    • <https://oncall.example.com/teams/payments|Payments>: Mon 21 Dec, 09:00 – Mon 28 Dec, 09:00 CET

    *Waiting for a decision*
    • <https://oncall.example.com/teams/payments|Payments>: Wed 2 Dec, 09:00 – Thu 3 Dec, 09:00 CET
    "#);
    insta::assert_snapshot!(said(&deps, CAT, ""), @r#"
    *You are on call for <https://oncall.example.com/teams/payments|Payments>*
    Until Thu 26 Nov, 09:00 CET, then <@U0000ANN1>.
    By an override.

    *Your next shifts*
    • <https://oncall.example.com/teams/payments|Payments>: Mon 7 Dec, 09:00 – Mon 14 Dec, 09:00 CET
    "#);
}

#[test]
fn help_is_in_english_and_short() {
    let (deps, _) = company();
    insta::assert_snapshot!(said(&deps, EVE, "help"), @r#"
    *Who is on call?*
    `/oncall` – your own shifts, in all teams
    `/oncall payments` – a team: who is on call, until when, and who is next
    `/oncall service checkout` – who is on call for a service

    *Cover for some days*
    `/oncall override payments @sam 24 Dec..27 Dec reason` – @sam covers these days; in some teams a lead has to approve
    `/oncall cancel payments 24 Dec` – cancels it

    Days can be typed as `2026-12-24`, `24 Dec`, `tomorrow`, `monday` or `next monday`; or a range such as `24 Dec..27 Dec`. Nobody else sees the answers.
    "#);
}

#[test]
fn an_override_is_asked_for_and_approved_by_a_click() {
    let (deps, _) = company();
    let text = format!("override payments <@{CAT}|cat> next monday..wednesday dentist &amp; more");
    insta::assert_snapshot!(said(&deps, BOB, &text), @r#"
    Requested. A lead of the team or an admin decides, and you will be told.

    *<https://oncall.example.com/teams/payments|Payments>: <@U0000BOB1> asks for cover by <@U0000CAT1>*
    Mon 30 Nov, 09:00 – Thu 3 Dec, 09:00 CET
    Instead of you.
    Reason: dentist &amp; more
    [Take it back]
    "#);
    let again = said(&deps, BOB, &text);
    insta::assert_snapshot!(again, @"Overlaps the pending override for <@U0000CAT1> from 2026-11-30 to 2026-12-02.");
    let value = asked(&deps, BOB, &format!("override payments <@{CAT}> 24 Dec"));
    let asked = with_version(&value, 1);
    let (message, told) = click(&deps, ANN, APPROVE, &asked);
    insta::assert_snapshot!(message.unwrap(), @r#"
    Payments: U0000BOB1 asked for cover by U0000CAT1
    Thu 24 Dec, 09:00 – Fri 25 Dec, 09:00 CET
    Instead of U0000BOB1.
    Approved by U0000ANN1.
    https://oncall.example.com/teams/payments
    "#);
    assert_eq!(told, None);
}

#[test]
fn whoever_may_not_decide_is_told_why() {
    let (deps, _) = company();
    let value = asked(&deps, BOB, &format!("override payments <@{CAT}> 24 Dec"));
    let value = with_version(&value, 1);
    let refused = |user: &str, action: &str| {
        let (message, told) = click(&deps, user, action, &value);
        assert_eq!(message, None, "the message stays as it is");
        told.unwrap()
    };
    insta::assert_snapshot!(refused(CAT, APPROVE), @"<@U0000CAT1> is neither a lead of team `payments` nor an admin.");
    insta::assert_snapshot!(refused(EVE, REJECT), @"<@U0000EVE1> is neither a lead of team `payments` nor an admin.");
    let own = asked(&deps, ANN, &format!("override payments <@{CAT}> 26 Dec"));
    let (_, told) = click(&deps, ANN, APPROVE, &with_version(&own, 1));
    insta::assert_snapshot!(told.unwrap(), @"<@U0000ANN1> asked for this override: another lead has to approve it.");
}

#[test]
fn a_second_click_is_answered_kindly_and_refreshes_the_message() {
    let (deps, _) = company();
    let value = asked(&deps, BOB, &format!("override payments <@{CAT}> 24 Dec"));
    let value = with_version(&value, 1);
    let (first, _) = click(&deps, ANN, REJECT, &value);
    let first = first.unwrap();
    assert!(first.contains("Rejected by"), "{first}");
    for (user, action) in [(ANN, REJECT), (ROOT, APPROVE), (BOB, CANCEL)] {
        let (message, told) = click(&deps, user, action, &value);
        assert_eq!(message.as_ref(), Some(&first));
        assert_eq!(told.unwrap(), format!("Already rejected by <@{ANN}>."));
    }
}

#[test]
fn an_override_is_taken_back_by_a_click_or_by_its_days() {
    let (deps, _) = company();
    let ask = |day: &str| asked(&deps, BOB, &format!("override payments <@{CAT}> {day}"));
    let approved = ask("24 Dec");
    click(&deps, ANN, APPROVE, &with_version(&approved, 1));
    let (message, told) = click(&deps, BOB, CANCEL, &approved);
    assert!(message.unwrap().contains(&format!("Cancelled by {BOB}.")));
    assert_eq!(told, None);
    ask("28 Dec");
    ask("30 Dec");
    insta::assert_snapshot!(said(&deps, BOB, "cancel payments 24 Dec..31 Dec"), @"There are 2 overrides on these days; type the first day of the one you mean: `2026-12-28`, `2026-12-30`.");
    insta::assert_snapshot!(said(&deps, BOB, "cancel payments 24 Dec"), @"Team `payments` has no override on 2026-12-24 that could be cancelled.");
    insta::assert_snapshot!(said(&deps, CAT, "cancel payments 28 Dec"), @"<@U0000CAT1> is neither a lead of team `payments` nor an admin.");
    insta::assert_snapshot!(said(&deps, BOB, "cancel payments 28 Dec"), @r#"
    Done.

    *Override cancelled: <@U0000CAT1> is not on call for <https://oncall.example.com/teams/payments|Payments>*
    Mon 28 Dec, 09:00 – Tue 29 Dec, 09:00 CET
    Cancelled by you.
    "#);
}

#[test]
fn a_team_asks_for_itself() {
    let (deps, _) = company();
    let text = format!("override data-ai <@{CAT}|cat> 24 Dec");
    insta::assert_snapshot!(said(&deps, EVE, &text), @"<@U0000EVE1> is in no team: they can read but not change anything.");
    insta::assert_snapshot!(said(&deps, BOB, &text), @"<@U0000BOB1> is not a member of team `data-ai`: one of its members, or an admin, has to ask.");
    insta::assert_snapshot!(said(&deps, ROOT, &text), @r#"
    Done.

    *Override: <@U0000CAT1> is on call for <https://oncall.example.com/teams/data-ai|Data &amp; AI>*
    Thu 24 Dec, 00:00 – Fri 25 Dec, 00:00 UTC
    Instead of <@U0000ANN1>.

    Note: <@U0000CAT1> is not a member of team `data-ai`.
    [Cancel it]
    "#);
}

#[test]
fn days_are_counted_from_the_teams_own_on_call_day() {
    let (deps, clock) = company();
    // In Berlin it is Thursday, but the on-call day of Wednesday lasts until 09:00.
    clock.set("2026-11-26T07:00:00Z".parse().unwrap());
    let text = format!("override payments <@{CAT}|cat> today");
    let said = said(&deps, BOB, &text);
    assert!(
        said.contains("Wed 25 Nov, 09:00 – Thu 26 Nov, 09:00 CET"),
        "{said}"
    );
}

#[test]
fn what_cant_be_done_is_said_in_words() {
    let (deps, _) = company();
    let said = |days: &str| said(&deps, BOB, &format!("override payments <@{CAT}> {days}"));
    insta::assert_snapshot!(said("soon"), @"Days: `soon` is not a date: type `2026-12-24`, `24 Dec`, `tomorrow`, `monday` or `next monday`; or a range such as `24 Dec..27 Dec`.");
    insta::assert_snapshot!(said("2026-11-20"), @"Start date: `2026-11-20` is in the past; the team's on-call day is 2026-11-25.");
    insta::assert_snapshot!(said("31 Nov"), @"Days: there is no such day as `31 November`.");
    insta::assert_snapshot!(said(&format!("24 Dec {}", "x".repeat(2001))), @"Reason: has 2001 characters, expected 0 to 2000.");
}

#[test]
fn a_button_that_means_nothing_does_nothing() {
    let (deps, _) = company();
    for value in ["", "null", "{}", r#"{"team": "nowhere", "override": "1"}"#] {
        let (message, told) = click(&deps, ROOT, APPROVE, value);
        assert_eq!(message, None);
        assert!(told.is_some(), "{value}");
    }
    assert_eq!(buttons::wanted("open_link"), None);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("override {text}"));
        let _ = parse(&format!("override x <@U1|{text}"));
    }
}
