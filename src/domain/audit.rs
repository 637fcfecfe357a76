//! The audit log: append-only entries, each chained to the one before by SHA-256.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::ids::{AuditId, TeamId, UserId};
use super::json::Json;
use super::text_enum::text_enum;

/// One entry. `seq` counts from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Position in the log.
    pub seq: u64,
    /// Its id.
    pub id: AuditId,
    /// What happened.
    pub event: AuditEvent,
    /// When it happened, in whole milliseconds. What comes from elsewhere keeps its own time, and
    /// clocks are set back: this need not rise with `seq`.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: DateTime<Utc>,
    /// [`AuditEntry::hash`] of the entry before; zeros for the first.
    pub previous_hash: [u8; 32],
    /// SHA-256 over the canonical content and `previous_hash`.
    pub hash: [u8; 32],
}

/// What an entry tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The team that it concerns.
    pub team_id: Option<TeamId>,
    /// Kind of the entity that changed.
    pub entity_type: EntityType,
    /// Its id, as text.
    pub entity_id: Option<String>,
    /// What happened to it.
    pub action: Action,
    /// Whether a person or the daemon acted.
    pub actor_type: ActorType,
    /// The person, or the token's name.
    pub actor_id: Option<String>,
    /// `{"field": {"old": …, "new": …}}`.
    pub changes: Json,
    /// Source, request id, peer address, token name, and more.
    pub metadata: Json,
    /// Who is on call by this event.
    pub engineer: Option<UserId>,
    /// Who was before.
    pub previous_engineer: Option<UserId>,
    /// Legacy kind of change.
    pub change_type: Option<String>,
    /// Why, if told.
    pub change_reason: Option<String>,
    /// The on-call day from which it takes effect.
    #[serde(with = "crate::domain::compact::date_option")]
    pub effective_date: Option<NaiveDate>,
}

impl AuditEvent {
    /// An event by the daemon itself; the rest is filled in by the caller.
    pub fn system(entity_type: EntityType, action: Action) -> Self {
        Self {
            team_id: None,
            entity_type,
            entity_id: None,
            action,
            actor_type: ActorType::System,
            actor_id: None,
            changes: Json::object(),
            metadata: Json::object(),
            engineer: None,
            previous_engineer: None,
            change_type: None,
            change_reason: None,
            effective_date: None,
        }
    }
}

impl AuditEntry {
    /// Chains `event` to the log: the entry after one with `previous_hash`.
    pub fn chain(
        seq: u64,
        id: AuditId,
        event: AuditEvent,
        created_at: DateTime<Utc>,
        previous_hash: [u8; 32],
    ) -> Self {
        let mut entry = Self {
            seq,
            id,
            event,
            created_at,
            previous_hash,
            hash: [0; 32],
        };
        entry.hash = entry.computed_hash();
        entry
    }

    /// The hash that the content calls for. Equal to `hash` unless somebody tampered.
    pub fn computed_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.previous_hash);
        hasher.update(self.canonical().as_bytes());
        hasher.finalize().into()
    }

    /// The content as JSON without white space, keys sorted, nulls left out: a field added
    /// to the format later leaves old hashes as they were.
    pub fn canonical(&self) -> String {
        let event = &self.event;
        let mut content = json!({
            "seq": self.seq,
            "id": self.id,
            "created_at": self.created_at.to_rfc3339(),
            "team_id": event.team_id,
            "entity_type": event.entity_type,
            "entity_id": event.entity_id,
            "action": event.action,
            "actor_type": event.actor_type,
            "actor_id": event.actor_id,
            "changes": event.changes,
            "metadata": event.metadata,
            "engineer_slack_id": event.engineer,
            "previous_engineer_slack_id": event.previous_engineer,
            "change_type": event.change_type,
            "change_reason": event.change_reason,
            "effective_date": event.effective_date,
        });
        if let Some(fields) = content.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        // Whichever order the maps of this build of serde_json have.
        content.sort_all_objects();
        content.to_string()
    }
}

text_enum! {
    /// Kind of entity that an audit entry is about.
    EntityType {
        /// A team.
        Team = "team",
        /// A service.
        Service = "service",
        /// A schedule row.
        Schedule = "schedule",
        /// An override.
        Override = "override",
        /// A team's rotation.
        RotationConfig = "rotation_config",
        /// A person's place in a team.
        TeamMembership = "team_membership",
        /// Days off.
        TimeOff = "time_off",
        /// A WASM plugin.
        Plugin = "plugin",
        /// An access token.
        Token = "token",
        /// The daemon itself.
        System = "system",
        /// What is known of a person.
        User = "user",
    }
}

text_enum! {
    /// What happened to an entity.
    Action {
        /// It was made.
        Created = "created",
        /// It was changed.
        Updated = "updated",
        /// It was deleted.
        Deleted = "deleted",
        /// It was brought back.
        Restored = "restored",
        /// A shift became current.
        RotationTriggered = "rotation_triggered",
        /// Nobody could be picked.
        RotationSkipped = "rotation_skipped",
        /// The strategy failed.
        RotationFailed = "rotation_failed",
        /// Future shifts were regenerated.
        RotationGenerated = "rotation_generated",
        /// Somebody asked for cover.
        OverrideRequested = "override_requested",
        /// Cover was granted.
        OverrideApproved = "override_approved",
        /// Cover was refused.
        OverrideRejected = "override_rejected",
        /// Cover was taken back.
        OverrideCancelled = "override_cancelled",
        /// It came from another system.
        Imported = "imported",
        /// New zone rules moved a handoff.
        HandoffMoved = "handoff_moved",
        /// A person joined the team's Slack group.
        JoinedSlackGroup = "joined_slack_group",
        /// A person left the team's Slack group.
        LeftSlackGroup = "left_slack_group",
        /// A notification that had failed was queued again.
        NotificationRetried = "notification_retried",
        /// A plugin was taken into service.
        PluginLoaded = "plugin_loaded",
        /// A plugin was taken out of service.
        PluginUnloaded = "plugin_unloaded",
        /// A plugin's file could not be used.
        PluginFailed = "plugin_failed",
        /// What people were told of a team could not be read, and was begun again.
        RecordsLost = "records_lost",
        /// Somebody signed in to the web pages with it.
        SignedIn = "signed_in",
        /// They signed out again.
        SignedOut = "signed_out",
    }
}

text_enum! {
    /// Who acted.
    ActorType {
        /// A person, or a program with a token.
        User = "user",
        /// The daemon.
        System = "system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AuditEntry {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut event = AuditEvent::system(EntityType::Team, Action::Updated);
        event.changes = json!({"z": {"old": 1, "new": 2}, "a": {"old": null, "new": "x"}}).into();
        AuditEntry::chain(
            1,
            AuditId::from_uuid(uuid::Uuid::nil()),
            event,
            now,
            [0; 32],
        )
    }

    #[test]
    fn canonical_content_is_sorted_and_without_nulls() {
        assert_eq!(
            entry().canonical(),
            r#"{"action":"updated","actor_type":"system","changes":{"a":{"new":"x","old":null},"z":{"new":2,"old":1}},"created_at":"2023-11-14T22:13:20+00:00","entity_type":"team","id":"00000000-0000-0000-0000-000000000000","metadata":{},"seq":1}"#
        );
    }

    #[test]
    fn any_change_to_an_entry_shows() {
        let good = entry();
        assert_eq!(good.hash, good.computed_hash());
        let mut tampered = good.clone();
        tampered.event.actor_id = Some("U1".into());
        assert_ne!(tampered.hash, tampered.computed_hash());
        let mut tampered = good.clone();
        tampered.created_at += chrono::TimeDelta::seconds(1);
        assert_ne!(tampered.hash, tampered.computed_hash());
    }
}
