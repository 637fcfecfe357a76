//! The list of services, and what is done to one of them: delete, restore.

pub mod form;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use uuid::Uuid;

use super::prelude::*;
use crate::actions::{oncall, services, teams};
use crate::app::{App, Result};
use crate::domain::service::Tier;
use crate::web::view::link::Link;
use crate::wire::oncall::{OnCall, OnCallQuery};
use crate::wire::service::{ServiceFilter, ServiceInput, ServiceView};
use crate::wire::team::TeamView;
use crate::wire::{ActiveFilter, Page, Paging};

/// Services on a page.
const SERVICES: usize = 50;

/// Tiers by name.
const TIERS: [Tier; 3] = [Tier::Critical, Tier::Standard, Tier::Low];

/// All teams: one of them is chosen.
const ALL_TEAMS: Paging = Paging {
    page: None,
    page_size: Some(10_000),
};

/// Which services to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    team: String,
    tier: String,
    environment: String,
    is_active: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "services.html")]
struct Services {
    layout: Layout,
    rows: Vec<Row>,
    teams: Vec<TeamView>,
    filter: Filter,
    is_filtered: bool,
    pager: Pager,
}

/// A service's row.
struct Row {
    service: ServiceView,
    team: String,
    team_slug: String,
    owner: Option<Person>,
    repository: Option<Link>,
    tech_stack: String,
    person: Option<Person>,
    source: &'static str,
    until: Option<When>,
    /// Whether anybody answers for it: not where it or its team is deleted.
    is_served: bool,
}

/// A team, and who is on call for it unless it is deleted.
type Served = (TeamView, Option<OnCall>);

/// `GET /services`
pub async fn list(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let wanted = ServiceFilter {
        team: filled(&filter.team),
        tier: filled(&filter.tier),
        environment: filled(&filter.environment),
        is_active: Some(match filter.is_active.as_str() {
            "false" => ActiveFilter::False,
            "all" => ActiveFilter::All,
            _ => ActiveFilter::True,
        }),
        q: filled(&filter.q),
    };
    let is_filtered = [&wanted.team, &wanted.tier, &wanted.environment, &wanted.q]
        .iter()
        .any(|part| part.is_some());
    let paging = paging(filter.page.as_deref(), SERVICES);
    let (page, served, people, teams) = api
        .run(move |app| {
            let page = services::list(app, &wanted, &paging)?;
            let served = served(app, &page)?;
            let people = People::load(app, ids(&page, &served))?;
            let teams = teams::list(app, ActiveFilter::True, None, &ALL_TEAMS)?.items;
            Ok((page, served, people, teams))
        })
        .await?;
    let query = [
        ("q", filter.q.as_str()),
        ("team", filter.team.as_str()),
        ("tier", filter.tier.as_str()),
        ("environment", filter.environment.as_str()),
        ("is_active", filter.is_active.as_str()),
    ];
    let page = Services {
        layout: visitor.layout("Services", Nav::Services).live(),
        pager: Pager::new(&page, "/services", &query),
        rows: page
            .items
            .into_iter()
            .map(|service| row(service, &served, &people, &visitor))
            .collect(),
        teams,
        filter,
        is_filtered,
    };
    visitor.page(&page)
}

fn served(app: &App, page: &Page<ServiceView>) -> Result<BTreeMap<Uuid, Served>> {
    let mut served = BTreeMap::new();
    for service in &page.items {
        let Entry::Vacant(vacant) = served.entry(service.team_id) else {
            continue;
        };
        let id = service.team_id.to_string();
        let team = teams::get(app, &id)?;
        let query = OnCallQuery {
            team: Some(id),
            ..OnCallQuery::default()
        };
        let on_call = team.is_active.then(|| oncall::answer(app, &query));
        vacant.insert((team, on_call.transpose()?));
    }
    Ok(served)
}

fn ids<'a>(page: &'a Page<ServiceView>, served: &'a BTreeMap<Uuid, Served>) -> Vec<&'a str> {
    let owners = page.items.iter();
    let owners = owners.filter_map(|service| service.owner_slack_id.as_deref());
    let on_call = served.values().filter_map(|(_, on_call)| on_call.as_ref());
    let on_call = on_call.filter_map(|on_call| on_call.engineer_slack_id.as_deref());
    owners.chain(on_call).collect()
}

fn row(
    service: ServiceView,
    served: &BTreeMap<Uuid, Served>,
    people: &People,
    visitor: &Visitor,
) -> Row {
    let (team, on_call) = match served.get(&service.team_id) {
        Some((team, on_call)) => (Some(team), on_call.as_ref().filter(|_| service.is_active)),
        None => (None, None),
    };
    let engineer = on_call.and_then(|it| it.engineer_slack_id.as_deref());
    let until = on_call.and_then(|it| Some(When::new(it.ends_at?, &it.timezone, visitor.now)));
    Row {
        team: team.map_or_else(String::new, |team| team.name.clone()),
        team_slug: team.map_or_else(String::new, |team| {
            if team.is_active {
                team.slug.clone()
            } else {
                team.id.to_string()
            }
        }),
        owner: people.find(service.owner_slack_id.as_deref()),
        repository: service.repository_url.as_deref().map(Link::new),
        tech_stack: service.tech_stack.join(", "),
        person: people.find(engineer),
        source: on_call.map_or("none", |it| it.source.as_str()),
        until,
        is_served: on_call.is_some(),
        service,
    }
}

#[derive(Template)]
#[template(path = "service_delete.html")]
struct Delete {
    layout: Layout,
    service: ServiceView,
}

/// `GET /services/{service}/delete`
pub async fn ask_to_delete(
    State(api): State<Api>,
    visitor: Visitor,
    Path(service): Path<String>,
) -> Shown {
    let service = api.run(move |app| services::get(app, &service)).await?;
    let layout = visitor.layout("Delete service", Nav::Services);
    visitor.page(&Delete { layout, service })
}

/// `POST /services/{service}/delete`
pub async fn delete(
    State(api): State<Api>,
    visitor: Visitor,
    Path(service): Path<String>,
) -> Shown {
    let ctx = visitor.ctx.clone();
    let action = move |app: &App| {
        let old = services::get(app, &service)?;
        services::delete(app, &ctx, &old.id.to_string())?;
        Ok(old)
    };
    let old = api.run(action).await?;
    let undo = Undo {
        action: format!("/services/{}/restore", old.id),
        fields: Vec::new(),
    };
    let text = format!("Service {} is deleted.", old.name);
    Ok(redirect_undoable("/services", &text, &undo))
}

/// `POST /services/{service}/restore`
pub async fn restore(
    State(api): State<Api>,
    visitor: Visitor,
    Path(service): Path<String>,
) -> Shown {
    let ctx = visitor.ctx.clone();
    let input = ServiceInput {
        is_active: Some(true),
        ..ServiceInput::default()
    };
    let restored = api.run(move |app| services::update(app, &ctx, &service, &input));
    match restored.await {
        Ok(service) => {
            let text = format!("Service {} is back.", service.name);
            Ok(redirect_saying("/services", &text))
        }
        // Another one has its name by now.
        Err(problem) if problem.status == 409 => {
            let path = "/services?is_active=false";
            Ok(redirect_refusing(path, &problem.detail))
        }
        Err(problem) => Err(problem),
    }
}
