//! `[plugins]`: where plugins are, and what they may do.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::hosts::{AllowedHost, Host};
use crate::config::value::{bounded, list, optional_text, text};

/// `[plugins]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugins {
    /// The folder of the plugins' files; it need not exist.
    #[serde(deserialize_with = "text")]
    pub dir: PathBuf,
    /// The folder of compiled plugins; by default one in the data folder.
    #[serde(default, deserialize_with = "optional_text")]
    pub cache_dir: Option<PathBuf>,
    /// Hosts that plugins may send requests to, if their manifest names them too.
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<AllowedHost>,
    /// The same for hosts with private addresses.
    #[serde(deserialize_with = "list")]
    pub private_hosts: Vec<Host>,
    /// The most memory that a call may take, in mebibytes.
    #[serde(deserialize_with = "bounded::<1, 4096, _, _>")]
    pub max_memory_mb: usize,
    /// The longest that a call may run, in milliseconds.
    #[serde(deserialize_with = "bounded::<1, 60_000, _, _>")]
    pub timeout_ms: u64,
    /// The most fuel that a call may burn.
    #[serde(deserialize_with = "bounded::<1_000, 4_000_000_000, _, _>")]
    pub fuel: u64,
}
