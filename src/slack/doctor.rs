//! What is right and wrong between oncalld and Slack, and putting right what can be.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::groups::{GroupError, Groups};
use super::oncall_group::{Outcome, Refused};
use super::{AuthInfo, SlackError, UserGroup};
use crate::actions::members::slack_group::{self, SlackTeam, Source};
use crate::actions::oncall::groups::{self, OnCallGroup};
use crate::app::Ctx;
use crate::domain::token::Role;
use crate::wire::slack::{OnCallGroupCheck, ScopeCheck, SlackReport, TeamCheck, Workspace};

/// A list that is older than so many intervals is a problem.
const MISSED_SYNCS: u32 = 3;
/// The longest that we wait where Slack asks to slow down, while somebody waits for us.
const PATIENCE: Duration = Duration::from_mins(1);

/// A scope, and whether it is of the token that sets groups, which may be a user's.
struct Scope(&'static str, &'static str, bool);

/// What oncalld uses of Slack, by the scope that lets it.
const SCOPES: [Scope; 9] = [
    Scope("chat:write", "messages to people and channels", false),
    Scope("im:write", "direct messages", false),
    Scope("users:read", "names, and telling bots from people", false),
    Scope("usergroups:read", "members of Slack groups", false),
    Scope(
        "usergroups:write",
        "keeping on-call groups up to date",
        true,
    ),
    Scope("commands", "the slash command and buttons", false),
    Scope(
        "chat:write.public",
        "messages to public channels that the bot isn't in",
        false,
    ),
    Scope(
        "channels:read",
        "showing here whether the bot is in a public channel",
        false,
    ),
    Scope(
        "groups:read",
        "showing here whether the bot is in a private channel",
        false,
    ),
];

/// What the report is made of.
struct Examined {
    auth: AuthInfo,
    /// Whom the user token belongs to, where there is one.
    group_auth: Option<AuthInfo>,
    groups: HashMap<String, UserGroup>,
}

impl Groups {
    /// Looks at everything that oncalld needs of Slack; where `apply` is set, puts right what
    /// it can before: lists of members are fetched, groups of who is on call are set.
    ///
    /// # Errors
    /// Not an admin; the store failed. What Slack says is in the report.
    pub async fn doctor(&self, ctx: &Ctx, apply: bool) -> Result<SlackReport, GroupError> {
        ctx.require(Role::Admin)?;
        let mut report = SlackReport::default();
        let mut refused = BTreeMap::new();
        if apply {
            refused = self.put_right(ctx, &mut report).await?;
        }
        let teams = self.run(slack_group::slack_teams).await?;
        let wanted = self.run(groups::list).await?;
        let Some(examined) = self.examine(&mut report).await else {
            return Ok(report);
        };
        report.scopes = self.scopes(&examined, &teams, !wanted.is_empty());
        for team in &teams {
            if team.group_id.is_some() || team.channel_id.is_some() {
                report.teams.push(self.check_team(&examined, team).await);
            }
        }
        for (id, group) in &wanted {
            let mut check = self.check_group(&examined, id, group).await;
            check.problems.extend(refused.remove(id));
            report.oncall_groups.push(check);
        }
        report.workspace = Some(Workspace {
            name: examined.auth.team,
            url: examined.auth.url,
            bot_user_id: examined.auth.user_id,
            user_id: examined.group_auth.map(|auth| auth.user_id),
        });
        report.healthy = report.problems.is_empty()
            && report
                .scopes
                .iter()
                .all(|scope| scope.present || !scope.required)
            && report.teams.iter().all(|team| team.problems.is_empty())
            && report
                .oncall_groups
                .iter()
                .all(|group| group.problems.is_empty());
        Ok(report)
    }

    /// Fetches lists and sets groups; what could not be set, by group.
    async fn put_right(
        &self,
        ctx: &Ctx,
        report: &mut SlackReport,
    ) -> Result<BTreeMap<String, String>, GroupError> {
        for source in self
            .run(|app| slack_group::due(app, Duration::ZERO))
            .await?
        {
            self.paces().lists.turn().await;
            self.sync_one(ctx, &source, report).await;
        }
        let mut failed = BTreeMap::new();
        for (id, group) in self.run(groups::list).await? {
            self.paces().lists.turn().await;
            let mut refused = Refused::new();
            match self.set_group(&id, &group, &mut refused).await {
                Ok(Outcome::Set) => report.fixed.push(format!("set {id} to who is on call")),
                Ok(Outcome::AsWanted | Outcome::Nobody) => {}
                Err(error) => drop(failed.insert(id.clone(), error.to_string())),
            }
            if !refused.is_empty() {
                let users = refused.iter().map(|(user, why)| format!("{user} ({why})"));
                let users: Vec<_> = users.collect();
                failed.insert(id, format!("Slack does not accept {}", users.join(", ")));
            }
        }
        Ok(failed)
    }

    async fn sync_one(&self, ctx: &Ctx, source: &Source, report: &mut SlackReport) {
        match self.sync(ctx, source).await {
            Ok(view) if view.joined.is_empty() && view.left.is_empty() => {}
            Ok(view) => report.fixed.push(format!(
                "members of {}: {} joined, {} left",
                source.slug,
                view.joined.len(),
                view.left.len()
            )),
            Err(error) => report
                .problems
                .push(format!("members of {}: {error}", source.slug)),
        }
    }

    /// Asks for what concerns everything; where that fails, the report says why.
    async fn examine(&self, report: &mut SlackReport) -> Option<Examined> {
        let slack = self.slack();
        let auth = patiently(|| slack.auth_test()).await;
        let auth = noted(auth, report)?;
        let mut group_auth = None;
        if self.has_user_token() {
            let tested = patiently(|| slack.auth_test_for_groups()).await;
            group_auth = noted(tested, report);
        }
        let groups = patiently(|| slack.list_groups(true)).await;
        let groups = noted(groups, report).unwrap_or_default();
        Some(Examined {
            auth,
            group_auth,
            groups: groups
                .into_iter()
                .map(|group| (group.id.clone(), group))
                .collect(),
        })
    }

    fn scopes(
        &self,
        examined: &Examined,
        teams: &[SlackTeam],
        has_oncall_groups: bool,
    ) -> Vec<ScopeCheck> {
        let has_groups = has_oncall_groups || teams.iter().any(|team| team.group_id.is_some());
        let check = |Scope(scope, needed_for, for_groups): &Scope| {
            let by_user = *for_groups && self.has_user_token();
            let auth = if by_user {
                examined.group_auth.as_ref()
            } else {
                Some(&examined.auth)
            };
            ScopeCheck {
                scope: (*scope).to_owned(),
                token: if by_user { "user" } else { "bot" }.to_owned(),
                needed_for: (*needed_for).to_owned(),
                present: auth.is_some_and(|auth| auth.scopes.iter().any(|has| has == scope)),
                required: match *scope {
                    "chat:write" | "im:write" | "users:read" => true,
                    "usergroups:read" => has_groups,
                    "usergroups:write" => has_oncall_groups,
                    _ => false,
                },
            }
        };
        SCOPES.iter().map(check).collect()
    }

    async fn check_team(&self, examined: &Examined, team: &SlackTeam) -> TeamCheck {
        let mut check = TeamCheck {
            team_id: team.id.uuid(),
            team_slug: team.slug.clone(),
            slack_group_id: team.group_id.clone(),
            slack_group_handle: None,
            synced_at: team.synced_at,
            slack_channel_id: team.channel_id.clone(),
            slack_channel_name: None,
            problems: Vec::new(),
        };
        if let Some(id) = &team.group_id {
            check.slack_group_handle = examined.handle(id, &mut check.problems);
            let oldest = self.app().now() - self.interval() * MISSED_SYNCS;
            match team.synced_at {
                None => check
                    .problems
                    .push(format!("the members of {id} were never listed")),
                Some(at) if at < oldest => {
                    check
                        .problems
                        .push(format!("the members of {id} were last listed at {at}"));
                }
                Some(_) => {}
            }
        }
        if let Some(id) = &team.channel_id {
            self.check_channel(examined, id, &mut check).await;
        }
        check
    }

    async fn check_channel(&self, examined: &Examined, id: &str, check: &mut TeamCheck) {
        self.paces().channels.turn().await;
        let slack = self.slack();
        let problem = match patiently(|| slack.channel(id)).await {
            Ok(channel) => {
                let name = channel.name;
                let writes_anywhere = examined
                    .auth
                    .scopes
                    .iter()
                    .any(|s| s == "chat:write.public");
                let problem = if channel.is_archived {
                    Some(format!("the channel #{name} is archived"))
                } else if !channel.is_member && !writes_anywhere {
                    Some(format!("the bot is not in #{name}: invite it there"))
                } else {
                    None
                };
                check.slack_channel_name = Some(name);
                problem
            }
            Err(error) if error.permanent() == Some("channel_not_found") => Some(format!(
                "there is no channel {id}, or it is private and the bot is not in it: invite it"
            )),
            // What is missing stands with the scopes, once.
            Err(SlackError::MissingScope { .. }) => None,
            Err(error) => Some(error.to_string()),
        };
        check.problems.extend(problem);
    }

    async fn check_group(
        &self,
        examined: &Examined,
        id: &str,
        group: &OnCallGroup,
    ) -> OnCallGroupCheck {
        let mut problems = Vec::new();
        let handle = examined.handle(id, &mut problems);
        let wanted: Vec<_> = group.users.iter().map(ToString::to_string).collect();
        self.paces().lists.turn().await;
        let slack = self.slack();
        let actual = match patiently(|| slack.group_users(id)).await {
            Ok(mut actual) => {
                actual.sort();
                Some(actual)
            }
            Err(error) => {
                problems.push(error.to_string());
                None
            }
        };
        if wanted.is_empty() {
            problems.push("nobody is on call, and Slack can't empty a group".to_owned());
        } else if actual.as_ref().is_some_and(|actual| *actual != wanted) {
            problems.push("it does not hold exactly who is on call".to_owned());
        }
        OnCallGroupCheck {
            slack_group_id: id.to_owned(),
            slack_group_handle: handle,
            teams: group.teams.clone(),
            wanted,
            actual,
            problems,
        }
    }
}

impl Examined {
    /// What a group is mentioned by; where it can't be, why.
    fn handle(&self, id: &str, problems: &mut Vec<String>) -> Option<String> {
        match self.groups.get(id) {
            Some(group) if group.is_enabled => Some(group.handle.clone()),
            Some(group) => {
                problems.push(format!("the group @{} is disabled in Slack", group.handle));
                Some(group.handle.clone())
            }
            // Not a single group: Slack would not list them, and the report says why.
            None if self.groups.is_empty() => None,
            None => {
                problems.push(format!("Slack knows no group {id}"));
                None
            }
        }
    }
}

/// Calls again where Slack asks for a little patience.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, SlackError>
where
    F: Future<Output = Result<T, SlackError>>,
{
    match call().await {
        Err(SlackError::RateLimited { after, .. }) if after <= PATIENCE => {
            tokio::time::sleep(after).await;
            call().await
        }
        answer => answer,
    }
}

/// The answer; or none, and the problem is in the report.
fn noted<T>(answer: Result<T, SlackError>, report: &mut SlackReport) -> Option<T> {
    answer
        .map_err(|error| report.problems.push(error.to_string()))
        .ok()
}
