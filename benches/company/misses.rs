//! Lookups whose answers don't lie ready, and what one change leaves of those that do.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use oncalld::actions::oncall::lookup;
use oncalld::actions::services;
use oncalld::app::{App, Ctx};
use oncalld::store::Store;
use oncalld::wire::oncall::OnCallQuery;
use oncalld::wire::service::ServiceInput;

use crate::{seed, tell};

/// Looks up every service of the company, on a copy of DIR's store: when none was looked up
/// before, then after a change of one of them.
pub fn measure(dir: &Path) -> Result<()> {
    let copy = tempfile::tempdir_in(dir)?;
    let path = copy.path().join("oncalld.redb");
    std::fs::copy(dir.join("oncalld.redb"), &path)?;
    let app = seed::app(Store::open(&path)?);
    let storm = look_up_all(&app)?;
    let what = format!("{} services looked up, none ready", seed::TEAMS);
    tell(&what, storm, Duration::from_secs(2));

    let renamed = ServiceInput {
        name: Some("service-0-renamed".to_owned()),
        ..ServiceInput::default()
    };
    services::update(&app, &Ctx::system(), "service-0", &renamed).context("renames")?;
    let back = ServiceInput {
        name: Some("service-0".to_owned()),
        ..ServiceInput::default()
    };
    services::update(&app, &Ctx::system(), "service-0-renamed", &back).context("renames")?;
    let after = look_up_all(&app)?;
    let what = format!("{} services looked up, one was changed", seed::TEAMS);
    tell(&what, after, Duration::from_millis(100));
    Ok(())
}

fn look_up_all(app: &App) -> Result<Duration> {
    let queries: Vec<_> = (0..seed::TEAMS)
        .map(|number| OnCallQuery {
            service: Some(format!("service-{number}")),
            ..OnCallQuery::default()
        })
        .collect();
    let started = Instant::now();
    for query in &queries {
        lookup::answer(app, query)?;
    }
    Ok(started.elapsed())
}
