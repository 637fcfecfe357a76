//! What of Slack the config sets up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::delivery::{KnownNames, links};
use crate::api::slack::Requests;
use crate::app::App;
use crate::config::Config;
use crate::secret::Secret;
use crate::slack::commands::Deps;
use crate::slack::socket::{SocketMode, Timing};
use crate::slack::{Groups, Handler, Slack, SlackOptions};

/// Slack's Web API, where there is a bot token.
pub(super) fn client(config: &Config) -> anyhow::Result<Option<Slack>> {
    let Some(bot_token) = config.slack.bot_token.clone() else {
        return Ok(None);
    };
    let slack = Slack::new(SlackOptions {
        base_url: config.slack.api_base_url.as_str().to_owned(),
        user_token: config.slack.user_token.clone(),
        app_token: config.slack.app_token.clone(),
        ..SlackOptions::new(bot_token)
    })?;
    Ok(Some(slack))
}

/// Slack's groups, in both directions.
pub(super) fn groups(config: &Config, app: &App, slack: &Slack) -> Groups {
    let interval = Duration::from_secs(u64::from(config.slack.sync_minutes) * 60);
    let has_user_token = config.slack.user_token.is_some();
    Groups::new(app.clone(), slack.clone(), interval, has_user_token)
}

/// The ways by which commands and clicks come in.
pub(super) struct FromSlack {
    slack: Slack,
    handler: Handler,
    signing_secret: Option<Secret>,
    socket_mode: bool,
}

impl FromSlack {
    pub fn new(config: &Config, app: &App, slack: Slack) -> Self {
        let deps = Deps {
            app: app.clone(),
            slack: slack.clone(),
            admins: config.slack.admins.clone().into(),
            links: links(config),
            names: Arc::new(KnownNames(app.clone())),
        };
        Self {
            slack,
            handler: deps.into_handler(),
            signing_secret: config.slack.signing_secret.clone(),
            socket_mode: config.slack.socket_mode,
        }
    }

    /// Signed requests, where there is a secret to tell them by.
    pub fn requests(&self) -> Option<Requests> {
        Requests::with(self.signing_secret.as_ref(), &self.handler)
    }

    /// Socket Mode, where it's switched on. It stops by itself when the daemon does.
    pub fn socket_mode(self, stopped: &watch::Receiver<Option<String>>) -> Option<SocketMode> {
        let start = || {
            let timing = Timing::default();
            SocketMode::start(self.slack, self.handler, timing, stopped.clone())
        };
        self.socket_mode.then(start)
    }
}
