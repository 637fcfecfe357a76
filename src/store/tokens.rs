//! Access tokens.

use super::catalog::Indexed;
use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{TOKEN_HASHES, TOKENS};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::TokenId;
use crate::domain::token::Token;

impl Record for Token {}

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
