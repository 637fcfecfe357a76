//! Edit a team, delete it, restore it.

use super::super::teams::{TeamForm, input_of};

use crate::actions::teams;
use crate::domain::zone::Zone;
use crate::web::pages::prelude::*;
use crate::wire::team::{TeamInput, TeamView};

/// `GET /teams/{team}/edit`
pub async fn show(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    let team = api.run(move |app| teams::get(app, &team)).await?;
    show_form(&visitor, &team.slug, form_of(&team))
}

fn form_of(team: &TeamView) -> FormState {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    FormState::of([
        ("name", team.name.clone()),
        ("description", text(&team.description)),
        ("timezone", team.timezone.clone()),
        ("slack_channel_id", text(&team.slack_channel_id)),
        ("slack_group_id", text(&team.slack_group_id)),
        (
            "overrides_require_approval",
            team.overrides_require_approval.to_string(),
        ),
        ("version", team.version.to_string()),
    ])
}

fn show_form(visitor: &Visitor, slug: &str, form: FormState) -> Shown {
    let status = form.status();
    let page = TeamForm {
        layout: visitor.layout("Edit team", Nav::Teams),
        action: format!("/teams/{slug}/edit"),
        submit: "Save",
        version: form.value("version").to_owned(),
        zones: Zone::names(),
        form,
    };
    visitor.page_with(status, &page)
}

/// `POST /teams/{team}/edit`
pub async fn save(
    State(api): State<Api>,
    visitor: Visitor,
    Path(slug): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, input, reference) = (visitor.ctx.clone(), input_of(&form), slug.clone());
    match api
        .run(move |app| teams::update(app, &ctx, &reference, &input))
        .await
    {
        Ok(team) => Ok(redirect_saying(
            &format!("/teams/{}", team.slug),
            "The team is saved.",
        )),
        Err(problem) => {
            let form = FormState::to_correct(&form, problem)?;
            let (reference, path) = (slug.clone(), format!("/teams/{slug}/edit"));
            let present = api.run(move |app| teams::get(app, &reference)).await?;
            show_form(&visitor, &slug, form.beside(&form_of(&present), &path))
        }
    }
}

#[derive(Template)]
#[template(path = "team_delete.html")]
struct Delete {
    layout: Layout,
    team: TeamView,
}

/// `GET /teams/{team}/delete`
pub async fn ask_to_delete(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
) -> Shown {
    let team = api.run(move |app| teams::get(app, &team)).await?;
    let layout = visitor.layout("Delete team", Nav::Teams);
    visitor.page(&Delete { layout, team })
}

/// `POST /teams/{team}/delete`
pub async fn delete(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    let ctx = visitor.ctx.clone();
    api.run(move |app| teams::delete(app, &ctx, &team)).await?;
    Ok(redirect_saying(
        "/teams?is_active=false",
        "The team is deleted. It can be restored here.",
    ))
}

/// `POST /teams/{team}/restore`
pub async fn restore(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    let ctx = visitor.ctx.clone();
    let input = TeamInput {
        is_active: Some(true),
        ..TeamInput::default()
    };
    let team = api
        .run(move |app| teams::update(app, &ctx, &team, &input))
        .await?;
    let text = format!("Team {} is back.", team.name);
    Ok(redirect_saying(&format!("/teams/{}", team.slug), &text))
}
