//! Backups by the clock.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::actions::admin::backup;
use crate::config::{Backup, Schedule};
use crate::http::Api;

/// How often the clock is looked at: somebody may set it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Makes backups until `stopping` is set, one at once where the last that was due is missing. None where
/// none are wanted.
pub fn start(
    api: &Api,
    config: &Backup,
    mut stopping: watch::Receiver<Option<String>>,
) -> Option<JoinHandle<()>> {
    let (api, config) = (api.clone(), config.clone());
    let dir = config.dir?;
    Some(tokio::spawn(async move {
        let mut last = newest(&dir, api.app().now());
        if let Some(last) = last {
            api.metrics().last_backup.set(last.timestamp());
        }
        loop {
            let now = api.app().now();
            if is_due(&config.cron, last, now) {
                // Also where it fails: the next one comes by the clock.
                last = Some(now);
                make(&api, &dir, config.keep).await;
            }
            tokio::select! {
                _ = stopping.wait_for(Option::is_some) => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }))
}

/// Whether a backup has fallen due since the last one.
fn is_due(schedule: &Schedule, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last.is_none_or(|last| schedule.after(last).is_some_and(|due| due <= now))
}

/// When the newest backup of a folder was made, but for those that a wrong clock dated later than now.
fn newest(dir: &Path, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let names = std::fs::read_dir(dir).ok()?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let times = names.filter_map(|name| backup::made_at(&name));
    times.filter(|at| *at <= now).max()
}

async fn make(api: &Api, dir: &Path, keep: usize) {
    let folder = dir.to_owned();
    let made = api
        .run_through(move |app| backup::write_into(app, &folder, keep))
        .await;
    let metrics = api.metrics();
    match made {
        Ok((path, found)) => {
            metrics.last_backup.set(api.app().now().timestamp());
            let entries = found.audit.map(|audit| audit.entries);
            tracing::info!(file = %path.display(), audit_entries = entries, "made a backup");
        }
        Err(problem) => {
            metrics.failed_backups.inc();
            let error = problem.inner.unwrap_or(problem.detail);
            tracing::error!(dir = %dir.display(), error, "no backup was made");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_backup_is_due_once_a_time_of_the_schedule_has_come() {
        let schedule = Config::default().backup.cron;
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let last = Some(at("2026-11-26T03:00:04Z"));
        assert!(!is_due(&schedule, last, at("2026-11-27T02:59:59Z")));
        assert!(is_due(&schedule, last, at("2026-11-27T03:00:00Z")));
        assert!(is_due(&schedule, last, at("2026-12-27T00:00:00Z")));
        assert!(is_due(&schedule, None, at("2026-11-27T00:00:00Z")));
    }
}
