//! Services.

use super::catalog::Indexed;
use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::lists::{self, Row};
use super::tables::{SERVICE_NAMES, SERVICES, SERVICES_LISTED};
use super::tx::{Reader, WriteTx};
use crate::domain::ids::{ServiceId, TeamId};
use crate::domain::service::{Service, Tier};

impl Record for Service {}

fn key(id: ServiceId) -> Key {
    Key::new().id(id.uuid())
}

fn name_key(name: &str) -> Key {
    Key::new().bytes(Service::name_key(name).as_bytes())
}

/// The name of a list without its last byte, which tells whether they are active: of all
/// services, of a team's, or of a tier's.
fn list_of(team: Option<TeamId>, tier: Option<Tier>) -> Key {
    match (team, tier) {
        (Some(team), _) => Key::new().byte(1).id(team.uuid()),
        (None, Some(tier)) => Key::new().byte(2).byte(tier as u8),
        (None, None) => Key::new().byte(0),
    }
}

/// A service's rows in lists.
pub(super) fn listed(service: &Service) -> Vec<Row> {
    let place = lists::by_name(&Service::name_key(&service.name), service.id.uuid());
    let environment = service.environment.as_deref().unwrap_or_default();
    let value = [&[service.tier as u8], environment.as_bytes()].concat();
    let within = [
        list_of(None, None),
        list_of(Some(service.team_id), None),
        list_of(None, Some(service.tier)),
    ];
    let rows = within.into_iter().flat_map(|list| {
        let activity = lists::by_activity(service.is_active).into_iter();
        activity.map(move |byte| list.clone().byte(byte))
    });
    rows.map(|list| Row::new(SERVICES_LISTED, list, &place, &value))
        .collect()
}

/// The service of an id.
pub fn find(tx: &impl Reader, id: ServiceId) -> Result<Option<Service>, StoreError> {
    tx.find(SERVICES, &key(id))
}

/// The active service of a name, whatever the case.
pub fn find_by_name(tx: &impl Reader, name: &str) -> Result<Option<Service>, StoreError> {
    let id = tx
        .get(SERVICE_NAMES, name_key(name).as_slice())?
        .and_then(|id| trailing_id(&id));
    id.map_or(Ok(None), |id| find(tx, ServiceId::from_uuid(id)))
}

/// Which services a list shows.
#[derive(Clone, Debug, Default)]
pub struct ServiceFilter {
    /// Those of this team.
    pub team: Option<TeamId>,
    /// Those of this tier.
    pub tier: Option<Tier>,
    /// Those of exactly this environment.
    pub environment: Option<String>,
    /// Active ones, or deleted ones; both if not given.
    pub is_active: Option<bool>,
    /// In lower case, a part of the name.
    pub part: String,
}

/// How many services pass a filter, and those of them after the first `skip`, by name. Team, tier
/// or activity are counted already; for more, the names of those in question are gone through.
pub fn page(
    tx: &impl Reader,
    filter: &ServiceFilter,
    skip: usize,
    take: usize,
) -> Result<(usize, Vec<Service>), StoreError> {
    let list = list_of(filter.team, filter.tier).byte(lists::of_activity(filter.is_active));
    let environment = filter.environment.as_deref().map(str::as_bytes);
    let tier = filter
        .tier
        .filter(|_| filter.team.is_some())
        .map(|tier| tier as u8);
    let passes = |name: &str, value: &[u8]| {
        let (of_tier, of_environment) = value.split_at(value.len().min(1));
        tier.is_none_or(|tier| of_tier == [tier])
            && environment.is_none_or(|wanted| !wanted.is_empty() && of_environment == wanted)
            && name.contains(&filter.part)
    };
    let is_filtered = tier.is_some() || environment.is_some() || !filter.part.is_empty();
    let passes: Option<lists::Passes<'_>> = is_filtered.then_some(&passes);
    let (total, ids) = lists::page(tx, SERVICES_LISTED, &list, passes, skip, take)?;
    let services = tx.find_all(SERVICES, ids.into_iter().map(|id| Key::new().id(id)))?;
    Ok((total, services))
}

/// Writes a service. The caller has made sure that its name is free if it is active.
pub fn put(tx: &WriteTx, service: &Service) -> Result<(), StoreError> {
    let old = find(tx, service.id)?;
    if let Some(old) = old.as_ref().filter(|old| old.is_active) {
        tx.remove(SERVICE_NAMES, &name_key(&old.name))?;
    }
    let old = old.as_ref().map(listed).unwrap_or_default();
    lists::replace(tx, &old, &listed(service))?;
    for row in indexed(service) {
        tx.index(&row)?;
    }
    tx.put(SERVICES, &key(service.id), service)
}

/// The row by which the name of an active service is found.
pub(super) fn indexed(service: &Service) -> Vec<Indexed> {
    let id = service.id.uuid();
    let row = || Indexed::with(SERVICE_NAMES, name_key(&service.name), id.as_bytes());
    service.is_active.then(row).into_iter().collect()
}
