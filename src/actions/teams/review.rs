//! What a change of a team would bring, before it is made.

use super::{fill_in_start, input};
use crate::actions::people::find;
use crate::actions::rotation::review::compare;
use crate::app::{App, Result, changes};
use crate::wire::review::RotationReview;
use crate::wire::team::{TeamInput, TeamView};

/// What comes of a team's shifts in the next `weeks` with a change and without it. Nothing is
/// written, and the version that the change is based on is of no account.
///
/// # Errors
/// The team is not there; the input or the number of weeks is invalid.
pub fn review(app: &App, team: &str, input: &TeamInput, weeks: u32) -> Result<RotationReview> {
    let (now, settings) = (app.now(), app.settings());
    app.read(|tx| {
        let old = find::active_team(tx, team)?;
        let mut new = input::apply(input, &old, now.date_naive(), &*settings.plugins)?;
        fill_in_start(&mut new, now);
        let review = compare(tx, settings, (&old, &new), now, weeks)?;
        let view = |team| TeamView::new(team, settings.require_approval);
        Ok(RotationReview {
            changes: changes::between(Some(&view(&old)), Some(&view(&new))).0,
            ..review
        })
    })
}
