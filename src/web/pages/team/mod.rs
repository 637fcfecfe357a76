//! A team's pages: a head that all of them share, and a tab each.

pub mod edit;
pub mod fairness;
pub mod history;
pub mod joining;
pub mod members;
pub mod overrides;
pub mod request;
pub mod rotation;
pub mod schedule;
pub mod shift;
pub mod time_off;

use chrono::NaiveDate;

use super::prelude::*;
use crate::actions::{oncall, schedules, teams};
use crate::app::{App, Result};
use crate::domain::member::TeamRole;
use crate::web::view::why::Why;
use crate::wire::Paging;
use crate::wire::member::MemberView;
use crate::wire::oncall::{OnCall, OnCallQuery};
use crate::wire::schedule::{ScheduleFilter, ScheduleView};
use crate::wire::shift_override::OverrideFilter;
use crate::wire::team::TeamView;

/// All of a list: a team's own lists are as long as a page can show.
const EVERYTHING: Paging = Paging {
    page: None,
    page_size: Some(10_000),
};

/// What a field with a date expects.
const DATE: &str = "a date such as 2026-11-26";

/// What the fields of a form say, or what is wrong with one of them.
type Typed<T> = std::result::Result<T, Problem>;

/// A tab of the team's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Calendar and timeline: the first.
    Schedule,
    /// Members.
    Members,
    /// The rotation's config and preview.
    Rotation,
    /// Overrides.
    Overrides,
    /// Who served how much of what they owed.
    Fairness,
    /// The audit log of the team.
    History,
}

/// What every tab needs of the team, as actions tell it.
#[derive(Debug)]
pub struct TeamData {
    /// The team; deleted ones are shown too.
    pub team: TeamView,
    /// Who is on call; none for a deleted team.
    pub on_call: Option<OnCall>,
    /// The row of the rotation that is behind it, with its explanation.
    pub shift: Option<ScheduleView>,
    /// Overrides that wait for a decision.
    pub pending: usize,
    /// Its on-call day.
    pub today: NaiveDate,
}

impl TeamData {
    /// Loads the team of an id or a slug.
    ///
    /// # Errors
    /// There is none.
    pub fn load(app: &App, reference: &str) -> Result<Self> {
        let team = teams::get(app, reference)?;
        let id = team.id.to_string();
        if !team.is_active {
            let today = app.now().date_naive();
            return Ok(Self {
                team,
                on_call: None,
                shift: None,
                pending: 0,
                today,
            });
        }
        let query = OnCallQuery {
            team: Some(id.clone()),
            ..OnCallQuery::default()
        };
        let on_call = oncall::answer(app, &query)?;
        let today = on_call.date;
        let filter = ScheduleFilter {
            from: Some(today),
            to: Some(today),
            origin: Some("auto".to_owned()),
        };
        let paging = Paging::default();
        let shifts = schedules::list(app, &id, &filter, &paging)?;
        let filter = OverrideFilter {
            from: Some(today),
            to: None,
            status: Some("pending".to_owned()),
        };
        Ok(Self {
            pending: crate::actions::overrides::list(app, &id, &filter, &paging)?.total,
            shift: shifts.items.into_iter().next(),
            on_call: Some(on_call),
            team,
            today,
        })
    }

    /// Everybody whom the head names.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        if let Some(on_call) = &self.on_call {
            ids.extend(on_call.engineer_slack_id.as_deref());
            let next = on_call.next.as_ref();
            ids.extend(next.map(|next| next.engineer_slack_id.as_str()));
        }
        let why = self.shift.as_ref().and_then(|row| row.explanation.as_ref());
        ids.extend(why.into_iter().flat_map(Why::ids));
        ids
    }

    /// An instant in the team's zone.
    pub fn when(&self, at: chrono::DateTime<chrono::Utc>, visitor: &Visitor) -> When {
        When::new(at, &self.team.timezone, visitor.now)
    }
}

/// The head of a team's pages: `team_base.html` shows it.
#[derive(Debug)]
pub struct TeamHead {
    /// The team.
    pub team: TeamView,
    /// The tab that is open.
    pub tab: Tab,
    /// Who is on call.
    pub person: Option<Person>,
    /// What puts them on call.
    pub source: &'static str,
    /// Until when.
    pub until: Option<When>,
    /// Who is next, and from when on.
    pub next: Option<(Person, When)>,
    /// Whose turn it is by the rotation, and why.
    pub why: Option<(Person, Why)>,
    /// Overrides that wait for a decision.
    pub pending: usize,
}

impl TeamHead {
    /// The head over a tab.
    pub fn new(data: &TeamData, tab: Tab, people: &People, visitor: &Visitor) -> Self {
        let on_call = data.on_call.as_ref();
        let engineer = on_call.and_then(|it| it.engineer_slack_id.as_deref());
        let next = on_call.and_then(|it| it.next.as_ref());
        let shift = data.shift.as_ref();
        let why = shift.and_then(|row| Some((row, row.explanation.as_ref()?)));
        Self {
            team: data.team.clone(),
            tab,
            person: people.find(engineer),
            source: on_call.map_or("none", |it| it.source.as_str()),
            until: on_call
                .and_then(|it| it.ends_at)
                .map(|at| data.when(at, visitor)),
            next: next.map(|next| {
                let person = people.get(&next.engineer_slack_id);
                (person, data.when(next.starts_at, visitor))
            }),
            why: why.map(|(row, why)| {
                let picked = row.engineer_slack_id.as_str();
                (
                    people.get(picked),
                    Why::new(why, picked, people, data.today),
                )
            }),
            pending: data.pending,
        }
    }

    /// Whether a tab is the open one.
    pub fn is_open(&self, tab: Tab) -> bool {
        self.tab == tab
    }

    /// Whether nobody is on call.
    pub fn is_alarming(&self) -> bool {
        self.team.is_active && self.person.is_none()
    }
}

/// A team's on-call day; of a deleted team, whose clock nobody asks, the date in UTC.
fn oncall_day(app: &App, team: &TeamView) -> Result<NaiveDate> {
    if !team.is_active {
        return Ok(app.now().date_naive());
    }
    let query = OnCallQuery {
        team: Some(team.id.to_string()),
        ..OnCallQuery::default()
    };
    Ok(oncall::answer(app, &query)?.date)
}

/// What was done, and what to look at though it was accepted.
fn with_warnings(text: &str, warnings: Option<&[String]>) -> String {
    match warnings {
        Some(warnings) if !warnings.is_empty() => {
            format!("{text} But note: {}.", warnings.join("; "))
        }
        _ => text.to_owned(),
    }
}

/// A team with its members, for forms in which somebody is chosen.
struct Crew {
    team: TeamView,
    /// Its on-call day.
    today: NaiveDate,
    members: Vec<MemberView>,
    people: People,
}

impl Crew {
    /// Loads a team, its members and `others` as people of one page.
    fn load(app: &App, team: &str, others: &[&str]) -> Result<Self> {
        let team = teams::get(app, team)?;
        let today = oncall_day(app, &team)?;
        let id = team.id.to_string();
        let members = crate::actions::members::list(app, &id, &EVERYTHING)?.items;
        let ids = members.iter().map(|member| member.slack_user_id.as_str());
        let people = People::load(app, ids.chain(others.iter().copied()))?;
        Ok(Self {
            team,
            today,
            members,
            people,
        })
    }

    /// The members by name, and with them `also`.
    fn choice(&self, also: Option<&str>) -> Vec<Person> {
        self.people_who(|id| {
            also == Some(id) || self.members.iter().any(|it| it.slack_user_id == id)
        })
    }

    /// Those who lead the team, by name.
    fn leads(&self) -> Vec<Person> {
        let is_lead = |it: &MemberView| it.team_role == TeamRole::Lead;
        self.people_who(|id| {
            self.members
                .iter()
                .any(|it| is_lead(it) && it.slack_user_id == id)
        })
    }

    fn people_who(&self, are: impl Fn(&str) -> bool) -> Vec<Person> {
        let mut people = self.people.by_name();
        people.retain(|person| are(&person.id));
        people
    }
}
