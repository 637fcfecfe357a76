//! Handoffs in time. The only user of tokio-cron-scheduler.
//!
//! Cron beats once a second, in UTC, and merely wakes our own task; which handoffs are due
//! is computed from the index, by the zone rules. So neither a clock change nor a beat that
//! is lost, late or doubled does harm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::actions::messages::lookout;
use crate::actions::rotation::handoff::{self, Ticked};
use crate::app::{ActionError, App, Trouble};
use crate::clock::Settled;
use crate::domain::ids::TeamId;
use crate::http::Api;
use crate::service_manager::Pulse;

/// Every second; handoffs are on whole minutes.
const HEARTBEAT: &str = "* * * * * *";
/// The task looks by itself where no beat comes: cron jobs have been seen to stop.
const WITHOUT_HEARTBEAT: Duration = Duration::from_secs(10);
/// How often a disk that failed is tried.
const DISK_TRIED_EVERY: Duration = Duration::from_secs(2);

/// The running scheduler.
pub struct Scheduler {
    cron: JobScheduler,
    tasks: [JoinHandle<()>; 2],
}

impl Scheduler {
    /// Starts, with what fell due while the daemon was down. Stops by itself when `stopping`
    /// is set. Each of its rounds is a beat of `pulse`: one that hangs is no daemon that is alive.
    ///
    /// # Errors
    /// Cron can't be started.
    pub async fn start(
        api: Api,
        pulse: Pulse,
        stopping: watch::Receiver<Option<String>>,
    ) -> anyhow::Result<Self> {
        let wake = [(); 2].map(|()| Arc::new(Notify::new()));
        let cron = JobScheduler::new().await?;
        let beat = wake.clone();
        cron.add(Job::new(HEARTBEAT, move |_, _| {
            for task in &beat {
                task.notify_one();
            }
        })?)
        .await?;
        cron.start().await?;
        let [own, of_plugins] = wake;
        let tasks = [
            tokio::spawn(run(api.clone(), pulse, own, stopping.clone())),
            tokio::spawn(run_plugins(api, of_plugins, stopping)),
        ];
        Ok(Self { cron, tasks })
    }

    /// Waits until the handoffs that are under way are done.
    pub async fn stopped(mut self) {
        if let Err(error) = self.cron.shutdown().await {
            tracing::warn!(%error, "cron did not shut down");
        }
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the scheduler failed");
            }
        }
    }
}

async fn run(
    api: Api,
    mut pulse: Pulse,
    wake: Arc<Notify>,
    mut stopping: watch::Receiver<Option<String>>,
) {
    let (mut told, mut unseen) = (BTreeMap::new(), BTreeMap::new());
    let mut trouble = None;
    loop {
        api.heartbeat().beat();
        settle_clock(&api);
        if !settle_disk(&api, &mut trouble).await {
            // To be started anew would help no disk, and end the lookups that go on.
            pulse.beat();
            tokio::select! {
                _ = stopping.wait_for(Option::is_some) => return,
                () = tokio::time::sleep(DISK_TRIED_EVERY.min(pulse.rest())) => continue,
            }
        }
        hand_off(&api, handoff::tick_without_plugins, &mut told).await;
        match api.app().run(lookout::tick).await {
            Ok(failed) => {
                for (team, error) in &failed {
                    if !unseen.contains_key(team) {
                        tracing::error!(%team, error, "a team can't be looked at; trying again");
                    }
                }
                unseen = failed;
            }
            Err(error) => report_failure(&api, &error, "teams can't be looked at"),
        }
        pulse.beat();
        tokio::select! {
            _ = stopping.wait_for(Option::is_some) => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(WITHOUT_HEARTBEAT.min(pulse.rest())) => {}
        }
    }
}

/// Tries to write again where the disk has failed, and tells when it begins to fail, in another way,
/// or no more. True where writes reach the disk.
async fn settle_disk(api: &Api, told: &mut Option<Trouble>) -> bool {
    let trouble = api.app().disk_trouble();
    if trouble.is_none() && told.is_none() {
        return true;
    }
    tell_of_disk(trouble.as_ref(), told);
    let is_well = api.app().run(|app| Ok(app.recover())).await;
    let is_well = is_well.unwrap_or(false);
    let trouble = api.app().disk_trouble().filter(|_| !is_well);
    tell_of_disk(trouble.as_ref(), told);
    is_well
}

fn tell_of_disk(trouble: Option<&Trouble>, told: &mut Option<Trouble>) {
    if trouble == told.as_ref() {
        return;
    }
    match trouble {
        Some(Trouble { cause, is_full }) => tracing::error!(
            cause,
            is_full,
            "the disk takes no writes: changes, handoffs and messages wait, lookups go on; trying again"
        ),
        None => tracing::info!("the disk takes writes again"),
    }
    *told = trouble.cloned();
}

/// Logs what will be tried again. Of a disk that fails [`settle_disk`] tells.
fn report_failure(api: &Api, error: &ActionError, what: &str) {
    if api.app().disk_trouble().is_none() {
        tracing::error!(%error, "{what}; trying again");
    }
}

/// Tells of a clock that jumps, and of what becomes of it.
fn settle_clock(api: &Api) {
    match api.app().clock().settle() {
        None => {}
        Some(Settled::Jumped(jump)) => {
            api.metrics().clock_jumps.inc();
            tracing::warn!(
                seconds = jump.num_seconds(),
                "the system's clock jumped: going on without it, until it has stood for a minute"
            );
        }
        Some(Settled::Confirmed(jump)) => {
            let seconds = jump.num_seconds();
            tracing::warn!(seconds, "the clock stands: its time is taken over");
        }
        Some(Settled::Withdrawn) => {
            tracing::info!("the clock is back where it was: nothing has come of its jump");
        }
    }
}

/// Teams of plugins have a task of their own: however long plugins take, no other handoff waits.
async fn run_plugins(api: Api, wake: Arc<Notify>, mut stopping: watch::Receiver<Option<String>>) {
    let mut told = BTreeMap::new();
    loop {
        if api.app().disk_trouble().is_none() {
            hand_off(&api, handoff::tick_of_plugins, &mut told).await;
        }
        tokio::select! {
            _ = stopping.wait_for(Option::is_some) => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(WITHOUT_HEARTBEAT) => {}
        }
    }
}

async fn hand_off(
    api: &Api,
    tick: fn(&App) -> Result<Ticked, ActionError>,
    told: &mut BTreeMap<TeamId, String>,
) {
    match api.app().run(tick).await {
        Ok(ticked) => report(api, ticked, told).await,
        Err(error) => report_failure(api, &error, "handoffs failed"),
    }
}

/// Counts and logs what a tick did. A team that fails is audited when it begins to.
async fn report(api: &Api, ticked: Ticked, told: &mut BTreeMap<TeamId, String>) {
    let metrics = api.metrics();
    metrics.last_tick.set(api.app().now().timestamp());
    if ticked.handed_off > 0 {
        metrics.handoffs.inc_by(ticked.handed_off as u64);
        tracing::info!(teams = ticked.handed_off, "handed off");
    }
    let failed = ticked.failed;
    let news: BTreeMap<_, _> = failed
        .clone()
        .into_iter()
        .filter(|(team, _)| !told.contains_key(team))
        .collect();
    *told = failed;
    if news.is_empty() {
        return;
    }
    metrics.failed_handoffs.inc_by(news.len() as u64);
    for (team, error) in &news {
        tracing::error!(%team, error, "a handoff failed; trying again");
    }
    let recorded = api.app().run(move |app| handoff::record_failed(app, &news));
    if let Err(error) = recorded.await {
        tracing::error!(%error, "failed handoffs could not be audited");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn a_tick_that_panics_has_failed_and_the_next_one_goes_on() {
        let app = crate::actions::start_in_memory(Arc::new(SystemClock));
        let failed = app
            .run(|_| -> Result<(), ActionError> { panic!("a bug") })
            .await;
        let error = failed.unwrap_err();
        assert!(
            matches!(&error, ActionError::Internal(inner) if inner.contains("a bug")),
            "{error}"
        );
        app.run(lookout::tick).await.unwrap();
    }
}
