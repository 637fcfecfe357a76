//! Checkpoints of the audit log, signed once a day and at a stop, and kept as files.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::actions::admin::seals;
use crate::app::{ActionError, App};
use crate::http::Api;
use crate::wire::Paging;
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
    for page in 1.. {
        let paging = Paging {
            page: Some(page),
            page_size: None,
        };
        let found = seals::list(app, &paging)?.items;
        let is_end = found.is_empty();
        let listed = found.len();
        new.extend(
            found
                .into_iter()
                .take_while(|made| !path(dir, made).exists()),
        );
        if is_end || new.len() < listed * page {
            break;
        }
    }
    Ok(new.iter().rev().try_for_each(|made| keep(dir, made)))
}

fn path(dir: &Path, made: &CheckpointView) -> PathBuf {
    dir.join(format!("{:012}.txt", made.entries))
}

fn keep(dir: &Path, made: &CheckpointView) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true).mode(0o700).create(dir)?;
    let path = path(dir, made);
    // Whole or not at all: one that was cut short would count as kept.
    let partial = path.with_extension("partial");
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(made.note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, &path)
}
