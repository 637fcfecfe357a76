//! The audit log: what was changed, by whom, and whether the log is as it was written.

pub mod export;

use super::prelude::*;
use crate::actions::admin::audit;
use crate::actions::people::directory;
use crate::actions::teams;
use crate::app::App;
use crate::domain::audit::{Action, EntityType};
use crate::domain::invalid::Invalid;
use crate::web::view::log::Log;
use crate::wire::audit::{AuditQuery, AuditVerdict};
use crate::wire::{ActiveFilter, Paging};

/// Teams that are suggested for the filter.
const SUGGESTED: usize = 200;

/// Which entries to show, as the form has it: what stands empty filters nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    entity_type: String,
    entity_id: String,
    action: String,
    actor_id: String,
    team: String,
    from: String,
    to: String,
    cursor: String,
}

impl Filter {
    /// The query, in which whoever acted may be named as people are.
    fn query(&self, app: &App) -> crate::app::Result<AuditQuery> {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut query = AuditQuery {
            entity_type: filled(&self.entity_type),
            entity_id: filled(&self.entity_id),
            action: filled(&self.action),
            actor_id: filled(&self.actor_id),
            team: filled(&self.team),
            from: filled(&self.from),
            to: filled(&self.to),
            cursor: filled(&self.cursor),
        };
        if let Some(name) = &query.actor_id {
            let by_id = AuditQuery {
                actor_id: Some(name.clone()),
                ..AuditQuery::default()
            };
            let people = directory::search(app, name, 2)?.people;
            if let [person] = people.as_slice()
                && audit::batch(app, &by_id, 1)?.0.is_empty()
            {
                query.actor_id = Some(person.slack_user_id.clone());
            }
        }
        Ok(query)
    }

    /// What is filtered by, without the place in the list.
    fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("entity_type", &self.entity_type),
            ("entity_id", &self.entity_id),
            ("action", &self.action),
            ("actor_id", &self.actor_id),
            ("team", &self.team),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// The address of a page with this filter, and `cursor` where it is not empty.
    fn link(&self, path: &str, cursor: &str) -> String {
        let pairs = self.pairs().into_iter().chain([("cursor", cursor)]);
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

/// A team that is not there is something to correct in the filter.
fn of_filter(problem: Problem, team: &str) -> Problem {
    if problem.status == 404 && !team.is_empty() {
        return Invalid::one("team", problem.detail).into();
    }
    problem
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    layout: Layout,
    form: FormState,
    is_filtered: bool,
    log: Log,
    kinds: Vec<(&'static str, String)>,
    actions: Vec<(&'static str, String)>,
    slugs: Vec<String>,
    older: Option<String>,
    newest: Option<String>,
    csv: String,
    jsonl: String,
}

/// `GET /audit`
pub async fn list(State(api): State<Api>, visitor: Visitor, Query(filter): Query<Filter>) -> Shown {
    let (asked, now) = (filter.clone(), visitor.now);
    let is_admin = visitor.layout("", Nav::Audit).is_admin();
    let log = api.run(move |app| Log::load(app, &asked.query(app)?, now, is_admin));
    let log = log.await;
    let pairs = filter.pairs();
    let (log, form) = match log {
        Ok(log) => {
            let values = pairs.map(|(name, value)| (name, value.to_owned()));
            (log, FormState::of(values))
        }
        Err(problem) => {
            let fields = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let form = fields.into_iter().collect();
            let problem = of_filter(problem, &filter.team);
            (Log::default(), FormState::to_correct(&form, problem)?)
        }
    };
    let slugs = api.run(|app| {
        let paging = Paging {
            page: Some(1),
            page_size: Some(SUGGESTED),
        };
        let teams = teams::list(app, ActiveFilter::All, None, &paging)?;
        Ok(teams.items.into_iter().map(|team| team.slug).collect())
    });
    let named = |name: &'static str| (name, name.replace('_', " "));
    let layout = visitor.layout("Audit log", Nav::Audit);
    let status = form.status();
    let page = Audit {
        // Who looks at older entries is not to be moved by new ones.
        layout: if filter.cursor.is_empty() {
            layout.live()
        } else {
            layout
        },
        is_filtered: pairs.iter().any(|(_, value)| !value.is_empty()),
        kinds: EntityType::ALL
            .iter()
            .map(|kind| named(kind.as_str()))
            .collect(),
        actions: Action::ALL
            .iter()
            .map(|action| named(action.as_str()))
            .collect(),
        slugs: slugs.await?,
        older: log
            .next
            .as_ref()
            .map(|cursor| filter.link("/audit", cursor)),
        newest: (!filter.cursor.is_empty()).then(|| filter.link("/audit", "")),
        csv: filter.link("/audit/export.csv", ""),
        jsonl: filter.link("/audit/export.jsonl", ""),
        form,
        log,
    };
    visitor.page_with(status, &page)
}

#[derive(Template)]
#[template(path = "audit_verify.html")]
struct Verified {
    layout: Layout,
    verdict: AuditVerdict,
    at: When,
}

/// `GET /audit/verify`
pub async fn verify(State(api): State<Api>, visitor: Visitor) -> Shown {
    let verdict = api.run_through(audit::judge).await?;
    let page = Verified {
        layout: visitor
            .layout("Is the audit log as it was written?", Nav::Audit)
            .alarmed(matches!(verdict, AuditVerdict::Broken(_))),
        verdict,
        at: When::utc(visitor.now, visitor.now),
    };
    visitor.page(&page)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::app::Ctx;

    #[test]
    fn a_log_that_was_changed_is_told_of_with_the_first_entry_that_was() {
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        let visitor = Visitor::new(Ctx::system(), "/".to_owned(), &HeaderMap::new(), now);
        let page = Verified {
            layout: visitor.layout("Is it?", Nav::Audit),
            verdict: AuditVerdict::Broken("entry 7 was changed".to_owned()),
            at: When::utc(now, now),
        };
        let html = page.render().unwrap();
        assert!(
            html.contains("<strong>No:</strong> entry 7 was changed."),
            "{html}"
        );
    }
}
