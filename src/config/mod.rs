//! The configuration: typed, complete, and checked before anything starts.
//!
//! `config.toml` at the top of the repository is the documentation and, compiled in, the defaults.
//! Over it come the user's file, then `ONCALLD__SECTION__KEY` variables, then the command line. A
//! new key is a field in `sections` and a commented line in `config.toml`, nothing more: variables,
//! places in error messages and near misses follow from these two.

mod error;
mod hosts;
mod keys;
mod layers;
mod sections;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use error::{ConfigError, Origin};
pub use hosts::{AllowedHost, ExpectedHosts, Host, PublicUrl};
use layers::Layers;
pub use sections::{
    Auth, Log, LogFilter, LogFormat, Notifications, OnPluginError, Overrides, Plugins, Rotation,
    Server, SinkName,
};

/// All settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`: the HTTP server and the data folder.
    pub server: Server,
    /// `[auth]`: who may do what without or with a token.
    pub auth: Auth,
    /// `[rotation]`: what the rotation does for every team.
    pub rotation: Rotation,
    /// `[overrides]`: how overrides are decided.
    pub overrides: Overrides,
    /// `[notifications]`: where notifications go.
    pub notifications: Notifications,
    /// `[plugins]`: where plugins are, and what they may do.
    pub plugins: Plugins,
    /// `[log]`: what is logged and how.
    pub log: Log,
}

/// What the command line sets; it wins over everything else.
#[derive(Debug, Clone, Default)]
pub struct CliOverrides {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
}

impl Config {
    /// Reads all layers; `file` is none where there is none, `env` may hold foreign variables.
    ///
    /// # Errors
    ///
    /// The first wrong key or value, with its place, or a file that can't be read.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: CliOverrides,
    ) -> Result<Self, ConfigError> {
        let (mut config, _) = merged(file, env)?;
        config.server.listen = overrides.listen.unwrap_or(config.server.listen);
        config.server.data_dir = overrides.data_dir.unwrap_or(config.server.data_dir);
        Ok(config)
    }

    /// The same settings by section and key, as a config file would say them: to be shown.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn effective(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &CliOverrides,
    ) -> Result<toml::Table, ConfigError> {
        let (_, mut values) = merged(file, env)?;
        let listen = overrides.listen.map(|listen| listen.to_string());
        let data_dir = overrides.data_dir.as_ref();
        let data_dir = data_dir.map(|dir| dir.display().to_string());
        if let Some(toml::Value::Table(server)) = values.get_mut("server") {
            let given = [("listen", listen), ("data_dir", data_dir)];
            for (name, value) in given {
                server.extend(value.map(|value| (name.to_owned(), value.into())));
            }
        }
        Ok(values)
    }

    /// Whether reads need no token: as configured, else only while bound to loopback.
    #[must_use]
    pub fn anonymous_read(&self) -> bool {
        let bound_to_loopback = || self.server.listen.ip().to_canonical().is_loopback();
        self.auth.anonymous_read.unwrap_or_else(bound_to_loopback)
    }

    /// Which `Host` headers to accept: loopback names, the listen address, `public_url`'s host and
    /// `allowed_hosts`.
    #[must_use]
    pub fn expected_hosts(&self) -> ExpectedHosts {
        ExpectedHosts::new(&self.server)
    }
}

impl Default for Config {
    /// What the shipped `config.toml` says.
    fn default() -> Self {
        Layers::shipped().into_config_and_values().0
    }
}

/// What all layers together say: typed, and by section and key.
fn merged(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<(Config, toml::Table), ConfigError> {
    let variables: BTreeMap<_, _> = env.filter(|(name, _)| keys::is_variable(name)).collect();
    let file = file.map(|path| Ok((path, read(path)?))).transpose()?;

    let mut layers = Layers::shipped();
    if let Some((path, text)) = &file {
        layers.add_file(path, text)?;
    }
    for (name, value) in &variables {
        layers.add_variable(name, value)?;
    }
    Ok(layers.into_config_and_values())
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|cause| ConfigError::Read {
        path: path.to_owned(),
        cause,
    })
}
