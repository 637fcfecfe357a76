//! Members come and go: the form that adds one, removing one, and bringing the list up to date
//! with Slack.

use std::collections::BTreeMap;

use super::members::{fields_of, find, instant};

use super::{Crew, Typed};
use crate::actions::members;
use crate::actions::people::directory;
use crate::app::App;
use crate::domain::invalid::Invalid;
use crate::web::pages::prelude::*;
use crate::wire::member::NewMember;
use crate::wire::team::TeamView;

/// People that are offered at most.
const OFFERED: usize = 8;

#[derive(Template)]
#[template(path = "member_form.html")]
struct MemberForm {
    layout: Layout,
    team: TeamView,
    form: FormState,
    may_lead: bool,
    /// Who fits what was typed, and is no member yet.
    found: Vec<Person>,
}

/// `GET /teams/{team}/members/new`
pub async fn new(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(typed): Query<BTreeMap<String, String>>,
) -> Shown {
    let mut form = FormState::of(
        typed
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone())),
    );
    if !typed.contains_key("weight") {
        form.set("weight", "1");
        form.set("is_eligible_for_oncall", "on");
    }
    show_new(&api, &visitor, team, form).await
}

async fn show_new(api: &Api, visitor: &Visitor, team: String, form: FormState) -> Shown {
    let wanted = form.value("slack_user_id").trim().to_owned();
    let (crew, found) = api
        .run(move |app| {
            let mut found = match wanted.as_str() {
                "" => Vec::new(),
                wanted => directory::search(app, wanted, 2 * OFFERED)?.people,
            };
            let ids: Vec<_> = found.iter().map(|hit| hit.slack_user_id.as_str()).collect();
            let crew = Crew::load(app, &team, &ids)?;
            let is_member = |id: &str| crew.members.iter().any(|it| it.slack_user_id == id);
            found.retain(|hit| !is_member(&hit.slack_user_id));
            found.truncate(OFFERED);
            Ok((crew, found))
        })
        .await?;
    let user = visitor.ctx.user().map(crate::domain::ids::UserId::as_str);
    let leads = crew.leads();
    let page = MemberForm {
        layout: visitor.layout("Add a member", Nav::Teams),
        found: found
            .iter()
            .map(|hit| crew.people.get(&hit.slack_user_id))
            .collect(),
        may_lead: visitor.ctx.is_admin() || leads.iter().any(|lead| Some(lead.id.as_str()) == user),
        team: crew.team,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// `POST /teams/{team}/members`
pub async fn add(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    let done = match new_member(&form) {
        Ok(input) => {
            let action = move |app: &App| {
                // The action changes whoever is there already: this form is for others.
                let known = find(app, &reference, &input.slack_user_id)?;
                if known.is_some_and(|known| known.id.is_some()) {
                    return Err(Invalid::one("slack_user_id", "is a member already").into());
                }
                members::put(app, &ctx, &reference, &input)
            };
            api.run(action).await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(put) => {
            let text = format!("{} is a member now.", put.member.display_name);
            Ok(redirect_saying(&format!("/teams/{team}/members"), &text))
        }
        Err(problem) => {
            show_new(&api, &visitor, team, FormState::to_correct(&form, problem)?).await
        }
    }
}

fn new_member(form: &Form) -> Typed<NewMember> {
    Ok(NewMember {
        slack_user_id: form
            .filled("found")
            .unwrap_or_else(|| form.text("slack_user_id").to_owned()),
        team_role: form.filled("team_role"),
        is_eligible_for_oncall: Some(form.is_on("is_eligible_for_oncall")),
        weight: form.read("weight", "a number above 0")?,
        joined_at: form.read("joined_at", "an instant such as 2026-11-26T09:00:00Z")?,
        version: None,
    })
}

#[derive(Template)]
#[template(path = "member_remove.html")]
struct Remove {
    layout: Layout,
    team: TeamView,
    person: Person,
}

/// `GET /teams/{team}/members/{user}/remove`
pub async fn ask_to_remove(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user)): Path<(String, String)>,
) -> Shown {
    let whom = user.clone();
    let crew = api.run(move |app| Crew::load(app, &team, &[&whom])).await?;
    let page = Remove {
        layout: visitor.layout("Remove member", Nav::Teams),
        person: crew.people.get(&user),
        team: crew.team,
    };
    visitor.page(&page)
}

/// `POST /teams/{team}/members/{user}/remove`
pub async fn remove(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user)): Path<(String, String)>,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    let action = move |app: &App| {
        let old = find(app, &reference, &user)?;
        members::delete(app, &ctx, &reference, &user)?;
        Ok(old)
    };
    let old = api.run(action).await?;
    let path = format!("/teams/{team}/members");
    Ok(match old {
        Some(old) => {
            let mut fields = fields_of(&old);
            fields.push(("slack_user_id".to_owned(), old.slack_user_id.clone()));
            fields.push(("joined_at".to_owned(), instant(old.joined_at)));
            let text = match old.in_slack {
                Some(true) => format!("What was set of {} is removed.", old.display_name),
                _ => format!("{} is no longer a member.", old.display_name),
            };
            let action = path.clone();
            redirect_undoable(&path, &text, &Undo { action, fields })
        }
        None => redirect(&path),
    })
}

/// `POST /teams/{team}/members/sync`
pub async fn sync(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    let path = format!("/teams/{team}/members");
    match api
        .slack()?
        .sync_team(&visitor.ctx, &team)
        .await
        .map_err(Problem::from)
    {
        Ok(sync) => {
            let text = format!(
                "Slack lists {} members: {} new, {} gone.",
                sync.members,
                sync.joined.len(),
                sync.left.len()
            );
            Ok(redirect_saying(&path, &text))
        }
        // What Slack could not do is no reason to leave the page.
        Err(problem) if matches!(problem.status, 409 | 429) => {
            Ok(redirect_refusing(&path, &problem.detail))
        }
        Err(problem) => Err(problem),
    }
}
