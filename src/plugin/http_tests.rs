//! Sinks: what they are told, what they may send where, and what their failures mean.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use super::host::bindings::sink::oncalld::plugin::notifications as wit;
use super::testing::{LIMITS, manifest, registry, sink};
use super::{Files, HostPolicy, Plugin};
use crate::config::{AllowedHost, Host};
use crate::delivery::sink::DeliveryError;

/// Posts the payload to the address in the notification's text. What keeps it from that is
/// its failure: permanent where it's forbidden.
const POST: &str = "
    (i32.store (i32.const 0x40) (i32.const 0x204)) (i32.store (i32.const 0x44) (i32.const 6))
    (i32.store (i32.const 0x48) (i32.const 0x20a)) (i32.store (i32.const 0x4c) (i32.const 4))
    (call $send
        (i32.const 0x200) (i32.const 4)
        (i32.load offset=68 (local.get $told)) (i32.load offset=72 (local.get $told))
        (i32.const 0x40) (i32.const 1)
        (i32.load offset=84 (local.get $told)) (i32.load offset=88 (local.get $told))
        (i32.const 0x80))
    (if (i32.eqz (i32.load8_u (i32.const 0x80)))
        (then (return (i32.store8 (i32.const 0x10) (i32.const 0)) (i32.const 0x10))))
    (i32.store8 (i32.const 0x10) (i32.const 1))
    (i32.store8 (i32.const 0x14) (i32.eqz (i32.load8_u (i32.const 0x84))))
    (i32.store (i32.const 0x18) (i32.load (i32.const 0x88)))
    (i32.store (i32.const 0x1c) (i32.load (i32.const 0x8c)))
    (i32.store8 (i32.const 0x20) (i32.const 0))
    (i32.const 0x10)";

fn hosts(names: &[&str]) -> Vec<Host> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn load(body: &str, wanted: &[&str], private: &[&str]) -> Arc<Plugin> {
    let dir = tempfile::tempdir().unwrap();
    let policy = HostPolicy {
        allowed: vec![AllowedHost::Any],
        private: hosts(private),
    };
    let registry = registry(dir.path(), LIMITS, policy);
    let manifest = manifest("test", "sink") + &format!("hosts = {wanted:?}\n");
    let files = Files {
        manifest: &manifest,
        wasm: &sink(body),
    };
    Arc::new(registry.load_files(&files).unwrap())
}

fn notification(url: &str, payload: &str) -> wit::Notification {
    wit::Notification {
        id: "018f0000-0000-7000-8000-000000000000".to_owned(),
        event: "handoff".to_owned(),
        recipient: "C1".to_owned(),
        team: None,
        title: "Payments: U1 is on call".to_owned(),
        text: url.to_owned(),
        created_at: "2026-11-23T09:00:00Z".to_owned(),
        payload: payload.to_owned(),
    }
}

/// A server that answers one request so, and hands back what it was asked.
fn serve(answer: impl Into<Vec<u8>>) -> (u16, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = answer.into();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&asked).ends_with("{\"a\":1}") {
            let read = stream.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..read]);
            if read == 0 {
                break;
            }
        }
        // The other side may have gone, where the answer is too large.
        let _ = stream.write_all(&answer);
        String::from_utf8(asked).unwrap()
    });
    (port, thread)
}

fn forbidden(told: Result<(), DeliveryError>) -> String {
    match told {
        Err(DeliveryError::Permanent { message }) => message,
        other => panic!("{other:?}"),
    }
}

fn to_be_retried(told: Result<(), DeliveryError>) -> String {
    match told {
        Err(DeliveryError::Retry { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sink_posts_to_its_host() {
    let (port, server) = serve("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let plugin = load(POST, &["127.0.0.1"], &["127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/hook?x=1");
    plugin
        .deliver(notification(&url, "{\"a\":1}"))
        .await
        .unwrap();
    let asked = server.join().unwrap();
    assert!(asked.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-kind: test\r\n"), "{asked}");
    assert!(asked.ends_with("\r\n\r\n{\"a\":1}"), "{asked}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (port, server) =
        serve("HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n");
    let plugin = load(POST, &["127.0.0.1"], &["127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/");
    // The plugin gets the 302 and takes any answer for a delivery.
    plugin
        .deliver(notification(&url, "{\"a\":1}"))
        .await
        .unwrap();
    server.join().unwrap();
}

#[tokio::test]
async fn hosts_that_are_not_granted_are_refused() {
    let plugin = load(
        POST,
        &["127.0.0.1:9", "hooks.example.com", "10.0.0.1", "localhost"],
        &["127.0.0.1"],
    );
    let send = async |url: &str| forbidden(plugin.clone().deliver(notification(url, "")).await);
    let not_named = "is not among the plugin's hosts";
    for url in [
        "https://evil.example.com/",
        "https://hooks.example.com.evil.example/",
        "https://x.hooks.example.com/",
        "https://hooks.example.com./",
        "http://127.0.0.1:10/",
        "http://127.0.0.2:9/",
        "http://[::1]:9/",
        "http://169.254.169.254/latest/meta-data/",
    ] {
        let problem = send(url).await;
        assert!(problem.contains(not_named), "{url}: {problem}");
    }
    let problem = send("https://user:secret@hooks.example.com/").await;
    assert!(problem.contains("user name or password"), "{problem}");
    let problem = send("http://hooks.example.com/").await;
    assert!(problem.contains("has to be https"), "{problem}");
    for url in [
        "file:///etc/passwd",
        "ftp://hooks.example.com/",
        "hooks.example.com",
        "",
    ] {
        send(url).await;
    }
}

#[tokio::test]
async fn private_addresses_take_the_configs_word() {
    let plugin = load(POST, &["10.0.0.1", "localhost", "127.0.0.1"], &[]);
    let send = async |url: &str| plugin.clone().deliver(notification(url, "")).await;
    for url in [
        "https://10.0.0.1/",
        "http://127.0.0.1:9/",
        "https://2130706433/",
        "https://0x7f.1/",
    ] {
        let problem = forbidden(send(url).await);
        assert!(
            problem.contains("nothing is sent there"),
            "{url}: {problem}"
        );
    }
    // A name is resolved, and what it leads to is held against the same rule.
    let problem = forbidden(send("http://localhost:9/").await);
    assert!(problem.contains("where localhost leads"), "{problem}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 2_000_000, b'x');
    let (port, server) = serve(answer);
    let plugin = load(POST, &["127.0.0.1"], &["127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/");
    let problem = to_be_retried(plugin.deliver(notification(&url, "{\"a\":1}")).await);
    assert!(problem.contains("over 1 MiB"), "{problem}");
    server.join().unwrap();
}

#[tokio::test]
async fn a_host_that_is_down_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let plugin = load(POST, &["127.0.0.1"], &["127.0.0.1"]);
    let url = format!("http://127.0.0.1:{port}/");
    to_be_retried(plugin.deliver(notification(&url, "")).await);
}

#[tokio::test]
async fn a_call_sends_a_few_requests_and_no_more() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let plugin = load(
        &format!(
            "(local $n i32) (loop $more
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (call $send
                (i32.const 0x200) (i32.const 4)
                (i32.load offset=68 (local.get $told)) (i32.load offset=72 (local.get $told))
                (i32.const 0x40) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x80))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 20)))) {POST}"
        ),
        &["127.0.0.1"],
        &["127.0.0.1"],
    );
    let url = format!("http://127.0.0.1:{port}/");
    let problem = forbidden(plugin.deliver(notification(&url, "")).await);
    assert!(problem.contains("more than 10 requests"), "{problem}");
}

#[tokio::test]
async fn headers_of_the_connection_are_refused() {
    // The header's name is read from where `host` was put.
    let plugin = load(
        &POST
            .replace("(i32.const 0x204)", "(i32.const 0x300)")
            .replacen("(i32.const 6)", "(i32.const 4)", 1)
            .replacen(
                "(call $send",
                "(i32.store (i32.const 0x300) (i32.const 0x74736f68)) (call $send",
                1,
            ),
        &["127.0.0.1"],
        &["127.0.0.1"],
    );
    let problem = forbidden(
        plugin
            .deliver(notification("http://127.0.0.1:9/", ""))
            .await,
    );
    assert_eq!(
        problem,
        "plugin:test: header `host` belongs to the connection"
    );
}

#[tokio::test]
async fn a_sinks_own_word_on_its_failure_is_honoured() {
    let failing = |kind: u32, retry_after: &str| {
        format!(
            "(i32.store8 (i32.const 0x10) (i32.const 1))
            (i32.store8 (i32.const 0x14) (i32.const {kind}))
            (i32.store (i32.const 0x18) (i32.const 0x100))
            (i32.store (i32.const 0x1c) (i32.const 7))
            {retry_after} (i32.const 0x10)"
        )
    };
    let after =
        "(i32.store8 (i32.const 0x20) (i32.const 1)) (i32.store (i32.const 0x24) (i32.const 90))";
    let told = async |body: &str| load(body, &[], &[]).deliver(notification("", "")).await;
    let message = "plugin:test: because".to_owned();
    let (retry, permanent) = (failing(0, after), failing(1, ""));
    let after = Some(Duration::from_secs(90));
    let expected = DeliveryError::Retry {
        message: message.clone(),
        after,
    };
    assert_eq!(told(&retry).await, Err(expected));
    assert_eq!(
        told(&permanent).await,
        Err(DeliveryError::Permanent { message })
    );
}

#[tokio::test]
async fn a_sink_that_breaks_is_tried_again() {
    let told =
        async |body: &str| to_be_retried(load(body, &[], &[]).deliver(notification("", "")).await);
    assert!(told("(unreachable)").await.contains("broke off"));
    assert_eq!(
        told("(loop $again (br $again)) (unreachable)").await,
        "plugin:test 1.0.0 ran for more than 200 ms and was stopped"
    );
}

#[tokio::test]
async fn a_sink_that_keeps_breaking_is_paused_which_is_no_attempt() {
    let plugin = load("(loop $again (br $again)) (unreachable)", &[], &[]);
    let tell = async || plugin.clone().deliver(notification("", "")).await;
    for _ in 0..3 {
        to_be_retried(tell().await);
    }
    match tell().await {
        Err(DeliveryError::SinkUnusable { message }) => {
            assert!(message.contains("is not called for a while"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}
