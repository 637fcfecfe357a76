//! Who is told what of who is on call, whatever brings it about, and in whatever order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::actions::admin::audit;
use crate::actions::messages::notifications;
use crate::actions::rotation::handoff;
use crate::actions::schedules::assign::assign_now;
use crate::actions::testing::{LastInRing, join, read, start_refusing};
use crate::actions::{members, overrides, teams};
use crate::app::Settings;
use crate::clock::ManualClock;
use crate::wire::Paging;
use crate::wire::notification::NotificationView;

#[cfg(test)]
#[path = "lookout/walk_tests.rs"]
mod walk;

/// Core, with Ann and Bob in this order: handed off at 09:00 UTC, on Mondays. It's a Wednesday,
/// and Ann is on call.
struct Core {
    app: App,
    clock: Arc<ManualClock>,
    plugin: LastInRing,
    refuses_handoffs: Arc<AtomicBool>,
    ctx: Ctx,
}

impl Core {
    fn new(config: &Value) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-25T12:00:00Z".parse().unwrap()));
        let plugin = LastInRing::default();
        let settings = Settings {
            plugins: Arc::new(plugin.clone()),
            admins: vec!["UADMIN".parse().unwrap()],
            reminder_hours: 0,
            ..Settings::default()
        };
        let (app, refuses_handoffs) = start_refusing(clock.clone(), settings);
        let ctx = Ctx::system();
        let mut team = json!({"name": "Core", "slack_channel_id": "C1"});
        let fields = team.as_object_mut().unwrap();
        fields.extend(config.as_object().unwrap().clone());
        teams::create(&app, &ctx, &read(team)).unwrap();
        let core = Self {
            app,
            clock,
            plugin,
            refuses_handoffs,
            ctx,
        };
        join(&core.app, "UANN");
        core.pass(1);
        join(&core.app, "UBOB");
        core
    }

    fn weekly() -> Self {
        Self::new(
            &json!({"rotation_enabled": true, "rotation_start_date": "2026-11-23",
            "handoff_day": 0, "handoff_time": "09:00"}),
        )
    }

    fn by_plugin() -> Self {
        let core = Self::weekly();
        core.configure(json!({"rotation_type": "plugin:last"}));
        core
    }

    fn pass(&self, seconds: i64) {
        let later = self.app.now() + chrono::TimeDelta::seconds(seconds);
        self.clock.set(later);
    }

    fn at(&self, now: &str) -> &Self {
        self.clock.set(now.parse().unwrap());
        self
    }

    fn configure(&self, config: Value) {
        teams::update(&self.app, &self.ctx, "core", &read(config)).unwrap();
    }

    fn assign(&self, user: &str) {
        let input = json!({"engineer_slack_id": user, "reason": format!("{user} it is")});
        assign_now(&self.app, &self.ctx, "core", &read(input)).unwrap();
    }

    fn override_of(&self, user: &str, start: &str, end: &str) {
        let input = json!({"substitute_slack_id": user, "start_date": start, "end_date": end,
            "reason": "a swap"});
        overrides::request(&self.app, &self.ctx, "core", &read(input)).unwrap();
    }

    fn hand_off(&self) -> usize {
        handoff::tick(&self.app).unwrap().handed_off
    }

    fn look(&self) {
        assert!(tick(&self.app).unwrap().is_empty());
    }

    /// Oldest first.
    fn notifications(&self) -> Vec<NotificationView> {
        let mut found = Vec::new();
        let mut paging = Paging {
            page: Some(1),
            page_size: Some(200),
        };
        loop {
            let page = notifications::list(&self.app, &self.ctx, &read(json!({})), &paging);
            let page = page.unwrap();
            found.extend(page.items);
            if found.len() == page.total {
                found.reverse();
                return found;
            }
            paging.page = Some(page.page + 1);
        }
    }

    /// The notifications that `f` brings about.
    fn news(&self, f: impl FnOnce(&Self)) -> Vec<NotificationView> {
        let before = self.notifications().len();
        f(self);
        self.notifications().split_off(before)
    }

    /// The same, as `event recipient`.
    fn told(&self, f: impl FnOnce(&Self)) -> Vec<String> {
        let text = |n: &NotificationView| format!("{} {}", n.event, n.recipient);
        self.news(f).iter().map(text).collect()
    }
}

/// What is told where one person takes over from another.
fn change(from: &str, to: &str) -> [String; 3] {
    [
        "handoff C1".to_owned(),
        format!("shift_started {to}"),
        format!("shift_ended {from}"),
    ]
}

const TURN: [&str; 2] = ["handoff C1", "shift_started UBOB"];
const NONE: [&str; 0] = [];

#[test]
fn whoever_is_assigned_before_the_tick_takes_over_from_who_was_told_and_the_handoff_adds_nothing() {
    let core = Core::weekly();
    core.at("2026-11-30T09:00:10Z");
    let assigned = core.told(|core| core.assign("UCAT"));
    // By the rows it was Bob, for ten seconds; nobody has told him.
    assert_eq!(assigned, change("UANN", "UCAT"));
    let handed_off = core.told(|core| {
        assert_eq!(core.hand_off(), 1);
        core.look();
    });
    assert_eq!(handed_off, NONE);
}

#[test]
fn while_a_handoff_fails_whoever_is_on_call_is_told_at_once_and_only_then() {
    let core = Core::weekly();
    core.refuses_handoffs.store(true, Ordering::Relaxed);
    core.at("2026-11-30T09:00:00Z");
    let failed = core.told(|core| assert_eq!(core.hand_off(), 0));
    assert_eq!(failed, NONE, "it left no trace");
    assert_eq!(core.told(Core::look), change("UANN", "UBOB"));
    assert_eq!(core.told(Core::look), NONE);
    core.pass(600);
    let assigned = core.told(|core| core.assign("UCAT"));
    assert_eq!(assigned, change("UBOB", "UCAT"));
    core.refuses_handoffs.store(false, Ordering::Relaxed);
    let handed_off = core.told(|core| {
        assert_eq!(core.hand_off(), 1);
        core.look();
    });
    assert_eq!(handed_off, NONE);
}

#[test]
fn while_a_plugin_is_loading_whoever_is_on_call_is_told_at_once_and_only_then() {
    let core = Core::by_plugin();
    core.plugin.is_loading.store(true, Ordering::Relaxed);
    core.at("2026-11-30T09:00:00Z");
    let waiting = core.told(|core| {
        assert_eq!(core.hand_off(), 0);
        core.look();
    });
    assert_eq!(waiting, change("UANN", "UBOB"));
    // An override asks for no plan, so that it doesn't wait for the plugin.
    let swapped = core.told(|core| core.override_of("UCAT", "2026-11-30", "2026-11-30"));
    let decided = "override_decided UCAT".to_owned();
    assert_eq!(swapped, [&[decided][..], &change("UBOB", "UCAT")].concat());
    core.plugin.is_loading.store(false, Ordering::Relaxed);
    let handed_off = core.told(|core| {
        assert_eq!(core.hand_off(), 1);
        core.look();
    });
    assert_eq!(handed_off, NONE);
}

#[test]
fn whoever_stays_on_for_another_period_is_told_once_a_period() {
    let core = Core::by_plugin();
    core.at("2026-11-30T09:00:00Z").hand_off();
    for day in ["2026-12-07", "2026-12-14"] {
        core.at(&format!("{day}T09:00:00Z"));
        // They are on call as before: that is the handoff's to tell.
        assert_eq!(core.told(Core::look), NONE);
        assert_eq!(core.told(|core| assert_eq!(core.hand_off(), 1)), TURN);
        assert_eq!(core.told(|core| assert_eq!(core.hand_off(), 0)), NONE);
        core.pass(3600);
        let configured = core.told(|core| core.configure(json!({"description": day})));
        assert_eq!(configured, NONE);
    }
}

#[test]
fn an_override_that_begins_on_the_day_of_a_handoff_is_told_once_whoever_comes_first() {
    for looks_first in [true, false] {
        let core = Core::weekly();
        core.override_of("UCAT", "2026-11-30", "2026-12-01");
        core.at("2026-11-30T09:00:00Z");
        let told = core.told(|core| {
            if looks_first {
                core.look();
            }
            assert_eq!(core.hand_off(), 1);
            core.look();
        });
        assert_eq!(told, change("UANN", "UCAT"));
        core.at("2026-12-02T09:00:00Z");
        assert_eq!(core.told(Core::look), change("UCAT", "UBOB"));
    }
}

#[test]
fn nobody_is_told_that_nobody_is_on_call_while_a_handoff_may_have_them_stay_on() {
    let core = Core::weekly();
    for user in ["UANN", "UBOB"] {
        let ineligible = read(json!({"is_eligible_for_oncall": false}));
        members::update(&core.app, &core.ctx, "core", user, &ineligible).unwrap();
    }
    core.at("2026-11-30T09:00:00Z");
    assert_eq!(core.told(Core::look), NONE);
    let handed_off = core.told(|core| assert_eq!(core.hand_off(), 1));
    // Ann stays on, and knows that she is.
    assert_eq!(handed_off, ["rotation_skipped C1"]);
    assert_eq!(core.told(Core::look), NONE);
    // With the rotation off, no handoff comes: her hold ends with the period.
    core.configure(json!({"rotation_enabled": false}));
    core.at("2026-12-07T09:00:00Z");
    let ended = core.told(Core::look);
    assert_eq!(ended, ["handoff C1", "shift_ended UANN"]);
}

#[test]
fn a_reason_is_given_for_what_it_is_the_reason_of() {
    let core = Core::weekly();
    let reasons = |news: Vec<NotificationView>| {
        let news = news.into_iter().filter(|n| n.event == Event::Handoff);
        news.map(|n| n.payload["reason"].clone())
            .collect::<Vec<_>>()
    };
    core.at("2026-11-30T09:00:10Z");
    // For next week; that Bob is on call now is the rotation's doing.
    let later = core.news(|core| core.override_of("UCAT", "2026-12-07", "2026-12-08"));
    assert_eq!(reasons(later), [Value::Null]);
    let now = core.news(|core| core.assign("UCAT"));
    assert_eq!(reasons(now), ["UCAT it is"]);
    // What falls due before a change of config is handed off in the same write, and told as what it is.
    core.at("2026-12-09T09:00:00Z").look();
    core.hand_off();
    core.at("2026-12-14T09:00:10Z");
    let configured = core.news(|core| core.configure(json!({"rotation_interval": "biweekly"})));
    assert_eq!(reasons(configured), [Value::Null]);
}

#[test]
fn a_team_that_is_deleted_has_nobody_on_call_and_one_that_is_restored_has() {
    let core = Core::weekly();
    let set = |is_active: bool| {
        core.news(|core| {
            core.pass(60);
            core.configure(json!({"is_active": is_active}));
        })
    };
    let texts = |news: &[NotificationView]| {
        let text = |n: &NotificationView| {
            let (event, who, why) = (n.event, &n.recipient, &n.payload["reason"]);
            format!("{event} {who}: {}", why.as_str().unwrap())
        };
        news.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        texts(&set(false)),
        [
            "handoff C1: the team was deleted",
            "shift_ended UANN: the team was deleted"
        ]
    );
    assert_eq!(
        texts(&set(true)),
        [
            "handoff C1: the team was restored",
            "shift_started UANN: the team was restored"
        ]
    );
}

/// Has what was told of the team be unreadable.
fn damage(core: &Core) {
    let damaged = core.app.write(&core.ctx, |tx| {
        let team = store::teams::find_by_slug(tx.store, "core")?;
        let team = team.expect("it is there").id;
        Ok(store::told::damage(tx.store, team)?)
    });
    damaged.unwrap();
}

#[test]
fn a_change_goes_through_where_what_was_told_cannot_be_read() {
    let core = Core::weekly();
    damage(&core);
    let told = core.told(|core| {
        join(&core.app, "UCAT");
        join(&core.app, "UDAN");
    });
    // Told to the admins once; nobody hears a second time what they were told before.
    assert_eq!(told, ["rotation_failed UADMIN"]);
    let query = read(json!({"team": "core", "action": "records_lost"}));
    let lost = audit::list(&core.app, &query, &Paging::default()).unwrap();
    assert_eq!(lost.total, 1);
    core.look();
}

#[test]
fn what_a_write_brings_is_told_though_what_was_told_before_cannot_be_read() {
    let lost = "rotation_failed UADMIN".to_owned();
    let core = Core::weekly();
    damage(&core);
    core.at("2026-11-30T09:00:00Z");
    let handed_off = core.told(|core| assert_eq!(core.hand_off(), 1));
    assert_eq!(
        handed_off,
        [&[lost.clone()][..], &change("UANN", "UBOB")].concat()
    );
    damage(&core);
    let assigned = core.told(|core| core.assign("UCAT"));
    assert_eq!(assigned, [&[lost][..], &change("UBOB", "UCAT")].concat());
    assert_eq!(core.told(Core::look), NONE);
}

#[test]
fn a_handoff_that_fails_is_told_to_leads_and_channel_as_a_strategy_that_fails_is() {
    let core = Core::weekly();
    let lead = read(json!({"team_role": "lead"}));
    members::update(&core.app, &core.ctx, "core", "UBOB", &lead).unwrap();
    core.refuses_handoffs.store(true, Ordering::Relaxed);
    core.at("2026-11-30T09:00:00Z");
    let failed = handoff::tick(&core.app).unwrap().failed;
    let news = core.news(|core| handoff::record_failed(&core.app, &failed).unwrap());
    let failures: Vec<_> = news
        .iter()
        .filter(|n| n.event == Event::RotationFailed)
        .map(|n| (n.recipient.as_str(), n.payload["failed"].as_str().unwrap()))
        .collect();
    assert_eq!(failures, [("C1", "handoff"), ("UBOB", "handoff")]);
    assert_eq!(news[0].payload["error"], "handoffs are refused");
    let query = read(json!({"team": "core", "action": "rotation_failed"}));
    let audited = audit::list(&core.app, &query, &Paging::default()).unwrap();
    let reason = audited.items[0].change_reason.as_deref();
    assert_eq!((audited.total, reason), (1, Some("handoffs are refused")));
}
