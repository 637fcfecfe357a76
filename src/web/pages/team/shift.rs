//! A shift: why it is whose it is, the forms that make, change and delete one, and the one that
//! puts somebody on call now.

use super::{Crew, DATE, TeamData, Typed, with_warnings};
use crate::actions::schedules;
use crate::actions::schedules::assign;
use crate::app::App;
use crate::domain::schedule::Origin;
use crate::web::pages::prelude::*;
use crate::web::view::why::Why;
use crate::wire::schedule::{AssignNow, NewSchedule, ScheduleInput, ScheduleView};
use crate::wire::team::TeamView;

/// A shift that a link proposes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Proposal {
    engineer_slack_id: String,
    start_date: String,
    end_date: String,
}

#[derive(Template)]
#[template(path = "shift_form.html")]
struct ShiftForm {
    layout: Layout,
    team: TeamView,
    form: FormState,
    members: Vec<Person>,
}

/// `GET /teams/{team}/schedule/new`
pub async fn new(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(proposal): Query<Proposal>,
) -> Shown {
    let form = FormState::of([
        ("engineer_slack_id", proposal.engineer_slack_id),
        ("start_date", proposal.start_date),
        ("end_date", proposal.end_date),
    ]);
    show_new(&api, &visitor, team, form).await
}

async fn show_new(api: &Api, visitor: &Visitor, team: String, form: FormState) -> Shown {
    let crew = api.run(move |app| Crew::load(app, &team, &[])).await?;
    let page = ShiftForm {
        layout: visitor.layout("Add a shift", Nav::Teams),
        members: crew.choice(None),
        team: crew.team,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// `POST /teams/{team}/schedule/new`
pub async fn create(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    let done = match new_schedule(&form) {
        Ok(input) => {
            api.run(move |app| schedules::create(app, &ctx, &reference, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => Ok(saved(&team, "The shift is there.", &row)),
        Err(problem) => {
            show_new(&api, &visitor, team, FormState::to_correct(&form, problem)?).await
        }
    }
}

fn new_schedule(form: &Form) -> Typed<NewSchedule> {
    let start_date = form.read_needed("start_date", DATE)?;
    Ok(NewSchedule {
        engineer_slack_id: form.person("engineer_slack_id").unwrap_or_default(),
        start_date,
        end_date: form.read("end_date", DATE)?.unwrap_or(start_date),
        note: form.filled("note"),
        created_by: form.person("created_by"),
    })
}

fn saved(team: &str, text: &str, row: &ScheduleView) -> Response {
    let text = with_warnings(text, row.warnings.as_deref());
    redirect_saying(&format!("/teams/{team}"), &text)
}

#[derive(Template)]
#[template(path = "shift.html")]
struct ShiftPage {
    layout: Layout,
    team: TeamView,
    row: ScheduleView,
    person: Person,
    days: String,
    starts: When,
    ends: When,
    created_by: Option<Person>,
    why: Option<Why>,
    is_auto: bool,
    is_over: bool,
    form: FormState,
    members: Vec<Person>,
}

/// `GET /teams/{team}/schedule/{id}`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
) -> Shown {
    show_shift(&api, &visitor, team, id, None).await
}

/// The page of a shift, with its form as it stands, or as it was `sent` and has to be corrected.
async fn show_shift(
    api: &Api,
    visitor: &Visitor,
    team: String,
    id: String,
    sent: Option<FormState>,
) -> Shown {
    let (row, crew) = api
        .run(move |app| {
            let row = schedules::get(app, &team, &id)?;
            let mut ids = vec![row.engineer_slack_id.as_str()];
            ids.extend(row.created_by.as_deref());
            ids.extend(row.explanation.iter().flat_map(Why::ids));
            let crew = Crew::load(app, &team, &ids)?;
            Ok((row, crew))
        })
        .await?;
    let user = row.engineer_slack_id.as_str();
    let members = crew.choice(Some(user));
    let (team, people, today) = (crew.team, crew.people, crew.today);
    let present = form_of(&row);
    let path = format!("/teams/{}/schedule/{}", team.slug, row.id);
    let form = match sent {
        Some(sent) => sent.beside(&present, &path),
        None => present,
    };
    let person = people.get(user);
    let days = days(row.start_date, row.end_date, today);
    let why = row.explanation.as_ref();
    let page = ShiftPage {
        layout: visitor.layout(format!("{}, {days}", person.name), Nav::Teams),
        starts: When::new(row.starts_at, &team.timezone, visitor.now),
        ends: When::new(row.ends_at, &team.timezone, visitor.now),
        created_by: people.find(row.created_by.as_deref()),
        why: why.map(|why| Why::new(why, user, &people, today)),
        is_auto: row.origin == Origin::Auto,
        is_over: row.end_date < today,
        members,
        person,
        days,
        team,
        row,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

fn form_of(row: &ScheduleView) -> FormState {
    FormState::of([
        ("engineer_slack_id", row.engineer_slack_id.clone()),
        ("start_date", row.start_date.to_string()),
        ("end_date", row.end_date.to_string()),
        ("note", row.note.clone().unwrap_or_default()),
        ("version", row.version.to_string()),
    ])
}

/// `POST /teams/{team}/schedule/{id}`
pub async fn save(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
    form: Form,
) -> Shown {
    let (ctx, reference, row) = (visitor.ctx.clone(), team.clone(), id.clone());
    let done = match change_of(&form) {
        Ok(input) => {
            let action = move |app: &App| schedules::update(app, &ctx, &reference, &row, &input);
            api.run(action).await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => Ok(saved(&team, "The shift is saved.", &row)),
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            show_shift(&api, &visitor, team, id, Some(sent)).await
        }
    }
}

fn change_of(form: &Form) -> Typed<ScheduleInput> {
    Ok(ScheduleInput {
        engineer_slack_id: form.person("engineer_slack_id"),
        start_date: form.read("start_date", DATE)?,
        end_date: form.read("end_date", DATE)?,
        note: Some(form.filled("note")),
        version: form.read("version", "a version")?,
    })
}

#[derive(Template)]
#[template(path = "shift_delete.html")]
struct DeleteShift {
    layout: Layout,
    team: TeamView,
    row: ScheduleView,
    person: Person,
    days: String,
    is_auto: bool,
}

/// `GET /teams/{team}/schedule/{id}/delete`
pub async fn ask_to_delete(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
) -> Shown {
    let (row, crew) = api
        .run(move |app| {
            let row = schedules::get(app, &team, &id)?;
            let crew = Crew::load(app, &team, &[&row.engineer_slack_id])?;
            Ok((row, crew))
        })
        .await?;
    let page = DeleteShift {
        layout: visitor.layout("Delete shift", Nav::Teams),
        days: days(row.start_date, row.end_date, crew.today),
        is_auto: row.origin == Origin::Auto,
        person: crew.people.get(&row.engineer_slack_id),
        team: crew.team,
        row,
    };
    visitor.page(&page)
}

/// `POST /teams/{team}/schedule/{id}/delete`
pub async fn delete(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, id)): Path<(String, String)>,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    api.run(move |app| schedules::delete(app, &ctx, &reference, &id))
        .await?;
    Ok(redirect_saying(
        &format!("/teams/{team}"),
        "The shift is deleted.",
    ))
}

#[derive(Template)]
#[template(path = "assign_form.html")]
struct AssignForm {
    layout: Layout,
    team: TeamView,
    form: FormState,
    members: Vec<Person>,
    on_call: Option<Person>,
}

/// `GET /teams/{team}/assign`
pub async fn ask_whom(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    show_assign(&api, &visitor, team, FormState::default()).await
}

async fn show_assign(api: &Api, visitor: &Visitor, team: String, form: FormState) -> Shown {
    let (data, crew) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let crew = Crew::load(app, &team, &data.ids())?;
            Ok((data, crew))
        })
        .await?;
    let on_call = data
        .on_call
        .as_ref()
        .and_then(|it| it.engineer_slack_id.as_deref());
    let page = AssignForm {
        layout: visitor.layout("Put somebody on call now", Nav::Teams),
        on_call: crew.people.find(on_call),
        members: crew.choice(None),
        team: crew.team,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// `POST /teams/{team}/assign`
pub async fn assign(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    let done = match form.read("end_date", DATE) {
        Ok(end_date) => {
            let input = AssignNow {
                engineer_slack_id: form.person("engineer_slack_id").unwrap_or_default(),
                end_date,
                reason: form.filled("reason"),
                created_by: form.person("created_by"),
            };
            api.run(move |app| assign::assign_now(app, &ctx, &reference, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => Ok(saved(&team, "They are on call now.", &row)),
        Err(problem) => {
            show_assign(&api, &visitor, team, FormState::to_correct(&form, problem)?).await
        }
    }
}
