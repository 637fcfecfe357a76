//! Who is next.

use crate::bindings::rotation::{Context, Pick, Source};
use crate::calendar::Calendar;
use crate::config::Config;
use crate::tally::{Counted, Tally};

/// What is owed to two people is the same within this many points.
const TIE: f64 = 1e-9;

/// A period with weekend days or holidays goes to whoever is owed most of these, any other to
/// whoever is owed most of all points. Heavy days are counted apart, since somebody could have
/// their share of all points by weekdays alone. Of those who are owed the same it is the next
/// in the ring after the last one who had this kind of days: a pattern that shares a factor
/// with the head count locks nobody in.
///
/// # Errors
/// There is no candidate.
pub fn pick(ctx: &Context, config: &Config) -> Result<Pick, String> {
    let period = &ctx.period;
    let oldest = ctx
        .recent_shifts
        .first()
        .map_or(period.first, |shift| shift.first);
    let calendar = Calendar::new(config, oldest, period.last);
    if config.blocks
        && let Some(pick) = stays_on(ctx, &calendar)
    {
        return Ok(pick);
    }

    let heavy = calendar
        .points(period.first.number, period.last.number)
        .heavy
        > 0.0;
    let (counted, what) = if heavy {
        (Counted::Heavy, "weekend and holiday points")
    } else {
        (Counted::All, "points")
    };
    let Tally { owed, last } = Tally::new(ctx, &calendar, counted);
    let most = owed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tied = |index: &usize| owed[*index] >= most - TIE;
    let after = last.map_or(0, |last| last + 1);
    let mut ring = (after..owed.len()).chain(0..after);
    let chosen = ring.find(tied).ok_or("there is no candidate")?;

    let count = owed.len();
    let tie = match (0..count).filter(tied).count() {
        0 | 1 => String::new(),
        several => format!("; next in the ring of {several} tied"),
    };
    let reason = format!("owed most {what} of {count} candidates: {most:+.2}{tie}");
    Ok(Pick {
        user: ctx.candidates[chosen].user.clone(),
        reason,
    })
}

/// Whoever the rotation put on call earlier in the block that the period goes on with.
fn stays_on(ctx: &Context, calendar: &Calendar) -> Option<Pick> {
    let day = ctx.period.first.number;
    if ctx.period.last.number != day {
        return None;
    }
    let user = ctx
        .last_pick
        .as_ref()
        .filter(|user| ctx.candidates.iter().any(|c| c.user == **user))?;
    let earliest = ctx.recent_shifts.first()?.first.number;
    let start = calendar.block_start(day, earliest);
    let began = ctx.recent_shifts.iter().any(|shift| {
        shift.last.number >= start && shift.user == *user && shift.source == Source::Auto
    });
    let kind = if calendar.is_heavy(day) {
        "weekend or holidays"
    } else {
        "weekdays"
    };
    (start < day && began).then(|| Pick {
        user: user.clone(),
        reason: format!("stays on for the rest of the {kind}"),
    })
}
