//! Every team at a glance: who is on call, who is next, and what needs a decision.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::actions::oncall::{coverage_of, on_call};
use crate::actions::people::roster;
use crate::actions::rotation::planning;
use crate::app::{App, Result, Settings};
use crate::domain::ids::{TeamId, UserId};
use crate::domain::oncall_day::add_days;
use crate::domain::shift_override::OverrideStatus;
use crate::domain::team::Team;
use crate::store::services::ServiceFilter;
use crate::store::{self, Reader};
use crate::wire::oncall::Moment;
use crate::wire::overview::{Attention, Matter, NextHandoff, Overview, StretchView, TeamOverview};
use crate::wire::shift_override::OverrideView;
use crate::wire::team::TeamView;
use crate::wire::{Page, Paging};

/// A handoff is overdue when it has not been done after so long.
const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// Services that are named with a team, at most.
const SERVICES: usize = 5;

/// Which teams to show, and how.
#[derive(Clone, Debug, Default)]
pub struct OverviewQuery {
    /// Part of a team's name, slug or of one of its services' names, whatever the case.
    pub q: Option<String>,
    /// Only teams that this person belongs to.
    pub member: Option<UserId>,
    /// The order.
    pub sort: Sort,
    /// Days of the timeline, from today on.
    pub days: u32,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name.
    #[default]
    Name,
    /// Whose shift ends first comes first; teams with nobody on call before all.
    Until,
}

/// Every active team at a glance, and what needs a decision.
pub fn overview(app: &App, query: &OverviewQuery, paging: &Paging) -> Result<Overview> {
    let (now, settings) = (app.now(), app.settings());
    app.read(|tx| {
        let mut teams = store::teams::list(tx)?;
        teams.retain(|team| team.is_active);
        teams.sort_by_cached_key(|team| (team.name.to_lowercase(), team.id));
        let attention = attention(tx, settings, &teams, now)?;
        let next_handoff = next_handoff(tx, &teams)?;
        let active_teams = teams.len();
        let wanted = wanted(tx, teams, query)?;
        let teams = shown(tx, settings, wanted, query, paging, now)?;
        Ok(Overview {
            attention,
            teams,
            next_handoff,
            active_teams,
        })
    })
}

fn wanted(tx: &impl Reader, mut teams: Vec<Team>, query: &OverviewQuery) -> Result<Vec<Team>> {
    if let Some(user) = &query.member {
        let theirs = roster::teams_of(tx, user)?;
        teams.retain(|team| theirs.contains(&team.id));
    }
    let Some(part) = query.q.as_deref().map(str::to_lowercase) else {
        return Ok(teams);
    };
    let filter = ServiceFilter {
        is_active: Some(true),
        part: part.clone(),
        ..ServiceFilter::default()
    };
    let (_, services) = store::services::page(tx, &filter, 0, usize::MAX)?;
    let with_service: BTreeSet<TeamId> = services.iter().map(|it| it.team_id).collect();
    teams.retain(|team| {
        team.name.to_lowercase().contains(&part)
            || team.slug.contains(&part)
            || with_service.contains(&team.id)
    });
    Ok(teams)
}

/// The asked-for page of teams. Who is on call is looked up for those alone that it shows, but
/// where the order depends on it.
fn shown(
    tx: &impl Reader,
    settings: &Settings,
    teams: Vec<Team>,
    query: &OverviewQuery,
    paging: &Paging,
    now: DateTime<Utc>,
) -> Result<Page<TeamOverview>> {
    let answer = |team: &Team| on_call(tx, team, None, &Moment::default(), now);
    let page = match query.sort {
        Sort::Name => {
            let page = Page::of(teams, paging);
            let answers = page
                .items
                .into_iter()
                .map(|team| Ok((answer(&team)?, team)));
            Page::new(answers.collect::<Result<Vec<_>>>()?, page.total, paging)
        }
        Sort::Until => {
            let answers = teams.into_iter().map(|team| Ok((answer(&team)?, team)));
            let mut answers = answers.collect::<Result<Vec<_>>>()?;
            answers.sort_by_key(|(answer, _)| answer.ends_at);
            Page::of(answers, paging)
        }
    };
    let mut items = Vec::with_capacity(page.items.len());
    for (on_call, team) in &page.items {
        let state = store::rotation::state(tx, team.id)?;
        let (first, last) = (
            on_call.date,
            add_days(on_call.date, i64::from(query.days) - 1),
        );
        let coverage = coverage_of(tx, team, first, last)?;
        let stretches = coverage.stretches(first, last);
        let published = state.published_until.filter(|_| team.rotates());
        let covered_until = published.or_else(|| stretches.last().map(|stretch| stretch.end));
        let gaps = match covered_until {
            Some(until) => coverage.gaps(first, until.min(last)),
            None => Vec::new(),
        };
        let filter = ServiceFilter {
            team: Some(team.id),
            is_active: Some(true),
            ..ServiceFilter::default()
        };
        let (_, services) = store::services::page(tx, &filter, 0, SERVICES)?;
        items.push(TeamOverview {
            team: TeamView::new(team, settings.require_approval),
            on_call: on_call.clone(),
            next_handoff_at: state.upcoming.first().copied(),
            services: services.into_iter().map(|service| service.name).collect(),
            stretches: stretches.iter().map(StretchView::from).collect(),
            gaps,
        });
    }
    Ok(Page::new(items, page.total, paging))
}

/// What needs a decision, in all of these teams; the most pressing first.
fn attention(
    tx: &impl Reader,
    settings: &Settings,
    teams: &[Team],
    now: DateTime<Utc>,
) -> Result<Vec<Attention>> {
    let mut found: Vec<(NaiveDate, u8, Attention)> = Vec::new();
    let overdue = store::rotation::list_due(tx, now - OVERDUE_AFTER, usize::MAX)?;
    let overdue: BTreeSet<_> = overdue.into_iter().collect();
    for team in teams {
        let clock = team.clock();
        let today = clock.day_at(now);
        let mut add = |day: NaiveDate, rank: u8, matter: Matter| {
            let attention = Attention {
                team_name: team.name.clone(),
                team_slug: team.slug.clone(),
                today,
                matter,
            };
            found.push((day, rank, attention));
        };
        if overdue.contains(&team.id) {
            let state = store::rotation::state(tx, team.id)?;
            let since = state.upcoming.first().copied().unwrap_or(now);
            add(today, 0, Matter::OverdueHandoff { since });
        }
        if let Some(problem) = planning::problem(settings, team) {
            add(today, 1, Matter::Plugin(problem));
        }
        let told = store::told::find(tx, team.id)?;
        for gap in told.into_iter().flat_map(|told| told.gaps) {
            if gap.end >= today {
                let (start_date, end_date) = (gap.start.max(today), gap.end);
                let gap = Matter::Gap {
                    start_date,
                    end_date,
                };
                add(start_date, 2, gap);
            }
        }
        let pending = OverrideStatus::Pending;
        let last = crate::domain::oncall_day::END_OF_TIME;
        for row in store::overrides::list_of_status(tx, team.id, pending, today, last)? {
            let view = Box::new(OverrideView::new(&row, &clock));
            add(row.start_date.max(today), 3, Matter::PendingOverride(view));
        }
    }
    found.sort_by_key(|(day, rank, _)| (*day, *rank));
    Ok(found
        .into_iter()
        .map(|(_, _, attention)| attention)
        .collect())
}

fn next_handoff(tx: &impl Reader, teams: &[Team]) -> Result<Option<NextHandoff>> {
    let first = store::rotation::list_due(tx, DateTime::<Utc>::MAX_UTC, 1)?.pop();
    let Some(team) = first.and_then(|id| teams.iter().find(|team| team.id == id)) else {
        return Ok(None);
    };
    let state = store::rotation::state(tx, team.id)?;
    Ok(state.upcoming.first().map(|at| NextHandoff {
        at: *at,
        team_name: team.name.clone(),
        team_slug: team.slug.clone(),
        timezone: team.timezone.clone(),
    }))
}
