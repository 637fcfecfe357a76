//! One file a page.

pub mod audit;
pub mod badge;
pub mod dashboard;
pub mod lookup;
pub mod person;
pub mod services;
pub mod settings;
pub mod sign_in;
pub mod team;
pub mod teams;
pub mod wall;

/// What page handlers begin with.
mod prelude {
    pub(super) use askama::Template;
    pub(super) use axum::extract::{Path, Query, State};
    pub(super) use axum::response::Response;
    pub(super) use serde::Deserialize;

    pub(super) use crate::http::Api;
    pub(super) use crate::http::problem::Problem;
    pub(super) use crate::web::flash::{
        Undo, redirect, redirect_refusing, redirect_saying, redirect_undoable,
    };
    pub(super) use crate::web::form::{Form, FormState};
    pub(super) use crate::web::layout::{Layout, Nav, Visitor};
    pub(super) use crate::web::pager::{Pager, paging};
    pub(super) use crate::web::view::people::{People, Person};
    pub(super) use crate::web::view::time::{When, day, days};

    /// A page, or a problem that is shown as one.
    pub(super) type Shown = Result<Response, Problem>;
}
