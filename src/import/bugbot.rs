//! The tables of bugbot, the system that oncalld replaces: `teams`, `service_team_mapping`,
//! `oncall_schedules`, `oncall_overrides` and `oncall_history`, dumped from its PostgreSQL.
//!
//! Rows keep their ids and times; what is there already by its id stays as it is, so that a dump can be
//! imported again. History becomes entries of the audit log, in the order of its times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use uuid::Uuid;

use super::source::{Place, Table};
use super::value::Row;
use super::{Counted, ImportError, Report};
use crate::domain::Revision;
use crate::domain::audit::{Action, ActorType, AuditEvent, EntityType};
use crate::domain::ids::{AuditId, OverrideId, ScheduleId, ServiceId, TeamId};
use crate::domain::invalid::Invalid;
use crate::domain::json::Json;
use crate::domain::schedule::{Origin, Schedule};
use crate::domain::service::{Service, Tier};
use crate::domain::shift_override::{Override, OverrideStatus};
use crate::domain::team::{RotationConfig, Team, is_slug, slug_from};
use crate::store::{Store, WriteTx, audit, overrides, schedules, services, teams};

type Result<T> = std::result::Result<T, ImportError>;

/// What a kind of change in the history becomes.
const CHANGES: [(&str, Action, EntityType); 7] = [
    ("manual", Action::Updated, EntityType::Team),
    ("auto_rotation", Action::RotationTriggered, EntityType::Team),
    ("schedule_created", Action::Created, EntityType::Schedule),
    ("schedule_updated", Action::Updated, EntityType::Schedule),
    ("schedule_deleted", Action::Deleted, EntityType::Schedule),
    ("override_created", Action::Created, EntityType::Override),
    ("override_deleted", Action::Deleted, EntityType::Override),
];

/// Imports a dump: a folder, or one file that is named after its table.
///
/// `progress` hears, every some thousand rows, of which table how many are done.
///
/// # Errors
/// A row is not as it should be, or points to a team that isn't there; nothing is written then. With
/// `dry_run` it is always an error, which holds the report.
pub fn import(
    store: &Store,
    path: &Path,
    now: DateTime<Utc>,
    dry_run: bool,
    progress: &dyn Fn(&str, u64),
) -> Result<Report> {
    let written = store.write(|tx| {
        let mut import = Import {
            tx,
            now,
            report: Report::default(),
            teams: BTreeSet::new(),
            progress,
        };
        import.table(path, &TEAMS)?;
        import.table(path, &SERVICES)?;
        import.table(path, &SCHEDULES)?;
        import.table(path, &OVERRIDES)?;
        import.history(path)?;
        let report = import.finish(path)?;
        if dry_run {
            return Err(ImportError::DryRun(report));
        }
        Ok(report)
    })?;
    Ok(written.value)
}

/// A table whose rows are entities.
struct Kind {
    name: &'static str,
    needed: &'static [&'static str],
    known: &'static [&'static str],
    /// Adds the entity of a row: whether it wasn't there.
    add: fn(&mut Import<'_>, &Row) -> Result<bool>,
}

const TEAMS: Kind = Kind {
    name: "teams",
    needed: &["id"],
    known: &[
        "id",
        "name",
        "slug",
        "description",
        "slack_group_id",
        "slack_channel_id",
        "timezone",
        "overrides_require_approval",
        "is_active",
        "created_at",
        "updated_at",
    ],
    add: add_team,
};

const SERVICES: Kind = Kind {
    name: "service_team_mapping",
    needed: &["id", "team_id"],
    known: &[
        "id",
        "service_name",
        "name",
        "team_id",
        "github_repo",
        "repository_url",
        "environment",
        "tier",
        "owner_slack_id",
        "tech_stack",
        "metadata",
        "is_active",
        "created_at",
        "updated_at",
    ],
    add: add_service,
};

const SCHEDULES: Kind = Kind {
    name: "oncall_schedules",
    needed: &[
        "id",
        "team_id",
        "engineer_slack_id",
        "start_date",
        "end_date",
    ],
    known: &[
        "id",
        "team_id",
        "engineer_slack_id",
        "start_date",
        "end_date",
        "created_by",
        "note",
        "created_at",
        "updated_at",
    ],
    add: add_schedule,
};

const OVERRIDES: Kind = Kind {
    name: "oncall_overrides",
    needed: &["id", "team_id", "substitute_slack_id"],
    known: &[
        "id",
        "team_id",
        "substitute_slack_id",
        "start_date",
        "override_date",
        "end_date",
        "reason",
        "status",
        "requested_by",
        "created_by",
        "approved_by",
        "decided_at",
        "created_at",
        "updated_at",
    ],
    add: add_override,
};

const HISTORY: &str = "oncall_history";
const HISTORY_NEEDED: &[&str] = &["id", "team_id", "change_type", "created_at"];
const HISTORY_KNOWN: &[&str] = &[
    "id",
    "team_id",
    "engineer_slack_id",
    "previous_engineer_slack_id",
    "change_type",
    "change_reason",
    "effective_date",
    "changed_by",
    "created_at",
];
/// How often progress is told, in rows.
const TOLD_EVERY: u64 = 10_000;

struct Import<'w> {
    tx: &'w mut WriteTx,
    now: DateTime<Utc>,
    report: Report,
    /// Teams that are known to be there.
    teams: BTreeSet<TeamId>,
    progress: &'w dyn Fn(&str, u64),
}

impl Import<'_> {
    fn table(&mut self, path: &Path, kind: &Kind) -> Result<()> {
        let Some(mut table) = Table::find(path, kind.name)? else {
            return Ok(());
        };
        let unknown = table.check_columns(kind.needed, kind.known)?;
        self.ignore(kind.name, unknown);
        let mut counted = Counted {
            table: kind.name,
            ..Counted::default()
        };
        while let Some(row) = table.next()? {
            counted.count((kind.add)(self, &row)?);
            self.tell(&counted);
        }
        self.report.tables.push(counted);
        Ok(())
    }

    fn tell(&self, counted: &Counted) {
        if counted.read.is_multiple_of(TOLD_EVERY) {
            (self.progress)(counted.table, counted.read);
        }
    }

    fn ignore(&mut self, table: &str, columns: Vec<String>) {
        if !columns.is_empty() {
            self.report.ignored.insert(table.to_owned(), columns);
        }
    }

    /// Looks at all rows first: they are written in the order of their times, whatever theirs is.
    fn history(&mut self, path: &Path) -> Result<()> {
        let Some(mut table) = Table::find(path, HISTORY)? else {
            return Ok(());
        };
        let unknown = table.check_columns(HISTORY_NEEDED, HISTORY_KNOWN)?;
        self.ignore(HISTORY, unknown);
        let mut places: Vec<(DateTime<Utc>, Place)> = Vec::new();
        loop {
            let place = table.place();
            let Some(row) = table.next()? else { break };
            let (_, _, at) = self.entry(&row)?;
            places.push((at, place));
        }
        places.sort_unstable();
        let mut counted = Counted {
            table: HISTORY,
            ..Counted::default()
        };
        let mut log = audit::Bulk::begin(self.tx)?;
        for (_, place) in places {
            table.go_to(place)?;
            let Some(row) = table.next()? else { break };
            let (id, event, at) = self.entry(&row)?;
            counted.count(log.add(self.tx, id, event, at)?);
            self.tell(&counted);
        }
        log.finish(self.tx)?;
        self.report.tables.push(counted);
        Ok(())
    }

    /// What a row of the history says.
    fn entry(&mut self, row: &Row) -> Result<(AuditId, AuditEvent, DateTime<Utc>)> {
        let kind = row.needed("change_type")?;
        let change = CHANGES.iter().find(|(name, ..)| *name == kind);
        let Some((_, action, entity_type)) = change else {
            let known = CHANGES.map(|(name, ..)| name).join(", ");
            let problem = format!("`{kind:.40}` is unknown; expected one of {known}");
            return Err(row.wrong("change_type", problem));
        };
        let team = self.team(row)?;
        let at = row.instant("created_at")?;
        let at = at.ok_or_else(|| row.wrong("created_at", "is missing"))?;
        let by = row.text(&["changed_by"]).filter(|by| !by.is_empty());
        let event = AuditEvent {
            team_id: Some(team),
            entity_id: (*entity_type == EntityType::Team).then(|| team.to_string()),
            actor_type: if by.is_some() {
                ActorType::User
            } else {
                ActorType::System
            },
            actor_id: by,
            metadata: Json(json!({"source": "import", "from": "bugbot"})),
            engineer: row.user(&["engineer_slack_id"])?,
            previous_engineer: row.user(&["previous_engineer_slack_id"])?,
            change_type: Some(kind),
            change_reason: row.text(&["change_reason"]),
            effective_date: row.date(&["effective_date"])?,
            ..AuditEvent::system(*entity_type, *action)
        };
        Ok((AuditId::from_uuid(row.id(HISTORY, "id")?), event, at))
    }

    /// The team that a row names, which has to be there.
    fn team(&mut self, row: &Row) -> Result<TeamId> {
        let id = TeamId::from_uuid(row.id("teams", "team_id")?);
        if self.teams.contains(&id) {
            return Ok(id);
        }
        if teams::find(self.tx, id)?.is_some() {
            self.teams.insert(id);
            return Ok(id);
        }
        let named = row.needed("team_id")?;
        Err(row.wrong("team_id", format!("no team has the id `{named:.60}`")))
    }

    fn revision(&self, row: &Row) -> Result<Revision> {
        let created_at = row.instant("created_at")?.unwrap_or(self.now);
        let updated_at = row.instant("updated_at")?.unwrap_or(created_at);
        Ok(Revision {
            created_at,
            updated_at,
            version: 1,
        })
    }

    /// Says that there was an import, if it added something.
    fn finish(self, path: &Path) -> Result<Report> {
        if self.report.tables.is_empty() {
            return Err(ImportError::File {
                file: path.display().to_string(),
                problem: format!(
                    "there is no table of bugbot: expected a folder with {}.csv and the like, or one \
                     such file (.csv, .jsonl)",
                    [
                        TEAMS.name,
                        SERVICES.name,
                        SCHEDULES.name,
                        OVERRIDES.name,
                        HISTORY
                    ]
                    .join(".csv, ")
                ),
            });
        }
        let added = self.report.tables.iter().filter(|table| table.added > 0);
        let counts: BTreeMap<_, _> = added.map(|table| (table.table, table.added)).collect();
        if !counts.is_empty() {
            let mut event = AuditEvent::system(EntityType::System, Action::Imported);
            event.metadata = Json(json!({"source": "import", "from": "bugbot", "added": counts}));
            audit::append(self.tx, event, self.now)?;
        }
        Ok(self.report)
    }
}

impl Counted {
    fn count(&mut self, is_new: bool) {
        self.read += 1;
        self.added += u64::from(is_new);
        self.there += u64::from(!is_new);
    }
}

fn add_team(import: &mut Import<'_>, row: &Row) -> Result<bool> {
    let id = TeamId::from_uuid(row.id("teams", "id")?);
    if teams::find(import.tx, id)?.is_some() {
        return Ok(false);
    }
    let mut invalid = Invalid::default();
    let name = row
        .text(&["name", "slack_group_id", "id"])
        .unwrap_or_default();
    invalid.check_line("name", &name, 1, 100);
    let timezone = row.text(&["timezone"]).unwrap_or_else(|| "UTC".to_owned());
    invalid.check_timezone("timezone", &timezone);
    let description = row.text(&["description"]);
    invalid.check_text(
        "description",
        description.as_deref().unwrap_or_default(),
        0,
        2000,
    );
    let slack_id = |column| row.text(&[column]).filter(|id| !id.is_empty());
    let (slack_group_id, slack_channel_id) =
        (slack_id("slack_group_id"), slack_id("slack_channel_id"));
    for (column, id) in [
        ("slack_group_id", &slack_group_id),
        ("slack_channel_id", &slack_channel_id),
    ] {
        if let Some(id) = id {
            invalid.check_slack_id(column, id);
        }
    }
    invalid
        .into_result(())
        .map_err(|invalid| row.invalid(invalid))?;
    // Such a group is set to who is on call: everybody else would drop out of this team.
    let teams_there = teams::list(import.tx)?;
    let of_on_call = |other: &&Team| {
        other.is_active && slack_group_id.is_some() && other.slack_oncall_group_id == slack_group_id
    };
    if let Some(other) = teams_there.iter().find(of_on_call) {
        let problem = format!("is kept set to who is on call for team `{}`", other.slug);
        return Err(row.wrong("slack_group_id", problem));
    }
    let team = Team {
        id,
        slug: slug(import, row, &name)?,
        name,
        description,
        slack_group_id,
        slack_oncall_group_id: None,
        slack_channel_id,
        timezone,
        overrides_require_approval: row.flag("overrides_require_approval")?,
        is_active: row.flag("is_active")?.unwrap_or(true),
        rotation: RotationConfig::default(),
        revision: import.revision(row)?,
    };
    teams::put(import.tx, &team)?;
    Ok(true)
}

/// The row's slug, or else one of its group's id or its name.
fn slug(import: &Import<'_>, row: &Row, name: &str) -> Result<String> {
    let is_taken =
        |slug: &str| Ok::<_, ImportError>(teams::find_by_slug(import.tx, slug)?.is_some());
    if let Some(slug) = row.text(&["slug"]) {
        if !is_slug(&slug) || Uuid::parse_str(&slug).is_ok() {
            return Err(row.wrong(
                "slug",
                format!("`{slug:.40}` is no slug: a to z, 0 to 9 and -"),
            ));
        }
        if is_taken(&slug)? {
            return Err(row.wrong("slug", format!("`{slug}` is another team's already")));
        }
        return Ok(slug);
    }
    let base = slug_from(
        &row.text(&["slack_group_id"])
            .unwrap_or_else(|| name.to_owned()),
    );
    let mut slug = base.clone();
    let mut number = 1;
    while Uuid::parse_str(&slug).is_ok() || is_taken(&slug)? {
        number += 1;
        slug = format!("{base}-{number}");
    }
    Ok(slug)
}

fn add_service(import: &mut Import<'_>, row: &Row) -> Result<bool> {
    let id = ServiceId::from_uuid(row.id("service", "id")?);
    if services::find(import.tx, id)?.is_some() {
        return Ok(false);
    }
    let team_id = import.team(row)?;
    let name = row.text(&["service_name", "name"]).unwrap_or_default();
    let mut invalid = Invalid::default();
    invalid.check_line("service_name", &name, 1, 100);
    let tier = row.text(&["tier"]);
    let tier = tier.map_or(Some(Tier::Standard), |tier| invalid.parse("tier", &tier));
    let tier = invalid
        .into_result(tier)
        .map_err(|invalid| row.invalid(invalid))?;
    let is_active = row.flag("is_active")?.unwrap_or(true);
    if is_active && services::find_by_name(import.tx, &name)?.is_some() {
        return Err(row.wrong(
            "service_name",
            format!("`{name}` is another service's already"),
        ));
    }
    let service = Service {
        id,
        name,
        team_id,
        repository_url: row.text(&["repository_url", "github_repo"]),
        environment: row.text(&["environment"]),
        tier: tier.unwrap_or(Tier::Standard),
        owner: row.user(&["owner_slack_id"])?,
        tech_stack: row.list("tech_stack")?,
        metadata: Json(row.object("metadata")?),
        is_active,
        revision: import.revision(row)?,
    };
    services::put(import.tx, &service)?;
    Ok(true)
}

fn add_schedule(import: &mut Import<'_>, row: &Row) -> Result<bool> {
    let id = ScheduleId::from_uuid(row.id("schedule", "id")?);
    if schedules::find(import.tx, id)?.is_some() {
        return Ok(false);
    }
    let team_id = import.team(row)?;
    let (start_date, end_date) = (
        row.needed_date(&["start_date"])?,
        row.needed_date(&["end_date"])?,
    );
    check_range(row, start_date, end_date)?;
    let there = schedules::list_of_team(import.tx, team_id, start_date, end_date)?;
    if let Some(other) = there.iter().find(|other| other.origin == Origin::Manual) {
        return Err(overlap(
            row,
            other.id.uuid(),
            other.start_date,
            other.end_date,
        ));
    }
    let schedule = Schedule {
        id,
        team_id,
        engineer: row.needed_user(&["engineer_slack_id"])?,
        start_date,
        end_date,
        origin: Origin::Manual,
        created_by: row.user(&["created_by"])?,
        note: row.text(&["note"]),
        is_hold: false,
        revision: import.revision(row)?,
    };
    schedules::put(import.tx, &schedule)?;
    Ok(true)
}

fn add_override(import: &mut Import<'_>, row: &Row) -> Result<bool> {
    let id = OverrideId::from_uuid(row.id("override", "id")?);
    if overrides::find(import.tx, id)?.is_some() {
        return Ok(false);
    }
    let team_id = import.team(row)?;
    let start_date = row.needed_date(&["start_date", "override_date"])?;
    let end_date = row.date(&["end_date"])?.unwrap_or(start_date);
    check_range(row, start_date, end_date)?;
    let mut invalid = Invalid::default();
    let status = row.text(&["status"]);
    let status = status.map_or(Some(OverrideStatus::Approved), |status| {
        invalid.parse("status", &status)
    });
    let status = invalid
        .into_result(status)
        .map_err(|invalid| row.invalid(invalid))?;
    let status = status.unwrap_or(OverrideStatus::Approved);
    let holds = |status| matches!(status, OverrideStatus::Pending | OverrideStatus::Approved);
    let there = overrides::list_of_team(import.tx, team_id, start_date, end_date)?;
    let clashing = there
        .iter()
        .find(|other| holds(status) && holds(other.status));
    if let Some(other) = clashing {
        return Err(overlap(
            row,
            other.id.uuid(),
            other.start_date,
            other.end_date,
        ));
    }
    let row = Override {
        id,
        team_id,
        substitute: row.needed_user(&["substitute_slack_id"])?,
        start_date,
        end_date,
        reason: row.text(&["reason"]),
        status,
        requested_by: row.user(&["requested_by", "created_by"])?,
        approved_by: row.user(&["approved_by"])?,
        decided_at: row.instant("decided_at")?,
        decision_reason: None,
        revision: import.revision(row)?,
    };
    overrides::put(import.tx, &row)?;
    Ok(true)
}

fn check_range(row: &Row, start: NaiveDate, end: NaiveDate) -> Result<()> {
    let mut invalid = Invalid::default();
    invalid.check_range(start, end);
    invalid
        .into_result(())
        .map_err(|invalid| row.invalid(invalid))
}

fn overlap(row: &Row, other: Uuid, start: NaiveDate, end: NaiveDate) -> ImportError {
    let problem =
        format!("these days overlap those of row {other} ({start} to {end}): change one of them");
    row.wrong("start_date", problem)
}
