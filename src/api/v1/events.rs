//! `/events`: server-sent events, a line for each change.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures_util::stream::{Stream, unfold};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::prelude::*;
use crate::actions::admin::{audit, tokens};
use crate::app::Actor;
use crate::domain::audit::EntityType;
use crate::http::streams::Place;
use crate::wire::audit::ChangeEvent;

/// A comment is sent after this long without a change, and the token is looked at again.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes that are read from the audit log at once.
const PAGE: u64 = 256;
/// A client that has missed more changes than this is faster if it reads everything again.
const MOST_MISSED: u64 = 10_000;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(events))
}

/// A line for each change from now on
///
/// Events are named `change`, with a `ChangeEvent` as data and its position in the audit log as
/// id. Send the last one as `Last-Event-ID` to go on after it; where that is more than 10,000
/// changes ago, or lies in the future, one event named `missed` says that everything has to be
/// read again, and what is new follows. The stream ends when its token is revoked or expires. A
/// token may hold 128 streams, an address 512; one more is 429.
#[utoipa::path(get, path = "/events", tag = "on call",
    params(("Last-Event-ID" = Option<u64>, Header, description = "Go on after this change")),
    responses((status = 200, body = ChangeEvent, content_type = "text/event-stream")))]
async fn events(
    State(api): State<Api>,
    ctx: Ctx,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Problem> {
    let place = api.streams().take(&ctx)?;
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok()?.trim().parse().ok());
    let listener = Listener::new(api, ctx, last, place).await?;
    let stream = unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(stream).keep_alive(heartbeat))
}

/// One who listens: tells each change once, in the order of the audit log.
struct Listener {
    api: Api,
    actor: Actor,
    /// When its token expires.
    expires_at: Option<DateTime<Utc>>,
    changes: Receiver<ChangeEvent>,
    stopping: watch::Receiver<Option<String>>,
    /// Position of the change to be told next.
    next: u64,
    /// Changes that were read from the audit log and wait to be told.
    waiting: VecDeque<ChangeEvent>,
    /// Whether the audit log holds more that was not told.
    is_behind: bool,
    has_missed: bool,
    _place: Place,
}

impl Listener {
    async fn new(api: Api, ctx: Ctx, last: Option<u64>, place: Place) -> Result<Self, Problem> {
        // Before the log is read: what comes in between is heard.
        let changes = api.app().subscribe();
        let actor = ctx.actor.clone();
        let (head, expires_at) = api
            .run(move |app| Ok((audit::head(app)?, tokens::expiry(app, &ctx.actor)?)))
            .await?;
        let first = last.map_or(head, |last| last.min(head));
        let has_missed = last.is_some_and(|last| last > head || head - last > MOST_MISSED);
        let next = if has_missed { head } else { first } + 1;
        Ok(Self {
            stopping: api.stopping(),
            api,
            actor,
            expires_at,
            changes,
            next,
            waiting: VecDeque::new(),
            is_behind: next <= head,
            has_missed,
            _place: place,
        })
    }

    /// The next event; none where the stream ends.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.has_missed) {
            return Some(
                Event::default()
                    .event("missed")
                    .data("read everything again"),
            );
        }
        loop {
            if let Some(change) = self.waiting.pop_front() {
                self.next = change.seq + 1;
                // It may be this stream's own token that was revoked.
                if change.entity_type == EntityType::Token && !self.may_listen().await {
                    return None;
                }
                let event = Event::default().event("change").id(change.seq.to_string());
                return event.json_data(&change).ok();
            }
            if self.is_behind {
                self.read_log().await?;
                continue;
            }
            let patience = self.patience();
            let heard = tokio::select! {
                _ = self.stopping.wait_for(Option::is_some) => return None,
                heard = tokio::time::timeout(patience, self.changes.recv()) => heard,
            };
            match heard {
                Ok(Ok(change)) if change.seq < self.next => {}
                Ok(Ok(change)) if change.seq == self.next => self.waiting.push_back(change),
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => self.is_behind = true,
                Err(_) if self.may_listen().await => {}
                Ok(Err(RecvError::Closed)) | Err(_) => return None,
            }
        }
    }

    async fn read_log(&mut self) -> Option<()> {
        let from = self.next;
        let read = self
            .api
            .run(move |app| audit::changes_since(app, from, PAGE));
        self.waiting = read.await.ok()?;
        self.is_behind = self.waiting.len() as u64 == PAGE;
        Some(())
    }

    /// How long nothing may come before the token is looked at again.
    fn patience(&self) -> Duration {
        let left = self.expires_at.map(|end| end - self.api.app().now());
        let left = left.map_or(HEARTBEAT, |left| left.to_std().unwrap_or_default());
        left.min(HEARTBEAT)
    }

    async fn may_listen(&self) -> bool {
        let actor = self.actor.clone();
        let is_valid = self.api.run(move |app| tokens::is_still_valid(app, &actor));
        is_valid.await.unwrap_or(false)
    }
}
