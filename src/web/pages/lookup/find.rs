//! What is meant by a question, and who is on call there.

use serde::Deserialize;

use crate::actions::oncall::{answer, shifts};
use crate::actions::people::directory;
use crate::actions::services;
use crate::app::{ActionError, App, Result};
use crate::domain::ids::UserId;
use crate::domain::matching::fold;
use crate::wire::oncall::{OnCall, OnCallQuery};
use crate::wire::search::{Found, PersonHit};
use crate::wire::service::ServiceView;

/// What is offered of each kind while somebody types.
const SUGGESTED: usize = 5;
/// What is offered of each kind on the page.
const LISTED: usize = 20;
/// Days ahead in which the shifts of a person are told.
const DAYS_AHEAD: i64 = 60;

/// What is asked for: some text, or exactly one thing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub(super) q: String,
    /// Id or slug.
    team: Option<String>,
    /// Id or name.
    service: Option<String>,
    /// User id.
    person: Option<String>,
    /// Where present, only what may be meant is wanted, even if one thing fits exactly.
    suggest: Option<String>,
}

/// What is found for a question.
pub(super) enum Answer {
    Nothing,
    OnCall(Box<OnCall>, Option<Box<ServiceView>>),
    Person(UserId, Vec<OnCall>),
    Several(Vec<Hit>),
}

/// Something that may be meant, and who is on call there.
pub(super) struct Hit {
    pub(super) kind: &'static str,
    pub(super) reference: String,
    pub(super) name: String,
    pub(super) on_call: Vec<OnCall>,
}

/// Looks it up.
///
/// # Errors
/// What is named is not there; the store failed.
pub(super) fn look_up(app: &App, asked: &Asked) -> Result<Answer> {
    if let Some(service) = &asked.service {
        return of_service(app, service);
    }
    if let Some(team) = &asked.team {
        return of_team(app, team);
    }
    if let Some(person) = &asked.person {
        let user = person.parse();
        let user = user.map_err(|_| ActionError::NotFound(format!("there is no `{person}`")))?;
        return of_person(app, user);
    }
    let q = asked.q.trim();
    if q.is_empty() {
        return Ok(Answer::Nothing);
    }
    if asked.suggest.is_some() {
        return several(app, directory::search(app, q, SUGGESTED)?);
    }
    let found = directory::search(app, q, LISTED)?;
    match only(&found, q) {
        Some(Only::Team(slug)) => of_team(app, &slug),
        Some(Only::Service(id)) => of_service(app, &id),
        Some(Only::Person(user)) => match user.parse() {
            Ok(user) => of_person(app, user),
            Err(_) => Ok(Answer::Nothing),
        },
        None => several(app, found),
    }
}

/// What is meant where it's one thing.
enum Only {
    Team(String),
    Service(String),
    Person(String),
}

/// What is meant, if that is one thing: what is called exactly so, else all that fits.
fn only(found: &Found, q: &str) -> Option<Only> {
    let wanted = fold(q.trim_start_matches('@'));
    let is_wanted = |texts: &[&str]| texts.iter().any(|text| fold(text) == wanted);
    let one = |exact: bool| {
        let teams = found.teams.iter();
        let teams = teams.filter(|it| !exact || is_wanted(&[&it.name, &it.slug]));
        let teams = teams.map(|it| Only::Team(it.slug.clone()));
        let services = found.services.iter();
        let services = services.filter(|it| !exact || is_wanted(&[&it.name]));
        let services = services.map(|it| Only::Service(it.id.to_string()));
        let is_person = |it: &&PersonHit| is_wanted(&[&it.display_name, &it.slack_user_id]);
        let people = found.people.iter().filter(|it| !exact || is_person(it));
        let people = people.map(|it| Only::Person(it.slack_user_id.clone()));
        let mut all = teams.chain(services).chain(people);
        all.next().filter(|_| all.next().is_none())
    };
    one(true).or_else(|| one(false))
}

fn query(team: Option<String>, service: Option<String>) -> OnCallQuery {
    OnCallQuery {
        service,
        team,
        ..OnCallQuery::default()
    }
}

fn of_team(app: &App, team: &str) -> Result<Answer> {
    let on_call = answer(app, &query(Some(team.to_owned()), None))?;
    Ok(Answer::OnCall(Box::new(on_call), None))
}

fn of_service(app: &App, service: &str) -> Result<Answer> {
    let on_call = answer(app, &query(None, Some(service.to_owned())))?;
    let service = services::get(app, service)?;
    Ok(Answer::OnCall(Box::new(on_call), Some(Box::new(service))))
}

fn of_person(app: &App, user: UserId) -> Result<Answer> {
    let shifts = shifts::upcoming(app, &user, DAYS_AHEAD)?;
    Ok(Answer::Person(user, shifts))
}

/// Everything that may be meant, with who is on call there now.
fn several(app: &App, found: Found) -> Result<Answer> {
    let mut hits = Vec::new();
    for it in found.services {
        let id = it.id.to_string();
        hits.push(Hit {
            kind: "service",
            on_call: standing(answer(app, &query(None, Some(id.clone()))))?,
            reference: id,
            name: it.name,
        });
    }
    for it in found.teams {
        hits.push(Hit {
            kind: "team",
            on_call: standing(answer(app, &query(Some(it.slug.clone()), None)))?,
            reference: it.slug,
            name: it.name,
        });
    }
    for it in found.people {
        let shifts = match it.slack_user_id.parse() {
            Ok(user) => shifts::upcoming(app, &user, 0)?,
            Err(_) => Vec::new(),
        };
        hits.push(Hit {
            kind: "person",
            on_call: shifts,
            reference: it.slack_user_id,
            name: it.display_name,
        });
    }
    Ok(Answer::Several(hits))
}

/// An answer where there is one: of a service whose team is deleted, there is none.
fn standing(answer: Result<OnCall>) -> Result<Vec<OnCall>> {
    match answer {
        Ok(on_call) => Ok(vec![on_call]),
        Err(ActionError::NotFound(_)) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}

impl Answer {
    /// Everybody who is named.
    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        match self {
            Self::Nothing => {}
            Self::OnCall(on_call, service) => {
                ids.extend(on_call.engineer_slack_id.as_deref());
                let next = on_call.next.as_ref();
                ids.extend(next.map(|next| next.engineer_slack_id.as_str()));
                let owner = service.as_ref().and_then(|it| it.owner_slack_id.as_deref());
                ids.extend(owner);
            }
            Self::Person(user, _) => ids.push(user.as_str()),
            Self::Several(hits) => {
                let answers = hits.iter().flat_map(|hit| &hit.on_call);
                ids.extend(answers.filter_map(|it| it.engineer_slack_id.as_deref()));
            }
        }
        ids
    }
}
