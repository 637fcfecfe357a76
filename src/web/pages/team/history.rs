//! History of a team: what was changed, and who was put on call when.

use super::{Tab, TeamData, TeamHead};
use crate::actions::admin::audit;
use crate::web::pages::prelude::*;
use crate::web::view::log::{ENTRIES, Log};
use crate::wire::Page;
use crate::wire::audit::{AuditQuery, HistoryView};

/// What to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    view: String,
    cursor: String,
    page: Option<String>,
}

#[derive(Template)]
#[template(path = "team_history.html")]
struct History {
    layout: Layout,
    head: TeamHead,
    log: Option<Log>,
    older: Option<String>,
    newest: Option<String>,
    turns: Vec<Turn>,
    pager: Option<Pager>,
}

/// A change of who is on call.
struct Turn {
    from: String,
    person: Option<Person>,
    before: Option<Person>,
    kind: String,
    reason: String,
    by: Option<Person>,
    at: When,
}

/// `GET /teams/{team}/history`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(filter): Query<Filter>,
) -> Shown {
    if filter.view == "on-call" {
        return show_turns(&api, &visitor, team, filter.page.as_deref()).await;
    }
    let now = visitor.now;
    let is_admin = visitor.layout("", Nav::Teams).is_admin();
    let cursor = Some(filter.cursor.clone()).filter(|cursor| !cursor.is_empty());
    let is_newest = cursor.is_none();
    let (data, people, log) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let people = People::load(app, data.ids())?;
            let query = AuditQuery {
                team: Some(data.team.id.to_string()),
                cursor,
                ..AuditQuery::default()
            };
            let log = Log::load(app, &query, now, is_admin)?;
            Ok((data, people, log))
        })
        .await?;
    let path = format!("/teams/{}/history", data.team.slug);
    let head = TeamHead::new(&data, Tab::History, &people, &visitor);
    let layout = layout(&head, &visitor);
    let page = History {
        // Who looks at older entries is not to be moved by new ones.
        layout: if is_newest { layout.live() } else { layout },
        head,
        older: log
            .next
            .as_ref()
            .map(|cursor| format!("{path}?cursor={cursor}")),
        newest: (!is_newest).then_some(path),
        log: Some(log),
        turns: Vec::new(),
        pager: None,
    };
    visitor.page(&page)
}

async fn show_turns(api: &Api, visitor: &Visitor, team: String, page: Option<&str>) -> Shown {
    let paging = paging(page, ENTRIES);
    let (data, people, turns) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let turns = audit::history(app, &data.team.id.to_string(), &paging)?;
            let people = People::load(app, data.ids().into_iter().chain(named(&turns)))?;
            Ok((data, people, turns))
        })
        .await?;
    let path = format!("/teams/{}/history", data.team.slug);
    let head = TeamHead::new(&data, Tab::History, &people, visitor);
    let page = History {
        layout: layout(&head, visitor),
        head,
        log: None,
        older: None,
        newest: None,
        pager: Some(Pager::new(&turns, &path, &[("view", "on-call")])),
        turns: turns
            .items
            .iter()
            .map(|turn| Turn::new(turn, &data, &people, visitor))
            .collect(),
    };
    visitor.page(&page)
}

fn layout(head: &TeamHead, visitor: &Visitor) -> Layout {
    let layout = visitor.layout(format!("{}: history", head.team.name), Nav::Teams);
    layout.alarmed(head.is_alarming())
}

fn named(turns: &Page<HistoryView>) -> impl Iterator<Item = &str> {
    turns.items.iter().flat_map(|turn| {
        let people = [
            &turn.engineer_slack_id,
            &turn.previous_engineer_slack_id,
            &turn.changed_by,
        ];
        people.into_iter().filter_map(|id| id.as_deref())
    })
}

impl Turn {
    fn new(turn: &HistoryView, data: &TeamData, people: &People, visitor: &Visitor) -> Self {
        let from = turn.effective_date;
        Self {
            from: from.map(|date| day(date, data.today)).unwrap_or_default(),
            person: people.find(turn.engineer_slack_id.as_deref()),
            before: people.find(turn.previous_engineer_slack_id.as_deref()),
            kind: turn
                .change_type
                .as_deref()
                .unwrap_or_default()
                .replace('_', " "),
            reason: turn.change_reason.clone().unwrap_or_default(),
            by: people.find(turn.changed_by.as_deref()),
            at: data.when(turn.created_at, visitor),
        }
    }
}
