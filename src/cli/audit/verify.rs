//! `oncalld audit verify` and the checkpoints that it goes by.

use std::path::PathBuf;

use clap::Args;
use reqwest::Method;

use crate::cli::args::{Global, PageArgs, Query};
use crate::cli::error::{CliError, Kind};
use crate::cli::files;
use crate::cli::folder::DataFolder;
use crate::cli::output::{note, pretty, print};
use crate::cli::session::Session;
use crate::cli::table::{Table, counted, facts};
use crate::cli::time::stamp;
use crate::domain::seal::Kept;
use crate::store::{self, Store, StoreError};
use crate::wire::audit::{AuditProof, CheckpointView, Expected};

/// What to hold the log against.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// A checkpoint that was kept elsewhere; `-` for standard input
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The key of the first checkpoint, as `verify` showed it
    #[arg(long)]
    key: Option<String>,
}

impl VerifyArgs {
    fn expected(&self) -> Result<Expected, CliError> {
        Ok(Expected {
            checkpoint: match &self.against {
                Some(path) => Some(files::read_text(path)?),
                None => None,
            },
            key: self.key.clone(),
        })
    }
}

/// Has the daemon verify its log; where none answers on this host, verifies the file's.
///
/// # Errors
/// The log is not as it was written, or doesn't lead to what is expected.
pub(super) async fn run(
    args: &VerifyArgs,
    global: &Global,
    session: &Session,
) -> Result<(), CliError> {
    let expected = &args.expected()?;
    let client = &session.client;
    let path = ["audit-logs", "verify"];
    let asked = if *expected == Expected::default() {
        client.slowly::<AuditProof>(Method::GET, &path, None).await
    } else {
        let body = serde_json::to_value(expected);
        let body = body.map_err(|error| CliError::failed(error.to_string()))?;
        client.slowly(Method::POST, &path, Some(body)).await
    };
    let unreachable = match asked {
        Ok(answer) => {
            return match session.open(&answer)? {
                Some(proof) => print(&facts(proven(&proof))),
                None => Ok(()),
            };
        }
        Err(error) => error,
    };
    if unreachable.kind != Kind::Unreachable || !client.connection().is_by_config {
        return Err(unreachable);
    }
    note(&format!("{unreachable}\n"));
    let proof = prove_file(expected, global)?;
    if session.json {
        let json = serde_json::to_string(&proof).unwrap_or_default();
        return print(&pretty(&json));
    }
    print(&facts(proven(&proof)))
}

/// Verifies the log of a daemon that is down, and leaves the file as it is.
fn prove_file(expected: &Expected, global: &Global) -> Result<AuditProof, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::failed(error.to_string());
    let kept = Kept::read(expected.checkpoint.as_deref(), expected.key.as_deref());
    let kept = kept.map_err(|error| failed(&error))?;
    let folder = DataFolder::take_with_store(global)?;
    let store = Store::open_untouched(&folder.store()).map_err(|error| failed(&error))?;
    let proven = store.read(|tx| store::audit::prove(tx, &kept));
    let proven = proven.map_err(|error: StoreError| failed(&error))?;
    Ok(AuditProof::from(&proven))
}

/// Lists the checkpoints.
pub(super) async fn checkpoints(pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let path = ["audit-logs", "checkpoints"];
    let none = "no checkpoints yet: `oncalld audit checkpoint` signs one";
    let found = session.list::<CheckpointView>(&path, Query::default(), pages, none);
    let Some(found) = found.await? else {
        return Ok(());
    };
    let mut table = Table::new(["NUMBER", "ENTRIES", "WHEN", "HASH OF THE LAST"]).numbers([0, 1]);
    for made in found {
        table.row([
            made.number.to_string(),
            made.entries.to_string(),
            stamp(made.created_at),
            made.head,
        ]);
    }
    print(&table.render())
}

/// The proof in words.
pub(in crate::cli) fn proven(proof: &AuditProof) -> Vec<(&'static str, String)> {
    let entries = counted(proof.entries, "entry", "entries");
    let text =
        format!("{entries}, each as it was chained to the one before, and found by every filter");
    let mut facts = vec![("audit log", text), ("head", proof.head.clone())];
    if let Some(key) = &proof.key {
        let checkpoints = counted(proof.checkpoints, "checkpoint", "checkpoints");
        let covered = counted(proof.sealed, "entry", "entries");
        facts.push((
            "checkpoints",
            format!("{checkpoints} up to {covered}, each signed in its turn"),
        ));
        facts.push(("first key", key.clone()));
    }
    facts.push(match proof.against {
        Some(size) => {
            let covered = counted(size, "entry", "entries");
            let text = format!("the {covered} of the checkpoint at hand are there as they were");
            ("proven", text)
        }
        None => {
            let text = "whether somebody with the file put an older one in its place, or rewrote all of \
                        it: keep checkpoints elsewhere, and verify --against them";
            ("unproven", text.to_owned())
        }
    });
    facts
}
