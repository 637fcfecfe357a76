//! Access tokens: make, list, revoke, and recognise.

mod known;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

pub use self::known::{Admission, KnownToken, KnownTokens, admit, note_use, recognise};
use crate::actions::people::find;
use crate::app::{ActionError, Actor, App, Ctx, Result, Tx};
use crate::clock::to_millis;
use crate::domain::audit::{Action, EntityType};
use crate::domain::hex::hex;
use crate::domain::ids::{TeamId, TokenId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::token::{Role, Scope, Token};
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
/// the secret is left out. An editor makes tokens for feeds: they open no more than editors read.
///
/// # Errors
/// Not an admin, nor an editor who wants one for feeds; the input is invalid; the name is taken.
pub fn create(app: &App, ctx: &Ctx, input: &NewToken) -> Result<TokenView> {
    let for_feeds = input.scope.as_deref() == Some(Scope::Feeds.as_str());
    ctx.require(if for_feeds { Role::Editor } else { Role::Admin })?;
    let secret = new_secret()?;
    let mut is_new = false;
    let view = app.write_once(ctx, |tx| {
        is_new = true;
        let token = token_of(tx, input, hash(&secret))?;
        let namesake = store::tokens::list(tx.store)?
            .into_iter()
            .find(|t| t.name == input.name);
        if let Some(other) = namesake {
            return Err(ActionError::Conflict {
                detail: format!("a token named `{}` already exists", other.name),
                with: Some(other.id.to_string()),
            });
        }
        add(tx, &token)
    })?;
    Ok(TokenView {
        token: is_new.then_some(secret),
        ..view
    })
}

/// The token that an input asks for.
fn token_of(tx: &Tx<'_>, input: &NewToken, secret_hash: [u8; 32]) -> Result<Token> {
    let mut invalid = Invalid::default();
    invalid.check_line("name", &input.name, 1, 100);
    let role = invalid.parse::<Role>("role", &input.role);
    let user = input.slack_user_id.as_deref();
    let user: Option<UserId> = user.and_then(|user| invalid.parse("slack_user_id", user));
    let lasts = input.expires_at.is_none_or(|expiry| expiry > tx.now);
    invalid.check(lasts, "expires_at", "is in the past");
    let says_both = input.never_expires && input.expires_at.is_some();
    let message = "can't be set together with expires_at";
    invalid.check(!says_both, "never_expires", message);
    let scope = match input.scope.as_deref() {
        Some(scope) => invalid.parse::<Scope>("scope", scope),
        None => Some(Scope::All),
    };
    let is_reader = role.is_none_or(|role| role == Role::Viewer);
    let message = "`feeds` is for the role viewer";
    invalid.check(scope != Some(Scope::Feeds) || is_reader, "scope", message);
    let is_for_one = input.team.is_none() || role != Some(Role::Admin);
    let message = "an admin's token can't be limited to a team";
    invalid.check(is_for_one, "team", message);
    let opens_one = scope != Some(Scope::Feeds) || input.team.is_none() || user.is_none();
    let message = "a token for feeds is limited to a team or to a person, not to both";
    invalid.check(opens_one, "team", message);
    let (Some(role), Some(scope)) = (role, scope) else {
        return Err(invalid.into());
    };
    invalid.into_result(())?;
    let team = input.team.as_deref();
    let team = team.map(|team| find::active_team(tx.store, team));
    let by_default = tx.now + TimeDelta::days(tx.settings.token_days.into());
    let expires_at = input.expires_at.unwrap_or(by_default);
    Ok(Token {
        id: TokenId::new(tx.now),
        name: input.name.clone(),
        role,
        slack_user_id: user,
        secret_hash,
        expires_at: (!input.never_expires).then(|| to_millis(expires_at)),
        created_at: tx.now,
        scope,
        team_id: team.transpose()?.map(|team| team.id),
        used_at: None,
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

/// Whether a reference is to the team that a token is limited to.
///
/// # Errors
/// There is no such team.
pub fn is_team(app: &App, reference: &str, own: TeamId) -> Result<bool> {
    app.read(|tx| Ok(find::team(tx, reference)?.id == own))
}

/// Whether a reference is to a service of the team that a token is limited to.
///
/// # Errors
/// There is no such service.
pub fn is_service_of(app: &App, reference: &str, own: TeamId) -> Result<bool> {
    app.read(|tx| Ok(find::service(tx, reference)?.team_id == own))
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
