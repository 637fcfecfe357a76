//! The audit log on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::audit::{Action, ActorType, AuditEntry, EntityType};
use crate::domain::hex::hex;
use crate::domain::seal::{Proven, PublicKey};

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditLog)]
pub struct AuditView {
    /// Its id.
    pub id: Uuid,
    /// Position in the log, from 1.
    pub seq: u64,
    /// The team that it concerns.
    pub team_id: Option<Uuid>,
    /// Kind of the entity.
    pub entity_type: EntityType,
    /// Its id.
    pub entity_id: Option<String>,
    /// What happened to it.
    pub action: Action,
    /// Whether a person or the daemon acted.
    pub actor_type: ActorType,
    /// The person, or the token's name.
    pub actor_id: Option<String>,
    /// `{"field": {"old": …, "new": …}}`.
    #[schema(value_type = Object)]
    pub changes: Value,
    /// Source, request id, peer address, token name, and more.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// Who is on call by this event.
    pub engineer_slack_id: Option<String>,
    /// Who was before.
    pub previous_engineer_slack_id: Option<String>,
    /// Legacy kind of change.
    pub change_type: Option<String>,
    /// Why.
    pub change_reason: Option<String>,
    /// The on-call day from which it takes effect.
    pub effective_date: Option<NaiveDate>,
    /// When it happened. The order of the log is that of `seq`: what was imported keeps its own
    /// time.
    pub created_at: DateTime<Utc>,
    /// Hash of the entry before, in hex.
    pub previous_hash: String,
    /// SHA-256 over `previous_hash` and the canonical content, in hex.
    pub hash: String,
}

impl From<&AuditEntry> for AuditView {
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            id: entry.id.uuid(),
            seq: entry.seq,
            team_id: event.team_id.map(crate::domain::ids::TeamId::uuid),
            entity_type: event.entity_type,
            entity_id: event.entity_id.clone(),
            action: event.action,
            actor_type: event.actor_type,
            actor_id: event.actor_id.clone(),
            changes: event.changes.0.clone(),
            metadata: event.metadata.0.clone(),
            engineer_slack_id: event.engineer.as_ref().map(ToString::to_string),
            previous_engineer_slack_id: event.previous_engineer.as_ref().map(ToString::to_string),
            change_type: event.change_type.clone(),
            change_reason: event.change_reason.clone(),
            effective_date: event.effective_date,
            created_at: entry.created_at,
            previous_hash: hex(&entry.previous_hash),
            hash: hex(&entry.hash),
        }
    }
}

/// One page of the audit log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditView>,
    /// Entries on all pages.
    pub total: usize,
    /// This page, from 1.
    pub page: usize,
    /// Entries on a full page.
    pub page_size: usize,
    /// Pass it as `cursor` to get the next page, even while entries are appended; null on the last
    /// page.
    pub next_cursor: Option<String>,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Kind of the entity.
    pub entity_type: Option<String>,
    /// Id of the entity.
    pub entity_id: Option<String>,
    /// What happened.
    pub action: Option<String>,
    /// The person, or the token's name.
    pub actor_id: Option<String>,
    /// Id or slug of the team.
    pub team: Option<String>,
    /// Of this instant (RFC 3339) or this day (UTC), or later.
    pub from: Option<String>,
    /// Of before this instant (RFC 3339), or of this day (UTC) at the latest.
    pub to: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Proof that no entry was changed, dropped or put in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditProof {
    /// Entries checked.
    pub entries: u64,
    /// Hash of the last entry, in hex.
    pub head: String,
    /// Checkpoints checked: each fits the log, and is signed with the key that the one before announced.
    #[serde(default)]
    pub checkpoints: u64,
    /// How many entries the last checkpoint covers.
    #[serde(default)]
    pub sealed: u64,
    /// The key of the first checkpoint, in the form of C2SP. Noted elsewhere, it proves that all
    /// checkpoints are this log's.
    #[serde(default)]
    pub key: Option<String>,
    /// How many entries the checkpoint covers that was handed in; the log leads to it.
    #[serde(default)]
    pub against: Option<u64>,
}

impl From<&Proven> for AuditProof {
    fn from(proven: &Proven) -> Self {
        Self {
            entries: proven.entries,
            head: hex(&proven.head),
            checkpoints: proven.checkpoints,
            sealed: proven.sealed,
            key: proven.key.as_ref().map(PublicKey::text),
            against: proven.against,
        }
    }
}

/// What somebody has kept elsewhere of the log, to hold it against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// A checkpoint, as it was signed: the log has to lead to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// The key of the first checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A checkpoint of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditCheckpoint)]
pub struct CheckpointView {
    /// Counted from 1.
    pub number: u64,
    /// How many entries the log had.
    pub entries: u64,
    /// Hash of the last of them, in hex.
    pub head: String,
    /// When it was signed.
    pub created_at: DateTime<Utc>,
    /// The key that verifies it, in the form of C2SP.
    pub key: String,
    /// The checkpoint itself: a signed note, in the form of C2SP's tlog-checkpoint.
    pub note: String,
}

/// Whether the log is as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum AuditVerdict {
    /// It is.
    Holds(AuditProof),
    /// It is not: the first entry, or row of an index, that isn't, and what is wrong with it.
    Broken(String),
}

/// A change of who is on call, in the shape of the system that oncalld replaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OnCallHistory)]
pub struct HistoryView {
    /// Id of the audit entry.
    pub id: Uuid,
    /// Who is on call by this change.
    pub engineer_slack_id: Option<String>,
    /// Who was before.
    pub previous_engineer_slack_id: Option<String>,
    /// Kind of change.
    pub change_type: Option<String>,
    /// Why.
    pub change_reason: Option<String>,
    /// The on-call day from which it takes effect.
    pub effective_date: Option<NaiveDate>,
    /// The person, or the token's name; null for the rotation.
    pub changed_by: Option<String>,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
}

impl From<&AuditEntry> for HistoryView {
    fn from(entry: &AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            id: entry.id.uuid(),
            engineer_slack_id: event.engineer.as_ref().map(ToString::to_string),
            previous_engineer_slack_id: event.previous_engineer.as_ref().map(ToString::to_string),
            change_type: event.change_type.clone(),
            change_reason: event.change_reason.clone(),
            effective_date: event.effective_date,
            changed_by: event.actor_id.clone(),
            created_at: entry.created_at,
        }
    }
}

/// A line of the event stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangeEvent {
    /// Position in the audit log.
    pub seq: u64,
    /// Kind of the entity.
    pub entity_type: EntityType,
    /// Its id.
    pub entity_id: Option<String>,
    /// What happened to it.
    pub action: Action,
    /// The team that it concerns.
    pub team_id: Option<Uuid>,
}

impl From<&AuditEntry> for ChangeEvent {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            entity_type: entry.event.entity_type,
            entity_id: entry.event.entity_id.clone(),
            action: entry.event.action,
            team_id: entry.event.team_id.map(crate::domain::ids::TeamId::uuid),
        }
    }
}
