//! Rules that only show as time goes by, in process, on a clock that is set by hand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use oncalld::actions::{
    ActionError, Actor, App, Ctx, Settings, Source, audit, bootstrap, handoff, members,
    notifications, oncall, overrides, rotation, schedules, teams, tokens,
};
use oncalld::clock::{Clock, ManualClock};
use oncalld::domain::ids::TokenId;
use oncalld::domain::token::Role;
use oncalld::store::Store;
use oncalld::wire::Paging;
use oncalld::wire::audit::{AuditQuery, AuditView};
use oncalld::wire::oncall::{OnCall, OnCallQuery};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

struct Sandbox {
    app: App,
    clock: Arc<ManualClock>,
    ctx: Ctx,
    home: tempfile::TempDir,
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl Sandbox {
    /// A team `t` of UA, UB and UC, from this instant on.
    fn new(now: &str, config: &Value) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(instant(now)));
        let store = Store::open(&home.path().join("store.redb")).unwrap();
        let app = App::new(store, clock.clone(), Settings::default());
        let actor = Actor::Token {
            id: TokenId::new(clock.now()),
            name: "test".to_owned(),
            role: Role::Admin,
            user: None,
        };
        let source = Source::Api;
        let ctx = Ctx {
            actor,
            source,
            ..Ctx::system()
        };
        let sandbox = Self {
            app,
            clock,
            ctx,
            home,
        };
        let mut team = json!({"name": "t", "slack_channel_id": "C1"});
        team.as_object_mut()
            .unwrap()
            .extend(config.as_object().unwrap().clone());
        teams::create(&sandbox.app, &sandbox.ctx, &read(team)).unwrap();
        for user in ["UA", "UB", "UC"] {
            let member = read(json!({"slack_user_id": user}));
            members::put(&sandbox.app, &sandbox.ctx, "t", &member).unwrap();
        }
        sandbox
    }

    /// The daemon goes down, and comes up again at this instant.
    fn restart_at(self, now: &str) -> Self {
        let Self {
            app,
            clock,
            ctx,
            home,
        } = self;
        drop(app);
        clock.set(instant(now));
        let store = Store::open(&home.path().join("store.redb")).unwrap();
        let app = App::new(store, clock.clone(), Settings::default());
        Self {
            app,
            clock,
            ctx,
            home,
        }
    }

    fn tick_at(&self, now: &str) -> usize {
        self.clock.set(instant(now));
        handoff::tick(&self.app).unwrap().handed_off
    }

    fn configure(&self, config: Value) {
        teams::update(&self.app, &self.ctx, "t", &read(config)).unwrap();
    }

    fn on(&self, date: &str) -> OnCall {
        let query: OnCallQuery = read(json!({"team": "t", "date": date}));
        oncall::answer(&self.app, &query).unwrap()
    }

    fn who(&self, date: &str) -> String {
        self.on(date)
            .engineer_slack_id
            .unwrap_or_else(|| "-".to_owned())
    }

    fn audited(&self, action: &str) -> Vec<AuditView> {
        let query: AuditQuery = read(json!({"action": action}));
        audit::list(&self.app, &query, &Paging::default())
            .unwrap()
            .items
    }

    fn told(&self) -> usize {
        let filter = read(json!({}));
        notifications::list(&self.app, &self.ctx, &filter, &Paging::default())
            .unwrap()
            .total
    }

    fn override_of(&self, substitute: &str, start: &str, end: &str) -> String {
        let input = read(json!({
            "substitute_slack_id": substitute, "start_date": start, "end_date": end,
        }));
        overrides::request(&self.app, &self.ctx, "t", &input)
            .unwrap()
            .id
            .to_string()
    }

    fn decide(&self, id: &str, status: &str) -> Result<(), ActionError> {
        let decision = read(json!({"status": status}));
        overrides::decide(&self.app, &self.ctx, "t", id, &decision).map(drop)
    }
}

fn weekly() -> Value {
    json!({"rotation_enabled": true, "handoff_day": 0, "handoff_time": "09:00"})
}

// 2026-11-23 is a Monday.

#[test]
fn a_handoff_that_a_later_handoff_time_puts_ahead_again_is_handed_off() {
    let t = Sandbox::new("2026-11-23T15:00:00Z", &json!({"rotation_enabled": true}));
    t.clock.set(instant("2026-11-23T15:30:00Z"));
    t.configure(json!({"handoff_time": "16:00"}));
    assert_eq!(t.tick_at("2026-11-23T15:59:59Z"), 0);
    assert_eq!(t.tick_at("2026-11-23T16:00:00Z"), 1);
    assert_eq!(t.tick_at("2026-11-23T16:00:01Z"), 0);
    let entry = &t.audited("rotation_triggered")[0];
    assert_eq!(entry.effective_date.unwrap().to_string(), "2026-11-23");
}

#[test]
fn handoffs_missed_while_the_daemon_was_down_are_caught_up_and_the_present_one_is_told() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let before = t.told();
    let t = t.restart_at("2026-12-14T11:00:00Z");
    assert_eq!(t.tick_at("2026-12-14T11:00:00Z"), 1);
    let entries = t.audited("rotation_triggered");
    let dates: Vec<_> = entries
        .iter()
        .map(|e| e.effective_date.unwrap().to_string())
        .collect();
    assert_eq!(dates, ["2026-12-14", "2026-12-07", "2026-11-30"]);
    assert!(
        entries
            .iter()
            .all(|entry| entry.metadata["catch_up"] == true)
    );
    // Channel, incoming and outgoing, of the last one alone.
    assert_eq!(t.told() - before, 3);
    assert_eq!(t.tick_at("2026-12-21T09:00:00Z"), 1);
    assert_eq!(
        t.audited("rotation_triggered")[0].metadata["catch_up"],
        Value::Null
    );
}

#[test]
fn a_downtime_beyond_the_lookahead_leaves_the_past_as_it_was() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let t = t.restart_at("2027-02-01T12:00:00Z");
    t.tick_at("2027-02-01T12:00:00Z");
    let skipped = t.audited("rotation_skipped");
    assert!(!skipped.is_empty() && skipped.iter().all(|e| e.metadata["catch_up"] == true));
    assert_eq!(t.who("2027-01-20"), "-");
    assert_ne!(t.who("2027-02-01"), "-");
    assert_eq!(t.audited("rotation_triggered").len() + skipped.len(), 10);
}

#[test]
fn the_lookahead_reaches_four_weeks_ahead_on_every_day() {
    for interval in ["daily", "weekly", "biweekly"] {
        let mut config = weekly();
        config["rotation_interval"] = interval.into();
        if interval == "daily" {
            config["handoff_day"] = Value::Null;
        }
        let t = Sandbox::new("2026-11-23T10:00:00Z", &config);
        for day in 0..40 {
            let now = instant("2026-11-23T10:00:00Z") + chrono::TimeDelta::days(day);
            t.tick_at(&now.to_rfc3339());
            let ahead = now.date_naive() + chrono::TimeDelta::days(28);
            assert_ne!(
                t.who(&ahead.to_string()),
                "-",
                "{interval}: {ahead} seen on {now}"
            );
        }
    }
}

#[test]
fn days_that_a_substitute_served_stay_theirs_when_the_override_is_cancelled() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let id = t.override_of("UX", "2026-11-24", "2026-11-29");
    t.clock.set(instant("2026-11-26T12:00:00Z"));
    t.decide(&id, "cancelled").unwrap();
    let who: Vec<_> = (23..30)
        .map(|day| t.who(&format!("2026-11-{day}")))
        .collect();
    assert_eq!(who, ["UA", "UX", "UX", "UA", "UA", "UA", "UA"]);
    let shown = overrides::get(&t.app, "t", &id).unwrap();
    assert_eq!(shown.status.to_string(), "cancelled");
}

#[test]
fn a_decision_never_changes_who_was_on_call() {
    let mut config = weekly();
    config["overrides_require_approval"] = true.into();
    let t = Sandbox::new("2026-11-23T10:00:00Z", &config);
    let (late, partly) = (
        t.override_of("UX", "2026-11-24", "2026-11-25"),
        t.override_of("UY", "2026-11-26", "2026-11-28"),
    );
    t.clock.set(instant("2026-11-27T12:00:00Z"));
    assert!(matches!(
        t.decide(&late, "approved"),
        Err(ActionError::BadTransition(_))
    ));
    t.decide(&late, "rejected").unwrap();
    t.decide(&partly, "approved").unwrap();
    let who: Vec<_> = (24..30)
        .map(|day| t.who(&format!("2026-11-{day}")))
        .collect();
    assert_eq!(who, ["UA", "UA", "UA", "UY", "UY", "UA"]);
}

#[test]
fn whoever_a_change_of_the_team_puts_on_call_at_once_is_told() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &json!({}));
    assert_eq!(t.told(), 0);
    t.configure(weekly());
    assert_eq!(t.who("2026-11-23"), "UA");
    assert_eq!(t.told(), 2, "the channel and UA");
    // A change that leaves who is on call tells nobody.
    let heavier = read(json!({"weight": 3.0}));
    members::update(&t.app, &t.ctx, "t", "UB", &heavier).unwrap();
    assert_eq!(t.told(), 2);
}

#[test]
fn a_published_horizon_never_reaches_beyond_a_year() {
    let mut config = weekly();
    config["rotation_start_date"] = "2035-01-01".into();
    let t = Sandbox::new("2026-11-23T10:00:00Z", &config);
    t.configure(json!({"rotation_start_date": "2026-11-23"}));
    let filter = read(json!({"origin": "auto"}));
    let rows = schedules::list(&t.app, "t", &filter, &Paging::default()).unwrap();
    assert!(rows.total <= 53, "{} rows", rows.total);
    let preview = rotation::preview(&t.app, "t", &read(json!({"weeks": 52}))).unwrap();
    assert_eq!(preview.items.len(), 52);
}

#[test]
fn the_last_admin_token_can_not_be_revoked_and_a_start_without_one_makes_one() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &json!({}));
    let file = t.home.path().join("admin.token");
    assert!(bootstrap::ensure_admin_token(&t.app, &file).unwrap());
    let revoked = tokens::delete(&t.app, &t.ctx, "admin");
    assert!(matches!(revoked, Err(ActionError::Conflict { .. })));
    let brief = read(json!({
        "name": "brief", "role": "admin", "expires_at": "2026-11-24T00:00:00Z",
    }));
    tokens::create(&t.app, &t.ctx, &brief).unwrap();
    tokens::delete(&t.app, &t.ctx, "admin").unwrap();
    assert!(!bootstrap::ensure_admin_token(&t.app, &file).unwrap());
    t.clock.set(instant("2026-11-25T00:00:00Z"));
    assert!(bootstrap::ensure_admin_token(&t.app, &file).unwrap());
    let secret = std::fs::read_to_string(&file).unwrap();
    let token = tokens::recognise(&t.app, secret.trim()).unwrap().unwrap();
    assert_eq!(token.role, Role::Admin);
}

#[test]
fn a_write_that_panics_is_undone_and_stops_nothing_else() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let failed = t.app.write(&t.ctx, |tx| -> Result<(), ActionError> {
        tx.audit(tx.ctx.event(
            oncalld::domain::audit::EntityType::System,
            oncalld::domain::audit::Action::Created,
        ))?;
        panic!("a bug")
    });
    std::panic::set_hook(hook);
    assert!(failed.unwrap_err().to_string().contains("a bug"));
    let entries = audit::verify(&t.app).unwrap().entries;
    assert_eq!(t.tick_at("2026-11-30T09:00:00Z"), 1);
    assert_eq!(audit::verify(&t.app).unwrap().entries, entries + 1);
}
