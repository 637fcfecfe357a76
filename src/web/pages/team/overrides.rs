//! Overrides: the list of a team's, one by itself, and what is decided of it.

use chrono::NaiveDate;

use super::{Crew, Tab, TeamData, TeamHead, Typed};
use crate::actions::overrides;
use crate::app::App;
use crate::domain::shift_override::OverrideStatus;
use crate::web::pages::prelude::*;
use crate::wire::shift_override::{Decision, OverrideFilter, OverrideView};
use crate::wire::team::TeamView;

/// Overrides on a page.
const OVERRIDES: usize = 50;

/// Which overrides to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    status: String,
    /// `past` for those whose days are over, too.
    when: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "team_overrides.html")]
struct Overrides {
    layout: Layout,
    head: TeamHead,
    rows: Vec<Line>,
    statuses: Vec<&'static str>,
    status: String,
    with_past: bool,
    pager: Pager,
    names_decider: bool,
}

/// An override as it is shown.
struct Line {
    row: OverrideView,
    substitute: Person,
    days: String,
    requested_by: Option<Person>,
    decided_by: Option<Person>,
    decided: Option<When>,
    may_be_decided: bool,
    may_be_cancelled: bool,
}

impl Line {
    fn new(
        row: OverrideView,
        team: &TeamView,
        people: &People,
        today: NaiveDate,
        visitor: &Visitor,
    ) -> Self {
        let is_over = row.end_date < today;
        let is_open = team.is_active && row.status.may_become(OverrideStatus::Cancelled);
        let decided = row.decided_at;
        Self {
            substitute: people.get(&row.substitute_slack_id),
            days: days(row.start_date, row.end_date, today),
            requested_by: people.find(row.requested_by.as_deref()),
            decided_by: people.find(row.approved_by.as_deref()),
            decided: decided.map(|at| When::new(at, &team.timezone, visitor.now)),
            may_be_decided: team.is_active && row.status == OverrideStatus::Pending,
            may_be_cancelled: is_open && !is_over,
            row,
        }
    }
}

/// Everybody whom an override names.
fn ids(row: &OverrideView) -> impl Iterator<Item = &str> {
    let others = [row.requested_by.as_deref(), row.approved_by.as_deref()];
    let substitute = Some(row.substitute_slack_id.as_str());
    [substitute].into_iter().chain(others).flatten()
}

/// Whether a decision has to name who decides: the token acts for nobody.
fn names_decider(visitor: &Visitor) -> bool {
    visitor.ctx.user().is_none() && !visitor.ctx.is_admin()
}

/// `GET /teams/{team}/overrides`
pub async fn list(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(filter): Query<Filter>,
) -> Shown {
    let known = |status: &&OverrideStatus| status.as_str() == filter.status;
    let status = OverrideStatus::ALL
        .iter()
        .find(known)
        .map(|status| status.as_str());
    let with_past = filter.when == "past";
    let paging = paging(filter.page.as_deref(), OVERRIDES);
    let (data, list, people) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let wanted = OverrideFilter {
                from: (!with_past).then_some(data.today),
                to: None,
                status: status.map(ToOwned::to_owned),
            };
            let list = overrides::list(app, &data.team.id.to_string(), &wanted, &paging)?;
            let named = list.items.iter().flat_map(ids);
            let people = People::load(app, data.ids().into_iter().chain(named))?;
            Ok((data, list, people))
        })
        .await?;
    let head = TeamHead::new(&data, Tab::Overrides, &people, &visitor);
    let path = format!("/teams/{}/overrides", data.team.slug);
    let query = [
        ("status", status.unwrap_or_default()),
        ("when", if with_past { "past" } else { "" }),
    ];
    let pager = Pager::new(&list, &path, &query);
    let line = |row| Line::new(row, &data.team, &people, data.today, &visitor);
    let page = Overrides {
        layout: visitor
            .layout(format!("Overrides, {}", data.team.name), Nav::Teams)
            .alarmed(head.is_alarming())
            .live(),
        head,
        rows: list.items.into_iter().map(line).collect(),
        statuses: OverrideStatus::ALL
            .iter()
            .map(|status| status.as_str())
            .collect(),
        status: status.unwrap_or_default().to_owned(),
        with_past,
        pager,
        names_decider: names_decider(&visitor),
    };
    visitor.page(&page)
}

#[derive(Template)]
#[template(path = "override.html")]
struct OverridePage {
    layout: Layout,
    team: TeamView,
    line: Line,
    starts: When,
    ends: When,
    /// Who may be named as the one who decides; nobody where the token says who acts.
    deciders: Vec<Person>,
    form: FormState,
}

/// `GET /teams/{team}/overrides/{id}`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
) -> Shown {
    show_override(&api, &visitor, team, id, FormState::default()).await
}

async fn show_override(
    api: &Api,
    visitor: &Visitor,
    team: String,
    id: String,
    mut form: FormState,
) -> Shown {
    let (row, crew) = load(api, team, id).await?;
    let seen = form.value("version");
    if !seen.is_empty() && seen != row.version.to_string() {
        form.message = Some("Somebody else was quicker: this is how it stands now.".to_owned());
    }
    let team = crew.team.clone();
    let page = OverridePage {
        layout: visitor.layout(format!("Override, {}", team.name), Nav::Teams),
        starts: When::new(row.starts_at, &team.timezone, visitor.now),
        ends: When::new(row.ends_at, &team.timezone, visitor.now),
        deciders: match visitor.ctx.user() {
            None => crew.leads(),
            Some(_) => Vec::new(),
        },
        line: Line::new(row, &team, &crew.people, crew.today, visitor),
        team,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

async fn load(api: &Api, team: String, id: String) -> Typed<(OverrideView, Crew)> {
    let load = move |app: &App| {
        let row = overrides::get(app, &team, &id)?;
        let named: Vec<_> = ids(&row).collect();
        let crew = Crew::load(app, &team, &named)?;
        Ok((row, crew))
    };
    api.run(load).await
}

#[derive(Template)]
#[template(path = "override_cancel.html")]
struct Cancel {
    layout: Layout,
    team: TeamView,
    line: Line,
    deciders: Vec<Person>,
    form: FormState,
}

/// `GET /teams/{team}/overrides/{id}/delete`
pub async fn ask_to_cancel(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
) -> Shown {
    let (row, crew) = load(&api, team, id).await?;
    let page = Cancel {
        layout: visitor.layout("Cancel override", Nav::Teams),
        // Who asked may take it back, too.
        deciders: match visitor.ctx.user() {
            None => crew.choice(row.requested_by.as_deref()),
            Some(_) => Vec::new(),
        },
        line: Line::new(row, &crew.team, &crew.people, crew.today, &visitor),
        team: crew.team,
        form: FormState::default(),
    };
    visitor.page(&page)
}

/// `POST /teams/{team}/overrides/{id}/decide`
pub async fn decide(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
    form: Form,
) -> Shown {
    let path = format!("/teams/{team}/overrides");
    let decision = Decision {
        status: form.text("status").to_owned(),
        approved_by: form.person("approved_by"),
        reason: form.filled("reason"),
        version: form.read("version", "a version")?,
    };
    if decision.approved_by.is_none() && names_decider(&visitor) {
        let text = "Your token acts for nobody: say here which lead decides.";
        return Ok(redirect_refusing(&format!("{path}/{id}"), text));
    }
    let (ctx, reference, row) = (visitor.ctx.clone(), team.clone(), id.clone());
    let done = api
        .run(move |app| overrides::decide(app, &ctx, &reference, &row, &decision))
        .await;
    match done {
        Ok(row) => {
            let text = format!("The override is {}.", row.status);
            Ok(redirect_saying(&form.filled("next").unwrap_or(path), &text))
        }
        Err(problem) => {
            // It is shown as it stands now, and what can still be decided.
            let sent = FormState::to_correct(&form, problem)?;
            show_override(&api, &visitor, team, id, sent).await
        }
    }
}
