//! Ask for cover: the form, which shows whom it would replace.

use chrono::NaiveDate;
use std::collections::BTreeMap;

use super::{Crew, DATE, Typed, with_warnings};
use crate::actions::oncall::layers::layers;
use crate::actions::overrides;
use crate::domain::oncall_day::add_days;
use crate::domain::shift_override::OverrideStatus;
use crate::web::pages::prelude::*;
use crate::wire::layers::Layers;
use crate::wire::shift_override::NewOverride;
use crate::wire::team::TeamView;

/// Days whose shifts are shown at most.
const LONGEST: i64 = 366;

#[derive(Template)]
#[template(path = "override_form.html")]
struct Request {
    layout: Layout,
    team: TeamView,
    form: FormState,
    members: Vec<Person>,
    replaced: Vec<Replaced>,
    today: NaiveDate,
}

/// A run of days that would be taken over.
struct Replaced {
    days: String,
    start: NaiveDate,
    /// Who has it now; nobody in a gap.
    person: Option<Person>,
    source: &'static str,
    /// Whether an override stands in the way.
    is_taken: bool,
}

/// `GET /teams/{team}/overrides/new`
pub async fn new(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(typed): Query<BTreeMap<String, String>>,
) -> Shown {
    let typed = typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    show_form(&api, &visitor, team, FormState::of(typed)).await
}

async fn show_form(api: &Api, visitor: &Visitor, team: String, mut form: FormState) -> Shown {
    let date = |name: &str| form.value(name).trim().parse::<NaiveDate>().ok();
    let start = date("start_date");
    let range = start.map(|start| (start, date("end_date").unwrap_or(start)));
    let range = range.filter(|(start, end)| start <= end && *end <= add_days(*start, LONGEST));
    let (crew, layers) = api
        .run(move |app| {
            // What is no range yet, or one that the form refuses, has nothing to show.
            let layers = range.and_then(|(start, end)| layers(app, &team, start, end).ok());
            let users: Vec<_> = layers.iter().flat_map(Layers::users).collect();
            let crew = Crew::load(app, &team, &users)?;
            Ok((crew, layers))
        })
        .await?;
    let preferred = form.value("substitute_slack_id").to_owned();
    let members = crew.choice(None);
    if !preferred.is_empty() && members.iter().all(|person| person.id != preferred) {
        form.set("substitute_slack_id_other", preferred);
    }
    let page = Request {
        layout: visitor.layout("Ask for cover", Nav::Teams),
        replaced: layers
            .map(|layers| replaced(&layers, &crew))
            .unwrap_or_default(),
        today: crew.today,
        team: crew.team,
        members,
        form,
    };
    visitor.page_with(page.form.status(), &page)
}

/// Who has the days now, run by run; those of a pending override too, since it holds its days.
fn replaced(layers: &Layers, crew: &Crew) -> Vec<Replaced> {
    let run = |start, end, user: Option<&str>, source, is_taken| Replaced {
        days: days(start, end, crew.today),
        start,
        person: crew.people.find(user),
        source,
        is_taken,
    };
    let stretches = layers.stretches.iter().map(|it| {
        let source = it.source.as_str();
        let is_taken = source == "override";
        run(it.start_date, it.end_date, Some(&it.user), source, is_taken)
    });
    let mut rows: Vec<_> = stretches.collect();
    let mut free_from = layers.first;
    let mut gaps = Vec::new();
    for stretch in &layers.stretches {
        if free_from < stretch.start_date {
            gaps.push(run(
                free_from,
                add_days(stretch.start_date, -1),
                None,
                "none",
                false,
            ));
        }
        free_from = add_days(stretch.end_date, 1);
    }
    if free_from <= layers.last {
        gaps.push(run(free_from, layers.last, None, "none", false));
    }
    rows.extend(gaps);
    let pending = layers
        .overrides
        .iter()
        .filter(|row| row.status == OverrideStatus::Pending);
    rows.extend(pending.map(|row| {
        let user = Some(row.substitute_slack_id.as_str());
        run(row.start_date, row.end_date, user, "pending", true)
    }));
    rows.sort_by_key(|row| (row.start, row.is_taken));
    rows
}

/// `POST /teams/{team}/overrides/new`
pub async fn create(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let (ctx, reference) = (visitor.ctx.clone(), team.clone());
    let done = match input_of(&form) {
        Ok(input) => {
            api.run(move |app| overrides::request(app, &ctx, &reference, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(row) => {
            let text = match row.status {
                OverrideStatus::Pending => "The request is made: it waits for a lead.",
                _ => "The override is in force.",
            };
            let text = with_warnings(text, row.warnings.as_deref());
            Ok(redirect_saying(&format!("/teams/{team}/overrides"), &text))
        }
        Err(problem) => {
            show_form(&api, &visitor, team, FormState::to_correct(&form, problem)?).await
        }
    }
}

fn input_of(form: &Form) -> Typed<NewOverride> {
    Ok(NewOverride {
        substitute_slack_id: form.person("substitute_slack_id").unwrap_or_default(),
        start_date: form.read_needed("start_date", DATE)?,
        end_date: form.read("end_date", DATE)?,
        reason: form.filled("reason"),
        requested_by: form.person("requested_by"),
    })
}
