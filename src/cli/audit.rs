//! `oncalld audit`: what was changed, when, by whom; and proof that nothing in the log was changed.

pub(super) mod verify;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use self::verify::VerifyArgs;
use super::args::{Global, PageArgs, Query, names_of};
use super::error::CliError;
use super::output::{note, print};
use super::people::Names;
use super::session::Session;
use super::table::{NONE, Table, facts, indented, or_none};
use super::time::stamp;
use crate::domain::audit::{Action, ActorType, EntityType};
use crate::wire::audit::{AuditPage, AuditView, CheckpointView};

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List entries, newest first
    List(Box<ListArgs>),
    /// Show an entry in full
    Show {
        /// Its SEQ, or its id
        entry: String,
    },
    /// Verify that no entry was changed, dropped or inserted, and that every filter finds each one; of
    /// the daemon's log, or, while it is down, of the data file
    Verify(VerifyArgs),
    /// List the checkpoints of the log, newest first
    Checkpoints {
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Sign a checkpoint of the log now, and print it: kept elsewhere, it proves later by `verify
    /// --against` that nothing up to there was changed
    Checkpoint,
}

/// Which entries to list.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ListArgs {
    /// About this kind of entity
    #[arg(long, value_name = "TYPE", value_parser = names_of!(EntityType))]
    entity_type: Option<String>,
    /// About the entity of this id
    #[arg(long, value_name = "ID")]
    entity_id: Option<String>,
    /// With this action
    #[arg(long, value_parser = names_of!(Action))]
    action: Option<String>,
    /// By this person, or by the token of this name
    #[arg(long, value_name = "ID")]
    actor_id: Option<String>,
    /// Concerning this team
    #[arg(long)]
    team: Option<String>,
    /// At this time (RFC 3339) or on this day (UTC), or later
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time (RFC 3339), or on this day (UTC) at the latest
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Continue where a list ended
    #[arg(long, conflicts_with = "page")]
    cursor: Option<String>,
    #[command(flatten)]
    pages: PageArgs,
}

/// Does it.
///
/// # Errors
/// The daemon can't be reached, or says no; the log was tampered with.
pub(super) async fn run(
    command: AuditCommand,
    global: &Global,
    session: &Session,
) -> Result<(), CliError> {
    match command {
        AuditCommand::List(args) => list(*args, session).await,
        AuditCommand::Show { entry } => {
            let id = match entry.parse::<u64>() {
                Ok(seq) => at(seq, session).await?,
                Err(_) => entry,
            };
            let path = ["audit-logs", &id];
            let answer = session
                .client
                .get::<AuditView>(&path, Query::default())
                .await?;
            match session.open(&answer)? {
                Some(entry) => {
                    let names = session.names(people_of(&entry)).await;
                    print(&in_full(&entry, &names))
                }
                None => Ok(()),
            }
        }
        AuditCommand::Verify(args) => verify::run(&args, global, session).await,
        AuditCommand::Checkpoints { pages } => verify::checkpoints(pages, session).await,
        AuditCommand::Checkpoint => {
            let path = ["audit-logs", "checkpoints"];
            let answer = session
                .client
                .slowly::<CheckpointView>(Method::POST, &path, None)
                .await?;
            match session.open(&answer)? {
                Some(made) => print(&made.note),
                None => Ok(()),
            }
        }
    }
}

/// The id of the entry at a position: the first before the next.
async fn at(seq: u64, session: &Session) -> Result<String, CliError> {
    let query = Query::default().set("cursor", Some(seq.saturating_add(1)));
    let query = query.set("page_size", Some(1));
    let answer = session.client.get::<AuditPage>(&["audit-logs"], query);
    let found = answer.await?.read()?.items.into_iter().next();
    let found = found.filter(|entry| entry.seq == seq);
    found
        .map(|entry| entry.id.to_string())
        .ok_or_else(|| CliError::not_found(format!("the audit log has no entry {seq}")))
}

async fn list(args: ListArgs, session: &Session) -> Result<(), CliError> {
    let query = Query::default()
        .set("entity_type", args.entity_type)
        .set("entity_id", args.entity_id)
        .set("action", args.action)
        .set("actor_id", args.actor_id)
        .set("team", args.team)
        .set("from", args.from)
        .set("to", args.to)
        .set("cursor", args.cursor)
        .set("page", args.pages.page)
        .set("page_size", args.pages.page_size);
    let answer = session
        .client
        .get::<AuditPage>(&["audit-logs"], query)
        .await?;
    let Some(page) = session.open(&answer)? else {
        return Ok(());
    };
    if page.items.is_empty() {
        note("no entries");
        return Ok(());
    }
    let slugs = session.slugs().await;
    let names = session.names(page.items.iter().flat_map(people_of)).await;
    let columns = ["SEQ", "WHEN", "TEAM", "WHAT", "WHO", "CHANGED"];
    let mut table = Table::new(columns).numbers([0]);
    for entry in &page.items {
        table.row([
            entry.seq.to_string(),
            stamp(entry.created_at),
            or_none(entry.team_id.map(|id| slugs.of(id))),
            format!("{} {}", entry.entity_type, entry.action),
            actor(entry, &names),
            in_short(entry, &names),
        ]);
    }
    print(&table.render())?;
    if let Some(cursor) = page.next_cursor {
        note(&format!(
            "{} entries in all; --cursor {cursor} shows older ones",
            page.total
        ));
    }
    Ok(())
}

/// Whom an entry names.
fn people_of(entry: &AuditView) -> impl Iterator<Item = &str> {
    let people = [
        entry.actor_id.as_deref(),
        entry.engineer_slack_id.as_deref(),
        entry.previous_engineer_slack_id.as_deref(),
        acting_for(entry),
        Some(subject(entry)),
    ];
    people.into_iter().flatten()
}

fn actor(entry: &AuditView, names: &Names) -> String {
    let actor = match (&entry.actor_id, entry.actor_type) {
        (Some(id), _) => names.of(id),
        (None, ActorType::System) => "oncalld".to_owned(),
        (None, ActorType::User) => NONE.to_owned(),
    };
    match acting_for(entry) {
        Some(user) => format!("{actor} for {}", names.of(user)),
        None => actor,
    }
}

/// The person in whose name a token acted that is bound to nobody.
fn acting_for(entry: &AuditView) -> Option<&str> {
    entry.metadata.get("acting_for").and_then(Value::as_str)
}

/// Names of fields in a list; `audit show` has them all.
const SHOWN: usize = 3;

/// Who is on call by it, or what was made or deleted, else the names of the fields.
fn in_short(entry: &AuditView, names: &Names) -> String {
    // A wish changes nobody's shift yet, and one that was turned down never does.
    let label = match entry.action {
        Action::OverrideRequested | Action::OverrideRejected => "asked for",
        _ => "on call",
    };
    match (&entry.previous_engineer_slack_id, &entry.engineer_slack_id) {
        (Some(old), Some(new)) if old != new => {
            return format!("{label}: {} → {}", names.of(old), names.of(new));
        }
        (_, Some(new)) => return format!("{label}: {}", names.of(new)),
        _ => {}
    }
    let is_of_person = matches!(
        entry.entity_type,
        EntityType::TeamMembership | EntityType::TimeOff | EntityType::User
    );
    let subject = match subject(entry) {
        id if is_of_person => names.of(id),
        name => name.to_owned(),
    };
    if matches!(entry.action, Action::Created | Action::Deleted) && !subject.is_empty() {
        return subject;
    }
    let fields = entry.changes.as_object().into_iter().flatten();
    let fields: Vec<_> = fields.map(|(name, _)| name.as_str()).collect();
    let fields = match fields.split_at_checked(SHOWN) {
        Some((shown, rest @ [_, _, ..])) => {
            format!("{} and {} more", shown.join(", "), rest.len())
        }
        _ => or_none((!fields.is_empty()).then(|| fields.join(", "))),
    };
    if is_of_person && !subject.is_empty() {
        format!("{subject}: {fields}")
    } else {
        fields
    }
}

/// The name of what an entry is about, as far as the entry itself tells; else nothing.
fn subject(entry: &AuditView) -> &str {
    if entry.entity_type == EntityType::User {
        return entry.entity_id.as_deref().unwrap_or_default();
    }
    let side = if entry.action == Action::Deleted {
        "old"
    } else {
        "new"
    };
    let changed = |field: &str| entry.changes.get(field).and_then(|change| change.get(side));
    let found = changed("name")
        .or_else(|| changed("slack_user_id"))
        .or_else(|| entry.metadata.get("slack_user_id"));
    found.and_then(Value::as_str).unwrap_or_default()
}

fn in_full(entry: &AuditView, names: &Names) -> String {
    let mut text = facts([
        ("seq", entry.seq.to_string()),
        ("id", entry.id.to_string()),
        ("when", stamp(entry.created_at)),
        ("what", format!("{} {}", entry.entity_type, entry.action)),
        ("entity", or_none(entry.entity_id.as_ref())),
        ("team", or_none(entry.team_id)),
        ("who", actor(entry, names)),
        ("on call", names.or_none(entry.engineer_slack_id.as_ref())),
        (
            "before",
            names.or_none(entry.previous_engineer_slack_id.as_ref()),
        ),
        ("from", or_none(entry.effective_date)),
        ("kind", or_none(entry.change_type.as_ref())),
        ("why", or_none(entry.change_reason.as_ref())),
        ("previous hash", entry.previous_hash.clone()),
        ("hash", entry.hash.clone()),
    ]);
    let changes = entry.changes.as_object().into_iter().flatten();
    let mut table = Table::new(["FIELD", "OLD", "NEW"]);
    let mut is_changed = false;
    for (field, change) in changes {
        is_changed = true;
        table.row([
            field.clone(),
            value(change.get("old")),
            value(change.get("new")),
        ]);
    }
    if is_changed {
        text = format!("{text}\nchanges\n{}", indented(&table.render()));
    }
    let metadata = entry.metadata.as_object().into_iter().flatten();
    let metadata = metadata.map(|(name, found)| (name.as_str(), value(Some(found))));
    let metadata = facts(metadata);
    if !metadata.is_empty() {
        text = format!("{text}\nmetadata\n{}", indented(&metadata));
    }
    text
}

/// A value as text: strings as they are, nothing as a dash, the rest as JSON.
pub(super) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => NONE.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names([("U2".to_owned(), "Zoë".to_owned())].into())
    }

    fn entry() -> AuditView {
        serde_json::from_value(json!({
            "id": "01939a00-0000-7000-8000-000000000001", "seq": 7,
            "team_id": null, "entity_type": "team", "entity_id": "x", "action": "updated",
            "actor_type": "user", "actor_id": "U9",
            "changes": {"description": {"old": null, "new": "x\ny"}, "name": {"old": "A", "new": "B"}},
            "metadata": {"source": "cli"},
            "engineer_slack_id": null, "previous_engineer_slack_id": null,
            "change_type": null, "change_reason": null, "effective_date": null,
            "created_at": "2026-11-30T08:00:05.123Z",
            "previous_hash": "00", "hash": "ff",
        }))
        .unwrap()
    }

    #[test]
    fn an_entry_names_what_it_changed() {
        assert_eq!(in_short(&entry(), &names()), "description, name");
        let mut made = entry();
        made.changes = json!({"a": {}, "b": {}, "c": {}, "d": {}});
        assert_eq!(in_short(&made, &names()), "a, b, c, d");
        made.changes = json!({"a": {}, "b": {}, "c": {}, "d": {}, "e": {}});
        assert_eq!(in_short(&made, &names()), "a, b, c and 2 more");
        made.action = Action::Created;
        made.changes =
            json!({"name": {"old": null, "new": "A"}, "slug": {"old": null, "new": "a"}});
        assert_eq!(in_short(&made, &names()), "A");
        let mut member = entry();
        member.entity_type = EntityType::TeamMembership;
        member.metadata = json!({"slack_user_id": "U2"});
        member.changes = json!({"weight": {"old": 1.0, "new": 2.0}});
        assert_eq!(in_short(&member, &names()), "Zoë (U2): weight");
        let mut user = entry();
        user.entity_type = EntityType::User;
        user.entity_id = Some("U2".to_owned());
        user.changes = json!({"email": {"old": null, "new": "zoe@example.com"}});
        assert_eq!(in_short(&user, &names()), "Zoë (U2): email");
        let mut handoff = entry();
        handoff.engineer_slack_id = Some("U2".to_owned());
        assert_eq!(in_short(&handoff, &names()), "on call: Zoë (U2)");
        handoff.previous_engineer_slack_id = Some("U1".to_owned());
        assert_eq!(in_short(&handoff, &names()), "on call: U1 → Zoë (U2)");
        handoff.action = Action::OverrideRequested;
        assert_eq!(in_short(&handoff, &names()), "asked for: U1 → Zoë (U2)");
    }

    #[test]
    fn an_entry_in_full_has_old_and_new_values() {
        let text = in_full(&entry(), &names());
        assert!(
            text.contains("when           2026-11-30 08:00:05 UTC\n"),
            "{text}"
        );
        assert!(
            text.contains("  FIELD        OLD  NEW\n  description  -    x y\n"),
            "{text}"
        );
        assert!(text.ends_with("metadata\n  source  cli\n"), "{text}");
    }
}
