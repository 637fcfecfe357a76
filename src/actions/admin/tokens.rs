//! Access tokens: make, list, revoke, and recognise.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::app::cache::Cache;
use crate::app::{ActionError, Actor, App, Ctx, Part, Result, Tx};
use crate::clock::to_millis;
use crate::domain::audit::{Action, AuditEntry, EntityType};
use crate::domain::hex::hex;
use crate::domain::ids::TokenId;
use crate::domain::invalid::Invalid;
use crate::domain::token::{Role, Token};
use crate::store;
use crate::wire::token::{NewToken, TokenView};
use crate::wire::{Page, Paging};

/// How every token begins.
pub const PREFIX: &str = "oncalld_";

/// Every token, oldest first, without secrets.
///
/// # Errors
/// Not an admin.
pub fn list(app: &App, ctx: &Ctx, paging: &Paging) -> Result<Page<TokenView>> {
    ctx.require(Role::Admin)?;
    let tokens = app.read(|tx| Ok(store::tokens::list(tx)?))?;
    Ok(Page::of(
        tokens.iter().map(TokenView::from).collect(),
        paging,
    ))
}

/// Makes a token. The answer alone bears the secret; where an idempotency key repeats it,
/// the secret is left out.
///
/// # Errors
/// Not an admin; the input is invalid; the name is taken.
pub fn create(app: &App, ctx: &Ctx, input: &NewToken) -> Result<TokenView> {
    ctx.require(Role::Admin)?;
    let secret = new_secret()?;
    let mut is_new = false;
    let view = app.write_once(ctx, |tx| {
        is_new = true;
        let mut invalid = Invalid::default();
        invalid.check_line("name", &input.name, 1, 100);
        let role = invalid.parse::<Role>("role", &input.role);
        let user = input.slack_user_id.as_deref();
        let user = user.and_then(|user| invalid.parse("slack_user_id", user));
        let lasts = input.expires_at.is_none_or(|expiry| expiry > tx.now);
        invalid.check(lasts, "expires_at", "is in the past");
        let Some(role) = role else {
            return Err(invalid.into());
        };
        invalid.into_result(())?;
        let namesake = store::tokens::list(tx.store)?
            .into_iter()
            .find(|t| t.name == input.name);
        if let Some(other) = namesake {
            return Err(ActionError::Conflict {
                detail: format!("a token named `{}` already exists", other.name),
                with: Some(other.id.to_string()),
            });
        }
        let token = Token {
            id: TokenId::new(tx.now),
            name: input.name.clone(),
            role,
            slack_user_id: user,
            secret_hash: hash(&secret),
            expires_at: input.expires_at.map(to_millis),
            created_at: tx.now,
        };
        add(tx, &token)
    })?;
    Ok(TokenView {
        token: is_new.then_some(secret),
        ..view
    })
}

/// Writes a token and its audit entry.
pub(crate) fn add(tx: &mut Tx<'_>, token: &Token) -> Result<TokenView> {
    store::tokens::put(tx.store, token)?;
    let view = TokenView::from(token);
    record(tx, Action::Created, None, Some(&view))?;
    Ok(view)
}

/// Revokes a token at once.
///
/// # Errors
/// Not an admin; the token is not there.
pub fn delete(app: &App, ctx: &Ctx, id: &str) -> Result<()> {
    ctx.require(Role::Admin)?;
    app.write(ctx, |tx| {
        let token = match id.parse::<TokenId>() {
            Ok(id) => store::tokens::find(tx.store, id)?,
            Err(_) => store::tokens::list(tx.store)?
                .into_iter()
                .find(|t| t.name == id),
        };
        let token = token.ok_or_else(|| ActionError::NotFound(format!("no token `{id}`")))?;
        let admins = store::tokens::list(tx.store)?;
        let is_admin = |t: &Token| t.role == Role::Admin && t.is_valid_at(tx.now);
        if is_admin(&token)
            && !admins
                .iter()
                .any(|other| other.id != token.id && is_admin(other))
        {
            let detail = "this is the last valid admin token: make another one first";
            return Err(ActionError::conflict(detail));
        }
        store::tokens::delete(tx.store, &token)?;
        record(tx, Action::Deleted, Some(&TokenView::from(&token)), None)
    })
}

/// Tokens that are kept in memory.
const KEPT: usize = 4096;

/// Tokens that were recognised of late, by the hash of their secrets.
#[derive(Debug)]
pub struct KnownTokens(Cache<[u8; 32], Arc<Token>, TokenId>);

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

fn known(app: &App) -> &Cache<[u8; 32], Arc<Token>, TokenId> {
    &app.part::<KnownTokens>().0
}

/// The valid token of a secret.
pub fn recognise(app: &App, secret: &str) -> Result<Option<Arc<Token>>> {
    let hash = hash(secret);
    if let Some(known) = known(app).get(&hash) {
        return Ok(Some(known).filter(|token| token.is_valid_at(app.now())));
    }
    let changes = known(app).changes();
    let token = app
        .read(|tx| Ok(store::tokens::find_by_hash(tx, &hash)?))?
        .map(Arc::new);
    if let Some(token) = &token {
        known(app).keep(hash, Arc::clone(token), vec![token.id], changes);
    }
    Ok(token.filter(|token| token.is_valid_at(app.now())))
}

/// When an actor's token expires, if it has one that does.
pub fn expiry(app: &App, actor: &Actor) -> Result<Option<DateTime<Utc>>> {
    let Actor::Token { id, .. } = actor else {
        return Ok(None);
    };
    let token = app.read(|tx| Ok(store::tokens::find(tx, *id)?))?;
    Ok(token.and_then(|token| token.expires_at))
}

/// Whether an actor's token is neither revoked nor expired. Who needs none needs none still.
pub fn is_still_valid(app: &App, actor: &Actor) -> Result<bool> {
    let Actor::Token { id, .. } = actor else {
        return Ok(true);
    };
    let token = app.read(|tx| Ok(store::tokens::find(tx, *id)?))?;
    Ok(token.is_some_and(|token| token.is_valid_at(app.now())))
}

/// That a secret was recognised: holds until tokens change, or it expires.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    changes: u64,
    expires_at: Option<DateTime<Utc>>,
}

impl Admission {
    /// Whether it still holds.
    pub fn holds(&self, app: &App, now: DateTime<Utc>) -> bool {
        known(app).changes() == self.changes && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Admits a secret that was recognised of late.
pub fn admit(app: &App, secret: &str, now: DateTime<Utc>) -> Option<Admission> {
    let changes = known(app).changes();
    let expiry = |token: &Arc<Token>| token.is_valid_at(now).then_some(token.expires_at);
    let expires_at = known(app).with(&hash(secret), expiry).flatten()?;
    Some(Admission {
        changes,
        expires_at,
    })
}

/// The SHA-256 of a secret. The secret has 256 bits of its own, so a plain hash keeps it, and
/// looking the hash up tells nothing of it by its timing.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A fresh secret of 256 bits.
pub(crate) fn new_secret() -> Result<String> {
    Ok(format!("{PREFIX}{}", hex(&random()?)))
}

/// 256 random bits.
pub(crate) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(without_randomness)?;
    Ok(bytes)
}

/// No secret is made of less: what asks for one fails.
fn without_randomness(error: getrandom::Error) -> ActionError {
    ActionError::Internal(format!("the system provided no random bytes: {error}"))
}

fn record(
    tx: &mut Tx<'_>,
    action: Action,
    old: Option<&TokenView>,
    new: Option<&TokenView>,
) -> Result<()> {
    let Some(subject) = new.or(old) else {
        return Ok(());
    };
    tx.record(EntityType::Token, action)
        .entity(&subject.id)
        .diff(old, new)
        .write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_random_bytes_no_secret_is_made_and_that_is_our_failure() {
        let error = without_randomness(getrandom::Error::UNSUPPORTED);
        assert!(
            matches!(&error, ActionError::Internal(inner) if inner.contains("random bytes")),
            "{error}"
        );
    }
}
