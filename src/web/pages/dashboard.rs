//! The dashboard: what needs a decision, and who is on call in every team.

use super::prelude::*;
use crate::actions::overview::{OverviewQuery, Sort, overview};
use crate::rotation::coverage::Source;
use crate::web::view::timeline::{Row, Shift, Span, Timeline};
use crate::wire::overview::{Attention, Matter, Overview, TeamOverview};
use crate::wire::shift_override::OverrideView;

/// Teams on a page.
const TEAMS: usize = 100;
/// What needs a decision, on a page; of the rest its number is told.
const NOTICES: usize = 8;
/// Services that are named with a team.
const SERVICES: usize = 4;

/// What to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    sort: String,
    mine: Option<String>,
    weeks: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    layout: Layout,
    summary: String,
    next_handoff: Option<(When, String, String)>,
    notices: Vec<Notice>,
    more_notices: usize,
    cards: Vec<Card>,
    has_teams: bool,
    timeline: Timeline,
    pager: Pager,
    q: String,
    is_by_end: bool,
    mine: bool,
    weeks: usize,
}

/// Something that needs a decision.
struct Notice {
    kind: &'static str,
    team: String,
    slug: String,
    text: String,
    /// An override to decide here.
    decide: Option<OverrideView>,
    href: String,
    action: &'static str,
}

/// A team's row.
struct Card {
    name: String,
    slug: String,
    services: String,
    person: Option<Person>,
    source: &'static str,
    until: Option<When>,
    next: Option<(Person, When)>,
    rotation: String,
    is_override: bool,
}

/// `GET /`
pub async fn show(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    let weeks = if filter.weeks == "4" { 4 } else { 2 };
    let is_by_end = filter.sort == "until";
    let mine = filter.mine.is_some() && visitor.ctx.user().is_some();
    let q = filter.q.trim().to_owned();
    let query = OverviewQuery {
        q: (!q.is_empty()).then(|| q.clone()),
        member: visitor.ctx.user().filter(|_| mine).cloned(),
        sort: if is_by_end { Sort::Until } else { Sort::Name },
        days: weeks * 7,
    };
    let paging = paging(filter.page.as_deref(), TEAMS);
    let (overview, people) = api
        .run(move |app| {
            let overview = overview(app, &query, &paging)?;
            let people = People::load(app, ids(&overview))?;
            Ok((overview, people))
        })
        .await?;
    let weeks_text = weeks.to_string();
    let query = [
        ("q", q.as_str()),
        ("sort", if is_by_end { "until" } else { "" }),
        ("mine", if mine { "on" } else { "" }),
        ("weeks", if weeks == 4 { &weeks_text } else { "" }),
    ];
    let has_gap = overview
        .attention
        .iter()
        .any(|it| matches!(it.matter, Matter::Gap { start_date, .. } if start_date == it.today));
    let page = Dashboard {
        layout: visitor
            .layout("On call", Nav::OnCall)
            .alarmed(has_gap)
            .live(),
        summary: summary(&overview),
        next_handoff: overview.next_handoff.as_ref().map(|next| {
            let at = When::new(next.at, &next.timezone, visitor.now);
            (at, next.team_name.clone(), next.team_slug.clone())
        }),
        notices: overview
            .attention
            .iter()
            .take(NOTICES)
            .map(|attention| notice(attention, &people, &visitor))
            .collect(),
        more_notices: overview.attention.len().saturating_sub(NOTICES),
        pager: Pager::new(&overview.teams, "/", &query),
        timeline: timeline(&overview, &people, weeks),
        cards: overview
            .teams
            .items
            .iter()
            .map(|team| card(team, &people, &visitor))
            .collect(),
        has_teams: overview.active_teams > 0,
        q,
        is_by_end,
        mine,
        weeks: weeks as usize,
    };
    visitor.page(&page)
}

/// Everybody who is named.
fn ids(overview: &Overview) -> Vec<&str> {
    let mut ids = Vec::new();
    for team in &overview.teams.items {
        ids.extend(team.stretches.iter().map(|stretch| stretch.user.as_str()));
        ids.extend(team.on_call.engineer_slack_id.as_deref());
        let next = team.on_call.next.as_ref();
        ids.extend(next.map(|next| next.engineer_slack_id.as_str()));
    }
    for attention in overview.attention.iter().take(NOTICES) {
        if let Matter::PendingOverride(row) = &attention.matter {
            ids.push(&row.substitute_slack_id);
            ids.extend(row.requested_by.as_deref());
        }
    }
    ids
}

fn summary(overview: &Overview) -> String {
    let teams = match overview.active_teams {
        1 => "1 team".to_owned(),
        count => format!("{count} teams"),
    };
    match overview.attention.len() {
        0 => format!("{teams}, nothing needs a decision"),
        1 => format!("{teams}, 1 thing needs a decision"),
        count => format!("{teams}, {count} things need a decision"),
    }
}

fn notice(attention: &Attention, people: &People, visitor: &Visitor) -> Notice {
    let slug = &attention.team_slug;
    let today = attention.today;
    let mut notice = Notice {
        kind: "bad",
        team: attention.team_name.clone(),
        slug: slug.clone(),
        text: String::new(),
        decide: None,
        href: format!("/teams/{slug}"),
        action: "Look",
    };
    match &attention.matter {
        Matter::OverdueHandoff { since } => {
            let since = When::new(*since, "UTC", visitor.now);
            notice.text = format!("The handoff of {} UTC has not been done.", since.text);
            notice.href = format!("/teams/{slug}/history");
        }
        Matter::Gap {
            start_date,
            end_date,
        } => {
            let when = days(*start_date, *end_date, today);
            notice.text = format!("Nobody is on call on {when}.");
            notice.href =
                format!("/teams/{slug}/overrides/new?start_date={start_date}&end_date={end_date}");
            notice.action = "Find cover";
        }
        Matter::PendingOverride(row) => {
            notice.kind = "warn";
            let when = days(row.start_date, row.end_date, today);
            let substitute = people.get(&row.substitute_slack_id).name;
            notice.text = match people.find(row.requested_by.as_deref()) {
                Some(who) => format!("{} asks that {substitute} take {when}.", who.name),
                None => format!("{substitute} is to take {when}."),
            };
            notice.decide = Some((**row).clone());
        }
        Matter::Plugin(problem) => {
            notice.text.clone_from(problem);
            notice.href = format!("/teams/{slug}/rotation");
        }
    }
    notice
}

fn card(of: &TeamOverview, people: &People, visitor: &Visitor) -> Card {
    let (team, on_call) = (&of.team, &of.on_call);
    let when = |at| When::new(at, &team.timezone, visitor.now);
    let mut services = of
        .services
        .iter()
        .take(SERVICES)
        .cloned()
        .collect::<Vec<_>>();
    if of.services.len() > SERVICES {
        services.push("…".to_owned());
    }
    Card {
        name: team.name.clone(),
        slug: team.slug.clone(),
        services: services.join(", "),
        person: people.find(on_call.engineer_slack_id.as_deref()),
        source: on_call.source.as_str(),
        until: on_call.ends_at.map(when),
        next: on_call
            .next
            .as_ref()
            .map(|next| (people.get(&next.engineer_slack_id), when(next.starts_at))),
        rotation: rotation(of),
        is_override: on_call.source == Source::Override,
    }
}

fn rotation(of: &TeamOverview) -> String {
    let team = &of.team;
    if !team.rotation_enabled {
        return "by hand".to_owned();
    }
    let kind = match team.rotation_type.split_once(':') {
        Some((_, plugin)) => format!("{plugin} (plugin)"),
        None => team.rotation_type.replace('_', " "),
    };
    format!("{kind}, {}", team.rotation_interval.as_str())
}

/// A row a team. Teams of other zones may be a day ahead or behind: the timeline begins with the
/// earliest on-call day.
fn timeline(overview: &Overview, people: &People, weeks: u32) -> Timeline {
    let teams = &overview.teams.items;
    let count = weeks as usize * 7;
    let dates = teams.iter().map(|team| team.on_call.date);
    let first = dates.min().unwrap_or_default();
    let mut timeline = Timeline::new("Team", first, count, first);
    for of in teams {
        let (slug, today) = (&of.team.slug, of.on_call.date);
        let href = format!("/teams/{slug}");
        let shifts = of.stretches.iter().map(|it| {
            let dates = (it.start_date, it.end_date);
            let shift = Shift::on_call(people, &it.user, it.source, dates, today, href.clone());
            let (start, end) = dates;
            Span { start, end, shift }
        });
        let gaps = of.gaps.iter().map(|&(start, end)| {
            let href = format!("/teams/{slug}/overrides/new?start_date={start}&end_date={end}");
            let shift = Shift::gap((start, end), today, href);
            Span { start, end, shift }
        });
        let mut spans: Vec<_> = shifts.chain(gaps).collect();
        spans.sort_by_key(|span| span.start);
        let row = Row::new(&of.team.name, Some(href.clone()), (first, count), spans);
        timeline.rows.push(row);
    }
    timeline
}
