//! A team in process, on a clock that is set by hand.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use oncalld::actions::admin::audit;
use oncalld::actions::members::time_off;
use oncalld::actions::messages::{lookout, notifications};
use oncalld::actions::rotation::handoff;
use oncalld::actions::schedules::assign::assign_now;
use oncalld::actions::{members, oncall, overrides, teams};
use oncalld::app::{ActionError, Actor, App, Ctx, Settings, Source};
use oncalld::clock::{Clock, ManualClock};
use oncalld::domain::ids::TokenId;
use oncalld::domain::token::Role;
use oncalld::store::Store;
use oncalld::wire::Paging;
use oncalld::wire::audit::{AuditQuery, AuditView};
use oncalld::wire::notification::NotificationView;
use oncalld::wire::oncall::{OnCall, OnCallQuery};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub struct Sandbox {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub ctx: Ctx,
    pub home: tempfile::TempDir,
}

pub fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl Sandbox {
    /// A team `t` of UA, UB and UC, from this instant on.
    pub fn new(now: &str, config: &Value) -> Self {
        Self::with(now, config, Settings::default())
    }

    /// The same, with settings of its own.
    pub fn with(now: &str, config: &Value, settings: Settings) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(instant(now)));
        let store = Store::open(&home.path().join("store.redb")).unwrap();
        let app = oncalld::actions::start(store, clock.clone(), settings);
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
    pub fn restart_at(self, now: &str) -> Self {
        let settings = self.app.settings().clone();
        self.restart_with(now, settings)
    }

    /// The same, with other settings.
    pub fn restart_with(self, now: &str, settings: Settings) -> Self {
        self.clock.set(instant(now));
        self.reopen(settings, |_| {})
    }

    /// Reopens the store, after something was done to it behind the application's back.
    fn reopen(self, settings: Settings, change: impl FnOnce(&Store)) -> Self {
        let Self {
            app,
            clock,
            ctx,
            home,
        } = self;
        drop(app);
        let store = Store::open(&home.path().join("store.redb")).unwrap();
        change(&store);
        let app = oncalld::actions::start(store, clock.clone(), settings);
        Self {
            app,
            clock,
            ctx,
            home,
        }
    }

    /// The same, as if nobody had been told anything so far.
    pub fn forget_what_was_told(self) -> Self {
        self.reopen(Settings::default(), |store| {
            let forget = |tx: &mut oncalld::store::WriteTx| {
                for team in oncalld::store::teams::list(tx)? {
                    oncalld::store::told::put(tx, team.id, None)?;
                }
                Ok::<_, oncalld::store::StoreError>(())
            };
            store.write(forget).unwrap();
        })
    }

    pub fn tick_at(&self, now: &str) -> usize {
        self.clock.set(instant(now));
        let handed_off = handoff::tick(&self.app).unwrap().handed_off;
        lookout::tick(&self.app).unwrap();
        handed_off
    }

    pub fn configure(&self, config: Value) {
        teams::update(&self.app, &self.ctx, "t", &read(config)).unwrap();
    }

    pub fn on(&self, date: &str) -> OnCall {
        let query: OnCallQuery = read(json!({"team": "t", "date": date}));
        oncall::answer(&self.app, &query).unwrap()
    }

    pub fn who(&self, date: &str) -> String {
        self.on(date)
            .engineer_slack_id
            .unwrap_or_else(|| "-".to_owned())
    }

    pub fn audited(&self, action: &str) -> Vec<AuditView> {
        let query: AuditQuery = read(json!({"action": action}));
        audit::list(&self.app, &query, &Paging::default())
            .unwrap()
            .items
    }

    pub fn told(&self) -> usize {
        self.messages().len()
    }

    /// `event recipient` of every notification, oldest first.
    pub fn messages(&self) -> Vec<String> {
        let (filter, mut paging) = (read(json!({})), Paging::default());
        let mut messages = Vec::new();
        loop {
            let page = notifications::list(&self.app, &self.ctx, &filter, &paging).unwrap();
            let text = |row: &NotificationView| format!("{} {}", row.event, row.recipient);
            messages.extend(page.items.iter().map(text));
            if messages.len() == page.total {
                messages.reverse();
                return messages;
            }
            paging.page = Some(page.page + 1);
        }
    }

    /// The messages that `f` brings about, by name.
    pub fn messages_of<T>(&self, f: impl FnOnce(&Self) -> T) -> Vec<String> {
        let before = self.told();
        f(self);
        let mut new = self.messages().split_off(before);
        new.sort_unstable();
        new
    }

    pub fn take_off(&self, user: &str, start: &str, end: &str) -> String {
        let input = read(json!({"start_date": start, "end_date": end}));
        let row = time_off::create(&self.app, &self.ctx, user, &input).unwrap();
        row.id.to_string()
    }

    pub fn override_of(&self, substitute: &str, start: &str, end: &str) -> String {
        let input = read(json!({
            "substitute_slack_id": substitute, "start_date": start, "end_date": end,
        }));
        overrides::request(&self.app, &self.ctx, "t", &input)
            .unwrap()
            .id
            .to_string()
    }

    pub fn assign(&self, user: &str) {
        let input = read(json!({"engineer_slack_id": user}));
        assign_now(&self.app, &self.ctx, "t", &input).unwrap();
    }

    pub fn decide(&self, id: &str, status: &str) -> Result<(), ActionError> {
        let decision = read(json!({"status": status}));
        overrides::decide(&self.app, &self.ctx, "t", id, &decision).map(drop)
    }
}

/// A weekly rotation that hands off on Mondays at 09:00 UTC. 2026-11-23 is one.
pub fn weekly() -> Value {
    json!({"rotation_enabled": true, "handoff_day": 0, "handoff_time": "09:00"})
}
