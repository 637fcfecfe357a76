//! Brings members and names up to date with Slack: by itself as time goes by, and on demand.
//!
//! A list comes in whole or not at all: whatever goes wrong, the last good one stays.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::groups::{GroupError, Groups, Stopping, changed, unless_stopped};
use super::{Profile, SlackError};
use crate::actions::members::profiles;
use crate::actions::members::slack_group::{self, Listed, Source};
use crate::app::Ctx;
use crate::domain::audit::EntityType;
use crate::domain::ids::UserId;
use crate::domain::profile::{SlackProfile, is_email, known_zone, presentable};
use crate::domain::roster::Account;
use crate::wire::member::SyncView;

/// How long at most until somebody looks again whether a list is due.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// When a list that could not be fetched is tried again, if it isn't due before.
const TRY_AGAIN: Duration = Duration::from_mins(5);
/// Profiles that are looked up and written together.
const PROFILES_A_ROUND: usize = 20;
/// How many of them are looked up at the same time.
const CONCURRENT_PROFILES: usize = 4;
/// How long nobody looks for names where all were known.
const NAMES_AGAIN: Duration = Duration::from_mins(5);

impl Groups {
    /// Brings a team's members up to date, as somebody asks for.
    ///
    /// # Errors
    /// Less than an editor; the team is not there or names no Slack group; Slack did not list
    /// the group's members, or not in a way that can be trusted.
    pub async fn sync_team(&self, ctx: &Ctx, team: &str) -> Result<SyncView, GroupError> {
        let (asker, team) = (ctx.clone(), team.to_owned());
        let source = self
            .run(move |app| slack_group::source(app, &asker, &team))
            .await?;
        self.sync(ctx, &source).await
    }

    /// Brings the members of one team up to date. Before a list counts, Slack has said of
    /// everybody in it whether they are a person, or says of nobody.
    pub(super) async fn sync(&self, ctx: &Ctx, source: &Source) -> Result<SyncView, GroupError> {
        let asked_at = self.app().now();
        let users = self.users_of(&source.group_id).await?;
        let users: Vec<_> = users.into_iter().collect();
        let listed = Listed {
            group_id: source.group_id.clone(),
            users: users.clone(),
            asked_at,
        };
        let unknown = self
            .run(move |app| profiles::unknown_among(app, users))
            .await?;
        match self.learn(unknown).await {
            // Without that scope whoever is in a group counts as a person.
            Ok(()) | Err(GroupError::Slack(SlackError::MissingScope { .. })) => {}
            Err(error) => return Err(error),
        }
        let (ctx, team) = (ctx.clone(), source.team);
        let applied = self.run(move |app| slack_group::apply(app, &ctx, team, &listed));
        Ok(applied.await?)
    }

    /// Asks Slack who these users are, and keeps what it says of as many as it tells.
    async fn learn(&self, users: Vec<UserId>) -> Result<(), GroupError> {
        for round in users.chunks(PROFILES_A_ROUND) {
            let lookups: Vec<_> = round.iter().map(|user| self.profile_of(user)).collect();
            let mut lookups = stream::iter(lookups).buffer_unordered(CONCURRENT_PROFILES);
            let (mut said, mut failure) = (Vec::new(), None);
            while let Some(looked_up) = lookups.next().await {
                match looked_up {
                    Ok(profile) => said.push(profile),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            drop(lookups);
            if !said.is_empty() {
                self.run(move |app| profiles::learn(app, &said)).await?;
            }
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    async fn profile_of(&self, user: &UserId) -> Result<(UserId, SlackProfile), GroupError> {
        self.paces().profiles.turn().await;
        let now = self.app().now();
        let profile = match self.slack().user_info(user.as_str()).await {
            Ok(found) => profile_from(&found, now),
            // Slack says nothing of this user, and won't tomorrow: no reason to ask each time.
            Err(error) if error.permanent().is_some() => {
                let user = user.clone();
                let known = self
                    .run(move |app| profiles::from_slack(app, &user))
                    .await?;
                SlackProfile {
                    fetched_at: now,
                    ..known.unwrap_or_else(|| SlackProfile::unknown(now))
                }
            }
            Err(error) => return Err(error.into()),
        };
        Ok((user.clone(), profile))
    }

    /// Keeps all lists up to date until the daemon stops.
    pub(super) async fn keep_lists(self, mut stopping: Stopping) {
        let mut changes = self.app().subscribe();
        let mut failed = HashMap::new();
        loop {
            if self.sync_due(&mut failed, &mut stopping).await.is_none() {
                return;
            }
            let look_again = LOOK_AGAIN.min(self.interval());
            // A team may be new, or name another group.
            let change = changed(&mut changes, EntityType::Team);
            let wait = tokio::time::timeout(look_again, change);
            if unless_stopped(&mut stopping, wait).await.is_none() {
                return;
            }
        }
    }

    /// Brings all lists up to date that are due; one that fails stops no other. None where the
    /// daemon stops.
    async fn sync_due(
        &self,
        failed: &mut HashMap<Source, Failure>,
        stopping: &mut Stopping,
    ) -> Option<()> {
        let interval = self.interval();
        let due = match self.run(move |app| slack_group::due(app, interval)).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "which teams to sync with Slack can't be read");
                return Some(());
            }
        };
        let still_due: HashSet<_> = due.iter().collect();
        failed.retain(|source, _| still_due.contains(source));
        let ctx = Ctx::system();
        for source in due {
            let waits = |failure: &Failure| failure.until > Instant::now();
            if failed.get(&source).is_some_and(waits) {
                continue;
            }
            unless_stopped(stopping, self.paces().lists.turn()).await?;
            let synced = self.sync(&ctx, &source);
            let error = match unless_stopped(stopping, synced).await? {
                Ok(view) => {
                    report(&source, &view, failed.remove(&source).is_some());
                    continue;
                }
                Err(error) => error,
            };
            if let GroupError::Slack(SlackError::RateLimited { after, .. }) = &error {
                unless_stopped(stopping, tokio::time::sleep(*after)).await?;
                continue;
            }
            let problem = error.to_string();
            let is_same = |failure: &Failure| failure.problem == problem;
            // Slack that is down, or a token that is refused, is told once for all teams.
            let is_told = match &error {
                GroupError::Slack(error) if error.permanent().is_none() => {
                    failed.values().any(is_same)
                }
                _ => failed.get(&source).is_some_and(is_same),
            };
            if !is_told {
                tracing::warn!(
                    team = source.slug,
                    problem,
                    "the members could not be read from Slack; the last good list stays"
                );
            }
            let until = Instant::now() + TRY_AGAIN.min(interval);
            failed.insert(source, Failure { problem, until });
        }
        Some(())
    }

    /// Keeps the names of all members fresh until the daemon stops.
    pub(super) async fn keep_names(self, mut stopping: Stopping) {
        let mut changes = self.app().subscribe();
        let mut told = None;
        loop {
            let error = match self.refresh_names(&mut stopping).await {
                None => return,
                Some(Ok(0)) => None,
                Some(Ok(_)) => continue,
                Some(Err(error)) => Some(error),
            };
            let (pause, problem) = match error {
                Some(GroupError::Slack(SlackError::RateLimited { after, .. })) => {
                    (after, told.clone())
                }
                Some(error) => (NAMES_AGAIN, Some(error.to_string())),
                None => (Duration::ZERO, None),
            };
            if let Some(problem) = &problem
                && told.as_ref() != Some(problem)
            {
                tracing::warn!(problem, "names could not be read from Slack");
            }
            told = problem;
            let wait = async {
                tokio::time::sleep(pause).await;
                if pause.is_zero() {
                    // All are known, until somebody comes or a day has passed.
                    let change = changed(&mut changes, EntityType::TeamMembership);
                    let _ = tokio::time::timeout(NAMES_AGAIN, change).await;
                }
            };
            if unless_stopped(&mut stopping, wait).await.is_none() {
                return;
            }
        }
    }

    /// Looks up some of the names that are unknown or a day old; how many.
    async fn refresh_names(&self, stopping: &mut Stopping) -> Option<Result<usize, GroupError>> {
        let stale = match self.run(|app| profiles::stale(app, PROFILES_A_ROUND)).await {
            Ok(stale) => stale,
            Err(error) => return Some(Err(error.into())),
        };
        let count = stale.len();
        let learnt = unless_stopped(stopping, self.learn(stale)).await?;
        Some(learnt.map(|()| count))
    }
}

/// A list that could not be fetched.
struct Failure {
    problem: String,
    /// When it is tried again.
    until: Instant,
}

fn report(source: &Source, view: &SyncView, had_failed: bool) {
    if had_failed || !view.joined.is_empty() || !view.left.is_empty() {
        tracing::info!(
            team = source.slug,
            members = view.members,
            joined = view.joined.len(),
            left = view.left.len(),
            "members match Slack"
        );
    }
}

/// What is kept of what Slack says.
fn profile_from(found: &Profile, now: DateTime<Utc>) -> SlackProfile {
    SlackProfile {
        display_name: presentable(found.name()),
        account: account_of(found),
        email: found.email.clone().filter(|email| is_email(email)),
        timezone: found.tz.as_deref().and_then(known_zone),
        fetched_at: now,
    }
}

fn account_of(profile: &Profile) -> Account {
    match profile {
        Profile {
            is_deactivated: true,
            ..
        } => Account::Deactivated,
        Profile { is_bot: true, .. } => Account::Bot,
        _ => Account::Person,
    }
}
