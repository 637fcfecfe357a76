//! A team's rotation: its config as a form, what a change of it would bring before it is saved, and
//! the next weeks with the reason of each pick.

mod form;
mod review;

use axum::http::StatusCode;

use self::form::{ConfigForm, order_of};
use self::review::Review;

use super::{Tab, TeamData, TeamHead};
use crate::actions::admin::plugins;
use crate::actions::rotation::{generate, preview};
use crate::actions::teams::review::review as review_change;
use crate::actions::{members, teams};
use crate::app::{App, Result};
use crate::web::flash::redirect_refusing;
use crate::web::pages::prelude::*;
use crate::web::view::diff::WEEKDAYS;
use crate::web::view::settings::Kind;
use crate::web::view::why::Why;
use crate::wire::Paging;
use crate::wire::member::MemberView;
use crate::wire::plugin::StrategyPlugin;
use crate::wire::review::RotationReview;
use crate::wire::rotation::{PlanRequest, PlanView, ShiftView};
use crate::wire::team::{TeamInput, TeamView};

/// Weeks that are shown where nothing else is asked for.
const WEEKS: i64 = 4;
/// Members that the ring is made of.
const MEMBERS: usize = 500;

/// What to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    weeks: String,
}

#[derive(Template)]
#[template(path = "team_rotation.html")]
struct Rotation {
    layout: Layout,
    head: TeamHead,
    /// For those who may change it.
    config: Option<ConfigForm>,
    facts: Vec<(&'static str, String)>,
    review: Option<Review>,
    /// Whether somebody else changed the team while this form was filled in.
    is_conflict: bool,
    shifts: Vec<ShiftRow>,
    weeks: i64,
    lengths: Vec<i64>,
}

/// A shift to come.
struct ShiftRow {
    number: usize,
    days: String,
    starts: When,
    person: Person,
    why: Option<Why>,
}

/// What the page is made of.
struct Loaded {
    data: TeamData,
    members: Vec<MemberView>,
    plugins: Vec<StrategyPlugin>,
    plan: PlanView,
    review: Option<RotationReview>,
    people: People,
}

impl Loaded {
    /// The page's parts; with `change`, what that would bring.
    fn load(app: &App, team: &str, weeks: i64, change: Option<&TeamInput>) -> Result<Self> {
        let data = TeamData::load(app, team)?;
        let id = data.team.id.to_string();
        let paging = Paging {
            page: Some(1),
            page_size: Some(MEMBERS),
        };
        let members = members::list(app, &id, &paging)?.items;
        let plan = if data.team.is_active {
            preview(app, &id, &PlanRequest { weeks: Some(weeks) })?
        } else {
            PlanView { items: Vec::new() }
        };
        let compared = u32::try_from(weeks).unwrap_or_default();
        let review = change.map(|change| review_change(app, &id, change, compared));
        let review = review.transpose()?;
        let mut ids = data.ids();
        ids.extend(members.iter().map(|member| member.slack_user_id.as_str()));
        ids.extend(data.team.rotation_order.iter().map(String::as_str));
        ids.extend(ids_of(&plan));
        ids.extend(review.iter().flat_map(review::ids));
        let people = People::load(app, ids)?;
        Ok(Self {
            plugins: plugins::strategies(app),
            data,
            members,
            plan,
            review,
            people,
        })
    }

    /// The page, with the config as a form `of` what is stored or typed.
    fn page(
        &self,
        visitor: &Visitor,
        weeks: i64,
        of: impl FnOnce(&Self) -> ConfigForm,
    ) -> Rotation {
        let (data, people) = (&self.data, &self.people);
        let layout = visitor.layout(format!("{}: rotation", data.team.name), Nav::Teams);
        let config = (layout.may_edit() && data.team.is_active).then(|| of(self));
        let review = self.review.as_ref();
        let mut lengths = vec![2, 4, 8, 12, 26, 52];
        if !lengths.contains(&weeks) {
            lengths.push(weeks);
            lengths.sort_unstable();
        }
        let head = TeamHead::new(data, Tab::Rotation, people, visitor);
        Rotation {
            layout: layout.live().alarmed(head.is_alarming()),
            head,
            config,
            facts: facts(&data.team, people),
            review: review.map(|review| Review::new(review, people, data.today)),
            is_conflict: false,
            shifts: self
                .plan
                .items
                .iter()
                .map(|shift| self.row(shift, visitor))
                .collect(),
            weeks,
            lengths,
        }
    }

    fn row(&self, shift: &ShiftView, visitor: &Visitor) -> ShiftRow {
        let (people, today) = (&self.people, self.data.today);
        let why = shift.explanation.as_ref();
        ShiftRow {
            number: shift.week_number,
            days: days(shift.start_date, shift.end_date, today),
            starts: self.data.when(shift.starts_at, visitor),
            person: people.get(&shift.engineer_slack_id),
            why: why.map(|why| Why::new(why, &shift.engineer_slack_id, people, today)),
        }
    }
}

fn ids_of(plan: &PlanView) -> impl Iterator<Item = &str> {
    plan.items.iter().flat_map(|shift| {
        let why = shift.explanation.as_ref();
        let named = why.into_iter().flat_map(Why::ids);
        named.chain([shift.engineer_slack_id.as_str()])
    })
}

/// The config in words, for those who may only read it.
fn facts(team: &TeamView, people: &People) -> Vec<(&'static str, String)> {
    let day = team
        .handoff_day
        .and_then(|day| WEEKDAYS.get(usize::from(day)));
    let day = day.map_or_else(String::new, |day| format!("{day}, "));
    let zone = &team.timezone;
    let mut facts = vec![
        (
            "Rotation",
            if team.rotation_enabled { "on" } else { "off" }.to_owned(),
        ),
        ("Type", form::type_label(&team.rotation_type)),
        (
            "A turn lasts",
            form::interval_label(team.rotation_interval).to_owned(),
        ),
        ("Handoff", format!("{day}{} ({zone})", team.handoff_time)),
    ];
    if let Some(start) = team.rotation_start_date {
        facts.push(("Counts from", start.to_string()));
    }
    if team.rotation_type == "custom" {
        let names = team.rotation_order.iter().map(|id| people.get(id).name);
        facts.push(("Order", names.collect::<Vec<_>>().join(", ")));
    }
    facts
}

/// The asked-for weeks; what can't be is the default.
fn weeks_of(text: &str) -> i64 {
    let weeks = text.trim().parse().ok();
    weeks
        .filter(|weeks| (1..=52).contains(weeks))
        .unwrap_or(WEEKS)
}

/// `GET /teams/{team}/rotation`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(filter): Query<Filter>,
) -> Shown {
    let weeks = weeks_of(&filter.weeks);
    let loaded = api
        .run_heavy(move |app| Loaded::load(app, &team, weeks, None))
        .await?;
    visitor.page(&loaded.page(&visitor, weeks, Loaded::stored))
}

impl Loaded {
    /// The form of the config as it is stored.
    fn stored(&self) -> ConfigForm {
        let values = form::values(&self.data.team, &self.plugins);
        let form = FormState::of(
            values
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        self.form(form, &self.data.team.rotation_order)
    }

    /// The form with these values in it.
    fn form(&self, form: FormState, order: &[String]) -> ConfigForm {
        let version = self.data.team.version;
        ConfigForm::new(
            form,
            version,
            order,
            &self.members,
            &self.plugins,
            &self.people,
        )
    }
}

/// `GET /teams/{team}/rotation/review`: what the config in the query would bring.
pub async fn review(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Shown {
    let form: Form = fields.into_iter().collect();
    let change = input_of(&api, &form).await;
    show_change(&api, &visitor, team, &form, change, None).await
}

/// `POST /teams/{team}/rotation`
pub async fn save(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let saved = match input_of(&api, &form).await {
        Ok(input) => {
            let (ctx, team) = (visitor.ctx.clone(), team.clone());
            api.run(move |app| teams::update(app, &ctx, &team, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match saved {
        Ok(team) => {
            let text = if team.rotation_enabled {
                "The rotation is saved, and the shifts to come are planned by it."
            } else {
                "The rotation is saved; it is off."
            };
            Ok(redirect_saying(
                &format!("/teams/{}/rotation", team.slug),
                text,
            ))
        }
        Err(problem) => {
            let change = input_of(&api, &form).await;
            show_change(&api, &visitor, team, &form, change, Some(problem)).await
        }
    }
}

async fn input_of(api: &Api, form: &Form) -> std::result::Result<TeamInput, Problem> {
    let plugins = api.run(|app| Ok(plugins::strategies(app))).await?;
    Ok(form::input_of(form, &plugins)?)
}

/// The page with the form as it was filled in, and what it would bring or what is wrong with it.
async fn show_change(
    api: &Api,
    visitor: &Visitor,
    team: String,
    form: &Form,
    change: std::result::Result<TeamInput, Problem>,
    refused: Option<Problem>,
) -> Shown {
    let weeks = weeks_of(form.text("weeks"));
    let load = |change: Option<TeamInput>| {
        let team = team.clone();
        api.run_heavy(move |app| Loaded::load(app, &team, weeks, change.as_ref()))
    };
    let (loaded, wrong) = match change {
        Ok(change) => match load(Some(change)).await {
            Ok(loaded) => (loaded, refused),
            Err(problem) => (load(None).await?, Some(problem)),
        },
        Err(problem) => (load(None).await?, Some(problem)),
    };
    let given: Option<u64> = form.text("version").parse().ok();
    let is_stale = given.is_some_and(|given| given != loaded.data.team.version);
    let (status, state, is_conflict) = match wrong {
        None => (StatusCode::OK, FormState::from(form), false),
        Some(problem) if problem.status == 409 && is_stale => {
            (StatusCode::CONFLICT, FormState::from(form), true)
        }
        Some(problem) => {
            let state = FormState::to_correct(form, problem)?;
            (state.status(), state, false)
        }
    };
    let page = Rotation {
        is_conflict,
        ..loaded.page(visitor, weeks, |it| it.form(state, &order_of(form)))
    };
    visitor.page_with(status, &page)
}

/// `POST /teams/{team}/rotation/generate`
pub async fn publish(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    form: Form,
) -> Shown {
    let weeks = weeks_of(form.text("weeks"));
    let path = format!("/teams/{team}/rotation?weeks={weeks}");
    let ctx = visitor.ctx.clone();
    let request = PlanRequest { weeks: Some(weeks) };
    match api
        .run(move |app| generate(app, &ctx, &team, &request))
        .await
    {
        Ok(plan) => {
            let last = plan.items.last();
            let until = last.map(|shift| day(shift.end_date, visitor.now.date_naive()));
            let text = match until {
                Some(until) => format!("The shifts up to {until} are published."),
                None => "There is nobody to plan: no shift was published.".to_owned(),
            };
            Ok(redirect_saying(&path, &text))
        }
        Err(problem) if problem.status == 409 => Ok(redirect_refusing(
            &path,
            &format!("Nothing was published: {}.", problem.detail),
        )),
        Err(problem) => Err(problem),
    }
}
