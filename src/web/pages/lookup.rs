//! Who is on call for a team, a service, or as a person: the answer, or what may be meant.

use super::prelude::*;
use super::services::form::shown;
use crate::actions::oncall::{answer, shifts};
use crate::actions::people::directory;
use crate::actions::services;
use crate::app::{ActionError, App, Result};
use crate::domain::ids::UserId;
use crate::domain::matching::fold;
use crate::web::view::link::Link;
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
    q: String,
    /// Id or slug.
    team: Option<String>,
    /// Id or name.
    service: Option<String>,
    /// User id.
    person: Option<String>,
    /// Where present, only what may be meant is wanted, even if one thing fits exactly.
    suggest: Option<String>,
}

#[derive(Template)]
#[template(path = "lookup.html")]
struct Lookup {
    layout: Layout,
    q: String,
    card: Option<Card>,
    person: Option<PersonCard>,
    suggestions: Vec<Suggestion>,
    /// For links in messages.
    summary: String,
}

/// The answer for a team or a service.
struct Card {
    subject: String,
    team: String,
    slug: String,
    is_of_service: bool,
    person: Option<Person>,
    source: &'static str,
    dates: String,
    until: Option<When>,
    next: Option<(Person, When)>,
    badge: String,
    facts: Vec<(String, Link)>,
    owner: Option<Person>,
}

/// The answer for a person.
struct PersonCard {
    person: Person,
    now: Vec<ShiftLine>,
    later: Vec<ShiftLine>,
}

/// A shift of theirs.
struct ShiftLine {
    team: String,
    slug: String,
    source: &'static str,
    dates: String,
    at: When,
}

/// Something that may be meant.
struct Suggestion {
    href: String,
    name: String,
    kind: &'static str,
    text: String,
}

/// What is found for a question.
enum Answer {
    Nothing,
    OnCall(Box<OnCall>, Option<Box<ServiceView>>),
    Person(UserId, Vec<OnCall>),
    Several(Vec<Hit>),
}

/// Something that may be meant, and who is on call there.
struct Hit {
    kind: &'static str,
    reference: String,
    name: String,
    on_call: Vec<OnCall>,
}

/// `GET /oncall-lookup`
pub async fn show(State(api): State<Api>, visitor: Visitor, Query(asked): Query<Asked>) -> Shown {
    let q = asked.q.trim().to_owned();
    let (answer, people) = api
        .run(move |app| {
            let answer = look_up(app, &asked)?;
            let people = People::load(app, answer.ids())?;
            Ok((answer, people))
        })
        .await?;
    let mut page = Lookup {
        layout: visitor.layout("Who is on call", Nav::None).live(),
        q,
        card: None,
        person: None,
        suggestions: Vec::new(),
        summary: String::new(),
    };
    match &answer {
        Answer::Nothing => {}
        Answer::OnCall(on_call, service) => {
            let card = Card::new(on_call, service.as_deref(), &people, &visitor);
            page.summary = card.summary();
            page.layout = page.layout.alarmed(card.person.is_none());
            if page.q.is_empty() {
                page.q.clone_from(&card.subject);
            }
            page.card = Some(card);
        }
        Answer::Person(user, shifts) => {
            let card = PersonCard::new(people.get(user.as_str()), shifts, &visitor);
            if page.q.is_empty() {
                page.q.clone_from(&card.person.name);
            }
            page.person = Some(card);
        }
        Answer::Several(hits) => {
            let hits = hits.iter();
            page.suggestions = hits
                .map(|hit| Suggestion::new(hit, &people, &visitor))
                .collect();
        }
    }
    visitor.page(&page)
}

fn look_up(app: &App, asked: &Asked) -> Result<Answer> {
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
    fn ids(&self) -> Vec<&str> {
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

/// The days of a stretch.
fn dates(on_call: &OnCall) -> String {
    match (on_call.start_date, on_call.end_date) {
        (Some(start), Some(end)) => days(start, end, on_call.date),
        _ => String::new(),
    }
}

impl Card {
    fn new(
        on_call: &OnCall,
        service: Option<&ServiceView>,
        people: &People,
        visitor: &Visitor,
    ) -> Self {
        let when = |at| When::new(at, &on_call.timezone, visitor.now);
        let (slug, next) = (&on_call.team_slug, on_call.next.as_ref());
        Self {
            subject: service.map_or(&on_call.team_name, |it| &it.name).clone(),
            team: on_call.team_name.clone(),
            slug: slug.clone(),
            is_of_service: service.is_some(),
            person: people.find(on_call.engineer_slack_id.as_deref()),
            source: on_call.source.as_str(),
            dates: dates(on_call),
            until: on_call.ends_at.map(when),
            next: next.map(|next| (people.get(&next.engineer_slack_id), when(next.starts_at))),
            badge: match service {
                Some(service) => format!("/badge/service/{}.svg", service.id),
                None => format!("/badge/{slug}.svg"),
            },
            facts: service.map(facts).unwrap_or_default(),
            owner: people.find(service.and_then(|it| it.owner_slack_id.as_deref())),
        }
    }

    /// In a sentence.
    fn summary(&self) -> String {
        let Some(person) = &self.person else {
            return format!("Nobody is on call for {}", self.subject);
        };
        let until = self.until.as_ref();
        let until = until.map(|until| format!(" until {} ({})", until.text, until.zone));
        let until = until.unwrap_or_default();
        format!("{} is on call for {}{until}", person.name, self.subject)
    }
}

/// What helps whoever looks into a service: where it is, how much depends on it, the runbook.
fn facts(service: &ServiceView) -> Vec<(String, Link)> {
    let tier = Some(service.tier.as_str().to_owned());
    let stack = Some(service.tech_stack.join(", ")).filter(|stack| !stack.is_empty());
    let known = [
        ("Tier", tier),
        ("Environment", service.environment.clone()),
        ("Repository", service.repository_url.clone()),
        ("Tech stack", stack),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), Link::new(&text?))));
    let more = service.metadata.as_object().into_iter().flatten();
    let more = more.map(|(name, value)| (name.clone(), Link::new(&shown(value))));
    known.chain(more).collect()
}

impl PersonCard {
    fn new(person: Person, shifts: &[OnCall], visitor: &Visitor) -> Self {
        let line = |it: &OnCall, at: Option<chrono::DateTime<chrono::Utc>>| ShiftLine {
            team: it.team_name.clone(),
            slug: it.team_slug.clone(),
            source: it.source.as_str(),
            dates: dates(it),
            at: When::new(at.unwrap_or(visitor.now), &it.timezone, visitor.now),
        };
        let is_now = |it: &&OnCall| it.starts_at.is_some_and(|at| at <= visitor.now);
        let (now, later): (Vec<_>, Vec<_>) = shifts.iter().partition(is_now);
        Self {
            person,
            now: now.into_iter().map(|it| line(it, it.ends_at)).collect(),
            later: later.into_iter().map(|it| line(it, it.starts_at)).collect(),
        }
    }
}

impl Suggestion {
    fn new(hit: &Hit, people: &People, visitor: &Visitor) -> Self {
        let start = "/oncall-lookup?".to_owned();
        let length = start.len();
        let mut href = form_urlencoded::Serializer::for_suffix(start, length);
        href.append_pair(hit.kind, &hit.reference);
        Self {
            href: href.finish(),
            name: hit.name.clone(),
            kind: hit.kind,
            text: Self::text(hit, people, visitor),
        }
    }

    fn text(hit: &Hit, people: &People, visitor: &Visitor) -> String {
        let mut running = hit.on_call.iter().filter(|it| {
            let starts_at = it.starts_at;
            starts_at.is_none_or(|at| at <= visitor.now)
        });
        if hit.kind == "person" {
            let teams: Vec<_> = running.map(|it| it.team_name.as_str()).collect();
            return match teams.as_slice() {
                [] => "not on call now".to_owned(),
                teams => format!("on call for {}", teams.join(", ")),
            };
        }
        let Some(on_call) = running.next() else {
            return "its team is deleted".to_owned();
        };
        match people.find(on_call.engineer_slack_id.as_deref()) {
            Some(person) => format!("{} is on call", person.name),
            None => "nobody is on call".to_owned(),
        }
    }
}
