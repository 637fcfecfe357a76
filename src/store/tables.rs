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
    /// name → value: schema version and heads; see [`super::meta`].
    META = "meta";
    /// table, list → how many rows that list of the table has; see [`super::lists`].
    COUNTS = "counts";

    /// team → [`crate::domain::team::Team`]
    TEAMS = "teams";
    /// slug → team id
    TEAM_SLUGS = "team_slugs";
    /// 0, 1 or 2 (deleted, active or all teams), lower-case name, team → slug
    TEAMS_LISTED = "teams_listed";
    /// plugin, active team that it decides → slug
    TEAMS_BY_PLUGIN = "teams_by_plugin";
    /// team, user → [`crate::domain::member::Membership`]
    MEMBERS = "members";
    /// user, team
    MEMBERS_BY_USER = "members_by_user";
    /// team → [`crate::domain::roster::Roster`]
    ROSTERS = "rosters";
    /// user, team
    ROSTERS_BY_USER = "rosters_by_user";
    /// user → [`crate::domain::profile::Profile`]
    PROFILES = "profiles";
    /// time off → [`crate::domain::time_off::TimeOff`]
    TIME_OFF = "time_off";
    /// user, end date, start date, time off
    TIME_OFF_BY_USER = "time_off_by_user";

    /// service → [`crate::domain::service::Service`]
    SERVICES = "services";
    /// lower-case name of an active service → service id
    SERVICE_NAMES = "service_names";
    /// 0, or 1 and team, or 2 and tier; 0, 1 or 2 (deleted, active or all of those), lower-case
    /// name, service → tier, environment
    SERVICES_LISTED = "services_listed";

    /// schedule → [`crate::domain::schedule::Schedule`]
    SCHEDULES = "schedules";
    /// team, origin, start date, schedule
    SCHEDULES_BY_TEAM = "schedules_by_team";
    /// user, end date, start date, schedule
    SCHEDULES_BY_USER = "schedules_by_user";
    /// schedule → [`crate::rotation::explanation::Explanation`]
    EXPLANATIONS = "explanations";
    /// override → [`crate::domain::shift_override::Override`]
    OVERRIDES = "overrides";
    /// team, end date, start date, override
    OVERRIDES_BY_TEAM = "overrides_by_team";
    /// substitute, end date, start date, override
    OVERRIDES_BY_USER = "overrides_by_user";
    /// status, team, end date, start date, override
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
    /// dimension, value, chunk → set of positions; see [`super::audit`]
    AUDIT_INDEX = "audit_index";
    /// chunk → its earliest and latest time; chunk, block → the times of its entries
    AUDIT_TIMES = "audit_times";

    /// number → [`super::audit::seals::Seal`]
    AUDIT_SEALS = "audit_checkpoints";

    /// position → [`crate::domain::notification::Notification`]
    OUTBOX = "outbox";
    /// notification id → position
    OUTBOX_IDS = "outbox_ids";
    /// status, position
    OUTBOX_BY_STATUS = "outbox_by_status";
    /// override, sink, recipient → the sink's receipt of the message that asks for a decision;
    /// empty while there is none
    OUTBOX_REQUESTS = "outbox_requests";

    /// team → [`super::told::Told`]
    TOLD = "watches";
    /// instant to look again, team
    LOOKS_DUE = "watches_due";

    /// token → [`crate::domain::token::Token`]
    TOKENS = "tokens";
    /// hash of the secret → token id
    TOKEN_HASHES = "token_hashes";
    /// hash of the cookie's secret → [`crate::domain::session::Session`]
    SESSIONS = "sessions";

    /// hash of token and key → [`super::idempotency::Done`]
    IDEMPOTENCY = "idempotency";
    /// instant, hash of token and key
    IDEMPOTENCY_BY_TIME = "idempotency_by_time";
}
