//! The sample company: fills an empty store with a company that has rotated for half a year.
//!
//! It is made in a file of its own beside the store, and takes the store's place when it is
//! complete: a start that is interrupted leaves the store empty.

mod acts;
mod company;
mod history;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Utc};

use self::company::Company;
use crate::app::{App, Ctx, Settings};
use crate::clock::ManualClock;
use crate::domain::audit::AuditEntry;
use crate::domain::token::Token;
use crate::store::{self, Store};

/// Fills `store` with the sample company as it is at `now`, and returns it reopened; or returns
/// it as it is, where it isn't empty.
///
/// # Errors
/// The store failed, or the file beside it can't be written.
pub fn fill(store: Store, settings: &Settings, now: DateTime<Utc>) -> anyhow::Result<Store> {
    if !store.read(store::meta::is_empty)? {
        tracing::warn!(
            file = %store.path().display(),
            "the store is not empty: it stays as it is, without the sample company"
        );
        return Ok(store);
    }
    // The store stays open, and so locked, until the other file is complete.
    let path = store.path().to_owned();
    let new = path.with_extension("redb.demo");
    make(&new, settings, now, &Kept::of(&store)?)
        .with_context(|| format!("{}: the sample company can't be made", new.display()))?;
    drop(store);
    fs::rename(&new, &path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    tracing::info!(file = %path.display(), "filled the empty store with the sample company");
    Ok(Store::open(&path)?)
}

/// Makes a store with the sample company at `path`, in place of what an interrupted start
/// may have left there.
fn make(path: &Path, settings: &Settings, now: DateTime<Utc>, kept: &Kept) -> anyhow::Result<()> {
    let clock = Arc::new(ManualClock::new(now));
    let settings = Settings {
        // Nobody is told of months that are past.
        sinks: Vec::new(),
        ..settings.clone()
    };
    let app = crate::actions::start(Store::create_unsynced(path)?, clock.clone(), settings);
    history::live(&app, &clock, &Company::sample()?, now)?;
    kept.put_into(&app)?;
    drop(app);
    File::open(path)?.sync_all()?;
    Ok(())
}

/// What a store without a company may have: tokens, and the audit log of them.
struct Kept {
    tokens: Vec<Token>,
    entries: Vec<AuditEntry>,
}

impl Kept {
    fn of(store: &Store) -> anyhow::Result<Self> {
        store.read(|tx| {
            let (_, entries) =
                store::audit::list(tx, &store::audit::Filter::default(), 0, usize::MAX)?;
            Ok(Self {
                tokens: store::tokens::list(tx)?,
                // From newest first to oldest first.
                entries: entries.into_iter().rev().collect(),
            })
        })
    }

    fn put_into(&self, app: &App) -> anyhow::Result<()> {
        app.write(&Ctx::system(), |tx| {
            for token in &self.tokens {
                store::tokens::put(tx.store, token)?;
            }
            for entry in &self.entries {
                store::audit::append(tx.store, entry.event.clone(), entry.created_at)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
