//! Socket Mode: tickets, websockets, envelopes until they're acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_websockets::{Message, ServerBuilder, WebSocketStream};

use super::Shared;
use super::workspace::State;

/// Socket Mode as a whole.
pub struct Sockets {
    /// Tickets that nobody has used.
    tickets: BTreeSet<String>,
    issued: usize,
    /// The connections that are open, by number, rising from 1.
    open: BTreeMap<usize, UnboundedSender<Order>>,
    /// How many there were so far.
    pub opened: usize,
    /// What `hello` says of how long a connection is good for, in seconds.
    pub connection_seconds: u64,
    /// Every envelope, in order.
    pub envelopes: Vec<Envelope>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            tickets: BTreeSet::new(),
            issued: 0,
            open: BTreeMap::new(),
            opened: 0,
            connection_seconds: 18_060,
            envelopes: Vec::new(),
        }
    }
}

impl Sockets {
    /// How many connections are open.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// An envelope by its id.
    pub fn envelope(&mut self, id: &str) -> &mut Envelope {
        let mut envelopes = self.envelopes.iter_mut();
        envelopes.find(|envelope| envelope.id == id).unwrap()
    }
}

/// An envelope on its way.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub id: String,
    pub kind: String,
    pub payload: Value,
    /// How often it was sent.
    pub sent: usize,
    /// The connections by which it was acknowledged.
    pub acks: Vec<usize>,
}

/// What a connection is told to do.
enum Order {
    Send(Value),
    Cut,
    Mute,
}

/// An address that is good for one connection.
pub(super) fn ticket(state: &mut State, address: SocketAddr) -> String {
    let sockets = &mut state.sockets;
    sockets.issued += 1;
    let ticket = format!("ticket-{}", sockets.issued);
    sockets.tickets.insert(ticket.clone());
    format!("ws://{address}/link/?ticket={ticket}&app_id=A0FAKE")
}

pub(super) async fn accept(listener: TcpListener, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            if let Ok((request, socket)) = ServerBuilder::new().accept(stream).await {
                let query = request.uri().query().unwrap_or_default().as_bytes();
                let mut pairs = form_urlencoded::parse(query);
                let ticket = pairs.find(|(name, _)| name == "ticket");
                let ticket = ticket.map(|(_, ticket)| ticket.into_owned());
                // A ticket that is used or unknown ends like this with Slack too.
                if shared
                    .state()
                    .sockets
                    .tickets
                    .remove(&ticket.unwrap_or_default())
                {
                    connected(&shared, socket).await;
                }
            }
        });
    }
}

async fn connected(shared: &Shared, mut socket: WebSocketStream<TcpStream>) {
    let (orders, mut told) = unbounded_channel();
    let (number, hello) = {
        let mut state = shared.state();
        let sockets = &mut state.sockets;
        sockets.opened += 1;
        let number = sockets.opened;
        sockets.open.insert(number, orders.clone());
        let hello = json!({
            "type": "hello", "num_connections": sockets.open.len(),
            "debug_info": {"host": "applink-1", "build_number": 1,
                           "approximate_connection_time": sockets.connection_seconds},
            "connection_info": {"app_id": "A0FAKE"},
        });
        // What was sent to others and not acknowledged is sent again.
        for envelope in &mut sockets.envelopes {
            if envelope.acks.is_empty() {
                let _ = orders.send(Order::Send(envelope.next()));
            }
        }
        (number, hello)
    };
    if send(&mut socket, &hello).await {
        serve(shared, number, &mut socket, &mut told).await;
    }
    shared.state().sockets.open.remove(&number);
}

async fn serve(
    shared: &Shared,
    number: usize,
    socket: &mut WebSocketStream<TcpStream>,
    told: &mut UnboundedReceiver<Order>,
) {
    loop {
        tokio::select! {
            order = told.recv() => match order {
                Some(Order::Send(value)) => if !send(socket, &value).await { return },
                Some(Order::Mute) => std::future::pending().await,
                Some(Order::Cut) | None => return,
            },
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let ack = message.as_text().and_then(|text| serde_json::from_str(text).ok());
                let Some(ack): Option<Value> = ack else { continue };
                let id = ack["envelope_id"].as_str().unwrap_or_default();
                let mut state = shared.state();
                let mut envelopes = state.sockets.envelopes.iter_mut();
                if let Some(envelope) = envelopes.find(|envelope| envelope.id == id) {
                    envelope.acks.push(number);
                }
            }
        }
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, value: &Value) -> bool {
    socket.send(Message::text(value.to_string())).await.is_ok()
}

impl Envelope {
    /// What is sent next.
    fn next(&mut self) -> Value {
        self.sent += 1;
        json!({
            "envelope_id": self.id, "type": self.kind, "payload": self.payload,
            "accepts_response_payload": self.kind != "events_api",
            "retry_attempt": self.sent - 1, "retry_reason": if self.sent > 1 { "timeout" } else { "" },
        })
    }
}

pub(super) fn send_envelope(shared: &Shared, kind: &str, payload: Value) -> String {
    let id = {
        let mut state = shared.state();
        let envelopes = &mut state.sockets.envelopes;
        let id = format!("00000000-0000-4000-8000-{:012}", envelopes.len() + 1);
        envelopes.push(Envelope {
            id: id.clone(),
            kind: kind.to_owned(),
            payload,
            sent: 0,
            acks: Vec::new(),
        });
        id
    };
    repeat_envelope(shared, &id);
    id
}

/// By one of the open connections, as Slack does: here, each in turn.
pub(super) fn repeat_envelope(shared: &Shared, id: &str) {
    let mut state = shared.state();
    let sockets = &mut state.sockets;
    let mut envelopes = sockets.envelopes.iter_mut();
    let envelope = envelopes.find(|envelope| envelope.id == id).unwrap();
    let open: Vec<_> = sockets.open.values().collect();
    if !open.is_empty() {
        let orders = open[envelope.sent % open.len()];
        let _ = orders.send(Order::Send(envelope.next()));
    }
}

pub(super) fn announce_disconnect(shared: &Shared, reason: &str) {
    let disconnect = json!({"type": "disconnect", "reason": reason,
                            "debug_info": {"host": "applink-1"}});
    all(shared, || Order::Send(disconnect.clone()));
}

pub(super) fn cut_all(shared: &Shared) {
    all(shared, || Order::Cut);
}

pub(super) fn mute_all(shared: &Shared) {
    all(shared, || Order::Mute);
}

fn all(shared: &Shared, order: impl Fn() -> Order) {
    for orders in shared.state().sockets.open.values() {
        let _ = orders.send(order());
    }
}
