//! `oncalld plugin check` and `run`: a plugin's file, without a daemon.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::plugins::{install, strategy};

/// Picks the first candidate.
const PICK_FIRST: &str = "
    (local.set $last (i32.load offset=60 (local.get $ctx)))
    (call $answer (i32.load (local.get $last)) (i32.load offset=4 (local.get $last))
        (i32.const 0x100) (i32.const 16))";

/// Says that it failed.
const REFUSE: &str = "
    (i32.store8 (i32.const 0x10) (i32.const 1))
    (i32.store (i32.const 0x14) (i32.const 0x100)) (i32.store (i32.const 0x18) (i32.const 16))
    (i32.const 0x10)";

/// A folder with the strategy `x`.
fn folder(more: &str, body: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let manifest = format!("name = \"x\"\nversion = \"1.0.0\"\nkind = \"rotation\"\n{more}");
    fs::write(dir.path().join("x.toml"), manifest).unwrap();
    fs::write(dir.path().join("x.wasm"), strategy(body)).unwrap();
    dir
}

/// `oncalld plugin ARGS` in a folder: exit code, standard output, standard error.
fn plugin(dir: &TempDir, args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oncalld"));
    command.env_clear().current_dir(dir.path());
    command.arg("plugin").args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that doesn't read is gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn a_check_calls_a_strategy_once_and_tells_what_that_took() {
    let dir = folder("", PICK_FIRST);
    let (code, told, _) = plugin(&dir, &["check", "x.wasm"], "");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("picked U01ANN: it is their turn"), "{told}");
    assert!(
        told.contains("fuel ") && told.contains("ok: x 1.0.0"),
        "{told}"
    );
    let (code, told, _) = plugin(&dir, &["check", "x.wasm", "--json"], "");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (code, &told["sample_call"]["status"]),
        (0, &"answered".into())
    );
    assert!(told["sample_call"]["fuel"].as_u64() > Some(0), "{told:#}");
}

#[test]
fn a_strategy_that_breaks_on_the_sample_fails_the_check() {
    let nobody = "(call $answer (i32.const 0x111) (i32.const 7) (i32.const 0x100) (i32.const 16))";
    for (body, why) in [
        ("(unreachable)", "plugin:x 1.0.0 broke off"),
        (
            nobody,
            "plugin:x 1.0.0 picked UNOBODY, who is not a candidate",
        ),
    ] {
        let dir = folder("", body);
        let (code, told, trouble) = plugin(&dir, &["check", "x.wasm"], "");
        assert_eq!((code, told.as_str()), (1, ""), "{trouble}");
        assert!(trouble.contains(why), "{trouble}");
        let (code, told, _) = plugin(&dir, &["check", "x.wasm", "--json"], "");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((code, &told["sample_call"]["status"]), (1, &"broke".into()));
    }
}

#[test]
fn a_strategy_that_says_no_to_the_sample_passes_with_a_warning() {
    let dir = folder("", REFUSE);
    let (code, told, trouble) = plugin(&dir, &["check", "x.wasm"], "");
    assert_eq!(code, 0, "{trouble}");
    assert!(told.contains("ok: x"), "{told}");
    assert!(
        trouble.contains("warning: ") && trouble.contains("it says no"),
        "{trouble}"
    );
    let wants = "[config_schema]\nrequired = [\"region\"]\n";
    let dir = folder(wants, "(unreachable)");
    let (code, _, trouble) = plugin(&dir, &["check", "x.wasm"], "");
    assert_eq!(code, 0, "{trouble}");
    assert!(
        trouble.contains("not called") && trouble.contains("region"),
        "{trouble}"
    );
}

#[test]
fn a_check_of_a_sink_sends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    install("teams-webhook", dir.path(), |text| {
        // Nobody listens there, which nobody finds out.
        text.replace("url = \"\"", "url = \"http://127.0.0.1:9/hook\"")
            .replace("discord.com", "127.0.0.1")
    });
    fs::write(
        dir.path().join("config.toml"),
        "[plugins]\nprivate_hosts = [\"127.0.0.1\"]\n",
    )
    .unwrap();
    let args = ["check", "teams-webhook.wasm"];
    let (code, told, trouble) = plugin(&dir, &args, "");
    assert_eq!(code, 0, "{trouble}");
    assert!(
        told.contains("requests that were not sent: 1"),
        "{told}{trouble}"
    );
}

#[test]
fn a_context_may_come_from_standard_input() {
    let dir = folder("", PICK_FIRST);
    let (_, sample, _) = plugin(&dir, &["run", "x.wasm", "--sample"], "");
    let context = sample.replace("U01ANN", "U99ZOE");
    let run = ["run", "x.wasm", "--context", "-"];
    let (code, told, trouble) = plugin(&dir, &run, &context);
    assert_eq!(code, 0, "{trouble}");
    assert!(told.contains("U99ZOE"), "{told}");
    let (code, _, trouble) = plugin(&dir, &run, "{");
    assert_eq!(code, 1);
    assert!(trouble.contains("standard input: "), "{trouble}");
}
