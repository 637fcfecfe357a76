//! The composition root: the only place that knows every part. Starts them, and stops them
//! in order.

mod backups;
mod delivery;
mod exposure;
mod seals;
mod slack;
mod ways_in;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub use self::exposure::exposed;
use self::slack::FromSlack;
use self::ways_in::{announce, open_socket, open_tls, url_of};
use crate::actions::admin::{backup, bootstrap};
use crate::actions::members::slack_group;
use crate::actions::messages::lookout;
use crate::actions::rotation::zone_rules;
use crate::api::{self, Lookups};
use crate::app::plugins::Plugins;
use crate::app::{App, Settings};
use crate::clock::{Clock, SteadyClock, SystemClock};
use crate::config::{CliOverrides, Config, LogFormat, OnPluginError};
use crate::delivery::{Counters, Dispatcher};
use crate::demo;
use crate::domain::zone;
use crate::http::connections::{self, Doors, Places};
use crate::http::{Access, Api};
use crate::plugin::{self, HostPolicy, Limits, PluginSettings, Registry};
use crate::rotation::plan::OnFailure;
use crate::scheduler::Scheduler;
use crate::service_manager::ServiceManager;
use crate::store::{FolderLock, Store};
use crate::web;

/// Name of the store in the data folder.
pub const STORE_FILE: &str = "oncalld.redb";
/// Name of the folder for compiled plugins in the data folder.
const PLUGIN_CACHE: &str = "plugin-cache";
/// Name of the folder for checkpoints of the audit log in the data folder.
const CHECKPOINTS: &str = "audit-checkpoints";
/// How long a start waits for plugins: long enough to load those that were compiled before.
const PLUGIN_PATIENCE: Duration = Duration::from_secs(2);
/// Name of the socket in the data folder.
pub const SOCKET_FILE: &str = "oncalld.sock";
/// Name of the first admin token's file in the data folder.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// What `oncalld serve` is told.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The config file; without one `config.toml` if it's there, else the defaults.
    pub config: Option<PathBuf>,
    /// Goes before the config's.
    pub data_dir: Option<PathBuf>,
    /// Goes before the config's.
    pub listen: Option<SocketAddr>,
    /// Fill an empty store with the sample company.
    pub demo: bool,
    /// Begin with an empty store also where an admin token is left of one that is gone.
    pub new: bool,
}

/// Loads the config that `options` and the environment make.
///
/// # Errors
/// The config is wrong; the message says where and what was expected.
pub fn load_config(options: &ServeOptions) -> anyhow::Result<Config> {
    let fallback = Path::new("config.toml");
    let file = options
        .config
        .as_deref()
        .or_else(|| fallback.exists().then_some(fallback));
    let text = |text: std::ffi::OsString| text.into_string().ok();
    let env = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?)));
    let overrides = CliOverrides {
        listen: options.listen,
        data_dir: options.data_dir.clone(),
    };
    Ok(Config::load(file, env, overrides)?)
}

/// Runs the daemon until it's told to stop.
///
/// # Errors
/// It can't start; or nothing listens any more.
pub async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let config = load_config(&options)?;
    start_log(&config)?;
    outlive_file_limits()?;
    let manager = ServiceManager::from_env();
    // The port first: a second daemon shall not touch the store.
    let tls = open_tls(&config)?;
    let address = config.server.listen;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("can't listen on {address}"))?;
    let address = listener.local_addr()?;
    let plugins = Arc::new(Registry::new(
        plugin_settings(&config),
        Arc::new(SystemClock),
    )?);
    let (app, mut lock) = open(&config, &options, plugins.clone())?;
    announce(&config, address, &mut lock)?;
    let doors = Doors {
        network: listener,
        tls,
        socket: open_socket(&config),
    };
    let (stopping, stopped) = watch::channel(None);
    let loaded = plugin::rescan(plugins.clone(), app.clone(), stopped.clone());
    // Compiling one takes far longer, and none shall keep the daemon from answering.
    if tokio::time::timeout(PLUGIN_PATIENCE, loaded).await.is_err() {
        tracing::warn!("plugins are still being compiled; whatever needs one waits for it");
    }
    let slack = slack::client(&config)?;
    let groups = slack
        .as_ref()
        .map(|slack| slack::groups(&config, &app, slack));
    let counters = Counters::default();
    let api = Api::new(
        app.clone(),
        Access::from(&config),
        &counters,
        groups.clone(),
        stopped.clone(),
    );
    let scheduler = Scheduler::start(api.clone(), manager.pulse(), stopped.clone()).await?;
    // One that is under way when the daemon stops is left half: it has no name yet.
    backups::start(&api, &config.backup, stopped.clone());
    let checkpoints = config.audit.checkpoint_dir.clone();
    let checkpoints = checkpoints.unwrap_or_else(|| config.server.data_dir.join(CHECKPOINTS));
    let seals = seals::start(&api, checkpoints, stopped.clone());
    let sinks = delivery::sinks(&config, &app, slack.as_ref(), &plugins)?;
    let policy = delivery::policy(&config);
    let dispatcher = Dispatcher::start(app.clone(), sinks, policy, counters, stopped.clone());
    let from_slack = slack.map(|slack| FromSlack::new(&config, &app, slack));
    let requests = from_slack.as_ref().and_then(FromSlack::requests);
    let socket_mode = from_slack.and_then(|from_slack| from_slack.socket_mode(&stopped));
    let group_tasks = groups.map(|groups| groups.start(&stopped));
    tokio::spawn(stop_on_signal(manager.clone(), stopping.clone()));
    let rules = zone::rules();
    tracing::info!(
        url = %url_of(&config, address),
        version = env!("CARGO_PKG_VERSION"),
        zone_rules = rules.version(),
        zone_rules_from = rules.source(),
        "ready"
    );
    // Whoever connects from now on waits for no more than the first turn of the loop below.
    manager.ready();
    let patience = Duration::from_secs(config.server.shutdown_seconds);
    // Requests and handoffs under way share the time that stopping may take.
    let service = service(api, requests.clone());
    let places = Places {
        total: config.server.max_connections,
        per_address: config.server.max_connections_per_address,
    };
    let places = places.within_file_limit();
    answer_until_stopped(doors, places, service, stopped.clone(), patience * 3 / 4).await;
    stopping.send_if_modified(|reason| {
        let is_new = reason.is_none();
        reason.get_or_insert_with(|| "the listener ended".to_owned());
        is_new
    });
    let ended = async {
        tokio::join!(scheduler.stopped(), dispatcher.stopped());
        if let Some(requests) = requests {
            requests.handled().await;
        }
        if let Some(socket_mode) = socket_mode {
            socket_mode.stopped().await;
        }
        if let Some(tasks) = group_tasks {
            tasks.stopped().await;
        }
        let _ = seals.await;
    };
    if tokio::time::timeout(patience / 4, ended).await.is_err() {
        tracing::warn!("handoffs, deliveries or Slack connections did not end in time");
    }
    match stopped.borrow().as_deref() {
        Some(reason) if reason.starts_with("SIG") => {
            tracing::info!(reason, "stopped");
            Ok(())
        }
        reason => bail!("{}", reason.unwrap_or("stopped")),
    }
}

/// Everything that is served on the port.
pub fn service(api: Api, slack: Option<api::slack::Requests>) -> Lookups {
    let router = api::router(api.clone(), slack, web::router());
    Lookups::new(api.clone(), web::with_friendly_errors(router, api))
}

/// Opens the store and brings it up to the present: sample company, zone rules, admin token.
fn open(
    config: &Config,
    options: &ServeOptions,
    plugins: Arc<Registry>,
) -> anyhow::Result<(App, FolderLock)> {
    let dir = &config.server.data_dir;
    let mut folder = std::fs::DirBuilder::new();
    folder
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("can't make the data folder {}", dir.display()))?;
    let lock = FolderLock::take(dir)?;
    let (file, token) = (dir.join(STORE_FILE), dir.join(ADMIN_TOKEN_FILE));
    if !options.new {
        refuse_lost_store(&file, &token)?;
    }
    let mut store = Store::open(&file)?;
    // A stop may have cut one off.
    let _ = std::fs::remove_file(file.with_extension(backup::ASIDE));
    let settings = settings(config, plugins);
    if options.demo {
        store = demo::fill(store, &settings, SystemClock.now())?;
    }
    let app = crate::actions::start(store, Arc::new(SteadyClock::start()), settings);
    lookout::begin(&app)?;
    let moved = zone_rules::apply(&app)?;
    if moved > 0 {
        tracing::warn!(
            teams = moved,
            "new zone rules move handoffs; see the audit log"
        );
    }
    slack_group::settle_source(&app)?;
    if bootstrap::ensure_admin_token(&app, &token)? {
        tracing::info!(file = %token.display(), "made an admin token");
    }
    Ok((app, lock))
}

/// A folder with an admin token had a store: to serve an empty one in its place, and to overwrite
/// the token, would hide a disk that isn't mounted or a file that was lost.
fn refuse_lost_store(file: &Path, token: &Path) -> anyhow::Result<()> {
    let is_gone = match std::fs::metadata(file) {
        Ok(meta) => meta.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_gone && token.exists() {
        bail!(
            "{} is missing or empty, yet {} is there: put the store back from a backup, or start \
             over on purpose with `oncalld serve --new`, which replaces the token",
            file.display(),
            token.display()
        );
    }
    Ok(())
}

fn settings(config: &Config, plugins: Arc<dyn Plugins>) -> Settings {
    Settings {
        plugins,
        lookahead_weeks: config.rotation.lookahead_weeks,
        on_failure: match config.rotation.on_plugin_error {
            OnPluginError::RoundRobin => OnFailure::RoundRobin,
            OnPluginError::Hold => OnFailure::Hold,
        },
        require_approval: config.overrides.require_approval,
        members_from_slack: config.slack.bot_token.is_some(),
        admins: config.slack.admins.clone(),
        sinks: delivery::routes(config),
        reminder_hours: config.notifications.reminder_hours,
        token_days: config.auth.token_days,
    }
}

fn plugin_settings(config: &Config) -> PluginSettings {
    let plugins = &config.plugins;
    let cache_dir = plugins.cache_dir.clone();
    PluginSettings {
        dir: plugins.dir.clone(),
        cache_dir: Some(cache_dir.unwrap_or_else(|| config.server.data_dir.join(PLUGIN_CACHE))),
        policy: HostPolicy::from(plugins),
        limits: Limits::from(plugins),
    }
}

/// Answers requests until the daemon is stopped, and then those under way, with patience.
async fn answer_until_stopped(
    doors: Doors,
    places: Places,
    service: Lookups,
    mut stopped: watch::Receiver<Option<String>>,
    patience: Duration,
) {
    let of_peer = |peer| service.of_peer(peer);
    let server = connections::serve(doors, places, of_peer, stopped.clone());
    let overdue = async {
        let _ = stopped.wait_for(Option::is_some).await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        () = server => {}
        () = overdue => tracing::warn!("some requests did not end in time"),
    }
}

/// A file that may not grow further is a full disk, and the end of nothing.
fn outlive_file_limits() -> std::io::Result<()> {
    // A handler, once there, stays, and keeps the signal from ending the process.
    let number = rustix::process::Signal::XFSZ.as_raw();
    signal(SignalKind::from_raw(number)).map(drop)
}

async fn stop_on_signal(manager: ServiceManager, stopping: watch::Sender<Option<String>>) {
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals can't be received; stop oncalld with SIGKILL");
        return;
    };
    let reason = tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    };
    manager.stopping();
    stopping.send_replace(Some(reason.to_owned()));
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    use tracing_subscriber::EnvFilter;
    // Cron tells of its own start at `info`; the config may still ask for it by name.
    let level = config.log.level.as_str();
    let filter = EnvFilter::try_new(format!("tokio_cron_scheduler=warn,{level}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would panic where nobody reads stderr any more.
        .log_internal_errors(false);
    let started = match config.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log can't be started: {error}"))
}
