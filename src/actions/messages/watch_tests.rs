use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::actions::admin::audit;
use crate::actions::{members, messages::notifications, teams};
use crate::app::Settings;
use crate::clock::ManualClock;
use crate::store::Store;
use crate::wire::Paging;

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_change_goes_through_where_what_was_told_cannot_be_read() {
    let clock = ManualClock::new("2026-11-25T12:00:00Z".parse().unwrap());
    let settings = Settings {
        admins: vec!["UADMIN".parse().unwrap()],
        ..Settings::default()
    };
    let store = Store::in_memory().unwrap();
    let app = crate::actions::start(store, std::sync::Arc::new(clock), settings);
    let ctx = Ctx::system();
    let team = json!({"name": "Core", "slack_channel_id": "C1", "rotation_enabled": true});
    let team = teams::create(&app, &ctx, &read(team)).unwrap();
    let join = |user: &str| {
        let member = read(json!({"slack_user_id": user}));
        members::put(&app, &ctx, "core", &member)
    };
    join("UANN").unwrap();
    app.write(&ctx, |tx| {
        Ok(store::watch::damage(tx.store, TeamId::from_uuid(team.id))?)
    })
    .unwrap();
    let told = || {
        let listed = notifications::list(&app, &ctx, &read(json!({})), &Paging::default());
        let listed = listed.unwrap().items;
        listed
            .iter()
            .map(|n| format!("{} {}", n.event, n.recipient))
            .collect::<Vec<_>>()
    };
    let before = told().len();
    join("UBOB").unwrap();
    join("UCAT").unwrap();
    // Told to the admins once; nobody hears a second time what they were told before.
    let news = told().len() - before;
    assert_eq!((news, told()[0].as_str()), (1, "rotation_failed UADMIN"));
    let query = read(json!({"team": "core", "action": "records_lost"}));
    let lost = audit::list(&app, &query, &Paging::default()).unwrap();
    assert_eq!(lost.total, 1);
    assert!(tick(&app).unwrap().is_empty());
}
