//! What every page has around its own content: head, navigation, who has signed in, and what the
//! last action came to.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};

use super::flash::{self, Flash};
use crate::actions::oncall::lookup::etag;
use crate::app::{Actor, Ctx};
use crate::domain::ids::UserId;
use crate::domain::token::Role;
use crate::http::problem::{Explained, Problem};
use crate::http::{Api, cookies};

/// Name of the cookie with the colour scheme that was chosen.
pub const THEME: &str = "oncalld_theme";

/// Scripts, styles and requests from here only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Which entry of the navigation a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nav {
    /// The dashboard.
    OnCall,
    /// Teams.
    Teams,
    /// Services.
    Services,
    /// A person's own shifts.
    MyShifts,
    /// The audit log.
    Audit,
    /// Settings.
    Settings,
    /// None of them.
    None,
}

/// Who looks at a page, and how.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who acts, for actions.
    pub ctx: Ctx,
    /// Path and query of the page.
    pub path: String,
    /// The instant of the request.
    pub now: DateTime<Utc>,
    /// What the last action came to.
    flash: Option<Flash>,
    /// `light` or `dark`, where one was chosen; else the system's.
    theme: Option<&'static str>,
}

impl Visitor {
    /// The visitor of a request whose actor is known.
    pub fn new(ctx: Ctx, path: String, headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let theme = match cookies::find(headers, THEME) {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        Self {
            ctx,
            path,
            now,
            flash: flash::read(headers),
            theme,
        }
    }

    /// What stands around a page.
    pub fn layout(&self, title: impl Into<String>, nav: Nav) -> Layout {
        let (name, role) = match &self.ctx.actor {
            Actor::Token {
                name, role, user, ..
            } => {
                let user = user.as_ref().map(ToString::to_string);
                (Some(user.unwrap_or_else(|| name.clone())), Some(*role))
            }
            _ => (None, None),
        };
        Layout {
            title: title.into(),
            nav,
            name,
            role,
            user: self.ctx.user().cloned(),
            path: self.path.clone(),
            flash: self.flash.clone(),
            theme: self.theme,
            alarm: false,
            live: false,
        }
    }

    /// A page for this visitor.
    ///
    /// # Errors
    /// The template fails, which is a mistake of ours.
    pub fn page(&self, template: &impl Template) -> Result<Response, Problem> {
        self.page_with(StatusCode::OK, template)
    }

    /// A page with another status than 200: a form to be corrected, a conflict.
    ///
    /// # Errors
    /// As [`Visitor::page`].
    pub fn page_with(
        &self,
        status: StatusCode,
        template: &impl Template,
    ) -> Result<Response, Problem> {
        let html = template
            .render()
            .map_err(|error| Problem::internal(format!("a page can't be made: {error}")))?;
        let tag = format!("W/{}", etag(html.as_bytes()));
        let mut response = (status, html).into_response();
        response.extensions_mut().insert(Explained);
        let headers = response.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "same-origin"),
            // What may be read depends on who asks; what is known is asked about again.
            (header::CACHE_CONTROL, "private, no-cache"),
            (header::VARY, "Cookie, Accept-Encoding"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        // What is shown once is not to be shown again from a cache.
        if self.flash.is_some() {
            headers.append(header::SET_COOKIE, flash::clear());
        } else if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        Ok(response)
    }
}

impl FromRequestParts<Api> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let ctx = Ctx::from_request_parts(parts, api).await?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let now = api.app().now();
        Ok(Self::new(ctx, path.to_owned(), &parts.headers, now))
    }
}

/// What `base.html` shows around a page.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Title of the page, without the program's name.
    pub title: String,
    /// Its entry in the navigation.
    pub nav: Nav,
    /// Who has signed in.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// The person whom their token is bound to.
    pub user: Option<UserId>,
    /// Path and query of the page.
    pub path: String,
    /// What the last action came to.
    pub flash: Option<Flash>,
    /// `light` or `dark`, where one was chosen.
    pub theme: Option<&'static str>,
    /// Whether somebody ought to look: turns the icon red.
    pub alarm: bool,
    /// Whether the page follows changes as they happen.
    pub live: bool,
}

impl Layout {
    /// With the icon in red where `alarm`.
    #[must_use]
    pub fn alarmed(mut self, alarm: bool) -> Self {
        self.alarm = alarm;
        self
    }

    /// Following changes as they happen.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Whether members, shifts, overrides and services may be changed; the actions decide.
    pub fn may_edit(&self) -> bool {
        self.role.is_some_and(|role| role >= Role::Editor)
    }

    /// Whether everything may be done.
    pub fn is_admin(&self) -> bool {
        self.role == Some(Role::Admin)
    }

    /// `page` in the attribute `aria-current` of this entry of the navigation.
    pub fn is_current(&self, nav: Nav) -> bool {
        self.nav == nav
    }
}
