//! Who is on call: handoffs, shifts that begin, end, or will begin.

use super::Wording;
use super::facts::Facts;
use super::pen::Pen;
use crate::rotation::coverage::Source;

/// The channel: who is on call now.
pub(super) fn handoff(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let mut team = pen.team(&facts.team);
    if let Some(service) = &facts.service_name {
        team = format!("{} ({team})", pen.quote(service));
    }
    let headline = match &facts.engineer {
        Some(engineer) => format!("{team}: {} is on call", pen.person(engineer)),
        None => format!("{team}: nobody is on call"),
    };
    let verb = facts
        .engineer
        .as_ref()
        .map_or("Until now:", |_| "Takes over from");
    let taken_over = took_over_from(pen, facts).map(|from| format!("{verb} {from}."));
    Wording {
        headline,
        lines: [until_then(pen, facts), taken_over, why(pen, facts)]
            .into_iter()
            .flatten()
            .collect(),
        ..Wording::default()
    }
}

/// The incoming engineer.
pub(super) fn started(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let taken_over = took_over_from(pen, facts).map(|from| format!("You take over from {from}."));
    Wording {
        headline: format!("You are on call for {}", pen.team(&facts.team)),
        lines: [until_then(pen, facts), taken_over, why(pen, facts)]
            .into_iter()
            .flatten()
            .collect(),
        ..Wording::default()
    }
}

/// The outgoing engineer.
pub(super) fn ended(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let now = match &facts.engineer {
        Some(engineer) => format!("{} is on call now.", pen.person(engineer)),
        None => "Nobody is on call now.".to_owned(),
    };
    Wording {
        headline: format!("Your shift for {} is over", pen.team(&facts.team)),
        lines: [Some(now), until_then(pen, facts), why(pen, facts)]
            .into_iter()
            .flatten()
            .collect(),
        ..Wording::default()
    }
}

/// The engineer of a shift that begins soon.
pub(super) fn reminder(pen: &Pen<'_>, facts: &Facts) -> Wording {
    let team = pen.team(&facts.team);
    let headline = match facts.starts_at {
        Some(at) => format!("Your shift for {team} begins {}", pen.at(at)),
        None => format!("Your shift for {team} begins soon"),
    };
    let lines = [
        until_then(pen, facts),
        why(pen, facts),
        how_to_cover(pen, facts, "Can't make it? Ask for cover"),
    ];
    Wording {
        headline,
        lines: lines.into_iter().flatten().collect(),
        ..Wording::default()
    }
}

/// `Until Mon 30 Nov, 09:00 CET, then Sam.`
fn until_then(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let end = facts.ends_at.filter(|_| facts.engineer.is_some());
    let next = facts.next.as_ref();
    let name = |user| {
        if pen.is_reader(user) {
            "you".to_owned()
        } else {
            pen.person(user)
        }
    };
    Some(match (end, next) {
        (Some(end), Some(next)) if next.starts_at <= end => {
            format!("Until {}, then {}.", pen.at(end), name(&next.engineer))
        }
        (Some(end), Some(next)) => format!(
            "Until {}, then nobody until {}, then {}.",
            pen.at(end),
            pen.at(next.starts_at),
            name(&next.engineer)
        ),
        (Some(end), None) => format!("Until {}, then nobody is planned.", pen.at(end)),
        (None, Some(next)) if facts.engineer.is_none() => {
            format!(
                "From {} on: {}.",
                pen.at(next.starts_at),
                name(&next.engineer)
            )
        }
        (None, None) if facts.engineer.is_none() => "Nobody is planned.".to_owned(),
        (None, _) => return None,
    })
}

fn took_over_from(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let previous = facts.previous.as_ref();
    let previous = previous.filter(|user| facts.engineer.as_ref() != Some(*user))?;
    Some(pen.whom(previous))
}

/// What puts them on call, where it isn't their turn; and what somebody said of it.
fn why(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let by = match facts.source {
        Some(Source::Override) => Some("By an override"),
        Some(Source::Manual) => Some("By a manual schedule"),
        Some(Source::Auto | Source::None) | None => None,
    };
    let reason = facts.reason.as_deref().map(|reason| pen.quote(reason));
    match (by, reason.filter(|reason| !reason.is_empty())) {
        (Some(by), Some(reason)) => Some(format!("{by}: {reason}")),
        (Some(by), None) => Some(format!("{by}.")),
        (None, Some(reason)) => Some(format!("Why: {reason}")),
        (None, None) => None,
    }
}

/// The slash command that puts somebody else on these days, as far as they are to come.
pub(super) fn how_to_cover(pen: &Pen<'_>, facts: &Facts, lead_in: &str) -> Option<String> {
    let (start, end) = (facts.start_date?.max(pen.today()), facts.end_date?);
    let days = if start == end {
        start.to_string()
    } else {
        format!("{start}..{end}")
    };
    let slug = &facts.team.slug;
    pen.is_for_slack()
        .then(|| format!("{lead_in}: `/oncall override {slug} @somebody {days} reason`"))
}
