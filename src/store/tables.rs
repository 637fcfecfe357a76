//! The catalogue of every table. Keys and values are bytes: see [`super::key`] for how keys
//! are put together (fixed-width big-endian parts, so that byte order is the wanted order),
//! and [`super::codec`] for records. An index has empty values unless noted.

use redb::TableDefinition;

/// The one table type there is.
pub type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub const $name: Table = TableDefinition::new($text);)+
        /// Every table, made when a store is.
        pub const ALL: &[Table] = &[$($name),+];
    };
}

tables! {
    /// name → value: schema version, heads and counters; see [`super::meta`].
    META = "meta";

    /// team → [`crate::domain::team::Team`]
    TEAMS = "teams";
    /// slug → team id
    TEAM_SLUGS = "team_slugs";
    /// team, user → [`crate::domain::member::Membership`]
    MEMBERS = "members";
    /// user, team
    MEMBERS_BY_USER = "members_by_user";
    /// team → [`crate::domain::roster::Roster`]
    ROSTERS = "rosters";
    /// user, team
    ROSTERS_BY_USER = "rosters_by_user";
    /// user → [`crate::domain::roster::Profile`]
    PROFILES = "profiles";
    /// time off → [`crate::domain::time_off::TimeOff`]
    TIME_OFF = "time_off";
    /// user, start date, time off
    TIME_OFF_BY_USER = "time_off_by_user";

    /// service → [`crate::domain::service::Service`]
    SERVICES = "services";
    /// lower-case name of an active service → service id
    SERVICE_NAMES = "service_names";
    /// team, service
    SERVICES_BY_TEAM = "services_by_team";
    /// tier, service
    SERVICES_BY_TIER = "services_by_tier";

    /// schedule → [`crate::domain::schedule::Schedule`]
    SCHEDULES = "schedules";
    /// team, origin, start date, schedule
    SCHEDULES_BY_TEAM = "schedules_by_team";
    /// user, start date, schedule
    SCHEDULES_BY_USER = "schedules_by_user";
    /// schedule → [`crate::rotation::explanation::Explanation`]
    EXPLANATIONS = "explanations";
    /// override → [`crate::domain::shift_override::Override`]
    OVERRIDES = "overrides";
    /// team, start date, override
    OVERRIDES_BY_TEAM = "overrides_by_team";
    /// substitute, start date, override
    OVERRIDES_BY_USER = "overrides_by_user";
    /// status, team, start date, override
    OVERRIDES_BY_STATUS = "overrides_by_status";

    /// team, first day → [`crate::rotation::credit::PeriodShares`]
    LEDGER = "ledger";
    /// team, first day that has not gone in → [`crate::rotation::checkpoint::Checkpoint`]
    CHECKPOINTS = "checkpoints";
    /// team → [`super::rotation::RotationState`]
    ROTATION_STATES = "rotation_states";
    /// instant of the next handoff, team
    HANDOFFS = "handoffs";

    /// position → [`crate::domain::audit::AuditEntry`]
    AUDIT = "audit";
    /// audit id → position
    AUDIT_IDS = "audit_ids";
    /// dimension, value, chunk → set of positions; see [`super::audit_index`]
    AUDIT_INDEX = "audit_index";

    /// position → [`crate::domain::notification::Notification`]
    OUTBOX = "outbox";
    /// notification id → position
    OUTBOX_IDS = "outbox_ids";
    /// status, position
    OUTBOX_BY_STATUS = "outbox_by_status";
    /// override, sink, recipient → the sink's receipt of the message that asks for a decision;
    /// empty while there is none
    OUTBOX_REQUESTS = "outbox_requests";

    /// team → [`super::watch::Watch`]
    WATCHES = "watches";
    /// instant to look again, team
    WATCHES_DUE = "watches_due";

    /// token → [`crate::domain::token::Token`]
    TOKENS = "tokens";
    /// hash of the secret → token id
    TOKEN_HASHES = "token_hashes";

    /// hash of token and key → [`super::idempotency::Done`]
    IDEMPOTENCY = "idempotency";
    /// instant, hash of token and key
    IDEMPOTENCY_BY_TIME = "idempotency_by_time";
}
