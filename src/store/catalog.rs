//! What each table of records holds, and which rows of indexes its records call for: what checks,
//! repairs, exports and imports go by.

use redb::TableHandle as _;
use serde_json::Value;

use super::audit::seals::Seal;
use super::codec::{Record, decode, encode};
use super::error::StoreError;
use super::key::{Key, trailing_id};
use super::rotation::RotationState;
use super::tables::{self, Table};
use super::{
    idempotency, outbox, overrides, rosters, rotation, schedules, services, teams, time_off,
    tokens, told,
};
use crate::domain::ids::TeamId;
use crate::domain::{
    audit, member, notification, profile, roster, schedule, service, session, shift_override, team,
    time_off as off, token,
};
use crate::rotation::{checkpoint, credit, explanation};

/// A row of an index that a record calls for.
pub struct Indexed {
    /// The index.
    pub table: Table,
    /// The row's key.
    pub key: Key,
    /// The row's value.
    pub value: Vec<u8>,
}

impl Indexed {
    /// A row whose key says it all.
    pub fn key(table: Table, key: Key) -> Self {
        Self::with(table, key, &[])
    }

    /// A row with a value.
    pub fn with(table: Table, key: Key, value: &[u8]) -> Self {
        let value = value.to_vec();
        Self { table, key, value }
    }
}

/// What a record of a key calls for, of the bytes of both.
type Rows = fn(&[u8], &[u8]) -> Result<Vec<Indexed>, StoreError>;

/// A table of records.
pub struct Kind {
    /// The table.
    pub table: Table,
    /// Its indexes, but for those that are lists ([`super::lists`]) and those of the audit log.
    pub indexes: &'static [Table],
    /// The rows of these that the record of a key calls for.
    pub rows: Rows,
    /// A record as JSON.
    pub to_json: fn(&[u8]) -> Result<Value, StoreError>,
    /// A record of JSON.
    pub from_json: fn(Value) -> Result<Vec<u8>, StoreError>,
}

macro_rules! kinds {
    ($($table:ident: $record:ty $(=> [$($index:ident),+] by $rows:expr)?;)+) => {
        /// Every table of records.
        pub const KINDS: &[Kind] = &[$(Kind {
            table: tables::$table,
            indexes: &[$($(tables::$index),+)?],
            rows: kinds!(@rows $table, $record $(, $rows)?),
            to_json: |bytes| to_json::<$record>(tables::$table, bytes),
            from_json: |json| from_json::<$record>(tables::$table, json),
        }),+];
    };
    (@rows $table:ident, $record:ty) => {
        |_, bytes| decode::<$record>(tables::$table, bytes).map(|_| Vec::new())
    };
    (@rows $table:ident, $record:ty, $rows:expr) => {
        |key, bytes| {
            let record: $record = decode(tables::$table, bytes)?;
            Ok(($rows)(key, &record))
        }
    };
}

kinds! {
    TEAMS: team::Team => [TEAM_SLUGS] by |_, team| vec![teams::slug_row(team)];
    MEMBERS: member::Membership => [MEMBERS_BY_USER] by |_, member| vec![teams::member_row(member)];
    ROSTERS: roster::Roster => [ROSTERS_BY_USER] by |key, roster| rosters::indexed(team_of(key), roster);
    PROFILES: profile::Profile;
    TIME_OFF: off::TimeOff => [TIME_OFF_BY_USER] by |_, row| vec![time_off::indexed(row)];
    SERVICES: service::Service => [SERVICE_NAMES] by |_, service| services::indexed(service);
    SCHEDULES: schedule::Schedule => [SCHEDULES_BY_TEAM, SCHEDULES_BY_USER]
        by |_, row| schedules::indexed(row);
    EXPLANATIONS: explanation::Explanation;
    OVERRIDES: shift_override::Override => [OVERRIDES_BY_TEAM, OVERRIDES_BY_USER, OVERRIDES_BY_STATUS]
        by |_, row| overrides::indexed(row);
    LEDGER: credit::PeriodShares;
    CHECKPOINTS: checkpoint::Checkpoint;
    ROTATION_STATES: RotationState => [HANDOFFS] by |key, state| rotation::indexed(team_of(key), state);
    AUDIT: audit::AuditEntry;
    AUDIT_SEALS: Seal;
    OUTBOX: notification::Notification => [OUTBOX_IDS] by |_, row| vec![outbox::indexed(row)];
    TOLD: told::Told => [LOOKS_DUE] by |key, told| vec![told::indexed(team_of(key), told)];
    TOKENS: token::Token => [TOKEN_HASHES] by |_, token| vec![tokens::indexed(token)];
    SESSIONS: session::Session;
    IDEMPOTENCY: idempotency::Done => [IDEMPOTENCY_BY_TIME]
        by |key, done| vec![idempotency::indexed(key, done)];
}

/// The team of a key that is its id.
fn team_of(key: &[u8]) -> TeamId {
    TeamId::from_uuid(trailing_id(key).unwrap_or_default())
}

/// The kind of a table, if it holds records.
pub fn kind_of(table: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.table.name() == table)
}

fn to_json<T: Record>(table: Table, bytes: &[u8]) -> Result<Value, StoreError> {
    let record: T = decode(table, bytes)?;
    serde_json::to_value(record).map_err(|error| unreadable(table, &error))
}

fn from_json<T: Record>(table: Table, json: Value) -> Result<Vec<u8>, StoreError> {
    let record: T = serde_json::from_value(json).map_err(|error| unreadable(table, &error))?;
    encode(table, &record)
}

fn unreadable(table: Table, error: &serde_json::Error) -> StoreError {
    StoreError::Record {
        table: table.name().to_owned(),
        problem: error.to_string(),
    }
}
