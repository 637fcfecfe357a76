use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::actions::members::profiles;
use crate::actions::{schedules, services, start_in_memory, teams};
use crate::app::Ctx;
use crate::clock::ManualClock;
use crate::domain::profile::SlackProfile;

fn read<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// An application at noon of 2026-11-25, with these teams, and a service each of the same name.
fn app(names: &[&str]) -> (App, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new("2026-11-25T12:00:00Z".parse().unwrap()));
    let app = start_in_memory(clock.clone());
    for name in names {
        teams::create(&app, &Ctx::system(), &read(json!({"name": name}))).unwrap();
        service(&app, name, name);
    }
    (app, clock)
}

fn service(app: &App, name: &str, team: &str) -> String {
    let service = json!({"name": name, "team_id": team});
    let service = services::create(app, &Ctx::system(), &read(service)).unwrap();
    service.id.to_string()
}

fn put_on_call(app: &App, team: &str, user: &str, day: &str) {
    let row = json!({"engineer_slack_id": user, "start_date": day, "end_date": day});
    schedules::create(app, &Ctx::system(), team, &read(row)).unwrap();
}

/// What is answered, by a query string as a request bears it.
fn ask(app: &App, query: &str) -> Result<Value> {
    let query = serde_urlencoded::from_str(query).unwrap();
    answer(app, &query).map(|answer| serde_json::from_slice(&answer.body).unwrap())
}

/// Whether the answer to a request's query string lies ready.
fn is_ready(app: &App, query: &str) -> bool {
    Question::read(query).is_some_and(|question| ready(app, &question, app.now()).is_some())
}

#[test]
fn a_clock_that_is_set_back_leaves_nobody_of_the_future_on_call() {
    let (app, clock) = app(&["core"]);
    for (user, day) in [("UANN", "2026-11-25"), ("UBOB", "2026-11-28")] {
        put_on_call(&app, "core", user, day);
    }
    for (now, user) in [
        ("2026-11-25T12:00:00Z", "UANN"),
        ("2026-11-28T12:00:00Z", "UBOB"),
        ("2026-11-25T12:00:01Z", "UANN"),
        ("2026-11-28T23:59:59Z", "UBOB"),
        ("2026-11-25T23:59:59Z", "UANN"),
    ] {
        clock.set(now.parse().unwrap());
        for query in ["team=core", "service=core"] {
            let answer = ask(&app, query).unwrap();
            assert_eq!(answer["engineer_slack_id"], user, "{query} at {now}");
            assert!(is_ready(&app, query));
        }
    }
    clock.set("2026-11-26T00:00:00Z".parse().unwrap());
    assert!(!is_ready(&app, "team=core"), "the day is over");
    clock.set("2026-11-24T23:59:59Z".parse().unwrap());
    assert!(!is_ready(&app, "team=core"), "the day has not begun");
}

#[test]
fn questions_that_mean_the_same_have_one_answer() {
    let (app, _) = app(&["core"]);
    let id = service(&app, "Größe & Co", "core");
    ask(&app, "service=Gr%C3%B6%C3%9Fe%20%26%20Co").unwrap();
    for same in [
        "service=gr%C3%B6%C3%9Fe+%26+co",
        "service=GR%C3%96%C3%9FE+%26+CO&",
        "%73ervice=gr%c3%b6%c3%9fe+%26+co",
    ] {
        assert!(is_ready(&app, same), "{same}");
    }
    assert!(!is_ready(&app, &format!("service={id}")));
    ask(&app, &format!("service={id}&team=core")).unwrap();
    let simple = id.replace('-', "").to_uppercase();
    assert!(is_ready(&app, &format!("team=core&service={simple}")));
    assert!(!is_ready(&app, &format!("service={simple}")));
    for other in [
        "",
        "page=1",
        "service=core&at=2026-11-25T12:00:00Z",
        "service=core&date=2026-11-25",
        "service=core&service=core",
        "team=core&colour=red",
    ] {
        assert_eq!(Question::read(other), None, "{other}");
    }
}

#[test]
fn what_names_a_team_and_what_names_a_service_are_never_the_same_question() {
    let (app, _) = app(&["core", "edge"]);
    put_on_call(&app, "core", "UANN", "2026-11-25");
    put_on_call(&app, "edge", "UBOB", "2026-11-25");
    service(&app, "edge&team=core", "edge");
    assert!(ask(&app, "service=edge&team=core").is_err());
    let odd = ask(&app, "service=edge%26team%3Dcore").unwrap();
    assert_eq!(odd["engineer_slack_id"], "UBOB");
    assert!(!is_ready(&app, "service=edge&team=core"));
}

#[test]
fn made_up_questions_leave_nothing_in_memory() {
    let (app, _) = app(&["core"]);
    for n in 0..100 {
        assert!(ask(&app, &format!("service=core-{n}")).is_err());
        assert!(!is_ready(&app, &format!("service=core-{n}")));
    }
}

#[test]
fn a_change_of_one_service_makes_forgotten_its_own_answers_alone() {
    let (app, _) = app(&["core", "edge"]);
    let id = service(&app, "cart", "core");
    let by_id = format!("service={id}");
    let all = [
        "service=core",
        "service=edge",
        "team=core",
        "service=cart",
        &by_id,
    ];
    let warm = || all.iter().for_each(|query| drop(ask(&app, query).unwrap()));
    let ready = || all.map(|query| is_ready(&app, query));
    warm();
    let change = read(json!({"name": "basket"}));
    services::update(&app, &Ctx::system(), "cart", &change).unwrap();
    assert_eq!(ready(), [true, true, true, false, false]);
    assert!(ask(&app, "service=cart").is_err());
    assert_eq!(ask(&app, &by_id).unwrap()["service_name"], "basket");
    assert_eq!(
        ask(&app, "service=basket").unwrap()["service_name"],
        "basket"
    );

    // Another takes the name that is free now.
    service(&app, "Cart", "edge");
    assert_eq!(ask(&app, "service=cart").unwrap()["team_slug"], "edge");
    let away = read(json!({"team_id": "core"}));
    services::update(&app, &Ctx::system(), "cart", &away).unwrap();
    assert_eq!(ask(&app, "service=cart").unwrap()["team_slug"], "core");
    services::delete(&app, &Ctx::system(), "cart").unwrap();
    assert!(ask(&app, "service=cart").is_err());
    assert!(is_ready(&app, "service=edge") && is_ready(&app, "team=core"));
}

#[test]
fn a_service_whose_name_reads_like_an_id_gives_way_to_the_one_of_that_id() {
    let (app, _) = app(&["core", "edge"]);
    let id = service(&app, "cart", "core");
    let simple = id.replace('-', "");
    service(&app, &simple, "edge");
    let nobodys = "0190b5a47c3e70008000000000000001";
    service(&app, nobodys, "edge");
    let ask_twice = |query: &str| {
        let (first, second) = (ask(&app, query).unwrap(), ask(&app, query).unwrap());
        assert_eq!(first, second);
        first["service_name"].as_str().unwrap().to_owned()
    };
    assert_eq!(ask_twice(&format!("service={simple}")), "cart");
    assert_eq!(ask_twice(&format!("service={nobodys}")), nobodys);
    let query = format!("service={nobodys}");
    assert!(
        !is_ready(&app, &query),
        "there may be a service of that id tomorrow"
    );
}

#[test]
fn a_change_of_a_team_or_of_a_name_makes_forgotten_what_shows_it() {
    let (app, _) = app(&["core", "edge"]);
    put_on_call(&app, "core", "UANN", "2026-11-25");
    put_on_call(&app, "edge", "UBOB", "2026-11-25");
    let all = ["service=core", "team=core", "service=edge", "team=edge"];
    let warm = || all.iter().for_each(|query| drop(ask(&app, query).unwrap()));
    let ready = || all.map(|query| is_ready(&app, query));
    warm();
    put_on_call(&app, "core", "UCAT", "2026-12-25");
    assert_eq!(ready(), [false, false, true, true]);
    warm();
    let bob = SlackProfile {
        display_name: "Bob".to_owned(),
        ..SlackProfile::unknown(app.now())
    };
    profiles::learn(&app, &[("UBOB".parse().unwrap(), bob)]).unwrap();
    assert_eq!(ready(), [true, true, false, false]);
    assert_eq!(ask(&app, "service=edge").unwrap()["display_name"], "Bob");
    warm();
    let cat = read(json!({"display_name": "Cat"}));
    profiles::set(&app, &Ctx::system(), "UCAT", &cat).unwrap();
    assert_eq!(
        ready(),
        [false, false, true, true],
        "who is next has a name"
    );
    let next = ask(&app, "team=core").unwrap()["next"].clone();
    assert_eq!(next["display_name"], "Cat");
}
