//! `oncalld backup`, `restore`, `export`, `import` and `compact`: the whole store.
//!
//! A backup and an export come from the daemon, while everything goes on; where none runs on this host,
//! from its file. What changes the file takes the daemon down first.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::Global;
use super::declared::Format;
use super::error::{CliError, Kind};
use super::files::{self, wrong};
use super::folder::DataFolder;
use super::output::{note, print};
use super::session::Session;
use crate::private_file;
use crate::store::examine::Found;
use crate::store::{Store, copy, export};

/// Where to.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file to write; none of that name may be there [default: oncalld-TIME.redb]
    file: Option<PathBuf>,
}

/// Where to.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file to write; none of that name may be there [default: standard output]
    file: Option<PathBuf>,
    /// Only teams, members and services, as `oncalld apply` takes them
    #[arg(long)]
    declarative: bool,
    /// How a declaration is written [default: as the file's name ends, else toml]
    #[arg(long, value_enum, requires = "declarative")]
    format: Option<Format>,
}

/// What from.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Put it in the place of a store that holds something; that one is kept beside it
    #[arg(long)]
    force: bool,
}

/// What from.
#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// A dump of bugbot's PostgreSQL: a folder with a file a table, or one file; what is there stays
    Bugbot {
        /// The folder, or a file such as teams.csv
        path: PathBuf,
        /// Do everything but write
        #[arg(long)]
        dry_run: bool,
    },
    /// An export of oncalld, into an empty store
    Oncalld {
        /// The export
        file: PathBuf,
        /// Put it in the place of a store that holds something; that one is kept beside it
        #[arg(long)]
        force: bool,
    },
}

/// Writes a backup and proves it.
///
/// # Errors
/// The file is there already or can't be written; the backup is not sound.
pub(super) async fn backup(
    args: BackupArgs,
    session: &Session,
    global: &Global,
) -> Result<(), CliError> {
    let path = args.file.unwrap_or_else(|| {
        let time = session.now.format("%Y%m%dT%H%M%SZ");
        PathBuf::from(format!("oncalld-{time}.redb"))
    });
    let unproven = beside(&path, "part");
    let found = if fetch("backup", session, &unproven, &path).await? {
        copy::examine_file(&unproven).map_err(|error| wrong(&path, "is no backup", &error))
    } else {
        offline(global, |store, _| {
            let copied = store.read(|tx| copy::copy(tx, &unproven));
            copied.map_err(|error| wrong(&path, "can't be written", &error))
        })
    };
    let found = found.inspect_err(|_| drop(fs::remove_file(&unproven)))?;
    put(&unproven, &path)?;
    tell(session, &path, "wrote and proved", &found)
}

/// Writes everything as lines of JSON.
///
/// # Errors
/// The file is there already or can't be written; a record can't be read.
pub(super) async fn export(
    args: ExportArgs,
    session: &Session,
    global: &Global,
) -> Result<(), CliError> {
    if args.declarative {
        return super::apply::export(args.file.as_deref(), args.format, session).await;
    }
    let Some(path) = args.file else {
        let mut out = BufWriter::new(io::stdout());
        return match session.client.download("export", &mut out).await {
            Err(error) if is_unreachable(session, &error) => offline(global, |store, _| {
                write_lines(store, &mut out, "standard output")
            }),
            done => done,
        };
    };
    let part = beside(&path, "part");
    let written = if fetch("export", session, &part, &path).await? {
        Ok(())
    } else {
        offline(global, |store, _| {
            let mut out = BufWriter::new(new_file(&part)?);
            write_lines(store, &mut out, &path.display().to_string())
        })
    };
    written.inspect_err(|_| drop(fs::remove_file(&part)))?;
    put(&part, &path)?;
    print(&format!("wrote {}", path.display()))
}

fn write_lines(store: &Store, out: &mut impl io::Write, to: &str) -> Result<(), CliError> {
    let written = store.read(|tx| export::export(tx, out));
    let written = written.map_err(|error| CliError::failed(format!("{to}: {error}")))?;
    note(&format!("{written} rows"));
    Ok(())
}

/// Puts a backup in the place of the store.
///
/// # Errors
/// A daemon runs; the backup is not sound; there is a store, and `--force` was not given.
pub(super) fn restore(
    args: &RestoreArgs,
    session: &Session,
    global: &Global,
) -> Result<(), CliError> {
    let folder = DataFolder::take(global)?;
    refuse_to_replace(&folder, args.force)?;
    let new = folder.beside("redb.restore");
    let proven = copy_file(&args.file, &new).and_then(|()| {
        copy::examine_file(&new)
            .map_err(|error| wrong(&args.file, "is refused", &without_path(&error, &new)))
    });
    let found = proven.inspect_err(|_| drop(fs::remove_file(&new)))?;
    let kept = folder.put_in_place(&new, session.now);
    let kept = kept.inspect_err(|_| drop(fs::remove_file(&new)))?;
    tell_kept(kept.as_deref());
    tell(session, &args.file, "restored", &found)
}

/// Makes a store of an export.
///
/// # Errors
/// A daemon runs; a line is not as it should be; there is a store, and `--force` was not given.
pub(super) fn import(
    command: &ImportCommand,
    session: &Session,
    global: &Global,
) -> Result<(), CliError> {
    let (file, force) = match command {
        ImportCommand::Oncalld { file, force } => (file, force),
        ImportCommand::Bugbot { path, dry_run } => {
            return super::bugbot::import(path, *dry_run, session, global);
        }
    };
    let folder = DataFolder::take(global)?;
    refuse_to_replace(&folder, *force)?;
    let lines = File::open(file).map_err(|error| wrong(file, "can't be read", &error))?;
    let new = folder.beside("redb.import");
    let import = || {
        let store = Store::create_unsynced(&new);
        let store = store.map_err(|error| CliError::failed(error.to_string()))?;
        let found = export::import(BufReader::new(lines), &store);
        let found =
            found.map_err(|error| CliError::failed(format!("{}: {error}", file.display())))?;
        drop(store);
        let synced = File::open(&new).and_then(|file| file.sync_all());
        synced.map_err(|error| wrong(&new, "can't be synced", &error))?;
        Ok(found)
    };
    let found = import().inspect_err(|_: &CliError| drop(fs::remove_file(&new)))?;
    let kept = folder.put_in_place(&new, session.now);
    let kept = kept.inspect_err(|_| drop(fs::remove_file(&new)))?;
    tell_kept(kept.as_deref());
    tell(session, file, "imported", &found)
}

/// Writes the store anew without the room that deleted and changed rows have left.
///
/// # Errors
/// A daemon runs; there is no store, or it is not sound.
pub(super) fn compact(global: &Global) -> Result<(), CliError> {
    offline(global, |store, folder| {
        let new = folder.beside("redb.compact");
        let copied = store.read(|tx| copy::copy(tx, &new));
        copied.map_err(|error| CliError::failed(format!("{error}; the store is as it was")))?;
        let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        let (before, after) = (size(&folder.store()), size(&new));
        let replaced = folder.replace(&new);
        replaced.inspect_err(|_| drop(fs::remove_file(&new)))?;
        let kb = |bytes: u64| bytes.div_ceil(1000);
        print(&format!("compacted {} kB to {} kB", kb(before), kb(after)))
    })
}

/// Fetches something from the daemon into `to`; false where none answers on this host.
async fn fetch(what: &str, session: &Session, to: &Path, wanted: &Path) -> Result<bool, CliError> {
    files::refuse_to_replace(wanted)?;
    let mut file = BufWriter::new(new_file(to)?);
    let fetched = session.client.download(what, &mut file).await;
    let synced = fetched.and_then(|()| {
        let synced = file.flush().and_then(|()| file.get_ref().sync_all());
        synced.map_err(|error| wrong(to, "can't be written", &error))
    });
    match synced {
        Ok(()) => Ok(true),
        Err(error) => {
            let _ = fs::remove_file(to);
            if is_unreachable(session, &error) {
                return Ok(false);
            }
            Err(error)
        }
    }
}

fn is_unreachable(session: &Session, error: &CliError) -> bool {
    error.kind == Kind::Unreachable && session.client.connection().is_by_config
}

/// Does something with the file of a daemon that is down.
fn offline<T>(
    global: &Global,
    f: impl FnOnce(&Store, &DataFolder) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let folder = DataFolder::take_with_store(global)?;
    // The copy is what is there, and what is there stays as it is.
    let store = Store::open_untouched(&folder.store());
    let store = store.map_err(|error| CliError::failed(error.to_string()))?;
    f(&store, &folder)
}

fn refuse_to_replace(folder: &DataFolder, force: bool) -> Result<(), CliError> {
    if force || !folder.holds_something()? {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "{} holds something: --force puts the new one in its place, and keeps this one beside it",
        folder.store().display()
    )))
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn new_file(path: &Path) -> Result<File, CliError> {
    private_file::create(path).map_err(|error| wrong(path, "can't be made", &error))
}

fn copy_file(from: &Path, to: &Path) -> Result<(), CliError> {
    let mut source = File::open(from).map_err(|error| wrong(from, "can't be read", &error))?;
    let mut file = new_file(to)?;
    let copied = io::copy(&mut source, &mut file).and_then(|_| file.sync_all());
    copied.map_err(|error| wrong(to, "can't be written", &error))
}

fn put(part: &Path, path: &Path) -> Result<(), CliError> {
    fs::rename(part, path).map_err(|error| wrong(path, "can't be written", &error))
}

/// What is wrong, without the name of a copy that nobody knows.
fn without_path(error: &copy::CopyError, path: &Path) -> String {
    let text = error.to_string();
    let path = format!("{}: ", path.display());
    text.strip_prefix(&path)
        .map_or_else(|| text.clone(), str::to_owned)
}

fn tell_kept(kept: Option<&Path>) {
    if let Some(kept) = kept {
        note(&format!(
            "the store that was there is now {}",
            kept.display()
        ));
    }
}

fn tell(session: &Session, path: &Path, done: &str, found: &Found) -> Result<(), CliError> {
    let entries = found.audit.as_ref().map_or(0, |audit| audit.entries);
    let records: u64 = found.records.values().sum();
    if session.json {
        let json = serde_json::json!({
            "file": path, "records": found.records, "audit_entries": entries,
        });
        return print(&super::output::pretty(&json.to_string()));
    }
    print(&format!(
        "{done} {}: {records} records, an audit log of {entries} entries",
        path.display()
    ))
}
