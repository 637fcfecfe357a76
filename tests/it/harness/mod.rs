//! Runs the real binary on a scratch folder, and always ends it.

pub mod browser;
pub mod fake_slack;
mod http;
mod judge;
pub mod plugins;
pub mod sandbox;
mod shown;
mod team;
pub mod visitor;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::http::{Client, Reply, column};
pub use self::judge::judge;
pub use self::shown::shown;
pub use self::team::{Team, noon_zone};

/// Longer than anything that works takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The daemon's command: a free port of loopback, its data in `home/data`.
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
    command.env_clear();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir(home));
    command
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

pub fn data_dir(home: &Path) -> PathBuf {
    home.join("data")
}

/// A running daemon, the admin's client to it, and its folder.
pub struct Daemon {
    pub api: Client,
    pub home: Arc<TempDir>,
    settings: Vec<(String, String)>,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts with config keys, such as `("AUTH__ANONYMOUS_READ", "false")`.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| (format!("ONCALLD__{key}"), (*value).to_owned());
        let home = Arc::new(tempfile::tempdir().unwrap());
        Self::start_in(home, settings.iter().map(owned).collect())
    }

    pub fn start_in(home: Arc<TempDir>, settings: Vec<(String, String)>) -> Self {
        let mut command = command(home.path());
        command.envs(settings.clone());
        Self::spawn(home, settings, command)
    }

    /// Starts a command that becomes the daemon.
    pub fn spawn(
        home: Arc<TempDir>,
        settings: Vec<(String, String)>,
        mut command: Command,
    ) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let api = Client {
            address: String::new(),
            token: None,
        };
        let mut daemon = Self {
            api,
            home,
            settings,
            child,
            log,
            reader: Some(reader),
        };
        daemon.api.address = daemon.wait_until_ready();
        let token = std::fs::read_to_string(data_dir(daemon.home.path()).join("admin.token"));
        daemon.api.token = Some(token.unwrap().trim().to_owned());
        daemon
    }

    fn wait_until_ready(&mut self) -> String {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let log = self.log();
            let ready = log
                .lines()
                .find(|line| line.contains("ready") && line.contains("url="));
            if let Some(line) = ready {
                let url = line.split("url=").nth(1).unwrap();
                let address = url.trim_start_matches("http://");
                return address.split(' ').next().unwrap().to_owned();
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ended at its start with {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not ready: {}", self.log());
    }

    /// What it wrote to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it with `kill -9`, and starts it again on the same folder.
    #[must_use]
    pub fn restart(mut self) -> Self {
        self.kill();
        let daemon = Self::start_in(Arc::clone(&self.home), self.settings.clone());
        drop(self);
        daemon
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Limits how large its files may be, in bytes, as a quota would; nothing is no limit.
    pub fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let pid = Pid::from_child(&self.child);
        let limits = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(pid), Resource::Fsize, limits).unwrap();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("does not end: {}", self.log());
    }

    /// A team whose on-call days change at midnight, twelve hours away.
    pub fn team(&self, name: &str) -> Team {
        self.team_with(name, json!({}))
    }

    /// The same, with more fields.
    pub fn team_with(&self, name: &str, fields: Value) -> Team {
        Team::create(&self.api, name, fields)
    }

    /// A client with a token of its own, of a role and perhaps of a person.
    pub fn client(&self, role: &str, user: Option<&str>) -> Client {
        let name = format!("{role}-{}", user.unwrap_or("nobody"));
        let token = json!({"name": name, "role": role, "slack_user_id": user});
        let token = self.api.post("/tokens", &token).created();
        self.api.with_token(token["token"].as_str().unwrap())
    }

    /// Runs a subcommand of the command line, as the admin.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
        command.env_clear();
        command.env("ONCALLD_URL", format!("http://{}", self.api.address));
        command.env("ONCALLD_TOKEN", self.api.token.as_deref().unwrap());
        command.current_dir(self.home.path()).args(arguments);
        command.output().unwrap()
    }

    /// Runs a subcommand as somebody on this host who knows nothing but the data folder.
    pub fn cli_on_host(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
        command.env_clear().current_dir(self.home.path());
        command.arg("--data-dir").arg(data_dir(self.home.path()));
        command.args(arguments).output().unwrap()
    }

    /// The audit log's proof holds; how many entries it is of.
    #[track_caller]
    pub fn verify_audit(&self) -> u64 {
        self.api.get("/audit-logs/verify").ok()["entries"]
            .as_u64()
            .unwrap()
    }

    /// `entity_type action` of the entries of a query, oldest first.
    pub fn audited(&self, query: &str) -> Vec<String> {
        let list = self
            .api
            .get(&format!("/audit-logs?page_size=200&{query}"))
            .ok();
        let text = |entry: &Value| {
            let part = |field: &str| entry[field].as_str().unwrap().to_owned();
            format!("{} {}", part("entity_type"), part("action"))
        };
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(text)
            .collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log:\n{}", self.log());
        }
    }
}

/// Runs a subcommand in a folder, whether or not a daemon uses it.
pub fn cli_in(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
    command.env_clear().current_dir(home);
    command.args(arguments).output().unwrap()
}

/// Runs a daemon that is expected not to start: its exit code and its stderr.
pub fn fails_to_start(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.spawn().unwrap();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it started");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
