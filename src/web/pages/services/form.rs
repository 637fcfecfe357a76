//! The form that makes a service or changes one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ALL_TEAMS;
use crate::actions::people::directory;
use crate::actions::{services, teams};
use crate::app::{App, Result};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::matching::fold;
use crate::domain::service::Tier;
use crate::web::pages::prelude::*;
use crate::wire::ActiveFilter;
use crate::wire::service::{ServiceInput, ServiceView};
use crate::wire::team::TeamView;

/// Rows of metadata that are empty at first.
const SPARE_ROWS: usize = 2;

/// People that are offered as owners at most.
const OFFERED: usize = 6;

#[derive(Template)]
#[template(path = "service_form.html")]
struct ServiceForm {
    layout: Layout,
    form: FormState,
    action: String,
    submit: &'static str,
    version: String,
    teams: Vec<(String, String)>,
    tiers: Vec<(&'static str, &'static str)>,
    /// Who fits what was typed as owner.
    found: Vec<(String, String)>,
    /// Names of the fields of the rows of metadata.
    rows: Vec<(String, String)>,
}

/// `GET /services/new`
pub async fn new(
    State(api): State<Api>,
    visitor: Visitor,
    Query(typed): Query<BTreeMap<String, String>>,
) -> Shown {
    let typed = typed.iter();
    let mut form = FormState::of(typed.map(|(name, value)| (name.as_str(), value.clone())));
    if form.value("tier").is_empty() {
        form.set("tier", Tier::Standard.as_str());
    }
    show_form(&api, &visitor, None, form).await
}

/// `POST /services`
pub async fn create(State(api): State<Api>, visitor: Visitor, form: Form) -> Shown {
    match save_as(&api, &visitor, None, &form).await {
        Ok(service) => {
            let text = format!("Service {} is there.", service.name);
            Ok(redirect_saying("/services", &text))
        }
        Err(problem) => {
            let form = FormState::to_correct(&form, problem)?;
            show_form(&api, &visitor, None, form).await
        }
    }
}

/// `GET /services/{service}/edit`
pub async fn show(State(api): State<Api>, visitor: Visitor, Path(service): Path<String>) -> Shown {
    let service = api.run(move |app| services::get(app, &service)).await?;
    let form = form_of(&service);
    show_form(&api, &visitor, Some(service), form).await
}

/// `POST /services/{service}/edit`
pub async fn save(
    State(api): State<Api>,
    visitor: Visitor,
    Path(reference): Path<String>,
    form: Form,
) -> Shown {
    let present = api.run(move |app| services::get(app, &reference)).await?;
    match save_as(&api, &visitor, Some(present.clone()), &form).await {
        Ok(service) => {
            let text = format!("Service {} is saved.", service.name);
            Ok(redirect_saying("/services", &text))
        }
        Err(problem) => {
            let form = FormState::to_correct(&form, problem)?;
            let id = present.id.to_string();
            let now = api.run(move |app| services::get(app, &id)).await?;
            let path = format!("/services/{}/edit", now.id);
            let form = form.beside(&form_of(&now), &path);
            show_form(&api, &visitor, Some(now), form).await
        }
    }
}

/// Makes a service of a form, or changes the one that is there.
async fn save_as(
    api: &Api,
    visitor: &Visitor,
    present: Option<ServiceView>,
    form: &Form,
) -> std::result::Result<ServiceView, Problem> {
    let (ctx, form) = (visitor.ctx.clone(), form.clone());
    let action = move |app: &App| {
        let input = input_of(app, &form, present.as_ref())?;
        match present {
            None => services::create(app, &ctx, &input),
            Some(present) => services::update(app, &ctx, &present.id.to_string(), &input),
        }
    };
    api.run(action).await
}

/// What the form asks for; what stands empty is cleared.
fn input_of(app: &App, form: &Form, present: Option<&ServiceView>) -> Result<ServiceInput> {
    let stack = form.text("tech_stack");
    let is_stack_same = present.is_some_and(|it| it.tech_stack.join(", ") == stack);
    let entries = stack.split(',').map(str::trim);
    let entries = entries.filter(|entry| !entry.is_empty()).map(str::to_owned);
    let team = form.filled("team_id");
    // Of a team that is deleted meanwhile, the service still is.
    let is_team_same = |team: &String| present.is_some_and(|it| it.team_id.to_string() == *team);
    Ok(ServiceInput {
        name: Some(form.text("name").to_owned()),
        team_id: team.filter(|team| !is_team_same(team)),
        repository_url: Some(form.filled("repository_url")),
        environment: Some(form.filled("environment")),
        tier: form.filled("tier"),
        owner_slack_id: Some(owner(app, form)?),
        tech_stack: (!is_stack_same).then(|| entries.collect()),
        metadata: Some(metadata(form, present)?),
        version: form.text("version").parse().ok(),
        ..ServiceInput::default()
    })
}

/// The owner who is chosen, or whose id or full name is typed.
fn owner(app: &App, form: &Form) -> Result<Option<String>> {
    let chosen = form.filled("found");
    let Some(text) = chosen.or_else(|| form.filled("owner_slack_id")) else {
        return Ok(None);
    };
    if text.parse::<UserId>().is_ok() {
        return Ok(Some(text));
    }
    let wanted = fold(&text);
    let mut found = directory::search(app, &text, OFFERED)?.people;
    found.retain(|hit| fold(&hit.display_name) == wanted);
    match found.as_slice() {
        [only] => Ok(Some(only.slack_user_id.clone())),
        [] => {
            let message = format!(
                "`{text}` is not a user id, nor the name of anybody here: choose somebody below, \
                 or give an id such as U0123456789"
            );
            Err(Invalid::one("owner_slack_id", message).into())
        }
        _ => {
            let message = format!("several people are called `{text}`: choose one below");
            Err(Invalid::one("owner_slack_id", message).into())
        }
    }
}

/// The rows of metadata as an object. A value that reads as it did stays what it was, a number or
/// a list too; others are texts.
fn metadata(form: &Form, present: Option<&ServiceView>) -> Result<Value> {
    let (mut object, mut invalid) = (Map::new(), Invalid::default());
    let rows = (0..).map(row_fields);
    for (key_field, value_field) in rows.take_while(|(key, _)| form.has(key)) {
        let (key, text) = (form.text(&key_field), form.text(&value_field));
        if key.is_empty() {
            invalid.check(text.is_empty(), &key_field, "is needed with a value");
            continue;
        }
        let was = present.and_then(|it| it.metadata.get(key));
        let was = was
            .filter(|was| one_line(&shown(was)) == one_line(text))
            .cloned();
        let value = was.unwrap_or_else(|| Value::String(text.to_owned()));
        if object.insert(key.to_owned(), value).is_some() {
            invalid.add(&key_field, format!("`{key}` is there twice"));
        }
    }
    invalid
        .into_result(Value::Object(object))
        .map_err(Into::into)
}

/// A text as it comes back from a field of one line.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], "").trim().to_owned()
}

fn row_fields(index: usize) -> (String, String) {
    (format!("key_{index}"), format!("value_{index}"))
}

/// A value of metadata as the form has it: texts as they are, all else as JSON.
pub(in crate::web::pages) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn form_of(service: &ServiceView) -> FormState {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut form = FormState::of([
        ("name", service.name.clone()),
        ("team_id", service.team_id.to_string()),
        ("repository_url", text(&service.repository_url)),
        ("environment", text(&service.environment)),
        ("tier", service.tier.as_str().to_owned()),
        ("owner_slack_id", text(&service.owner_slack_id)),
        ("tech_stack", service.tech_stack.join(", ")),
        ("version", service.version.to_string()),
    ]);
    let entries = service.metadata.as_object().into_iter().flatten();
    for (index, (key, value)) in entries.enumerate() {
        let (key_field, value_field) = row_fields(index);
        form.set(&key_field, key);
        form.set(&value_field, shown(value));
    }
    form
}

async fn show_form(
    api: &Api,
    visitor: &Visitor,
    service: Option<ServiceView>,
    form: FormState,
) -> Shown {
    let wanted = form.value("owner_slack_id").trim().to_owned();
    let team = service.as_ref().map(|service| service.team_id.to_string());
    let (teams, found) = api
        .run(move |app| {
            let mut teams = teams::list(app, ActiveFilter::True, None, &ALL_TEAMS)?.items;
            if let Some(id) = team
                && teams.iter().all(|it| it.id.to_string() != id)
            {
                teams.push(teams::get(app, &id)?);
            }
            let found = match wanted.as_str() {
                "" => Vec::new(),
                wanted => directory::search(app, wanted, OFFERED)?.people,
            };
            Ok((teams, found))
        })
        .await?;
    let name = |team: TeamView| {
        let name = if team.is_active {
            team.name
        } else {
            format!("{} (deleted)", team.name)
        };
        (team.id.to_string(), name)
    };
    let is_filled = |(key, value): &(String, String)| {
        !form.value(key).is_empty() || !form.value(value).is_empty()
    };
    let rows = (0..).map(row_fields).take_while(|(key, _)| form.has(key));
    let rows = rows.collect::<Vec<_>>();
    let filled = rows.iter().rposition(is_filled).map_or(0, |last| last + 1);
    let page = ServiceForm {
        layout: visitor.layout(
            if service.is_some() {
                "Edit service"
            } else {
                "New service"
            },
            Nav::Services,
        ),
        action: service.as_ref().map_or_else(
            || "/services".to_owned(),
            |service| format!("/services/{}/edit", service.id),
        ),
        submit: if service.is_some() {
            "Save"
        } else {
            "Create service"
        },
        version: form.value("version").to_owned(),
        teams: std::iter::once((String::new(), "Choose a team".to_owned()))
            .filter(|_| service.is_none())
            .chain(teams.into_iter().map(name))
            .collect(),
        tiers: vec![
            ("critical", "critical: the business stops without it"),
            ("standard", "standard"),
            ("low", "low: it can wait"),
        ],
        found: found
            .into_iter()
            .map(|hit| (hit.slack_user_id, hit.display_name))
            .collect(),
        rows: (0..filled + SPARE_ROWS).map(row_fields).collect(),
        form,
    };
    visitor.page_with(page.form.status(), &page)
}
