//! The list of teams, and the form that makes one.

use super::prelude::*;
use crate::actions::teams;
use crate::domain::zone::Zone;
use crate::wire::ActiveFilter;
use crate::wire::team::{TeamInput, TeamView};

/// Teams on a page.
const TEAMS: usize = 100;

/// Which teams to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    is_active: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "teams.html")]
struct Teams {
    layout: Layout,
    rows: Vec<TeamView>,
    q: String,
    active: String,
    pager: Pager,
}

/// `GET /teams`
pub async fn list(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    let active = match filter.is_active.as_str() {
        "false" => ActiveFilter::False,
        "all" => ActiveFilter::All,
        _ => ActiveFilter::True,
    };
    let q = filter.q.trim().to_owned();
    let (part, paging) = (q.clone(), paging(filter.page.as_deref(), TEAMS));
    let page = api.run(move |app| {
        let part = (!part.is_empty()).then_some(part.as_str());
        teams::list(app, active, part, &paging)
    });
    let page = page.await?;
    let query = [("q", q.as_str()), ("is_active", filter.is_active.as_str())];
    let page = Teams {
        layout: visitor.layout("Teams", Nav::Teams).live(),
        pager: Pager::new(&page, "/teams", &query),
        rows: page.items,
        q,
        active: filter.is_active,
    };
    visitor.page(&page)
}

#[derive(Template)]
#[template(path = "team_form.html")]
pub(super) struct TeamForm {
    pub layout: Layout,
    pub form: FormState,
    pub action: String,
    pub submit: &'static str,
    pub version: String,
    pub zones: Vec<&'static str>,
}

/// `GET /teams/new`
pub async fn new(visitor: Visitor) -> Shown {
    show_new(&visitor, FormState::of([("timezone", "UTC".to_owned())]))
}

fn show_new(visitor: &Visitor, form: FormState) -> Shown {
    let status = form.status();
    let page = TeamForm {
        layout: visitor.layout("New team", Nav::Teams),
        form,
        action: "/teams".to_owned(),
        submit: "Create team",
        version: String::new(),
        zones: Zone::names(),
    };
    visitor.page_with(status, &page)
}

/// `POST /teams`
pub async fn create(State(api): State<Api>, visitor: Visitor, form: Form) -> Shown {
    let (ctx, input) = (visitor.ctx.clone(), input_of(&form));
    match api.run(move |app| teams::create(app, &ctx, &input)).await {
        Ok(team) => {
            let text = format!("Team {} is created. Now add its members.", team.name);
            Ok(redirect_saying(
                &format!("/teams/{}/members", team.slug),
                &text,
            ))
        }
        Err(problem) => show_new(&visitor, FormState::to_correct(&form, problem)?),
    }
}

/// What the form asks for; what stands empty is cleared.
pub(super) fn input_of(form: &Form) -> TeamInput {
    TeamInput {
        name: Some(form.text("name").to_owned()),
        description: Some(form.filled("description")),
        slack_group_id: Some(form.filled("slack_group_id")),
        slack_channel_id: Some(form.filled("slack_channel_id")),
        timezone: form.filled("timezone"),
        overrides_require_approval: Some(Some(form.is_on("overrides_require_approval"))),
        version: form.text("version").parse().ok(),
        ..TeamInput::default()
    }
}
