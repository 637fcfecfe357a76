//! Backups and exports of a store that is in use: one consistent snapshot, however long it takes.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::app::{ActionError, App, Ctx, Result};
use crate::domain::token::Role;
use crate::store::copy::{self, CopyError};
use crate::store::examine::Found;
use crate::store::export::{self, ExportError};

/// How the names of backups begin and end.
const NAME: (&str, &str) = ("oncalld-", ".redb");

/// The extension of a copy on its way to a client.
pub const ASIDE: &str = "redb.backup";

/// Copies the store into a file, in place of what is there, and proves that the copy holds the same.
///
/// # Errors
/// Not an admin; the copy can't be written, or isn't sound, in which case it is removed.
pub fn write(app: &App, ctx: &Ctx, to: &Path) -> Result<Found> {
    ctx.require(Role::Admin)?;
    app.read(|tx| copy::copy(tx, to).map_err(failed))
}

fn failed(error: CopyError) -> ActionError {
    match error {
        CopyError::Store(error) => error.into(),
        error => ActionError::Internal(format!("no backup: {error}")),
    }
}

/// A backup as an open file in the data folder, which is gone when it's closed; and its name elsewhere.
///
/// # Errors
/// As [`write`]; there is too little room for it.
pub fn write_aside(app: &App, ctx: &Ctx) -> Result<(String, File)> {
    ctx.require(Role::Admin)?;
    let store = app.store_path();
    check_room(app, store.parent().unwrap_or(Path::new(".")))?;
    let path = store.with_extension(ASIDE);
    write(app, ctx, &path)?;
    let opened = File::open(&path);
    let removed = std::fs::remove_file(&path);
    let file = opened.and_then(|file| removed.map(|()| file));
    let file = file.map_err(|error| ActionError::Internal(format!("no backup: {error}")))?;
    Ok((name(app.now()), file))
}

/// A backup shall not be what fills the disk.
fn check_room(app: &App, folder: &Path) -> Result<()> {
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        return Ok(());
    };
    let (room, needed) = (
        disk.f_bavail.saturating_mul(disk.f_frsize),
        app.store_bytes(),
    );
    if room / 2 > needed {
        return Ok(());
    }
    let mb = |bytes: u64| bytes / 1_000_000;
    Err(ActionError::conflict(format!(
        "a backup may take {} MB of the data folder's disk for a while, and {} MB are free: twice as much \
         is wanted; make room",
        mb(needed),
        mb(room)
    )))
}

/// Writes the store as lines of JSON.
///
/// # Errors
/// Not an admin; a record can't be read; `out` fails.
pub fn export(app: &App, ctx: &Ctx, out: &mut impl Write) -> Result<u64> {
    ctx.require(Role::Admin)?;
    app.read(|tx| {
        export::export(tx, out).map_err(|error| match error {
            ExportError::Store(error) => error.into(),
            error => ActionError::Internal(format!("no export: {error}")),
        })
    })
}

/// The name of a backup that is made now.
pub fn name(now: DateTime<Utc>) -> String {
    format!("{}{}{}", NAME.0, now.format("%Y%m%dT%H%M%SZ"), NAME.1)
}

/// Writes a backup into a folder, and removes all but the newest `keep` there, but for those that a clock
/// which was wrong dates later than now: its path. It has its name
/// only once it is proven.
///
/// # Errors
/// As [`write`]; the folder can't be read or written.
pub fn write_into(app: &App, folder: &Path, keep: usize) -> Result<(PathBuf, Found)> {
    let unusable = |error: io::Error| {
        ActionError::Internal(format!("no backup in {}: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    check_room(app, folder)?;
    let now = app.now();
    let path = folder.join(name(now));
    // One name for all: what was interrupted is written over.
    let unproven = folder.join("oncalld.redb.part");
    let found = write(app, &Ctx::system(), &unproven)?;
    std::fs::rename(&unproven, &path).map_err(unusable)?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(unusable)?;
    let entries = std::fs::read_dir(folder).map_err(unusable)?;
    let mut backups: Vec<_> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| made_at(name).is_some_and(|at| at <= now))
        .collect();
    // Nothing else is ever removed. The names sort by time.
    backups.sort_unstable_by(|a, b| b.cmp(a));
    for old in backups.iter().skip(keep) {
        std::fs::remove_file(folder.join(old)).map_err(unusable)?;
    }
    Ok((path, found))
}

/// When the backup of a name was made; none where it isn't one's.
pub fn made_at(name: &str) -> Option<DateTime<Utc>> {
    let time = name.strip_prefix(NAME.0)?.strip_suffix(NAME.1)?;
    let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?;
    Some(time.and_utc())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::clock::{Clock as _, ManualClock};

    #[test]
    fn the_newest_backups_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new("2026-03-02T03:00:00Z".parse().unwrap()));
        let app = crate::actions::start_in_memory(clock.clone());
        for other in [
            "oncalld-notes.redb",
            "oncalld.redb",
            "oncalld-20260101T000000Z.redb.bak",
        ] {
            std::fs::write(folder.path().join(other), "mine").unwrap();
        }
        for _ in 0..4 {
            write_into(&app, folder.path(), 2).unwrap();
            clock.set(clock.now() + TimeDelta::days(1));
        }
        let names = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "oncalld-20260101T000000Z.redb.bak",
                "oncalld-20260304T030000Z.redb",
                "oncalld-20260305T030000Z.redb",
                "oncalld-notes.redb",
                "oncalld.redb",
            ]
        );
    }
}
