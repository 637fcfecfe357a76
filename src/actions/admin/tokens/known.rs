//! Recognising tokens: those that were shown of late are kept in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use super::hash;
use crate::app::cache::Cache;
use crate::app::{App, Ctx, Part, Result};
use crate::domain::audit::{AuditEntry, EntityType};
use crate::domain::ids::TokenId;
use crate::domain::token::{Token, USE_NOTED_EVERY};
use crate::store;

/// Tokens that are kept in memory.
const KEPT: usize = 4096;

/// Tokens that were recognised of late, by the hash of their secrets.
#[derive(Debug)]
pub struct KnownTokens(Cache<[u8; 32], Arc<KnownToken>, TokenId>);

/// A token that was recognised of late.
#[derive(Debug)]
pub struct KnownToken {
    token: Token,
    /// The use of it that was last written down, in Unix milliseconds.
    noted: AtomicI64,
}

impl KnownToken {
    fn new(token: Token) -> Self {
        let noted = token.used_at.map_or(i64::MIN, |at| at.timestamp_millis());
        let noted = AtomicI64::new(noted);
        Self { token, noted }
    }

    /// The token.
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// From when on its use is to be written down again.
    fn notable_from(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.noted.load(Ordering::Relaxed))
            .map(|noted| noted + USE_NOTED_EVERY)
    }

    /// True for the one who is to write down its use: where that was not done of late, once.
    pub fn claims_note(&self, now: DateTime<Utc>) -> bool {
        let noted = self.noted.load(Ordering::Relaxed);
        let is_due = self.notable_from().is_none_or(|due| now >= due);
        let millis = now.timestamp_millis();
        let swap = || {
            let order = Ordering::Relaxed;
            self.noted.compare_exchange(noted, millis, order, order)
        };
        is_due && swap().is_ok()
    }
}

impl Default for KnownTokens {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl Part for KnownTokens {
    /// Forgets the tokens that were made or revoked.
    fn after_commit(&self, written: &[AuditEntry]) {
        let changed: Vec<TokenId> = written
            .iter()
            .filter(|entry| entry.event.entity_type == EntityType::Token)
            .filter_map(|entry| entry.event.entity_id.as_deref()?.parse().ok())
            .collect();
        if !changed.is_empty() {
            self.0.forget(&changed);
        }
    }

    fn after_reopening(&self) {
        self.0.forget_all();
    }
}

fn known(app: &App) -> &Cache<[u8; 32], Arc<KnownToken>, TokenId> {
    &app.part::<KnownTokens>().0
}

/// The valid token of a secret.
pub fn recognise(app: &App, secret: &str) -> Result<Option<Arc<KnownToken>>> {
    let hash = hash(secret);
    let is_valid = |known: &Arc<KnownToken>| known.token.is_valid_at(app.now());
    if let Some(known) = known(app).get(&hash) {
        return Ok(Some(known).filter(is_valid));
    }
    let changes = known(app).changes();
    let token = app
        .read(|tx| Ok(store::tokens::find_by_hash(tx, &hash)?))?
        .map(|token| Arc::new(KnownToken::new(token)));
    if let Some(found) = &token {
        known(app).keep(hash, Arc::clone(found), vec![found.token.id], changes);
    }
    Ok(token.filter(is_valid))
}

/// Writes down that a token is in use. It concerns nobody but the token, and is not audited.
pub fn note_use(app: &App, id: TokenId) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        // One that was revoked meanwhile stays revoked.
        if let Some(token) = store::tokens::find(tx.store, id)? {
            let used_at = Some(tx.now);
            store::tokens::put(tx.store, &Token { used_at, ..token })?;
        }
        Ok(())
    })
}

/// That a secret was recognised: holds until tokens change, it expires, or its use is to be noted.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    changes: u64,
    until: DateTime<Utc>,
}

impl Admission {
    /// Whether it still holds.
    pub fn holds(&self, app: &App, now: DateTime<Utc>) -> bool {
        known(app).changes() == self.changes && now < self.until
    }
}

/// Admits a secret that was recognised of late, of a token that is not limited, for lookups. What is
/// not admitted is not refused: it has to come the common way.
pub fn admit(app: &App, secret: &str, now: DateTime<Utc>) -> Option<Admission> {
    let changes = known(app).changes();
    let until = |known: &Arc<KnownToken>| {
        let notable = known.notable_from()?;
        let expiry = known.token.expires_at.unwrap_or(notable);
        known.token.is_unlimited().then(|| notable.min(expiry))
    };
    let until = known(app).with(&hash(secret), until).flatten()?;
    (now < until).then_some(Admission { changes, until })
}
