//! Services.

use crate::actions::people::find;
use crate::app::{ActionError, App, Ctx, Result, Tx, check_version};
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{ServiceId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::json::Json;
use crate::domain::service::{Service, Tier};
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::service::{ServiceFilter, ServiceInput, ServiceView};
use crate::wire::{Page, Paging};

/// Makes a service.
///
/// # Errors
/// Less than an editor; the input is invalid; the team is not there; the name is taken.
pub fn create(app: &App, ctx: &Ctx, input: &ServiceInput) -> Result<ServiceView> {
    ctx.require(Role::Editor)?;
    app.write_once(ctx, |tx| create_in(tx, input))
}

/// Makes a service within a larger write.
pub(crate) fn create_in(tx: &mut Tx<'_>, input: &ServiceInput) -> Result<ServiceView> {
    let mut invalid = Invalid::default();
    invalid.check(
        input.name.is_some(),
        "name",
        "is required: 1 to 100 characters",
    );
    invalid.check(
        input.team_id.is_some(),
        "team_id",
        "is required: id or slug of a team",
    );
    let team = input.team_id.as_deref().unwrap_or_default();
    invalid.into_result(())?;
    let team = find_team(tx.store, team)?;
    let blank = Service {
        id: ServiceId::new(tx.now),
        name: String::new(),
        team_id: team,
        repository_url: None,
        environment: None,
        tier: Tier::Standard,
        owner: None,
        tech_stack: Vec::new(),
        metadata: Json::object(),
        is_active: true,
        revision: Revision::first(tx.now),
    };
    let service = apply(tx.store, &blank, input)?;
    store::services::put(tx.store, &service)?;
    record(tx, None, &service)?;
    Ok(ServiceView::from(&service))
}

/// Changes a service; setting `is_active` deletes or restores it.
///
/// # Errors
/// Less than an editor; the service is not there; the input is invalid; the name is taken;
/// another version.
pub fn update(app: &App, ctx: &Ctx, reference: &str, input: &ServiceInput) -> Result<ServiceView> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let old = find::service(tx.store, reference)?;
        update_in(tx, &old, input)
    })
}

/// Changes a service within a larger write.
pub(crate) fn update_in(
    tx: &mut Tx<'_>,
    old: &Service,
    input: &ServiceInput,
) -> Result<ServiceView> {
    check_version(input.version, old.revision.version)?;
    let mut service = apply(tx.store, old, input)?;
    if service != *old {
        service.revision = old.revision.next(tx.now);
        store::services::put(tx.store, &service)?;
        record(tx, Some(old), &service)?;
    }
    Ok(ServiceView::from(&service))
}

/// Deletes a service, softly: it can be restored.
///
/// # Errors
/// Less than an editor; the service is not there.
pub fn delete(app: &App, ctx: &Ctx, reference: &str) -> Result<()> {
    let input = ServiceInput {
        is_active: Some(false),
        ..ServiceInput::default()
    };
    update(app, ctx, reference, &input).map(drop)
}

/// A service, deleted ones by id.
///
/// # Errors
/// The service is not there.
pub fn get(app: &App, reference: &str) -> Result<ServiceView> {
    app.read(|tx| find::service(tx, reference))
        .map(|service| ServiceView::from(&service))
}

/// Services by name.
///
/// # Errors
/// The filter is invalid; its team is not there.
pub fn list(app: &App, filter: &ServiceFilter, paging: &Paging) -> Result<Page<ServiceView>> {
    let mut invalid = Invalid::default();
    let tier = filter
        .tier
        .as_deref()
        .and_then(|tier| invalid.parse::<Tier>("tier", tier));
    invalid.into_result(())?;
    let (skip, take) = (paging.skip(), paging.size());
    let (total, services) = app.read(|tx| {
        let team = filter.team.as_deref().map(|team| find::team(tx, team));
        let filter = store::services::ServiceFilter {
            team: team.transpose()?.map(|team| team.id),
            tier,
            environment: filter.environment.clone(),
            is_active: filter.is_active.unwrap_or_default().is_active(),
            part: filter.q.as_deref().unwrap_or_default().to_lowercase(),
        };
        Ok(store::services::page(tx, &filter, skip, take)?)
    })?;
    let items = services.iter().map(ServiceView::from).collect();
    Ok(Page::new(items, total, paging))
}

fn find_team(tx: &impl Reader, reference: &str) -> Result<crate::domain::ids::TeamId> {
    match find::active_team(tx, reference) {
        Ok(team) => Ok(team.id),
        Err(ActionError::NotFound(detail)) => Err(ActionError::invalid("team_id", detail)),
        Err(other) => Err(other),
    }
}

fn apply(tx: &impl Reader, old: &Service, input: &ServiceInput) -> Result<Service> {
    let mut invalid = Invalid::default();
    let mut service = old.clone();
    if let Some(name) = &input.name {
        invalid.check_line("name", name, 1, 100);
        name.trim().clone_into(&mut service.name);
    }
    if let Some(url) = &input.repository_url {
        service.repository_url = url.clone().filter(|url| !url.is_empty());
        if let Some(url) = &service.repository_url {
            invalid.check_line("repository_url", url, 1, 500);
            let known = ["https://", "http://", "ssh://", "git@"];
            let ok = known.iter().any(|start| url.starts_with(start));
            let message = format!("`{url}` is not an http, https or ssh address");
            invalid.check(ok, "repository_url", message);
        }
    }
    if let Some(environment) = &input.environment {
        service.environment = environment.clone().filter(|text| !text.is_empty());
        invalid.check_line(
            "environment",
            environment.as_deref().unwrap_or_default(),
            0,
            100,
        );
    }
    if let Some(tier) = &input.tier
        && let Some(tier) = invalid.parse("tier", tier)
    {
        service.tier = tier;
    }
    if let Some(owner) = &input.owner_slack_id {
        let parse = |owner: &String| invalid.parse::<UserId>("owner_slack_id", owner);
        service.owner = owner
            .as_ref()
            .filter(|owner| !owner.is_empty())
            .and_then(parse);
    }
    if let Some(stack) = &input.tech_stack {
        let message = "has more than 50 entries";
        invalid.check(stack.len() <= 50, "tech_stack", message);
        for entry in stack.iter().take(50) {
            invalid.check_line("tech_stack", entry, 1, 100);
        }
        service.tech_stack.clone_from(stack);
    }
    if let Some(metadata) = &input.metadata {
        invalid.check_object("metadata", metadata);
        service.metadata = Json(metadata.clone());
    }
    service.is_active = input.is_active.unwrap_or(service.is_active);
    invalid.into_result(())?;
    if let Some(team) = &input.team_id {
        service.team_id = find_team(tx, team)?;
    }
    refuse_taken_name(tx, &service)?;
    Ok(service)
}

fn refuse_taken_name(tx: &impl Reader, service: &Service) -> Result<()> {
    if !service.is_active {
        return Ok(());
    }
    match store::services::find_by_name(tx, &service.name)? {
        Some(other) if other.id != service.id => Err(ActionError::Conflict {
            detail: format!("a service named `{}` already exists", other.name),
            with: Some(other.id.to_string()),
        }),
        _ => Ok(()),
    }
}

fn record(tx: &mut Tx<'_>, old: Option<&Service>, new: &Service) -> Result<()> {
    let action = match old.map(|old| old.is_active) {
        None => Action::Created,
        Some(true) if !new.is_active => Action::Deleted,
        Some(false) if new.is_active => Action::Restored,
        Some(_) => Action::Updated,
    };
    tx.record(EntityType::Service, action)
        .team(new.team_id)
        .entity(&new.id)
        .diff(old.map(ServiceView::from).as_ref(), Some(&new.into()))
        .write()
}
