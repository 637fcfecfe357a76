//! Problems as pages: what happened, and what to do about it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::flash;
use super::layout::{Layout, Nav, Visitor};
use crate::app::{Actor, Ctx, Source};
use crate::http::problem::Problem;
use crate::http::{Api, cookies};

/// Paths that programs use; a browser sees there what they see.
const OF_PROGRAMS: [&str; 6] = [
    "/api/", "/slack/", "/assets/", "/metrics", "/healthz", "/readyz",
];

/// Shows a person the problem that a request came to as a page, and asks who is not known to sign
/// in. Programs get it as it is.
pub async fn friendly(State(api): State<Api>, request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT);
    let accepts = accepts.and_then(|value| value.to_str().ok());
    let path = request.uri().path();
    let is_for_people = accepts.is_some_and(|accepts| accepts.contains("text/html"))
        && !OF_PROGRAMS.iter().any(|start| path.starts_with(start));
    if !is_for_people {
        return next.run(request).await;
    }
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let path = path.to_owned();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if problem.status == StatusCode::UNAUTHORIZED.as_u16() {
        let had_session = cookies::find(&headers, cookies::SESSION).is_some();
        return sign_in_first(&method, &path, had_session);
    }
    let nobody = Ctx {
        actor: Actor::Anonymous,
        source: Source::Ui,
        ..Ctx::system()
    };
    let ctx = response.extensions_mut().remove::<Ctx>().unwrap_or(nobody);
    let visitor = Visitor::new(ctx, path, &headers, api.app().now());
    let page = ProblemPage::new(&visitor, &problem);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match visitor.page_with(status, &page) {
        Ok(mut page) => {
            if let Some(wait) = response.headers().get(header::RETRY_AFTER) {
                page.headers_mut().insert(header::RETRY_AFTER, wait.clone());
            }
            page
        }
        Err(_) => response,
    }
}

/// Sends the browser to sign in, and from there back to where it was.
fn sign_in_first(method: &Method, path: &str, had_session: bool) -> Response {
    // What was sent can't be sent again by a link: back to where its form stands.
    let next = if method == Method::GET { path } else { "/" };
    let start = "/sign-in?".to_owned();
    let length = start.len();
    let mut query = form_urlencoded::Serializer::for_suffix(start, length);
    query.append_pair("next", next);
    if had_session {
        query.append_pair("ended", "yes");
    } else if method != Method::GET {
        query.append_pair("needed", "yes");
    }
    flash::redirect(&query.finish())
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    layout: Layout,
    status: u16,
    heading: &'static str,
    detail: String,
    fields: Vec<(String, String)>,
    advice: &'static str,
}

impl ProblemPage {
    fn new(visitor: &Visitor, problem: &Problem) -> Self {
        let (heading, advice) = match problem.status {
            400 => (
                "That can't be done",
                "Go back, and look at how things stand now.",
            ),
            403 => (
                "You may not do this",
                "Somebody with another role can: a lead of the team, or an admin.",
            ),
            404 => (
                "There is nothing here",
                "It may have been deleted, or the address may have a typing error.",
            ),
            409 => (
                "Something else got in the way",
                "Go back, reload the page, and look at what has changed meanwhile.",
            ),
            413 => ("That is too much at once", "Go back, and send less."),
            422 => (
                "Something isn't right yet",
                "Go back, and correct what is named.",
            ),
            429 => ("Too many attempts", "Wait a minute, then try again."),
            503 | 507 => (
                "oncalld can't do that right now",
                "Who is on call can still be looked up. Try again in a moment.",
            ),
            _ => (
                "Something went wrong here",
                "It was written to the log, with the number of this request. Try again; if it \
                 happens again, tell whoever runs oncalld.",
            ),
        };
        let fields = problem.errors.iter();
        Self {
            layout: visitor.layout(heading, Nav::None),
            status: problem.status,
            heading,
            detail: problem.detail.clone(),
            fields: fields
                .map(|error| (error.field.clone(), error.message.clone()))
                .collect(),
            advice,
        }
    }
}
