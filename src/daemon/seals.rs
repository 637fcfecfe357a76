//! Checkpoints of the audit log, signed once a day and at a stop, and kept as files.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::actions::admin::seals;
use crate::app::{ActionError, App};
use crate::http::Api;
use crate::private_file;
use crate::wire::audit::CheckpointView;

/// How often it is asked whether one is due, or has come: that costs few small reads.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Signs checkpoints when they are due, and a last one when `stopping` is set.
pub fn start(
    api: &Api,
    dir: PathBuf,
    mut stopping: watch::Receiver<Option<String>>,
) -> JoinHandle<()> {
    let api = api.clone();
    tokio::spawn(async move {
        loop {
            let is_stop = stopping.borrow().is_some();
            let dir = dir.clone();
            let sealed = api.app().run(move |app| seal(app, &dir, is_stop)).await;
            // Of a disk that fails others tell.
            if let Err(error) = sealed
                && api.app().disk_trouble().is_none()
            {
                tracing::error!(%error, "the audit log got no checkpoint; trying again");
            }
            if is_stop {
                return;
            }
            tokio::select! {
                _ = stopping.wait_for(Option::is_some) => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    })
}

fn seal(app: &App, dir: &Path, at_once: bool) -> Result<(), ActionError> {
    let made = if at_once || seals::is_due(app)? {
        seals::seal(app)?
    } else {
        None
    };
    if let Some(made) = made {
        tracing::info!(
            number = made.number,
            entries = made.entries,
            "signed a checkpoint of the audit log"
        );
    }
    // They are in the store, too, and the API gives them out.
    if let Err(error) = keep_new(app, dir)? {
        let dir = dir.display();
        tracing::error!(%dir, %error, "a checkpoint could not be written to a file");
    }
    Ok(())
}

/// Writes each checkpoint that has come since the last one that was written, whoever asked for it, into a
/// file of its own.
fn keep_new(app: &App, dir: &Path) -> Result<std::io::Result<()>, ActionError> {
    let mut new = Vec::new();
    for number in (1..=seals::count(app)?).rev() {
        let Some(made) = seals::find(app, number)? else {
            break;
        };
        let path = path(dir, &made);
        if path.exists() {
            break;
        }
        new.push((path, made.note));
    }
    if new.is_empty() {
        return Ok(Ok(()));
    }
    let mut folder = std::fs::DirBuilder::new();
    let made = folder.recursive(true).mode(0o700).create(dir);
    let mut oldest_first = new.iter().rev();
    Ok(made.and_then(|()| {
        oldest_first.try_for_each(|(path, note)| private_file::replace(path, &[note.as_bytes()]))
    }))
}

/// By size, and by what the log came to then: the file of a log that was there before, or of a history
/// that was put aside, is another.
fn path(dir: &Path, made: &CheckpointView) -> PathBuf {
    let head: String = made.head.chars().take(16).collect();
    dir.join(format!("{:012}-{head}.txt", made.entries))
}
