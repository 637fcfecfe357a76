//! What goes wrong with plugins: when they are loaded, and when they are called.

use super::host::one_line;
use crate::wire::plugin::PluginKind;

/// Why a plugin can't be loaded. Its name is said by whoever reports it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file can't be read.
    #[error("can't read {file}: {cause}")]
    Read {
        /// The file's name.
        file: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A file is missing or too large.
    #[error("{0}")]
    File(String),
    /// The manifest is wrong.
    #[error("the manifest is wrong: {0}")]
    Manifest(String),
    /// The file is no WebAssembly, or a broken one.
    #[error("it is no WebAssembly component: {0}")]
    NotAComponent(String),
    /// The file speaks another interface, or none.
    #[error("{0}")]
    Interface(String),
    /// The manifest and the file disagree.
    #[error("the manifest says {said}, but the file is a {is} plugin")]
    OtherKind {
        /// What the manifest says.
        said: PluginKind,
        /// What the file is.
        is: PluginKind,
    },
    /// It was refused by the compiler.
    #[error("it can't be compiled: {0}")]
    Compile(String),
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin:{name} {version} {cause}")]
pub struct CallError {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// What went wrong.
    pub cause: Cause,
}

/// What went wrong in a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// It took too long.
    #[error("ran for more than {0} ms and was stopped")]
    Time(u128),
    /// It did too much.
    #[error("burnt its {0} units of fuel and was stopped")]
    Fuel(u64),
    /// It asked for too much memory.
    #[error("asked for more than its {0} MiB of memory")]
    Memory(usize),
    /// It asked for more tables or instances than any plugin needs.
    #[error("asked for too many tables or instances")]
    Objects,
    /// It called itself too deep.
    #[error("ran out of stack: it calls itself too deep")]
    Stack,
    /// It did what WebAssembly forbids, or gave up.
    #[error("broke off: {0}")]
    Trap(String),
    /// Its answer is not what the interface says.
    #[error("gave an answer that can't be read: {0}")]
    Unreadable(String),
    /// Its answer is larger than may be.
    #[error("gave an answer of more than {0} KiB")]
    Huge(usize),
    /// Its answer is well formed, but wrong.
    #[error("{0}")]
    Wrong(String),
    /// It said no.
    #[error("failed: {0}")]
    Failed(String),
    /// It is not called for a while.
    #[error(
        "is not called for a while: its last calls all ran into their limits, the last one {0}"
    )]
    Paused(Box<Cause>),
}

impl Cause {
    /// Whether a call held up the daemon for as long as it was let.
    pub fn is_costly(&self) -> bool {
        matches!(self, Self::Time(_) | Self::Fuel(_))
    }
}

/// Characters of an error's text; the rest is cut off.
const CHARACTERS: usize = 500;

/// An error and its causes in a line.
pub fn chain(error: &wasmtime::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain() {
        // Where in the code it happened is several lines, and says nothing to those who are told.
        let cause = cause.to_string();
        if cause.starts_with("error while executing at wasm backtrace") {
            continue;
        }
        // Some say again what their cause says.
        if !causes.iter().any(|said| said.contains(&cause)) {
            causes.push(cause);
        }
    }
    one_line(&causes.join(": "), CHARACTERS)
}
