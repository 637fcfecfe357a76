//! The client of Slack's Web API, against the fake.

use std::future::Future;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use oncalld::secret::Secret;
use oncalld::slack::{MessageRef, Slack, SlackError, SlackMessage, SlackOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::harness::fake_slack::{
    APP_TOKEN, BOT_TOKEN, BOT_USER, Chaos, FakeSlack, Fault, Guest, USER_TOKEN,
};

/// A fake and a client of it.
struct Setting {
    fake: FakeSlack,
    slack: Slack,
    runtime: Runtime,
}

impl Setting {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SlackOptions)) -> Self {
        let fake = FakeSlack::start();
        for (id, name) in [("U1", "Ann"), ("U2", "Ben"), ("U3", "Cy")] {
            fake.add_user(id, name);
        }
        fake.add_channel("C1", "payments");
        let mut options = options(&fake.base_url());
        change(&mut options);
        let slack = Slack::new(options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        Self {
            fake,
            slack,
            runtime,
        }
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn post(&self, channel: &str, text: &str) -> Result<MessageRef, SlackError> {
        self.run(self.slack.post_message(channel, &message(text)))
    }
}

fn options(base_url: &str) -> SlackOptions {
    SlackOptions {
        base_url: base_url.to_owned(),
        app_token: Some(Secret::new(APP_TOKEN.to_owned())),
        timeout: Duration::from_secs(20),
        ..SlackOptions::new(Secret::new(BOT_TOKEN.to_owned()))
    }
}

fn message(text: &str) -> SlackMessage {
    SlackMessage {
        text: text.to_owned(),
        ..SlackMessage::default()
    }
}

#[track_caller]
fn permanent<T: std::fmt::Debug>(result: Result<T, SlackError>) -> String {
    result.unwrap_err().permanent().unwrap().to_owned()
}

fn texts(fake: &FakeSlack, recipient: &str) -> Vec<String> {
    let messages = fake.messages(recipient).into_iter();
    messages.map(|message| message.text).collect()
}

#[test]
fn a_message_is_sent_and_replaced_in_place() {
    let setting = Setting::new();
    let blocks = json!([
        {"type": "section", "text": {"type": "mrkdwn", "text": "*Ann* is on call & <@U2> isn't"}},
        {"type": "actions", "elements": [
            {"type": "button", "action_id": "approve", "value": "1", "style": "primary",
             "text": {"type": "plain_text", "text": "Approve"}}]},
    ]);
    let metadata = json!({"event_type": "handoff", "event_payload": {"id": "ü=&%"}});
    let first = SlackMessage {
        text: "Ann is on call & Ben isn't: 100 %".to_owned(),
        blocks: Some(blocks.clone()),
        metadata: Some(metadata.clone()),
    };
    let at = setting
        .run(setting.slack.post_message("C1", &first))
        .unwrap();
    let [sent] = &setting.fake.messages("C1")[..] else {
        panic!()
    };
    assert_eq!((&sent.ts, &sent.text), (&at.ts, &first.text));
    assert_eq!((&sent.blocks, &sent.metadata), (&blocks, &metadata));

    let approved = message("approved");
    let replaced = setting.run(setting.slack.update_message(&at, &approved));
    assert_eq!(replaced.unwrap(), at);
    let [sent] = &setting.fake.messages("C1")[..] else {
        panic!()
    };
    assert_eq!((&*sent.text, sent.updates), ("approved", 1));
    assert_eq!(sent.blocks, json!([]), "the buttons are gone");
}

#[test]
fn direct_messages_go_to_a_channel_that_is_asked_for_once() {
    let setting = Setting::new();
    let open = || setting.run(setting.slack.open_conversation("U1")).unwrap();
    let channel = open();
    assert_eq!(open(), channel);
    setting.post(&channel, "you are on call").unwrap();
    assert_eq!(texts(&setting.fake, "U1"), ["you are on call"]);
    let asked = setting
        .fake
        .with(|state| state.calls_of("conversations.open"));
    assert_eq!(asked.len(), 1);

    setting
        .fake
        .with(|state| state.users.get_mut("U2").unwrap().is_deactivated = true);
    for (user, error) in [
        ("U2", "user_disabled"),
        ("U9", "user_not_found"),
        (BOT_USER, "cannot_dm_bot"),
    ] {
        let result = setting.run(setting.slack.open_conversation(user));
        assert_eq!(permanent(result), error);
    }
}

#[test]
fn channels_that_take_no_message_say_why() {
    let setting = Setting::new();
    for (id, change) in [("C2", 0), ("C3", 1), ("C4", 2)] {
        setting.fake.add_channel(id, id);
        setting.fake.with(|state| {
            let channel = state.channels.get_mut(id).unwrap();
            channel.is_archived = change == 0;
            channel.is_member = change == 0;
            channel.is_private = change == 2;
        });
    }
    for (channel, error) in [
        ("C2", "is_archived"),
        ("C3", "not_in_channel"),
        ("C4", "channel_not_found"),
        ("C9", "channel_not_found"),
    ] {
        assert_eq!(
            permanent(setting.post(channel, "hello")),
            error,
            "{channel}"
        );
    }
    assert_eq!(permanent(setting.post("C1", "")), "no_text");

    let channel = |id| setting.run(setting.slack.channel(id));
    assert!(channel("C1").unwrap().is_member);
    assert!(channel("C2").unwrap().is_archived);
    assert!(!channel("C3").unwrap().is_member);
    let hidden = channel("C4").unwrap_err();
    assert!(matches!(hidden, SlackError::MissingScope { needed, .. } if needed == "groups:read"));
    assert_eq!(permanent(channel("C9")), "channel_not_found");
}

#[test]
fn blocks_that_slack_refuses_are_named() {
    let setting = Setting::new();
    let long = "x".repeat(76);
    let blocks = json!([{"type": "actions", "elements": [
        {"type": "button", "text": {"type": "plain_text", "text": long}}]}]);
    let bad = SlackMessage {
        blocks: Some(blocks),
        ..message("hello")
    };
    let error = setting
        .run(setting.slack.post_message("C1", &bad))
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("must be less than 76 characters"), "{text}");
    assert_eq!(permanent::<()>(Err(error)), "invalid_blocks");
}

#[test]
fn people_are_told_apart() {
    let setting = Setting::new();
    setting.fake.with(|state| {
        let user = state.users.get_mut("U2").unwrap();
        user.display_name.clear();
        user.is_deactivated = true;
        state.users.get_mut("U3").unwrap().guest = Guest::MultiChannel;
    });
    let profile = |user| setting.run(setting.slack.user_info(user));
    let ann = profile("U1").unwrap();
    assert_eq!((ann.name(), &*ann.real_name), ("ann", "Ann"));
    assert_eq!(ann.tz.as_deref(), Some("Europe/Berlin"));
    assert!(!ann.is_bot && !ann.is_deactivated && !ann.is_guest);
    let ben = profile("U2").unwrap();
    assert_eq!((ben.name(), ben.is_deactivated), ("Ben", true));
    assert!(profile("U3").unwrap().is_guest);
    assert!(profile(BOT_USER).unwrap().is_bot);
    assert_eq!(permanent(profile("U9")), "user_not_found");
}

#[test]
fn groups_are_read_and_set() {
    let setting = Setting::new();
    let (fake, slack) = (&setting.fake, &setting.slack);
    fake.add_group("S1", "payments", &["U1", "U2"]);
    fake.add_group("S2", "old", &["U3"]);
    fake.with(|state| state.groups.get_mut("S2").unwrap().is_enabled = false);

    let groups = setting.run(slack.list_groups(false)).unwrap();
    let [group] = &groups[..] else {
        panic!("{groups:?}")
    };
    assert_eq!(
        (&*group.id, &*group.handle, group.user_count),
        ("S1", "payments", Some(2))
    );
    let all = setting.run(slack.list_groups(true)).unwrap();
    assert_eq!(
        all.iter().map(|g| g.is_enabled).collect::<Vec<_>>(),
        [true, false]
    );

    assert_eq!(setting.run(slack.group_users("S1")).unwrap(), ["U1", "U2"]);
    assert_eq!(
        permanent(setting.run(slack.group_users("S9"))),
        "no_such_subteam"
    );

    let set = |users: &[&str]| {
        let users: Vec<_> = users.iter().map(ToString::to_string).collect();
        setting.run(slack.set_group_users("S1", &users))
    };
    set(&["U3", "U1"]).unwrap();
    assert_eq!(
        fake.with(|state| state.groups["S1"].users.clone()),
        ["U3", "U1"]
    );
    assert_eq!(permanent(set(&[])), "no_users_provided");
    let refused = set(&["U1", BOT_USER]).unwrap_err();
    assert!(refused.to_string().contains(BOT_USER), "{refused}");
    assert_eq!(permanent::<()>(Err(refused)), "invalid_users");
    assert_eq!(
        fake.with(|state| state.groups["S1"].users.clone()),
        ["U3", "U1"]
    );
}

#[test]
fn the_user_token_sets_groups_where_bots_may_not() {
    let bot_only = Setting::new();
    let with_user = Setting::with(|options| {
        options.user_token = Some(Secret::new(USER_TOKEN.to_owned()));
    });
    for setting in [&bot_only, &with_user] {
        setting.fake.add_group("S1", "payments", &["U1"]);
        setting.fake.with(|state| state.bots_may_set_groups = false);
    }
    let set = |setting: &Setting| {
        let users = ["U2".to_owned()];
        setting.run(setting.slack.set_group_users("S1", &users))
    };
    assert_eq!(permanent(set(&bot_only)), "permission_denied");
    set(&with_user).unwrap();
    let scopes = with_user
        .run(with_user.slack.auth_test_for_groups())
        .unwrap()
        .scopes;
    assert_eq!(scopes, ["usergroups:read", "usergroups:write"]);
}

#[test]
fn the_token_tells_whose_it_is_and_what_it_may() {
    let setting = Setting::new();
    let info = setting.run(setting.slack.auth_test()).unwrap();
    assert_eq!(
        (&*info.user_id, &*info.team_id, &*info.team),
        (BOT_USER, "T0FAKE", "Fake")
    );
    assert!(info.bot_id.is_some());
    assert!(info.scopes.contains(&"chat:write".to_owned()), "{info:?}");

    setting
        .fake
        .with(|state| state.drop_scope(BOT_TOKEN, "im:write"));
    let error = setting
        .run(setting.slack.open_conversation("U1"))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("conversations.open") && text.contains("im:write"),
        "{text}"
    );
    assert!(
        matches!(error, SlackError::MissingScope { provided, .. } if provided.contains("chat:write"))
    );

    setting
        .fake
        .with(|state| state.revoked.insert(BOT_TOKEN.to_owned()));
    let error = setting.post("C1", "hello").unwrap_err();
    assert!(matches!(&error, SlackError::Auth { error, .. } if error == "token_revoked"));
    assert!(!error.to_string().contains("xoxb"), "{error}");
}

#[test]
fn socket_mode_takes_the_app_token() {
    let with = Setting::new();
    let url = with.run(with.slack.open_socket()).unwrap();
    assert!(
        url.starts_with(&format!("ws://{}/", with.fake.socket_address())),
        "{url}"
    );

    let without = Setting::with(|options| options.app_token = None);
    let error = without.run(without.slack.open_socket()).unwrap_err();
    assert!(matches!(error, SlackError::Auth { .. }), "{error}");
    assert_eq!(without.fake.with(|state| state.calls.len()), 0);
}

#[test]
fn what_passes_is_told_from_what_stays() {
    let setting = Setting::with(|options| options.timeout = Duration::from_millis(500));
    let cases = [
        (Fault::RateLimited(7), "rate limited, resuming after 7 s"),
        (
            Fault::RateLimited(86_400),
            "rate limited, resuming after 3600 s",
        ),
        (Fault::error("internal_error"), "internal_error"),
        (Fault::Html(500), "HTTP 500"),
        (Fault::Html(503), "HTTP 503"),
        (Fault::Html(200), "is not JSON (text/html"),
        (Fault::Html(302), "HTTP 302"),
        (Fault::Truncated, "is not JSON (application/json"),
        (Fault::Hang, "no answer in time"),
        (Fault::Slow(Duration::from_secs(5)), "no answer in time"),
        (Fault::BreakBefore, "the connection broke"),
        (Fault::BreakAfter, "the connection broke"),
    ];
    for (fault, expected) in cases {
        setting.fake.fail("chat.postMessage", 1, fault.clone());
        let error = setting.post("C1", "hello").unwrap_err();
        let text = error.to_string();
        assert!(error.is_retriable(), "{fault:?}: {error:?}");
        assert!(text.starts_with("Slack chat.postMessage: "), "{text}");
        assert!(text.contains(expected), "{fault:?}: {text}");
        assert!(
            !text.contains("xoxb") && !text.contains("http://"),
            "{text}"
        );
    }
    // Those that were carried out all the same: truncated, slow, broken off afterwards.
    assert_eq!(setting.fake.messages("C1").len(), 3);
    setting.post("C1", "well again").unwrap();
}

#[test]
fn a_slack_that_is_down_is_found_again() {
    let setting = Setting::new();
    setting.post("C1", "one").unwrap();
    setting.fake.go_down();
    let error = setting.post("C1", "two").unwrap_err();
    assert!(error.is_retriable(), "{error}");
    let error = setting.post("C1", "two").unwrap_err();
    assert!(error.to_string().contains("can't connect"), "{error}");
    setting.fake.come_back();
    setting.post("C1", "three").unwrap();
    assert_eq!(texts(&setting.fake, "C1"), ["one", "three"]);
}

#[test]
fn an_answer_without_end_is_cut_off() {
    // A server that sends zeros for as long as anybody reads.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/api", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
        let mut sent = 0_usize;
        while stream.write_all(&[b'0'; 4096]).is_ok() {
            sent += 4096;
        }
        sent
    });
    let runtime = Runtime::new().unwrap();
    let slack = Slack::new(options(&base_url)).unwrap();
    let error = runtime.block_on(slack.auth_test()).unwrap_err();
    assert!(error.to_string().contains("over 8388608 bytes"), "{error}");
    drop((slack, runtime));
    assert!(server.join().unwrap() < 100_000_000);
}

#[test]
fn answers_go_to_response_urls_five_times() {
    let setting = Setting::new();
    let url = setting.fake.response_url("click");
    let body = json!({"response_type": "ephemeral", "text": "done"});
    let respond = |url: &str| setting.run(setting.slack.respond(url, &body));
    for _ in 0..5 {
        respond(&url).unwrap();
    }
    let used = respond(&url).unwrap_err();
    assert!(used.to_string().contains("used_url"), "{used}");
    let unknown = respond(&url.replace("click", "other")).unwrap_err();
    assert!(unknown.permanent().is_some() && unknown.to_string().contains("expired_url"));
    let responses = setting.fake.with(|state| state.responses.clone());
    assert!(
        responses
            .iter()
            .all(|r| r.name == "click" && r.body == body)
    );
    assert_eq!(responses.len(), 5);

    setting.fake.fail("response_url", 1, Fault::Html(502));
    assert!(respond(&url).unwrap_err().is_retriable());
    for elsewhere in [
        "http://hooks.slack.com/x",
        "file:///etc/passwd",
        "",
        "http://10.0.0.1/",
    ] {
        let error = respond(elsewhere).unwrap_err();
        assert!(error.permanent().is_some(), "{elsewhere}");
        assert!(
            elsewhere.is_empty() || !error.to_string().contains(elsewhere),
            "{error}"
        );
    }
}

#[test]
fn chaos_is_the_same_each_time_and_loses_nothing_that_was_acknowledged() {
    let played = |seed| -> (Vec<bool>, Vec<String>) {
        let setting = Setting::new();
        let faults = vec![
            Fault::BreakBefore,
            Fault::BreakAfter,
            Fault::RateLimited(1),
            Fault::Html(500),
        ];
        setting.fake.chaos(Some(Chaos::new(seed, 40, faults)));
        let went_well = |at: u32| setting.post("C1", &at.to_string()).is_ok();
        let results: Vec<_> = (0..40).map(went_well).collect();
        setting.fake.chaos(None);
        setting.post("C1", "last").unwrap();
        (results, texts(&setting.fake, "C1"))
    };
    let (results, texts) = played(7);
    let good = results.iter().filter(|good| **good).count();
    assert!((10..35).contains(&good), "{good}");
    for (at, _) in results.iter().enumerate().filter(|(_, good)| **good) {
        assert!(texts.contains(&at.to_string()), "{at}: {texts:?}");
    }
    assert_eq!(played(7), (results, texts));
}

#[test]
fn a_slow_answer_in_time_is_an_answer() {
    let setting = Setting::new();
    let pause = Duration::from_millis(300);
    setting.fake.fail("*", 1, Fault::Slow(pause));
    let since = Instant::now();
    setting.post("C1", "hello").unwrap();
    assert!(since.elapsed() >= pause);
    let call = setting.fake.wait_for("answered call", |state| {
        state
            .calls_of("chat.postMessage")
            .pop()
            .filter(|call| call.answer.is_some())
    });
    assert!(call.at >= since);
    assert_eq!((call.text("channel"), &*call.token), ("C1", BOT_TOKEN));
    assert_eq!(call.answer.unwrap()["ok"], Value::Bool(true));
}
