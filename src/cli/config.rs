//! `oncalld config check`: whether a config file is right, and what it comes to.

use std::path::PathBuf;

use clap::Subcommand;

use super::args::Global;
use super::connection::{config_file, environment};
use super::error::CliError;
use super::output::{pretty, print};
use crate::config::{CliOverrides, Config};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check a config file and the environment, and print the result
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
    let values = Config::effective(file.as_deref(), environment(), &overrides)?;
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
    let reading = format!("Reading works {anonymous}");
    let notes = [&[&*reading], &config.remarks()[..]].concat().join(".\n# ");
    print(&format!("ok: {from}\n\n# {notes}.\n{values}"))
}
