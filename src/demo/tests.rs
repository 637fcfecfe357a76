use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::TimeDelta;

use super::*;
use crate::actions::admin::{audit, bootstrap};
use crate::actions::messages::notifications;
use crate::actions::rotation::{self, fairness};
use crate::actions::{members, oncall, overrides, services, teams};
use crate::domain::shift_override::OverrideStatus;
use crate::wire::audit::AuditQuery;
use crate::wire::notification::NotificationFilter;
use crate::wire::oncall::{Moment, OnCall};
use crate::wire::rotation::{FairnessRange, PlanRequest};
use crate::wire::service::ServiceFilter;
use crate::wire::shift_override::OverrideFilter;
use crate::wire::team::TeamView;
use crate::wire::{ActiveFilter, Paging};

const ALL: Paging = Paging {
    page: None,
    page_size: Some(Paging::MAX_SIZE),
};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A Monday.
fn some_day() -> DateTime<Utc> {
    instant("2026-11-23T12:05:00Z")
}

struct Demo {
    app: App,
    dir: tempfile::TempDir,
}

fn demo(now: DateTime<Utc>) -> Demo {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("oncalld.redb")).unwrap();
    let settings = Settings::default();
    let store = fill(store, &settings, now).unwrap();
    let app = crate::actions::start(store, Arc::new(ManualClock::new(now)), settings);
    Demo { app, dir }
}

impl Demo {
    fn teams(&self) -> Vec<TeamView> {
        let teams = teams::list(&self.app, ActiveFilter::True, None, &ALL);
        teams.unwrap().items
    }

    fn on_call(&self) -> Vec<OnCall> {
        let on_call = oncall::list(&self.app, &Moment::default(), &ALL);
        on_call.unwrap().items
    }

    fn audited(&self, action: &str) -> usize {
        let action = Some(action.to_owned());
        let query = AuditQuery {
            action,
            ..AuditQuery::default()
        };
        audit::list(&self.app, &query, &ALL).unwrap().total
    }

    fn overrides(&self) -> Vec<(OverrideStatus, i64, i64)> {
        let mut found = Vec::new();
        for team in self.on_call() {
            let slug = team.team_slug.as_str();
            let rows = overrides::list(&self.app, slug, &OverrideFilter::default(), &ALL);
            for row in rows.unwrap().items {
                let first = (row.start_date - team.date).num_days();
                let last = (row.end_date - team.date).num_days();
                found.push((row.status, first, last));
            }
        }
        found
    }

    fn gaps(&self) -> BTreeMap<String, i64> {
        let mut gaps = BTreeMap::new();
        for team in self.on_call() {
            let range = FairnessRange {
                from: Some(team.date),
                to: Some(team.date + TimeDelta::days(27)),
            };
            let report = fairness::report(&self.app, &team.team_slug, &range).unwrap();
            for gap in report.gaps {
                let days = (gap.end_date - gap.start_date).num_days() + 1;
                *gaps.entry(team.team_slug.clone()).or_default() += days;
            }
        }
        gaps
    }
}

/// What holds on whatever day the sample company is made.
fn check(demo: &Demo) {
    let now = demo.app.now();
    for team in demo.on_call() {
        let name = &team.team_slug;
        assert!(team.engineer_slack_id.is_some(), "{now}: nobody for {name}");
        let called = team.display_name.as_deref();
        assert!(
            called.is_some_and(|called| called.contains(' ')),
            "{now}: {called:?}"
        );
        assert!(team.ends_at.is_some_and(|at| at > now), "{now}: {name}");
        assert!(
            team.next.is_some_and(|next| next.starts_at > now),
            "{now}: {name}"
        );
    }
    let handoffs = |tx: &crate::store::ReadTx| Ok(store::rotation::list_due(tx, now, 99)?);
    assert_eq!(demo.app.read(handoffs).unwrap(), []);
    assert_eq!(demo.audited("rotation_failed"), 0);
    audit::verify(&demo.app).unwrap();

    check_overrides(demo);
    let gaps = demo.gaps();
    assert!((7..=14).contains(&gaps["search"]), "{now}: {gaps:?}");
    assert_eq!(gaps.len(), 1, "{now}: {gaps:?}");

    let entries = audit::verify(&demo.app).unwrap().entries;
    for team in demo.teams() {
        let weeks = PlanRequest::default();
        let preview = rotation::preview(&demo.app, &team.slug, &weeks).unwrap();
        let plan = rotation::generate(&demo.app, &Ctx::system(), &team.slug, &weeks).unwrap();
        assert_eq!(preview, plan, "{now}: {}", team.slug);
    }
    let after = audit::verify(&demo.app).unwrap().entries;
    assert_eq!(entries, after, "{now}: generating changed something");
}

/// There is one of every kind.
fn check_overrides(demo: &Demo) {
    use OverrideStatus::{Approved, Cancelled, Pending, Rejected};
    let now = demo.app.now();
    let rows = demo.overrides();
    let count = |status, past, future| {
        let rows = rows.iter().filter(|(is, first, last)| {
            *is == status && past == (*last < 0) && future == (*first > 0)
        });
        rows.count()
    };
    assert_eq!(count(Approved, false, false), 1, "{now}: in force");
    assert!(count(Approved, false, true) > 1, "{now}");
    assert!(count(Approved, true, false) > 5, "{now}");
    assert_eq!(count(Pending, false, true), 1, "{now}");
    assert_eq!(count(Rejected, false, true), 1, "{now}");
    assert_eq!(count(Rejected, true, false), 1, "{now}");
    assert_eq!(count(Cancelled, false, true), 1, "{now}");
    assert_eq!(count(Cancelled, true, false), 1, "{now}");
}

#[test]
fn the_company_has_eight_teams_forty_people_and_twenty_services() {
    let demo = demo(some_day());
    check(&demo);
    let teams = demo.teams();
    assert_eq!(teams.len(), 8);
    let zones: BTreeSet<_> = teams.iter().map(|team| &team.timezone).collect();
    assert_eq!(zones.len(), 5);
    let kinds: BTreeSet<_> = teams.iter().map(|team| &team.rotation_type).collect();
    assert_eq!(kinds.len(), 3);
    let people: BTreeSet<_> = teams
        .iter()
        .flat_map(|team| members::list(&demo.app, &team.slug, &ALL).unwrap().items)
        .map(|member| member.slack_user_id)
        .collect();
    assert_eq!(people.len(), 40);
    let services = services::list(&demo.app, &ServiceFilter::default(), &ALL).unwrap();
    assert_eq!(services.total, 20);
    let deleted = teams::list(&demo.app, ActiveFilter::False, None, &ALL).unwrap();
    assert_eq!(deleted.total, 1);
}

#[test]
fn the_company_has_half_a_year_of_history_and_an_empty_outbox() {
    let demo = demo(some_day());
    let triggered = demo.audited("rotation_triggered");
    assert!((250..350).contains(&triggered), "{triggered}");
    assert_eq!(demo.audited("rotation_skipped"), 1);
    let history = audit::history(&demo.app, "payments", &ALL).unwrap();
    let first = history.items.last().unwrap();
    assert!(some_day() - first.created_at > TimeDelta::weeks(24));
    let ctx = Ctx::system();
    let outbox = notifications::list(&demo.app, &ctx, &NotificationFilter::default(), &ALL);
    assert_eq!(outbox.unwrap().total, 0);
}

#[test]
fn people_act_by_their_own_names() {
    let demo = demo(some_day());
    let query = AuditQuery {
        action: Some("override_rejected".to_owned()),
        ..AuditQuery::default()
    };
    let entries = audit::list(&demo.app, &query, &ALL).unwrap().items;
    for entry in &entries {
        assert_eq!(entry.actor_id.as_deref(), Some("ULENAFUCHS"));
        assert_eq!(entry.metadata["source"], "import");
    }
    assert_eq!(entries.len(), 2);
}

#[test]
fn the_same_instant_gives_the_same_company() {
    let demo = demo(some_day());
    let mut table = String::new();
    for team in demo.on_call() {
        let (who, until) = (team.engineer_slack_id.unwrap(), team.ends_at.unwrap());
        let until = until.format("%a %d %b %H:%MZ");
        writeln!(table, "{}: {who}, {}, {until}", team.team_slug, team.source).unwrap();
    }
    insta::assert_snapshot!(table, @r"
    checkout: UUMANAIR, auto, Mon 30 Nov 09:00Z
    data-platform: UMAXREYES, override, Wed 25 Nov 05:00Z
    edge-cdn: UWIMDEKKER, auto, Mon 23 Nov 17:00Z
    identity: UUGOCONTI, auto, Wed 02 Dec 22:00Z
    infrastructure: UEVEMARSH, auto, Thu 26 Nov 13:30Z
    mobile: UKITSATO, auto, Tue 01 Dec 00:00Z
    payments: UANARUIZ, auto, Wed 25 Nov 08:00Z
    search: UMIABERG, auto, Mon 23 Nov 17:00Z
    ");
}

#[test]
fn the_company_is_whole_on_any_day() {
    for now in [
        "2028-02-29T23:59:59Z",
        "2027-01-01T00:00:00Z",
        // The clock goes forward in Los Angeles and New York, then in Berlin; and back.
        "2027-03-14T10:30:00Z",
        "2027-03-28T01:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-11-01T08:30:00Z",
        "2026-12-31T23:59:00Z",
    ] {
        check(&demo(instant(now)));
    }
}

#[test]
fn the_company_is_whole_at_any_hour_and_on_any_weekday() {
    for step in 0..7 {
        check(&demo(some_day() + TimeDelta::hours(29 * step)));
    }
}

#[test]
fn the_company_goes_on_after_it_was_made() {
    let demo = demo(some_day());
    let later = Arc::new(ManualClock::new(some_day() + TimeDelta::weeks(3)));
    let Demo { app, dir } = demo;
    drop(app);
    let store = Store::open(&dir.path().join("oncalld.redb")).unwrap();
    let app = crate::actions::start(store, later, Settings::default());
    let ticked = crate::actions::rotation::handoff::tick(&app).unwrap();
    assert_eq!((ticked.handed_off, ticked.failed.len()), (8, 0));
    audit::verify(&app).unwrap();
}

#[test]
fn a_store_with_a_team_stays_as_it_is() {
    let Demo { app, dir } = demo(some_day());
    let entries = audit::verify(&app).unwrap().entries;
    drop(app);
    let path = dir.path().join("oncalld.redb");
    let store = fill(
        Store::open(&path).unwrap(),
        &Settings::default(),
        some_day(),
    )
    .unwrap();
    let app = crate::actions::start(
        store,
        Arc::new(ManualClock::new(some_day())),
        Settings::default(),
    );
    assert_eq!(audit::verify(&app).unwrap().entries, entries);
}

#[test]
fn tokens_outlive_the_filling() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("oncalld.redb");
    let secret = dir.path().join("admin.token");
    let clock = Arc::new(ManualClock::new(some_day()));
    let open = |store| crate::actions::start(store, clock.clone(), Settings::default());
    let app = open(Store::open(&path).unwrap());
    assert!(bootstrap::ensure_admin_token(&app, &secret).unwrap());
    drop(app);
    let store = Store::open(&path).unwrap();
    let app = open(fill(store, &Settings::default(), some_day()).unwrap());
    assert!(!bootstrap::ensure_admin_token(&app, &secret).unwrap());
    let query = AuditQuery {
        entity_type: Some("token".to_owned()),
        ..AuditQuery::default()
    };
    assert_eq!(audit::list(&app, &query, &ALL).unwrap().total, 1);
    audit::verify(&app).unwrap();
    assert_eq!(
        teams::list(&app, ActiveFilter::True, None, &ALL)
            .unwrap()
            .total,
        8
    );
}

#[test]
fn what_an_interrupted_start_left_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("oncalld.redb");
    let left = dir.path().join("oncalld.redb.demo");
    std::fs::write(&left, "half a company").unwrap();
    let store = Store::open(&path).unwrap();
    fill(store, &Settings::default(), some_day()).unwrap();
    assert!(!left.exists());
}
