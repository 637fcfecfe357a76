//! What may have been meant where a team or a service isn't found.

use super::args::Query;
use super::client::{Client, Request};
use crate::domain::suggest::nearest;
use crate::wire::Page;
use crate::wire::service::ServiceView;
use crate::wire::team::TeamView;

/// Teams and services that are looked at: hosts have tens, and a hint may miss.
const ENOUGH: usize = 200;

/// A line about what isn't there, if the request names a team or a service that there isn't.
pub(super) async fn hint(client: &Client, request: &Request<'_>) -> Option<String> {
    let parameter = |name| {
        let mut query = request.query.0.iter();
        query
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    };
    let team = named(request, "teams").or_else(|| parameter("team"));
    let service = named(request, "services").or_else(|| parameter("service"));
    if let Some(name) = team
        && let Some(hint) = team_hint(client, name).await
    {
        return Some(hint);
    }
    service_hint(client, service?).await
}

/// The segment behind `collection`, where the path begins with that.
fn named<'a>(request: &Request<'a>, collection: &str) -> Option<&'a str> {
    let (first, name) = (request.path.first()?, request.path.get(1)?);
    (*first == collection).then_some(*name)
}

/// A line about a team that there isn't.
pub(super) async fn team_hint(client: &Client, name: &str) -> Option<String> {
    let teams: Page<TeamView> = client.peek(&["teams"], whole("all")).await?;
    let is_known = |team: &&TeamView| team.slug == name || team.id.to_string() == name;
    if teams.items.iter().any(|team| is_known(&team)) {
        return None;
    }
    let active = || teams.items.iter().filter(|team| team.is_active);
    let by_name = |team: &&TeamView| team.name.eq_ignore_ascii_case(name);
    let meant = active().find(by_name).map(|team| team.slug.as_str());
    if let Some(slug) = meant.or_else(|| nearest(name, active().map(|team| team.slug.as_str()))) {
        return Some(format!("did you mean `{slug}`?"));
    }
    let services: Option<Page<ServiceView>> = client.peek(&["services"], whole("true")).await;
    let mut services = services.into_iter().flat_map(|page| page.items);
    if services.any(|service| service.name.eq_ignore_ascii_case(name)) {
        return Some(format!(
            "there is a service with that name: `oncalld who --service {name}`"
        ));
    }
    Some("`oncalld team list` lists the teams".to_owned())
}

async fn service_hint(client: &Client, name: &str) -> Option<String> {
    let services: Page<ServiceView> = client.peek(&["services"], whole("true")).await?;
    let names = || services.items.iter().map(|service| service.name.as_str());
    let is_known = |service: &ServiceView| {
        service.name.eq_ignore_ascii_case(name) || service.id.to_string() == name
    };
    if services.items.iter().any(is_known) {
        return None;
    }
    Some(nearest(name, names()).map_or_else(
        || "`oncalld service list` lists the services".to_owned(),
        |meant| format!("did you mean `{meant}`?"),
    ))
}

fn whole(is_active: &str) -> Query {
    let query = Query::default().set("is_active", Some(is_active));
    query.set("page_size", Some(ENOUGH))
}
