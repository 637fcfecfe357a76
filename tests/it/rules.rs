//! Rules that only show as time goes by.

use oncalld::actions::admin::{audit, bootstrap, tokens};
use oncalld::actions::messages::deliveries;
use oncalld::actions::{members, overrides, rotation, schedules};
use oncalld::app::ActionError;
use oncalld::domain::audit::{Action, EntityType};
use oncalld::domain::ids::OverrideId;
use oncalld::domain::token::Role;
use oncalld::store;
use oncalld::wire::Paging;
use serde_json::json;

use crate::harness::sandbox::{Sandbox, instant, read, weekly};

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
    // And the lookahead grows again from there.
    for week in 1..60 {
        let now = instant("2026-11-23T10:00:00Z") + chrono::TimeDelta::weeks(week);
        t.tick_at(&now.to_rfc3339());
        let ahead = now.date_naive() + chrono::TimeDelta::days(28);
        assert_ne!(t.who(&ahead.to_string()), "-", "{ahead} seen on {now}");
    }
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
    assert_eq!(token.token().role, Role::Admin);
}

#[test]
fn a_write_that_panics_is_undone_and_stops_nothing_else() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &weekly());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let failed = t.app.write(&t.ctx, |tx| -> Result<(), ActionError> {
        tx.record(EntityType::System, Action::Created).write()?;
        panic!("a bug")
    });
    std::panic::set_hook(hook);
    assert!(failed.unwrap_err().to_string().contains("a bug"));
    let entries = audit::verify(&t.app).unwrap().entries;
    assert_eq!(t.tick_at("2026-11-30T09:00:00Z"), 1);
    assert_eq!(audit::verify(&t.app).unwrap().entries, entries + 1);
}

#[test]
fn who_was_asked_about_an_override_is_known_while_something_may_become_of_it() {
    let t = Sandbox::new("2026-11-23T10:00:00Z", &json!({}));
    let asked = |days: &str| {
        let wish = json!({"substitute_slack_id": "UB", "start_date": days});
        let made = overrides::request(&t.app, &t.ctx, "t", &read(wish)).unwrap();
        OverrideId::from_uuid(made.id)
    };
    t.configure(json!({"overrides_require_approval": true}));
    let (soon, late) = (asked("2026-11-24"), asked("2027-03-01"));
    let known = |about| {
        let requests = t
            .app
            .read(|tx| Ok(store::outbox::list_requests(tx, about)?));
        requests.unwrap()
    };
    let channel = [("slack".to_owned(), "C1".to_owned())];
    for (now, of_soon) in [("2026-12-20", &channel[..]), ("2027-01-10", &[])] {
        t.clock.set(instant(&format!("{now}T10:00:00Z")));
        deliveries::prune(&t.app, 30).unwrap();
        assert_eq!(known(soon), of_soon, "{now}");
        assert_eq!(known(late), channel, "{now}");
    }
}
