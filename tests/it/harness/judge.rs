//! Programs of others that judge what oncalld says and signs: `tests/judges`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder into which `scripts/setup` installs.
pub fn tools() -> PathBuf {
    let folder = |variable| env::var_os(variable).map(PathBuf::from);
    let cache = || folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let tools = folder("ONCALLD_TOOLS").or_else(|| Some(cache()?.join("oncalld-tools")));
    tools.expect("HOME or ONCALLD_TOOLS is set")
}

/// The Python script `tests/judges/<name>`, to be run where `scripts/setup` put what it needs.
pub fn judge(name: &str) -> Command {
    let tools = tools();
    assert!(
        tools.join("judges.txt").is_file(),
        "the judges of the tests aren't installed: run scripts/setup"
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(tools.join("bin/python"));
    command.arg(root.join("tests/judges").join(name));
    command
}
