//! Reading overrides: lists, and one by its id.

use chrono::NaiveDate;

use crate::actions::people::find;
use crate::app::{ActionError, App, Result};
use crate::domain::ids::OverrideId;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::END_OF_TIME;
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::Team;
use crate::store::{self, Reader};
use crate::wire::shift_override::{OverrideFilter, OverrideView};
use crate::wire::{Page, Paging};

/// A team's overrides, by start.
///
/// # Errors
/// The team is not there; the filter is invalid.
pub fn list(
    app: &App,
    team: &str,
    filter: &OverrideFilter,
    paging: &Paging,
) -> Result<Page<OverrideView>> {
    let mut invalid = Invalid::default();
    let status = filter.status.as_deref();
    let status = status.and_then(|s| invalid.parse::<OverrideStatus>("status", s));
    invalid.into_result(())?;
    let from = filter.from.unwrap_or(NaiveDate::MIN);
    let to = filter.to.unwrap_or(END_OF_TIME);
    Invalid::ordered(from, to)?;
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let (skip, take) = (paging.skip(), paging.size());
        let (total, rows) =
            store::overrides::page_of_team(tx, team.id, status, (from, to), skip, take)?;
        let clock = team.clock();
        let items = rows.iter().map(|row| OverrideView::new(row, &clock));
        Ok(Page::new(items.collect(), total, paging))
    })
}

/// An override.
///
/// # Errors
/// Team or override are not there.
pub fn get(app: &App, team: &str, id: &str) -> Result<OverrideView> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        Ok(OverrideView::new(&load(tx, &team, id)?, &team.clock()))
    })
}

pub(crate) fn load(tx: &impl Reader, team: &Team, id: &str) -> Result<Override> {
    let row = match id.parse::<OverrideId>() {
        Ok(id) => store::overrides::find(tx, id)?,
        Err(_) => None,
    };
    row.filter(|row| row.team_id == team.id).ok_or_else(|| {
        ActionError::NotFound(format!("team `{}` has no override `{id}`", team.slug))
    })
}
