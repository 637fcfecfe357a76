//! `/events`: server-sent events, a line for each change.

use std::convert::Infallible;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::prelude::*;
use crate::wire::audit::ChangeEvent;

/// The routes.
pub fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(events))
}

/// A line for each change from now on
///
/// Events are named `change`, with a `ChangeEvent` as data. A listener that lags too far
/// behind gets one named `missed`, and should read again what it shows.
#[utoipa::path(get, path = "/events", tag = "on call",
    responses((status = 200, body = ChangeEvent, content_type = "text/event-stream")))]
async fn events(
    State(api): State<Api>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let mut stopping = api.stopping();
    let stopped = async move {
        let _ = stopping.wait_for(Option::is_some).await;
    };
    let changes = BroadcastStream::new(api.app().subscribe());
    let stream = changes
        .map(|change| Ok(sse(change)))
        .take_until(Box::pin(stopped));
    Sse::new(stream).keep_alive(KeepAlive::default())
}

fn sse(change: Result<ChangeEvent, BroadcastStreamRecvError>) -> Event {
    match change {
        Ok(change) => {
            let event = Event::default().event("change").id(change.seq.to_string());
            event
                .json_data(&change)
                .unwrap_or_else(|_| Event::default().event("missed"))
        }
        Err(BroadcastStreamRecvError::Lagged(count)) => {
            Event::default().event("missed").data(count.to_string())
        }
    }
}
