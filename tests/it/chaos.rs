//! A month of handoffs with a Slack that drops, delays, limits and dies, and a daemon that is
//! killed now and then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use oncalld::actions::messages::{lookout, notifications};
use oncalld::actions::rotation::handoff;
use oncalld::actions::{members, overrides, teams};
use oncalld::app::{Actor, App, Ctx, Settings, Source};
use oncalld::clock::{Clock as _, ManualClock};
use oncalld::delivery::sink::Sink;
use oncalld::delivery::{Counters, Dispatcher, Policy};
use oncalld::domain::ids::{TokenId, UserId};
use oncalld::domain::notification::{DeliveryStatus, Event};
use oncalld::domain::token::Role;
use oncalld::secret::Secret;
use oncalld::sinks::slack::SlackSink;
use oncalld::slack::{Slack, SlackOptions};
use oncalld::store::Store;
use oncalld::wire::Paging;
use oncalld::wire::notification::NotificationView;
use oncalld::wording::{Links, Names};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::harness::fake_slack::{BOT_TOKEN, Chaos, FakeSlack, Fault};
use crate::harness::sandbox::{instant, read};

/// The same each time: what chance brings is the same then, but for what threads make of it.
const SEED: u64 = 20_261_123;
const STEP: TimeDelta = TimeDelta::hours(4);
const DAYS: i64 = 31;

struct Nameless;

impl Names for Nameless {
    fn name(&self, _user: &UserId) -> Option<String> {
        None
    }
}

/// A daemon without its HTTP side, on a clock that is set by hand.
struct Daemon {
    app: App,
    clock: Arc<ManualClock>,
    dispatcher: Dispatcher,
    /// Where it's gone, the dispatcher stops.
    _stopping: watch::Sender<Option<String>>,
}

impl Daemon {
    fn start(path: &Path, clock: &Arc<ManualClock>, fake: &FakeSlack, runtime: &Runtime) -> Self {
        // What the killed one was writing may take a moment to end.
        let since = Instant::now();
        let store = loop {
            match Store::open(path) {
                Ok(store) => break store,
                Err(error) => assert!(since.elapsed() < Duration::from_secs(20), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let app = oncalld::actions::start(store, clock.clone(), Settings::default());
        let slack = Slack::new(SlackOptions {
            base_url: fake.base_url(),
            timeout: Duration::from_secs(5),
            ..SlackOptions::new(Secret::new(BOT_TOKEN.to_owned()))
        });
        let per_second = NonZeroU32::new(1000).unwrap();
        let sink = SlackSink::new(
            slack.unwrap(),
            Arc::new(Nameless),
            Links::default(),
            per_second,
        );
        let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(sink)];
        let policy = Policy {
            max_attempts: 50,
            backoff: vec![Duration::from_mins(1)],
            keep_days: 90,
        };
        let _inside = runtime.enter();
        let stopping = watch::Sender::new(None);
        let counters = Counters::default();
        let dispatcher =
            Dispatcher::start(app.clone(), sinks, policy, counters, stopping.subscribe());
        Self {
            app,
            clock: clock.clone(),
            dispatcher,
            _stopping: stopping,
        }
    }

    /// Answers with what was due and may have been under way: what of it is in Slack, or on its
    /// way there, is known to nobody.
    fn kill(self) -> Vec<String> {
        self.dispatcher.abort();
        let now = self.app.now();
        let is_due = |row: &NotificationView| {
            row.status == DeliveryStatus::Pending && row.next_attempt_at <= now
        };
        let due = self.rows().into_iter().filter(is_due);
        due.map(|row| row.id.to_string()).collect()
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.set(self.app.now() + time);
        self.dispatcher.wake();
    }

    fn rows(&self) -> Vec<NotificationView> {
        let mut rows = Vec::new();
        loop {
            let paging = Paging {
                page: Some(rows.len() / Paging::MAX_SIZE + 1),
                page_size: Some(Paging::MAX_SIZE),
            };
            let page = notifications::list(&self.app, &Ctx::system(), &read(json!({})), &paging);
            let page = page.unwrap();
            rows.extend(page.items);
            if rows.len() == page.total {
                rows.reverse();
                return rows;
            }
        }
    }

    /// Waits until what is due has been tried, or for a moment where it hangs.
    fn settle(&self) {
        let now = self.app.now();
        for _ in 0..40 {
            let filter = read(json!({"status": "pending"}));
            let paging = Paging {
                page: None,
                page_size: Some(Paging::MAX_SIZE),
            };
            let page = notifications::list(&self.app, &Ctx::system(), &filter, &paging).unwrap();
            if !page.items.iter().any(|row| row.next_attempt_at <= now) {
                return;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}

fn admin(now: DateTime<Utc>) -> Ctx {
    Ctx {
        actor: Actor::Token {
            id: TokenId::new(now),
            name: "test".to_owned(),
            role: Role::Admin,
            user: None,
        },
        source: Source::Api,
        ..Ctx::system()
    }
}

/// Six teams that hand off each day in their own zones, two of them into one channel, and with
/// people in common.
fn company(app: &App, fake: &FakeSlack) {
    let ctx = admin(app.now());
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Asia/Kolkata",
        "UTC",
        "Australia/Sydney",
        "America/Sao_Paulo",
    ];
    for (number, zone) in zones.into_iter().enumerate() {
        let channel = format!("C{}", number / 2 * 2);
        fake.add_channel(&channel, &channel.to_lowercase());
        let team = read(json!({
            "name": format!("t{number}"), "timezone": zone, "slack_channel_id": channel,
            "handoff_time": "09:00", "rotation_interval": "daily", "rotation_enabled": true,
            "overrides_require_approval": true,
        }));
        teams::create(app, &ctx, &team).unwrap();
        for member in 0..4 {
            let user = format!("U{}", number + member);
            fake.add_user(&user, &user);
            let role = if member == 0 { "lead" } else { "member" };
            let member = read(json!({"slack_user_id": user, "team_role": role}));
            members::put(app, &ctx, &format!("t{number}"), &member).unwrap();
        }
    }
}

/// Asks for cover in one team, and now and then decides.
fn overrides_of_the_day(app: &App, day: i64) {
    let ctx = admin(app.now());
    let team = format!("t{}", day % 6);
    let start = (app.now() + TimeDelta::days(2)).date_naive();
    let wish = read(json!({"substitute_slack_id": format!("U{}", day % 8), "start_date": start}));
    let Ok(row) = overrides::request(app, &ctx, &team, &wish) else {
        return;
    };
    let status = ["approved", "rejected", "cancelled"].get(usize::try_from(day % 4).unwrap());
    if let Some(status) = status {
        let decision = read(json!({"status": status}));
        overrides::decide(app, &ctx, &team, &row.id.to_string(), &decision).unwrap();
    }
}

/// The notifications that each message in Slack was of, by recipient, in the order of Slack.
fn posted(fake: &FakeSlack) -> BTreeMap<String, Vec<String>> {
    fake.with(|state| {
        let people: HashMap<_, _> = state
            .directs
            .iter()
            .map(|(user, channel)| (channel.clone(), user.clone()))
            .collect();
        let mut posted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in &state.messages {
            let recipient = people.get(&message.channel).unwrap_or(&message.channel);
            let ids = &message.metadata["event_payload"]["ids"];
            // An update bears the ids of what it updated with: the message itself is older.
            if message.updates == 0 {
                let ids = ids.as_array().unwrap().iter();
                let ids = ids.map(|id| id.as_str().unwrap().to_owned());
                posted.entry(recipient.clone()).or_default().extend(ids);
            }
        }
        posted
    })
}

#[test]
fn a_month_of_chaos_loses_nothing_and_tells_nobody_twice_or_out_of_order() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store.redb");
    let clock = Arc::new(ManualClock::new(instant("2026-10-20T00:00:00Z")));
    let (fake, runtime) = (FakeSlack::start(), Runtime::new().unwrap());
    let mut daemon = Daemon::start(&path, &clock, &fake, &runtime);
    company(&daemon.app, &fake);
    // None of these is done and then not answered: that would rightly be told twice.
    let faults = vec![
        Fault::RateLimited(60),
        Fault::error("internal_error"),
        Fault::Html(503),
        Fault::BreakBefore,
        Fault::Slow(Duration::from_millis(8)),
    ];
    fake.chaos(Some(Chaos::new(SEED, 25, faults)));
    let mut under_way = BTreeSet::new();
    let (mut kills, mut hits) = (0, 0);
    let end = clock.now() + TimeDelta::days(DAYS);
    let mut step = 0i64;
    while clock.now() < end {
        step += 1;
        match step % 60 {
            20 => fake.go_down(),
            23 => fake.come_back(),
            40 => fake.fail("chat.postMessage", 1, Fault::Hang),
            _ => {}
        }
        handoff::tick(&daemon.app).unwrap();
        lookout::tick(&daemon.app).unwrap();
        if step % 6 == 0 {
            overrides_of_the_day(&daemon.app, step / 6);
        }
        daemon.pass(TimeDelta::seconds(2));
        if step % 9 == 0 {
            // Some of what it has begun is in Slack by now, and not settled.
            std::thread::sleep(Duration::from_millis(u64::try_from(step % 7).unwrap()));
            let due = daemon.kill();
            hits += usize::from(!due.is_empty());
            under_way.extend(due);
            kills += 1;
            daemon = Daemon::start(&path, &clock, &fake, &runtime);
        }
        daemon.settle();
        daemon.pass(STEP - TimeDelta::seconds(2));
    }
    fake.chaos(None);
    let pending = |daemon: &Daemon| {
        let rows = daemon.rows().into_iter();
        rows.filter(|row| row.status == DeliveryStatus::Pending)
            .count()
    };
    let since = Instant::now();
    while pending(&daemon) > 0 {
        assert!(since.elapsed() < Duration::from_mins(1), "it never ends");
        daemon.pass(TimeDelta::minutes(2));
        std::thread::sleep(Duration::from_millis(20));
    }

    let rows = daemon.rows();
    let posted = posted(&fake);
    let mut times: HashMap<&str, usize> = HashMap::new();
    for id in posted.values().flatten() {
        *times.entry(id).or_default() += 1;
    }
    let count = |status| rows.iter().filter(|row| row.status == status).count();
    assert_eq!(count(DeliveryStatus::Failed), 0);
    let arrived = count(DeliveryStatus::Delivered);
    assert!(
        hits > 15 && hits * 2 > kills && arrived > 500,
        "{hits} of {kills} kills hit something, {arrived} of {} arrived",
        rows.len()
    );
    assert!(arrived * 10 > rows.len() * 8, "{arrived} of {}", rows.len());
    let mut replaced = fake.with(|state| {
        let messages = state.messages.iter();
        messages.filter(|message| message.updates > 0).count()
    });
    for row in &rows {
        let id = row.id.to_string();
        let times = times.get(&*id).copied().unwrap_or(0);
        let repeated = times > 1 && !under_way.contains(&id);
        assert!(!repeated, "{times} times: {row:#?}");
        let updates = row.payload["updates_request"] == true;
        match row.status {
            // What replaces a message is no message of its own.
            DeliveryStatus::Delivered if row.event == Event::OverrideDecided && updates => {}
            // A message that was replaced since no longer tells its first ids, but is there.
            DeliveryStatus::Delivered if row.event == Event::OverrideRequested => {
                assert!(times >= 1 || replaced > 0, "lost: {row:#?}");
                replaced -= usize::from(times == 0);
            }
            DeliveryStatus::Delivered => assert!(times >= 1, "lost: {row:#?}"),
            _ => assert!(times == 0 || under_way.contains(&id), "{row:#?}"),
        }
    }
    let order: HashMap<_, _> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (row.id.to_string(), at))
        .collect();
    for (recipient, ids) in &posted {
        let mut seen = BTreeSet::new();
        let first: Vec<_> = ids.iter().filter(|id| seen.insert(*id)).collect();
        assert!(
            first.iter().map(|id| order[*id]).is_sorted(),
            "{recipient} read {first:?}"
        );
    }
}
