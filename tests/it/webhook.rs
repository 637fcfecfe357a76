//! The webhook sink against a real receiver, and its signatures before the judge.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use oncalld::clock::{Clock, ManualClock, SystemClock};
use oncalld::config::{CliOverrides, Config, Webhook as Settings};
use oncalld::delivery::sink::{Delivery, DeliveryError, Sink};
use oncalld::domain::ids::{NotificationId, TeamId};
use oncalld::domain::json::Json;
use oncalld::domain::notification::{DeliveryStatus, Event, Notification};
use oncalld::sinks::webhook::Webhook;
use serde_json::{Value, json};

use crate::harness::{judge, sandbox::instant};

const OLD: &str = "whsec_dGhlIG9sZCBzZWNyZXQgb2YgdGhpcyBlbmRwb2ludA==";
const NEW: &str = "whsec_dGhlIG5ldyBzZWNyZXQgb2YgdGhpcyBlbmRwb2ludA==";

/// What the receiver got.
#[derive(Clone, Debug)]
struct Received {
    headers: HeaderMap,
    body: String,
}

type Log = Arc<Mutex<Vec<Received>>>;

struct Receiver {
    url: String,
    log: Log,
}

impl Receiver {
    /// Listens on loopback; the last part of the path says what it answers.
    async fn start() -> Self {
        let log = Log::default();
        let app = Router::new()
            .route("/hook/{answer}", post(receive))
            .with_state(Arc::clone(&log));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, log }
    }

    fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().clone()
    }

    /// What becomes of a delivery that is answered so.
    async fn answer(&self, answer: &str) -> Result<(), DeliveryError> {
        let sink = sink(settings(&format!("{}/{answer}", self.url), OLD), system());
        deliver(&sink).await
    }
}

async fn receive(
    State(log): State<Log>,
    Path(answer): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let body = String::from_utf8(body.to_vec()).unwrap();
    log.lock().unwrap().push(Received { headers, body });
    let (status, rest) = answer.split_once(',').unwrap_or((&answer, ""));
    let status = StatusCode::from_bytes(status.as_bytes()).unwrap();
    let response = Response::builder().status(status);
    let response = match rest.split_once('=') {
        Some(("wait", time)) => response.header("retry-after", time),
        _ if status.is_redirection() => response.header("location", "/hook/200"),
        _ => response,
    };
    let body = match rest {
        "html" => Body::from("<h1>\x1b[1mBad\u{0} day</h1>\r\n"),
        "endless" => {
            let chunk = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'x'; 1000]));
            Body::from_stream(futures_util::stream::repeat(chunk))
        }
        _ => Body::empty(),
    };
    response.body(body).unwrap()
}

fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn settings(url: &str, secrets: &str) -> Settings {
    let keys = [("NAME", "pager"), ("URL", url), ("SECRETS", secrets)];
    let env = keys.map(|(key, value)| (format!("ONCALLD__WEBHOOK__0__{key}"), value.to_owned()));
    let config = Config::load(None, env.into_iter(), CliOverrides::default()).unwrap();
    config.webhooks[0].clone()
}

fn sink(settings: Settings, clock: Arc<dyn Clock>) -> Webhook {
    let wording = |notification: &Notification| format!("{}: Zoë", notification.event);
    Webhook::new(settings, clock, Arc::new(wording)).unwrap()
}

fn notification() -> Notification {
    let created_at = instant("2026-11-23T09:00:00.125Z");
    Notification {
        id: NotificationId::new(created_at),
        seq: 7,
        event: Event::Handoff,
        sink: "webhook:pager".to_owned(),
        recipient: "C1".to_owned(),
        team_id: Some(TeamId::new(created_at)),
        payload: Json(json!({"engineer_slack_id": "UB", "team": {"name": "Zahlungen é"}})),
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_attempt_at: created_at,
        last_error: None,
        created_at,
        delivered_at: None,
    }
}

async fn deliver(sink: &Webhook) -> Result<(), DeliveryError> {
    let delivery = Delivery {
        notifications: vec![notification()],
        request: None,
    };
    let receipt = sink.deliver(&delivery).await?;
    assert_eq!(receipt, None);
    Ok(())
}

/// What the judge says of each of (secret, headers, body).
fn verdicts(cases: &[(&str, Value, &str)]) -> Vec<String> {
    let mut command = judge("webhook.py");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for (secret, headers, body) in cases {
        let case = json!({"secret": secret, "headers": headers, "body": body});
        writeln!(stdin, "{case}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().map(str::to_owned).collect()
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The headers of the convention, one of them possibly another.
    fn signed(&self, changed: &str, value: &str) -> Value {
        let mut headers = serde_json::Map::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name.to_owned(), self.header(name).into());
        }
        if !changed.is_empty() {
            headers.insert(changed.to_owned(), value.into());
        }
        headers.into()
    }
}

#[tokio::test]
async fn a_message_is_json_with_the_facts_the_text_and_the_headers_of_the_convention() {
    let receiver = Receiver::start().await;
    receiver.answer("204").await.unwrap();
    let [received] = &receiver.received()[..] else {
        panic!()
    };
    let body: Value = serde_json::from_str(&received.body).unwrap();
    let id = received.header("webhook-id");
    assert_eq!(body["data"]["id"], id);
    let team_id = body["data"]["team_id"].as_str().unwrap();
    assert_eq!(
        body,
        json!({
            "type": "handoff",
            "timestamp": "2026-11-23T09:00:00.125Z",
            "data": {
                "id": id,
                "event": "handoff",
                "recipient": "C1",
                "team_id": team_id,
                "payload": {"engineer_slack_id": "UB", "team": {"name": "Zahlungen é"}},
                "text": "handoff: Zoë",
            },
        })
    );
    assert_eq!(received.header("content-type"), "application/json");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(received.header("user-agent"), format!("oncalld/{version}"));
    assert_eq!(received.header("webhook-signature").len(), "v1,".len() + 44);
}

#[tokio::test]
async fn the_judge_finds_messages_genuine_by_each_secret_and_forged_ones_not() {
    let receiver = Receiver::start().await;
    let url = format!("{}/200", receiver.url);
    for secrets in [OLD.to_owned(), format!("{NEW},{OLD}")] {
        deliver(&sink(settings(&url, &secrets), system()))
            .await
            .unwrap();
    }
    let [by_old, by_both] = &receiver.received()[..] else {
        panic!()
    };
    let genuine = "genuine";
    let forged = "No matching signature found";
    let whole = |received: &Received| received.signed("", "");
    let tampered = by_old.body.replace("UB", "UC");
    let signatures = by_both.header("webhook-signature");
    let (first, second) = signatures.split_once(' ').unwrap();
    let first = by_both.signed("webhook-signature", first);
    let second = by_both.signed("webhook-signature", second);
    let old = format!(
        "{}",
        by_old.header("webhook-timestamp").parse::<i64>().unwrap() - 1
    );
    let cases = [
        (genuine, (OLD, whole(by_old), &*by_old.body)),
        (forged, (NEW, whole(by_old), &by_old.body)),
        (genuine, (OLD, whole(by_both), &by_both.body)),
        (genuine, (NEW, whole(by_both), &by_both.body)),
        // The first secret signs first.
        (genuine, (NEW, first.clone(), &by_both.body)),
        (forged, (OLD, first, &by_both.body)),
        (genuine, (OLD, second, &by_both.body)),
        (forged, (OLD, whole(by_old), &tampered)),
        (
            forged,
            (OLD, by_old.signed("webhook-id", "another"), &by_old.body),
        ),
        (
            forged,
            (OLD, by_old.signed("webhook-timestamp", &old), &by_old.body),
        ),
    ];
    let (expected, cases): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    assert_eq!(verdicts(&cases), expected);
}

/// The Python code of docs/WEBHOOKS.md, which needs no library.
#[tokio::test]
async fn the_documented_code_verifies_a_message() {
    let receiver = Receiver::start().await;
    let url = format!("{}/200", receiver.url);
    let secrets = format!("{NEW},{OLD}");
    deliver(&sink(settings(&url, &secrets), system()))
        .await
        .unwrap();
    let [received] = &receiver.received()[..] else {
        panic!()
    };
    let docs = include_str!("../../docs/WEBHOOKS.md");
    let (_, code) = docs.split_once("```python\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let case = json!([received.signed("", ""), received.body]).to_string();
    let script = format!(
        "{code}\nimport json, sys\nheaders, body = json.loads(sys.argv[1])\n\
         assert is_genuine('{OLD}', headers, body.encode())\n\
         assert is_genuine('{NEW}', headers, body.encode())\n\
         assert not is_genuine('{NEW}', headers, b'x' + body.encode())\n\
         assert not is_genuine('{NEW}', {{**headers, 'webhook-id': 'x'}}, body.encode())\n\
         assert not is_genuine('{NEW}', {{**headers, 'webhook-timestamp': '0'}}, body.encode())\n"
    );
    let output = Command::new("python3")
        .args(["-c", &script, &case])
        .output();
    let output = output.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
}

#[tokio::test]
async fn a_message_is_signed_with_the_time_at_which_it_is_sent() {
    let receiver = Receiver::start().await;
    let url = format!("{}/200", receiver.url);
    let clock = Arc::new(ManualClock::new(instant("2020-01-01T00:00:00Z")));
    let sink = sink(settings(&url, OLD), clock.clone());
    deliver(&sink).await.unwrap();
    clock.set(instant("2020-01-01T00:06:00Z"));
    deliver(&sink).await.unwrap();
    let received = receiver.received();
    let times = received.iter().map(|r| r.header("webhook-timestamp"));
    assert_eq!(times.collect::<Vec<_>>(), ["1577836800", "1577837160"]);
    // Which is long ago.
    let cases = received.iter().map(|r| (OLD, r.signed("", ""), &*r.body));
    let verdicts = verdicts(&cases.collect::<Vec<_>>());
    assert!(
        !verdicts.iter().any(|verdict| verdict == "genuine"),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn an_answer_decides_whether_it_is_tried_again() {
    let receiver = Receiver::start().await;
    let retry = |message: &str| Err(DeliveryError::retry(message));
    let busy = |seconds| {
        Err(DeliveryError::Retry {
            message: "answered 503 Service Unavailable".to_owned(),
            after: Some(Duration::from_secs(seconds)),
        })
    };
    let permanent = |message: &str| {
        Err(DeliveryError::Permanent {
            message: message.to_owned(),
        })
    };
    let limited = |seconds| {
        Err(DeliveryError::RateLimited {
            after: Duration::from_secs(seconds),
        })
    };
    let redirect =
        "redirects aren't followed, since messages are signed for the configured endpoint only";
    for (answer, expected) in [
        ("200", Ok(())),
        ("202,html", Ok(())),
        ("204", Ok(())),
        ("200,endless", Ok(())),
        ("400", permanent("answered 400 Bad Request")),
        (
            "404,html",
            permanent("answered 404 Not Found: <h1>[1mBad day</h1>"),
        ),
        ("410", permanent("answered 410 Gone")),
        ("408", retry("answered 408 Request Timeout")),
        ("425", retry("answered 425 Too Early")),
        (
            "500,html",
            retry("answered 500 Internal Server Error: <h1>[1mBad day</h1>"),
        ),
        ("503", retry("answered 503 Service Unavailable")),
        ("503,wait=7", busy(7)),
        ("503,wait=soon", retry("answered 503 Service Unavailable")),
        ("429,wait=7", limited(7)),
        ("429,wait=soon", limited(60)),
        ("429", limited(60)),
        ("302", permanent(&format!("answered 302 Found: {redirect}"))),
        (
            "308",
            permanent(&format!("answered 308 Permanent Redirect: {redirect}")),
        ),
    ] {
        let before = receiver.received().len();
        assert_eq!(receiver.answer(answer).await, expected, "{answer}");
        assert_eq!(receiver.received().len(), before + 1, "{answer}: sent once");
    }
    let Err(DeliveryError::Permanent { message }) = receiver.answer("400,endless").await else {
        panic!()
    };
    assert_eq!(
        message,
        format!("answered 400 Bad Request: {}", "x".repeat(200))
    );
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_tried_again_and_its_url_is_not_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/hook?token=hush");
    let refused = deliver(&sink(settings(&url, OLD), system())).await;
    let Err(DeliveryError::Retry { message, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(
        message.starts_with("127.0.0.1 can't be reached: "),
        "{message}"
    );
    assert!(
        message.contains("refused") && !message.contains("hush"),
        "{message}"
    );
}

#[tokio::test]
async fn an_endpoint_in_the_private_network_is_refused_unless_it_is_allowed() {
    let mut settings = settings("http://localhost:1/", OLD);
    settings.url = "http://169.254.169.254/latest/".parse().unwrap();
    let refused = deliver(&sink(settings, system())).await;
    let message = "169.254.169.254 is an address of a cloud's own \
                   services: nothing is sent there, unless the webhook has \
                   `allow_private_addresses = true`";
    let message = message.to_owned();
    assert_eq!(refused, Err(DeliveryError::Permanent { message }));
}

#[test]
fn a_sink_is_named_after_its_endpoint_and_keeps_its_rate() {
    let mut settings = settings("http://localhost:1/", OLD);
    settings.max_per_second = 3.try_into().unwrap();
    let sink = sink(settings, system());
    assert_eq!(sink.name(), "webhook:pager");
    assert_eq!(sink.limits().per_second.get(), 3);
    assert!(!sink.merges(Event::Handoff, Event::Handoff));
}
