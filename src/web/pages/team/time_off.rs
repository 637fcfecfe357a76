//! A member's time off: the list, a form for more, taking some back.

use super::{Crew, DATE, EVERYTHING, Typed, with_warnings};
use crate::actions::members::time_off;
use crate::app::App;
use crate::web::pages::prelude::*;
use crate::web::view::year::{Strip, Year};
use crate::wire::team::TeamView;
use crate::wire::time_off::{NewTimeOff, TimeOffView};

#[derive(Template)]
#[template(path = "time_off.html")]
struct TimeOff {
    layout: Layout,
    team: TeamView,
    person: Person,
    rows: Vec<Line>,
    months: Vec<String>,
    strip: Strip,
    form: FormState,
}

/// Days off.
struct Line {
    row: TimeOffView,
    days: String,
    is_over: bool,
}

/// `GET /teams/{team}/members/{user}/time-off`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user)): Path<(String, String)>,
) -> Shown {
    show_time_off(&api, &visitor, team, user, FormState::default()).await
}

async fn show_time_off(
    api: &Api,
    visitor: &Visitor,
    team: String,
    user: String,
    form: FormState,
) -> Shown {
    let whom = user.clone();
    let (mut rows, crew) = api
        .run(move |app| {
            let rows = time_off::list(app, &whom, &EVERYTHING)?.items;
            let crew = Crew::load(app, &team, &[&whom])?;
            Ok((rows, crew))
        })
        .await?;
    // What comes, in order; then what is over, the last first.
    let today = crew.today;
    let rank = |row: &TimeOffView| {
        let is_over = row.end_date < today;
        let distance = (row.start_date - today).num_days();
        (is_over, if is_over { -distance } else { distance })
    };
    rows.sort_by_key(rank);
    let year = Year::around(today);
    let text = |row: &TimeOffView| days(row.start_date, row.end_date, today);
    let within = rows
        .iter()
        .filter(|row| row.start_date <= year.last && year.first <= row.end_date);
    let runs: Vec<_> = within
        .map(|row| (row.start_date, row.end_date, text(row)))
        .collect();
    let person = crew.people.get(&user);
    let page = TimeOff {
        layout: visitor.layout(format!("Time off of {}", person.name), Nav::Teams),
        months: year.month_names(),
        strip: year.strip(&runs),
        rows: rows
            .into_iter()
            .map(|row| Line {
                days: text(&row),
                is_over: row.end_date < today,
                row,
            })
            .collect(),
        team: crew.team,
        person,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// `POST /teams/{team}/members/{user}/time-off`
pub async fn add(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user)): Path<(String, String)>,
    form: Form,
) -> Shown {
    let (ctx, whom) = (visitor.ctx.clone(), user.clone());
    let done = match input_of(&form) {
        Ok(input) => {
            api.run(move |app| time_off::create(app, &ctx, &whom, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => {
            let text = with_warnings("The time off is noted.", row.warnings.as_deref());
            Ok(redirect_saying(&format!("/teams/{team}/members"), &text))
        }
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            show_time_off(&api, &visitor, team, user, sent).await
        }
    }
}

fn input_of(form: &Form) -> Typed<NewTimeOff> {
    let start_date = form.read_needed("start_date", DATE)?;
    Ok(NewTimeOff {
        start_date,
        end_date: form.read("end_date", DATE)?.unwrap_or(start_date),
        reason: form.filled("reason"),
    })
}

/// `POST /teams/{team}/members/{user}/time-off/{id}/remove`
pub async fn remove(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user, id)): Path<(String, String, String)>,
) -> Shown {
    let (ctx, whom) = (visitor.ctx.clone(), user.clone());
    let action = move |app: &App| {
        let mut rows = time_off::list(app, &whom, &EVERYTHING)?.items;
        time_off::delete(app, &ctx, &whom, &id)?;
        rows.retain(|row| row.id.to_string() == id);
        Ok(rows.pop())
    };
    let removed = api.run(action).await?;
    let path = format!("/teams/{team}/members");
    Ok(match removed {
        Some(row) => {
            let field = |name: &str, value: String| (name.to_owned(), value);
            let undo = Undo {
                action: format!("{path}/{user}/time-off"),
                fields: vec![
                    field("start_date", row.start_date.to_string()),
                    field("end_date", row.end_date.to_string()),
                    field("reason", row.reason.unwrap_or_default()),
                ],
            };
            redirect_undoable(&path, "The time off is taken back.", &undo)
        }
        None => redirect(&path),
    })
}
