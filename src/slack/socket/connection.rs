//! One connection: its greeting, its envelopes, its end.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_websockets::Message;

use super::Shared;
use crate::slack::envelope::{Envelope, Kind};
use crate::slack::websocket::Socket;

/// What Slack sends.
#[derive(Deserialize)]
struct Sent {
    #[serde(rename = "type")]
    kind: String,
    envelope_id: Option<String>,
    #[serde(default)]
    payload: Value,
    reason: Option<String>,
    #[serde(default)]
    debug_info: DebugInfo,
}

#[derive(Default, Deserialize)]
struct DebugInfo {
    /// In seconds.
    approximate_connection_time: Option<u64>,
}

/// A connection, from its opening to its end.
struct Connection {
    shared: Shared,
    number: u64,
    socket: Socket,
    /// Asks for the next one; gone once it has.
    ask: Option<oneshot::Sender<()>>,
    is_greeted: bool,
    heard_at: Instant,
    /// When to ask for the next one; Slack says when it will end this one.
    ask_at: Option<Instant>,
    /// When to end it, once the next one is greeted.
    end_at: Option<Instant>,
    handlers: JoinSet<()>,
}

/// What happens to a connection.
enum Event {
    Stop,
    Replaced,
    ToAsk,
    ToEnd,
    ToPing,
    Arrived(Option<Message>),
}

/// Serves a connection to its end. `ask` is told when it's time for the next one; where it's
/// dropped, the connection was none.
pub(super) async fn serve(shared: Shared, number: u64, socket: Socket, ask: oneshot::Sender<()>) {
    let mut stopping = shared.stopping.clone();
    let mut newest = shared.newest.subscribe();
    let mut ping = interval(shared.timing.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection {
        shared,
        number,
        socket,
        ask: Some(ask),
        is_greeted: false,
        heard_at: Instant::now(),
        ask_at: None,
        end_at: None,
        handlers: JoinSet::new(),
    };
    loop {
        let Connection { ask_at, end_at, .. } = connection;
        let stop = async { drop(stopping.wait_for(Option::is_some).await) };
        let replaced = async { drop(newest.wait_for(|newest| *newest > number).await) };
        let event = tokio::select! {
            () = stop => Event::Stop,
            () = replaced, if end_at.is_none() => Event::Replaced,
            () = at(ask_at), if connection.ask.is_some() => Event::ToAsk,
            () = at(end_at) => Event::ToEnd,
            _ = ping.tick() => Event::ToPing,
            message = connection.socket.next() => Event::Arrived(message.and_then(Result::ok)),
        };
        if let Some(why) = connection.react(event).await {
            tracing::debug!(why, number, "Socket Mode: a connection ended");
            break;
        }
    }
    connection.end().await;
}

/// At an instant; never, where there is none.
async fn at(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl Connection {
    /// Does what is to be done; says why, where that is to end the connection.
    async fn react(&mut self, event: Event) -> Option<&'static str> {
        let timing = self.shared.timing;
        match event {
            Event::Stop => return Some("stopping"),
            Event::ToEnd => return Some("replaced"),
            Event::Replaced => self.end_at = Some(Instant::now() + timing.drain),
            Event::ToAsk => self.ask_for_next(),
            Event::ToPing => {
                if self.heard_at.elapsed() >= timing.silence {
                    return Some("silent");
                }
                if !self.send(Message::ping("")).await {
                    return Some("broken");
                }
            }
            Event::Arrived(None) => return Some("closed"),
            Event::Arrived(Some(message)) => {
                self.heard_at = Instant::now();
                let sent = message.as_text().map(serde_json::from_str::<Sent>);
                if let Some(Ok(sent)) = sent
                    && !self.take(sent).await
                {
                    return Some("broken");
                }
            }
        }
        None
    }

    /// Takes what Slack sent; false where it can't be acknowledged.
    async fn take(&mut self, sent: Sent) -> bool {
        match (&*sent.kind, &sent.envelope_id) {
            ("hello", _) => {
                self.is_greeted = true;
                let number = self.number;
                tracing::info!(number, "Socket Mode: connected");
                let newest = &self.shared.newest;
                newest.send_modify(|newest| *newest = number.max(*newest));
                let whole = sent.debug_info.approximate_connection_time;
                let whole = whole.map(Duration::from_secs);
                let ahead = self.shared.timing.ahead;
                let until_ask = whole.map(|whole| whole.saturating_sub(ahead).max(whole / 2));
                self.ask_at = until_ask.and_then(|pause| self.heard_at.checked_add(pause));
                true
            }
            ("disconnect", _) => {
                let (reason, number) = (&sent.reason, self.number);
                tracing::debug!(reason, number, "Socket Mode: a connection is about to end");
                self.ask_for_next();
                true
            }
            (_, Some(id)) => {
                let ack = json!({"envelope_id": id}).to_string();
                let is_acknowledged = self.send(Message::text(ack)).await;
                if self.shared.is_new(id) {
                    self.hand_over(sent);
                }
                is_acknowledged
            }
            _ => true,
        }
    }

    fn ask_for_next(&mut self) {
        if let Some(ask) = self.ask.take() {
            // An error only says that the daemon stops.
            let _ = ask.send(());
        }
    }

    fn hand_over(&mut self, sent: Sent) {
        let kind = match &*sent.kind {
            "slash_commands" => Kind::Command,
            "interactive" => Kind::Interaction,
            // The app subscribes to no events, but may be set to get some.
            kind => return tracing::debug!(kind, "Socket Mode: nothing to do"),
        };
        let payload = sent.payload;
        let handled = self.shared.handler.handle(Envelope { kind, payload });
        self.handlers.spawn(handled);
        while let Some(handled) = self.handlers.try_join_next() {
            report(handled);
        }
    }

    /// Sends a message; false where that isn't possible.
    async fn send(&mut self, message: Message) -> bool {
        let sent = timeout(self.shared.timing.silence, self.socket.send(message));
        matches!(sent.await, Ok(Ok(())))
    }

    /// Asks for the next one where it hasn't, closes, and waits for what was handed over.
    async fn end(mut self) {
        if self.is_greeted {
            self.ask_for_next();
        }
        drop(self.ask);
        // Whether the other side closes too is of no interest.
        let _ = timeout(self.shared.timing.drain, self.socket.close()).await;
        while let Some(handled) = self.handlers.join_next().await {
            report(handled);
        }
    }
}

fn report(handled: Result<(), JoinError>) {
    if let Err(error) = handled {
        tracing::error!(%error, "what came from Slack could not be handled");
    }
}
