//! `/oncall`, and a team's

use super::prelude::*;
use crate::actions::oncall;
use crate::actions::oncall::lookup::Question;
use crate::actions::schedules::assign;
use crate::api::reply::ready;
use crate::wire::oncall::{Moment, OnCall, OnCallQuery};
use crate::wire::schedule::{AssignNow, ScheduleView};

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(look_up))
        .routes(routes!(of_team, assign))
}

/// Who is on call for a service or a team; without either, for every active team
///
/// One answer where a service or a team is named, else a list of answers.
#[utoipa::path(get, path = "/oncall", tag = "on call", params(OnCallQuery, Paging),
    responses((status = 200, body = OnCall)))]
async fn look_up(
    State(api): State<Api>,
    Listing(query, paging): Listing<OnCallQuery>,
) -> Result<Response, Problem> {
    let moment = Moment {
        at: query.at,
        date: query.date,
    };
    if query.service.is_none() && query.team.is_none() {
        let page = api
            .run(move |app| oncall::list(app, &moment, &paging))
            .await?;
        return Ok(Json(page).into_response());
    }
    if let Some(question) = Question::of(&query) {
        return Ok(ready(&*api.look_up(&question, query).await?));
    }
    let answer = api.run(move |app| oncall::answer(app, &query)).await?;
    Ok(Json(answer).into_response())
}

/// Who is on call for a team
#[utoipa::path(get, path = "/teams/{team}/oncall", tag = "on call",
    params(("team" = String, Path, description = "Id or slug"), Moment),
    responses((status = 200, body = OnCall)))]
async fn of_team(
    State(api): State<Api>,
    Path(team): Path<String>,
    Params(moment): Params<Moment>,
) -> Reply<OnCall> {
    let (at, date) = (moment.at, moment.date);
    let query = OnCallQuery {
        team: Some(team),
        service: None,
        at,
        date,
    };
    api.run(move |app| oncall::answer(app, &query))
        .await
        .map(Json)
}

/// Put a person on call now
#[utoipa::path(post, path = "/teams/{team}/oncall", tag = "on call", request_body = AssignNow,
    params(("team" = String, Path, description = "Id or slug")),
    responses((status = 201, body = ScheduleView)))]
async fn assign(
    State(api): State<Api>,
    ctx: Ctx,
    Path(team): Path<String>,
    Body(input): Body<AssignNow>,
) -> Result<Response, Problem> {
    let row = api
        .run(move |app| assign::assign_now(app, &ctx, &team, &input))
        .await?;
    let location = format!("/api/v1/teams/{}/oncall-schedules/{}", row.team_id, row.id);
    Ok(created(row, &location))
}
