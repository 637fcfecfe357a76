//! Who is told of what: messages for the outbox, with all that their texts need.

use serde_json::{Value, json};

use crate::actions::people::roster;
use crate::app::{Result, Route, Tx};
use crate::domain::ids::{OverrideId, UserId};
use crate::domain::json::Json;
use crate::domain::notification::Event;
use crate::domain::oncall_day::OnCallClock;
use crate::domain::team::Team;
use crate::rotation::coverage::Stretch;
use crate::store;
use crate::store::outbox::Message;

/// What a text about a change of who is on call needs.
pub(crate) fn on_call_payload(
    clock: &OnCallClock,
    now: Option<&Stretch>,
    next: Option<&Stretch>,
    previous: Option<&UserId>,
) -> Value {
    json!({
        "engineer_slack_id": now.map(|s| &s.user),
        "previous_engineer_slack_id": previous,
        "source": now.map(|s| s.source),
        "start_date": now.map(|s| s.start),
        "end_date": now.map(|s| s.end),
        "starts_at": now.map(|s| clock.starts_at(s.start)),
        "ends_at": now.map(|s| clock.ends_at(s.end)),
        "next": next.map(|s| json!({
            "engineer_slack_id": s.user, "starts_at": clock.starts_at(s.start),
        })),
    })
}

/// Tells the team's leads and its channel.
pub(crate) fn tell_leads(
    tx: &mut Tx<'_>,
    team: &Team,
    event: Event,
    payload: &Value,
) -> Result<()> {
    tell(tx, team, event, To::Channel, payload);
    for lead in roster::leads_of(tx.store, team)? {
        tell(tx, team, event, To::Person(&lead), payload);
    }
    Ok(())
}

/// Who is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum To<'a> {
    /// The team's channel.
    Channel,
    /// One person.
    Person(&'a UserId),
}

impl To<'_> {
    /// The recipient on a route. A team without a channel goes by its slug where the sink is not
    /// Slack, and is not told there.
    fn recipient(self, team: &Team, route: &Route) -> Option<String> {
        match (self, &team.slack_channel_id) {
            (To::Person(user), _) => Some(user.to_string()),
            (To::Channel, Some(channel)) => Some(channel.clone()),
            (To::Channel, None) => (!route.is_slack()).then(|| team.slug.clone()),
        }
    }
}

/// Tells one recipient, through each sink.
pub(crate) fn tell(tx: &mut Tx<'_>, team: &Team, event: Event, to: To<'_>, payload: &Value) {
    let payload = with_team(team, payload.clone());
    for route in tx.settings.sinks.iter().filter(|route| route.takes(event)) {
        let Some(recipient) = to.recipient(team, route) else {
            continue;
        };
        let message = Message {
            event,
            recipient,
            team_id: Some(team.id),
            payload: Json(payload.clone()),
        };
        tx.notify(&route.sink, &message);
    }
}

/// Tells whoever was asked to decide an override, by the way by which they were, where that still
/// takes the event. Leads and channel may be others by now.
pub(crate) fn tell_asked(
    tx: &mut Tx<'_>,
    team: &Team,
    event: Event,
    about: OverrideId,
    payload: &Value,
) -> Result<()> {
    let payload = Json(with_team(team, payload.clone()));
    for (sink, recipient) in store::outbox::list_requests(tx.store, about)? {
        let mut routes = tx.settings.sinks.iter();
        if routes.any(|route| route.sink == sink && route.takes(event)) {
            let message = Message {
                event,
                recipient,
                team_id: Some(team.id),
                payload: payload.clone(),
            };
            tx.notify(&sink, &message);
        }
    }
    Ok(())
}

/// Facts, completed by what every text about a team needs.
pub(crate) fn with_team(team: &Team, mut facts: Value) -> Value {
    facts["team"] = json!({
        "id": team.id, "name": team.name, "slug": team.slug, "timezone": team.timezone,
    });
    facts
}
