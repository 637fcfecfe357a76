//! What people are called: Slack's names, as far as they are known.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::store::{self, Reader};

/// A person's name, where Slack has told one.
pub fn name(app: &App, user: &UserId) -> Result<Option<String>> {
    app.read(|tx| find(tx, user))
}

/// As [`name`], within a transaction.
pub(crate) fn find(tx: &impl Reader, user: &UserId) -> Result<Option<String>> {
    let profile = store::profiles::find(tx, user)?;
    Ok(profile
        .map(|profile| profile.display_name)
        .filter(|name| !name.is_empty()))
}

/// What to show of a person: their name, else their id.
pub(crate) fn shown(tx: &impl Reader, user: &UserId) -> Result<String> {
    Ok(find(tx, user)?.unwrap_or_else(|| user.to_string()))
}

/// What to show of each of these people.
pub fn of_all(app: &App, users: &BTreeSet<UserId>) -> Result<BTreeMap<UserId, String>> {
    app.read(|tx| {
        let named = users
            .iter()
            .map(|user| Ok((user.clone(), shown(tx, user)?)));
        named.collect()
    })
}
