//! `oncalld check`: whether the daemon is ready, or, while it is down, whether its file is sound.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::args::Global;
use super::audit::value;
use super::audit::verify::proven;
use super::connection::load_config;
use super::error::CliError;
use super::folder::DataFolder;
use super::output::{note, pretty, print};
use super::session::Session;
use super::table::facts;
use crate::daemon::exposed;
use crate::domain::zone;
use crate::store::examine::{self, Found as Examined};
use crate::store::{self, Store, StoreError};
use crate::wire::audit::AuditProof;

/// What to do besides.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Make the indexes of the data file anew from its records, while the daemon is down
    #[arg(long)]
    repair: bool,
}

/// Asks the daemon; where none answers on this host, looks at the file.
///
/// # Errors
/// The daemon isn't ready, or the file isn't sound.
pub(super) async fn run(
    args: &CheckArgs,
    global: &Global,
    session: &Session,
) -> Result<(), CliError> {
    if args.repair {
        return report(&offline(global, true)?, session);
    }
    let unreachable = match session.client.get_plain("readyz").await {
        Ok((status, body)) => {
            let Ok(found) = serde_json::from_str::<Value>(&body) else {
                let url = &session.client.connection().url;
                let message = format!("{url} answered {status} without JSON: is it oncalld?");
                return Err(CliError::failed(message));
            };
            print(&if session.json {
                pretty(&body)
            } else {
                readable(&found)
            })?;
            if session.client.connection().is_by_config {
                for warning in exposed(&load_config(global)?) {
                    note(&format!("warning: {warning}"));
                }
            }
            if status.is_success() {
                return Ok(());
            }
            return Err(CliError::failed(format!(
                "the daemon is not ready ({status})"
            )));
        }
        Err(error) => error,
    };
    if !session.client.connection().is_local() {
        return Err(unreachable);
    }
    note(&format!("{unreachable}\n"));
    report(&offline(global, false)?, session)
}

/// Prints what was found, and fails where it is not sound.
fn report(found: &Found, session: &Session) -> Result<(), CliError> {
    print(&if session.json {
        pretty(&found.json().to_string())
    } else {
        found.text()
    })?;
    let problems = found.examined.problems.len() as u64 + found.examined.more;
    if problems == 0 {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "the data file is not sound, in {problems} places: `oncalld check --repair` makes its indexes \
         anew, `oncalld restore` puts a backup in its place"
    )))
}

/// The daemon's answer, a fact a line.
fn readable(found: &Value) -> String {
    let mut flat = Vec::new();
    flatten("", found, &mut flat);
    facts(
        flat.iter()
            .map(|(name, text)| (name.as_str(), text.clone())),
    )
}

fn flatten(name: &str, found: &Value, flat: &mut Vec<(String, String)>) {
    match found {
        Value::Object(fields) => {
            for (field, inner) in fields {
                let field = field.replace('_', " ");
                let name = if name.is_empty() {
                    field
                } else {
                    format!("{name} {field}")
                };
                flatten(&name, inner, flat);
            }
        }
        other => flat.push((name.to_owned(), value(Some(other)))),
    }
}

/// What the data file tells.
struct Found {
    path: String,
    schema: u32,
    examined: Examined,
    zone_rules: Option<String>,
    /// Files that other users of this host get at.
    exposed: Vec<String>,
}

/// Examines the file of a daemon that is down, and leaves it as it is, unless it's to be repaired.
fn offline(global: &Global, repair: bool) -> Result<Found, CliError> {
    let folder = DataFolder::take_with_store(global)?;
    let found = examine_file(&folder.store(), repair)?;
    Ok(Found {
        exposed: exposed(&load_config(global)?),
        ..found
    })
}

fn examine_file(path: &Path, repair: bool) -> Result<Found, CliError> {
    let failed = |error: &dyn std::error::Error| CliError::failed(error.to_string());
    let store = if repair {
        let store = Store::open(path).map_err(|error| failed(&error))?;
        let repaired = store.write(|tx| examine::repair(tx));
        repaired.map_err(|error: StoreError| failed(&error))?;
        store
    } else {
        let store = Store::open_untouched(path).map_err(|error| failed(&error))?;
        examine::check_pages(path).map_err(|error| failed(&error))?;
        store
    };
    let examined = store
        .read(examine::examine)
        .map_err(|error| failed(&error))?;
    let zone_rules = store.read(store::meta::zone_rules);
    Ok(Found {
        path: path.display().to_string(),
        schema: store::SCHEMA_VERSION,
        examined,
        zone_rules: zone_rules.map_err(|error| failed(&error))?,
        exposed: Vec::new(),
    })
}

impl Found {
    fn proof(&self) -> Option<AuditProof> {
        self.examined.audit.as_ref().map(AuditProof::from)
    }

    fn json(&self) -> Value {
        let rules = zone::rules();
        json!({
            "daemon": "down",
            "store": {"path": self.path, "schema_version": self.schema},
            "records": self.examined.records,
            "problems": self.examined.problems,
            "warnings": self.exposed,
            "more_problems": self.examined.more,
            "audit": self.proof(),
            "zone_rules": {
                "version": rules.version(),
                "source": rules.source(),
                "last_used": self.zone_rules,
            },
        })
    }

    fn text(&self) -> String {
        let rules = zone::rules();
        let used = self.zone_rules.as_ref().map_or_else(
            || "not used yet".to_owned(),
            |used| format!("handoffs were last computed by {used}"),
        );
        let rules = format!("{} ({}), {used}", rules.version(), rules.source());
        let store = format!("{}, schema version {}", self.path, self.schema);
        let records: u64 = self.examined.records.values().sum();
        let mut about = vec![("store", store), ("records", records.to_string())];
        let problems = self.examined.problems.iter();
        about.extend(problems.map(|problem| ("problem", problem.clone())));
        if self.examined.problems.is_empty() {
            about.push(("indexes", "as the records say".to_owned()));
        }
        about.push(("zone rules", rules));
        let warnings = self.exposed.iter();
        about.extend(warnings.map(|warning| ("warning", warning.clone())));
        let proof = self.proof();
        facts(about.into_iter().chain(proof.iter().flat_map(proven)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::error::Kind;
    use super::*;
    use crate::daemon::STORE_FILE;
    use crate::domain::audit::{Action, AuditEvent, EntityType};
    use crate::domain::hex::hex;
    use crate::store::FolderLock;

    #[test]
    fn the_daemons_answer_is_a_fact_a_line() {
        let found = json!({"status": "ready", "store": {"schema_version": 1}, "x": null});
        assert_eq!(
            readable(&found),
            "status                ready\nstore schema version  1\nx                     -\n"
        );
    }

    #[test]
    fn a_file_is_checked_while_the_daemon_is_down() {
        let dir = tempfile::tempdir().unwrap();
        let global = Global {
            data_dir: Some(dir.path().to_owned()),
            ..Global::default()
        };
        let check = || offline(&global, false);
        let path = dir.path().join(STORE_FILE);
        assert_eq!(check().err().unwrap().kind, Kind::NotFound);
        assert!(!path.exists());

        let store = Store::open(&path).unwrap();
        let event = AuditEvent::system(EntityType::System, Action::Created);
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let written = store
            .write(|tx| store::audit::append(tx, event, now))
            .unwrap();
        drop(store);
        let held = FolderLock::take(dir.path()).unwrap();
        let in_use = check().err().unwrap();
        assert!(in_use.message.contains("another oncalld"), "{in_use}");
        drop(held);

        let found = check().unwrap();
        let proof = found.proof().unwrap();
        assert_eq!(proof.entries, 1);
        assert_eq!(proof.head, hex(&written.audit[0].hash));
        assert!(found.text().contains("1 entry, each as"));
    }
}
