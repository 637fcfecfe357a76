//! Arguments that several commands share, and how they become queries and bodies.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::CliError;
use crate::domain::ids::{USER_ID_FORM, UserId};
use crate::secret::Secret;

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Address of the daemon [default: the listen address in the config file]
    #[arg(long, global = true, env = "ONCALLD_URL", hide_env_values = true)]
    pub(super) url: Option<String>,

    /// Access token; better in the environment than on the command line, which others on the
    /// host can see [default: none by the data folder's socket, else its admin.token]
    #[arg(long, global = true, env = "ONCALLD_TOKEN", hide_env_values = true)]
    pub(super) token: Option<Secret>,

    /// Config file [default: config.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Folder of the data file and the admin token [default: as in the config file, else `data`]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,

    /// Print the API's JSON instead of a table
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Paging")]
pub(super) struct PageArgs {
    /// Page, from 1 [default: all pages in a table; the first as JSON]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) page: Option<u64>,

    /// Items on a page, at most 200
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=200))]
    pub(super) page_size: Option<u64>,
}

/// Whether deleted entities are listed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct ActiveArgs {
    /// Only the deleted ones
    #[arg(long, conflicts_with = "all")]
    pub(super) deleted: bool,

    /// The deleted ones too
    #[arg(long)]
    pub(super) all: bool,
}

impl ActiveArgs {
    /// The value of `is_active`; none for the API's default.
    pub(super) fn filter(self) -> Option<&'static str> {
        match (self.deleted, self.all) {
            (true, _) => Some("false"),
            (_, true) => Some("all"),
            _ => None,
        }
    }
}

/// The names of a text enum, as values that clap checks and completes.
macro_rules! names_of {
    ($type:ty) => {
        clap::builder::PossibleValuesParser::new(<$type>::ALL.iter().map(|value| value.as_str()))
    };
}
pub(super) use names_of;

/// A person as somebody names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Person {
    /// By their Slack user id.
    Id(String),
    /// By what they are called, in full or in part.
    Name(String),
}

/// Reads a person: a Slack user id, also as Slack writes a mention (`@U123`, `<@U123|sam>`), or a
/// name.
///
/// # Errors
/// It's neither.
pub(super) fn parse_person(text: &str) -> Result<Person, String> {
    let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
    let mention = inner.unwrap_or(text).trim().trim_start_matches('@');
    let id = mention.split_once('|').map_or(mention, |(id, _)| id);
    if let Ok(id) = UserId::from_str(id) {
        return Ok(Person::Id(id.to_string()));
    }
    if mention.chars().any(char::is_alphanumeric) {
        return Ok(Person::Name(mention.to_owned()));
    }
    Err(format!("expected a name, or {USER_ID_FORM}"))
}

/// Reads a JSON object.
///
/// # Errors
/// What was expected.
pub(super) fn parse_object(text: &str) -> Result<Value, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("not valid JSON: {error}"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("expected a JSON object, such as {\"runbook\": \"https://…\"}".to_owned())
    }
}

/// The query of a request; what isn't given is left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(pub Vec<(&'static str, String)>);

impl Query {
    /// Adds a parameter, if it is given.
    #[must_use]
    pub(super) fn set(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

/// The fields of a body; what isn't given is left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Body(Map<String, Value>);

impl Body {
    /// Adds a field, if it is given.
    #[must_use]
    pub(super) fn set(mut self, name: &str, value: Option<impl Serialize>) -> Self {
        let value = value.and_then(|value| serde_json::to_value(value).ok());
        self.0.extend(value.map(|value| (name.to_owned(), value)));
        self
    }

    /// Adds a list, if it isn't empty.
    #[must_use]
    pub(super) fn list(self, name: &str, values: &[String]) -> Self {
        self.set(name, (!values.is_empty()).then_some(values))
    }

    /// Adds what the API takes for "set to nothing".
    ///
    /// # Errors
    /// One of the fields is set as well.
    pub(super) fn clear<'a>(
        mut self,
        cleared: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<Self, CliError> {
        for (name, nothing) in cleared {
            if self.0.insert(name.to_owned(), nothing).is_some() {
                let name = name.replace('_', "-");
                return Err(CliError::usage(format!("{name} is both set and cleared")));
            }
        }
        Ok(self)
    }

    /// The body.
    pub(super) fn json(self) -> Value {
        Value::Object(self.0)
    }

    /// The body of a change, which must change something; `version` only guards it.
    ///
    /// # Errors
    /// No field is given.
    pub(super) fn change(self, version: Option<u64>) -> Result<Value, CliError> {
        if self.0.is_empty() {
            return Err(CliError::usage(
                "nothing to change: give at least one option (--help lists them)",
            ));
        }
        Ok(self.set("version", version).json())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::error::Kind;
    use super::*;

    #[test]
    fn people_are_named_by_id_as_slack_names_them_or_by_name() {
        for text in ["U123", "@U123", "<@U123>", "<@U123|sam>"] {
            assert_eq!(parse_person(text).unwrap(), Person::Id("U123".to_owned()));
        }
        for (text, name) in [
            ("Sam Okoye", "Sam Okoye"),
            ("@sam ", "sam"),
            ("u123", "u123"),
        ] {
            assert_eq!(parse_person(text).unwrap(), Person::Name(name.to_owned()));
        }
        for bad in ["", "@", " ", "-", "<>"] {
            assert!(parse_person(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn absent_fields_are_left_out_and_cleared_ones_are_null() {
        let body = Body::default()
            .set("name", Some("x"))
            .set("weight", None::<f64>)
            .list("order", &[])
            .clear([("description", Value::Null)])
            .unwrap();
        let change = body.change(Some(3)).unwrap();
        assert_eq!(
            change,
            json!({"name": "x", "description": null, "version": 3})
        );
    }

    #[test]
    fn a_change_of_nothing_and_a_contradiction_are_usage_errors() {
        let nothing = Body::default().change(Some(3)).unwrap_err();
        assert_eq!(nothing.kind, Kind::Usage);
        let both = Body::default().set("slack_group_id", Some("S1"));
        let both = both.clear([("slack_group_id", Value::Null)]).unwrap_err();
        assert_eq!(both.message, "slack-group-id is both set and cleared");
    }

    #[test]
    fn free_form_json_is_an_object() {
        assert_eq!(parse_object("{\"a\": 1}").unwrap(), json!({"a": 1}));
        assert!(parse_object("[]").is_err() && parse_object("{").is_err());
    }
}
