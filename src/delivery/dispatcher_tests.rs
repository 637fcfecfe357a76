//! The dispatcher against a sink that does what it's told, on a clock that is set by hand.

use std::collections::VecDeque;
use std::sync::Mutex;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::actions::messages::notifications;
use crate::app::{Ctx, Route, Settings};
use crate::clock::ManualClock;
use crate::delivery::sink::{Delivered, Delivery, DeliveryError, Limits, Receipt};
use crate::domain::json::Json;
use crate::domain::notification::{DeliveryStatus, Event};
use crate::store::Store;
use crate::store::outbox::Message;
use crate::wire::Paging;
use crate::wire::notification::{NotificationFilter, NotificationView};

/// How a scripted sink answers; without a script it takes everything.
#[derive(Clone)]
enum Answer {
    Ok,
    Fail(DeliveryError),
    Hang,
    Panic,
}

struct Scripted {
    name: &'static str,
    limits: Limits,
    script: Mutex<VecDeque<Answer>>,
    /// What was tried, in order: recipient and the numbers of the messages.
    tried: Mutex<Vec<(String, Vec<u64>)>>,
}

impl Scripted {
    fn new(name: &'static str, script: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            name,
            limits: Limits::default(),
            script: Mutex::new(script.into_iter().collect()),
            tried: Mutex::default(),
        })
    }

    fn tried(&self) -> Vec<(String, Vec<u64>)> {
        self.tried.lock().unwrap().clone()
    }
}

impl Sink for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn merges(&self, first: Event, second: Event) -> bool {
        first == Event::ShiftStarted && second == Event::ShiftStarted
    }

    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivered<'a> {
        let number = |row: &Notification| row.payload.0["number"].as_u64().unwrap();
        let numbers = delivery.notifications.iter().map(number).collect();
        let recipient = delivery.notifications[0].recipient.clone();
        self.tried.lock().unwrap().push((recipient, numbers));
        let answer = self.script.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer.unwrap_or(Answer::Ok) {
                Answer::Ok => Ok(Some(Receipt("receipt".to_owned()))),
                Answer::Fail(error) => Err(error),
                Answer::Hang => std::future::pending().await,
                Answer::Panic => panic!("on purpose"),
            }
        })
    }
}

fn retry() -> Answer {
    Answer::Fail(DeliveryError::retry("down"))
}

struct Bench {
    app: App,
    clock: Arc<ManualClock>,
    dispatcher: Option<Dispatcher>,
    stopping: watch::Sender<Option<String>>,
}

impl Bench {
    fn new() -> Self {
        let start = "2026-11-23T09:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let settings = Settings {
            sinks: vec![Route::all_to("a"), Route::all_to("b")],
            ..Settings::default()
        };
        let app = crate::actions::start(Store::in_memory().unwrap(), clock.clone(), settings);
        Self {
            app,
            clock,
            dispatcher: None,
            stopping: watch::Sender::new(None),
        }
    }

    fn start(mut self, sinks: &[&Arc<Scripted>]) -> Self {
        let sinks = sinks
            .iter()
            .map(|sink| -> Arc<dyn Sink> { (*sink).clone() });
        let policy = Policy {
            max_attempts: 3,
            backoff: vec![Duration::from_secs(10), Duration::from_secs(100)],
            keep_days: 90,
        };
        self.dispatcher = Some(Dispatcher::start(
            self.app.clone(),
            sinks.collect(),
            policy,
            Counters::default(),
            self.stopping.subscribe(),
        ));
        self
    }

    fn queue(&self, sink: &str, recipient: &str, event: Event, number: u64) {
        let payload = Json(json!({"number": number, "starts_at": "2026-11-23T12:00:00Z"}));
        let recipient = recipient.to_owned();
        let message = Message {
            event,
            recipient,
            team_id: None,
            payload,
        };
        let queued = self.app.write(&Ctx::system(), |tx| {
            tx.notify(sink, &message);
            Ok(())
        });
        queued.unwrap();
    }

    fn pass(&self, seconds: i64) {
        self.clock.set(self.app.now() + TimeDelta::seconds(seconds));
        self.dispatcher.as_ref().unwrap().wake();
    }

    fn rows(&self) -> Vec<NotificationView> {
        let ctx = Ctx::system();
        let all = NotificationFilter::default();
        let page = notifications::list(&self.app, &ctx, &all, &Paging::default());
        let mut rows = page.unwrap().items;
        rows.reverse();
        rows
    }

    fn statuses(&self) -> Vec<DeliveryStatus> {
        self.rows().iter().map(|row| row.status).collect()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if holds(self) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: {:#?}", self.rows());
    }

    async fn all_settled(&self) {
        let settled = |bench: &Self| !bench.statuses().contains(&DeliveryStatus::Pending);
        self.until("all are settled", settled).await;
    }
}

use DeliveryStatus::{Delivered as Arrived, Dropped, Failed, Pending};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_try_holds_up_its_recipient_and_nobody_else() {
    let sink = Scripted::new("a", [retry()]);
    let bench = Bench::new();
    bench.queue("a", "U1", Event::Handoff, 1);
    bench.queue("a", "U1", Event::Handoff, 2);
    let bench = bench.start(&[&sink]);
    bench.until("one try", |b| b.rows()[0].attempts == 1).await;
    bench.queue("a", "U2", Event::Handoff, 3);
    bench
        .until("the other's", |b| b.statuses()[2] == Arrived)
        .await;
    assert_eq!(bench.statuses(), [Pending, Pending, Arrived]);
    assert_eq!(bench.rows()[0].last_error.as_deref(), Some("down"));
    bench.pass(13);
    bench.all_settled().await;
    let numbers: Vec<_> = sink
        .tried()
        .into_iter()
        .map(|(_, numbers)| numbers)
        .collect();
    assert_eq!(numbers, [[1], [3], [1], [2]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_to_wait_longer_than_usual_does() {
    let busy = |seconds| {
        let after = Some(Duration::from_secs(seconds));
        let message = "busy".to_owned();
        Answer::Fail(DeliveryError::Retry { message, after })
    };
    // The usual waits are 10 s and 100 s, a fifth more or less.
    let sink = Scripted::new("a", [busy(50), busy(1)]);
    let bench = Bench::new().start(&[&sink]);
    bench.queue("a", "U1", Event::Handoff, 1);
    bench.queue("a", "U2", Event::Handoff, 2);
    bench.until("two tries", |_| sink.tried().len() == 2).await;
    let both = |b: &Bench| b.rows().iter().all(|row| row.attempts == 1);
    bench.until("both are settled", both).await;
    let now = bench.app.now();
    let rows = bench.rows().into_iter();
    let waits = rows.map(|row| (row.next_attempt_at - now).num_seconds());
    let mut waits: Vec<_> = waits.collect();
    waits.sort_unstable();
    assert!((8..=12).contains(&waits[0]) && waits[1] == 50, "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_gets_through_is_parked_and_the_next_one_goes() {
    let permanent = DeliveryError::Permanent {
        message: "channel_not_found".to_owned(),
    };
    let sink = Scripted::new(
        "a",
        [retry(), Answer::Panic, retry(), Answer::Fail(permanent)],
    );
    let bench = Bench::new().start(&[&sink]);
    for number in 1..=3 {
        bench.queue("a", "U1", Event::Handoff, number);
    }
    for attempts in 1..=2 {
        bench
            .until("a try", |b| b.rows()[0].attempts == attempts)
            .await;
        bench.pass(130);
    }
    bench.all_settled().await;
    assert_eq!(bench.statuses(), [Failed, Failed, Arrived]);
    let errors: Vec<_> = bench.rows().into_iter().map(|row| row.last_error).collect();
    assert_eq!(
        errors[0].as_deref(),
        Some("given up after 3 attempts: down")
    );
    assert_eq!(errors[1].as_deref(), Some("channel_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_sink_delays_no_other() {
    let (hanging, other) = (Scripted::new("a", [Answer::Hang]), Scripted::new("b", []));
    let bench = Bench::new().start(&[&hanging, &other]);
    bench.queue("a", "U1", Event::Handoff, 1);
    bench.queue("b", "U1", Event::Handoff, 2);
    bench
        .until("the other's", |b| b.statuses() == [Pending, Arrived])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_asks_to_slow_down_is_left_alone_so_long() {
    let after = Duration::from_secs(30);
    let sink = Scripted::new("a", [Answer::Fail(DeliveryError::RateLimited { after })]);
    let bench = Bench::new().start(&[&sink]);
    bench.queue("a", "U1", Event::Handoff, 1);
    bench.until("a try", |_| sink.tried().len() == 1).await;
    bench.queue("a", "U2", Event::Handoff, 2);
    bench.pass(29);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(sink.tried().len(), 1);
    bench.pass(1);
    bench.all_settled().await;
    assert_eq!(
        bench.rows()[0].attempts,
        1,
        "being told to wait is no attempt"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_sink_parks_nothing() {
    let unusable = Answer::Fail(DeliveryError::SinkUnusable {
        message: "token_revoked".to_owned(),
    });
    let sink = Scripted::new("a", vec![unusable; 5]);
    let bench = Bench::new().start(&[&sink]);
    bench.queue("a", "U1", Event::Handoff, 1);
    for tries in 1..=5 {
        bench.until("a try", |_| sink.tried().len() == tries).await;
        let told = |b: &Bench| b.rows()[0].next_attempt_at > b.app.now();
        bench.until("settled", told).await;
        let row = &bench.rows()[0];
        assert_eq!((row.attempts, row.status), (0, Pending));
        bench.pass(60);
    }
    bench.all_settled().await;
    assert_eq!(bench.statuses(), [Arrived]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_whose_shift_has_begun_is_not_sent() {
    let bench = Bench::new();
    bench.queue("a", "U1", Event::ShiftReminder, 1);
    bench.queue("gone", "U1", Event::Handoff, 2);
    bench.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
    let sink = Scripted::new("a", []);
    let bench = bench.start(&[&sink]);
    bench.until("dropped", |b| b.statuses()[0] == Dropped).await;
    assert!(sink.tried().is_empty());
    let row = &bench.rows()[0];
    assert_eq!(row.last_error.as_deref(), Some("the shift has begun"));
    bench
        .until("told", |b| b.rows()[1].last_error.is_some())
        .await;
    assert_eq!(bench.statuses()[1], Pending, "a sink may come back");
    bench.pass(7 * 86_400);
    bench.all_settled().await;
    assert_eq!(bench.statuses()[1], Dropped);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_minute_to_one_person_become_one() {
    let sink = Scripted::new("a", []);
    let bench = Bench::new();
    for number in 1..=3 {
        bench.queue("a", "U1", Event::ShiftStarted, number);
    }
    bench.queue("a", "U1", Event::OverrideRequested, 4);
    let bench = bench.start(&[&sink]);
    bench.all_settled().await;
    let numbers: Vec<_> = sink
        .tried()
        .into_iter()
        .map(|(_, numbers)| numbers)
        .collect();
    assert_eq!(numbers, [vec![1, 2, 3], vec![4]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_what_was_not_settled_goes_out_again_and_nothing_else() {
    let sink = Scripted::new("a", [Answer::Ok, Answer::Hang]);
    let bench = Bench::new().start(&[&sink]);
    for number in 1..=3 {
        bench.queue("a", "U1", Event::Handoff, number);
    }
    bench
        .until("the second hangs", |_| sink.tried().len() == 2)
        .await;
    bench.dispatcher.as_ref().unwrap().abort();
    let bench = bench.start(&[&sink]);
    bench.all_settled().await;
    let numbers: Vec<_> = sink
        .tried()
        .into_iter()
        .map(|(_, numbers)| numbers)
        .collect();
    assert_eq!(numbers, [[1], [2], [2], [3]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_in_order() {
    let sink = Scripted::new("a", []);
    let mut bench = Bench::new().start(&[&sink]);
    for number in 1..=50 {
        bench.queue("a", &format!("U{number}"), Event::Handoff, number);
    }
    bench.until("a try", |_| !sink.tried().is_empty()).await;
    bench.stopping.send_replace(Some("SIGTERM".to_owned()));
    bench.dispatcher.take().unwrap().stopped().await;
    let arrived = bench.statuses().iter().filter(|s| **s == Arrived).count();
    assert_eq!(arrived, sink.tried().len(), "what was sent is settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_at_the_end_leaves_the_others_settled() {
    let (hanging, other) = (Scripted::new("a", [Answer::Hang]), Scripted::new("b", []));
    let bench = Bench::new().start(&[&hanging, &other]);
    bench.queue("a", "U1", Event::Handoff, 1);
    bench
        .until("it hangs", |_| !hanging.tried().is_empty())
        .await;
    bench.queue("b", "U1", Event::Handoff, 2);
    bench.until("a try", |_| !other.tried().is_empty()).await;
    bench.stopping.send_replace(Some("SIGTERM".to_owned()));
    bench
        .until("settled", |b| b.statuses() == [Pending, Arrived])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_message_made_of_several_each_has_its_own_attempts() {
    let sink = Scripted::new("a", [retry(), retry(), retry()]);
    let bench = Bench::new().start(&[&sink]);
    bench.queue("a", "U1", Event::ShiftStarted, 1);
    for attempts in 1..=2 {
        bench
            .until("a try", |b| b.rows()[0].attempts == attempts)
            .await;
        if attempts == 2 {
            bench.queue("a", "U1", Event::ShiftStarted, 2);
        }
        bench.pass(30);
    }
    bench.pass(100);
    bench.until("parked", |b| b.statuses()[0] == Failed).await;
    assert_ne!(bench.statuses()[1], Failed, "it was tried once");
}
