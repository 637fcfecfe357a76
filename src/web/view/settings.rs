//! The settings of a rotation plugin as a form: made of the JSON Schema by which its manifest says
//! what a team's `plugin_config` looks like, and read back into one.
//!
//! What a field of a form can't hold is typed as JSON. Whether it fits, the action says.

use serde_json::{Map, Number, Value};

use crate::domain::invalid::Invalid;
use crate::web::form::{Form, FormState};
use crate::wire::plugin::StrategyPlugin;

/// The settings of one plugin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The plugin.
    pub plugin: String,
    /// What its author says of it.
    pub description: Option<String>,
    /// A field for each setting that the schema describes.
    pub fields: Vec<Setting>,
    /// Name of the field for all others, as a JSON object, where there may be such.
    pub others: Option<String>,
}

/// A setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The setting's name.
    key: String,
    /// Name of its field in the form.
    pub name: String,
    /// What to call it.
    pub label: String,
    /// What to know of it.
    pub hint: String,
    /// How it is typed.
    pub kind: Kind,
}

/// How a setting is typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A line of text.
    Text,
    /// A number: least, most, step; empty where there is none.
    Number {
        /// The least.
        min: String,
        /// The most.
        max: String,
        /// `1` for integers, else `any`.
        step: &'static str,
    },
    /// Yes, no, or as the plugin has it.
    YesNo,
    /// One of some values.
    Choice(Vec<Value>),
    /// Some of some values.
    Many(Vec<Value>),
    /// A list, one a line; whether of numbers.
    Lines {
        /// Whether its items are numbers.
        of_numbers: bool,
    },
    /// Anything else, as JSON.
    Json,
}

impl Settings {
    /// The form of a plugin; one that is not in service any more has a field of JSON.
    pub fn new(plugin: &StrategyPlugin) -> Self {
        let schema = plugin.config_schema.as_ref();
        let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
        let prefix = format!("config.{}", plugin.name);
        let setting = |(key, schema): (&String, &Value)| Setting {
            key: key.clone(),
            name: format!("{prefix}.{key}"),
            label: note(schema, "title").unwrap_or_else(|| capital(&key.replace('_', " "))),
            hint: note(schema, "description").unwrap_or_default(),
            kind: Kind::of(schema),
        };
        let is_closed = schema
            .and_then(|schema| schema.get("additionalProperties"))
            .is_some_and(|rest| *rest == Value::Bool(false));
        Self {
            plugin: plugin.name.clone(),
            description: plugin.description.clone(),
            fields: properties.into_iter().flatten().map(setting).collect(),
            others: (!is_closed).then_some(prefix),
        }
    }

    /// What stands in the fields for a config.
    pub fn values(&self, config: &Value) -> Vec<(String, String)> {
        let mut values = Vec::new();
        for field in &self.fields {
            if let Some(value) = config.get(&field.key) {
                values.push((field.name.clone(), field.text(value)));
            }
        }
        let is_other = |key: &String| self.fields.iter().all(|field| field.key != *key);
        let others: Map<String, Value> = config
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| is_other(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if let Some(name) = &self.others
            && !others.is_empty()
        {
            let text = serde_json::to_string_pretty(&others).unwrap_or_default();
            values.push((name.clone(), text));
        }
        values
    }

    /// The config that a form asks for; what stands empty is left to the plugin.
    pub fn read(&self, form: &Form, invalid: &mut Invalid) -> Value {
        let mut config = Map::new();
        if let Some(name) = &self.others
            && let Some(text) = form.filled(name)
        {
            match serde_json::from_str(&text) {
                Ok(Value::Object(fields)) => config = fields,
                Ok(_) => invalid.add(name, "is not a JSON object such as {\"points\": 2}"),
                Err(error) => invalid.add(name, format!("is not JSON: {error}")),
            }
        }
        for field in &self.fields {
            match field.read(form) {
                Ok(Some(value)) => drop(config.insert(field.key.clone(), value)),
                Ok(None) => {}
                Err(problem) => invalid.add(&field.name, problem),
            }
        }
        Value::Object(config)
    }
}

impl Setting {
    /// Whether it is a group of checkboxes.
    pub fn is_group(&self) -> bool {
        matches!(self.kind, Kind::Many(_))
    }

    /// The texts of its choices, where it has such.
    pub fn choices(&self) -> Vec<String> {
        match &self.kind {
            Kind::Choice(values) | Kind::Many(values) => values.iter().map(plain).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a choice of several is made.
    pub fn has(&self, form: &FormState, choice: &str) -> bool {
        form.value(&self.name).lines().any(|line| line == choice)
    }

    fn text(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (Kind::Many(_) | Kind::Lines { .. }, Value::Array(items)) => {
                items.iter().map(plain).collect::<Vec<_>>().join("\n")
            }
            (Kind::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
            (_, value) => plain(value),
        }
    }

    fn read(&self, form: &Form) -> Result<Option<Value>, String> {
        let Some(text) = form.filled(&self.name) else {
            return Ok(None);
        };
        let value = match &self.kind {
            Kind::Text => text.into(),
            Kind::Number { .. } => number(&text)?,
            Kind::YesNo => (text == "true").into(),
            Kind::Choice(values) => one_of(values, &text)?,
            Kind::Many(values) => {
                let chosen = form.all(&self.name);
                let chosen = chosen.iter().map(|text| one_of(values, text));
                Value::Array(chosen.collect::<Result<_, _>>()?)
            }
            Kind::Lines { of_numbers } => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let item = |line: &str| {
                    if *of_numbers {
                        number(line)
                    } else {
                        Ok(line.into())
                    }
                };
                Value::Array(lines.map(item).collect::<Result<_, _>>()?)
            }
            Kind::Json => {
                serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))?
            }
        };
        Ok(Some(value))
    }
}

impl Kind {
    fn of(schema: &Value) -> Self {
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return Self::Choice(values.clone());
        }
        let bound = |inclusive: &str, exclusive: &str| {
            let bound = schema.get(inclusive).or_else(|| schema.get(exclusive));
            bound.map(ToString::to_string).unwrap_or_default()
        };
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Self::Text,
            Some(kind @ ("number" | "integer")) => Self::Number {
                min: bound("minimum", "exclusiveMinimum"),
                max: bound("maximum", "exclusiveMaximum"),
                step: if kind == "integer" { "1" } else { "any" },
            },
            Some("boolean") => Self::YesNo,
            Some("array") => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                match Self::of(items) {
                    Self::Choice(values) => Self::Many(values),
                    Self::Text => Self::Lines { of_numbers: false },
                    Self::Number { .. } => Self::Lines { of_numbers: true },
                    _ => Self::Json,
                }
            }
            _ => Self::Json,
        }
    }
}

/// A value as the text of a field or an option.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one_of(values: &[Value], text: &str) -> Result<Value, String> {
    let found = values.iter().find(|value| plain(value) == text);
    found
        .cloned()
        .ok_or_else(|| format!("`{text}` is none of the choices"))
}

fn number(text: &str) -> Result<Value, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    let number = text.parse().ok().and_then(Number::from_f64);
    number
        .map(Value::Number)
        .ok_or_else(|| format!("`{text}` is not a number"))
}

fn note(schema: &Value, keyword: &str) -> Option<String> {
    schema.get(keyword)?.as_str().map(capital)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> Settings {
        Settings::new(&StrategyPlugin {
            name: "fair".to_owned(),
            description: None,
            config_schema: Some(json!({
                "type": "object",
                "properties": {
                    "blocks": {"type": "boolean"},
                    "days": {"type": "array", "items": {"enum": ["saturday", "sunday"]}},
                    "holidays": {"type": "array", "items": {"type": "string"}},
                    "points": {"type": "number", "minimum": 1, "description": "how much"},
                    "region": {"enum": ["emea", "apac", 3]},
                    "regions": {"type": "object"},
                },
            })),
        })
    }

    fn form(fields: &[(&str, &str)]) -> Form {
        let field =
            |(name, value): &(&str, &str)| (format!("config.fair{name}"), (*value).to_owned());
        fields.iter().map(field).collect()
    }

    #[test]
    fn a_config_reads_back_as_it_was_filled_in() {
        let config = json!({
            "blocks": false, "days": ["sunday"], "holidays": ["12-25", "01-01"], "points": 2.5,
            "region": 3, "regions": {"a": [1]}, "extra": "x",
        });
        let settings = settings();
        let mut fields = Vec::new();
        for (name, text) in settings.values(&config) {
            // As a browser sends checkboxes: one each.
            let texts = if name == "config.fair.days" {
                text.lines().collect()
            } else {
                vec![&*text]
            };
            fields.extend(
                texts
                    .into_iter()
                    .map(|text| (name.clone(), text.to_owned())),
            );
        }
        let mut invalid = Invalid::default();
        assert_eq!(
            settings.read(&fields.into_iter().collect(), &mut invalid),
            config
        );
        assert!(invalid.0.is_empty(), "{invalid}");
    }

    #[test]
    fn what_stands_empty_is_left_to_the_plugin() {
        let mut invalid = Invalid::default();
        let empty = form(&[(".points", " "), (".blocks", ""), ("", "")]);
        assert_eq!(settings().read(&empty, &mut invalid), json!({}));
        assert!(invalid.0.is_empty());
    }

    #[test]
    fn what_can_not_be_read_is_told_beside_its_field() {
        let mut invalid = Invalid::default();
        let wrong = form(&[
            (".points", "many"),
            (".region", "mars"),
            (".regions", "{"),
            ("", "[]"),
        ]);
        settings().read(&wrong, &mut invalid);
        let fields: Vec<_> = invalid.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "config.fair",
                "config.fair.points",
                "config.fair.region",
                "config.fair.regions"
            ]
        );
    }

    #[test]
    fn a_plugin_without_a_schema_takes_json() {
        let settings = Settings::new(&StrategyPlugin {
            name: "old".to_owned(),
            description: None,
            config_schema: None,
        });
        assert!(settings.fields.is_empty());
        let config = json!({"a": 1});
        assert_eq!(settings.values(&config)[0].0, "config.old");
    }
}
