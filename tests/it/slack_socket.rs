//! Socket Mode, against the fake.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use oncalld::secret::Secret;
use oncalld::slack::socket::{SocketMode, Timing};
use oncalld::slack::{Envelope, Handler, Kind, Slack, SlackOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::harness::Daemon;
use crate::harness::fake_slack::{APP_TOKEN, BOT_TOKEN, FakeSlack, Fault};

/// Patient enough for a busy machine, and quick where something is expected.
const TIMING: Timing = Timing {
    ping: Duration::from_millis(100),
    silence: Duration::from_secs(3),
    pause: Duration::from_millis(50),
    max_pause: Duration::from_millis(200),
    ahead: Duration::from_secs(1),
    drain: Duration::from_millis(300),
};

/// Socket Mode on a fake, and what it hands over.
struct Setting {
    fake: FakeSlack,
    handed: Receiver<Envelope>,
    stopping: watch::Sender<Option<String>>,
    socket_mode: Option<SocketMode>,
    runtime: Runtime,
}

impl Setting {
    fn new() -> Self {
        Self::with(TIMING, |_| {})
    }

    fn with(timing: Timing, prepare: impl FnOnce(&FakeSlack)) -> Self {
        let fake = FakeSlack::start();
        prepare(&fake);
        let options = SlackOptions {
            base_url: fake.base_url(),
            app_token: Some(Secret::new(APP_TOKEN.to_owned())),
            // Shorter than connections last: it's for the opening alone.
            timeout: Duration::from_secs(1),
            ..SlackOptions::new(Secret::new(BOT_TOKEN.to_owned()))
        };
        let (hand, handed) = channel();
        let handler = Handler::new(move |envelope| {
            let hand = hand.clone();
            async move {
                assert_ne!(envelope.payload["text"], "panic", "as it was told to");
                if envelope.payload["text"] == "slow" {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let _ = hand.send(envelope);
            }
        });
        let (stopping, stopped) = watch::channel(None);
        let runtime = Runtime::new().unwrap();
        let slack = Slack::new(options).unwrap();
        let socket_mode = {
            let _guard = runtime.enter();
            SocketMode::start(slack, handler, timing, stopped)
        };
        Self {
            fake,
            handed,
            stopping,
            socket_mode: Some(socket_mode),
            runtime,
        }
    }

    /// Waits until this many connections were made, and for one that is open.
    fn wait_for_connection(&self, opened: usize) {
        self.fake.wait_for("connection", |state| {
            let sockets = &state.sockets;
            (sockets.opened >= opened && sockets.count() > 0).then_some(())
        });
    }

    fn opened(&self) -> usize {
        self.fake.with(|state| state.sockets.opened)
    }

    fn command(&self, text: &str) -> String {
        let payload = json!({"command": "/oncall", "text": text});
        self.fake.send_envelope("slash_commands", payload)
    }

    fn next(&self) -> Envelope {
        self.handed.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    #[track_caller]
    fn expect(&self, text: &str) {
        assert_eq!(self.next().payload["text"], text);
    }

    fn wait_for_ack(&self, id: &str, times: usize) {
        self.fake.wait_for("acknowledgement", |state| {
            (state.sockets.envelope(id).acks.len() >= times).then_some(())
        });
    }

    fn stop(&mut self) {
        self.stopping.send_replace(Some("test".to_owned()));
        if let Some(socket_mode) = self.socket_mode.take() {
            self.runtime.block_on(socket_mode.stopped());
        }
    }
}

#[test]
fn what_slack_sends_is_acknowledged_and_handed_over() {
    let mut setting = Setting::new();
    setting.wait_for_connection(1);
    let command = setting.command("payments");
    let first = setting.next();
    assert_eq!(
        (first.kind, &first.payload["text"]),
        (Kind::Command, &json!("payments"))
    );
    let click = json!({"type": "block_actions", "actions": [{"action_id": "approve"}]});
    let interaction = setting.fake.send_envelope("interactive", click.clone());
    let second = setting.next();
    assert_eq!((second.kind, second.payload), (Kind::Interaction, click));
    let event = setting
        .fake
        .send_envelope("events_api", json!({"event": {}}));
    for id in [&command, &interaction, &event] {
        setting.wait_for_ack(id, 1);
    }
    setting.stop();
    let rest: Vec<_> = setting.handed.try_iter().collect();
    assert_eq!(rest, [], "events are acknowledged, and that is all");
    setting.fake.wait_for("end of the connection", |state| {
        (state.sockets.count() == 0).then_some(())
    });
}

#[test]
fn an_acknowledgement_does_not_wait_for_the_handler() {
    let mut setting = Setting::new();
    setting.wait_for_connection(1);
    let slow = setting.command("slow");
    setting.wait_for_ack(&slow, 1);
    assert!(setting.handed.try_recv().is_err(), "it isn't done yet");
    // Stopping waits for what was handed over.
    setting.stop();
    assert_eq!(setting.handed.try_recv().unwrap().payload["text"], "slow");
}

#[test]
fn a_handler_that_panics_ends_nothing_else() {
    let setting = Setting::new();
    setting.wait_for_connection(1);
    setting.command("panic");
    setting.command("after");
    setting.expect("after");
    assert_eq!(setting.opened(), 1);
}

#[test]
fn an_envelope_that_slack_repeats_is_handed_over_once() {
    let setting = Setting::new();
    setting.wait_for_connection(1);
    let command = setting.command("once");
    setting.expect("once");
    setting.fake.repeat_envelope(&command);
    setting.wait_for_ack(&command, 2);
    // Also by the next connection.
    setting.fake.cut_sockets();
    setting.wait_for_connection(2);
    setting.fake.repeat_envelope(&command);
    setting.wait_for_ack(&command, 3);
    setting.command("next");
    setting.expect("next");
}

#[test]
fn what_was_sent_while_nobody_was_connected_comes_later() {
    let setting = Setting::new();
    setting.wait_for_connection(1);
    setting.fake.go_down();
    setting.fake.cut_sockets();
    let command = setting.command("missed");
    setting.fake.come_back();
    setting.expect("missed");
    setting.wait_for_ack(&command, 1);
}

#[test]
fn the_next_connection_is_open_before_the_announced_end_of_the_last() {
    for reason in ["warning", "refresh_requested"] {
        // The last one is read for long enough to see both.
        let timing = Timing {
            drain: Duration::from_secs(10),
            ..TIMING
        };
        let setting = Setting::with(timing, |_| {});
        setting.wait_for_connection(1);
        setting.fake.announce_disconnect(reason);
        setting
            .fake
            .wait_for("second connection beside the first", |state| {
                (state.sockets.count() == 2).then_some(())
            });
        // Slack sends by either of them.
        for text in ["a", "b", "c"] {
            let command = setting.command(text);
            setting.expect(text);
            setting.wait_for_ack(&command, 1);
        }
    }
}

#[test]
fn a_connection_is_replaced_when_its_time_is_nearly_over() {
    // Two seconds, of which the last is kept for the change.
    let prepare = |fake: &FakeSlack| fake.with(|state| state.sockets.connection_seconds = 2);
    let setting = Setting::with(TIMING, prepare);
    setting.wait_for_connection(1);
    setting
        .fake
        .with(|state| state.sockets.connection_seconds = 18_060);
    setting.wait_for_connection(2);
    // The first one ends once it's drained, and then nothing more changes.
    setting
        .fake
        .wait_for("end of the first connection", |state| {
            (state.sockets.count() == 1).then_some(())
        });
    setting.command("after the change");
    setting.expect("after the change");
    assert_eq!(setting.opened(), 2);
}

#[test]
fn a_connection_that_falls_silent_is_replaced() {
    let timing = Timing {
        silence: Duration::from_millis(600),
        ..TIMING
    };
    let setting = Setting::with(timing, |_| {});
    setting.wait_for_connection(1);
    setting.fake.mute_sockets();
    let command = setting.command("into the silence");
    setting.fake.wait_for("second connection", |state| {
        (state.sockets.opened >= 2).then_some(())
    });
    setting.expect("into the silence");
    setting.wait_for_ack(&command, 1);
}

#[test]
fn a_living_connection_outlasts_silence_and_timeouts() {
    let timing = Timing {
        silence: Duration::from_secs(1),
        ..TIMING
    };
    let setting = Setting::with(timing, |_| {});
    setting.wait_for_connection(1);
    // Longer than the limit for a call, and for silence: pongs are life.
    std::thread::sleep(Duration::from_millis(1800));
    setting.command("still here");
    setting.expect("still here");
    assert_eq!(setting.opened(), 1);
}

#[test]
fn connecting_is_tried_again_and_with_patience() {
    let prepare = |fake: &FakeSlack| {
        let method = "apps.connections.open";
        fake.fail(method, 1, Fault::Html(500));
        fake.fail(method, 1, Fault::error("internal_error"));
        fake.fail(method, 1, Fault::Hang);
        fake.fail(method, 1, Fault::RateLimited(1));
        // The ticket is lost, and nobody uses it.
        fake.fail(method, 1, Fault::BreakAfter);
    };
    let setting = Setting::with(TIMING, prepare);
    setting.wait_for_connection(1);
    setting.command("at last");
    setting.expect("at last");
    let calls = setting
        .fake
        .with(|state| state.calls_of("apps.connections.open"));
    assert_eq!(calls.len(), 6);
    let waited = calls[4].at - calls[3].at;
    assert!(
        waited >= Duration::from_secs(1),
        "as Slack asked for: {waited:?}"
    );
}

#[test]
fn a_daemon_in_socket_mode_connects_and_stops_in_time() {
    let fake = FakeSlack::start();
    let mut settings = fake.settings();
    for (key, value) in [("SOCKET_MODE", "true"), ("APP_TOKEN", APP_TOKEN)] {
        settings.push((format!("ONCALLD__SLACK__{key}"), value.to_owned()));
    }
    let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut daemon = Daemon::start_in(home, settings);
    fake.wait_for("connection", |state| {
        (state.sockets.count() == 1).then_some(())
    });
    let command = fake.send_envelope("slash_commands", json!({"command": "/oncall"}));
    fake.wait_for("acknowledgement", |state| {
        (!state.sockets.envelope(&command).acks.is_empty()).then_some(())
    });
    let since = Instant::now();
    daemon.signal("TERM");
    assert!(daemon.wait().success());
    assert!(since.elapsed() < Duration::from_secs(10));
    let log = daemon.log();
    assert!(
        !log.contains(APP_TOKEN) && !log.contains(BOT_TOKEN),
        "{log}"
    );
    let sent: Vec<Value> = fake.with(|state| {
        let envelopes = state.sockets.envelopes.iter();
        envelopes.map(|envelope| envelope.payload.clone()).collect()
    });
    assert_eq!(sent.len(), 1);
}
