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
mod secret;
mod sections;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use error::Problem;
pub use error::{ConfigError, Origin};
pub use hosts::{AllowedHost, BaseUrl, ExpectedHosts, Host, is_loopback_name};
use layers::Layers;
pub use sections::{
    Audit, Auth, Backup, ForwardedHeader, Log, LogFilter, LogFormat, Notifications, OnPluginError,
    Overrides, Plugins, Rotation, Schedule, Server, SinkName, Slack, Webhook, webhook::SigningKey,
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
    /// `[slack]`: how Slack is reached.
    pub slack: Slack,
    /// `[plugins]`: where plugins are, and what they may do.
    pub plugins: Plugins,
    /// `[[webhook]]`, as they are written.
    #[serde(default, rename = "webhook")]
    written_webhooks: Vec<sections::webhook::Entry>,
    /// `[[webhook]]`: endpoints that notifications are posted to, in the order of the file.
    #[serde(skip)]
    pub webhooks: Vec<Webhook>,
    /// `[audit]`: the audit log's checkpoints.
    pub audit: Audit,
    /// `[backup]`: backups by the clock.
    pub backup: Backup,
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
        let (config, _) = merged(file, env, |config| {
            config.check()?;
            config.read_files()
        })?;
        Ok(config.overridden(overrides))
    }

    /// The same without the secrets that are in files, for those who may not read them and only
    /// want to know where the daemon is.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn load_without_secret_files(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: CliOverrides,
    ) -> Result<Self, ConfigError> {
        let (config, _) = merged(file, env, Self::check)?;
        Ok(config.overridden(overrides))
    }

    /// The same settings by section and key, as a config file would say them: to be shown. In the
    /// place of secrets it says that there are some.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn effective(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        overrides: &CliOverrides,
    ) -> Result<toml::Table, ConfigError> {
        let (_, mut values) = merged(file, env, Self::check)?;
        let listen = overrides.listen.map(|listen| listen.to_string());
        let data_dir = overrides.data_dir.as_ref();
        let data_dir = data_dir.map(|dir| dir.display().to_string());
        if let Some(toml::Value::Table(server)) = values.get_mut("server") {
            let given = [("listen", listen), ("data_dir", data_dir)];
            for (name, value) in given {
                server.extend(value.map(|value| (name.to_owned(), value.into())));
            }
        }
        secret::hide(&mut values);
        Ok(values)
    }

    /// What is not wrong, but hardly meant, or not finished: a sentence each.
    #[must_use]
    pub fn remarks(&self) -> Vec<&'static str> {
        let sinks = &self.notifications.sinks;
        let remarks = [
            (
                sinks.contains(&SinkName::Slack) && self.slack.bot_token.is_none(),
                "slack.bot_token is not set: messages for Slack wait until it is, or until they \
                 are out of date; docs/SLACK.md explains the setup",
            ),
            (
                self.slack.signing_secret.is_some() && self.slack.bot_token.is_none(),
                "slack.signing_secret is set but slack.bot_token is not: commands and buttons \
                 are refused",
            ),
            (
                !sinks.contains(&SinkName::Webhook) && !self.webhooks.is_empty(),
                "notifications.sinks does not name \"webhook\": nothing is sent to any [[webhook]]",
            ),
        ];
        let due = remarks.into_iter().filter(|(due, _)| *due);
        due.map(|(_, remark)| remark).collect()
    }

    /// The files that hold secrets, by the keys that name them.
    #[must_use]
    pub fn secret_files(&self) -> Vec<&Path> {
        let of_webhooks = sections::webhook::secret_files(&self.written_webhooks);
        let key = self.server.tls_key_file.as_deref();
        let of_slack = self.slack.secret_files();
        key.into_iter().chain(of_slack).chain(of_webhooks).collect()
    }

    /// Whether reads need no token: as configured, else only while bound to loopback.
    #[must_use]
    pub fn anonymous_read(&self) -> bool {
        let bound_to_loopback = || self.server.listen.ip().to_canonical().is_loopback();
        self.auth.anonymous_read.unwrap_or_else(bound_to_loopback)
    }

    /// Whether people reach the daemon by https, its own or that of what stands in front of it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        match &self.server.public_url {
            Some(url) => url.as_str().starts_with("https://"),
            None => self.server.tls_files().is_some(),
        }
    }

    /// Which `Host` headers to accept: loopback names, the listen address, `public_url`'s host and
    /// `allowed_hosts`.
    #[must_use]
    pub fn expected_hosts(&self) -> ExpectedHosts {
        ExpectedHosts::new(&self.server)
    }

    /// The rules that concern more than one key.
    fn check(&mut self) -> Result<(), Problem> {
        self.slack.check()?;
        self.webhooks = sections::webhook::check(&self.written_webhooks)?;
        if self.webhooks.is_empty() && self.notifications.sinks.contains(&SinkName::Webhook) {
            let message = "names \"webhook\", but there is no [[webhook]]";
            return Err(Problem::new("notifications.sinks", message));
        }
        Ok(())
    }

    /// Reads the secrets that are in files.
    fn read_files(&mut self) -> Result<(), Problem> {
        self.server.check_files()?;
        self.slack.read_files()?;
        sections::webhook::read_files(&self.written_webhooks, &mut self.webhooks)
    }

    fn overridden(mut self, overrides: CliOverrides) -> Self {
        self.server.listen = overrides.listen.unwrap_or(self.server.listen);
        self.server.data_dir = overrides.data_dir.unwrap_or(self.server.data_dir);
        self
    }
}

impl Default for Config {
    /// What the shipped `config.toml` says.
    fn default() -> Self {
        let shipped = Layers::shipped().finish(Self::check);
        shipped
            .expect("invariant: the shipped config.toml is valid")
            .0
    }
}

/// What all layers together say: typed, and by section and key.
fn merged(
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    check: impl FnOnce(&mut Config) -> Result<(), Problem>,
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
    layers.finish(check)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|cause| ConfigError::Read {
        path: path.to_owned(),
        cause,
    })
}
