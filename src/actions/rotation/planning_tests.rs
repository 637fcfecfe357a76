//! Plugins are asked while others may write, once each, about the team as it then is.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::handoff;
use crate::actions::admin::audit;
use crate::actions::testing::{LastInRing, join, read};
use crate::actions::{members, rotation, teams};
use crate::app::{App, Ctx, Settings};
use crate::clock::ManualClock;
use crate::store::Store;
use crate::wire::Paging;
use crate::wire::rotation::ShiftView;

/// Core, with Ann and Bob, on a Wednesday; handed off by the plugin on Mondays.
fn core() -> (App, LastInRing, Arc<ManualClock>) {
    let plugin = LastInRing::default();
    let clock = Arc::new(ManualClock::new("2026-11-25T12:00:00Z".parse().unwrap()));
    let settings = Settings {
        plugins: Arc::new(plugin.clone()),
        ..Settings::default()
    };
    let app = crate::actions::start(Store::in_memory().unwrap(), clock.clone(), settings);
    teams::create(&app, &Ctx::system(), &read(json!({"name": "Core"}))).unwrap();
    join(&app, "UANN");
    join(&app, "UBOB");
    let rotation = json!({"rotation_enabled": true, "rotation_type": "plugin:last",
        "rotation_start_date": "2026-11-23", "handoff_day": 0, "handoff_time": "09:00"});
    teams::update(&app, &Ctx::system(), "core", &read(rotation)).unwrap();
    (app, plugin, clock)
}

/// Who is planned from next Monday on, and whether by the plugin.
fn planned(app: &App) -> Vec<(String, bool)> {
    let request = read(json!({"weeks": 3}));
    let view = rotation::generate(app, &Ctx::system(), "core", &request).unwrap();
    let shift = |item: &ShiftView| {
        let error = item.explanation.as_ref().unwrap().strategy_error.as_ref();
        (item.engineer_slack_id.clone(), error.is_none())
    };
    view.items.iter().skip(1).map(shift).collect()
}

fn by_plugin<const N: usize>(users: [&str; N]) -> Vec<(String, bool)> {
    users.map(|user| (user.to_owned(), true)).to_vec()
}

/// Whether another thread can write now.
fn others_can_write(app: &App, team: &'static str) -> bool {
    let (app, (done, is_done)) = (app.clone(), mpsc::channel());
    thread::spawn(move || {
        let input = read(json!({"name": team}));
        teams::create(&app, &Ctx::system(), &input).unwrap();
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(5)).is_ok()
}

#[test]
fn others_write_while_a_plugin_is_asked() {
    let (app, plugin, clock) = core();
    let could = Arc::new(Mutex::new(Vec::new()));
    for (team, act) in [
        ("On a change", join as fn(&App, &str)),
        ("At a handoff", |app, _| {
            assert_eq!(handoff::tick(app).unwrap().handed_off, 1);
        }),
    ] {
        clock.set(app.now() + TimeDelta::days(7));
        let (other, could) = (app.clone(), could.clone());
        plugin.meanwhile(move || could.lock().unwrap().push(others_can_write(&other, team)));
        act(&app, "UCYD");
    }
    assert_eq!(*could.lock().unwrap(), [true, true]);
}

#[test]
fn a_plugin_is_asked_twice_about_each_period_however_often_the_write_is_tried() {
    let (app, plugin, _) = core();
    plugin.asked.store(0, Ordering::Relaxed);
    assert_eq!(planned(&app), by_plugin(["UBOB"; 3]));
    // Four weeks are kept ahead.
    assert_eq!(plugin.asked.load(Ordering::Relaxed), 2 * 4);
}

#[test]
fn what_changes_while_a_plugin_is_asked_is_planned_for() {
    let (app, plugin, _) = core();
    let other = app.clone();
    plugin.meanwhile(move || join(&other, "UDAN"));
    join(&app, "UCYD");
    // Both joined in the same instant; what was answered without Dan is of no use.
    assert_eq!(planned(&app), by_plugin(["UDAN"; 3]));
}

#[test]
fn a_change_waits_for_a_plugin_that_is_loading_and_a_handoff_comes_later() {
    let (app, plugin, clock) = core();
    plugin.is_loading.store(true, Ordering::Relaxed);
    clock.set("2026-11-30T12:00:00Z".parse().unwrap());
    assert_eq!(handoff::tick(&app).unwrap().handed_off, 0);
    plugin.is_loading.store(false, Ordering::Relaxed);
    assert_eq!(handoff::tick(&app).unwrap().handed_off, 1);
    plugin.is_loading.store(true, Ordering::Relaxed);
    join(&app, "UCYD");
    assert!(!plugin.is_loading.load(Ordering::Relaxed));
    assert_eq!(planned(&app), by_plugin(["UCYD"; 2]));
}

/// Whenever the plugin is asked, somebody else joins: no answer fits what it's needed for.
fn keep_joining(app: &App, plugin: &LastInRing, number: usize) {
    let (other, again) = (app.clone(), plugin.clone());
    plugin.meanwhile(move || {
        join(&other, &format!("UX{number}"));
        keep_joining(&other, &again, number + 1);
    });
}

#[test]
fn what_a_plugin_has_not_answered_after_some_rounds_falls_back_and_is_told() {
    let (app, plugin, _) = core();
    keep_joining(&app, &plugin, 0);
    // Were it asked within the write, nobody could join meanwhile, and this would not end.
    join(&app, "UCYD");
    let query = read(json!({"team": "core", "action": "rotation_failed"}));
    let failed = audit::list(&app, &query, &Paging::default()).unwrap();
    let reason = failed
        .items
        .first()
        .and_then(|entry| entry.change_reason.clone());
    assert!(reason.unwrap().contains("not asked in time"));
    // The fallback is no last word.
    *plugin.meanwhile.lock().unwrap() = None;
    assert!(planned(&app).iter().all(|(_, is_by_plugin)| *is_by_plugin));
}

#[test]
fn teams_without_plugins_are_handed_off_whatever_plugins_do() {
    let (app, plugin, clock) = core();
    let plain = json!({"name": "Plain", "rotation_enabled": true, "handoff_day": 0,
        "rotation_start_date": "2026-11-23", "handoff_time": "09:00"});
    teams::create(&app, &Ctx::system(), &read(plain)).unwrap();
    let member = read(json!({"slack_user_id": "UZOE"}));
    members::put(&app, &Ctx::system(), "plain", &member).unwrap();
    clock.set("2026-11-30T12:00:00Z".parse().unwrap());
    plugin.asked.store(0, Ordering::Relaxed);
    assert_eq!(handoff::tick_without_plugins(&app).unwrap().handed_off, 1);
    assert_eq!(plugin.asked.load(Ordering::Relaxed), 0);
    assert_eq!(handoff::tick_of_plugins(&app).unwrap().handed_off, 1);
    assert!(plugin.asked.load(Ordering::Relaxed) > 0);
}
