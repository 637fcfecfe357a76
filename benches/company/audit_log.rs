//! A log of a million entries, and every filter of it. Not all its times rise: a tenth came from
//! elsewhere, in no order, and for some hours the clock was decades ahead.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use chrono::TimeDelta;
use oncalld::actions::admin::audit;
use oncalld::app::App;
use oncalld::domain::audit::{Action, AuditEvent, EntityType};
use oncalld::domain::ids::TeamId;
use oncalld::store::{Store, StoreError, audit as log, teams};
use oncalld::wire::Paging;
use oncalld::wire::audit::AuditQuery;

use crate::{median, seed, tell};

const ENTRIES: usize = 1_000_000;
const BATCH: usize = 50_000;
const TEAMS: usize = 200;
/// Entries that came from elsewhere, from up to 1,000 days before.
const IMPORTED: usize = 100_000;

/// Makes the log if it isn't there, and pages through it by every filter.
pub fn measure(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("audit_log.redb");
    if !path.exists() {
        let half_done = dir.join("filling.redb");
        let _ = std::fs::remove_file(&half_done);
        fill(&Store::open(&half_done)?)?;
        std::fs::rename(half_done, &path)?;
    }
    let app = seed::app(Store::open(&path)?);
    let (mut first, mut middle) = (Duration::ZERO, Duration::ZERO);
    for (name, query) in queries(&app)? {
        let page = |number| Paging {
            page: Some(number),
            page_size: Some(50),
        };
        let total = audit::list(&app, &query, &page(1))?.total;
        let half = (total / 2 / 50).max(1);
        let at = |number| {
            median(15, || {
                black_box(audit::list(&app, &query, &page(number))).expect("lists");
            })
        };
        let (a, b) = (at(1), at(half));
        println!("  {name}: {total} entries, first page {a:.2?}, page {half} {b:.2?}");
        (first, middle) = (first.max(a), middle.max(b));
    }
    tell(
        "audit log, first page, slowest filter",
        first,
        Duration::from_millis(5),
    );
    tell(
        "audit log, page in the middle, slowest filter",
        middle,
        Duration::from_millis(20),
    );
    Ok(())
}

fn team(number: usize) -> TeamId {
    TeamId::from_uuid(uuid::Uuid::from_u128(number as u128 + 1))
}

fn fill(store: &Store) -> Result<()> {
    let start = seed::now() - TimeDelta::seconds(ENTRIES as i64);
    for first in (0..ENTRIES).step_by(BATCH) {
        store.write(|tx| {
            for number in first..first + BATCH {
                let entity = EntityType::ALL[number % EntityType::ALL.len()];
                let action = Action::ALL[number / 7 % Action::ALL.len()];
                let mut event = AuditEvent::system(entity, action);
                event.team_id = Some(team(number % TEAMS));
                event.entity_id = Some(format!("entity-{}", number % 50_000));
                event.actor_id = Some(format!("U{:03}", number / 3 % 300));
                event.changes = serde_json::json!({"name": {"old": number, "new": "x"}}).into();
                log::append(tx, event, start + made_after(number))?;
            }
            Ok::<_, StoreError>(())
        })?;
    }
    println!("{ENTRIES} audit entries");
    Ok(())
}

/// When an entry was made, after the first that was made in order.
fn made_after(number: usize) -> TimeDelta {
    let seconds = number as i64;
    if number < IMPORTED {
        TimeDelta::days(-(seconds * 7919 % 1000))
    } else if (500_000..510_000).contains(&number) {
        TimeDelta::days(365 * 70) + TimeDelta::seconds(seconds)
    } else {
        TimeDelta::seconds(seconds)
    }
}

fn queries(app: &App) -> Result<Vec<(&'static str, AuditQuery)>> {
    let days_ago = |days| Some((app.now() - TimeDelta::days(days)).to_rfc3339());
    let none = AuditQuery::default();
    let kind = |kind: &str| Some(kind.to_owned());
    app.read(|tx| Ok(teams::list(tx)?.len()))?;
    Ok(vec![
        ("no filter", none.clone()),
        (
            "entity_type",
            AuditQuery {
                entity_type: kind("schedule"),
                ..none.clone()
            },
        ),
        (
            "action",
            AuditQuery {
                action: kind("updated"),
                ..none.clone()
            },
        ),
        (
            "actor_id",
            AuditQuery {
                actor_id: kind("U007"),
                ..none.clone()
            },
        ),
        (
            "entity_id",
            AuditQuery {
                entity_id: kind("entity-77"),
                ..none.clone()
            },
        ),
        (
            "from, to",
            AuditQuery {
                from: days_ago(9),
                to: days_ago(2),
                ..none.clone()
            },
        ),
        (
            "from, to, long ago",
            AuditQuery {
                from: days_ago(700),
                to: days_ago(300),
                ..none.clone()
            },
        ),
        (
            "entity_type, from, to, long ago",
            AuditQuery {
                entity_type: kind("team"),
                from: days_ago(700),
                to: days_ago(300),
                ..none.clone()
            },
        ),
        (
            "entity_type, action",
            AuditQuery {
                entity_type: kind("team"),
                action: kind("deleted"),
                ..none.clone()
            },
        ),
        (
            "entity_type, action, actor_id, from",
            AuditQuery {
                entity_type: kind("override"),
                action: kind("created"),
                actor_id: kind("U042"),
                from: days_ago(8),
                ..none.clone()
            },
        ),
        (
            "actor_id, to",
            AuditQuery {
                actor_id: kind("U100"),
                to: days_ago(1),
                ..none
            },
        ),
    ])
}
