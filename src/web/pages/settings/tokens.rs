//! Access tokens: the list, a new one with its secret, revoking one.

use axum::http::{HeaderValue, header};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::{Tab, refused};
use crate::actions::admin::tokens;
use crate::actions::teams;
use crate::app::{ActionError, Actor, App, Ctx, Result};
use crate::domain::oncall_day::next_day;
use crate::domain::token::{Role, Scope};
use crate::web::pages::prelude::*;
use crate::wire::Paging;
use crate::wire::token::{NewToken, TokenView};

const PATH: &str = "/settings/tokens";
/// Tokens on a page.
const TOKENS: usize = 100;

#[derive(Template)]
#[template(path = "tokens.html")]
struct Tokens {
    layout: Layout,
    tab: Tab,
    lines: Vec<Line>,
    pager: Pager,
}

/// A token as the table shows it.
struct Line {
    token: TokenView,
    person: Option<Person>,
    made: When,
    expires: Option<When>,
    used: Option<When>,
    /// What it is limited to, in words.
    limit: Option<String>,
    has_expired: bool,
    /// Whether it is the one that the visitor has signed in with.
    is_own: bool,
}

/// Which page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listing {
    page: Option<String>,
}

/// `GET /settings/tokens`
pub async fn list(
    State(api): State<Api>,
    visitor: Visitor,
    Query(listing): Query<Listing>,
) -> Shown {
    let ctx = visitor.ctx.clone();
    let paging = paging(listing.page.as_deref(), TOKENS);
    let (page, people, limits) = api
        .run(move |app| {
            let page = tokens::list(app, &ctx, &paging)?;
            let users = page.items.iter();
            let users = users.filter_map(|token| token.slack_user_id.as_deref());
            let people = People::load(app, users)?;
            let mut limits = Vec::new();
            for token in &page.items {
                limits.push(limit(app, token)?);
            }
            Ok((page, people, limits))
        })
        .await?;
    let now = visitor.now;
    let line = |(token, limit): (TokenView, _)| Line {
        limit,
        used: token.last_used_at.map(|at| When::new(at, "UTC", now)),
        person: people.find(token.slack_user_id.as_deref()),
        made: When::new(token.created_at, "UTC", now),
        expires: token.expires_at.map(|at| When::new(at, "UTC", now)),
        has_expired: token.expires_at.is_some_and(|at| at <= now),
        is_own: is_own(&visitor.ctx, &token),
        token,
    };
    let page = Tokens {
        layout: visitor.layout("Tokens", Nav::Settings),
        tab: Tab::Tokens,
        pager: Pager::new(&page, PATH, &[]),
        lines: page.items.into_iter().zip(limits).map(line).collect(),
    };
    visitor.page(&page)
}

/// What a token is limited to, in words.
fn limit(app: &App, token: &TokenView) -> Result<Option<String>> {
    let team = token.team_id.map(|id| teams::get(app, &id.to_string()));
    let team = team.transpose()?.map(|team| team.name);
    Ok(match (token.scope, team) {
        (Scope::All, None) => None,
        (Scope::All, Some(team)) => Some(format!("team {team}")),
        (Scope::Feeds, None) => Some("calendar feeds".to_owned()),
        (Scope::Feeds, Some(team)) => Some(format!("the feed of {team}")),
    })
}

/// Whether somebody has signed in with a token.
fn is_own(ctx: &Ctx, token: &TokenView) -> bool {
    matches!(&ctx.actor, Actor::Token { id, .. } if id.uuid() == token.id)
}

#[derive(Template)]
#[template(path = "token_form.html")]
struct TokenForm {
    layout: Layout,
    roles: Vec<(&'static str, &'static str)>,
    scopes: [(&'static str, &'static str); 2],
    form: FormState,
}

/// `GET /settings/tokens/new`
pub async fn new(visitor: Visitor) -> Shown {
    let role = Role::Viewer.to_string();
    let scope = Scope::All.to_string();
    show_form(&visitor, FormState::of([("role", role), ("scope", scope)]))
}

fn show_form(visitor: &Visitor, form: FormState) -> Shown {
    let status = form.status();
    let roles = Role::ALL.iter().map(|role| {
        let label = match role {
            Role::Viewer => "viewer: reads",
            Role::Editor => "editor: changes members, shifts, overrides and services",
            Role::Admin => "admin: may do everything",
        };
        (role.as_str(), label)
    });
    let page = TokenForm {
        layout: visitor.layout("New token", Nav::Settings),
        roles: roles.collect(),
        scopes: [
            (Scope::All.as_str(), "everything that its role allows"),
            (
                Scope::Feeds.as_str(),
                "calendar feeds: only for viewers, also in a feed's address",
            ),
        ],
        form,
    };
    visitor.page_with(status, &page)
}

#[derive(Template)]
#[template(path = "token_made.html")]
struct TokenMade {
    layout: Layout,
    token: TokenView,
    secret: String,
}

/// `POST /settings/tokens`: the secret is in this answer, and nowhere after it.
pub async fn create(State(api): State<Api>, visitor: Visitor, form: Form) -> Shown {
    let ctx = visitor.ctx.clone();
    let made = match input_of(&form) {
        Ok(input) => api.run(move |app| tokens::create(app, &ctx, &input)).await,
        Err(problem) => Err(problem),
    };
    let mut token = match made {
        Ok(token) => token,
        Err(problem) => return show_form(&visitor, FormState::to_correct(&form, problem)?),
    };
    let page = TokenMade {
        layout: visitor.layout("Token made", Nav::Settings),
        secret: token.token.take().unwrap_or_default(),
        token,
    };
    let mut response = visitor.page(&page)?;
    let headers = response.headers_mut();
    headers.remove(header::ETAG);
    let never = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, never);
    Ok(response)
}

fn input_of(form: &Form) -> std::result::Result<NewToken, Problem> {
    let last_day = form.read("expires_at", "a date such as 2026-11-26")?;
    Ok(NewToken {
        name: form.text("name").to_owned(),
        role: form.text("role").to_owned(),
        slack_user_id: form.filled("slack_user_id"),
        expires_at: last_day.map(end_of),
        never_expires: form.is_on("never_expires"),
        scope: form.filled("scope"),
        team: form.filled("team"),
    })
}

/// The end of a day in UTC.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    next_day(day).and_time(NaiveTime::MIN).and_utc()
}

#[derive(Template)]
#[template(path = "token_revoke.html")]
struct Revoke {
    layout: Layout,
    token: TokenView,
    is_own: bool,
}

/// `GET /settings/tokens/{id}/delete`
pub async fn ask_to_revoke(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Shown {
    let ctx = visitor.ctx.clone();
    let token = api.run(move |app| find(app, &ctx, &id)).await?;
    let page = Revoke {
        layout: visitor.layout("Revoke token", Nav::Settings),
        is_own: is_own(&visitor.ctx, &token),
        token,
    };
    visitor.page(&page)
}

fn find(app: &App, ctx: &Ctx, id: &str) -> Result<TokenView> {
    let everything = Paging {
        page: None,
        page_size: Some(usize::MAX),
    };
    let all = tokens::list(app, ctx, &everything)?.items;
    let found = all.into_iter().find(|token| token.id.to_string() == id);
    found.ok_or_else(|| ActionError::NotFound(format!("there is no token `{id}`")))
}

/// `POST /settings/tokens/{id}/delete`
pub async fn revoke(State(api): State<Api>, visitor: Visitor, Path(id): Path<String>) -> Shown {
    let ctx = visitor.ctx.clone();
    let revoked = api.run(move |app| {
        let token = find(app, &ctx, &id)?;
        tokens::delete(app, &ctx, &id)?;
        Ok(token)
    });
    match revoked.await {
        Ok(token) => {
            let text = format!("Token {} is revoked.", token.name);
            Ok(redirect_saying(PATH, &text))
        }
        Err(problem) => refused(PATH, problem),
    }
}
