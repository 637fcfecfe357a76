use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::Revision;
use crate::domain::ids::{ServiceId, TeamId};
use crate::domain::json::Json;
use crate::domain::notification::{DeliveryStatus, Event};
use crate::domain::service::{Service, Tier};
use crate::domain::team::{RotationConfig, RotationType, Team};
use crate::store::outbox::Message;
use crate::store::services::ServiceFilter;
use crate::store::teams::TeamFilter;
use crate::store::{Store, meta};

const NAMES: [&str; 5] = ["Alpha", "alpha", "Größe 2", "b", "beta\talpha"];
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn team(n: u8, name: usize, plugin: u8, is_active: bool) -> Team {
    let kind = match plugin {
        0 => RotationType::Weighted,
        n => RotationType::Plugin(format!("p{n}")),
    };
    Team {
        id: TeamId::from_uuid(Uuid::from_u128(n.into())),
        name: NAMES[name].to_owned(),
        slug: format!("slug-{n}"),
        description: None,
        slack_group_id: None,
        slack_oncall_group_id: None,
        slack_channel_id: None,
        timezone: "UTC".to_owned(),
        overrides_require_approval: None,
        is_active,
        rotation: RotationConfig {
            kind,
            ..RotationConfig::default()
        },
        revision: Revision::first(NOW),
    }
}

fn service(n: u8, name: usize, team: u8, tier: usize, is_active: bool) -> Service {
    Service {
        id: ServiceId::from_uuid(Uuid::from_u128(n.into())),
        name: format!("{} {n}", NAMES[name]),
        team_id: TeamId::from_uuid(Uuid::from_u128(team.into())),
        repository_url: None,
        environment: (name > 1).then(|| NAMES[name].to_owned()),
        tier: Tier::ALL[tier],
        owner: None,
        tech_stack: Vec::new(),
        metadata: Json::object(),
        is_active,
        revision: Revision::first(NOW),
    }
}

fn message() -> Message {
    Message {
        event: Event::Handoff,
        recipient: "C1".to_owned(),
        team_id: None,
        payload: Json::object(),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Team(Team),
    Service(Service),
    Queue,
    Settle(usize, DeliveryStatus),
    Requeue(usize),
    Prune(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(DeliveryStatus::ALL);
    prop_oneof![
        4 => (0u8..5, 0usize..5, 0u8..3, any::<bool>())
            .prop_map(|(n, name, plugin, active)| Step::Team(team(n, name, plugin, active))),
        6 => (0u8..8, 0usize..5, 0u8..3, 0usize..3, any::<bool>())
            .prop_map(|(n, name, of, tier, active)| Step::Service(service(n, name, of, tier, active))),
        4 => Just(Step::Queue),
        3 => (0usize..6, status).prop_map(|(n, status)| Step::Settle(n, status)),
        1 => (0usize..6).prop_map(Step::Requeue),
        1 => (1usize..3).prop_map(Step::Prune),
    ]
}

fn take(tx: &mut WriteTx, step: &Step) -> Result<(), StoreError> {
    let nth = |tx: &WriteTx, n: usize| Ok::<_, StoreError>(outbox::list(tx, None, n, 1)?.1.pop());
    match step {
        Step::Team(team) => teams::put(tx, team),
        Step::Service(service) => services::put(tx, service),
        Step::Queue => outbox::push(tx, "slack", &message(), NOW).map(drop),
        Step::Settle(n, status) => nth(tx, *n)?.map_or(Ok(()), |row| {
            let status = *status;
            outbox::settle(
                tx,
                &crate::domain::notification::Notification { status, ..row },
            )
        }),
        Step::Requeue(n) => {
            nth(tx, *n)?.map_or(Ok(()), |row| outbox::requeue(tx, &row, NOW).map(drop))
        }
        Step::Prune(n) => outbox::prune(tx, NOW + chrono::TimeDelta::days(1), *n).map(drop),
    }
}

fn after(steps: &[Step]) -> Store {
    let store = Store::in_memory().unwrap();
    for step in steps {
        store.write(|tx| take(tx, step)).unwrap();
    }
    store
}

/// All pages of a list, put together, and the total that each told.
fn all<T>(mut page: impl FnMut(usize, usize) -> (usize, Vec<T>)) -> (usize, Vec<T>) {
    let (total, mut items) = page(0, 2);
    loop {
        let (again, more) = page(items.len(), 2);
        assert_eq!(again, total);
        if more.is_empty() {
            return (total, items);
        }
        items.extend(more);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lists_are_what_going_through_all_records_would_give(steps in prop::collection::vec(step(), 0..30)) {
        let store = after(&steps);
        store.read(|tx| {
            verify(tx)?;
            let teams = teams::list(tx)?;
            for is_active in [Some(true), Some(false), None] {
                for part in ["", "alpha", "slug-1", "ö"] {
                    let filter = TeamFilter { is_active, part: part.to_owned() };
                    let mut expected: Vec<_> = teams.iter().filter(|team| {
                        is_active.is_none_or(|wanted| team.is_active == wanted)
                            && (team.name.to_lowercase().contains(part) || team.slug.contains(part))
                    }).cloned().collect();
                    expected.sort_by_key(|team| (team.name.to_lowercase(), team.id));
                    let found = all(|skip, take| teams::page(tx, &filter, skip, take).unwrap());
                    assert_eq!(found, (expected.len(), expected));
                }
            }
            let mut services: Vec<Service> = Vec::new();
            records(tx, SERVICES, &mut |service| { services.push(service?); Ok(()) })?;
            for filter in filters() {
                let mut expected: Vec<Service> = services.iter().filter(|service| {
                    filter.team.is_none_or(|team| service.team_id == team)
                        && filter.tier.is_none_or(|tier| service.tier == tier)
                        && filter.is_active.is_none_or(|wanted| service.is_active == wanted)
                        && (filter.environment.is_none() || service.environment == filter.environment)
                        && Service::name_key(&service.name).contains(&filter.part)
                }).cloned().collect();
                expected.sort_by_key(|service| (Service::name_key(&service.name), service.id));
                let found = all(|skip, take| services::page(tx, &filter, skip, take).unwrap());
                assert_eq!(found, (expected.len(), expected), "{filter:?}");
            }
            let counts = teams::count_by_plugin(tx)?;
            let lists = teams::list_by_plugin(tx)?;
            let sizes = lists.iter().map(|(plugin, slugs)| (plugin.clone(), slugs.len() as u64));
            assert_eq!(counts, sizes.collect::<Vec<_>>());
            for (plugin, slugs) in lists {
                let kind = RotationType::Plugin(plugin);
                let users = teams.iter().filter(|team| team.is_active && team.rotation.kind == kind);
                assert_eq!(slugs, users.map(|team| team.slug.clone()).collect::<Vec<_>>());
            }
            let (total, rows) = all(|skip, take| outbox::list(tx, None, skip, take).unwrap());
            assert_eq!(total, rows.len());
            for status in DeliveryStatus::ALL {
                let expected: Vec<_> = rows.iter().filter(|row| row.status == *status).cloned().collect();
                let found = all(|skip, take| outbox::list(tx, Some(*status), skip, take).unwrap());
                assert_eq!(found, (expected.len(), expected));
            }
            let pending = rows.iter().filter(|row| row.status == DeliveryStatus::Pending).count();
            assert_eq!(outbox::count_pending(tx)?, pending as u64);
            Ok::<_, StoreError>(())
        }).unwrap();
    }
}

fn filters() -> Vec<ServiceFilter> {
    let mut filters = Vec::new();
    for team in [None, Some(TeamId::from_uuid(Uuid::from_u128(1)))] {
        for tier in [None, Some(Tier::Standard)] {
            for is_active in [Some(true), Some(false), None] {
                for (environment, part) in
                    [(None, ""), (Some("b"), ""), (Some(""), ""), (None, "alpha")]
                {
                    filters.push(ServiceFilter {
                        team,
                        tier,
                        environment: environment.map(str::to_owned),
                        is_active,
                        part: part.to_owned(),
                    });
                }
            }
        }
    }
    filters
}

fn some_of_each() -> Vec<Step> {
    vec![
        Step::Team(team(1, 0, 1, true)),
        Step::Team(team(2, 2, 0, false)),
        Step::Service(service(1, 2, 1, 0, true)),
        Step::Queue,
        Step::Queue,
        Step::Settle(1, DeliveryStatus::Delivered),
    ]
}

#[test]
fn a_list_that_is_wrong_is_found() {
    type Harm = fn(&WriteTx) -> Result<(), StoreError>;
    let harms: [(Harm, &str); 4] = [
        (
            |tx| adjust(tx, &teams::listed(&team(1, 0, 1, true))[0], |n| n + 1),
            "`counts`",
        ),
        (
            |tx| tx.remove(TEAMS_LISTED, &teams::listed(&team(1, 0, 1, true))[0].key),
            "`teams_listed`",
        ),
        (
            |tx| tx.set(SERVICES_LISTED, &Key::new().byte(9), &[]),
            "`services_listed`",
        ),
        (
            |tx| tx.remove(OUTBOX_BY_STATUS, &Key::new().byte(0).seq(2)),
            "`outbox_by_status`",
        ),
    ];
    for (harm, table) in harms {
        let store = after(&some_of_each());
        store.read(verify).unwrap();
        store.write(|tx| harm(tx)).unwrap();
        let problem = store.read(verify).unwrap_err().to_string();
        assert!(problem.contains(table), "{problem}");
        store.write(|tx| rebuild(tx)).unwrap();
        store.read(verify).unwrap();
    }
}

#[test]
fn a_store_from_before_lists_were_counted_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("oncalld.redb");
    let store = Store::open(&path).unwrap();
    let steps = some_of_each();
    let old = store.write(|tx| {
        steps.iter().try_for_each(|step| take(tx, step))?;
        // As version 2 had it.
        for name in [
            "counts",
            "teams_listed",
            "teams_by_plugin",
            "services_listed",
        ] {
            tx.delete_table(name)?;
        }
        let of_team = Key::new().id(Uuid::from_u128(1)).id(Uuid::from_u128(1));
        tx.set(Table::new("services_by_team"), &of_team, &[])?;
        tx.set(
            Table::new("services_by_tier"),
            &Key::new().byte(0).id(Uuid::from_u128(1)),
            &[],
        )?;
        // One that nobody can read keeps no store from opening.
        tx.set(TEAMS, &Key::new().id(Uuid::from_u128(99)), b"\xffdamaged")?;
        meta::set(tx, meta::SCHEMA, b"2")
    });
    old.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    store
        .read(|tx| {
            let active = TeamFilter {
                is_active: Some(true),
                ..TeamFilter::default()
            };
            let (total, found) = teams::page(tx, &active, 0, 9)?;
            assert_eq!((total, found), (1, vec![team(1, 0, 1, true)]));
            let all = ServiceFilter::default();
            assert_eq!(
                services::page(tx, &all, 0, 9)?,
                (1, vec![service(1, 2, 1, 0, true)])
            );
            assert_eq!(outbox::count_pending(tx)?, 1);
            assert_eq!(teams::count_by_plugin(tx)?, [("p1".to_owned(), 1)]);
            assert!(verify(tx).unwrap_err().to_string().contains("`teams`"));
            Ok::<_, StoreError>(())
        })
        .unwrap();
}
