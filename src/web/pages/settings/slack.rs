//! How oncalld and Slack get along, as the doctor finds it.

use super::Tab;
use crate::web::pages::prelude::*;
use crate::wire::slack::{OnCallGroupCheck, SlackReport, TeamCheck};

const PATH: &str = "/settings/slack";

#[derive(Template)]
#[template(path = "slack.html")]
struct Slack {
    layout: Layout,
    tab: Tab,
    /// None where Slack is not configured.
    report: Option<SlackReport>,
    teams: Vec<TeamLine>,
    groups: Vec<GroupLine>,
}

/// A team in Slack.
struct TeamLine {
    check: TeamCheck,
    synced: Option<When>,
}

/// An on-call group.
struct GroupLine {
    check: OnCallGroupCheck,
    wanted: Vec<Person>,
    actual: Option<Vec<Person>>,
}

/// `GET /settings/slack`
pub async fn show(State(api): State<Api>, visitor: Visitor) -> Shown {
    let mut page = Slack {
        layout: visitor.layout("Slack", Nav::Settings),
        tab: Tab::Slack,
        report: None,
        teams: Vec::new(),
        groups: Vec::new(),
    };
    if let Ok(slack) = api.slack() {
        let mut report = slack.doctor(&visitor.ctx, false).await?;
        let (teams, groups) = (
            std::mem::take(&mut report.teams),
            std::mem::take(&mut report.oncall_groups),
        );
        let users = groups.iter().flat_map(|it| {
            let actual = it.actual.iter().flatten();
            it.wanted.iter().chain(actual).cloned()
        });
        let users: Vec<_> = users.collect();
        let people = api.run(move |app| People::load(app, users.iter().map(String::as_str)));
        let people = people.await?;
        let those = |ids: &[String]| ids.iter().map(|id| people.get(id)).collect();
        page.teams = teams
            .into_iter()
            .map(|check| TeamLine {
                synced: check.synced_at.map(|at| When::utc(at, visitor.now)),
                check,
            })
            .collect();
        page.groups = groups
            .into_iter()
            .map(|check| GroupLine {
                wanted: those(&check.wanted),
                actual: check.actual.as_deref().map(those),
                check,
            })
            .collect();
        page.report = Some(report);
    }
    visitor.page(&page)
}

/// `POST /settings/slack`: fetches members and sets the on-call groups.
pub async fn put_right(State(api): State<Api>, visitor: Visitor) -> Shown {
    let report = api.slack()?.doctor(&visitor.ctx, true).await?;
    if report.fixed.is_empty() {
        let text = "Members were fetched and groups checked: nothing had to be changed.";
        return Ok(redirect_saying(PATH, text));
    }
    let text = format!("Put right: {}.", report.fixed.join("; "));
    Ok(redirect_saying(PATH, &text))
}
