//! What systemd is told: the daemon is started as systemd would start it, and the test reads the socket.

use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::harness::{Daemon, command, data_dir, fails_to_start};

const PATIENCE: Duration = Duration::from_secs(30);

/// What comes next, within the time.
fn next(manager: &UnixDatagram, within: Duration) -> Option<String> {
    manager.set_read_timeout(Some(within)).unwrap();
    let mut text = [0; 256];
    match manager.recv(&mut text) {
        Ok(length) => Some(String::from_utf8(text[..length].to_vec()).unwrap()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

/// Reads until something else than a sign of life comes.
fn next_but_life(manager: &UnixDatagram) -> Option<String> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let told = next(manager, PATIENCE)?;
        if told != "WATCHDOG=1" {
            return Some(told);
        }
    }
    None
}

#[test]
fn systemd_learns_that_the_daemon_serves_lives_and_stops() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let path = home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut start = command(home.path());
    start.env("NOTIFY_SOCKET", &path);
    // The pulse is at half of that: every second beat of the scheduler.
    start.env("WATCHDOG_USEC", "4000000");
    let mut daemon = Daemon::spawn(home, Vec::new(), start);

    assert_eq!(next_but_life(&manager).as_deref(), Some("READY=1"));
    daemon.api.get("/readyz").ok();

    // Ten seconds without a sign are five times what was asked for; the machine may be busy.
    let since = Instant::now();
    for _ in 0..3 {
        let sign = next(&manager, Duration::from_secs(10));
        assert_eq!(sign.as_deref(), Some("WATCHDOG=1"), "{}", daemon.log());
    }
    assert!(
        since.elapsed() > Duration::from_secs(2),
        "more than asked for"
    );

    daemon.signal("TERM");
    assert_eq!(next_but_life(&manager).as_deref(), Some("STOPPING=1"));
    assert!(daemon.wait().success());
}

/// Container runtimes use such sockets. Of a process that it doesn't watch, systemd wants no signs of
/// life.
#[test]
fn an_abstract_socket_is_told_too_and_another_processs_watchdog_is_left_alone() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let name = format!("oncalld-{}", home.path().display());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    let mut start = command(home.path());
    start.env("NOTIFY_SOCKET", format!("@{name}"));
    start
        .env("WATCHDOG_USEC", "1000000")
        .env("WATCHDOG_PID", "1");
    let daemon = Daemon::spawn(home, Vec::new(), start);
    assert_eq!(next(&manager, PATIENCE).as_deref(), Some("READY=1"));
    assert_eq!(next(&manager, Duration::from_secs(3)), None);
    drop(daemon);
}

#[test]
fn a_start_that_fails_is_never_ready() {
    let daemon = Daemon::start();
    let path = daemon.home.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    // It has a port of its own, but the data folder is taken.
    let mut start = command(daemon.home.path());
    start.env("NOTIFY_SOCKET", &path);
    let (code, stderr) = fails_to_start(start);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(data_dir(daemon.home.path()).join("oncalld.redb").exists());
    assert_eq!(next(&manager, Duration::from_millis(100)), None);
}

#[test]
fn a_daemon_whose_service_manager_is_gone_serves_all_the_same() {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let mut start = command(home.path());
    start.env("NOTIFY_SOCKET", home.path().join("nobody"));
    let daemon = Daemon::spawn(home, Vec::new(), start);
    assert!(daemon.log().contains("NOTIFY_SOCKET"), "{}", daemon.log());
    daemon.api.get("/teams").ok();
}
