//! `/services`

use super::prelude::*;
use crate::actions::{oncall, services};
use crate::wire::oncall::{Moment, OnCall, OnCallQuery};
use crate::wire::service::{ServiceFilter, ServiceInput, ServiceView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(on_call))
}

/// List services
#[utoipa::path(get, path = "/services", tag = "services", params(ServiceFilter, Paging),
    responses((status = 200, body = Page<ServiceView>)))]
async fn list(
    State(api): State<Api>,
    Listing(filter, paging): Listing<ServiceFilter>,
) -> Reply<Page<ServiceView>> {
    api.run(move |app| services::list(app, &filter, &paging))
        .await
        .map(Json)
}

/// Create a service
#[utoipa::path(post, path = "/services", tag = "services", request_body = ServiceInput,
    responses((status = 201, body = ServiceView)))]
async fn create(
    State(api): State<Api>,
    ctx: Ctx,
    Body(input): Body<ServiceInput>,
) -> Result<Response, Problem> {
    let service = api
        .run(move |app| services::create(app, &ctx, &input))
        .await?;
    let location = format!("/api/v1/services/{}", service.id);
    Ok(created(service, &location))
}

/// Show a service
#[utoipa::path(get, path = "/services/{service}", tag = "services",
    params(("service" = String, Path, description = "Id or name")),
    responses((status = 200, body = ServiceView)))]
async fn get(State(api): State<Api>, Path(service): Path<String>) -> Reply<ServiceView> {
    api.run(move |app| services::get(app, &service))
        .await
        .map(Json)
}

/// Change, delete or restore a service
#[utoipa::path(patch, path = "/services/{service}", tag = "services", request_body = ServiceInput,
    params(("service" = String, Path, description = "Id or name")),
    responses((status = 200, body = ServiceView)))]
async fn update(
    State(api): State<Api>,
    ctx: Ctx,
    Path(service): Path<String>,
    Body(input): Body<ServiceInput>,
) -> Reply<ServiceView> {
    api.run(move |app| services::update(app, &ctx, &service, &input))
        .await
        .map(Json)
}

/// Delete a service; it can be restored
#[utoipa::path(delete, path = "/services/{service}", tag = "services",
    params(("service" = String, Path, description = "Id or name")), responses((status = 204)))]
async fn delete(
    State(api): State<Api>,
    ctx: Ctx,
    Path(service): Path<String>,
) -> Result<StatusCode, Problem> {
    api.run(move |app| services::delete(app, &ctx, &service))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is on call for a service
#[utoipa::path(get, path = "/services/{service}/oncall", tag = "on call",
    params(("service" = String, Path, description = "Id or name"), Moment),
    responses((status = 200, body = OnCall)))]
async fn on_call(
    State(api): State<Api>,
    Path(service): Path<String>,
    Params(moment): Params<Moment>,
) -> Reply<OnCall> {
    let (at, date) = (moment.at, moment.date);
    let query = OnCallQuery {
        service: Some(service),
        team: None,
        at,
        date,
    };
    api.run(move |app| oncall::answer(app, &query))
        .await
        .map(Json)
}
