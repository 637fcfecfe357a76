//! `/api/v1`, one file a resource. A handler extracts, calls one action, converts.

pub mod audit;
pub mod backup;
pub mod calendar;
pub mod declare;
pub mod events;
pub mod members;
pub mod notifications;
pub mod oncall;
pub mod overrides;
pub mod plugins;
pub mod rotation;
pub mod schedules;
pub mod services;
pub mod slack;
pub mod teams;
pub mod tokens;
pub mod users;

/// What nearly every handler needs.
mod prelude {
    pub use axum::extract::State;
    pub use axum::http::StatusCode;
    pub use axum::response::{IntoResponse, Response};
    pub use utoipa_axum::router::OpenApiRouter;
    pub use utoipa_axum::routes;

    pub use crate::api::extract::{Body, Listing, NoFilter, Params, Path};
    pub use crate::api::reply::{Json, Reply, created};
    pub use crate::app::Ctx;
    pub use crate::http::Api;
    pub use crate::http::problem::Problem;
    pub use crate::wire::{Page, Paging};
}
