//! The audit log: list, show, prove, and the legacy history.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};

use super::seals;
use crate::actions::people::find;
use crate::app::{ActionError, App, Result};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::AuditId;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::next_day;
use crate::store::audit::Filter;
use crate::store::{self, Reader, StoreError};
use crate::wire::audit::{
    AuditPage, AuditProof, AuditQuery, AuditVerdict, AuditView, ChangeEvent, Expected, HistoryView,
};
use crate::wire::{Page, Paging};

/// Entries that meet every condition, newest first.
///
/// # Errors
/// The query is invalid; its team is not there.
pub fn list(app: &App, query: &AuditQuery, paging: &Paging) -> Result<AuditPage> {
    app.read(|tx| {
        let filter = filter(tx, query)?;
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
        let is_end = skip + entries.len() >= left;
        Ok(AuditPage {
            next_cursor: cursor(&entries).filter(|_| !is_end),
            items: entries.iter().map(AuditView::from).collect(),
            total,
            page: paging.page.unwrap_or(1),
            page_size: paging.size(),
        })
    })
}

/// The first `limit` entries that meet every condition, newest first, and the cursor for what
/// follows: for those who want all of them, without holding them all.
///
/// # Errors
/// As [`list`].
pub fn batch(
    app: &App,
    query: &AuditQuery,
    limit: usize,
) -> Result<(Vec<AuditView>, Option<String>)> {
    app.read(|tx| {
        let filter = filter(tx, query)?;
        let (left, entries) = store::audit::list(tx, &filter, 0, limit)?;
        let next = cursor(&entries).filter(|_| entries.len() < left);
        Ok((entries.iter().map(AuditView::from).collect(), next))
    })
}

fn cursor(entries: &[AuditEntry]) -> Option<String> {
    entries.last().map(|entry| entry.seq.to_string())
}

fn filter(tx: &impl Reader, query: &AuditQuery) -> Result<Filter> {
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
    Ok(Filter {
        team: team.map(|team| team.id),
        ..filter
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

/// Checks the whole chain, the indexes by which entries are found, and the checkpoints.
///
/// # Errors
/// The first entry, row of an index, or checkpoint that is not as it was written.
pub fn verify(app: &App) -> Result<AuditProof> {
    verify_against(app, &Expected::default())
}

/// The same, held against what somebody has kept elsewhere.
///
/// # Errors
/// As [`verify`]; the log doesn't lead to what is expected, or that can't be read.
pub fn verify_against(app: &App, expected: &Expected) -> Result<AuditProof> {
    seals::prove(app, expected)
}

/// Checks as [`verify`] does; that the log is not as it was written is an answer too.
pub fn judge(app: &App) -> Result<AuditVerdict> {
    verdict(verify(app))
}

fn verdict(proof: Result<AuditProof>) -> Result<AuditVerdict> {
    match proof {
        Ok(proof) => Ok(AuditVerdict::Holds(proof)),
        Err(ActionError::Store(error)) if error.is_of_audit_log() => {
            tracing::error!(%error, "the audit log is not as it was written");
            Ok(AuditVerdict::Broken(match error {
                StoreError::Audit { seq, problem } => format!("entry {seq} {problem}"),
                other => other.to_string(),
            }))
        }
        Err(error) => Err(error),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_the_log_was_changed_is_an_answer_and_that_it_can_not_be_read_a_failure() {
        let problem = "was changed after it was written".to_owned();
        let changed = StoreError::Audit { seq: 7, problem };
        let broken = verdict(Err(changed.into())).unwrap();
        assert_eq!(
            broken,
            AuditVerdict::Broken("entry 7 was changed after it was written".to_owned())
        );
        let unreadable = StoreError::Panicked("no".to_owned());
        assert!(verdict(Err(unreadable.into())).is_err());
    }
}
