//! Finds what a path or a query names, or says what it did not find.

use crate::app::{ActionError, Result};
use crate::domain::ids::{ServiceId, TeamId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::service::Service;
use crate::domain::team::Team;
use crate::store::{self, Reader};

/// The team of an id or a slug, deleted or not.
pub fn team(tx: &impl Reader, reference: &str) -> Result<Team> {
    let found = match reference.parse::<TeamId>() {
        Ok(id) => store::teams::find(tx, id)?,
        Err(_) => store::teams::find_by_slug(tx, reference)?,
    };
    found.ok_or_else(|| ActionError::NotFound(format!("there is no team `{reference}`")))
}

/// The active team of an id or a slug.
pub fn active_team(tx: &impl Reader, reference: &str) -> Result<Team> {
    let team = team(tx, reference)?;
    if team.is_active {
        return Ok(team);
    }
    Err(ActionError::NotFound(format!(
        "team `{}` was deleted; restore it first",
        team.slug
    )))
}

/// The team of an id that another record names.
pub fn team_by_id(tx: &impl Reader, id: TeamId) -> Result<Team> {
    store::teams::find(tx, id)?
        .ok_or_else(|| ActionError::NotFound(format!("there is no team `{id}`")))
}

/// The service of an id, or the active one of a name.
pub fn service(tx: &impl Reader, reference: &str) -> Result<Service> {
    let by_id = match reference.parse::<ServiceId>() {
        Ok(id) => store::services::find(tx, id)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(service) => Some(service),
        None => store::services::find_by_name(tx, reference)?,
    };
    found.ok_or_else(|| ActionError::NotFound(format!("there is no service `{reference}`")))
}

/// A person named in a path.
pub fn user(text: &str) -> Result<UserId> {
    text.parse()
        .map_err(|error| Invalid::one("user", error).into())
}
