//! What a rotation could not do, and what moved.

use chrono::TimeDelta;

use super::Wording;
use super::facts::{Facts, Failed};
use super::pen::{Pen, escape};
use super::shifts::how_to_cover;
use crate::rotation::plan::OnFailure;

/// The strategy, the handoff, or what goes with them failed.
pub(super) fn failed(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let error = pen.quote(facts.error.as_deref().unwrap_or("no reason was given"));
    let what = match facts.effective_date {
        Some(day) => format!("From {} on: {error}", pen.day(day)),
        None => error,
    };
    let instead = facts.falls_back_to.map(|fallback| match fallback {
        OnFailure::RoundRobin => "Until that is fixed, everybody takes turns.",
        OnFailure::Hold => "Until that is fixed, whoever is on call stays on.",
    });
    let (failed, meanwhile) = match facts.failed {
        None => ("the rotation's strategy failed", None),
        Some(Failed::Handoff) => (
            "the handoff failed",
            Some("oncalld keeps trying. Until it succeeds, the published schedule stands."),
        ),
        Some(Failed::Records) => (
            "the record of what people were told could not be read",
            Some("oncalld has started a new one. A reminder may arrive twice."),
        ),
    };
    Wording {
        headline: format!("{}: {failed}", pen.team(&facts.team)),
        lines: [Some(what), instead.or(meanwhile).map(str::to_owned)]
            .into_iter()
            .flatten()
            .collect(),
        ..Wording::default()
    }
}

/// Nobody could be picked.
pub(super) fn skipped(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let why = "Every member is ineligible or on time off.".to_owned();
    let stays = match (&facts.engineer, facts.ends_at) {
        (Some(user), Some(end)) => format!("{} stays on until {}.", pen.person(user), pen.at(end)),
        (Some(user), None) => format!("{} stays on.", pen.person(user)),
        (None, _) => "Nobody is on call.".to_owned(),
    };
    let cover = how_to_cover(pen, facts, "Put somebody on call");
    Wording {
        headline: format!("{}: the rotation has nobody to pick", pen.team(&facts.team)),
        lines: [Some(why), Some(stays), cover]
            .into_iter()
            .flatten()
            .collect(),
        ..Wording::default()
    }
}

/// An admin tries whether messages arrive.
pub(super) fn test(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let asker = facts.requested_by.as_ref();
    let asked = asker.map(|user| format!("{} asked for it. ", pen.person(user)));
    Wording {
        headline: "A test message from oncalld".to_owned(),
        lines: vec![format!(
            "{}Whoever reads this will be told who is on call.",
            asked.unwrap_or_default()
        )],
        ..Wording::default()
    }
}

/// A checkpoint of the audit log, to be kept.
pub(super) fn checkpoint(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let entries = facts.entries.unwrap_or_default();
    let note = facts.note.as_deref().unwrap_or_default().lines();
    // Line by line, and whole: any other text would prove nothing.
    let note = note.map(|line| {
        if pen.is_for_slack() {
            escape(line)
        } else {
            line.to_owned()
        }
    });
    let keep = "Keep it: it proves later that nothing up to there was changed.".to_owned();
    Wording {
        headline: format!("Checkpoint of oncalld's audit log: {entries} entries"),
        lines: [keep].into_iter().chain(note).collect(),
        ..Wording::default()
    }
}

/// New zone rules moved the handoffs.
pub(super) fn moved(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let what = facts.old_handoff_at.zip(facts.handoff_at).map(|(was, is)| {
        let direction = if is < was { "earlier" } else { "later" };
        let by = length(is - was);
        format!(
            "The next one, {}, is {by} {direction} than planned.",
            pen.at(is)
        )
    });
    let why = facts
        .reason
        .as_deref()
        .map(|reason| format!("Why: {}", pen.quote(reason)));
    Wording {
        headline: format!("{}: handoffs move", pen.team(&facts.team)),
        lines: [what, why].into_iter().flatten().collect(),
        ..Wording::default()
    }
}

/// `1 h 30 min`
fn length(length: TimeDelta) -> String {
    let minutes = length.num_minutes().abs();
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Published days on which nobody is on call.
pub(super) fn gap(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let team = pen.team(&facts.team);
    let when = facts.starts_at.zip(facts.ends_at);
    let lines = [
        when.map(|(from, to)| pen.span(from, to)),
        how_to_cover(pen, facts, "Put somebody on call"),
    ];
    Wording {
        headline: format!("{team}: nobody will be on call"),
        lines: lines.into_iter().flatten().collect(),
        ..Wording::default()
    }
}
