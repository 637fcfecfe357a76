//! Access tokens.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::catalog::Indexed;
use super::codec::{Record, parse_body, unknown_version};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{TOKEN_HASHES, TOKENS};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{TokenId, UserId};
use crate::domain::token::{Role, Scope, Token};

impl Record for Token {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, body: &[u8]) -> Result<Self, String> {
        match version {
            1 => parse_body::<TokenV1>(body).map(Self::from),
            _ => Err(unknown_version::<Self>(version)),
        }
    }
}

/// A token when none was limited, and nobody knew which ones were in use.
#[derive(Deserialize)]
struct TokenV1 {
    id: TokenId,
    name: String,
    role: Role,
    slack_user_id: Option<UserId>,
    secret_hash: [u8; 32],
    #[serde(with = "chrono::serde::ts_milliseconds_option")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(with = "chrono::serde::ts_milliseconds")]
    created_at: DateTime<Utc>,
}

impl From<TokenV1> for Token {
    fn from(old: TokenV1) -> Self {
        Self {
            id: old.id,
            name: old.name,
            role: old.role,
            slack_user_id: old.slack_user_id,
            secret_hash: old.secret_hash,
            expires_at: old.expires_at,
            created_at: old.created_at,
            scope: Scope::All,
            team_id: None,
            used_at: None,
        }
    }
}

fn key(id: TokenId) -> Key {
    Key::new().id(id.uuid())
}

/// The token of an id.
pub fn find(tx: &impl Reader, id: TokenId) -> Result<Option<Token>, StoreError> {
    tx.find(TOKENS, &key(id))
}

/// The token of a secret's hash.
pub fn find_by_hash(tx: &impl Reader, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
    let id = tx.get(TOKEN_HASHES, hash)?.and_then(|id| trailing_id(&id));
    id.map_or(Ok(None), |id| find(tx, TokenId::from_uuid(id)))
}

/// Every token, oldest first.
pub fn list(tx: &impl Reader) -> Result<Vec<Token>, StoreError> {
    tx.list(TOKENS, &Key::new())
}

/// Writes a token. Its secret never changes.
pub fn put(tx: &WriteTx, token: &Token) -> Result<(), StoreError> {
    tx.index(&indexed(token))?;
    tx.put(TOKENS, &key(token.id), token)
}

/// The row by which its secret is recognised.
pub(super) fn indexed(token: &Token) -> Indexed {
    let (key, id) = (Key::new().bytes(&token.secret_hash), token.id.uuid());
    Indexed::with(TOKEN_HASHES, key, id.as_bytes())
}

/// Removes a token.
pub fn delete(tx: &WriteTx, token: &Token) -> Result<(), StoreError> {
    tx.remove(TOKEN_HASHES, &Key::new().bytes(&token.secret_hash))?;
    tx.remove(TOKENS, &key(token.id))
}
