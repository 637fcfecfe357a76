#![no_main]
//! Any sequence of requests, a line each: a letter for the action, then its JSON. Whatever is
//! asked, the audit log stays whole, and the auto shifts of the team don't overlap.

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use oncalld::actions::admin::audit;
use oncalld::actions::members::time_off;
use oncalld::actions::rotation::{fairness, handoff};
use oncalld::actions::schedules::assign;
use oncalld::actions::{members, overrides, rotation, schedules, services, teams};
use oncalld::app::{App, Ctx, Settings};
use oncalld::clock::ManualClock;
use oncalld::store::Store;
use oncalld::wire::Paging;
use serde_json::from_slice as read;

fuzz_target!(|bytes: &[u8]| {
    let start = "2026-11-23T12:00:00Z".parse().expect("an instant");
    let clock = Arc::new(ManualClock::new(start));
    let store = Store::in_memory().expect("a store");
    let app = oncalld::actions::start(store, clock.clone(), Settings::default());
    let ctx = Ctx::system();
    let mut now = start;
    let _ = teams::create(&app, &ctx, &read(br#"{"name": "t"}"#).expect("a team"));
    for line in bytes.split(|byte| *byte == b'\n').take(24) {
        let Some((action, json)) = line.split_first() else {
            continue;
        };
        request(&app, &ctx, *action, json);
        if *action == b'+' {
            now += chrono_days(json.len());
            clock.set(now);
            handoff::tick(&app).expect("handoffs don't fail");
        }
    }
    audit::verify(&app).expect("the audit log is whole");
    let filter = read(br#"{"origin": "auto"}"#).expect("a filter");
    let paging = Paging {
        page: None,
        page_size: Some(200),
    };
    let shifts = schedules::list(&app, "t", &filter, &paging)
        .expect("lists")
        .items;
    for pair in shifts.windows(2) {
        assert!(pair[0].end_date < pair[1].start_date, "{pair:#?}");
    }
});

fn chrono_days(days: usize) -> std::time::Duration {
    std::time::Duration::from_secs(days.min(60) as u64 * 86_400)
}

fn request(app: &App, ctx: &Ctx, action: u8, json: &[u8]) {
    match action {
        b't' => drop(read(json).map(|input| teams::update(app, ctx, "t", &input))),
        b'T' => drop(read(json).map(|input| teams::create(app, ctx, &input))),
        b'm' => drop(read(json).map(|input| members::put(app, ctx, "t", &input))),
        b's' => drop(read(json).map(|input| schedules::create(app, ctx, "t", &input))),
        b'a' => drop(read(json).map(|input| assign::assign_now(app, ctx, "t", &input))),
        b'o' => drop(read(json).map(|input| overrides::request(app, ctx, "t", &input))),
        b'f' => drop(read(json).map(|input| time_off::create(app, ctx, "UA", &input))),
        b'S' => drop(read(json).map(|input| services::create(app, ctx, &input))),
        b'g' => drop(read(json).map(|input| rotation::generate(app, ctx, "t", &input))),
        b'p' => drop(read(json).map(|input| rotation::preview(app, "t", &input))),
        b'r' => drop(read(json).map(|range| fairness::report(app, "t", &range))),
        _ => {}
    }
}
