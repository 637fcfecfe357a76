//! Audit entries, put together a field at a time.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{Ctx, Result, Tx, changes};
use crate::domain::audit::{Action, AuditEvent, EntityType};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::json::Json;
use crate::store;

impl<'c> Tx<'c> {
    /// Begins an entry of the audit log by whoever acts; [`Entry::write`] appends it.
    pub fn record(&mut self, entity: EntityType, action: Action) -> Entry<'_, 'c> {
        Entry {
            event: self.ctx.event(entity, action),
            at: self.now,
            tx: self,
        }
    }
}

/// An entry of the audit log that is yet to be written.
#[must_use = "it is written by `write`"]
pub struct Entry<'t, 'c> {
    tx: &'t mut Tx<'c>,
    event: AuditEvent,
    at: DateTime<Utc>,
}

impl Entry<'_, '_> {
    /// By the daemon itself, whoever's request it came up in.
    pub fn by_daemon(mut self) -> Self {
        let by_daemon = Ctx::system().event(self.event.entity_type, self.event.action);
        self.event.actor_type = by_daemon.actor_type;
        self.event.actor_id = by_daemon.actor_id;
        self.event.metadata = by_daemon.metadata;
        self
    }

    /// About a team itself.
    pub fn about_team(self, id: TeamId) -> Self {
        self.team(id).entity(&id)
    }

    /// The team that it concerns.
    pub fn team(mut self, id: impl Into<Option<TeamId>>) -> Self {
        self.event.team_id = id.into();
        self
    }

    /// Id of the entity.
    pub fn entity(mut self, id: &impl ToString) -> Self {
        self.event.entity_id = Some(id.to_string());
        self
    }

    /// What differs between two views of the entity; none where it is not there.
    pub fn diff<T: Serialize>(self, old: Option<&T>, new: Option<&T>) -> Self {
        self.changes(changes::between(old, new))
    }

    /// `{"field": {"old": …, "new": …}}`.
    pub fn changes(mut self, changes: impl Into<Json>) -> Self {
        self.event.changes = changes.into();
        self
    }

    /// Who is on call by it, and who was before.
    pub fn on_call(mut self, engineer: Option<&UserId>, previous: Option<&UserId>) -> Self {
        self.event.engineer = engineer.cloned();
        self.event.previous_engineer = previous.cloned();
        self
    }

    /// Legacy kind of change.
    pub fn change_type(mut self, change_type: &str) -> Self {
        self.event.change_type = Some(change_type.to_owned());
        self
    }

    /// Why, if told.
    pub fn reason<'a>(mut self, reason: impl Into<Option<&'a str>>) -> Self {
        self.event.change_reason = reason.into().map(ToOwned::to_owned);
        self
    }

    /// The on-call day from which it takes effect.
    pub fn effective(mut self, date: NaiveDate) -> Self {
        self.event.effective_date = Some(date);
        self
    }

    /// The person in whose name it was done by somebody who is bound to nobody.
    pub fn acting_for(self, user: Option<&UserId>) -> Self {
        match user {
            Some(user) => self.metadata("acting_for", user.as_str()),
            None => self,
        }
    }

    /// A field of its metadata.
    pub fn metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Some(metadata) = self.event.metadata.0.as_object_mut() {
            metadata.insert(name.to_owned(), value.into());
        }
        self
    }

    /// When it happened, where that isn't now.
    pub fn at(mut self, at: DateTime<Utc>) -> Self {
        self.at = at;
        self
    }

    /// Appends it to the audit log.
    pub fn write(self) -> Result<()> {
        Ok(store::audit::append(self.tx.store, self.event, self.at)?)
    }
}
