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
    pub(in crate::web) use askama::Template;
    pub(in crate::web) use axum::extract::{Path, Query, State};
    pub(in crate::web) use axum::response::Response;
    pub(in crate::web) use serde::Deserialize;

    pub(in crate::web) use crate::http::Api;
    pub(in crate::web) use crate::http::problem::Problem;
    pub(in crate::web) use crate::web::flash::{
        Undo, redirect, redirect_refusing, redirect_saying, redirect_undoable,
    };
    pub(in crate::web) use crate::web::form::{Form, FormState};
    pub(in crate::web) use crate::web::layout::{Layout, Nav, Visitor};
    pub(in crate::web) use crate::web::pager::{Pager, paging};
    pub(in crate::web) use crate::web::view::people::{People, Person};
    pub(in crate::web) use crate::web::view::time::{When, day, days};

    /// A page, or a problem that is shown as one.
    pub(in crate::web) type Shown = Result<Response, Problem>;
}
