//! A Slack of our own, faithful where oncalld looks: a workspace behind the Web API, response
//! URLs and Socket Mode, on free ports of loopback, and with faults to order.
//!
//! A test changes and looks at the workspace by [`FakeSlack::with`], orders faults by
//! [`FakeSlack::fail`] and [`FakeSlack::chaos`], and waits by [`FakeSlack::wait_for`].

mod blocks;
mod faults;
mod listener;
mod methods;
mod socket;
mod web;
mod workspace;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

pub use self::faults::{Chaos, Fault};
use self::listener::Connections;
pub use self::workspace::{
    APP_TOKEN, BOT_TOKEN, BOT_USER, Channel, Group, Guest, Message, SIGNING_SECRET, State,
    USER_TOKEN, User,
};

/// Longer than anything that works takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running fake. It ends when it's dropped.
pub struct FakeSlack {
    shared: Shared,
    address: SocketAddr,
    sockets: SocketAddr,
    web: Mutex<Option<JoinHandle<()>>>,
    runtime: Option<Runtime>,
}

/// What the fake's parts share.
#[derive(Clone)]
struct Shared {
    state: Arc<Mutex<State>>,
    connections: Connections,
    sockets: SocketAddr,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that failed while it looked has said so already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeSlack {
    /// Starts, with the tokens and nobody else than the bot in the workspace.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let loopback = "127.0.0.1:0";
        let listener = runtime.block_on(TcpListener::bind(loopback)).unwrap();
        let sockets = runtime.block_on(TcpListener::bind(loopback)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared {
            state: Arc::new(Mutex::new(State::new())),
            connections: Connections::default(),
            sockets: sockets.local_addr().unwrap(),
        };
        runtime.spawn(socket::accept(sockets, shared.clone()));
        let web = runtime.spawn(web::serve(listener, shared.clone()));
        Self {
            sockets: shared.sockets,
            shared,
            address,
            web: Mutex::new(Some(web)),
            runtime: Some(runtime),
        }
    }

    /// What `slack.api_base_url` is to be.
    pub fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// The daemon's settings for this Slack: signed requests, no Socket Mode.
    pub fn settings(&self) -> Vec<(String, String)> {
        let setting = |key: &str, value: &str| (format!("ONCALLD__SLACK__{key}"), value.to_owned());
        vec![
            setting("API_BASE_URL", &self.base_url()),
            setting("BOT_TOKEN", BOT_TOKEN),
            setting("SIGNING_SECRET", SIGNING_SECRET),
        ]
    }

    /// Looks at the workspace, or changes it.
    pub fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.shared.state())
    }

    /// Waits until `look` finds something.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, look: impl Fn(&mut State) -> Option<T>) -> T {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(found) = self.with(&look) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!(
            "no {what}; the last calls: {:#?}",
            self.with(|state| state.last_calls(10))
        );
    }

    /// Adds a person.
    pub fn add_user(&self, id: &str, name: &str) {
        self.with(|state| state.users.insert(id.to_owned(), User::person(id, name)));
    }

    /// Adds a public channel that the app is in.
    pub fn add_channel(&self, id: &str, name: &str) {
        self.with(|state| {
            state
                .channels
                .insert(id.to_owned(), Channel::public(id, name))
        });
    }

    /// Adds a group of these people.
    pub fn add_group(&self, id: &str, handle: &str, users: &[&str]) {
        self.with(|state| {
            state
                .groups
                .insert(id.to_owned(), Group::of(id, handle, users))
        });
    }

    /// The next `times` calls of a method (`*`: of any; `response_url`: of a response URL) meet
    /// with a fault. Faults that were ordered first come first.
    pub fn fail(&self, method: &str, times: usize, fault: Fault) {
        self.with(|state| state.faults.order(method, times, fault));
    }

    /// From now on each call may meet with a fault, by chance; None ends it.
    pub fn chaos(&self, chaos: Option<Chaos>) {
        self.with(|state| state.faults.chaos = chaos);
    }

    /// Goes down: connections break, no new ones are taken. What it knows stays.
    pub fn go_down(&self) {
        if let Some(web) = self.web.lock().unwrap().take() {
            web.abort();
            // The listener is closed once the task has ended.
            let _ = self.runtime().block_on(web);
        }
        self.shared.connections.break_all();
    }

    /// Comes back on the same port.
    pub fn come_back(&self) {
        let listener = self.runtime().block_on(TcpListener::bind(self.address));
        let web = web::serve(listener.unwrap(), self.shared.clone());
        *self.web.lock().unwrap() = Some(self.runtime().spawn(web));
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    /// A `response_url` that may be used 5 times.
    pub fn response_url(&self, name: &str) -> String {
        self.with(|state| *state.response_urls.entry(name.to_owned()).or_insert(5));
        format!("http://{}/response/{name}", self.address)
    }

    /// Messages of a channel or, for a person, those of the direct messages with them; as they
    /// are by now, in the order in which they came.
    pub fn messages(&self, recipient: &str) -> Vec<Message> {
        self.with(|state| state.messages_to(recipient))
    }

    /// Sends an envelope (`slash_commands`, `interactive`, `events_api`) by Socket Mode, also to
    /// who connects later, until it's acknowledged. Its id.
    pub fn send_envelope(&self, kind: &str, payload: Value) -> String {
        socket::send_envelope(&self.shared, kind, payload)
    }

    /// Sends an envelope once more, acknowledged or not.
    pub fn repeat_envelope(&self, id: &str) {
        socket::repeat_envelope(&self.shared, id);
    }

    /// Announces the end of every Socket Mode connection: `warning`, `refresh_requested`, …
    pub fn announce_disconnect(&self, reason: &str) {
        socket::announce_disconnect(&self.shared, reason);
    }

    /// Cuts every Socket Mode connection, without a word.
    pub fn cut_sockets(&self) {
        socket::cut_all(&self.shared);
    }

    /// Every Socket Mode connection falls silent: it's open, and nobody is there.
    pub fn mute_sockets(&self) {
        socket::mute_all(&self.shared);
    }

    /// Where Socket Mode listens.
    pub fn socket_address(&self) -> SocketAddr {
        self.sockets
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
