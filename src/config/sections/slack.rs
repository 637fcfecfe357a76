//! `[slack]`: the app's tokens, and how it is talked to.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::Problem;
use crate::config::hosts::BaseUrl;
use crate::config::secret::{SecretText, one_of, optional_secret, read_file};
use crate::config::value::{Text, bounded, list, optional_text, text};
use crate::domain::ids::{USER_ID_FORM, UserId};
use crate::secret::Secret;

/// `[slack]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The bot token, by which everything is done that isn't said below.
    #[serde(default, deserialize_with = "optional_secret")]
    pub bot_token: Option<Secret>,
    #[serde(default, deserialize_with = "optional_text")]
    bot_token_file: Option<PathBuf>,
    /// A user token, for the methods that Slack refuses to bots.
    #[serde(default, deserialize_with = "optional_secret")]
    pub user_token: Option<Secret>,
    #[serde(default, deserialize_with = "optional_text")]
    user_token_file: Option<PathBuf>,
    /// The app-level token that opens Socket Mode.
    #[serde(default, deserialize_with = "optional_secret")]
    pub app_token: Option<Secret>,
    #[serde(default, deserialize_with = "optional_text")]
    app_token_file: Option<PathBuf>,
    /// By which requests prove that they come from Slack.
    #[serde(default, deserialize_with = "optional_secret")]
    pub signing_secret: Option<Secret>,
    #[serde(default, deserialize_with = "optional_text")]
    signing_secret_file: Option<PathBuf>,
    /// Where the Web API is: https, or http on this host.
    #[serde(deserialize_with = "text")]
    pub api_base_url: BaseUrl,
    /// Whether commands and buttons come through a connection that the daemon opens.
    pub socket_mode: bool,
    /// Who may do through Slack what an admin may; nobody stands here twice.
    #[serde(deserialize_with = "list")]
    pub admins: Vec<UserId>,
    /// Minutes between two comparisons of the teams' members with their Slack groups.
    #[serde(deserialize_with = "bounded::<1, 1_440, _, _>")]
    pub sync_minutes: u32,
    /// Messages a second.
    #[serde(deserialize_with = "bounded::<1, 1_000, _, _>")]
    pub max_per_second: NonZeroU32,
}

impl Slack {
    /// The rules that concern more than one key.
    pub(in crate::config) fn check(&self) -> Result<(), Problem> {
        let mut shown = self.clone();
        for (name, secret, file) in shown.secrets() {
            one_of(&path(name), secret.is_some(), file.is_some())?;
        }
        let app_token = self.app_token.is_some() || self.app_token_file.is_some();
        if self.socket_mode && !app_token {
            let message = "is true, but `slack.app_token` is not set: Socket Mode is opened with \
                           an app-level token";
            return Err(Problem::new("slack.socket_mode", message));
        }
        let bot_token = self.bot_token.is_some() || self.bot_token_file.is_some();
        if self.socket_mode && !bot_token {
            let message = "is true, but `slack.bot_token` is not set: commands are answered with \
                           it";
            return Err(Problem::new("slack.socket_mode", message));
        }
        if !self.api_base_url.is_encrypted_or_local() {
            let message = "is plain http to another host, expected https";
            return Err(Problem::new("slack.api_base_url", message));
        }
        Ok(())
    }

    /// Reads the secrets that are in files.
    pub(in crate::config) fn read_files(&mut self) -> Result<(), Problem> {
        for (name, secret, file) in self.secrets() {
            let Some(file) = file else { continue };
            let key = format!("{}_file", path(name));
            let content = read_file(&key, file)?;
            let found = Secret::from_text(content.trim()).ok_or_else(|| {
                let expected = Secret::EXPECTED;
                Problem::new(&key, format!("{}: expected {expected}", file.display()))
            })?;
            *secret = Some(found);
        }
        Ok(())
    }

    /// The files that hold secrets.
    pub(in crate::config) fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let files = [
            &self.bot_token_file,
            &self.user_token_file,
            &self.app_token_file,
            &self.signing_secret_file,
        ];
        files.into_iter().flatten().map(PathBuf::as_path)
    }

    fn secrets(&mut self) -> [(&'static str, &mut Option<Secret>, Option<&PathBuf>); 4] {
        [
            (
                "bot_token",
                &mut self.bot_token,
                self.bot_token_file.as_ref(),
            ),
            (
                "user_token",
                &mut self.user_token,
                self.user_token_file.as_ref(),
            ),
            (
                "app_token",
                &mut self.app_token,
                self.app_token_file.as_ref(),
            ),
            (
                "signing_secret",
                &mut self.signing_secret,
                self.signing_secret_file.as_ref(),
            ),
        ]
    }
}

fn path(name: &str) -> String {
    format!("slack.{name}")
}

impl Text for UserId {
    const EXPECTED: &'static str = USER_ID_FORM;

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
