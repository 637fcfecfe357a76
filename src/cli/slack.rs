//! `oncalld slack`: how oncalld and Slack get along.

use std::fmt::Write as _;

use clap::Subcommand;
use reqwest::Method;

use super::error::CliError;
use super::output::print;
use super::session::Session;
use super::table::{NONE, Table, clean, facts, joined, or_none, yes_no};
use super::time::stamp;
use crate::wire::slack::{OnCallGroupCheck, SlackReport, TeamCheck};

/// What to do about Slack.
#[derive(Debug, Subcommand)]
pub(super) enum SlackCommand {
    /// Show what works and what does not; exit code 1 if anything is wrong
    Doctor {
        /// First fetch the members from Slack and set the on-call groups
        #[arg(long)]
        apply: bool,
    },
}

/// Does it.
///
/// # Errors
/// The daemon can't be reached, or says no; something is wrong with Slack.
pub(super) async fn run(command: SlackCommand, session: &Session) -> Result<(), CliError> {
    let SlackCommand::Doctor { apply } = command;
    let method = if apply { Method::POST } else { Method::GET };
    let answer = session
        .client
        .slowly(method, &["slack", "doctor"], None)
        .await?;
    let report: SlackReport = answer.read()?;
    if session.open(&answer)?.is_some() {
        print(&text(&report))?;
    }
    if report.healthy {
        return Ok(());
    }
    Err(CliError::failed(
        "something is wrong between oncalld and Slack",
    ))
}

fn text(report: &SlackReport) -> String {
    let mut parts = Vec::new();
    if let Some(workspace) = &report.workspace {
        parts.push(facts([
            (
                "workspace",
                format!("{} ({})", workspace.name, workspace.url),
            ),
            ("bot", workspace.bot_user_id.clone()),
            (
                "groups are set by",
                or_none(workspace.user_id.as_ref().or(Some(&workspace.bot_user_id))),
            ),
        ]));
    }
    if !report.scopes.is_empty() {
        let mut table = Table::new(["SCOPE", "TOKEN", "THERE", "FOR"]);
        for scope in &report.scopes {
            let there = match (scope.present, scope.required) {
                (false, true) => "MISSING".to_owned(),
                (present, _) => yes_no(present),
            };
            let (name, token) = (scope.scope.clone(), scope.token.clone());
            table.row([name, token, there, scope.needed_for.clone()]);
        }
        parts.push(table.render());
    }
    if !report.teams.is_empty() {
        let columns = ["TEAM", "MEMBERS FROM", "LISTED AT", "CHANNEL"];
        let mut table = Table::new(columns);
        for team in &report.teams {
            table.row(team_row(team));
        }
        parts.push(table.render());
    }
    if !report.oncall_groups.is_empty() {
        let columns = ["ON-CALL GROUP", "TEAMS", "ON CALL", "IN THE GROUP"];
        let mut table = Table::new(columns);
        for group in &report.oncall_groups {
            table.row([
                named(
                    '@',
                    &group.slack_group_id,
                    group.slack_group_handle.as_deref(),
                ),
                joined(&group.teams),
                joined(&group.wanted),
                group
                    .actual
                    .as_deref()
                    .map_or_else(|| NONE.to_owned(), joined),
            ]);
        }
        parts.push(table.render());
    }
    parts.push(lines("fixed: ", report.fixed.iter().cloned()));
    parts.push(lines("problem: ", problems(report)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn team_row(team: &TeamCheck) -> [String; 4] {
    let name = |sign, id: &Option<String>, name: &Option<String>| match id {
        Some(id) => named(sign, id, name.as_deref()),
        None => NONE.to_owned(),
    };
    [
        team.team_slug.clone(),
        name('@', &team.slack_group_id, &team.slack_group_handle),
        or_none(team.synced_at.map(stamp)),
        name('#', &team.slack_channel_id, &team.slack_channel_name),
    ]
}

/// `@handle (S1)`, or the id alone.
fn named(sign: char, id: &str, name: Option<&str>) -> String {
    name.map_or_else(|| id.to_owned(), |name| format!("{sign}{name} ({id})"))
}

/// Everything that is wrong, each with what it is about.
fn problems(report: &SlackReport) -> impl Iterator<Item = String> {
    let missing = report
        .scopes
        .iter()
        .filter(|scope| scope.required && !scope.present);
    let missing =
        missing.map(|s| format!("the {} token lacks {}: {}", s.token, s.scope, s.needed_for));
    let of_team = |team: &TeamCheck| {
        let slug = team.team_slug.clone();
        team.problems
            .clone()
            .into_iter()
            .map(move |problem| format!("{slug}: {problem}"))
    };
    let of_group = |group: &OnCallGroupCheck| {
        let id = group.slack_group_id.clone();
        group
            .problems
            .clone()
            .into_iter()
            .map(move |problem| format!("{id}: {problem}"))
    };
    let general = report.problems.iter().cloned();
    general
        .chain(missing)
        .chain(report.teams.iter().flat_map(of_team))
        .chain(report.oncall_groups.iter().flat_map(of_group))
}

/// A line of each text.
fn lines(head: &str, texts: impl Iterator<Item = String>) -> String {
    texts.fold(String::new(), |mut lines, text| {
        let _ = writeln!(lines, "{head}{}", clean(&text));
        lines
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_shows_what_is_and_then_what_is_wrong() {
        let report: SlackReport = serde_json::from_value(json!({
            "healthy": false,
            "workspace": {"name": "Acme", "url": "https://acme.slack.com/", "bot_user_id": "UBOT",
                "user_id": null},
            "problems": [],
            "scopes": [
                {"scope": "chat:write", "token": "bot", "needed_for": "messages",
                 "present": true, "required": true},
                {"scope": "usergroups:write", "token": "bot", "needed_for": "groups",
                 "present": false, "required": true}],
            "teams": [{"team_id": "01939a00-0000-7000-8000-000000000000", "team_slug": "payments",
                "slack_group_id": "S1", "slack_group_handle": "payments", "synced_at": null,
                "slack_channel_id": "C1", "slack_channel_name": "pay",
                "problems": ["the bot is not in #pay: invite it there"]}],
            "oncall_groups": [{"slack_group_id": "S9", "slack_group_handle": null,
                "teams": ["payments"], "wanted": ["UA"], "actual": null, "problems": []}],
            "fixed": ["members of payments: 1 joined, 0 left"],
        }))
        .unwrap();
        insta::assert_snapshot!(text(&report), @r"
        workspace          Acme (https://acme.slack.com/)
        bot                UBOT
        groups are set by  UBOT

        SCOPE             TOKEN  THERE    FOR
        chat:write        bot    yes      messages
        usergroups:write  bot    MISSING  groups

        TEAM      MEMBERS FROM    LISTED AT  CHANNEL
        payments  @payments (S1)  -          #pay (C1)

        ON-CALL GROUP  TEAMS     ON CALL  IN THE GROUP
        S9             payments  UA       -

        fixed: members of payments: 1 joined, 0 left

        problem: the bot token lacks usergroups:write: groups
        problem: payments: the bot is not in #pay: invite it there
        ");
    }
}
