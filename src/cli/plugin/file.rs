//! A plugin's file by itself: checked, inspected, called once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::args::Global;
use crate::cli::connection::load_config;
use crate::cli::error::CliError;
use crate::cli::output::{note, pretty, print};
use crate::cli::table::{facts, indented, joined, or_none};
use crate::clock::SystemClock;
use crate::notify::sink::DeliveryError;
use crate::plugin::trial::{self, DeliveryTrial, PickTrial, TrialRequest};
use crate::plugin::{Files, HostPolicy, Limits, Plugin, PluginSettings, Registry};
use crate::wire::plugin::PluginKind;

/// Which plugin.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct FileArgs {
    /// The WebAssembly file; its manifest lies beside it, with the ending .toml
    file: PathBuf,
}

/// What to call it with.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// The WebAssembly file; its manifest lies beside it, with the ending .toml
    file: PathBuf,
    /// A JSON file with what it is asked or told; for a sink also with the answers to its
    /// requests
    #[arg(long, value_name = "FILE", required_unless_present = "sample")]
    context: Option<PathBuf>,
    /// Print a context to begin with, and call nothing
    #[arg(long, conflicts_with = "context")]
    sample: bool,
}

/// The plugin that a file and its manifest make, within the limits of the config.
///
/// # Errors
/// What is wrong with them, or with the config.
pub(super) fn load(file: &Path, global: &Global) -> Result<Arc<Plugin>, CliError> {
    let name = name_of(file)?;
    let config = load_config(global)?;
    let settings = PluginSettings {
        dir: folder(file),
        cache_dir: None,
        policy: HostPolicy::from(&config.plugins),
        limits: Limits::from(&config.plugins),
    };
    let wrong = |error| CliError::failed(format!("{}: {error}", file.display()));
    let registry = Registry::new(settings, Arc::new(SystemClock)).map_err(wrong)?;
    let (plugin, _) = registry.load(name).map_err(wrong)?;
    Ok(Arc::new(plugin))
}

fn name_of(file: &Path) -> Result<&str, CliError> {
    let is_wasm = file.extension().is_some_and(|ending| ending == "wasm");
    let name = file.file_stem().and_then(|name| name.to_str());
    name.filter(|_| is_wasm).ok_or_else(|| {
        let message = format!("{}: expected a file <name>.wasm", file.display());
        CliError::usage(message)
    })
}

fn folder(file: &Path) -> PathBuf {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// Loads a plugin with all checks.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(args: &FileArgs, global: &Global) -> Result<(), CliError> {
    let began_at = Instant::now();
    let plugin = load(&args.file, global)?;
    let took = began_at.elapsed();
    let view = plugin.view();
    if global.json {
        let view = serde_json::to_string(&view);
        return print(&pretty(
            &view.map_err(|error| CliError::failed(error.to_string()))?,
        ));
    }
    for host in &view.refused_hosts {
        note(&format!(
            "warning: it wants to reach {host}, which neither plugins.allowed_hosts nor \
             plugins.private_hosts names"
        ));
    }
    print(&format!(
        "ok: {} {}, a {} plugin for interface {}, loaded in {} ms",
        plugin.manifest.name,
        view.version,
        view.kind,
        view.interface,
        took.as_millis()
    ))
}

/// Shows what a plugin is, without compiling it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn inspect(args: &FileArgs, global: &Global) -> Result<(), CliError> {
    let name = name_of(&args.file)?;
    let manifest_file = folder(&args.file).join(format!("{name}.toml"));
    let unread = |file: &Path, error| CliError::failed(format!("{}: {error}", file.display()));
    let manifest = fs::read_to_string(&manifest_file);
    let manifest = manifest.map_err(|error| unread(&manifest_file, error))?;
    let wasm = fs::read(&args.file).map_err(|error| unread(&args.file, error))?;
    let files = Files {
        manifest: &manifest,
        wasm: &wasm,
    };
    let found = trial::inspect(&files);
    let found =
        found.map_err(|error| CliError::failed(format!("{}: {error}", args.file.display())))?;
    let manifest = &found.manifest;
    let limits = manifest.limits_within(Limits::from(&load_config(global)?.plugins));
    let hosts: Vec<_> = manifest.hosts.iter().map(ToString::to_string).collect();
    let config = Value::Object(manifest.config.clone());
    let schema = manifest.schema.as_ref().map(|schema| schema.json().clone());
    if global.json {
        let all = json!({
            "name": manifest.name, "version": manifest.version, "kind": manifest.kind,
            "description": manifest.description, "hosts": hosts, "config": config,
            "config_schema": schema, "interface": found.interface,
            "imports": found.imports, "exports": found.exports, "bytes": wasm.len(),
            "limits": {"memory_mb": limits.memory_mb, "fuel": limits.fuel,
                "timeout_ms": u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX)},
        });
        return print(&pretty(&all.to_string()));
    }
    print(&facts([
        ("name", manifest.name.clone()),
        ("version", manifest.version.clone()),
        ("kind", manifest.kind.to_string()),
        ("description", or_none(manifest.description.as_ref())),
        ("interface", format!("oncalld:plugin@{}", found.interface)),
        ("imports", joined(&found.imports)),
        ("exports", joined(&found.exports)),
        ("size", format!("{} bytes", wasm.len())),
        ("hosts", joined(&hosts)),
        ("memory", format!("{} MiB at most", limits.memory_mb)),
        ("time", format!("{} ms at most", limits.timeout.as_millis())),
        ("fuel", format!("{} at most", limits.fuel)),
        ("config", config.to_string()),
        ("config schema", or_none(schema)),
    ]))
}

/// Calls a plugin once.
///
/// # Errors
/// What is wrong with it or with the context; or the call failed.
pub(super) fn run(args: &RunArgs, global: &Global) -> Result<(), CliError> {
    let plugin = load(&args.file, global)?;
    let kind = plugin.manifest.kind;
    let Some(context) = &args.context else {
        return print(match kind {
            PluginKind::Rotation => include_str!("samples/rotation.json"),
            PluginKind::Sink => include_str!("samples/sink.json"),
        });
    };
    show_log();
    match kind {
        PluginKind::Rotation => pick(&plugin, &read(context)?, global),
        PluginKind::Sink => deliver(&plugin, &read(context)?, global),
    }
}

/// What the plugin logs goes to standard error.
fn show_log() {
    let log = tracing_subscriber::fmt()
        .with_env_filter("off,oncalld::plugin=debug")
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false);
    // There is one already only in a test.
    let _ = log.try_init();
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, CliError> {
    let failed = |problem: String| CliError::failed(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

fn pick(plugin: &Plugin, trial: &PickTrial, global: &Global) -> Result<(), CliError> {
    if let Some(schema) = &plugin.manifest.schema {
        let config = plugin
            .manifest
            .config_with(&Value::Object(trial.config.clone()));
        for problem in schema.problems(&config) {
            note(&format!(
                "warning: the daemon would refuse the config: {problem}"
            ));
        }
    }
    let began_at = Instant::now();
    let picked = plugin.try_pick(trial);
    let took = began_at.elapsed();
    let fuel = plugin.fuel_of_last_call();
    let picked = picked.map_err(CliError::failed)?;
    if global.json {
        let all = json!({"user": picked.user, "reason": picked.reason, "fuel": fuel,
            "microseconds": u64::try_from(took.as_micros()).unwrap_or(u64::MAX)});
        return print(&pretty(&all.to_string()));
    }
    print(&facts([
        ("picked", picked.user.to_string()),
        ("reason", picked.reason),
        ("fuel", format!("{fuel} of {}", plugin.limits.fuel)),
        (
            "time",
            format!(
                "{:.2} ms of {}",
                millis(took),
                plugin.limits.timeout.as_millis()
            ),
        ),
    ]))
}

fn deliver(plugin: &Plugin, trial: &DeliveryTrial, global: &Global) -> Result<(), CliError> {
    let began_at = Instant::now();
    let (delivered, asked) = plugin.try_deliver(trial);
    let took = began_at.elapsed();
    let fuel = plugin.fuel_of_last_call();
    let outcome = match &delivered {
        Ok(()) => "delivered".to_owned(),
        Err(DeliveryError::Retry {
            message,
            after: Some(after),
        }) => {
            format!("to be retried after {} s: {message}", after.as_secs())
        }
        Err(DeliveryError::Retry { message, .. }) => format!("to be retried: {message}"),
        Err(error) => format!("given up: {error}"),
    };
    if global.json {
        let all = json!({"outcome": outcome, "requests": asked, "fuel": fuel,
            "microseconds": u64::try_from(took.as_micros()).unwrap_or(u64::MAX)});
        print(&pretty(&all.to_string()))?;
    } else {
        let requests: String = asked.iter().map(shown).collect();
        let text = facts([
            ("outcome", outcome.clone()),
            ("requests", asked.len().to_string()),
            ("fuel", format!("{fuel} of {}", plugin.limits.fuel)),
            (
                "time",
                format!(
                    "{:.2} ms of {}",
                    millis(took),
                    plugin.limits.timeout.as_millis()
                ),
            ),
        ]);
        print(&(text + &requests))?;
    }
    delivered.map_err(|_| CliError::failed(outcome))
}

fn shown(request: &TrialRequest) -> String {
    let head = format!("{} {}\n", request.method, request.url);
    head + &indented(&request.body)
}

fn millis(took: std::time::Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
