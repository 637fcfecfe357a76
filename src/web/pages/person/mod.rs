//! A person: their teams, shifts, time off, and the year. "My shifts" is the same page of whoever
//! has signed in.

pub mod profile;
pub mod time_off;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::prelude::*;
use crate::actions::members::{profiles, time_off as absences};
use crate::actions::oncall::{duties, shifts_of};
use crate::actions::people::search;
use crate::actions::{members, teams};
use crate::app::{App, Result};
use crate::domain::member::TeamRole;
use crate::domain::shift_override::OverrideStatus;
use crate::rotation::coverage::Source;
use crate::web::view::year::{Strip, Year};
use crate::wire::Paging;
use crate::wire::duty::{Duties, Duty, DutyYear};
use crate::wire::oncall::{DateRange, UserShift};
use crate::wire::person::PersonView;
use crate::wire::time_off::TimeOffView;

/// All of a list: one person's are as long as a page can show.
const EVERYTHING: Paging = Paging {
    page: None,
    page_size: Some(10_000),
};

/// Shifts that are over which the page shows.
const PAST_SHIFTS: usize = 20;
/// People that a search for oneself shows.
const FOUND: usize = 20;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    layout: Layout,
    person: Person,
    profile: PersonView,
    /// Whether it is the page of whoever has signed in.
    is_own: bool,
    may_set: bool,
    teams: Vec<TeamOf>,
    /// The shift that runs, of each team where one does.
    running: Vec<Shift>,
    upcoming: Vec<Shift>,
    past: Vec<Shift>,
    /// Overrides that wait for a decision, in which they would cover.
    asked: Vec<Asked>,
    time_off: Vec<Off>,
    months: Vec<String>,
    strip: Strip,
    year: DutyYear,
    /// Path of the calendar feed.
    feed: String,
    /// Whether the feed takes a token.
    feed_takes_token: bool,
    form: FormState,
}

/// A team that somebody belongs to.
struct TeamOf {
    slug: String,
    name: String,
    timezone: String,
    role: TeamRole,
    is_eligible: bool,
}

/// A run of days on call.
struct Shift {
    team: String,
    slug: String,
    days: String,
    starts: When,
    ends: When,
    source: &'static str,
    href: String,
    /// Where somebody else is asked to take it.
    cover: String,
    /// Whether their own time off touches it.
    is_in_time_off: bool,
}

/// An override that waits for a decision.
struct Asked {
    team: String,
    href: String,
    days: String,
}

/// Days off.
struct Off {
    id: String,
    days: String,
    reason: Option<String>,
    is_over: bool,
}

/// All that the page tells, as actions do.
struct Data {
    profile: PersonView,
    people: People,
    teams: Vec<TeamOf>,
    /// Whether the visitor leads one of the teams.
    is_led: bool,
    duties: Duties,
    rows: Vec<UserShift>,
    time_off: Vec<TimeOffView>,
}

impl Data {
    fn load(app: &App, user: &str, visitor: Option<&str>) -> Result<Self> {
        let profile = profiles::show(app, user)?;
        let (mut of, mut is_led) = (Vec::new(), false);
        for slug in &profile.teams {
            let team = teams::get(app, slug)?;
            let members = members::list(app, slug, &EVERYTHING)?.items;
            is_led |= members.iter().any(|it| {
                it.team_role == TeamRole::Lead && Some(it.slack_user_id.as_str()) == visitor
            });
            if let Some(member) = members.into_iter().find(|it| it.slack_user_id == user) {
                of.push(TeamOf {
                    slug: team.slug,
                    name: team.name,
                    timezone: team.timezone,
                    role: member.team_role,
                    is_eligible: member.is_eligible_for_oncall,
                });
            }
        }
        Ok(Self {
            people: People::load(app, [user])?,
            teams: of,
            is_led,
            duties: duties::of_person(app, user)?,
            rows: shifts_of(app, user, &DateRange::default(), &EVERYTHING)?.items,
            time_off: absences::list(app, user, &EVERYTHING)?.items,
            profile,
        })
    }
}

/// `GET /people/{user}`
pub async fn show(State(api): State<Api>, visitor: Visitor, Path(user): Path<String>) -> Shown {
    show_person(&api, &visitor, user, Nav::None, FormState::default()).await
}

#[derive(Template)]
#[template(path = "my_shifts.html")]
struct MyShifts {
    layout: Layout,
    q: String,
    found: Vec<Person>,
}

/// What somebody looks for who is known by no name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Search {
    q: String,
}

/// `GET /my-shifts`
pub async fn mine(State(api): State<Api>, visitor: Visitor, Query(query): Query<Search>) -> Shown {
    if let Some(user) = visitor.ctx.user() {
        let user = user.to_string();
        return show_person(&api, &visitor, user, Nav::MyShifts, FormState::default()).await;
    }
    let q = query.q.trim().to_owned();
    let text = q.clone();
    let found = api.run(move |app| {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let hits = search(app, &text, FOUND)?.people;
        let ids: Vec<_> = hits.iter().map(|hit| hit.slack_user_id.as_str()).collect();
        let people = People::load(app, ids.iter().copied())?;
        Ok(ids.into_iter().map(|id| people.get(id)).collect())
    });
    let page = MyShifts {
        found: found.await?,
        layout: visitor.layout("My shifts", Nav::MyShifts),
        q,
    };
    visitor.page(&page)
}

/// The page, with the form for time off as it is.
async fn show_person(
    api: &Api,
    visitor: &Visitor,
    user: String,
    nav: Nav,
    form: FormState,
) -> Shown {
    let (whom, me) = (user.clone(), visitor.ctx.user().map(ToString::to_string));
    let looks = me.clone();
    let data = api
        .run(move |app| Data::load(app, &whom, looks.as_deref()))
        .await?;
    let status = form.status();
    let person = data.people.get(&user);
    let is_own = me.as_deref() == Some(user.as_str());
    let title = if nav == Nav::MyShifts {
        "My shifts".to_owned()
    } else {
        person.name.clone()
    };
    let layout = visitor.layout(title, nav).live();
    let (now, today) = (visitor.now, visitor.now.date_naive());
    let touched: BTreeSet<_> = data
        .rows
        .iter()
        .filter(|row| row.conflicts_with_time_off)
        .map(|row| row.id)
        .collect();
    let shift = |duty: &Duty| Shift::new(duty, &user, touched.contains(&duty.id), now);
    let shifts = &data.duties.shifts;
    let is_over = |it: &&Duty| it.ends_at <= now;
    let has_begun = |it: &&Duty| it.starts_at <= now;
    let asked = data.rows.iter();
    let asked = asked.filter(|row| row.status == Some(OverrideStatus::Pending));
    let (time_off, strip, months) = time_off(data.time_off, today);
    let page = PersonPage {
        may_set: layout.is_admin() || layout.may_edit() && (is_own || data.is_led),
        teams: data.teams,
        running: shifts
            .iter()
            .filter(|it| has_begun(it) && !is_over(it))
            .map(shift)
            .collect(),
        upcoming: shifts
            .iter()
            .filter(|it| !has_begun(it))
            .map(shift)
            .collect(),
        past: shifts
            .iter()
            .rev()
            .filter(is_over)
            .take(PAST_SHIFTS)
            .map(shift)
            .collect(),
        asked: asked.map(|row| Asked::new(row, today)).collect(),
        time_off,
        months,
        strip,
        feed: format!("/api/v1/users/{user}/calendar.ics"),
        feed_takes_token: !api.access().anonymous_read,
        year: data.duties.year,
        profile: data.profile,
        person,
        is_own,
        layout,
        form,
    };
    visitor.page_with(status, &page)
}

impl Shift {
    fn new(duty: &Duty, user: &str, is_in_time_off: bool, now: DateTime<Utc>) -> Self {
        let (slug, zone) = (&duty.team_slug, &duty.timezone);
        let kind = match duty.source {
            Source::Override => "overrides",
            _ => "schedule",
        };
        // Days that are over can't be covered any more.
        let first = duty.start_date.max(duty.today);
        Self {
            team: duty.team_name.clone(),
            slug: slug.clone(),
            days: days(duty.start_date, duty.end_date, duty.today),
            starts: When::new(duty.starts_at, zone, now),
            ends: When::new(duty.ends_at, zone, now),
            source: duty.source.as_str(),
            href: format!("/teams/{slug}/{kind}/{}", duty.id),
            cover: format!(
                "/teams/{slug}/overrides/new?start_date={first}&end_date={}&requested_by={user}",
                duty.end_date
            ),
            is_in_time_off,
        }
    }
}

impl Asked {
    fn new(row: &UserShift, today: NaiveDate) -> Self {
        Self {
            team: row.team_name.clone(),
            href: format!("/teams/{}/overrides/{}", row.team_slug, row.id),
            days: days(row.start_date, row.end_date, today),
        }
    }
}

/// Time off: what comes, in order, then what is over, the last first; drawn as a year.
fn time_off(mut rows: Vec<TimeOffView>, today: NaiveDate) -> (Vec<Off>, Strip, Vec<String>) {
    rows.sort_by_key(|row| {
        let is_over = row.end_date < today;
        let distance = (row.start_date - today).num_days();
        (is_over, if is_over { -distance } else { distance })
    });
    let year = Year::around(today);
    let text = |row: &TimeOffView| days(row.start_date, row.end_date, today);
    let within = rows
        .iter()
        .filter(|row| row.start_date <= year.last && year.first <= row.end_date);
    let runs: Vec<_> = within
        .map(|row| (row.start_date, row.end_date, text(row)))
        .collect();
    let off = |row: TimeOffView| Off {
        id: row.id.to_string(),
        days: text(&row),
        is_over: row.end_date < today,
        reason: row.reason,
    };
    let strip = year.strip(&runs);
    (
        rows.into_iter().map(off).collect(),
        strip,
        year.month_names(),
    )
}
