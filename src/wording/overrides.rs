//! Overrides: who asks for whom, who decided what.

use serde_json::json;

use super::Wording;
use super::blocks::{Button, Style};
use super::facts::Facts;
use super::pen::Pen;
use crate::domain::shift_override::OverrideStatus;

/// Channel and leads: somebody has to decide.
pub(super) fn requested(pen: &Pen<'_>, facts: &Facts) -> Wording {
    Wording {
        headline: format!("{}: {}", pen.team(&facts.team), asks(pen, facts)),
        lines: [when(pen, facts), instead_of(pen, facts), reason(pen, facts)]
            .into_iter()
            .flatten()
            .collect(),
        buttons: buttons(facts),
    }
}

/// Those who were asked, once it is decided; else requester or substitute.
pub(super) fn decided(pen: &Pen<'_>, facts: &Facts) -> Wording {
    if facts.updates_request {
        let request = requested(pen, facts);
        let lines = request.lines.into_iter().chain(decided_by(pen, facts));
        return Wording {
            lines: lines.collect(),
            buttons: Vec::new(),
            ..request
        };
    }
    let outcome = match (facts.status, facts.previous_status) {
        (Some(OverrideStatus::Approved), Some(_)) => "Override approved",
        (Some(OverrideStatus::Rejected), _) => "Override rejected",
        (Some(OverrideStatus::Cancelled), _) => "Override cancelled",
        _ => "Override",
    };
    let stands = facts.status == Some(OverrideStatus::Approved);
    let not = if stands { "" } else { "not " };
    let team = pen.team(&facts.team);
    let substitute = facts.substitute.as_ref();
    let headline = match substitute {
        Some(user) if pen.is_reader(user) => format!("{outcome}: you are {not}on call for {team}"),
        Some(user) => format!("{outcome}: {} is {not}on call for {team}", pen.person(user)),
        None => format!("{outcome} for {team}"),
    };
    let who_then = if stands {
        instead_of(pen, facts)
    } else {
        let replaces = facts.replaces.as_ref();
        replaces.map(|user| format!("On call then: {}.", pen.whom(user)))
    };
    let requester = facts.requested_by.as_ref();
    let requester = requester.filter(|user| !pen.is_reader(user));
    let asked_by = requester.map(|user| format!("Asked for by {}.", pen.person(user)));
    let lines = [
        when(pen, facts),
        who_then,
        asked_by,
        reason(pen, facts),
        decided_by(pen, facts),
    ];
    Wording {
        headline,
        lines: lines.into_iter().flatten().collect(),
        ..Wording::default()
    }
}

/// Who asks for whom; in the past tense once it is decided.
fn asks(pen: &Pen<'_>, facts: &Facts) -> String {
    let waits = !facts.updates_request;
    let tense = |now, then| if waits { now } else { then };
    match (&facts.requested_by, &facts.substitute) {
        (Some(requester), Some(substitute)) if requester == substitute => {
            let offers = tense("offers", "offered");
            format!("{} {offers} to be on call", pen.person(requester))
        }
        (Some(requester), Some(substitute)) => {
            let (requester, substitute) = (pen.person(requester), pen.whom(substitute));
            format!(
                "{requester} {} for cover by {substitute}",
                tense("asks", "asked")
            )
        }
        (None, Some(substitute)) => {
            let is = tense("is", "was");
            format!("cover by {} {is} asked for", pen.whom(substitute))
        }
        (_, None) => format!("an override {} asked for", tense("is", "was")),
    }
}

fn when(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    Some(pen.span(facts.starts_at?, facts.ends_at?))
}

fn instead_of(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let replaced = facts.replaces.as_ref()?;
    Some(format!("Instead of {}.", pen.whom(replaced)))
}

fn reason(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let reason = facts.reason.as_deref().map(|reason| pen.quote(reason))?;
    (!reason.is_empty()).then(|| format!("Reason: {reason}"))
}

/// `Approved by Ann.`; `Rejected by Ann: I am away, too`.
fn decided_by(pen: &Pen<'_>, facts: &Facts) -> Option<String> {
    let decision = match facts.status? {
        OverrideStatus::Approved => "Approved",
        OverrideStatus::Rejected => "Rejected",
        OverrideStatus::Cancelled => "Cancelled",
        OverrideStatus::Pending => return None,
    };
    let decided = match &facts.approved_by {
        Some(user) => format!("{decision} by {}", pen.whom(user)),
        None => decision.to_owned(),
    };
    let reason = facts.decision_reason.as_deref();
    let reason = reason.map(|reason| pen.quote(reason)).unwrap_or_default();
    if !reason.is_empty() {
        Some(format!("{decided}: {reason}"))
    } else if facts.approved_by.is_some() || facts.updates_request {
        Some(format!("{decided}."))
    } else {
        None
    }
}

fn buttons(facts: &Facts) -> Vec<Button> {
    let (Some(team), Some(id)) = (facts.team.id, facts.override_id) else {
        return Vec::new();
    };
    let value = json!({"team": team, "override": id, "version": facts.version}).to_string();
    let button = |label: &str, action_id, style| Button {
        label: label.to_owned(),
        action_id,
        value: value.clone(),
        style,
    };
    vec![
        button("Approve", APPROVE, Style::Primary),
        button("Reject", REJECT, Style::Danger),
    ]
}

/// What the button `Approve` does.
pub const APPROVE: &str = "override_approve";
/// What the button `Reject` does.
pub const REJECT: &str = "override_reject";
/// What the button `Cancel` does.
pub const CANCEL: &str = "override_cancel";
