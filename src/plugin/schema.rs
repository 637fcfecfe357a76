//! The part of JSON Schema by which a manifest says what a team's `plugin_config` looks like.
//!
//! A whole validator would bring 31 crates (docs/ARCHITECTURE.md, Plugins). A keyword that isn't known
//! here is refused when the manifest is read: none is ever ignored.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::host::one_line;

/// Keywords that say nothing about what is valid.
const NOTES: [&str; 8] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
];

/// The types that there are.
const TYPES: [&str; 7] = [
    "object", "array", "string", "integer", "number", "boolean", "null",
];

/// How deep schemas may be nested.
const MAX_DEPTH: usize = 16;

/// A JSON Schema of these keywords: `type`, `enum`, `const`, `properties`, `required`,
/// `additionalProperties`, `minProperties`, `maxProperties`, `items`, `minItems`, `maxItems`,
/// `uniqueItems`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`,
/// `maxLength`, and notes.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// It has a keyword that isn't known, or one of a wrong form; the message says where.
    pub fn read(schema: &Value) -> Result<Self, String> {
        check(schema, "", MAX_DEPTH)?;
        Ok(Self(schema.clone()))
    }

    /// What is wrong with defaults, over which more fields will be laid: those that are required
    /// may still come.
    pub fn problems_of_defaults(&self, value: &Value) -> Vec<String> {
        let mut schema = self.0.clone();
        if let Some(keywords) = schema.as_object_mut() {
            keywords.remove("required");
        }
        Self(schema).problems(value)
    }

    /// What is wrong with a value: a sentence for each thing, naming its place.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        validate(&self.0, value, "", &mut problems);
        problems
    }

    /// The schema as JSON.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

/// Refuses a schema with a keyword that `validate` doesn't know.
fn check(schema: &Value, place: &str, depth: usize) -> Result<(), String> {
    let wrong = |problem: &str| Err(format!("{}: {problem}", named(place)));
    let Some(schema) = schema.as_object() else {
        return if schema.is_boolean() {
            Ok(())
        } else {
            wrong("a schema is an object or a boolean")
        };
    };
    if depth == 0 {
        return wrong("is nested too deep");
    }
    for (keyword, operand) in schema {
        let is_known_type = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
        let ok = match keyword.as_str() {
            "type" => match operand {
                Value::Array(names) => !names.is_empty() && names.iter().all(is_known_type),
                name => is_known_type(name),
            },
            "enum" => operand.is_array(),
            "const" => true,
            "required" => operand
                .as_array()
                .is_some_and(|names| names.iter().all(Value::is_string)),
            "properties" => {
                let Some(fields) = operand.as_object() else {
                    return wrong("`properties` has to be an object");
                };
                for (name, field) in fields {
                    check(field, &format!("{place}/{name}"), depth - 1)?;
                }
                true
            }
            "additionalProperties" | "items" => {
                check(operand, &format!("{place}/{keyword}"), depth - 1)?;
                true
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => operand.is_number(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" => operand.is_u64(),
            "uniqueItems" => operand.is_boolean(),
            note if NOTES.contains(&note) => true,
            _ => return wrong(&format!("the keyword `{keyword}` is not known to oncalld")),
        };
        if !ok {
            return wrong(&format!("`{keyword}` can't be {operand}"));
        }
    }
    Ok(())
}

fn validate(schema: &Value, value: &Value, place: &str, problems: &mut Vec<String>) {
    let Some(schema) = schema.as_object() else {
        if *schema == Value::Bool(false) {
            problems.push(format!("{} is not expected", named(place)));
        }
        return;
    };
    let before = problems.len();
    let mut check = |ok: bool, expected: &dyn Fn() -> String| {
        if !ok {
            let found = one_line(&value.to_string(), 60);
            problems.push(format!(
                "{} is {found}, expected {}",
                named(place),
                expected()
            ));
        }
    };
    for (keyword, operand) in schema {
        match keyword.as_str() {
            "type" => check(has_type(operand, value), &|| type_names(operand)),
            "enum" => {
                let allowed = operand.as_array().map(Vec::as_slice).unwrap_or_default();
                check(allowed.iter().any(|one| same(one, value)), &|| {
                    format!("one of {operand}")
                });
            }
            "const" => check(same(operand, value), &|| operand.to_string()),
            _ => {
                if let Some((measured, is_least)) = measure(keyword, value) {
                    let bound = operand.as_f64().unwrap_or_default();
                    let ok = match (keyword.starts_with("exclusive"), is_least) {
                        (true, true) => measured > bound,
                        (true, false) => measured < bound,
                        (false, true) => measured >= bound,
                        (false, false) => measured <= bound,
                    };
                    check(ok, &|| format!("{keyword} {operand}"));
                }
            }
        }
    }
    if problems.len() > before {
        return;
    }
    match value {
        Value::Object(fields) => validate_fields(schema, fields, place, problems),
        Value::Array(items) => validate_items(schema, items, place, problems),
        _ => {}
    }
}

fn validate_fields(
    schema: &Map<String, Value>,
    fields: &Map<String, Value>,
    place: &str,
    problems: &mut Vec<String>,
) {
    let known = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            problems.push(format!("{} is missing", named(&format!("{place}/{name}"))));
        }
    }
    for (name, value) in fields {
        let field = known.and_then(|known| known.get(name));
        if let Some(schema) = field.or_else(|| schema.get("additionalProperties")) {
            validate(schema, value, &format!("{place}/{name}"), problems);
        }
    }
}

fn validate_items(
    schema: &Map<String, Value>,
    items: &[Value],
    place: &str,
    problems: &mut Vec<String>,
) {
    if let Some(schema) = schema.get("items") {
        for (at, item) in items.iter().enumerate() {
            validate(schema, item, &format!("{place}/{at}"), problems);
        }
    }
    let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
    let mut seen = HashSet::new();
    let repeated = items
        .iter()
        .map(Value::to_string)
        .find(|item| !seen.insert(item.clone()));
    if let (true, Some(item)) = (unique, repeated) {
        let item = one_line(&item, 60);
        problems.push(format!("{} holds {item} more than once", named(place)));
    }
}

/// What a keyword that sets a bound measures in a value of the kind that it is for, and whether
/// the bound is the least.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
fn measure(keyword: &str, value: &Value) -> Option<(f64, bool)> {
    let length = |length: usize| Some(length as f64);
    let measured = match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.as_f64(),
        "minLength" | "maxLength" => value.as_str().and_then(|text| length(text.chars().count())),
        "minItems" | "maxItems" => value.as_array().and_then(|items| length(items.len())),
        "minProperties" | "maxProperties" => {
            value.as_object().and_then(|fields| length(fields.len()))
        }
        _ => None,
    };
    let is_least = keyword.starts_with("min") || keyword == "exclusiveMinimum";
    measured.map(|measured| (measured, is_least))
}

fn has_type(names: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    match names {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

fn type_names(names: &Value) -> String {
    let text = |name: &Value| name.as_str().unwrap_or_default().to_owned();
    match names {
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        name => text(name),
    }
}

/// Whether two values are the same to JSON Schema, to which 1 is 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

/// The name of a place, for messages.
fn named(place: &str) -> String {
    match place.strip_prefix('/') {
        None => "it".to_owned(),
        Some(path) => format!("`{}`", path.replace('/', ".")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_config_is_held_against_its_schema() {
        let schema = Schema::read(&json!({
            "type": "object",
            "required": ["weight"],
            "additionalProperties": false,
            "properties": {
                "weight": {"type": "number", "exclusiveMinimum": 0, "maximum": 10},
                "zones": {"type": "array", "items": {"enum": ["emea", "apac"]}, "uniqueItems": true},
                "days": {"type": "integer", "title": "Days"},
                "name": {"type": ["string", "null"], "minLength": 2},
            },
        }))
        .unwrap();
        let problems = |value: Value| schema.problems(&value).join("; ");
        assert_eq!(
            problems(json!({"weight": 2.5, "zones": ["emea"], "days": 3.0})),
            ""
        );
        assert_eq!(problems(json!({"weight": 1, "name": null})), "");
        assert_eq!(problems(json!([])), "it is [], expected object");
        assert_eq!(problems(json!({})), "`weight` is missing");
        assert!(schema.problems_of_defaults(&json!({})).is_empty());
        assert!(
            !schema
                .problems_of_defaults(&json!({"weight": 0}))
                .is_empty()
        );
        assert_eq!(
            problems(json!({"weight": 0})),
            "`weight` is 0, expected exclusiveMinimum 0"
        );
        assert_eq!(
            problems(json!({"weight": 1, "extra": 1})),
            "`extra` is not expected"
        );
        assert_eq!(
            problems(json!({"weight": 1, "days": 1.5})),
            "`days` is 1.5, expected integer"
        );
        assert_eq!(
            problems(json!({"weight": 1, "zones": ["emea", "mars", "emea"]})),
            "`zones.1` is \"mars\", expected one of [\"emea\",\"apac\"]; \
             `zones` holds \"emea\" more than once"
        );
        assert_eq!(
            problems(json!({"weight": 1, "name": "ä"})),
            "`name` is \"ä\", expected minLength 2"
        );
    }

    #[test]
    fn a_schema_that_is_not_understood_is_refused() {
        let read = |schema: Value| Schema::read(&schema).unwrap_err();
        let unknown = json!({"properties": {"a": {"pattern": "x"}}});
        assert_eq!(
            read(unknown),
            "`a`: the keyword `pattern` is not known to oncalld"
        );
        assert_eq!(
            read(json!({"type": "text"})),
            "it: `type` can't be \"text\""
        );
        assert_eq!(read(json!(3)), "it: a schema is an object or a boolean");
        let mut deep = json!({});
        for _ in 0..20 {
            deep = json!({"items": deep});
        }
        assert!(read(deep).ends_with("nested too deep"));
    }
}
