//! Sessions: sign in to the pages with a token, be recognised by a cookie, sign out.
//!
//! The cookie holds a secret of 256 bits and its HMAC by a key of the store's. The HMAC keeps
//! made-up cookies from the store; of the secret, the store has only the hash.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::tokens::{self, hash};
use crate::app::{ActionError, Actor, App, Ctx, Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::hex::hex;
use crate::domain::session::Session;
use crate::domain::token::Token;
use crate::secret::Secret;
use crate::store;

/// Characters of the secret, and of its HMAC: 32 bytes each, as hexadecimal digits.
const DIGITS: usize = 64;

/// Begins a session for whoever shows the secret of a token that is valid. None where nobody
/// knows it. Sessions that have ended are cleared away.
///
/// # Errors
/// The token is limited to a part of what its role allows.
pub fn sign_in(app: &App, ctx: &Ctx, secret: &str) -> Result<Option<Secret>> {
    let Some(known) = tokens::recognise(app, secret)? else {
        return Ok(None);
    };
    let token = known.token();
    if !token.is_unlimited() {
        return Err(ActionError::Forbidden(format!(
            "token `{}` is limited to feeds or to a team: it is for programs, and can't sign in",
            token.name
        )));
    }
    let ctx = Ctx {
        actor: Actor::from(token),
        ..ctx.clone()
    };
    let secret = hex(&tokens::random()?);
    let new_key = tokens::random()?;
    let cookie = app.write(&ctx, |tx| {
        let key = match store::sessions::signing_key(tx.store)? {
            Some(key) => key,
            None => {
                store::sessions::set_signing_key(tx.store, &new_key)?;
                new_key
            }
        };
        store::sessions::delete_ended(tx.store, tx.now)?;
        store::sessions::put(tx.store, &hash(&secret), &Session::new(token.id, tx.now))?;
        record(tx, token, Action::SignedIn)?;
        Ok(format!("{secret}.{}", hex(&sign(&key, &secret))))
    })?;
    Ok(Some(Secret::new(cookie)))
}

/// Who acts in the session of a cookie; none where it has ended, or never was.
pub fn recognise(app: &App, cookie: &str) -> Result<Option<Actor>> {
    app.read(|tx| {
        let Some(key) = store::sessions::signing_key(tx)? else {
            return Ok(None);
        };
        let Some(secret) = signed(&key, cookie) else {
            return Ok(None);
        };
        let session = store::sessions::find(tx, &hash(secret))?;
        let Some(session) = session.filter(|session| session.is_valid_at(app.now())) else {
            return Ok(None);
        };
        let token = store::tokens::find(tx, session.token)?;
        let token = token.filter(|token| token.is_valid_at(app.now()));
        Ok(token.as_ref().map(Actor::from))
    })
}

/// Writes down that a session is in use, where that was not done of late. It concerns nobody but
/// the session, and is not audited.
pub fn note_use(app: &App, cookie: &str) -> Result<()> {
    let Some((secret, _)) = cookie.split_once('.') else {
        return Ok(());
    };
    let hash = hash(secret);
    let wants = |session: &Session| session.is_to_be_noted_at(app.now());
    let found = app.read(|tx| Ok(store::sessions::find(tx, &hash)?))?;
    if !found.as_ref().is_some_and(wants) {
        return Ok(());
    }
    app.write(&Ctx::system(), |tx| {
        // Whoever signed out meanwhile stays signed out.
        if let Some(session) = store::sessions::find(tx.store, &hash)? {
            let used_at = tx.now;
            store::sessions::put(tx.store, &hash, &Session { used_at, ..session })?;
        }
        Ok(())
    })
}

/// Ends the session of a cookie, at once and for good. Does nothing where there is none.
pub fn sign_out(app: &App, ctx: &Ctx, cookie: &str) -> Result<()> {
    let Some((secret, _)) = cookie.split_once('.') else {
        return Ok(());
    };
    app.write(ctx, |tx| {
        let Some(session) = store::sessions::find(tx.store, &hash(secret))? else {
            return Ok(());
        };
        store::sessions::delete(tx.store, &hash(secret))?;
        match store::tokens::find(tx.store, session.token)? {
            Some(token) => record(tx, &token, Action::SignedOut),
            None => Ok(()),
        }
    })
}

/// The secret of a cookie that bears our signature.
fn signed<'c>(key: &[u8; 32], cookie: &'c str) -> Option<&'c str> {
    let (secret, signature) = cookie.split_once('.')?;
    if secret.len() != DIGITS || signature.len() != DIGITS {
        return None;
    }
    let expected = hex(&sign(key, secret));
    // Both are public in length; what they hold is compared in constant time.
    let is_same = expected.bytes().zip(signature.bytes());
    let differences = is_same.fold(0, |all, (a, b)| all | (a ^ b));
    (differences == 0).then_some(secret)
}

fn sign(key: &[u8; 32], secret: &str) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.expect("invariant: HMAC takes a key of any length");
    mac.update(secret.as_bytes());
    mac.finalize().into_bytes().into()
}

fn record(tx: &mut Tx<'_>, token: &Token, action: Action) -> Result<()> {
    tx.record(EntityType::Token, action)
        .entity(&token.id)
        .write()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::actions::start_in_memory;
    use crate::clock::ManualClock;
    use crate::domain::token::Role;
    use crate::wire::token::{NewToken, TokenView};

    fn app() -> (App, Arc<ManualClock>, TokenView) {
        let now: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let app = start_in_memory(clock.clone());
        let wanted = NewToken {
            name: "ana".to_owned(),
            role: "editor".to_owned(),
            ..NewToken::default()
        };
        let token = tokens::create(&app, &Ctx::system(), &wanted).unwrap();
        (app, clock, token)
    }

    fn signed_in(app: &App, token: &TokenView) -> String {
        let secret = token.token.as_ref().unwrap();
        let cookie = sign_in(app, &Ctx::system(), secret).unwrap().unwrap();
        cookie.expose().to_owned()
    }

    #[test]
    fn a_session_acts_as_its_token_until_it_is_left_or_idle() {
        let (app, clock, token) = app();
        assert!(
            sign_in(&app, &Ctx::system(), "oncalld_guessed")
                .unwrap()
                .is_none()
        );
        let cookie = signed_in(&app, &token);
        let actor = recognise(&app, &cookie).unwrap().unwrap();
        assert!(matches!(
            actor,
            Actor::Token {
                role: Role::Editor,
                ..
            }
        ));
        // In use it lasts, idle it ends.
        let start = app.now();
        for hours in [6, 12, 18] {
            clock.set(start + TimeDelta::hours(hours));
            assert!(recognise(&app, &cookie).unwrap().is_some());
            note_use(&app, &cookie).unwrap();
        }
        clock.set(start + TimeDelta::hours(30));
        assert!(recognise(&app, &cookie).unwrap().is_none());
        let cookie = signed_in(&app, &token);
        sign_out(&app, &Ctx::system(), &cookie).unwrap();
        assert!(recognise(&app, &cookie).unwrap().is_none());
        note_use(&app, &cookie).unwrap();
        assert!(recognise(&app, &cookie).unwrap().is_none());
    }

    #[test]
    fn a_session_ends_with_its_token() {
        let (app, _, token) = app();
        let cookie = signed_in(&app, &token);
        let id = token.id.to_string();
        tokens::delete(&app, &Ctx::system(), &id).unwrap();
        assert!(recognise(&app, &cookie).unwrap().is_none());
    }

    #[test]
    fn no_cookie_but_ours_is_taken() {
        let (app, _, token) = app();
        assert!(recognise(&app, "anything").unwrap().is_none());
        let cookie = signed_in(&app, &token);
        let (secret, signature) = cookie.split_once('.').unwrap();
        let flipped = if signature.starts_with('0') { "1" } else { "0" };
        for bad in [
            String::new(),
            ".".to_owned(),
            secret.to_owned(),
            format!("{secret}."),
            format!("{secret}.{flipped}{}", &signature[1..]),
            format!("{signature}.{secret}"),
            format!("{cookie}.x"),
        ] {
            assert!(recognise(&app, &bad).unwrap().is_none(), "{bad}");
        }
    }
}
