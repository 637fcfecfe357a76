//! Overrides: ask, decide, cancel.

mod decide;
pub mod news;
mod query;
mod request;

pub use self::decide::{cancel, decide};
pub use self::query::{get, list};
pub use self::request::request;
use crate::app::{Result, Tx};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::UserId;
use crate::domain::shift_override::Override;
use crate::domain::team::Team;
use crate::wire::shift_override::OverrideView;

/// Audits a change, for the reason of the decision or else of the request. `replaced` is who was on
/// call before on its first day.
fn record(
    tx: &mut Tx<'_>,
    team: &Team,
    replaced: Option<&UserId>,
    action: Action,
    old: Option<&Override>,
    new: &Override,
) -> Result<()> {
    let clock = team.clock();
    let view = |row: &Override| OverrideView::new(row, &clock);
    let change_type = match action {
        Action::Created | Action::OverrideRequested => "override_created",
        Action::OverrideRejected | Action::OverrideCancelled => "override_deleted",
        _ => "override_approved",
    };
    // Whom a token names that is bound to nobody: what it did in their name.
    let named = match action {
        Action::Created | Action::OverrideRequested => new.requested_by.as_ref(),
        _ => new.approved_by.as_ref(),
    };
    let named = named.filter(|_| tx.ctx.user().is_none());
    tx.record(EntityType::Override, action)
        .acting_for(named)
        .team(team.id)
        .entity(&new.id)
        .diff(old.map(view).as_ref(), Some(&view(new)))
        .on_call(Some(&new.substitute), replaced)
        .change_type(change_type)
        .reason(new.decision_reason.as_deref().or(new.reason.as_deref()))
        .effective(new.start_date)
        .write()
}
