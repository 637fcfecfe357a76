//! WASM plugins: rotation strategies and notification sinks, sandboxed, limited, explained.
//! The only user of wasmtime.
//!
//! - [`manifest`]: the TOML file beside a plugin, and [`schema`], which checks a team's config
//! - [`interface`]: which kind and version of the interface a file speaks, before it is compiled
//! - [`engine`]: compiles and runs; [`cache`] keeps on disk what was compiled
//! - [`limits`]: what a call may take
//! - [`host`]: what a plugin may call, with [`http`] and [`hosts`]
//! - [`loaded`]: a plugin that is in service; [`rotation`] and [`sink`] call it
//! - [`trial`]: what an author tries without a daemon
//! - [`registry`]: the folder of plugins, and what came of each; [`first_look`] tells how far the
//!   start is, and [`rescan`] looks by the clock

mod cache;
#[cfg(test)]
mod cache_tests;
mod engine;
mod error;
mod first_look;
mod folder;
mod host;
mod hosts;
mod http;
mod interface;
mod limits;
mod loaded;
mod manifest;
mod registry;
mod rescan;
mod rotation;
mod schema;
mod sink;
pub mod trial;

#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod testing;

pub use error::{CallError, Cause, LoadError};
pub use hosts::HostPolicy;
pub use limits::Limits;
pub use loaded::{Files, Plugin};
pub use manifest::{Manifest, is_name};
pub use registry::{PluginSettings, Registry};
pub use rescan::start as rescan;
pub use rotation::PluginStrategy;
pub use sink::PluginSink;
