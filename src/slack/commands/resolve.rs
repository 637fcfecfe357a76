//! Which team or service was meant.

use crate::actions::{services, teams};
use crate::app::{ActionError, App, Result};
use crate::domain::suggest::nearest;
use crate::wire::service::{ServiceFilter, ServiceView};
use crate::wire::team::TeamView;
use crate::wire::{ActiveFilter, Page, Paging};

/// The active team of an id, a slug or a name, whatever the case.
///
/// # Errors
/// There is none; which may have been meant.
pub(super) fn team(app: &App, typed: &str) -> Result<TeamView> {
    match find_team(app, typed)? {
        Some(team) => Ok(team),
        None => {
            let teams = all_teams(app)?;
            let slugs = || teams.iter().map(|team| team.slug.as_str());
            Err(no_such("team", typed, nearest(typed, slugs()), slugs()))
        }
    }
}

/// As [`team`]; none where there is none.
pub(super) fn find_team(app: &App, typed: &str) -> Result<Option<TeamView>> {
    let typed = typed.trim_start_matches(['#', '@']);
    match teams::get(app, &typed.to_lowercase()) {
        Ok(team) if team.is_active => return Ok(Some(team)),
        Ok(_) | Err(ActionError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let is_meant = |team: &TeamView| team.name.to_lowercase() == typed.to_lowercase();
    Ok(all_teams(app)?.into_iter().find(is_meant))
}

/// The active service of an id or a name, whatever the case.
///
/// # Errors
/// There is none; which may have been meant.
pub(super) fn service(app: &App, typed: &str) -> Result<ServiceView> {
    match find_service(app, typed)? {
        Some(service) => Ok(service),
        None => {
            let services = all_services(app)?;
            let names = || services.iter().map(|service| service.name.as_str());
            Err(no_such("service", typed, nearest(typed, names()), names()))
        }
    }
}

/// As [`service`]; none where there is none.
pub(super) fn find_service(app: &App, typed: &str) -> Result<Option<ServiceView>> {
    match services::get(app, typed) {
        Ok(service) => Ok(Some(service).filter(|service| service.is_active)),
        Err(ActionError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What to say where neither team nor service is called so.
pub(super) fn neither(app: &App, typed: &str) -> Result<ActionError> {
    let (teams, services) = (all_teams(app)?, all_services(app)?);
    let slugs = || teams.iter().map(|team| team.slug.as_str());
    let names = services.iter().map(|service| service.name.as_str());
    let meant = nearest(typed, slugs()).or_else(|| nearest(typed, names));
    Ok(no_such("team or service", typed, meant, slugs()))
}

fn no_such<'a>(
    what: &str,
    typed: &str,
    meant: Option<&str>,
    known: impl Iterator<Item = &'a str>,
) -> ActionError {
    const SHOWN: usize = 20;
    let typed: String = typed.replace('`', "").chars().take(100).collect();
    let known: Vec<_> = known.take(SHOWN).map(|name| format!("`{name}`")).collect();
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "there are none yet".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    ActionError::NotFound(format!("there is no {what} `{typed}`; {hint}"))
}

fn all_teams(app: &App) -> Result<Vec<TeamView>> {
    every(|paging| teams::list(app, ActiveFilter::True, None, paging))
}

fn all_services(app: &App) -> Result<Vec<ServiceView>> {
    every(|paging| services::list(app, &ServiceFilter::default(), paging))
}

/// The items of all pages.
fn every<T>(list: impl Fn(&Paging) -> Result<Page<T>>) -> Result<Vec<T>> {
    let mut items = Vec::new();
    for number in 1.. {
        let page = list(&Paging {
            page: Some(number),
            page_size: Some(Paging::MAX_SIZE),
        })?;
        let is_last = page.items.is_empty() || items.len() + page.items.len() >= page.total;
        items.extend(page.items);
        if is_last {
            break;
        }
    }
    Ok(items)
}
