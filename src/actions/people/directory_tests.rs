use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::actions::members::profiles;
use crate::actions::{members, services, start, start_in_memory, teams};
use crate::app::{Ctx, Settings};
use crate::clock::ManualClock;
use crate::domain::member::{Membership, TeamRole};
use crate::domain::profile::{SetProfile, SlackProfile};
use crate::domain::roster::{Account, Member};
use crate::store::Store;

fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

struct Company(App);

impl Company {
    /// Team Payments with Sam and somebody without a name, and the service Checkout.
    fn new() -> Self {
        let app = start_in_memory(Arc::new(ManualClock::new(now())));
        let company = Self(app);
        teams::create(
            &company.0,
            &Ctx::system(),
            &read(json!({"name": "Payments"})),
        )
        .unwrap();
        company.join("USAM");
        company.join("UNN");
        company.call("USAM", "Sam Okoye");
        let service = read(json!({"name": "Checkout", "team_id": "payments"}));
        services::create(&company.0, &Ctx::system(), &service).unwrap();
        company
    }

    fn join(&self, user: &str) {
        let member = read(json!({"slack_user_id": user}));
        members::put(&self.0, &Ctx::system(), "payments", &member).unwrap();
    }

    fn call(&self, user: &str, name: &str) {
        let input = read(json!({"display_name": name}));
        profiles::set(&self.0, &Ctx::system(), user, &input).unwrap();
    }

    /// What is found: slugs, names of services, user ids.
    fn found(&self, text: &str) -> Vec<String> {
        let found = search(&self.0, text, 9).unwrap();
        let teams = found.teams.into_iter().map(|hit| hit.slug);
        let services = found.services.into_iter().map(|hit| hit.name);
        let people = found.people.into_iter().map(|hit| hit.slack_user_id);
        teams.chain(services).chain(people).collect()
    }
}

#[test]
fn all_that_is_known_is_found_by_all_that_it_is_called() {
    let company = Company::new();
    let input = read(json!({"email": "s.okoye@example.com"}));
    profiles::set(&company.0, &Ctx::system(), "USAM", &input).unwrap();
    for (text, expected) in [
        ("pay", vec!["payments"]),
        ("CHECK", vec!["Checkout"]),
        ("sam", vec!["USAM"]),
        ("@Sam Ok", vec!["USAM"]),
        ("ökoye", vec!["USAM"]),
        ("s.okoye@", vec!["USAM"]),
        ("unn", vec!["UNN"]),
        ("nobody", vec![]),
        ("", vec!["payments", "Checkout", "USAM", "UNN"]),
    ] {
        assert_eq!(company.found(text), expected, "{text}");
    }
}

#[test]
fn the_best_come_first_and_no_more_than_wanted() {
    let company = Company::new();
    for (user, name) in [
        ("U1", "Balsam Moor"),
        ("U2", "Adam Sampson"),
        ("U3", "Samira Haddad"),
        ("U4", "Zoe Sam"),
    ] {
        company.call(user, name);
    }
    assert_eq!(company.found("sam"), ["USAM", "U3", "U2", "U4", "U1"]);
    let two = search(&company.0, "sam", 2).unwrap().people;
    let names: Vec<_> = two.iter().map(|hit| hit.display_name.as_str()).collect();
    assert_eq!(names, ["Sam Okoye", "Samira Haddad"]);
    assert_eq!(search(&company.0, "sam", 0).unwrap(), Found::default());
}

#[test]
fn changes_are_seen_at_once() {
    let company = Company::new();
    assert_eq!(company.found("sam"), ["USAM"]);
    company.call("USAM", "Samuel Okoye");
    assert_eq!(company.found("samuel"), ["USAM"]);
    company.join("UNEW");
    assert_eq!(company.found("unew"), ["UNEW"]);
    members::delete(&company.0, &Ctx::system(), "payments", "UNEW").unwrap();
    assert_eq!(company.found("unew"), [""; 0]);

    let renamed = read(json!({"name": "Billing"}));
    services::update(&company.0, &Ctx::system(), "checkout", &renamed).unwrap();
    assert_eq!(company.found("check"), [""; 0]);
    assert_eq!(company.found("bill"), ["Billing"]);
    services::delete(&company.0, &Ctx::system(), "billing").unwrap();
    assert_eq!(company.found("bill"), [""; 0]);

    let renamed = read(json!({"name": "Money", "slug": "money"}));
    teams::update(&company.0, &Ctx::system(), "payments", &renamed).unwrap();
    assert_eq!(company.found("mon"), ["money"]);
    teams::delete(&company.0, &Ctx::system(), "money").unwrap();
    assert_eq!(company.found("mon"), [""; 0]);
}

#[test]
fn names_that_slack_tells_are_found_and_come_before_those_that_were_set() {
    let company = Company::new();
    let said = |name: &str| SlackProfile {
        display_name: name.to_owned(),
        account: Account::Person,
        email: Some("sam@slack.example".to_owned()),
        timezone: None,
        fetched_at: now(),
    };
    let app = &company.0;
    app.write(&Ctx::system(), |tx| {
        Ok(store::meta::set_members_from_slack(tx.store, true)?)
    })
    .unwrap();
    assert_eq!(company.found("okoye"), ["USAM"]);
    let user: UserId = "USAM".parse().unwrap();
    profiles::learn(app, &[(user.clone(), said("sammy"))]).unwrap();
    assert_eq!(company.found("okoye"), [""; 0]);
    assert_eq!(company.found("sammy"), ["USAM"]);
    assert_eq!(company.found("sam@slack"), ["USAM"]);
    profiles::learn(app, &[(user, said(""))]).unwrap();
    assert_eq!(company.found("okoye"), ["USAM"]);
}

/// Measures a search through 10,000 people, 1,000 teams and 2,000 services:
/// `cargo test --release --lib -- --ignored --nocapture search_is_fast`.
#[test]
#[ignore = "it measures"]
fn search_is_fast() {
    let store = Store::in_memory().unwrap();
    let app = start(
        store,
        Arc::new(ManualClock::new(now())),
        Settings::default(),
    );
    let team = teams::create(&app, &Ctx::system(), &read(json!({"name": "Team"}))).unwrap();
    let team_id = TeamId::from_uuid(team.id);
    app.write(&Ctx::system(), |tx| {
        let template = store::teams::find(tx.store, team_id)?.unwrap();
        for n in 0..1_000 {
            let mut team = template.clone();
            team.id = TeamId::from_uuid(uuid::Uuid::from_u128(n));
            team.name = format!("Team number {n}");
            team.slug = format!("team-{n}");
            store::teams::put(tx.store, &team)?;
        }
        for n in 0..10_000 {
            let user: UserId = format!("U{n:06}").parse().unwrap();
            let row = Membership {
                role: TeamRole::Member,
                ..Member::new(user.clone(), tx.now).to_row(team_id, tx.now)
            };
            store::teams::put_member(tx.store, &row)?;
            let mut profile = Profile::new(user);
            profile.set = Some(SetProfile {
                display_name: Some(format!("Zoë Number{n} Núñez")),
                email: Some(format!("zoe.{n}@example.com")),
                ..SetProfile::new(tx.now)
            });
            store::profiles::put(tx.store, &profile)?;
        }
        Ok(())
    })
    .unwrap();
    *lock(&Directory::of(&app).stale) = Stale::Everything;
    for text in [
        "",
        "z",
        "zoe",
        "number99",
        "nunez zoe",
        "e",
        "team-99",
        "nothing",
    ] {
        let start = std::time::Instant::now();
        let found = search(&app, text, 10).unwrap();
        let count = found.people.len() + found.teams.len();
        println!("{text:12} {count:3} found in {:?}", start.elapsed());
    }
}
