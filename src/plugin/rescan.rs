//! Keeps the plugins in line with their folder while the daemon runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::MissedTickBehavior;

use super::registry::Registry;
use crate::actions::admin::plugins;
use crate::app::{App, Ctx};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Looks at the folder until `stopped`, and audits what happens. Answers once the plugins that
/// are there have been loaded.
pub fn start(
    registry: Arc<Registry>,
    app: App,
    mut stopped: watch::Receiver<Option<String>>,
) -> oneshot::Receiver<()> {
    let (loaded, first) = oneshot::channel();
    tokio::spawn(async move {
        look(&registry, &app, true).await;
        // Whoever waited may have lost patience.
        let _ = loaded.send(());
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_over = async { drop(stopped.wait_for(Option::is_some).await) };
            tokio::select! {
                _ = ticks.tick() => {}
                () = is_over => return,
            }
            look(&registry, &app, false).await;
        }
    });
    first
}

async fn look(registry: &Arc<Registry>, app: &App, now: bool) {
    let registry = registry.clone();
    let looked = app.run(move |app| {
        let events = registry.look(now);
        plugins::record(app, &Ctx::system(), events)
    });
    if let Err(error) = looked.await {
        tracing::error!(%error, "what happened to plugins could not be recorded");
    }
}
