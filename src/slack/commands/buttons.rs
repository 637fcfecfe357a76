//! Approve, reject, cancel: a click, and the message that bears the button brought up to date.

use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use super::{Deps, Person, off_thread, respond};
use crate::actions::overrides::{self, news};
use crate::app::{ActionError, Result};
use crate::domain::ids::UserId;
use crate::domain::shift_override::OverrideStatus;
use crate::wire::shift_override::Decision;
use crate::wording::{self, APPROVE, CANCEL, REJECT, Text, escape};

/// The fields of an interaction that count here.
#[derive(Deserialize)]
struct Interaction {
    user: Clicker,
    #[serde(default)]
    actions: Vec<Click>,
    response_url: String,
}

#[derive(Deserialize)]
struct Clicker {
    id: UserId,
}

#[derive(Clone, Deserialize)]
struct Click {
    action_id: String,
    #[serde(default)]
    value: String,
}

/// What a button is about.
#[derive(Deserialize)]
struct About {
    team: String,
    #[serde(rename = "override")]
    id: String,
    /// What the decision is based on; none where that doesn't matter.
    version: Option<u64>,
}

/// What a click comes to.
#[derive(Default)]
pub(super) struct Outcome {
    /// What the message says from now on.
    pub message: Option<Text>,
    /// What only who clicked is told.
    pub told: Option<Reply>,
}

/// Does what a button says. Whatever else happens in Slack is none of our business.
pub(super) async fn clicked(deps: &Deps, payload: &Value) {
    if payload.get("type").and_then(Value::as_str) != Some("block_actions") {
        return;
    }
    let interaction = match Interaction::deserialize(payload) {
        Ok(interaction) => interaction,
        Err(error) => return tracing::warn!(%error, "a click in Slack can't be read"),
    };
    let Interaction {
        user,
        actions,
        response_url,
    } = interaction;
    for click in actions {
        let Some(status) = wanted(&click.action_id) else {
            continue;
        };
        let user = user.id.clone();
        let outcome = off_thread(deps, move |deps| {
            let person = Person::new(deps, user);
            let outcome = person.and_then(|person| person.decide(status, &click.value));
            outcome.unwrap_or_else(|error| Outcome::told(reply::sorry(&error)))
        });
        let outcome = outcome
            .await
            .unwrap_or_else(|| Outcome::told(reply::trouble()));
        if let Some(message) = outcome.message {
            let message = json!({
                "replace_original": true,
                "text": escape(&message.plain),
                "blocks": message.blocks,
            });
            respond(deps, &response_url, &message).await;
        }
        if let Some(told) = outcome.told {
            respond(deps, &response_url, &told.into_json()).await;
        }
    }
}

pub(super) fn wanted(action_id: &str) -> Option<OverrideStatus> {
    match action_id {
        APPROVE => Some(OverrideStatus::Approved),
        REJECT => Some(OverrideStatus::Rejected),
        CANCEL => Some(OverrideStatus::Cancelled),
        _ => None,
    }
}

impl Outcome {
    fn told(reply: Reply) -> Self {
        Self {
            told: Some(reply),
            ..Self::default()
        }
    }
}

impl Person<'_> {
    /// Decides; where somebody else was quicker, says what they decided.
    pub(super) fn decide(&self, status: OverrideStatus, value: &str) -> Result<Outcome> {
        let app = &self.deps.app;
        let About { team, id, version } =
            serde_json::from_str(value).map_err(|error| ActionError::invalid("button", error))?;
        let decision = Decision {
            status: status.to_string(),
            approved_by: None,
            reason: None,
            version,
        };
        let decided = overrides::decide(app, &self.ctx, &team, &id, &decision);
        if let Err(error) = &decided
            && !matches!(
                error,
                ActionError::Conflict { .. } | ActionError::BadTransition(_)
            )
        {
            return decided.map(|_| Outcome::default());
        }
        let deps = self.deps;
        let facts = news::describe(app, &team, &id)?;
        let told = match decided {
            Ok(_) => None,
            Err(error) => Some(already(&facts, status).unwrap_or_else(|| reply::sorry(&error))),
        };
        let is_decided = facts["status"] != OverrideStatus::Pending.as_str();
        let message =
            is_decided.then(|| wording::decided(&facts, app.now(), &*deps.names, &deps.links));
        Ok(Outcome { message, told })
    }
}

/// `Already approved by @ann.`, where that is why what was wanted can't be.
fn already(facts: &Value, wanted: OverrideStatus) -> Option<Reply> {
    let status: OverrideStatus = facts["status"].as_str()?.parse().ok()?;
    if status.may_become(wanted) {
        return None;
    }
    let by = facts["approved_by"].as_str();
    let by = by.map_or_else(String::new, |user| format!(" by <@{user}>"));
    Some(Reply::of(format!("Already {status}{by}.")))
}
