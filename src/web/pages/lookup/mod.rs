//! Who is on call for a team, a service, or as a person: the answer, or what may be meant.

mod find;

use self::find::{Answer, Asked, Hit, look_up};
use super::prelude::*;
use super::services::form::shown;
use crate::web::view::link::Link;
use crate::wire::oncall::OnCall;
use crate::wire::service::ServiceView;

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
