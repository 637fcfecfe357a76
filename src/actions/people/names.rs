//! What people are called: by Slack where it's configured, else as it was set.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::profile::Profile;
use crate::store::{self, Reader};

/// A person's name, where one is known.
pub fn name(app: &App, user: &UserId) -> Result<Option<String>> {
    app.read(|tx| find(tx, user))
}

/// As [`name`], within a transaction.
pub(crate) fn find(tx: &impl Reader, user: &UserId) -> Result<Option<String>> {
    match store::profiles::find(tx, user)? {
        Some(profile) => of(tx, &profile),
        None => Ok(None),
    }
}

/// The name that a profile tells.
pub(crate) fn of(tx: &impl Reader, profile: &Profile) -> Result<Option<String>> {
    let name = profile.name(store::meta::members_from_slack(tx)?);
    Ok(name.map(|(name, _)| name.to_owned()))
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
