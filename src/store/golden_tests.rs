//! Records on disk are as they always were: `tests/golden/records` holds the bytes of a fixed
//! value of every record type, and of every variant of the enums within them.
//!
//! `UPDATE_GOLDEN=1` writes what is missing. Bytes that are there are never written over: a
//! changed record takes the next version and an upgrade, and a file of its own.

use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::codec::{Record, decode, encode, newly_sealed, sealed};
use super::idempotency::Done;
use super::rotation::RotationState;
use super::tables::META;
use super::told::{Gap, Reminded, Told};
use crate::domain::Revision;
use crate::domain::audit::{Action, ActorType, AuditEntry, AuditEvent, EntityType};
use crate::domain::hex::{hex, unhex};
use crate::domain::ids::{
    AuditId, MembershipId, NotificationId, OverrideId, ScheduleId, ServiceId, TeamId, TimeOffId,
    TokenId, UserId,
};
use crate::domain::member::{Membership, TeamRole};
use crate::domain::notification::{DeliveryStatus, Event, Notification};
use crate::domain::profile::{Profile, SetProfile, SlackProfile};
use crate::domain::roster::{Account, Roster, RosterUser};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::service::{Service, Tier};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::{Interval, RotationConfig, RotationType, Team};
use crate::domain::time_off::TimeOff;
use crate::domain::token::{Role, Scope, Token};
use crate::rotation::checkpoint::{Checkpoint, Person};
use crate::rotation::credit::{PeriodShares, Share};
use crate::rotation::explanation::{Explanation, PassedOver, PassedOverReason, Standing};

const ID: Uuid = Uuid::from_u128(0x0190_b5a4_7c3e_7000_8000_0000_0000_0001);

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn date(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn revision() -> Revision {
    Revision {
        created_at: at("2026-01-02T03:04:05.678Z"),
        updated_at: at("2026-02-03T04:05:06Z"),
        version: 300,
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/records")
        .join(name)
}

#[track_caller]
fn check_text(name: &str, text: &str) {
    let file = file(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !file.exists() {
        fs::write(&file, format!("{text}\n")).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, committed.trim(), "{name}: see the head of this file");
}

#[track_caller]
fn check<T: Record + PartialEq + Debug>(name: &str, record: &T) {
    let bytes = encode(META, record).unwrap();
    assert_eq!(decode::<T>(META, &bytes).unwrap(), *record);
    // The files hold version and body, as records were kept before they had checksums.
    let body = &bytes[5..];
    check_text(
        &format!("{name}.v{}.hex", T::VERSION),
        &hex(&[&[T::VERSION], body].concat()),
    );
    assert_eq!(bytes, sealed(META, T::VERSION, body));
}

/// Bytes of an older version still read as what they were written for.
#[track_caller]
fn check_older<T: Record + PartialEq + Debug>(name: &str, expected: &T) {
    let text = fs::read_to_string(file(name)).unwrap();
    let bytes = newly_sealed(META, &unhex(text.trim()).unwrap()).unwrap();
    assert_eq!(decode::<T>(META, &bytes).unwrap(), *expected);
}

#[test]
fn teams_and_members() {
    let rotation = RotationConfig {
        enabled: true,
        kind: RotationType::Plugin("fair-weekends".to_owned()),
        interval: Interval::Biweekly,
        start_date: Some(date("2026-01-05")),
        order: vec![user("U1"), user("W2")],
        handoff_day: Some(4),
        handoff_time: "09:30".parse().unwrap(),
        plugin_config: json!({"a": [1, 2.5, null]}).into(),
    };
    let team = Team {
        id: TeamId::from_uuid(ID),
        name: "Größe 🦀".to_owned(),
        slug: "groesse".to_owned(),
        description: Some("text".to_owned()),
        slack_group_id: Some("S1".to_owned()),
        slack_oncall_group_id: Some("S2".to_owned()),
        slack_channel_id: None,
        timezone: "Europe/Berlin".to_owned(),
        overrides_require_approval: Some(true),
        is_active: true,
        rotation,
        revision: revision(),
    };
    check("team", &team);
    let before = Team {
        slack_oncall_group_id: None,
        ..team
    };
    check_older("team.v1.hex", &before);
    let member = Membership {
        id: MembershipId::from_uuid(ID),
        team_id: TeamId::from_uuid(ID),
        user: user("U1"),
        role: TeamRole::Lead,
        is_eligible: true,
        weight: 0.1,
        joined_at: at("2026-01-01T00:00:00Z"),
        revision: revision(),
    };
    check("membership", &member);
    let time_off = TimeOff {
        id: TimeOffId::from_uuid(ID),
        user: user("U1"),
        start_date: date("2026-07-01"),
        end_date: date("2026-07-14"),
        reason: Some("sea".to_owned()),
        revision: revision(),
    };
    check("time_off", &time_off);
}

#[test]
fn what_slack_said() {
    let listed = |id| RosterUser {
        user: user(id),
        first_seen_at: at("2026-01-02T03:04:05.678Z"),
    };
    let roster = Roster {
        group_id: "S1".to_owned(),
        users: vec![listed("U1"), listed("U2")],
        fetched_at: at("2026-03-01T10:00:00Z"),
        changed_at: at("2026-02-01T10:00:00Z"),
    };
    check("roster", &roster);
    let slack = SlackProfile {
        display_name: "Zoë".to_owned(),
        account: Account::Deactivated,
        email: Some("zoe@example.com".to_owned()),
        timezone: Some("Europe/Berlin".to_owned()),
        fetched_at: at("2026-03-01T10:00:00Z"),
    };
    let set = SetProfile {
        display_name: Some("Zoë Núñez".to_owned()),
        email: Some("zoe@example.org".to_owned()),
        timezone: None,
        revision: revision(),
    };
    let profile = Profile {
        user: user("U1"),
        slack: Some(slack.clone()),
        set: Some(set),
    };
    check("profile", &profile);
    let slack = SlackProfile {
        email: None,
        timezone: None,
        ..slack
    };
    let before = Profile {
        slack: Some(slack),
        set: None,
        ..profile
    };
    check_older("profile.v1.hex", &before);
}

#[test]
fn services_and_tokens() {
    let service = Service {
        id: ServiceId::from_uuid(ID),
        name: "Checkout".to_owned(),
        team_id: TeamId::from_uuid(ID),
        repository_url: Some("https://git.example/x".to_owned()),
        environment: None,
        tier: Tier::Critical,
        owner: Some(user("U1")),
        tech_stack: vec!["rust".to_owned()],
        metadata: json!({"runbook": "https://r"}).into(),
        is_active: false,
        revision: revision(),
    };
    check("service", &service);
    let token = Token {
        id: TokenId::from_uuid(ID),
        name: "ci".to_owned(),
        role: Role::Editor,
        slack_user_id: Some(user("U1")),
        secret_hash: [7; 32],
        expires_at: Some(at("2027-01-01T00:00:00Z")),
        created_at: at("2026-01-01T00:00:00Z"),
        scope: Scope::Feeds,
        team_id: Some(TeamId::from_uuid(ID)),
        used_at: Some(at("2026-05-01T00:00:00Z")),
    };
    check("token", &token);
    let before = Token {
        scope: Scope::All,
        team_id: None,
        used_at: None,
        ..token
    };
    check_older("token.v1.hex", &before);
    let done = Done {
        fingerprint: [9; 32],
        result: "{}".to_owned(),
        at: at("2026-01-01T00:00:00.001Z"),
    };
    check("idempotency", &done);
}

#[test]
fn schedules_and_overrides() {
    let schedule = Schedule {
        id: ScheduleId::from_uuid(ID),
        team_id: TeamId::from_uuid(ID),
        engineer: user("U1"),
        start_date: date("2026-03-01"),
        end_date: date("2026-03-07"),
        origin: Origin::Manual,
        created_by: Some(user("U2")),
        note: Some("swap".to_owned()),
        is_hold: false,
        revision: revision(),
    };
    check("schedule", &schedule);
    let row = Override {
        id: OverrideId::from_uuid(ID),
        team_id: TeamId::from_uuid(ID),
        substitute: user("U2"),
        start_date: date("2026-03-02"),
        end_date: date("2026-03-03"),
        reason: None,
        status: OverrideStatus::Rejected,
        requested_by: Some(user("U1")),
        approved_by: None,
        decided_at: Some(at("2026-03-01T10:00:00Z")),
        decision_reason: Some("away".to_owned()),
        revision: revision(),
    };
    check("override", &row);
    let before = Override {
        decision_reason: None,
        ..row
    };
    check_older("override.v1.hex", &before);
    let standing = Standing {
        user: user("U1"),
        joined_at: at("2026-01-01T00:00:00Z"),
        weight: 1.5,
        target: 0.6,
        served: 2.0,
        credit: -0.2,
        gap: -0.1,
        last_served: Some(date("2026-02-28")),
    };
    let (start_date, end_date) = (date("2026-03-01"), date("2026-03-02"));
    let off = PassedOverReason::TimeOff {
        start_date,
        end_date,
    };
    let joins = PassedOverReason::NotYetJoined {
        joined_date: start_date,
    };
    let reasons = [
        PassedOverReason::Ineligible,
        off,
        PassedOverReason::LeftSlackGroup,
        joins,
        PassedOverReason::NotInOrder,
        PassedOverReason::NotAMember,
    ];
    let passed = |reason| PassedOver {
        user: user("U3"),
        reason,
    };
    let explanation = Explanation {
        strategy: "weighted".to_owned(),
        period_number: 9,
        period_start: start_date,
        period_end: date("2026-03-07"),
        picked: user("U1"),
        reason: "the only candidate".to_owned(),
        candidates: vec![standing],
        passed_over: reasons.map(passed).to_vec(),
        is_hold: true,
        strategy_error: Some("it trapped".to_owned()),
    };
    check("explanation", &explanation);
    let later_reasons = [PassedOverReason::Deactivated, PassedOverReason::Bot];
    let explanation = Explanation {
        passed_over: later_reasons.map(passed).to_vec(),
        ..explanation
    };
    check("explanation_of_slack_accounts", &explanation);
}

#[test]
fn what_the_rotation_keeps() {
    let share = Share {
        user: user("U1"),
        joined_at: at("2026-01-01T00:00:00Z"),
        target: 0.25,
    };
    let shares = PeriodShares {
        start: date("2026-03-01"),
        end: date("2026-03-07"),
        shares: vec![share],
    };
    check("period_shares", &shares);
    let state = RotationState {
        handled: Some(date("2026-03-01")),
        next_period: Some(date("2026-03-08")),
        upcoming: vec![at("2026-03-08T08:00:00Z")],
        published_until: None,
    };
    check("rotation_state", &state);
    let person = Person {
        user: user("U1"),
        served: 3.5,
        credit: -0.1,
        last_served: Some(date("2026-02-28")),
        last_picked: Some(date("2026-02-22")),
        joined_at: Some(at("2026-01-01T00:00:00.001Z")),
    };
    let guest = Person {
        user: user("U2"),
        served: 0.5,
        credit: -0.5,
        last_served: Some(date("2026-02-21")),
        last_picked: None,
        joined_at: None,
    };
    let checkpoint = Checkpoint {
        index: 64,
        start: date("2026-03-01"),
        total: 63.0,
        people: vec![person, guest],
    };
    check("checkpoint", &checkpoint);
}

#[test]
fn what_was_told() {
    let reminded = Reminded {
        start: date("2026-03-08"),
        user: user("U2"),
    };
    let gap = Gap {
        start: date("2026-03-15"),
        end: date("2026-03-21"),
    };
    let told = Told {
        on_call: Some(user("U1")),
        on_call_told_on: Some(date("2026-03-01")),
        reminded: vec![reminded],
        gaps: vec![gap],
        seen_until: date("2026-03-28"),
        due_at: at("2026-03-08T08:00:00Z"),
    };
    check("told", &told);
    let before = Told {
        on_call_told_on: None,
        ..told
    };
    check_older("told.v1.hex", &before);
}

#[test]
fn the_audit_log_and_the_outbox() {
    let mut event = AuditEvent::system(EntityType::Override, Action::OverrideApproved);
    event.team_id = Some(TeamId::from_uuid(ID));
    event.actor_type = ActorType::User;
    event.actor_id = Some("U1".to_owned());
    event.changes = json!({"weight": {"old": 0.1, "new": 1e-7}}).into();
    event.engineer = Some(user("U1"));
    event.change_type = Some("override_approved".to_owned());
    event.effective_date = Some(date("2026-03-01"));
    let now = at("2026-03-01T10:00:00.123Z");
    check(
        "audit_entry",
        &AuditEntry::chain(3, AuditId::from_uuid(ID), event, now, [1; 32]),
    );
    let row = Notification {
        id: NotificationId::from_uuid(ID),
        seq: 12,
        event: Event::ShiftStarted,
        sink: "slack".to_owned(),
        recipient: "U1".to_owned(),
        team_id: None,
        payload: json!({"a": 1}).into(),
        status: DeliveryStatus::Failed,
        attempts: 3,
        next_attempt_at: now,
        last_error: Some("429".to_owned()),
        created_at: now,
        delivered_at: None,
    };
    check("notification", &row);
}

/// A variant's position is its disk format: committed ones never move.
#[test]
fn enums_only_grow_at_their_ends() {
    fn names<T: ToString>(kind: &str, all: &[T], text: &mut String) {
        let names: Vec<_> = all.iter().map(ToString::to_string).collect();
        writeln!(text, "{kind}: {}", names.join(" ")).unwrap();
    }
    let mut text = String::new();
    names("entity_type", EntityType::ALL, &mut text);
    names("action", Action::ALL, &mut text);
    names("actor_type", ActorType::ALL, &mut text);
    names("team_role", TeamRole::ALL, &mut text);
    names("event", Event::ALL, &mut text);
    names("delivery_status", DeliveryStatus::ALL, &mut text);
    names("origin", Origin::ALL, &mut text);
    names("tier", Tier::ALL, &mut text);
    names("override_status", OverrideStatus::ALL, &mut text);
    names("interval", Interval::ALL, &mut text);
    names("role", Role::ALL, &mut text);
    names("account", Account::ALL, &mut text);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file("enums.txt"), &text).unwrap();
    }
    let committed = fs::read_to_string(file("enums.txt")).unwrap_or_default();
    assert_eq!(
        text.lines().count(),
        committed.lines().count(),
        "UPDATE_GOLDEN=1"
    );
    for (now, committed) in text.lines().zip(committed.lines()) {
        assert!(now.starts_with(committed), "was: {committed}\nis:  {now}");
    }
}
