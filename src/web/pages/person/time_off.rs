//! Time off, noted and taken back on a person's page.

use super::{EVERYTHING, show_person};
use crate::actions::members::time_off as absences;
use crate::app::App;
use crate::web::pages::prelude::*;
use crate::wire::time_off::NewTimeOff;

/// What a field with a date expects.
const DATE: &str = "a date such as 2026-11-26";

/// `POST /people/{user}/time-off`
pub async fn add(
    State(api): State<Api>,
    visitor: Visitor,
    Path(user): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, whom) = (visitor.ctx.clone(), user.clone());
    let done = match input_of(&form) {
        Ok(input) => {
            api.run(move |app| absences::create(app, &ctx, &whom, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => {
            let text = match row.warnings {
                Some(warnings) if !warnings.is_empty() => {
                    format!("The time off is noted. But note: {}.", warnings.join("; "))
                }
                _ => "The time off is noted.".to_owned(),
            };
            Ok(redirect_saying(&back(&form, &user), &text))
        }
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            show_person(&api, &visitor, user, Nav::None, sent).await
        }
    }
}

fn input_of(form: &Form) -> std::result::Result<NewTimeOff, Problem> {
    let start_date = form.read_needed("start_date", DATE)?;
    Ok(NewTimeOff {
        start_date,
        end_date: form.read("end_date", DATE)?.unwrap_or(start_date),
        reason: form.filled("reason"),
    })
}

/// The page that the form stood on.
fn back(form: &Form, user: &str) -> String {
    let next = form.filled("next");
    next.unwrap_or_else(|| format!("/people/{user}"))
}

/// `POST /people/{user}/time-off/{id}/remove`
pub async fn remove(
    State(api): State<Api>,
    visitor: Visitor,
    Path((user, id)): Path<(String, String)>,
    form: Form,
) -> Shown {
    let (ctx, whom) = (visitor.ctx.clone(), user.clone());
    let action = move |app: &App| {
        let mut rows = absences::list(app, &whom, &EVERYTHING)?.items;
        absences::delete(app, &ctx, &whom, &id)?;
        rows.retain(|row| row.id.to_string() == id);
        Ok(rows.pop())
    };
    let removed = api.run(action).await?;
    let path = back(&form, &user);
    let Some(row) = removed else {
        return Ok(redirect(&path));
    };
    let field = |name: &str, value: String| (name.to_owned(), value);
    let undo = Undo {
        action: format!("/people/{user}/time-off"),
        fields: vec![
            field("start_date", row.start_date.to_string()),
            field("end_date", row.end_date.to_string()),
            field("reason", row.reason.unwrap_or_default()),
            field("next", path.clone()),
        ],
    };
    let text = "The time off is taken back.";
    Ok(redirect_undoable(&path, text, &undo))
}
