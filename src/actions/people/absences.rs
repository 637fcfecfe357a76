//! When people are away.

use chrono::NaiveDate;

use crate::app::Result;
use crate::domain::ids::UserId;
use crate::domain::time_off::TimeOff;
use crate::rotation::candidate::Absence;
use crate::store::{self, Reader};

/// A person's time off that ends on `from` or later.
pub fn absences_of(tx: &impl Reader, user: &UserId, from: NaiveDate) -> Result<Vec<Absence>> {
    let absence = |row: TimeOff| Absence {
        user: row.user,
        start: row.start_date,
        end: row.end_date,
    };
    let rows = store::time_off::list_of(tx, user, from)?;
    Ok(rows.into_iter().map(absence).collect())
}
