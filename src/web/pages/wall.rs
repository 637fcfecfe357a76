//! The wall view: who is on call in every team, for a monitor that nobody touches.

use super::prelude::*;
use crate::actions::overview::{OverviewQuery, Sort, overview};
use crate::rotation::coverage::Source;
use crate::wire::overview::{Matter, Overview, TeamOverview};

/// Teams that a wall shows; whoever has more filters them by `q`.
const TEAMS: usize = 120;
/// Days in which a gap to come is told.
const DAYS_AHEAD: u32 = 7;

/// Which teams to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
}

#[derive(Template)]
#[template(path = "wall.html")]
struct Wall {
    layout: Layout,
    clock: When,
    summary: String,
    cards: Vec<Card>,
    /// Class of how many cards there are, which says how large they can be.
    size: &'static str,
    more: usize,
}

/// A team's card.
struct Card {
    name: String,
    slug: String,
    person: Option<Person>,
    source: &'static str,
    until: Option<When>,
    next: Option<(Person, When)>,
    /// Class: `gap` where somebody was to be on call, `idle` where nobody is planned at all, `warn`
    /// where a gap comes soon, else `fine`.
    state: &'static str,
    /// The gap to come.
    gap: String,
}

/// `GET /wall`
pub async fn show(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    let q = filter.q.trim().to_owned();
    let query = OverviewQuery {
        q: (!q.is_empty()).then_some(q),
        sort: Sort::Until,
        days: DAYS_AHEAD,
        ..OverviewQuery::default()
    };
    let paging = paging(None, TEAMS);
    let (overview, people) = api
        .run(move |app| {
            let overview = overview(app, &query, &paging)?;
            let people = People::load(app, ids(&overview))?;
            Ok((overview, people))
        })
        .await?;
    let teams = overview.teams.items.iter();
    let mut cards: Vec<_> = teams.map(|team| card(team, &people, &visitor)).collect();
    // What alarms comes first; all else stays where it is, so that people know where to look.
    cards.sort_by_cached_key(|card| (card.state != "gap", card.name.to_lowercase()));
    let has_gap = cards.iter().any(|card| card.state == "gap");
    let page = Wall {
        layout: visitor
            .layout("Wall", Nav::None)
            .alarmed(has_gap || has_gap_elsewhere(&overview))
            .live(),
        clock: When::new(visitor.now, "UTC", visitor.now),
        summary: summary(&overview, &cards),
        size: match cards.len() {
            0..=6 => "few",
            7..=16 => "some",
            17..=40 => "many",
            _ => "crowd",
        },
        more: overview.teams.total.saturating_sub(cards.len()),
        cards,
    };
    visitor.page(&page)
}

/// Everybody who is named.
fn ids(overview: &Overview) -> impl Iterator<Item = &str> {
    let answers = overview.teams.items.iter().map(|team| &team.on_call);
    answers.flat_map(|on_call| {
        let next = on_call.next.as_ref();
        let next = next.map(|next| next.engineer_slack_id.as_str());
        on_call.engineer_slack_id.as_deref().into_iter().chain(next)
    })
}

/// Whether a team that has no card has nobody on call.
fn has_gap_elsewhere(overview: &Overview) -> bool {
    overview
        .attention
        .iter()
        .any(|it| matches!(it.matter, Matter::Gap { start_date, .. } if start_date == it.today))
}

fn summary(overview: &Overview, cards: &[Card]) -> String {
    let teams = match overview.teams.total {
        1 => "1 team".to_owned(),
        count => format!("{count} teams"),
    };
    match cards.iter().filter(|card| card.state == "gap").count() {
        0 => teams,
        1 => format!("{teams}, nobody on call in 1"),
        gaps => format!("{teams}, nobody on call in {gaps}"),
    }
}

fn card(of: &TeamOverview, people: &People, visitor: &Visitor) -> Card {
    let on_call = &of.on_call;
    let when = |at| When::new(at, &on_call.timezone, visitor.now);
    let gap = of.gaps.first();
    let person = people.find(on_call.engineer_slack_id.as_deref());
    Card {
        name: of.team.name.clone(),
        slug: of.team.slug.clone(),
        source: match on_call.source {
            Source::Override => "override",
            Source::Manual => "manual",
            Source::Auto | Source::None => "",
        },
        until: on_call.ends_at.map(when),
        next: on_call
            .next
            .as_ref()
            .map(|next| (people.get(&next.engineer_slack_id), when(next.starts_at))),
        state: match (&person, gap) {
            (None, Some(_)) => "gap",
            (None, None) => "idle",
            (Some(_), Some(_)) => "warn",
            (Some(_), None) => "fine",
        },
        gap: gap
            .map(|&(start, end)| days(start, end, on_call.date))
            .unwrap_or_default(),
        person,
    }
}
