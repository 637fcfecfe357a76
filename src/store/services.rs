//! Services.

use super::codec::Record;
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::tables::{SERVICE_NAMES, SERVICES, SERVICES_BY_TEAM, SERVICES_BY_TIER};
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

fn team_key(service: &Service) -> Key {
    Key::new().id(service.team_id.uuid()).id(service.id.uuid())
}

fn tier_key(service: &Service) -> Key {
    Key::new().byte(service.tier as u8).id(service.id.uuid())
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

/// Services, deleted ones too, by id: of a team, else of a tier, else all.
pub fn list(
    tx: &impl Reader,
    team: Option<TeamId>,
    tier: Option<Tier>,
) -> Result<Vec<Service>, StoreError> {
    let (index, prefix) = match (team, tier) {
        (Some(team), _) => (SERVICES_BY_TEAM, Key::new().id(team.uuid())),
        (None, Some(tier)) => (SERVICES_BY_TIER, Key::new().byte(tier as u8)),
        (None, None) => return tx.list(SERVICES, &Key::new()),
    };
    let ids = tx.keys(index, prefix.prefixed(), trailing_id)?;
    let mut found: Vec<Service> =
        tx.find_all(SERVICES, ids.into_iter().map(|id| Key::new().id(id)))?;
    found.retain(|service| tier.is_none_or(|tier| service.tier == tier));
    Ok(found)
}

/// Writes a service. The caller has made sure that its name is free if it is active.
pub fn put(tx: &WriteTx, service: &Service) -> Result<(), StoreError> {
    if let Some(old) = find(tx, service.id)? {
        if old.is_active {
            tx.remove(SERVICE_NAMES, &name_key(&old.name))?;
        }
        tx.remove(SERVICES_BY_TEAM, &team_key(&old))?;
        tx.remove(SERVICES_BY_TIER, &tier_key(&old))?;
    }
    if service.is_active {
        tx.set(
            SERVICE_NAMES,
            &name_key(&service.name),
            service.id.uuid().as_bytes(),
        )?;
    }
    tx.set(SERVICES_BY_TEAM, &team_key(service), &[])?;
    tx.set(SERVICES_BY_TIER, &tier_key(service), &[])?;
    tx.put(SERVICES, &key(service.id), service)
}
