//! The outbox, to look at; what failed, to be tried again; and whether a sink works.

use crate::app::{ActionError, App, Ctx, Result};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::NotificationId;
use crate::domain::invalid::Invalid;
use crate::domain::json::Json;
use crate::domain::notification::{DeliveryStatus, Event, Notification};
use crate::domain::token::Role;
use crate::store::outbox::{self, Message};
use crate::store::{self, Reader};
use crate::wire::notification::{NewTest, NotificationFilter, NotificationView};
use crate::wire::{Page, Paging};

/// Notifications, newest first.
///
/// # Errors
/// Not an admin; the filter is invalid.
pub fn list(
    app: &App,
    ctx: &Ctx,
    filter: &NotificationFilter,
    paging: &Paging,
) -> Result<Page<NotificationView>> {
    ctx.require(Role::Admin)?;
    let mut invalid = Invalid::default();
    let status = filter.status.as_deref();
    let status = status.and_then(|s| invalid.parse::<DeliveryStatus>("status", s));
    invalid.into_result(())?;
    let (total, rows) = app.read(|tx| {
        Ok(store::outbox::list(
            tx,
            status,
            paging.skip(),
            paging.size(),
        )?)
    })?;
    Ok(Page::new(
        rows.iter().map(NotificationView::from).collect(),
        total,
        paging,
    ))
}

/// A notification.
///
/// # Errors
/// Not an admin; it is not there.
pub fn get(app: &App, ctx: &Ctx, id: &str) -> Result<NotificationView> {
    ctx.require(Role::Admin)?;
    app.read(|tx| Ok(NotificationView::from(&load(tx, id)?)))
}

fn load(tx: &impl Reader, id: &str) -> Result<Notification> {
    let row = match id.parse::<NotificationId>() {
        Ok(id) => outbox::find(tx, id)?,
        Err(_) => None,
    };
    row.ok_or_else(|| ActionError::NotFound(format!("there is no notification `{id}`")))
}

/// Queues a notification again that failed, at the end of the outbox.
///
/// # Errors
/// Not an admin; it is not there; it has not failed.
pub fn retry(app: &App, ctx: &Ctx, id: &str) -> Result<NotificationView> {
    ctx.require(Role::Admin)?;
    app.write_once(ctx, |tx| {
        let row = load(tx.store, id)?;
        if row.status != DeliveryStatus::Failed {
            let detail = format!(
                "the notification is {}; only a failed one can be retried",
                row.status
            );
            return Err(ActionError::BadTransition(detail));
        }
        let row = outbox::requeue(tx.store, &row, tx.now)?;
        tx.record(EntityType::System, Action::NotificationRetried)
            .team(row.team_id)
            .entity(&row.id)
            .metadata("sink", row.sink.as_str())
            .metadata("event", row.event.as_str())
            .write()?;
        Ok(NotificationView::from(&row))
    })
}

/// Queues a message that shows whether a sink works; what becomes of it is read from the
/// notification.
///
/// # Errors
/// Not an admin; there is no such sink.
pub fn test(app: &App, ctx: &Ctx, input: &NewTest) -> Result<NotificationView> {
    ctx.require(Role::Admin)?;
    app.write_once(ctx, |tx| {
        let known: Vec<_> = tx.settings.sinks.iter().map(|route| &route.sink).collect();
        let names = || {
            known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
        };
        let sink = match (&input.sink, known.as_slice()) {
            (Some(sink), _) if known.contains(&sink) => sink.clone(),
            (None, [only]) => (*only).clone(),
            (Some(sink), _) => {
                let message = format!("`{sink}` is not one of {}", names().join(", "));
                return Err(ActionError::invalid("sink", message));
            }
            (None, _) => {
                let message = format!("is required: one of {}", names().join(", "));
                return Err(ActionError::invalid("sink", message));
            }
        };
        let mut invalid = Invalid::default();
        invalid.check_line("recipient", &input.recipient, 1, 200);
        invalid.into_result(())?;
        let message = Message {
            event: Event::Test,
            recipient: input.recipient.clone(),
            team_id: None,
            payload: Json(serde_json::json!({"requested_by": tx.ctx.user()})),
        };
        let row = outbox::push(tx.store, &sink, &message, tx.now)?;
        Ok(NotificationView::from(&row))
    })
}
