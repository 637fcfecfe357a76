//! docs/PLUGINS.md, as a reader would follow it: its shell blocks in one shell, beside a daemon.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::harness::Daemon;
use crate::harness::plugins::install;

/// What the guide has rustup do, and what the test does in its place: not every machine can
/// reach rustup's server.
const ADD_TARGET: &str = "rustup target add wasm32-unknown-unknown";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shell blocks of the guide, in order.
fn blocks() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/PLUGINS.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn the_guide_leads_from_nothing_to_a_running_strategy() {
    let daemon = Daemon::start();
    let home = daemon.home.path();
    install("fair-weekends", &home.join("plugins"), |text| text);
    daemon.api.post("/plugins/reload", &json!(null)).ok();
    let team = daemon.team("Platform");
    team.members(&["UANN", "UBOB", "UCYD", "UDOT"]);

    let blocks = blocks();
    assert!(blocks.len() >= 5, "the guide was not found");
    assert!(blocks[0].contains(ADD_TARGET));
    // Crates are built once for all runs of the test.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins-guide");
    let script = blocks.concat().replace(ADD_TARGET, "true");
    let script = format!(
        "set -e\neval \"$('{}/scripts/build-plugins' --env)\"\n{script}",
        root().display()
    );

    let program = Path::new(env!("CARGO_BIN_EXE_oncalld"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell
        .args(["--noprofile", "--norc", "-c", &script])
        .env("PATH", path)
        .env("ONCALLD_URL", format!("http://{}", daemon.api.address))
        .env("CARGO_TARGET_DIR", target)
        // Those of the cargo that runs this test are not for the plugin's.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(home)
        .stdin(Stdio::null());
    let output = shell.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{trouble}");
    assert!(told.contains("ok: night-owls 0.1.0"), "{told}");
    for strategy in ["plugin:night-owls", "round_robin", "weighted"] {
        assert!(told.contains(strategy), "{told}");
    }
    // The last block leaves the team with blocks of weekdays and weekends.
    let kept = daemon.api.get("/teams/platform").ok();
    assert_eq!(kept["rotation_type"], "plugin:fair-weekends");
    let preview = team.post("/rotation/preview", &json!({"weeks": 4})).ok();
    let items = preview["items"].as_array().unwrap();
    let failed = |item: &serde_json::Value| item["explanation"]["strategy_error"].is_string();
    assert!(!items.iter().any(failed), "{preview:#}");
}
