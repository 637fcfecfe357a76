//! When people are away.

use crate::app::Result;
use crate::domain::ids::UserId;
use crate::domain::time_off::TimeOff;
use crate::rotation::candidate::Absence;
use crate::store::{self, Reader};

/// A person's time off.
pub fn absences_of(tx: &impl Reader, user: &UserId) -> Result<Vec<Absence>> {
    let absence = |row: TimeOff| Absence {
        user: row.user,
        start: row.start_date,
        end: row.end_date,
    };
    let rows = store::time_off::list_of(tx, user)?;
    Ok(rows.into_iter().map(absence).collect())
}
