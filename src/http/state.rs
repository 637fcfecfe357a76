//! What every handler works with.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::watch;

use super::connections::Peer;
use super::flights::Flights;
use super::heartbeat::Heartbeat;
use super::heavy::Heavy;
use super::problem::Problem;
use super::proxies::Proxies;
use super::quota::{Left, Requests, network};
use super::streams::Streams;
use crate::actions::oncall::lookup::{self, Answer, Question};
use crate::app::{Actor, App, Result};
use crate::config::{Config, ExpectedHosts};
use crate::delivery::Counters;
use crate::low_priority;
use crate::metrics::Metrics;
use crate::slack::Groups;
use crate::wire::oncall::OnCallQuery;

/// Who may reach the API.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whether reading takes no token.
    pub anonymous_read: bool,
    /// The `Host`s that are expected.
    pub hosts: ExpectedHosts,
    /// Failed attempts a minute that a peer has.
    pub failed_attempts_per_minute: NonZeroU32,
    /// Requests a minute that a token or an address has, where they are limited.
    pub requests_per_minute: Option<NonZeroU32>,
    /// The proxies that are believed whom they speak for.
    pub proxies: Proxies,
    /// The largest body, in bytes.
    pub max_body_bytes: usize,
    /// Whether people come by https, so that cookies are for that alone.
    pub is_https: bool,
}

impl From<&Config> for Access {
    fn from(config: &Config) -> Self {
        Self {
            anonymous_read: config.anonymous_read(),
            hosts: config.expected_hosts(),
            failed_attempts_per_minute: config.auth.failed_attempts_per_minute,
            requests_per_minute: config.auth.requests_per_minute,
            proxies: Proxies {
                trusted: config.server.trusted_proxies.clone(),
                header: config.server.forwarded_header,
            },
            max_body_bytes: config.server.max_body_kb * 1024,
            is_https: config.is_https(),
        }
    }
}

/// The API's state. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    app: App,
    access: Access,
    metrics: Metrics,
    failed_attempts: DefaultKeyedRateLimiter<IpAddr>,
    requests: Option<Requests>,
    whole_store: Arc<tokio::sync::Mutex<()>>,
    heartbeat: Heartbeat,
    heavy: Heavy,
    streams: Streams,
    lookups: Flights<Arc<Answer>>,
    /// Slack's groups, where Slack is configured.
    slack: Option<Groups>,
    /// Why the daemon stops, once it does.
    stopping: watch::Receiver<Option<String>>,
}

impl Api {
    /// The API of an application. `stopping` is set when the daemon stops. Without `slack`, what
    /// needs Slack is refused.
    pub fn new(
        app: App,
        access: Access,
        notifications: &Counters,
        slack: Option<Groups>,
        stopping: watch::Receiver<Option<String>>,
    ) -> Self {
        let quota = Quota::per_minute(access.failed_attempts_per_minute);
        let failed_attempts = RateLimiter::keyed(quota);
        let requests = access.requests_per_minute.map(Requests::new);
        let metrics = Metrics::new(notifications);
        Self(Arc::new(Inner {
            app,
            access,
            metrics,
            failed_attempts,
            requests,
            whole_store: Arc::default(),
            heartbeat: Heartbeat::default(),
            heavy: Heavy::default(),
            streams: Streams::default(),
            lookups: Flights::default(),
            slack,
            stopping,
        }))
    }

    /// The application.
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// Who may reach the API.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The scheduler's heartbeat.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.0.heartbeat
    }

    /// Slack's groups.
    ///
    /// # Errors
    /// Slack is not configured.
    pub fn slack(&self) -> std::result::Result<&Groups, Problem> {
        self.0.slack.as_ref().ok_or_else(|| {
            let detail = "Slack is not configured: set slack.bot_token, then restart oncalld";
            Problem::new(StatusCode::CONFLICT, detail)
        })
    }

    /// Counts a failed attempt of a peer. False once it has none left this minute.
    pub fn may_fail_again(&self, peer: IpAddr) -> bool {
        self.0.failed_attempts.retain_recent();
        self.0.failed_attempts.check_key(&network(peer)).is_ok()
    }

    /// Counts a request, where requests are limited: what is left.
    ///
    /// # Errors
    /// There are none left.
    pub fn count(
        &self,
        actor: &Actor,
        peer: Option<&Peer>,
    ) -> std::result::Result<Option<Left>, Problem> {
        match &self.0.requests {
            Some(requests) => requests.count(actor, peer),
            None => Ok(None),
        }
    }

    /// The open event streams.
    pub fn streams(&self) -> &Streams {
        &self.0.streams
    }

    /// Waits for the turn to read the whole store: one at a time does.
    pub async fn whole_store(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.0.whole_store).lock_owned().await
    }

    /// Runs what reads the whole store, with less priority than all else: one at a time.
    ///
    /// # Errors
    /// The action's, as a problem.
    pub async fn run_through<T: Send + 'static>(
        &self,
        action: impl FnOnce(&App) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let turn = self.whole_store().await;
        self.run(move |app| {
            // It goes on where its client goes away.
            let _turn = turn;
            low_priority::run(|| action(app))
        })
        .await
    }

    /// Becomes `Some` when the daemon stops.
    pub fn stopping(&self) -> watch::Receiver<Option<String>> {
        self.0.stopping.clone()
    }

    /// Runs an action off the async threads.
    ///
    /// # Errors
    /// The action's, as a problem.
    pub async fn run<T: Send + 'static>(
        &self,
        action: impl FnOnce(&App) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        self.0.app.run(action).await.map_err(Problem::from)
    }

    /// Runs a heavy read once there is a place for it, with less priority than all else.
    ///
    /// # Errors
    /// The action's, as a problem; 503 where too many wait already.
    pub async fn run_heavy<T: Send + 'static>(
        &self,
        action: impl FnOnce(&App) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, Problem> {
        let place = self.0.heavy.take().await?;
        self.run(move |app| {
            let _place = place;
            low_priority::run(|| action(app))
        })
        .await
    }

    /// Who is on call now, as a query asks and as `question` is its one spelling: from memory, or
    /// else from the store, once for all who ask the same at the same time.
    ///
    /// # Errors
    /// As [`lookup::answer`].
    pub async fn look_up(
        &self,
        question: &Question<'_>,
        query: OnCallQuery,
    ) -> std::result::Result<Arc<Answer>, Problem> {
        let app = self.app();
        if let Some(ready) = lookup::ready(app, question, app.now()) {
            return Ok(ready);
        }
        let find = || {
            let query = query.clone();
            self.run(move |app| lookup::answer(app, &query))
        };
        let changes = lookup::changes(app);
        let joined = self
            .0
            .lookups
            .join(question.as_str(), changes, find)
            .await?;
        if joined.holds_at(app.now()) {
            return Ok(joined);
        }
        // A handoff has come while it was waited for.
        find().await
    }
}
