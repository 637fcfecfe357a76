//! The TOML file beside a plugin: what it is called, what it wants, and its default config.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::LoadError;
use super::limits::Limits;
use super::schema::Schema;
use crate::config::Host;
use crate::domain::invalid::Invalid;
use crate::domain::team::RotationType;
use crate::wire::plugin::PluginKind;

/// What a plugin's author, and whoever installs it, say of it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its name: `[a-z0-9_-]{1,64}`.
    pub name: String,
    /// Its own version, 1 to 50 characters.
    pub version: String,
    /// What it does.
    pub kind: PluginKind,
    /// What it's for.
    pub description: Option<String>,
    /// Hosts that it wants to send requests to.
    pub hosts: Vec<Host>,
    /// Its default config.
    pub config: Map<String, Value>,
    /// What a team's config has to look like.
    pub schema: Option<Schema>,
    limits: LimitsText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    name: String,
    version: String,
    kind: String,
    description: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    limits: LimitsText,
    #[serde(default)]
    config: toml::Table,
    config_schema: Option<toml::Table>,
}

/// `[limits]`: what a plugin is content with.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsText {
    memory_mb: Option<usize>,
    timeout_ms: Option<u64>,
    fuel: Option<u64>,
}

impl Manifest {
    /// Reads a manifest's text.
    ///
    /// # Errors
    /// What is wrong with it, all at once where it's values.
    pub fn read(text: &str) -> Result<Self, LoadError> {
        let wrong = |error: &dyn std::fmt::Display| LoadError::Manifest(error.to_string());
        let text: ManifestText = toml::from_str(text).map_err(|e| wrong(&e.message()))?;
        let mut invalid = Invalid::default();
        let message = format!("`{}` is not 1 to 64 of a-z, 0-9, - and _", text.name);
        invalid.check(is_name(&text.name), "name", message);
        invalid.check_text("version", &text.version, 1, 50);
        let description = text.description.as_deref().unwrap_or_default();
        invalid.check_text("description", description, 0, 500);
        let kind = invalid.parse::<PluginKind>("kind", &text.kind);
        let hosts: Vec<_> = text
            .hosts
            .iter()
            .filter_map(|host| invalid.parse::<Host>("hosts", host))
            .collect();
        let none_wanted = kind != Some(PluginKind::Rotation) || hosts.is_empty();
        invalid.check(none_wanted, "hosts", "a rotation plugin sends no requests");
        let config = json("config", text.config, &mut invalid);
        let schema = text.config_schema.and_then(|schema| {
            let schema = Value::Object(json("config_schema", schema, &mut invalid));
            let read = Schema::read(&schema);
            read.map_err(|problem| invalid.add("config_schema", problem))
                .ok()
        });
        let limits = text.limits;
        let zero = [
            limits.memory_mb == Some(0),
            limits.timeout_ms == Some(0),
            limits.fuel == Some(0),
        ];
        invalid.check(!zero.contains(&true), "limits", "0 leaves nothing");
        if let Some(schema) = &schema {
            let config = Value::Object(config.clone());
            // A team's own fields come over a strategy's, and nothing over a sink's.
            let problems = match kind {
                Some(PluginKind::Sink) => schema.problems(&config),
                _ => schema.problems_of_defaults(&config),
            };
            for problem in problems {
                invalid.add("config", problem);
            }
        }
        // Without a kind there is a complaint.
        let kind = kind.unwrap_or(PluginKind::Rotation);
        let manifest = Self {
            name: text.name,
            version: text.version,
            kind,
            description: text.description.filter(|text| !text.is_empty()),
            hosts,
            config,
            schema,
            limits,
        };
        invalid
            .into_result(manifest)
            .map_err(|invalid| wrong(&invalid))
    }

    /// What a call may take: what the plugin is content with, within what the host grants.
    pub fn limits_within(&self, granted: Limits) -> Limits {
        granted.within(Limits {
            memory_mb: self.limits.memory_mb.unwrap_or(usize::MAX),
            timeout: self
                .limits
                .timeout_ms
                .map_or(Duration::MAX, Duration::from_millis),
            fuel: self.limits.fuel.unwrap_or(u64::MAX),
        })
    }

    /// The default config with a team's own fields in place of its.
    pub fn config_with(&self, own: &Value) -> Value {
        let mut config = self.config.clone();
        for (field, value) in own.as_object().into_iter().flatten() {
            config.insert(field.clone(), value.clone());
        }
        Value::Object(config)
    }
}

/// Whether a team or the config could name a plugin so.
pub fn is_name(name: &str) -> bool {
    format!("plugin:{name}").parse::<RotationType>().is_ok()
}

/// A TOML table as JSON.
fn json(field: &str, table: toml::Table, invalid: &mut Invalid) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in table {
        match json_value(value) {
            Ok(value) => drop(object.insert(name, value)),
            Err(problem) => invalid.add(field, format!("`{name}` {problem}")),
        }
    }
    invalid.check_object(field, &Value::Object(object.clone()));
    object
}

fn json_value(value: toml::Value) -> Result<Value, &'static str> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => {
            let number = serde_json::Number::from_f64(number);
            number
                .ok_or("holds a number that JSON doesn't have")?
                .into()
        }
        toml::Value::Boolean(yes) => Value::Bool(yes),
        toml::Value::Datetime(_) => return Err("holds a date; write it as text, in quotes"),
        toml::Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(json_value)
                .collect::<Result<_, _>>()?,
        ),
        toml::Value::Table(table) => {
            let field = |(name, value)| json_value(value).map(|value| (name, value));
            Value::Object(table.into_iter().map(field).collect::<Result<_, _>>()?)
        }
    })
}
