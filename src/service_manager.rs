//! What a service manager such as systemd is told: that the daemon serves, that it is alive, and that
//! it stops (`man 3 sd_notify`). Without one, nothing is told to anybody.
//!
//! The protocol is a line of text in a datagram. The crates for it don't know the abstract sockets that
//! container runtimes use.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A manager that doesn't read keeps the daemon from its work no longer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The service manager that started this process, if one did that wants to be told.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    line: Option<Arc<UnixDatagram>>,
    /// How long it waits for a sign of life before it starts the daemon anew.
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that the environment names. One that can't be reached is none: the daemon is of use
    /// without it.
    pub fn from_env() -> Self {
        let Some(address) = std::env::var_os("NOTIFY_SOCKET") else {
            return Self::default();
        };
        let line = connect(&address).inspect_err(|error| {
            let address = address.display();
            tracing::warn!(%address, %error, "the service manager (NOTIFY_SOCKET) can't be told anything");
        });
        let number = |name| std::env::var(name).ok();
        Self {
            line: line.ok().map(Arc::new),
            watchdog: watchdog(
                number("WATCHDOG_USEC").as_deref(),
                number("WATCHDOG_PID").as_deref(),
                std::process::id(),
            ),
        }
    }

    /// The daemon serves.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The daemon begins to stop.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// The pulse by which it is told that the daemon is alive.
    pub fn pulse(&self) -> Pulse {
        Pulse {
            manager: self.clone(),
            last: None,
        }
    }

    fn tell(&self, state: &str) {
        let Some(line) = &self.line else {
            return;
        };
        if let Err(error) = line.send(state.as_bytes()) {
            tracing::warn!(state, %error, "the service manager can't be told");
        }
    }
}

/// Signs of life for the service manager, no more than it asks for.
#[derive(Debug)]
pub struct Pulse {
    manager: ServiceManager,
    last: Option<Instant>,
}

impl Pulse {
    /// Whoever calls this has just done what the daemon is there for.
    pub fn beat(&mut self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&mut self, now: Instant) {
        let Some(watchdog) = self.manager.watchdog else {
            return;
        };
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= watchdog / 2);
        if is_due {
            self.last = Some(now);
            self.manager.tell("WATCHDOG=1");
        }
    }

    /// How long whoever beats may rest until the next beat.
    pub fn rest(&self) -> Duration {
        self.manager.watchdog.map_or(Duration::MAX, |it| it / 2)
    }
}

/// What the manager waits for at most, if it watches the process with this id.
fn watchdog(micros: Option<&str>, watched: Option<&str>, own: u32) -> Option<Duration> {
    if watched.is_some_and(|watched| watched.parse() != Ok(own)) {
        return None;
    }
    let micros = micros?.parse().ok().filter(|micros| *micros > 0)?;
    Some(Duration::from_micros(micros))
}

fn connect(address: &OsStr) -> io::Result<UnixDatagram> {
    let address = socket(address)?;
    let line = UnixDatagram::unbound()?;
    line.connect_addr(&address)?;
    line.set_write_timeout(Some(PATIENCE))?;
    Ok(line)
}

/// The socket of a path, or of a name after an `@`, which no file stands for.
fn socket(address: &OsStr) -> io::Result<SocketAddr> {
    match address.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt as _;
            SocketAddr::from_abstract_name(name)
        }
        [b'/', ..] => SocketAddr::from_pathname(address),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected an absolute path, or `@` and a name",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_is_watched_shows_signs_of_life() {
        let second = Some(Duration::from_secs(1));
        assert_eq!(watchdog(Some("1000000"), None, 7), second);
        assert_eq!(watchdog(Some("1000000"), Some("7"), 7), second);
        for (micros, watched) in [
            (Some("1000000"), Some("8")),
            (Some("1000000"), Some("")),
            (Some("0"), None),
            (Some("soon"), None),
            (None, Some("7")),
        ] {
            assert_eq!(watchdog(micros, watched, 7), None, "{micros:?} {watched:?}");
        }
    }

    #[test]
    fn signs_of_life_are_shown_at_half_the_time() {
        let (manager, daemon) = UnixDatagram::pair().unwrap();
        manager.set_nonblocking(true).unwrap();
        let watched = ServiceManager {
            line: Some(Arc::new(daemon)),
            watchdog: Some(Duration::from_secs(20)),
        };
        let (mut pulse, start) = (watched.pulse(), Instant::now());
        let shown = (0..=30).filter(|second| {
            pulse.beat_at(start + Duration::from_secs(*second));
            let mut text = [0; 64];
            let told = manager
                .recv(&mut text)
                .map(|length| text[..length].to_vec());
            assert!(told.as_ref().is_err() || told.as_ref().unwrap() == b"WATCHDOG=1");
            told.is_ok()
        });
        assert_eq!(shown.collect::<Vec<_>>(), [0, 10, 20, 30]);
        assert_eq!(pulse.rest(), Duration::from_secs(10));
    }

    #[test]
    fn paths_and_abstract_names_are_told_apart() {
        let path = socket(OsStr::new("/run/notify")).unwrap();
        assert_eq!(path.as_pathname(), Some("/run/notify".as_ref()));
        for wrong in ["", "run/notify", "vsock:2:1234"] {
            assert!(socket(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
