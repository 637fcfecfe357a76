//! The first start: an admin token, in a file that only the daemon's user can read.

use std::path::{Path, PathBuf};

use super::tokens::{add, hash, new_secret};
use crate::app::{App, Ctx, Result};
use crate::domain::ids::TokenId;
use crate::domain::token::{Role, Scope, Token};
use crate::private_file;
use crate::store;

/// Why the first start failed.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The token can't be written.
    #[error("{}: the admin token can't be written: {cause}", path.display())]
    File {
        /// The token's file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Action(#[from] crate::app::ActionError),
}

/// Makes an admin token and writes it to `path`, where there is no valid one yet.
/// Returns whether it did. The file comes first: after a crash in between, the next start
/// writes both again.
///
/// # Errors
/// The file can't be written, or the store failed.
pub fn ensure_admin_token(app: &App, path: &Path) -> std::result::Result<bool, BootstrapError> {
    let now = app.now();
    let tokens = app.read(|tx| Ok(store::tokens::list(tx)?))?;
    if tokens
        .iter()
        .any(|token| token.role == Role::Admin && token.is_valid_at(now))
    {
        return Ok(false);
    }
    let secret = new_secret()?;
    let written = private_file::replace(path, &[secret.as_bytes(), b"\n"]);
    written.map_err(|cause| BootstrapError::File {
        path: path.to_owned(),
        cause,
    })?;
    let is_free = |name: &String| tokens.iter().all(|token| token.name != *name);
    let names = std::iter::once("admin".to_owned()).chain((2..).map(|n| format!("admin-{n}")));
    let name = names
        .take(tokens.len() + 1)
        .find(is_free)
        .unwrap_or_default();
    add_admin(app, &name, &secret)?;
    Ok(true)
}

fn add_admin(app: &App, name: &str, secret: &str) -> Result<()> {
    app.write(&Ctx::system(), |tx| {
        let token = Token {
            id: TokenId::new(tx.now),
            name: name.to_owned(),
            role: Role::Admin,
            slack_user_id: None,
            secret_hash: hash(secret),
            // It is the way back in.
            expires_at: None,
            created_at: tx.now,
            scope: Scope::All,
            team_id: None,
            used_at: None,
        };
        add(tx, &token).map(drop)
    })
}
