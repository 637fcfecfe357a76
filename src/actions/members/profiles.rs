//! What Slack says of people: kept as a cache, and acted on where an account changes.

use std::time::Duration;

use super::slack_group;
use crate::actions::oncall::lookup::Lookups;
use crate::app::{App, Ctx, Result};
use crate::domain::ids::UserId;
use crate::domain::roster::{Account, Profile};
use crate::store;

/// How long a profile is taken for fresh.
pub const FRESH_FOR: Duration = Duration::from_hours(24);

/// Members of any team whose profiles are unknown or no longer fresh, at most `limit`.
pub fn stale(app: &App, limit: usize) -> Result<Vec<UserId>> {
    let since = app.now() - FRESH_FOR;
    app.read(|tx| Ok(store::profiles::list_stale(tx, since, limit)?))
}

/// Those of `users` of whom Slack has not said yet what they are.
pub fn unknown_among(app: &App, users: Vec<UserId>) -> Result<Vec<UserId>> {
    app.read(|tx| {
        let mut unknown = Vec::new();
        for user in users {
            if store::profiles::find(tx, &user)?.is_none() {
                unknown.push(user);
            }
        }
        Ok(unknown)
    })
}

/// What Slack last said of a user.
pub fn profile(app: &App, user: &UserId) -> Result<Option<Profile>> {
    app.read(|tx| Ok(store::profiles::find(tx, user)?))
}

/// Keeps what Slack says of users, and does what follows from accounts that became something
/// else. Names are a cache: a change of one is no audit entry.
pub fn put(app: &App, profiles: &[Profile]) -> Result<()> {
    let renamed = app.write(&Ctx::system(), |tx| {
        let mut renamed = Vec::new();
        for profile in profiles {
            let (name, account) = match store::profiles::find(tx.store, &profile.user)? {
                Some(known) => (known.display_name, known.account),
                None => (String::new(), Account::Person),
            };
            store::profiles::put(tx.store, profile)?;
            if name != profile.display_name {
                renamed.push(profile.user.clone());
            }
            if account != profile.account {
                slack_group::account_changed(tx, &profile.user, account, profile.account)?;
            }
        }
        Ok(renamed)
    })?;
    if !renamed.is_empty() {
        Lookups::of(app).forget_people(&renamed);
    }
    Ok(())
}
