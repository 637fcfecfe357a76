//! TLS, reverse proxies and limits: the network as others see it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Client, Daemon};

/// A certificate of its own for localhost, and its key, by openssl.
fn certify(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (cert, key) = (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-days", "2", "-subj", &format!("/CN={name}")])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

/// Puts a certificate and its key in the places that the daemon reads.
fn install(folder: &Path, (cert, key): &(PathBuf, PathBuf)) {
    for (from, to) in [(key, "live.key"), (cert, "live.crt")] {
        let new = folder.join(format!("{to}.new"));
        std::fs::copy(from, &new).unwrap();
        std::fs::rename(new, folder.join(to)).unwrap();
    }
}

fn curl(cert: &Path, url: &str) -> Output {
    Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--include",
            "--cacert",
        ])
        .arg(cert)
        .arg(url)
        .output()
        .expect("curl is installed")
}

fn subject(address: &str) -> String {
    let shown = Command::new("openssl")
        .args(["s_client", "-connect", address, "-alpn", "h2,http/1.1"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

#[test]
fn https_is_spoken_with_a_certificate_that_is_renewed_without_a_restart() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let folder = home.path();
    let [first, second] = ["first", "second"].map(|name| certify(folder, name));
    install(folder, &first);
    let file = |name: &str| folder.join(name).display().to_string();
    let settings = vec![
        (
            "ONCALLD__SERVER__TLS_CERT_FILE".to_owned(),
            file("live.crt"),
        ),
        ("ONCALLD__SERVER__TLS_KEY_FILE".to_owned(), file("live.key")),
    ];
    let daemon = Daemon::start_in(Arc::clone(&home), settings);
    let address = daemon.api.address.trim_start_matches("https://").to_owned();
    let url = format!("https://{address}/healthz");
    let answered = curl(&first.0, &url);
    let text = String::from_utf8_lossy(&answered.stdout).into_owned();
    assert!(text.starts_with("HTTP/1.1 200"), "{answered:?}");
    let shown = subject(&address);
    assert!(
        shown.contains("CN = first") || shown.contains("CN=first"),
        "{shown}"
    );
    assert!(shown.contains("ALPN protocol: http/1.1"), "{shown}");
    assert!(shown.contains("TLSv1.3"), "{shown}");
    // Nobody is answered in the clear, and the socket needs no TLS.
    let plain = curl(&first.0, &format!("http://{address}/healthz"));
    assert!(!plain.status.success(), "{plain:?}");
    let who = Command::new(env!("CARGO_BIN_EXE_oncalld"))
        .env_clear()
        .current_dir(folder)
        .args(["--data-dir", "data", "team", "list"])
        .output()
        .unwrap();
    assert!(who.status.success(), "{who:?}");

    // A renewal that went wrong leaves the one before; the next one is taken.
    std::fs::write(folder.join("live.crt"), "not a certificate").unwrap();
    wait_for(&daemon, "the one before stays in service");
    assert!(curl(&first.0, &url).status.success());
    install(folder, &second);
    wait_for(&daemon, "a new certificate is in service");
    assert!(!curl(&first.0, &url).status.success());
    assert!(curl(&second.0, &url).status.success());
}

fn wait_for(daemon: &Daemon, text: &str) {
    for _ in 0..1000 {
        if daemon.log().contains(text) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no `{text}`: {}", daemon.log());
}

#[test]
fn a_key_of_another_certificate_stops_the_start_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let [(cert, key), (_, other)] = ["first", "second"].map(|name| certify(home.path(), name));
    let start = |cert: &Path, key: &Path| {
        let mut command = crate::harness::command(home.path());
        command.env("ONCALLD__SERVER__TLS_CERT_FILE", cert);
        command.env("ONCALLD__SERVER__TLS_KEY_FILE", key);
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    let said = start(&cert, &other);
    assert!(
        said.contains("don't go together") && said.contains("second.key"),
        "{said}"
    );
    let said = start(&key, &key);
    assert!(said.contains("expected a certificate as PEM"), "{said}");
    let said = start(&cert, &cert);
    assert!(said.contains("expected a private key as PEM"), "{said}");
    let said = start(&home.path().join("none"), &key);
    assert!(
        said.contains("none") && said.contains("No such file"),
        "{said}"
    );
}

#[test]
fn a_stop_waits_for_nobody_who_agrees_on_no_keys() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let (cert, key) = certify(home.path(), "only");
    let settings = [("CERT", cert), ("KEY", key)].map(|(name, file)| {
        let name = format!("ONCALLD__SERVER__TLS_{name}_FILE");
        (name, file.display().to_string())
    });
    let mut daemon = Daemon::start_in(home, settings.to_vec());
    let address = daemon.api.address.trim_start_matches("https://").to_owned();
    let silent: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    // They have been let in once somebody after them is served.
    assert!(subject(&address).contains("CN"));
    let since = Instant::now();
    daemon.signal("TERM");
    assert!(daemon.wait().success(), "{}", daemon.log());
    let took = since.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    drop(silent);
}

/// The peer that the audit log names for a request with these headers.
fn peer_of(api: &Client, name: &str, headers: &[(&str, &str)]) -> Value {
    let team = json!({"name": name});
    api.send("POST", "/teams", headers, team.to_string().as_bytes())
        .created();
    let entries = api.get("/audit-logs?entity_type=team").ok();
    entries["items"][0]["metadata"]["peer"].clone()
}

#[test]
fn the_client_behind_a_trusted_proxy_is_who_is_named() {
    let daemon = Daemon::with(&[("SERVER__TRUSTED_PROXIES", "127.0.0.0/8")]);
    let through =
        |name: &str, value: &str| peer_of(&daemon.api, name, &[("x-forwarded-for", value)]);
    assert_eq!(through("A", "192.0.2.7"), "192.0.2.7");
    assert_eq!(through("B", "203.0.113.9, 192.0.2.8"), "192.0.2.8");
    let other = [("forwarded", "for=192.0.2.7")];
    assert_eq!(peer_of(&daemon.api, "C", &other), "127.0.0.1");
    let alone = Daemon::start();
    let spoofed = [
        ("x-forwarded-for", "192.0.2.7"),
        ("forwarded", "for=192.0.2.7"),
    ];
    assert_eq!(peer_of(&alone.api, "A", &spoofed), "127.0.0.1");
}

#[test]
fn requests_are_limited_by_token_and_address_where_that_is_asked_for() {
    let daemon = Daemon::with(&[("AUTH__REQUESTS_PER_MINUTE", "5")]);
    let anybody = daemon.api.anonymous();
    let first = anybody.get("/teams");
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"minute\";q=5;w=60")
    );
    assert_eq!(first.header("ratelimit"), Some("\"minute\";r=4"));
    let rest: Vec<_> = (0..6).map(|_| anybody.get("/teams").status).collect();
    assert_eq!(rest[..4], [200; 4]);
    let refused = anybody.get("/teams");
    assert_eq!(
        refused
            .header("retry-after")
            .map(|seconds| seconds.parse::<u64>().is_ok()),
        Some(true)
    );
    let refused = refused.problem(429);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("auth.requests_per_minute")
    );
    // The admin's token has its own, and the socket none.
    daemon.api.get("/teams").ok();
    for _ in 0..10 {
        let listed = Command::new(env!("CARGO_BIN_EXE_oncalld"))
            .env_clear()
            .current_dir(daemon.home.path())
            .args(["--data-dir", "data", "team", "list"])
            .output()
            .unwrap();
        assert!(listed.status.success(), "{listed:?}");
    }
}
