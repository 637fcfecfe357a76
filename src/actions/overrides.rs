//! Overrides: ask, decide, cancel.

mod decide;
pub mod news;
mod query;
mod request;

pub use self::decide::{cancel, decide};
pub use self::query::{get, list};
pub use self::request::request;
use crate::app::{Result, Tx, changes};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::UserId;
use crate::domain::shift_override::Override;
use crate::domain::team::Team;
use crate::wire::shift_override::OverrideView;

/// Audits a change. `replaced` is who was on call before on its first day.
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
    let mut event = tx.ctx.event(EntityType::Override, action);
    event.team_id = Some(team.id);
    event.entity_id = Some(new.id.to_string());
    event.changes = changes::between(old.map(view).as_ref(), Some(&view(new)));
    event.engineer = Some(new.substitute.clone());
    event.previous_engineer = replaced.cloned();
    event.change_type = match action {
        Action::Created | Action::OverrideRequested => Some("override_created".to_owned()),
        Action::OverrideRejected | Action::OverrideCancelled => Some("override_deleted".to_owned()),
        _ => Some("override_approved".to_owned()),
    };
    event.change_reason.clone_from(&new.reason);
    event.effective_date = Some(new.start_date);
    tx.audit(event)
}
