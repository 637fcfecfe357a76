//! `oncalld import bugbot`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use serde_json::json;

use super::args::Global;
use super::error::CliError;
use super::folder::DataFolder;
use super::output::{note, pretty, print};
use super::session::Session;
use super::table::Table;
use crate::import::{ImportError, Report, bugbot};
use crate::store::Store;

/// Imports a dump into the data file, and prints how many rows became what.
///
/// # Errors
/// A daemon runs; a row is not as it should be: nothing is written then.
pub(super) fn import(
    path: &Path,
    dry_run: bool,
    session: &Session,
    global: &Global,
) -> Result<(), CliError> {
    let folder = DataFolder::take(global)?;
    let file = folder.store();
    let store = match (file.exists(), dry_run) {
        (true, true) => Store::open_untouched(&file),
        (false, true) => Store::in_memory(),
        (true, false) => Store::open(&file),
        (false, false) => {
            folder.refuse_lost_store()?;
            Store::open(&file)
        }
    };
    let store = store.map_err(|error| CliError::failed(error.to_string()))?;
    let is_watched = std::io::stderr().is_terminal();
    let progress = |table: &str, rows: u64| {
        if is_watched {
            let mut stderr = std::io::stderr().lock();
            // Nobody is left to be told where this fails.
            let _ = write!(stderr, "\r{table}: {rows} rows").and_then(|()| stderr.flush());
        }
    };
    let imported = bugbot::import(&store, path, session.now, dry_run, &progress);
    if is_watched {
        note("");
    }
    match imported {
        Ok(report) => show(&report, session),
        Err(ImportError::DryRun(report)) => {
            show(&report, session)?;
            note("nothing was written: a dry run");
            Ok(())
        }
        Err(error) => Err(CliError::failed(format!("{error}\nnothing was imported"))),
    }
}

fn show(report: &Report, session: &Session) -> Result<(), CliError> {
    if session.json {
        let tables = report.tables.iter().map(|table| {
            json!({"table": table.table, "read": table.read, "added": table.added,
                "there_already": table.there})
        });
        let json = json!({"tables": tables.collect::<Vec<_>>(), "ignored_columns": report.ignored});
        return print(&pretty(&json.to_string()));
    }
    let mut shown = Table::new(["TABLE", "ROWS IN", "ADDED", "THERE ALREADY"]);
    for table in &report.tables {
        let counts = [table.read, table.added, table.there].map(|count| count.to_string());
        let [read, added, there] = counts;
        shown.row([table.table.to_owned(), read, added, there]);
    }
    print(&shown.numbers(1..4).render())?;
    for (table, columns) in &report.ignored {
        note(&format!(
            "{table}: not carried over: {}",
            columns.join(", ")
        ));
    }
    Ok(())
}
