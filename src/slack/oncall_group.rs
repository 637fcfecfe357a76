//! Keeps Slack groups set to who is on call.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::SlackError;
use super::groups::{GroupError, Groups, Stopping, changed, unless_stopped};
use crate::actions::oncall::groups::{self, OnCallGroup};
use crate::domain::audit::EntityType;
use crate::domain::ids::UserId;

/// How long changes gather: a handoff of many teams is many of them.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait after a first failure; twice as long after each further one.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The longest wait between two tries.
const LAST_RETRY: Duration = Duration::from_mins(5);

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It held the right people already.
    AsWanted,
    /// It was set.
    Set,
    /// Nobody is on call, and Slack can't empty a group: it stays as it is.
    Nobody,
}

/// Whom Slack does not take into a group, and why.
pub(super) type Refused = BTreeMap<UserId, String>;

/// What is known of a group from one time to the next.
#[derive(Default)]
struct Known {
    /// Whom it was last set to, or found with, and when.
    holds: Option<(BTreeSet<UserId>, Instant)>,
    /// Who is left out until the next look.
    refused: Refused,
    /// Whose refusal the log has told.
    told: BTreeSet<UserId>,
    /// What went wrong last.
    problem: Option<String>,
    failures: u32,
    /// Not tried again before.
    until: Option<Instant>,
}

impl Groups {
    /// Keeps the groups until the daemon stops. A group is looked at when who is on call
    /// changes, and every `slack.sync_minutes` in case somebody else has changed it.
    pub(super) async fn keep_oncall_groups(self, mut stopping: Stopping) {
        let mut rota = self.app().on_call_changes();
        let mut teams = self.app().subscribe();
        let mut known: HashMap<String, Known> = HashMap::new();
        loop {
            let Some(next) = self.set_all(&mut known, &mut stopping).await else {
                return;
            };
            let change = async {
                tokio::select! {
                    _ = rota.changed() => {}
                    () = changed(&mut teams, EntityType::Team) => {}
                }
                tokio::time::sleep(GATHER).await;
            };
            let wait = tokio::time::timeout_at(next, change);
            if unless_stopped(&mut stopping, wait).await.is_none() {
                return;
            }
        }
    }

    /// Sets every group that isn't as it should be; when to look again. None where the daemon
    /// stops.
    async fn set_all(
        &self,
        known: &mut HashMap<String, Known>,
        stopping: &mut Stopping,
    ) -> Option<Instant> {
        let mut next = Instant::now() + self.interval();
        let wanted = match self.run(groups::list).await {
            Ok(wanted) => wanted,
            Err(error) => {
                tracing::error!(%error, "who is on call can't be read");
                return Some(Instant::now() + FIRST_RETRY);
            }
        };
        known.retain(|id, _| wanted.contains_key(id));
        for (id, group) in &wanted {
            let known = known.entry(id.clone()).or_default();
            if let Some(until) = known.until.filter(|until| *until > Instant::now()) {
                next = next.min(until);
                continue;
            }
            if known.is_as_wanted(group, self.interval()) {
                continue;
            }
            unless_stopped(stopping, self.paces().lists.turn()).await?;
            if known.is_due(self.interval()) {
                // Slack may take them by now.
                known.refused.clear();
            }
            let set = self.set_group(id, group, &mut known.refused);
            let set = unless_stopped(stopping, set).await?;
            known.tell_refused(id);
            let wait = match set {
                Ok(outcome) => {
                    known.note(id, group, &outcome);
                    continue;
                }
                Err(error) => known.note_failure(id, &error),
            };
            next = next.min(Instant::now() + wait);
        }
        Some(next)
    }

    /// Sets a group to `wanted`, less whom Slack `refused` before and refuses now.
    pub(super) async fn set_group(
        &self,
        id: &str,
        wanted: &OnCallGroup,
        refused: &mut Refused,
    ) -> Result<Outcome, GroupError> {
        refused.retain(|user, _| wanted.users.contains(user));
        let actual: BTreeSet<_> = self.slack().group_users(id).await?.into_iter().collect();
        loop {
            let users = less(wanted, refused);
            let ids: Vec<_> = users.iter().map(ToString::to_string).collect();
            if users.is_empty() {
                return Ok(Outcome::Nobody);
            }
            if actual.iter().eq(&ids) {
                return Ok(Outcome::AsWanted);
            }
            let error = match self.slack().set_group_users(id, &ids).await {
                Ok(()) => return Ok(Outcome::Set),
                Err(error) => error,
            };
            let found = self.refused_of(&users, &error).await;
            if found.is_empty() {
                return Err(error.into());
            }
            refused.extend(found);
        }
    }

    /// Whom Slack will not have in a group, where it has refused to set it: those that it
    /// names, or else guests, bots and accounts that are closed.
    async fn refused_of(
        &self,
        users: &BTreeSet<UserId>,
        error: &SlackError,
    ) -> Vec<(UserId, String)> {
        let SlackError::Permanent { error, detail, .. } = error else {
            return Vec::new();
        };
        // These are about the group or the token, whoever is to be in it.
        if [
            "no_such_subteam",
            "permission_denied",
            "plan_upgrade_required",
        ]
        .contains(&&**error)
        {
            return Vec::new();
        }
        let is_named = |user: &&UserId| {
            let mut words = detail
                .iter()
                .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
            words.any(|word| word == user.as_str())
        };
        let named: Vec<_> = users.iter().filter(is_named).collect();
        if !named.is_empty() {
            return named
                .into_iter()
                .map(|user| (user.clone(), error.clone()))
                .collect();
        }
        let mut found = Vec::new();
        for user in users {
            let why = match self.slack().user_info(user.as_str()).await {
                Ok(profile) if profile.is_deactivated => "the account is deactivated".to_owned(),
                Ok(profile) if profile.is_bot => "it is a bot".to_owned(),
                Ok(profile) if profile.is_guest => "they are a guest".to_owned(),
                Err(error) if error.permanent().is_some() => error.to_string(),
                _ => continue,
            };
            found.push((user.clone(), why));
        }
        found
    }
}

/// Whom a group should hold, but for those whom Slack refuses.
fn less(wanted: &OnCallGroup, refused: &Refused) -> BTreeSet<UserId> {
    let users = wanted.users.iter();
    let taken = users.filter(|user| !refused.contains_key(user));
    taken.cloned().collect()
}

impl Known {
    /// Whether it is time to look at the group, whoever is on call.
    fn is_due(&self, interval: Duration) -> bool {
        let holds = self.holds.as_ref();
        holds.is_none_or(|(_, at)| at.elapsed() >= interval)
    }

    fn is_as_wanted(&self, group: &OnCallGroup, interval: Duration) -> bool {
        let wanted = less(group, &self.refused);
        let holds = self.holds.as_ref();
        !self.is_due(interval) && holds.is_some_and(|(users, _)| *users == wanted)
    }

    /// Logs whom Slack refuses, where that is news.
    fn tell_refused(&mut self, id: &str) {
        for (user, why) in &self.refused {
            if self.told.insert(user.clone()) {
                tracing::warn!(
                    group = id,
                    %user,
                    why,
                    "Slack does not accept this person in the on-call group"
                );
            }
        }
    }

    fn note(&mut self, id: &str, group: &OnCallGroup, outcome: &Outcome) {
        self.told.retain(|user| self.refused.contains_key(user));
        let users = less(group, &self.refused);
        let problem = (*outcome == Outcome::Nobody).then(|| "nobody is on call".to_owned());
        if *outcome == Outcome::Set {
            let users: Vec<_> = users.iter().map(UserId::as_str).collect();
            tracing::info!(group = id, users = users.join(","), "set the on-call group");
        }
        if problem.is_some() && self.problem != problem {
            tracing::warn!(
                group = id,
                teams = group.teams.join(","),
                "nobody is on call whom Slack accepts, and it can't empty a group: it stays as it is"
            );
        }
        self.holds = Some((users, Instant::now()));
        self.problem = problem;
        self.failures = 0;
        self.until = None;
    }

    /// Notes and, where it is news, logs a failure; how long to wait.
    fn note_failure(&mut self, id: &str, error: &GroupError) -> Duration {
        let problem = error.to_string();
        let wait = match error {
            GroupError::Slack(SlackError::RateLimited { after, .. }) => *after,
            _ => {
                if self.problem.as_ref() != Some(&problem) {
                    tracing::warn!(group = id, problem, "the on-call group can't be set");
                }
                self.problem = Some(problem);
                let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
                self.failures += 1;
                doubled.min(LAST_RETRY)
            }
        };
        self.holds = None;
        self.until = Some(Instant::now() + wait);
        wait
    }
}
