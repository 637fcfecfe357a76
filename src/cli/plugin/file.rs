//! A plugin's file by itself: loaded, checked, inspected.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use super::call::call_with_sample;
use crate::cli::args::Global;
use crate::cli::connection::load_config;
use crate::cli::error::CliError;
use crate::cli::output::{note, pretty, print};
use crate::cli::table::{facts, joined, or_none};
use crate::clock::SystemClock;
use crate::plugin::trial;
use crate::plugin::{Files, HostPolicy, Limits, Plugin, PluginSettings, Registry};

/// Which plugin.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct FileArgs {
    /// The WebAssembly file; its manifest lies beside it as .toml
    file: PathBuf,
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

/// Loads a plugin with all checks, and calls it once.
///
/// # Errors
/// What is wrong with it; or the call broke.
pub(super) fn check(args: &FileArgs, global: &Global) -> Result<(), CliError> {
    let began_at = Instant::now();
    let plugin = load(&args.file, global)?;
    let took = began_at.elapsed();
    let view = plugin.view();
    for host in &view.refused_hosts {
        note(&format!(
            "warning: it wants to reach {host}, which neither plugins.allowed_hosts nor \
             plugins.private_hosts names"
        ));
    }
    let called = call_with_sample(&plugin)?;
    if global.json {
        let mut all = json!(plugin.view());
        all["sample_call"] = json!(called);
        print(&pretty(&all.to_string()))?;
        return called.tell(&plugin, global);
    }
    called.tell(&plugin, global)?;
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
