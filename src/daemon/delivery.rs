//! Notifications by the config: which way they go, through what, and how hard it's tried.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::actions::people::names;
use crate::app::{App, Route};
use crate::clock::SystemClock;
use crate::config::{BaseUrl, Config, SinkName};
use crate::delivery::Policy;
use crate::delivery::sink::Sink;
use crate::domain::ids::UserId;
use crate::plugin::{PluginSink, Registry};
use crate::sinks::slack::SlackSink;
use crate::sinks::webhook::{Webhook, Wording};
use crate::slack::Slack;
use crate::wording::{self, Links, Names};

/// What people are called, by what the store knows.
pub(super) struct KnownNames(pub App);

impl Names for KnownNames {
    fn name(&self, user: &UserId) -> Option<String> {
        // A text can do without a name, and whatever is wrong with the store shows elsewhere.
        names::name(&self.0, user).ok().flatten()
    }
}

/// Where the web pages are.
pub(super) fn links(config: &Config) -> Links {
    Links::new(config.server.public_url.as_ref().map(BaseUrl::as_str))
}

/// The ways that notifications go.
pub(super) fn routes(config: &Config) -> Vec<Route> {
    let mut routes = Vec::new();
    for sink in &config.notifications.sinks {
        match sink {
            SinkName::Slack | SinkName::Plugin(_) => routes.push(Route::all_to(sink.to_string())),
            SinkName::Webhook => routes.extend(config.webhooks.iter().map(|webhook| Route {
                sink: webhook.sink_name(),
                events: Some(webhook.events.clone()),
            })),
        }
    }
    routes
}

/// How hard delivery is tried.
pub(super) fn policy(config: &Config) -> Policy {
    let notifications = &config.notifications;
    let backoff = notifications.backoff_seconds.iter();
    Policy {
        max_attempts: notifications.max_attempts,
        backoff: backoff.copied().map(Duration::from_secs).collect(),
        keep_days: notifications.keep_days,
    }
}

/// The sinks that are set up, those too that `notifications.sinks` no longer names: what was
/// queued for them still goes out.
///
/// # Errors
/// This host has no certificates to check those of an endpoint by.
pub(super) fn sinks(
    config: &Config,
    app: &App,
    slack: Option<&Slack>,
    plugins: &Arc<Registry>,
) -> anyhow::Result<Vec<Arc<dyn Sink>>> {
    let names = Arc::new(KnownNames(app.clone()));
    let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
    if let Some(slack) = slack {
        sinks.push(Arc::new(SlackSink::new(
            slack.clone(),
            names.clone(),
            links(config),
            config.slack.max_per_second,
        )));
    }
    let links = links(config);
    for sink in &config.notifications.sinks {
        if let SinkName::Plugin(plugin) = sink {
            let (plugins, names, links) = (plugins.clone(), names.clone(), links.clone());
            sinks.push(Arc::new(PluginSink::new(plugin, plugins, names, links)));
        }
    }
    let wording: Wording =
        Arc::new(move |row| wording::render(slice::from_ref(row), &*names, &links).plain);
    for webhook in &config.webhooks {
        let sink = Webhook::new(webhook.clone(), Arc::new(SystemClock), wording.clone());
        sinks.push(Arc::new(sink.with_context(|| webhook.sink_name())?));
    }
    Ok(sinks)
}
