//! The audit log as pages show it: who did what to which entity, and what changed by it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::diff::{self, Field};
use super::people::{People, Person};
use super::time::{When, day};
use crate::actions::admin::audit;
use crate::actions::teams;
use crate::app::{App, Result};
use crate::domain::audit::{Action, ActorType, EntityType};
use crate::wire::Paging;
use crate::wire::audit::{AuditQuery, AuditView};

/// Entries on a page.
pub const ENTRIES: usize = 50;
/// Names of fields in a summary.
const SUMMARISED: usize = 3;

/// A part of the log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// How many entries meet the filter.
    pub total: usize,
    /// Cursor for what follows.
    pub next: Option<String>,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its position.
    pub seq: u64,
    /// When it happened.
    pub at: When,
    /// What happened, in words.
    pub action: String,
    /// The badge's class.
    pub tone: &'static str,
    /// Kind of the entity, in words.
    pub kind: String,
    /// Name of the entity, as far as it is known.
    pub subject: String,
    /// The page of the entity.
    pub href: Option<String>,
    /// Name and slug of the team that it concerns.
    pub team: Option<(String, String)>,
    /// The person who acted.
    pub person: Option<Person>,
    /// Who acted, where it was none: a token's name, or the daemon.
    pub actor: String,
    /// In whose name a token acted that is bound to nobody.
    pub acting_for: Option<Person>,
    /// By which door.
    pub source: String,
    /// Whose shift it is by this entry: before and now, and whether it is so yet.
    pub shift: Option<ShiftChange>,
    /// Where it is no shift: the names of what changed.
    pub summary: String,
    /// What changed.
    pub fields: Vec<Field>,
    /// What else is known of it.
    pub facts: Vec<(String, String)>,
    /// Id of the entity.
    pub entity_id: Option<String>,
}

/// A shift that changed hands.
#[derive(Clone, Debug)]
pub struct ShiftChange {
    /// `on call`; `asked for` while it is a wish.
    pub label: &'static str,
    /// Who was.
    pub before: Option<Person>,
    /// Who is.
    pub now: Option<Person>,
}

/// Names and slugs of teams, by id.
type Teams = BTreeMap<Uuid, (String, String)>;

impl Log {
    /// The entries of a query, from its cursor on, as links to pages that `is_admin` may see.
    ///
    /// # Errors
    /// The query is invalid; its team is not there.
    pub fn load(app: &App, query: &AuditQuery, now: DateTime<Utc>, is_admin: bool) -> Result<Self> {
        let paging = Paging {
            page: Some(1),
            page_size: Some(ENTRIES),
        };
        let page = audit::list(app, query, &paging)?;
        let people = People::load(app, page.items.iter().flat_map(ids))?;
        let mut teams = Teams::new();
        for id in page.items.iter().filter_map(|entry| entry.team_id) {
            if !teams.contains_key(&id)
                && let Ok(team) = teams::get(app, &id.to_string())
            {
                teams.insert(id, (team.name, team.slug));
            }
        }
        let entries = page.items.iter();
        let entry = |entry| Entry::new(entry, &people, &teams, now, is_admin);
        Ok(Self {
            entries: entries.map(entry).collect(),
            total: page.total,
            next: page.next_cursor,
        })
    }
}

/// Everybody whom an entry names.
fn ids(entry: &AuditView) -> Vec<&str> {
    let mut ids = diff::ids(&entry.changes);
    ids.extend(entry.engineer_slack_id.as_deref());
    ids.extend(entry.previous_engineer_slack_id.as_deref());
    ids.extend(entry.actor_id.as_deref());
    if entry.entity_type == EntityType::User {
        ids.extend(entry.entity_id.as_deref());
    }
    ids.extend(text(&entry.metadata, "slack_user_id"));
    ids.extend(text(&entry.metadata, "acting_for"));
    ids
}

impl Entry {
    fn new(
        entry: &AuditView,
        people: &People,
        teams: &Teams,
        now: DateTime<Utc>,
        is_admin: bool,
    ) -> Self {
        let team = entry.team_id.and_then(|id| teams.get(&id)).cloned();
        let slug = team.as_ref().map(|(_, slug)| slug.as_str());
        let person = person(entry, people);
        let actor = match (&entry.actor_id, entry.actor_type) {
            (Some(id), _) => id.clone(),
            (None, ActorType::System) => "oncalld".to_owned(),
            (None, ActorType::User) => "unknown".to_owned(),
        };
        let shift = (entry.engineer_slack_id.is_some()
            || entry.previous_engineer_slack_id.is_some())
        .then(|| ShiftChange {
            // A wish changes nobody's shift yet, and one that was turned down never does.
            label: match entry.action {
                Action::OverrideRequested | Action::OverrideRejected => "asked for",
                _ => "on call",
            },
            before: people
                .find(entry.previous_engineer_slack_id.as_deref())
                .filter(|_| entry.previous_engineer_slack_id != entry.engineer_slack_id),
            now: people.find(entry.engineer_slack_id.as_deref()),
        });
        Self {
            seq: entry.seq,
            at: When::utc(entry.created_at, now),
            action: entry.action.as_str().replace('_', " "),
            tone: tone(entry.action),
            kind: entry.entity_type.as_str().replace('_', " "),
            subject: subject(entry, people),
            href: href(entry, slug, is_admin),
            person,
            actor,
            acting_for: people.find(text(&entry.metadata, "acting_for")),
            source: text(&entry.metadata, "source")
                .unwrap_or_default()
                .to_owned(),
            shift,
            summary: summary(entry),
            fields: diff::fields(&entry.changes, people),
            facts: facts(entry, people, now),
            entity_id: entry.entity_id.clone(),
            team,
        }
    }
}

/// The person who acted; a token that is bound to nobody bears a name of its own.
fn person(entry: &AuditView, people: &People) -> Option<Person> {
    let id = entry.actor_id.as_deref()?;
    let is_token = text(&entry.metadata, "token") == Some(id);
    (!is_token && !diff::ids(&Value::from(id)).is_empty()).then(|| people.get(id))
}

const fn tone(action: Action) -> &'static str {
    match action {
        Action::Created | Action::Restored | Action::OverrideApproved | Action::PluginLoaded => {
            "good"
        }
        Action::Deleted
        | Action::OverrideRejected
        | Action::RotationFailed
        | Action::PluginFailed
        | Action::RecordsLost => "gap",
        Action::OverrideRequested | Action::RotationSkipped => "pending",
        _ => "",
    }
}

/// The name of what an entry is about, as far as the entry itself tells.
fn subject(entry: &AuditView, people: &People) -> String {
    let user = text(&entry.metadata, "slack_user_id").or_else(|| changed(entry, "slack_user_id"));
    match (entry.entity_type, user) {
        (EntityType::TeamMembership | EntityType::TimeOff, Some(user)) => people.get(user).name,
        (EntityType::User, _) => people
            .find(entry.entity_id.as_deref())
            .map_or_else(String::new, |it| it.name),
        (EntityType::Plugin, _) => entry.entity_id.clone().unwrap_or_default(),
        _ => changed(entry, "name").unwrap_or_default().to_owned(),
    }
}

/// Who stands in a field now, or stood in it where it was deleted.
fn changed<'e>(entry: &'e AuditView, field: &str) -> Option<&'e str> {
    let change = entry.changes.get(field)?;
    let side = |side| change.get(side).and_then(Value::as_str);
    side("new").or_else(|| side("old"))
}

fn href(entry: &AuditView, slug: Option<&str>, is_admin: bool) -> Option<String> {
    let of_team = |rest: &str| slug.map(|slug| format!("/teams/{slug}{rest}"));
    match entry.entity_type {
        EntityType::Team | EntityType::Schedule => of_team(""),
        EntityType::RotationConfig => of_team("/rotation"),
        EntityType::Override => of_team("/overrides"),
        EntityType::TeamMembership => of_team("/members"),
        EntityType::Service => entry.entity_id.as_ref().map(|id| format!("/services/{id}")),
        EntityType::User => entry.entity_id.as_ref().map(|id| format!("/people/{id}")),
        EntityType::TimeOff => {
            changed(entry, "slack_user_id").map(|user| format!("/people/{user}"))
        }
        EntityType::Plugin => is_admin.then(|| "/settings/plugins".to_owned()),
        EntityType::Token => is_admin.then(|| "/settings/tokens".to_owned()),
        EntityType::System => None,
    }
}

fn summary(entry: &AuditView) -> String {
    let names: Vec<_> = entry.changes.as_object().into_iter().flatten().collect();
    let named = names.iter().take(SUMMARISED);
    let text = named
        .map(|(name, _)| diff::words(name))
        .collect::<Vec<_>>()
        .join(", ");
    match (names.len(), &entry.change_reason) {
        (0, Some(reason)) => reason.clone(),
        (0, None) => "details".to_owned(),
        (count, _) if count > SUMMARISED => format!("{text} and {} more", count - SUMMARISED),
        _ => text,
    }
}

fn facts(entry: &AuditView, people: &People, now: DateTime<Utc>) -> Vec<(String, String)> {
    let mut facts = vec![("Entry".to_owned(), entry.seq.to_string())];
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("Reason", entry.change_reason.clone());
    let from = entry.effective_date;
    add("From", from.map(|date| day(date, now.date_naive())));
    add("Kind", entry.change_type.clone());
    for (name, value) in entry.metadata.as_object().into_iter().flatten() {
        let name = diff::words(name);
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let name = format!("{}{}", first.unwrap_or_default(), letters.as_str());
        add(&name, Some(diff::line(value, people)));
    }
    add("Id of the entity", entry.entity_id.clone());
    add("Hash", Some(entry.hash.clone()));
    facts
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(changes: &Value) -> AuditView {
        serde_json::from_value(json!({
            "id": "01939a00-0000-7000-8000-000000000001", "seq": 7,
            "team_id": "01939a00-0000-7000-8000-000000000002", "entity_type": "team_membership",
            "entity_id": "x", "action": "updated", "actor_type": "user", "actor_id": "UANA",
            "changes": changes, "metadata": {"source": "ui", "token": "laptop", "slack_user_id": "UBO"},
            "engineer_slack_id": null, "previous_engineer_slack_id": null,
            "change_type": null, "change_reason": null, "effective_date": null,
            "created_at": "2026-11-30T08:00:05.123Z", "previous_hash": "00", "hash": "ff",
        }))
        .unwrap()
    }

    fn shown(entry: &AuditView) -> Entry {
        let id = entry.team_id.unwrap();
        let teams = Teams::from([(id, ("Core".to_owned(), "core".to_owned()))]);
        Entry::new(entry, &People::default(), &teams, entry.created_at, false)
    }

    #[test]
    fn an_entry_tells_who_did_what_and_links_there() {
        let entry = entry(&json!({"weight": {"old": 1.0, "new": 2.0}}));
        let shown = shown(&entry);
        assert_eq!(
            (shown.kind.as_str(), shown.action.as_str()),
            ("team membership", "updated")
        );
        assert_eq!(shown.person.unwrap().id, "UANA");
        assert_eq!(
            (shown.subject.as_str(), shown.summary.as_str()),
            ("UBO", "weight")
        );
        assert_eq!(shown.href.unwrap(), "/teams/core/members");
    }

    #[test]
    fn a_token_that_is_bound_to_nobody_is_no_person() {
        let mut entry = entry(&json!({"a": {}, "b": {}, "c": {}, "d": {}}));
        entry.actor_id = Some("laptop".to_owned());
        let shown = shown(&entry);
        assert!(shown.person.is_none());
        assert_eq!(
            (shown.actor.as_str(), shown.summary.as_str()),
            ("laptop", "a, b, c and 1 more")
        );
    }

    #[test]
    fn a_request_is_no_shift_yet() {
        let mut entry = entry(&json!({}));
        entry.action = Action::OverrideRequested;
        entry.engineer_slack_id = Some("UBO".to_owned());
        let change = shown(&entry).shift.unwrap();
        assert_eq!(change.label, "asked for");
        assert_eq!(
            (change.before.is_none(), change.now.unwrap().id.as_str()),
            (true, "UBO")
        );
    }
}
