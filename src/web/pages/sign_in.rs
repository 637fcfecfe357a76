//! Sign in, sign out, and the choice of colours.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::prelude::*;
use crate::actions::admin::sessions;
use crate::domain::invalid::Invalid;
use crate::http::cookies;
use crate::web::flash::local;
use crate::web::layout::THEME;

/// Seconds that a choice of colours lasts: a year.
const THEME_LASTS: u32 = 31_536_000;

/// What brought somebody here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Why {
    next: String,
    ended: Option<String>,
    needed: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    layout: Layout,
    form: FormState,
    next: String,
    note: Option<&'static str>,
}

/// `GET /sign-in`
pub async fn show(visitor: Visitor, Query(query): Query<Why>) -> Shown {
    let note = match (query.ended, query.needed) {
        (Some(_), _) => {
            Some("Your session has ended. Sign in to go on; what you just sent was not done.")
        }
        (_, Some(_)) => Some("This takes signing in. What you just sent was not done."),
        _ => None,
    };
    let page = SignIn {
        layout: visitor.layout("Sign in", Nav::None),
        form: FormState::default(),
        next: local(&query.next).to_owned(),
        note,
    };
    visitor.page(&page)
}

/// `POST /sign-in`
pub async fn sign_in(State(api): State<Api>, visitor: Visitor, form: Form) -> Shown {
    let (ctx, secret) = (visitor.ctx.clone(), form.text("token").to_owned());
    let next = local(form.text("next")).to_owned();
    let session = api
        .run(move |app| sessions::sign_in(app, &ctx, &secret))
        .await?;
    if let Some(session) = session {
        let cookie = cookies::set(
            cookies::SESSION,
            session.expose(),
            None,
            api.access().is_https,
        );
        let cookie = cookie.map_err(|error| Problem::internal(error.to_string()))?;
        let mut response = redirect(&next);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        return Ok(response);
    }
    if let Some(peer) = visitor
        .ctx
        .peer
        .as_deref()
        .and_then(|peer| peer.parse().ok())
        && !api.may_fail_again(peer)
    {
        let detail = "too many unknown tokens from this address; wait a minute";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
    }
    let wrong = Invalid::one("token", "is unknown, revoked or expired");
    let mut form = FormState::to_correct(&form, wrong.into())?;
    // A secret is not sent back.
    form.clear("token");
    let page = SignIn {
        layout: visitor.layout("Sign in", Nav::None),
        form,
        next,
        note: None,
    };
    visitor.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /sign-out`
pub async fn sign_out(State(api): State<Api>, visitor: Visitor, headers: HeaderMap) -> Shown {
    if let Some(cookie) = cookies::find(&headers, cookies::SESSION) {
        let cookie = cookie.to_owned();
        let ctx = visitor.ctx.clone();
        api.run(move |app| sessions::sign_out(app, &ctx, &cookie))
            .await?;
    }
    let mut response = redirect_saying("/", "You are signed out.");
    if let Ok(gone) = cookies::set(cookies::SESSION, "", Some(0), api.access().is_https) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}

/// `POST /theme`
pub async fn choose_theme(form: Form) -> Shown {
    let (value, lasts) = match form.text("theme") {
        theme @ ("light" | "dark") => (theme, THEME_LASTS),
        _ => ("", 0),
    };
    let mut response = redirect(form.text("next"));
    let cookie = cookies::set(THEME, value, Some(lasts), false);
    let cookie = cookie.unwrap_or_else(|_| HeaderValue::from_static(""));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
