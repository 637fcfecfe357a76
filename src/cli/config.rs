//! `oncalld config check`: whether a config file is right, and what it comes to.

use std::path::PathBuf;

use clap::Subcommand;

use super::args::Global;
use super::connection::{config_file, environment};
use super::error::CliError;
use super::output::{pretty, print};
use crate::config::{CliOverrides, Config};

/// Ends of the names of keys whose values nobody should see over a shoulder.
const SECRET: [&str; 4] = ["token", "secret", "secrets", "password"];

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check a config file and the environment, and print what holds
    Check {
        /// The config file [default: --config, else config.toml if there is one]
        file: Option<PathBuf>,
    },
}

/// Does it.
///
/// # Errors
/// A key or value is wrong.
pub(super) fn run(command: &ConfigCommand, global: &Global) -> Result<(), CliError> {
    let ConfigCommand::Check { file } = command;
    let named = file.as_deref().or(global.config.as_deref());
    let file = config_file(named);
    let overrides = CliOverrides {
        listen: None,
        data_dir: global.data_dir.clone(),
    };
    let config = Config::load(file.as_deref(), environment(), overrides.clone())?;
    let mut values = Config::effective(file.as_deref(), environment(), &overrides)?;
    hide_secrets(&mut values);
    if global.json {
        let json = serde_json::to_string(&values);
        return print(&pretty(
            &json.map_err(|error| CliError::failed(error.to_string()))?,
        ));
    }
    let from = file.map_or_else(
        || "no config file, the defaults".to_owned(),
        |file| file.display().to_string(),
    );
    let anonymous = if config.anonymous_read() {
        "without a token"
    } else {
        "with a token only"
    };
    let values = toml::to_string(&values).map_err(|error| CliError::failed(error.to_string()))?;
    print(&format!(
        "ok: {from}\n\n# Reading works {anonymous}.\n{values}"
    ))
}

fn hide_secrets(table: &mut toml::Table) {
    for (name, value) in table.iter_mut() {
        match value {
            toml::Value::Table(section) => hide_secrets(section),
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                let sections = items.iter_mut().filter_map(toml::Value::as_table_mut);
                sections.for_each(hide_secrets);
            }
            value if SECRET.iter().any(|end| name.ends_with(end)) => {
                *value = toml::Value::String("(set, not shown)".to_owned());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let text = "[slack]\nbot_token = \"xoxb\"\nsigning_secret = \"x\"\nsync_minutes = 5\n\
                    bot_token_file = \"/run/t\"\n[[webhook]]\nname = \"w\"\nsecrets = [\"whsec\"]\n";
        let mut table: toml::Table = text.parse().unwrap();
        hide_secrets(&mut table);
        let shown = toml::to_string(&table).unwrap();
        assert!(
            !shown.contains("xoxb") && !shown.contains("whsec"),
            "{shown}"
        );
        assert!(
            shown.contains("sync_minutes = 5") && shown.contains("/run/t"),
            "{shown}"
        );
    }
}
