//! `[audit]`: the audit log's checkpoints.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::value::optional_text;

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The folder of its checkpoints, if not `audit-checkpoints` in the data folder.
    #[serde(default, deserialize_with = "optional_text")]
    pub checkpoint_dir: Option<PathBuf>,
}
