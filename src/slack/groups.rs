//! Slack's user groups: who is in them, and how often Slack may be asked.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Slack, SlackError};
use crate::app::{ActionError, App};
use crate::domain::audit::EntityType;
use crate::domain::ids::UserId;
use crate::wire::audit::ChangeEvent;

/// Becomes `Some` when the daemon stops.
pub type Stopping = watch::Receiver<Option<String>>;

/// What oncalld does with Slack's user groups: members come in, who is on call goes out.
/// Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Groups(Arc<Inner>);

struct Inner {
    app: App,
    slack: Slack,
    /// How often lists are brought up to date.
    interval: Duration,
    /// Whether groups are set with a token of their own.
    has_user_token: bool,
    paces: Paces,
}

/// Why something about a group could not be done; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// Slack did not do it.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// Slack's answers don't fit together, or name what can't be.
    #[error("{0}")]
    Doubtful(String),
    /// We did not do it.
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// The running tasks.
pub struct GroupTasks([JoinHandle<()>; 3]);

impl GroupTasks {
    /// Waits until what is under way is done, or given up.
    pub async fn stopped(self) {
        for task in self.0 {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task that keeps Slack's groups failed");
            }
        }
    }
}

/// How often the daemon calls by itself, below what Slack allows: people who wait for an
/// answer come on top.
pub(super) struct Paces {
    /// `usergroups.users.list` and `.update`; Slack allows some 20 a minute of each.
    pub(super) lists: Pace,
    /// `users.info`; Slack allows some 100 a minute.
    pub(super) profiles: Pace,
    /// `conversations.info`; Slack allows some 50 a minute.
    pub(super) channels: Pace,
}

/// So many calls a minute: at once at first, then as time goes by.
pub(super) struct Pace(DefaultDirectRateLimiter);

impl Pace {
    fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self(RateLimiter::direct(quota))
    }

    /// Waits until a call may be made.
    pub(super) async fn turn(&self) {
        while let Err(not_yet) = self.0.check() {
            let now = DefaultClock::default().now();
            tokio::time::sleep(not_yet.wait_time_from(now)).await;
        }
    }
}

impl Groups {
    /// Groups of the workspace that `slack` is a client of, brought up to date every
    /// `interval`.
    pub fn new(app: App, slack: Slack, interval: Duration, has_user_token: bool) -> Self {
        let paces = Paces {
            lists: Pace::new(15),
            profiles: Pace::new(60),
            channels: Pace::new(40),
        };
        Self(Arc::new(Inner {
            app,
            slack,
            interval,
            has_user_token,
            paces,
        }))
    }

    /// Starts what keeps members, names and groups up to date. Stops by itself when `stopping`
    /// is set.
    pub fn start(&self, stopping: &Stopping) -> GroupTasks {
        GroupTasks([
            tokio::spawn(self.clone().keep_lists(stopping.clone())),
            tokio::spawn(self.clone().keep_names(stopping.clone())),
            tokio::spawn(self.clone().keep_oncall_groups(stopping.clone())),
        ])
    }

    pub(super) fn app(&self) -> &App {
        &self.0.app
    }

    pub(super) fn slack(&self) -> &Slack {
        &self.0.slack
    }

    pub(super) fn interval(&self) -> Duration {
        self.0.interval
    }

    pub(super) fn has_user_token(&self) -> bool {
        self.0.has_user_token
    }

    pub(super) fn paces(&self) -> &Paces {
        &self.0.paces
    }

    /// Runs an action off the async threads.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        action: impl FnOnce(&App) -> Result<T, ActionError> + Send + 'static,
    ) -> Result<T, ActionError> {
        self.0.app.run(action).await
    }

    /// Everybody in a group. An empty answer counts only where Slack's list of groups says
    /// too that nobody is in it.
    pub(super) async fn users_of(&self, group: &str) -> Result<BTreeSet<UserId>, GroupError> {
        let listed = self.slack().group_users(group).await?;
        let mut users = BTreeSet::new();
        for user in &listed {
            let parsed = user.parse().map_err(|error| {
                GroupError::Doubtful(format!("Slack lists for group {group}: {error}"))
            })?;
            users.insert(parsed);
        }
        if users.is_empty() {
            self.confirm_empty(group).await?;
        }
        Ok(users)
    }

    async fn confirm_empty(&self, group: &str) -> Result<(), GroupError> {
        let groups = self.slack().list_groups(true).await?;
        let doubt = match groups.iter().find(|known| known.id == group) {
            None => "knows no such group".to_owned(),
            Some(known) if !known.is_enabled => {
                format!("has disabled @{}", known.handle)
            }
            Some(known) if known.user_count == Some(0) => return Ok(()),
            Some(known) => match known.user_count {
                Some(count) => format!("counts {count} in @{}", known.handle),
                None => format!("doesn't count who is in @{}", known.handle),
            },
        };
        Err(GroupError::Doubtful(format!(
            "Slack lists nobody for group {group}, but {doubt}"
        )))
    }
}

/// What `wait` comes to; none where the daemon stops before.
pub(super) async fn unless_stopped<T>(
    stopping: &mut Stopping,
    wait: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        _ = stopping.wait_for(Option::is_some) => None,
        value = wait => Some(value),
    }
}

/// Waits until something of this kind is made or changed.
pub(super) async fn changed(changes: &mut Receiver<ChangeEvent>, kind: EntityType) {
    loop {
        match changes.recv().await {
            Ok(change) if change.entity_type != kind => {}
            // Too many to follow: it may be among them.
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
