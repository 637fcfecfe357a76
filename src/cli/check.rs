//! `oncalld check`: whether the daemon is ready, or, while it is down, whether its file is sound.

use std::path::Path;

use serde_json::{Value, json};

use super::args::Global;
use super::audit::{proven, value};
use super::connection::load_config;
use super::error::CliError;
use super::output::{note, pretty, print};
use super::session::Session;
use super::table::facts;
use crate::daemon::STORE_FILE;
use crate::domain::hex::hex;
use crate::domain::zone;
use crate::store::{self, FolderLock, Store, StoreError};
use crate::wire::audit::AuditProof;

/// Asks the daemon; where none answers on this host, looks at the file.
///
/// # Errors
/// The daemon isn't ready, or the file isn't sound.
pub(super) async fn run(global: &Global, session: &Session) -> Result<(), CliError> {
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
    let path = load_config(global)?.server.data_dir.join(STORE_FILE);
    let found = offline(&path)?;
    print(&if session.json {
        pretty(&found.json().to_string())
    } else {
        found.text()
    })
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
    proof: AuditProof,
    zone_rules: Option<String>,
}

/// Opens the file, which repairs it where it wasn't closed, and checks its audit log and lists.
fn offline(path: &Path) -> Result<Found, CliError> {
    if !path.exists() {
        return Err(CliError::not_found(format!(
            "there is no data file {}: `oncalld serve` creates it, --data-dir names another folder",
            path.display()
        )));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let _lock = FolderLock::take(folder).map_err(|error| CliError::failed(error.to_string()))?;
    let store = Store::open(path).map_err(|error| CliError::failed(error.to_string()))?;
    let read = store.read(|tx| {
        let head = store::audit::verify(tx)?;
        store::lists::verify(tx)?;
        Ok::<_, StoreError>((head, store::meta::zone_rules(tx)?))
    });
    let (head, zone_rules) = read.map_err(|error| CliError::failed(error.to_string()))?;
    Ok(Found {
        path: path.display().to_string(),
        schema: store::SCHEMA_VERSION,
        proof: AuditProof {
            entries: head.seq,
            head: hex(&head.hash),
        },
        zone_rules,
    })
}

impl Found {
    fn json(&self) -> Value {
        let rules = zone::rules();
        json!({
            "daemon": "down",
            "store": {"path": self.path, "schema_version": self.schema},
            "audit": self.proof,
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
        let lists = "as the records say".to_owned();
        let about = [("store", store), ("lists", lists), ("zone rules", rules)];
        facts(about.into_iter().chain(proven(&self.proof)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::super::error::Kind;
    use super::*;
    use crate::domain::audit::{Action, AuditEvent, EntityType};

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
        let path = dir.path().join(STORE_FILE);
        assert_eq!(offline(&path).err().unwrap().kind, Kind::NotFound);
        assert!(!path.exists());

        let store = Store::open(&path).unwrap();
        let event = AuditEvent::system(EntityType::System, Action::Created);
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let written = store
            .write(|tx| store::audit::append(tx, event, now))
            .unwrap();
        let in_use = offline(&path).err().unwrap();
        assert!(in_use.message.contains("has this store open"), "{in_use}");
        drop(store);

        let found = offline(&path).unwrap();
        assert_eq!(found.proof.entries, 1);
        assert_eq!(found.proof.head, hex(&written.audit[0].hash));
        assert!(found.text().contains("1 entry, each as"));
    }
}
