//! Counters, in the text format of Prometheus.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::actions::admin::health::Measured;
use crate::delivery::Counters;
use crate::wire::plugin::PluginView;

/// Upper bounds of the request times that are counted, in seconds.
const BUCKETS: [f64; 8] = [0.000_1, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: String,
    route: String,
    status: u16,
}

/// Times are kept by route without the status, which would multiply the buckets.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

/// The counters of the daemon.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    /// Handoffs that were done.
    pub handoffs: Counter,
    /// Handoffs that failed.
    pub failed_handoffs: Counter,
    /// When the scheduler last worked, in seconds since 1970.
    pub last_tick: Gauge,
    /// Jumps of the system's clock.
    pub clock_jumps: Counter,
    /// When the last backup was made, in seconds since 1970.
    pub last_backup: Gauge,
    /// Backups that were due and could not be made.
    pub failed_backups: Counter,
    disk_takes_writes: Gauge,
    pending: Gauge,
    oldest_pending: Gauge<f64, AtomicU64>,
    started_at: Gauge,
    store_bytes: Gauge<u64, AtomicU64>,
    audit_entries: Gauge<u64, AtomicU64>,
    lookups: Counter,
    plugins: PluginMetrics,
}

impl Metrics {
    /// All at zero; those of the dispatcher are read off it.
    pub fn new(notifications: &Counters) -> Self {
        let mut registry = Registry::with_prefix("oncalld");
        notifications.register(&mut registry);
        let metrics = Self {
            registry,
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            handoffs: Counter::default(),
            failed_handoffs: Counter::default(),
            last_tick: Gauge::default(),
            clock_jumps: Counter::default(),
            last_backup: Gauge::default(),
            failed_backups: Counter::default(),
            disk_takes_writes: Gauge::default(),
            pending: Gauge::default(),
            oldest_pending: Gauge::default(),
            started_at: Gauge::default(),
            store_bytes: Gauge::default(),
            audit_entries: Gauge::default(),
            lookups: Counter::default(),
            plugins: PluginMetrics::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register_collector(Box::new(self.plugins.clone()));
        registry.register("http_requests", "HTTP requests", self.requests.clone());
        let help = "Lookups answered from memory; not counted in http_requests";
        registry.register("http_lookups", help, self.lookups.clone());
        registry.register(
            "http_request_seconds",
            "Time to answer, by route, but for lookups from memory",
            self.seconds.clone(),
        );
        registry.register("handoffs", "Handoffs done", self.handoffs.clone());
        registry.register(
            "handoffs_failed",
            "Handoffs failed",
            self.failed_handoffs.clone(),
        );
        let help = "When the scheduler last worked";
        registry.register("last_tick_timestamp_seconds", help, self.last_tick.clone());
        registry.register(
            "clock_jumps",
            "Jumps of the system's clock by more than two minutes",
            self.clock_jumps.clone(),
        );
        registry.register(
            "last_backup_timestamp_seconds",
            "When the last backup by the clock was made; 0 before the first",
            self.last_backup.clone(),
        );
        registry.register(
            "backups_failed",
            "Backups that were due and could not be made",
            self.failed_backups.clone(),
        );
        registry.register(
            "disk_takes_writes",
            "1, or 0 while the disk of the data folder is full or fails",
            self.disk_takes_writes.clone(),
        );
        registry.register(
            "notifications_pending",
            "Waiting notifications",
            self.pending.clone(),
        );
        registry.register(
            "notifications_oldest_pending_seconds",
            "How long the oldest waiting notification has waited",
            self.oldest_pending.clone(),
        );
        self.register_process();
        self
    }

    /// What runs, since when, and how large its file is.
    fn register_process(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs", build);
        let help = "When the daemon started";
        registry.register("start_time_seconds", help, self.started_at.clone());
        let help = "Size of the data file; 0 where it can't be told";
        registry.register("store_bytes", help, self.store_bytes.clone());
        registry.register(
            "audit_entries",
            "Entries of the audit log",
            self.audit_entries.clone(),
        );
    }

    /// Counts a lookup that was answered from memory.
    pub fn count_lookup(&self) {
        self.lookups.inc();
    }

    /// Counts a request that was answered.
    pub fn count_request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let by_route = Route {
            method: method_label(method).to_owned(),
            route: route.to_owned(),
        };
        let seconds = self.seconds.get_or_create(&by_route);
        seconds.observe(took.as_secs_f64());
        drop(seconds);
        let labels = Labels {
            method: method_label(method).to_owned(),
            route: route.to_owned(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// All of them as text (`OpenMetrics`), with what was just measured.
    pub fn encode(&self, measured: Measured) -> Result<String, std::fmt::Error> {
        self.disk_takes_writes
            .set(measured.disk_takes_writes.into());
        let pending = i64::try_from(measured.pending_notifications);
        self.pending.set(pending.unwrap_or(i64::MAX));
        #[expect(clippy::cast_precision_loss, reason = "nothing waits so many years")]
        let seconds = measured.oldest_pending_ms as f64 / 1000.0;
        self.oldest_pending.set(seconds);
        self.started_at.set(measured.started_at.timestamp());
        self.store_bytes.set(measured.store_bytes);
        self.audit_entries.set(measured.audit_entries);
        let known = &self.plugins.0;
        *known.lock().unwrap_or_else(PoisonError::into_inner) = measured.plugins;
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Whether some route may take a method; others are the client's to make up.
pub fn is_known(method: &Method) -> bool {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PATCH,
        Method::DELETE,
        Method::PUT,
        Method::OPTIONS,
    ];
    known.contains(method)
}

/// Whatever no route takes is one label.
fn method_label(method: &Method) -> &str {
    if is_known(method) {
        method.as_str()
    } else {
        "other"
    }
}

/// The plugins as they were found at the last look; each keeps its own counters.
#[derive(Clone, Debug, Default)]
struct PluginMetrics(Arc<Mutex<Vec<(PluginView, u64)>>>);

impl Collector for PluginMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        type Value = fn(&PluginView, u64) -> Option<f64>;
        #[expect(
            clippy::cast_precision_loss,
            reason = "metrics are floating point anyway"
        )]
        let families: [(&str, &str, MetricType, Value); 6] = [
            (
                "plugin_loaded",
                "Whether a plugin is in service",
                MetricType::Gauge,
                |plugin, _| Some(f64::from(u8::from(plugin.loaded.is_some()))),
            ),
            (
                "plugin_problem",
                "Whether its files can't be loaded, or are gone",
                MetricType::Gauge,
                |plugin, _| Some(f64::from(u8::from(plugin.problem.is_some()))),
            ),
            (
                "plugin_teams",
                "Active teams whose rotation it decides",
                MetricType::Gauge,
                |_, teams| Some(teams as f64),
            ),
            (
                "plugin_calls",
                "Calls since it was loaded",
                MetricType::Counter,
                |plugin, _| plugin.loaded.as_ref().map(|loaded| loaded.calls as f64),
            ),
            (
                "plugin_failures",
                "Calls that failed",
                MetricType::Counter,
                |plugin, _| plugin.loaded.as_ref().map(|loaded| loaded.failures as f64),
            ),
            (
                "plugin_seconds",
                "Time that its calls took",
                MetricType::Counter,
                |plugin, _| {
                    plugin
                        .loaded
                        .as_ref()
                        .map(|loaded| loaded.microseconds as f64 / 1e6)
                },
            ),
        ];
        let plugins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, help, kind, value) in families {
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (plugin, teams) in plugins.iter() {
                let Some(value) = value(plugin, *teams) else {
                    continue;
                };
                let labels = [("plugin", plugin.name.as_str())];
                let encoder = family.encode_family(&labels)?;
                match kind {
                    MetricType::Counter => ConstCounter::new(value).encode(encoder)?,
                    _ => ConstGauge::new(value).encode(encoder)?,
                }
            }
        }
        Ok(())
    }
}
