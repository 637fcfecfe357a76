//! What the daemon does by itself as time goes by.

use chrono::{DateTime, Utc};
use oncalld::actions::rotation::zone_rules;
use oncalld::actions::{members, schedules};
use oncalld::app::Settings;
use oncalld::store::{Store, rotation as rotation_state};
use oncalld::wire::Paging;
use serde_json::{Value, json};

use crate::harness::sandbox::{Sandbox, instant, read, weekly};

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
    // Of the last one alone: channel and incoming, whom nobody told of a shift that ended.
    assert_eq!(t.messages()[before..], ["handoff C1", "shift_started UA"]);
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
fn without_a_candidate_whoever_was_on_call_stays_on_and_the_leads_are_told() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    members::update(
        &t.app,
        &t.ctx,
        "t",
        "UC",
        &read(json!({"team_role": "lead"})),
    )
    .unwrap();
    for user in ["UA", "UB", "UC"] {
        let ineligible = read(json!({"is_eligible_for_oncall": false}));
        members::update(&t.app, &t.ctx, "t", user, &ineligible).unwrap();
    }
    assert_eq!(t.who("2026-11-30"), "-", "the gap shows ahead of time");
    let before = t.told();
    assert_eq!(t.tick_at("2026-11-30T09:00:00Z"), 1);
    assert_eq!(t.tick_at("2026-12-02T09:00:00Z"), 0);
    let skipped = t.audited("rotation_skipped");
    assert_eq!(skipped.len(), 1, "once a period");
    assert_eq!(skipped[0].engineer_slack_id.as_deref(), Some("UA"));
    assert_eq!(t.told() - before, 2, "the channel and the lead");
    assert_eq!(t.who("2026-12-06"), "UA");
    let filter = read(json!({"origin": "auto", "from": "2026-11-30"}));
    let rows = schedules::list(&t.app, "t", &filter, &Paging::default())
        .unwrap()
        .items;
    let explanation = rows[0].explanation.as_ref().unwrap();
    assert!(rows.len() == 1 && explanation.hold);
    assert_eq!(explanation.passed_over.len(), 3);
    // With somebody to pick again, the next period is a turn as any other.
    let eligible = read(json!({"is_eligible_for_oncall": true}));
    members::update(&t.app, &t.ctx, "t", "UB", &eligible).unwrap();
    assert_eq!(t.who("2026-12-06"), "UA", "the running period stands");
    assert_eq!(t.who("2026-12-07"), "UB");
}

#[test]
fn a_strategy_that_can_not_be_had_is_audited_and_round_robin_steps_in() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let (clock, home, ctx) = (t.clock, t.home, t.ctx);
    drop(t.app);
    let store = Store::open(&home.path().join("store.redb")).unwrap();
    // As after a restart with a plugin that is gone.
    let written = store.write(|tx| {
        let mut team = oncalld::store::teams::list(tx)?.remove(0);
        team.rotation.kind = "plugin:gone".parse().expect("a rotation type");
        oncalld::store::teams::put(tx, &team)
    });
    written.unwrap();
    let app = oncalld::actions::start(store, clock.clone(), Settings::default());
    let t = Sandbox {
        app,
        clock,
        ctx,
        home,
    };
    assert_eq!(t.tick_at("2026-11-30T09:00:00Z"), 1);
    let failed = &t.audited("rotation_failed")[0];
    assert!(
        failed
            .change_reason
            .as_ref()
            .unwrap()
            .contains("plugin:gone")
    );
    assert_eq!(t.audited("rotation_triggered").len(), 1);
    assert_ne!(t.who("2026-12-30"), "-");
}

#[test]
fn new_zone_rules_that_move_handoffs_are_audited_and_told() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let (clock, home, ctx) = (t.clock, t.home, t.ctx);
    drop(t.app);
    let store = Store::open(&home.path().join("store.redb")).unwrap();
    // As if older rules had put every handoff but the first an hour later.
    let older = store.write(|tx| {
        let team = oncalld::store::teams::list(tx)?.remove(0).id;
        let mut state = rotation_state::state(tx, team)?;
        let later = |at: &mut DateTime<Utc>| *at += chrono::TimeDelta::hours(1);
        state.upcoming.iter_mut().skip(1).for_each(later);
        rotation_state::put_state(tx, team, &state)?;
        oncalld::store::meta::set_zone_rules(tx, "2001a")?;
        Ok::<_, oncalld::store::StoreError>(state.upcoming)
    });
    let older = older.unwrap().value;
    let app = oncalld::actions::start(store, clock.clone(), Settings::default());
    let t = Sandbox {
        app,
        clock,
        ctx,
        home,
    };
    let before = t.told();
    assert_eq!(zone_rules::apply(&t.app).unwrap(), 1);
    assert_eq!(zone_rules::apply(&t.app).unwrap(), 0, "once");
    let entry = &t.audited("handoff_moved")[0];
    let moved = entry.changes["handoffs_at"]["old"].as_array().unwrap();
    assert_eq!(moved.len(), older.len() - 1);
    assert_eq!(moved[0], json!(older[1]));
    assert_eq!(
        entry.changes["handoffs_at"]["new"][0],
        "2026-12-07T09:00:00Z"
    );
    assert_eq!(t.told() - before, 1, "the channel; the team has no lead");
}
