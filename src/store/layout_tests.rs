//! Stores of older layouts open, and hold what they held: `tests/golden/stores` has the rows of a
//! small one, as the code of its time wrote them, for each layout whose migration does more than
//! to make tables.
//!
//! `UPDATE_GOLDEN=stores` writes the file of the current layout, where there is none.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use redb::TableHandle as _;
use uuid::Uuid;

use super::key::Key;
use super::tables;
use super::tx::{Order, Reader as _};
use super::{SCHEMA_VERSION, Store, StoreError, audit, migrations, overrides, schedules, time_off};
use crate::domain::Revision;
use crate::domain::audit::{Action, AuditEvent, EntityType};
use crate::domain::hex::{hex, unhex};
use crate::domain::ids::{OverrideId, ScheduleId, TeamId, TimeOffId, UserId};
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::time_off::TimeOff;

fn file(schema: u32) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stores");
    folder.join(format!("schema_{schema}.rows"))
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_b5a4_7c3e_7000_8000_0000_0000_0000 + number)
}

fn user(number: u64) -> UserId {
    format!("U{}", number % 3).parse().unwrap()
}

fn day(number: u64) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    first + chrono::Days::new(number)
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::minutes(minute)
}

/// When the entries of the sample's log were appended: the third under a clock that was wrong by
/// decades.
fn appended_at(number: i64) -> DateTime<Utc> {
    if number == 3 {
        at(40_000_000)
    } else {
        at(number)
    }
}

/// Rows of each table whose layout has ever changed: shifts of three people in two teams, weeks
/// long and days long, and a log.
fn fill(store: &Store) {
    let written = store.write(|tx| {
        for n in 0..12 {
            let (start_date, team_id) = (day(n * 7), TeamId::from_uuid(id(u128::from(n % 2))));
            let length = if n % 4 == 0 { 40 } else { 6 };
            let revision = Revision::first(at(0));
            let shift = Schedule {
                id: ScheduleId::from_uuid(id(u128::from(n))),
                team_id,
                engineer: user(n),
                start_date,
                end_date: day(n * 7 + 6),
                origin: [Origin::Auto, Origin::Manual][usize::from(n > 9)],
                created_by: None,
                note: None,
                is_hold: false,
                revision: revision.clone(),
            };
            schedules::put(tx, &shift)?;
            let cover = Override {
                id: OverrideId::from_uuid(id(u128::from(n))),
                team_id,
                substitute: user(n),
                start_date,
                end_date: day(n * 7 + length),
                reason: None,
                status: OverrideStatus::ALL[usize::try_from(n).unwrap() % 4],
                requested_by: None,
                approved_by: None,
                decided_at: None,
                decision_reason: None,
                revision: revision.clone(),
            };
            overrides::put(tx, &cover)?;
            let away = TimeOff {
                id: TimeOffId::from_uuid(id(u128::from(n))),
                user: user(n),
                start_date,
                end_date: day(n * 7 + length),
                reason: None,
                revision,
            };
            time_off::put(tx, &away)?;
        }
        for number in 1..=8 {
            let mut event = AuditEvent::system(EntityType::Team, Action::Updated);
            event.entity_id = Some(id(0).to_string());
            event.team_id = Some(TeamId::from_uuid(id(0)));
            audit::append(tx, event, appended_at(number))?;
        }
        Ok::<_, StoreError>(())
    });
    written.unwrap();
}

/// Every row of a store, a line each: table, key, value.
fn rows(store: &Store) -> String {
    let mut text = String::new();
    let read = store.read(|tx| {
        for table in tables::ALL {
            tx.scan(
                *table,
                &[],
                &Key::new().end(),
                Order::Ascending,
                &mut |key, value| {
                    writeln!(text, "{} {} {}", table.name(), hex(key), hex(value)).unwrap();
                    Ok(std::ops::ControlFlow::Continue(()))
                },
            )?;
        }
        Ok::<_, StoreError>(())
    });
    read.unwrap();
    text
}

/// A store with the rows of a file, brought to the current layout.
fn migrated(schema: u32) -> Store {
    let store = Store::in_memory().unwrap();
    let text = fs::read_to_string(file(schema)).unwrap();
    let written = store.write(|tx| {
        for table in tables::ALL {
            tx.clear(*table)?;
        }
        for line in text.lines() {
            let [table, key, value] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("not a row: {line}");
            };
            let table = tables::ALL
                .iter()
                .find(|known| known.name() == table)
                .unwrap();
            tx.set(
                *table,
                &Key::new().bytes(&unhex(key).unwrap()),
                &unhex(value).unwrap(),
            )?;
        }
        Ok::<_, StoreError>(())
    });
    written.unwrap();
    assert_eq!(store.read(migrations::found).unwrap(), schema);
    migrations::migrate(&store, false).unwrap();
    store
}

#[test]
fn the_current_layout_can_be_kept() {
    let store = Store::in_memory().unwrap();
    fill(&store);
    let rows = rows(&store);
    assert!(rows.lines().count() > 12 * 8);
    let file = file(SCHEMA_VERSION);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|what| what == "stores") && !file.exists() {
        fs::write(&file, rows).unwrap();
    }
}

/// In schema 2, entries never bore an earlier time than the one before, and what has days was
/// indexed by the first of them.
#[test]
fn a_store_of_schema_2_gets_its_new_indexes() {
    let old = migrated(2);
    let new = Store::in_memory().unwrap();
    fill(&new);
    // The chain stays as it was, by which nothing has changed, and its indexes are complete.
    let head = old.read(audit::verify).unwrap();
    assert_eq!(head.seq, 8);
    let listed = |filter: &audit::Filter| {
        let (total, entries) = old.read(|tx| audit::list(tx, filter, 0, 50)).unwrap();
        assert_eq!(total, entries.len());
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    let mut filter = audit::Filter {
        to: Some(appended_at(3)),
        ..audit::Filter::default()
    };
    assert_eq!(listed(&filter), [2, 1]);
    (filter.from, filter.to) = (filter.to, None);
    assert_eq!(listed(&filter), [8, 7, 6, 5, 4, 3]);
    // What comes now bears its own time.
    let event = AuditEvent::system(EntityType::Team, Action::Updated);
    old.write(|tx| audit::append(tx, event, at(9))).unwrap();
    assert_eq!(old.read(audit::verify).unwrap().seq, 9);
    (filter.from, filter.to) = (Some(at(2)), Some(at(10)));
    assert_eq!(listed(&filter), [9, 2]);

    for (from, to) in [(0, 400), (30, 44), (45, 45), (80, 90), (200, 300)] {
        let (from, to) = (day(from), day(to));
        for number in 0..3 {
            let user = user(number);
            let shifts = |store: &Store| {
                store
                    .read(|tx| schedules::list_of_user(tx, &user, from, to))
                    .unwrap()
            };
            assert_eq!(shifts(&old), shifts(&new));
            let covers = |store: &Store| {
                store
                    .read(|tx| overrides::list_of_user(tx, &user, from, to))
                    .unwrap()
            };
            assert_eq!(covers(&old), covers(&new));
            let away = |store: &Store| store.read(|tx| time_off::list_of(tx, &user, from)).unwrap();
            assert_eq!(away(&old), away(&new));
        }
        for team in [id(0), id(1)].map(TeamId::from_uuid) {
            let covers = |store: &Store| {
                store
                    .read(|tx| overrides::list_of_team(tx, team, from, to))
                    .unwrap()
            };
            assert_eq!(covers(&old), covers(&new));
            for status in OverrideStatus::ALL {
                let covers = |store: &Store| {
                    let found =
                        store.read(|tx| overrides::list_of_status(tx, team, *status, from, to));
                    found.unwrap()
                };
                assert_eq!(covers(&old), covers(&new));
            }
        }
    }
}
