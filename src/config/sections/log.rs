//! `[log]`: what is logged and how.

use serde::Deserialize;

use crate::config::value::{Text, text};

/// `[log]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    #[serde(deserialize_with = "text")]
    pub level: LogFilter,
    /// How a line is written.
    #[serde(deserialize_with = "text")]
    pub format: LogFormat,
}

/// A filter that `tracing-subscriber`'s `EnvFilter` takes: levels and `target=level`, by commas.
///
/// It is stricter: a bare word is a level, never a target, or `level = "warning"` would log
/// nothing but a target of that name and say nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for LogFilter {
    const EXPECTED: &'static str = "a level (off, error, warn, info, debug, trace), or several \
                                    separated by commas as in \"info,oncalld::store=debug\"";

    fn from_text(text: &str) -> Option<Self> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let in_target = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':');
        let valid = text.split(',').all(|directive| {
            let (target, level) = directive.split_once('=').unwrap_or(("any", directive));
            !target.is_empty()
                && target.chars().all(in_target)
                && LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level))
        });
        valid.then(|| Self(text.to_owned()))
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Text for LogFormat {
    const EXPECTED: &'static str = "\"text\" or \"json\"";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}
