//! The audit log: list, show, prove, and the legacy history.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};

use crate::actions::people::find;
use crate::app::{ActionError, App, Result};
use crate::domain::hex::hex;
use crate::domain::ids::AuditId;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::next_day;
use crate::store;
use crate::store::audit::Filter;
use crate::wire::audit::{AuditPage, AuditProof, AuditQuery, AuditView, ChangeEvent, HistoryView};
use crate::wire::{Page, Paging};

/// Entries that meet every condition, newest first.
///
/// # Errors
/// The query is invalid; its team is not there.
pub fn list(app: &App, query: &AuditQuery, paging: &Paging) -> Result<AuditPage> {
    app.read(|tx| {
        let mut invalid = Invalid::default();
        let filter = Filter {
            entity_type: query
                .entity_type
                .as_deref()
                .and_then(|t| invalid.parse("entity_type", t)),
            entity_id: query.entity_id.clone(),
            action: query
                .action
                .as_deref()
                .and_then(|a| invalid.parse("action", a)),
            actor_id: query.actor_id.clone(),
            team: None,
            from: query
                .from
                .as_deref()
                .and_then(|t| instant(&mut invalid, "from", t, false)),
            to: query
                .to
                .as_deref()
                .and_then(|t| instant(&mut invalid, "to", t, true)),
            before: query
                .cursor
                .as_deref()
                .and_then(|c| invalid.parse("cursor", c)),
            with_change_type: false,
        };
        invalid.into_result(())?;
        let team = query
            .team
            .as_deref()
            .map(|team| find::team(tx, team))
            .transpose()?;
        let filter = Filter {
            team: team.map(|team| team.id),
            ..filter
        };
        let skip = if filter.before.is_some() {
            0
        } else {
            paging.skip()
        };
        let (left, entries) = store::audit::list(tx, &filter, skip, paging.size())?;
        let total = match filter.before {
            Some(_) => {
                let whole = Filter {
                    before: None,
                    ..filter
                };
                store::audit::list(tx, &whole, 0, 0)?.0
            }
            None => left,
        };
        let last = entries.last().map(|entry| entry.seq.to_string());
        Ok(AuditPage {
            next_cursor: last.filter(|_| skip + entries.len() < left),
            items: entries.iter().map(AuditView::from).collect(),
            total,
            page: paging.page.unwrap_or(1),
            page_size: paging.size(),
        })
    })
}

/// An instant, or a day: its first instant, or the first after it where `past_end`.
fn instant(
    invalid: &mut Invalid,
    field: &str,
    text: &str,
    past_end: bool,
) -> Option<DateTime<Utc>> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = if past_end { next_day(day) } else { day };
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let parsed = DateTime::parse_from_rfc3339(text).ok();
    if parsed.is_none() {
        invalid.add(
            field,
            format!("`{text}` is neither a day nor an RFC 3339 instant"),
        );
    }
    parsed.map(|at| at.with_timezone(&Utc))
}

/// An entry.
///
/// # Errors
/// The entry is not there.
pub fn get(app: &App, id: &str) -> Result<AuditView> {
    let entry = match id.parse::<AuditId>() {
        Ok(id) => app.read(|tx| Ok(store::audit::find(tx, id)?))?,
        Err(_) => None,
    };
    let entry = entry.ok_or_else(|| ActionError::NotFound(format!("no audit entry `{id}`")))?;
    Ok(AuditView::from(&entry))
}

/// Checks the whole chain, and the indexes by which entries are found.
///
/// # Errors
/// The first entry, or row of an index, that is not as it was written.
pub fn verify(app: &App) -> Result<AuditProof> {
    let head = app.read(|tx| Ok(store::audit::verify(tx)?))?;
    Ok(AuditProof {
        entries: head.seq,
        head: hex(&head.hash),
    })
}

/// Position of the last entry; 0 where there is none.
pub fn head(app: &App) -> Result<u64> {
    app.read(|tx| Ok(store::audit::head(tx)?.seq))
}

/// At most `limit` changes from the position `from` on, in order.
pub fn changes_since(app: &App, from: u64, limit: u64) -> Result<VecDeque<ChangeEvent>> {
    app.read(|tx| {
        let mut changes = VecDeque::new();
        for seq in from..from.saturating_add(limit) {
            match store::audit::at(tx, seq)? {
                Some(entry) => changes.push_back(ChangeEvent::from(&entry)),
                None => break,
            }
        }
        Ok(changes)
    })
}

/// Changes of who is on call, newest first, in the legacy shape.
///
/// # Errors
/// The team is not there.
pub fn history(app: &App, team: &str, paging: &Paging) -> Result<Page<HistoryView>> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let filter = Filter {
            team: Some(team.id),
            with_change_type: true,
            ..Filter::default()
        };
        let (total, entries) = store::audit::list(tx, &filter, paging.skip(), paging.size())?;
        Ok(Page::new(
            entries.iter().map(HistoryView::from).collect(),
            total,
            paging,
        ))
    })
}
