//! Checkpoints of the audit log: signed once a day and at a stop, and held against the log.

use chrono::TimeDelta;

use super::tokens::random;
use crate::app::{ActionError, App, Ctx, Result, Tx};
use crate::domain::hex::hex;
use crate::domain::json::Json;
use crate::domain::notification::Event;
use crate::domain::seal::{Checkpoint, Hash, Kept, SigningKey, Tree};
use crate::domain::token::Role;
use crate::store::audit::seals::{self, Seal, read};
use crate::store::outbox::Message;
use crate::store::{self, Reader};
use crate::wire::audit::{AuditProof, CheckpointView, Expected};
use crate::wire::{Page, Paging};

/// A log that has grown gets a checkpoint this long after the last one.
const EVERY: TimeDelta = TimeDelta::days(1);
/// Whom checkpoints are sent to, where a sink has to know one.
const RECIPIENT: &str = "audit-log";

/// Every checkpoint, newest first.
pub fn list(app: &App, paging: &Paging) -> Result<Page<CheckpointView>> {
    app.read(|tx| {
        let total = seals::count(tx)?;
        let numbers = (1..=total).rev().skip(paging.skip()).take(paging.size());
        let mut items = Vec::new();
        for number in numbers {
            if let Some(seal) = seals::find(tx, number)? {
                items.push(view(&seal)?);
            }
        }
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        Ok(Page::new(items, total, paging))
    })
}

/// How many checkpoints there are.
pub fn count(app: &App) -> Result<u64> {
    app.read(|tx| Ok(seals::count(tx)?))
}

/// The checkpoint of a number, if there is one.
pub fn find(app: &App, number: u64) -> Result<Option<CheckpointView>> {
    let seal = app.read(|tx| Ok(seals::find(tx, number)?))?;
    seal.as_ref().map(view).transpose()
}

/// Signs a checkpoint now: the last one where nothing was audited since.
///
/// # Errors
/// Not an admin; nothing was ever audited; the store failed.
pub fn create(app: &App, ctx: &Ctx) -> Result<CheckpointView> {
    ctx.require(Role::Admin)?;
    if let Some(made) = seal(app)? {
        return Ok(made);
    }
    let last = find(app, count(app)?)?;
    last.ok_or_else(|| ActionError::conflict("the audit log has no entry yet"))
}

/// Signs a checkpoint, where something was audited since the last one, and sends it to the sinks that
/// ask for them.
pub fn seal(app: &App) -> Result<Option<CheckpointView>> {
    // What is long is read before anybody waits.
    let known = app.read(|tx| Ok(seals::tree(tx, None)?))?;
    let (first, next) = (random()?, random()?);
    app.write(&Ctx::system(), |tx| {
        let tree = seals::tree(tx.store, Some(known.clone()))?;
        sign(tx, &tree, &first, &next)
    })
}

/// Whether a checkpoint is due: the log has grown, and the last one is a day old, or there is none.
pub fn is_due(app: &App) -> Result<bool> {
    let (last, size) = app.read(|tx| {
        let last = seals::find(tx, seals::count(tx)?)?;
        Ok((last, store::audit::head(tx)?.seq))
    })?;
    let Some(last) = last else {
        return Ok(size > 0);
    };
    let last = read(&last)?;
    Ok(size > last.size && last.at + EVERY <= app.now())
}

fn sign(tx: &mut Tx<'_>, tree: &Tree, first: &Hash, next: &Hash) -> Result<Option<CheckpointView>> {
    let number = seals::count(tx.store)? + 1;
    let last = seals::find(tx.store, number - 1)?;
    let last = last.as_ref().map(read).transpose()?;
    if tree.size() == last.as_ref().map_or(0, |last| last.size) {
        return Ok(None);
    }
    let seed = seals::seed(tx.store)?.unwrap_or_else(|| first.to_vec());
    let (Some(key), Some(next_key)) = (SigningKey::of_seed(&seed), SigningKey::of_seed(next))
    else {
        return Err(ActionError::Internal(
            "the key of checkpoints is damaged".to_owned(),
        ));
    };
    let origin = match last {
        Some(last) => last.origin,
        None => origin(tx.store)?,
    };
    let checkpoint = Checkpoint {
        size: tree.size(),
        root: tree.root(),
        head: store::audit::head(tx.store)?.hash,
        at: tx.now,
        key: key.public(&origin),
        next_key: next_key.public(&origin),
        origin,
    };
    let seal = Seal {
        number,
        note: checkpoint.sign(&key),
    };
    seals::put(tx.store, &seal, tree, next)?;
    let view = view(&seal)?;
    send(tx, &view);
    Ok(Some(view))
}

/// The log's name: nobody else's begins with the same entry.
fn origin(tx: &impl Reader) -> Result<String> {
    let first = store::audit::at(tx, 1)?;
    let id = first.map(|entry| entry.id.to_string());
    Ok(format!("oncalld/{}", id.unwrap_or_default()))
}

fn send(tx: &mut Tx<'_>, view: &CheckpointView) {
    let event = Event::AuditCheckpoint;
    let payload = serde_json::to_value(view).unwrap_or_default();
    for route in tx.settings.sinks.iter().filter(|route| route.takes(event)) {
        let message = Message {
            event,
            recipient: RECIPIENT.to_owned(),
            team_id: None,
            payload: Json(payload.clone()),
        };
        tx.notify(&route.sink, &message);
    }
}

/// Checks the log, its indexes and all of its checkpoints, and holds them against what is expected.
///
/// # Errors
/// The first entry, row of an index, or checkpoint that is not as it was written; what is expected
/// can't be read.
pub fn prove(app: &App, expected: &Expected) -> Result<AuditProof> {
    let kept = Kept::read(expected.checkpoint.as_deref(), expected.key.as_deref())?;
    let proven = app.read(|tx| Ok(store::audit::prove(tx, &kept)?))?;
    Ok(AuditProof::from(&proven))
}

fn view(seal: &Seal) -> Result<CheckpointView> {
    let checkpoint = read(seal)?;
    Ok(CheckpointView {
        number: seal.number,
        entries: checkpoint.size,
        head: hex(&checkpoint.head),
        created_at: checkpoint.at,
        key: checkpoint.key.text(),
        note: seal.note.clone(),
    })
}
