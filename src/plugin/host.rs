//! What a plugin may call while it is called, and what is known of the call.

use std::time::{Duration, Instant};

use super::http::Requests;
use super::limits::{Limiter, Limits};

use bindings::rotation::oncalld::plugin::logging::{self, Level};
use bindings::rotation::oncalld::plugin::types;

/// The interface as Rust types and functions, made from `plugins/wit`.
pub mod bindings {
    /// The world `rotation-strategy`.
    pub mod rotation {
        wasmtime::component::bindgen!({
            path: "plugins/wit/0.1.0",
            world: "rotation-strategy",
            additional_derives: [serde::Serialize],
        });
    }

    /// The world `notification-sink`.
    pub mod sink {
        wasmtime::component::bindgen!({
            path: "plugins/wit/0.1.0",
            world: "notification-sink",
            with: {
                "oncalld:plugin/types": super::rotation::oncalld::plugin::types,
                "oncalld:plugin/logging": super::rotation::oncalld::plugin::logging,
            },
        });
    }
}

use bindings::sink::oncalld::plugin::http;

/// Lines that a call may log.
const LOG_LINES: u32 = 100;

/// Characters of a line.
const LOG_CHARACTERS: usize = 1000;

/// One call of a plugin: what it may still do, and what it has run into.
pub struct Call {
    /// The plugin, for the log.
    plugin: String,
    log_lines: u32,
    deadline: Instant,
    /// Counts memory.
    pub limiter: Limiter,
    requests: Option<Requests>,
}

impl Call {
    /// A call that begins now. Only sinks may send requests.
    pub fn new(plugin: String, limits: Limits, requests: Option<Requests>) -> Self {
        Self {
            plugin,
            log_lines: 0,
            deadline: Instant::now() + limits.timeout,
            limiter: Limiter::new(limits),
            requests,
        }
    }

    /// Whether its time is over.
    pub fn is_overdue(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Adds to its time what others took.
    fn extend(&mut self, by: Duration) {
        self.deadline += by;
    }
}

impl types::Host for Call {}
impl bindings::rotation::oncalld::plugin::rotation::Host for Call {}
impl bindings::sink::oncalld::plugin::notifications::Host for Call {}

impl logging::Host for Call {
    fn log(&mut self, level: Level, message: String) {
        self.log_lines += 1;
        if self.log_lines > LOG_LINES {
            return;
        }
        let plugin = &self.plugin;
        let message = one_line(&message, LOG_CHARACTERS);
        match level {
            Level::Debug => tracing::debug!(%plugin, "{message}"),
            Level::Info => tracing::info!(%plugin, "{message}"),
            Level::Warn => tracing::warn!(%plugin, "{message}"),
            Level::Error => tracing::error!(%plugin, "{message}"),
        }
    }
}

impl http::Host for Call {
    fn http_send(&mut self, request: http::Request) -> Result<http::Response, http::HttpError> {
        let Some(requests) = &mut self.requests else {
            let message = "this plugin may not send requests".to_owned();
            return Err(http::HttpError::Forbidden(message));
        };
        let sent_at = Instant::now();
        let answer = requests.send(request);
        // Waiting for another machine is limited by itself.
        self.extend(sent_at.elapsed());
        answer
    }
}

/// A plugin's text in at most so many characters, and a mark where it was cut; without line
/// breaks and what else could mislead a reader of a log. Empty where it says nothing.
pub fn one_line(text: &str, characters: usize) -> String {
    // Separators of lines and paragraphs, and what turns the direction of writing.
    let misleads = |c: char| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let printable = |c: char| {
        if c.is_control() || misleads(c) {
            ' '
        } else {
            c
        }
    };
    let text: String = text.chars().map(printable).collect();
    let text = text.trim();
    let mut line: String = text.chars().take(characters).collect();
    if text.chars().nth(characters).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_text_is_one_short_line() {
        assert_eq!(one_line(" two\nlines\u{1b}[31m ", 100), "two lines [31m");
        assert_eq!(one_line("a\u{2028}b\u{202e}c", 100), "a b c");
        assert_eq!(one_line("äöüß", 3), "äöü…");
        assert_eq!(one_line("äöü\0", 3), "äöü");
        assert_eq!(one_line("\u{1} \0", 3), "");
    }
}
