//! The outbox, to look at.

use super::app::App;
use super::context::Ctx;
use super::error::Result;
use crate::domain::invalid::Invalid;
use crate::domain::notification::DeliveryStatus;
use crate::domain::token::Role;
use crate::store;
use crate::wire::notification::{NotificationFilter, NotificationView};
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
