//! Declarations as files: TOML, YAML and JSON, with the place of what is wrong in them.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::wire::declaration::Declaration;

/// How a declaration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// TOML
    Toml,
    /// YAML
    Yaml,
    /// JSON, as the API has it
    Json,
}

impl Format {
    /// The format that the ending of a file's name tells; TOML where it tells none.
    pub(super) fn of(file: &Path) -> Self {
        let ending = file.extension().and_then(|it| it.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            _ => Self::Toml,
        }
    }
}

/// Reads a declaration.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn parse(text: &str, format: Format) -> Result<Declaration, String> {
    match format {
        Format::Toml => from_toml(text),
        // A text of comments only is no mapping, and declares nothing all the same.
        Format::Yaml => serde_saphyr::from_str::<Option<_>>(text)
            .map(Option::unwrap_or_default)
            .map_err(|error| {
                let told = error.to_string();
                told.strip_prefix("error: ").unwrap_or(&told).to_owned()
            }),
        Format::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// Writes a declaration.
///
/// # Errors
/// It holds what the format has no way to write.
pub(super) fn write(declaration: &Declaration, format: Format) -> Result<String, String> {
    match format {
        Format::Toml => toml::to_string(declaration).map_err(|error| {
            format!("this can't be written as TOML, but as YAML (--format yaml): {error}")
        }),
        Format::Yaml => serde_saphyr::to_string(declaration).map_err(|error| error.to_string()),
        Format::Json => {
            serde_json::to_string_pretty(declaration).map_err(|error| error.to_string())
        }
    }
}

/// The JSON Schema (draft 2020-12) of a declaration: that of the API's description.
pub(super) fn schema() -> Value {
    let api = crate::api::openapi_json().replace("#/components/schemas/", "#/$defs/");
    let api: Value = serde_json::from_str(&api).expect("invariant: the API's description is JSON");
    let all = &api["components"]["schemas"];
    let mut needed = vec!["Declaration".to_owned()];
    let mut definitions = Map::new();
    while let Some(name) = needed.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        references(&all[&name], &mut needed);
        definitions.insert(name.clone(), all[&name].clone());
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Teams, members and services of oncalld",
        "$ref": "#/$defs/Declaration",
        "$defs": definitions,
    })
}

fn references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|it| it.strip_prefix("#/$defs/"));
            names.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

/// TOML has dates of its own, which a declaration takes as it takes those in quotes.
fn from_toml(text: &str) -> Result<Declaration, String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    let value = table_value(table.get_ref()).map_err(|(at, why)| placed(text, at, &why))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let keys = error.path().iter().map(ToString::to_string);
        let at = offset(&table, &keys.collect::<Vec<_>>());
        let path = error.path().to_string();
        let what = error.inner();
        let why = match path.as_str() {
            "." => what.to_string(),
            path => format!("{path}: {what}"),
        };
        placed(text, at, &why)
    })
}

/// Something wrong and where it begins, in bytes.
type Wrong = (usize, String);

fn table_value(table: &DeTable<'_>) -> Result<Value, Wrong> {
    let fields = table.iter().map(|(key, value)| {
        let value = toml_value(value)?;
        Ok((key.get_ref().to_string(), value))
    });
    fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn toml_value(value: &Spanned<DeValue<'_>>) -> Result<Value, Wrong> {
    let wrong = |why: &str| (value.span().start, why.to_owned());
    Ok(match value.get_ref() {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            json!(parsed.map_err(|_| wrong("a number beyond 64 bits"))?)
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse::<f64>().ok();
            let parsed = parsed.filter(|number| number.is_finite());
            json!(parsed.ok_or_else(|| wrong("expected a finite number"))?)
        }
        DeValue::Boolean(value) => json!(value),
        DeValue::Datetime(time) => json!(time.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(toml_value);
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => table_value(table)?,
    })
}

/// Where the value at a path begins; where it isn't there, the innermost table that would hold it.
fn offset(root: &Spanned<DeTable<'_>>, keys: &[String]) -> usize {
    let (mut table, mut at) = (root.get_ref(), root.span().start);
    for key in keys {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else {
            break;
        };
        at = name.span().start;
        let DeValue::Table(inner) = value.get_ref() else {
            break;
        };
        table = inner;
    }
    at
}

fn placed(text: &str, at: usize, why: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {why}")
}

#[cfg(test)]
#[path = "declared_tests.rs"]
mod tests;
