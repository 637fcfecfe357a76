//! Plugins in the running daemon: dropped into the folder, used by a team, broken, gone.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::plugins::strategy;
use crate::harness::{Daemon, Team, column};

/// Picks whoever joined last.
const PICK_LAST: &str = "
    (local.set $last (i32.add (i32.load offset=60 (local.get $ctx))
        (i32.mul (i32.sub (i32.load offset=64 (local.get $ctx)) (i32.const 1)) (i32.const 80))))
    (call $answer (i32.load (local.get $last)) (i32.load offset=4 (local.get $last))
        (i32.const 0x100) (i32.const 16))";

const PICK_NOBODY: &str =
    "(call $answer (i32.const 0x111) (i32.const 7) (i32.const 0x100) (i32.const 16))";

/// Picks UCYD, whoever may be picked.
const PICK_CYD: &str =
    "(call $answer (i32.const 0x119) (i32.const 4) (i32.const 0x100) (i32.const 16))";

struct Plugins {
    daemon: Daemon,
}

impl Plugins {
    fn start() -> Self {
        let daemon = Daemon::start();
        fs::create_dir(daemon.home.path().join("plugins")).unwrap();
        Self { daemon }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.daemon.home.path().join("plugins").join(file)
    }

    /// Puts a rotation plugin into the folder, and does not wait for it to be seen.
    fn put(&self, name: &str, more: &str, wasm: &[u8]) -> Value {
        let manifest =
            format!("name = \"{name}\"\nversion = \"1.2.3\"\nkind = \"rotation\"\n{more}");
        fs::write(self.path(&format!("{name}.toml")), manifest).unwrap();
        fs::write(self.path(&format!("{name}.wasm")), wasm).unwrap();
        self.reload()
    }

    fn reload(&self) -> Value {
        self.daemon.api.post("/plugins/reload", &Value::Null).ok()["items"].take()
    }

    fn team(&self, config: Value) -> Team {
        let team = self.daemon.team("Core");
        team.members(&["UANN", "UBOB", "UCYD"]);
        team.rotate(config);
        team
    }

    fn actions(&self, query: &str) -> Vec<Value> {
        let list = self.daemon.api.get(&format!("/audit-logs?{query}")).ok();
        column(&list, "action")
    }
}

fn preview(team: &Team) -> Value {
    team.post("/rotation/preview", &json!({"weeks": 3})).ok()["items"].take()
}

#[test]
fn a_plugin_decides_who_is_next_and_why() {
    let plugins = Plugins::start();
    let listed = plugins.put("last", "", &strategy(PICK_LAST));
    assert_eq!(listed[0]["status"], "loaded");
    assert_eq!(listed[0]["loaded"]["interface"], "0.1.0");
    let team = plugins.team(json!({"rotation_type": "plugin:last"}));
    let planned = preview(&team);
    assert_eq!(planned[1]["engineer_slack_id"], "UCYD");
    let why = &planned[1]["explanation"];
    assert_eq!(
        (&why["strategy"], &why["reason"]),
        (&json!("plugin:last"), &json!("it is their turn"))
    );
    assert_eq!(why["strategy_error"], Value::Null);
    let generated = team.post("/rotation/generate", &json!({"weeks": 3})).ok();
    assert_eq!(generated["items"], planned);
    assert_eq!(team.on_call(0), (json!("UCYD"), json!("auto")));
    let listed = plugins.daemon.api.get("/plugins").ok();
    assert_eq!(listed["items"][0]["used_by"], json!(["core"]));
    assert!(listed["items"][0]["loaded"]["calls"].as_u64() > Some(0));
    assert_eq!(plugins.actions("entity_type=plugin"), ["plugin_loaded"]);
}

#[test]
fn a_plugin_that_fails_is_told_of_and_round_robin_steps_in() {
    let plugins = Plugins::start();
    plugins.put("nobody", "", &strategy(PICK_NOBODY));
    plugins.put("trap", "", &strategy("(unreachable)"));
    let team = plugins.team(json!({"rotation_type": "plugin:nobody"}));
    team.patch("", &json!({"slack_channel_id": "C1"})).ok();
    let failure = |team: &Team| preview(team)[1]["explanation"]["strategy_error"].clone();
    assert_eq!(
        failure(&team),
        "plugin:nobody picked UNOBODY, who is not a candidate"
    );
    assert_eq!(team.on_call(0).0, "UANN");
    team.rotate(json!({"rotation_type": "plugin:trap"}));
    let told = failure(&team);
    assert!(
        told.as_str()
            .unwrap()
            .starts_with("plugin:trap 1.2.3 broke off: "),
        "{told}"
    );
    let failed = plugins.actions("action=rotation_failed");
    assert!(failed.len() >= 2, "{failed:?}");
    let log = plugins
        .daemon
        .api
        .get("/audit-logs?action=rotation_failed")
        .ok();
    let reason = &log["items"][0]["change_reason"];
    assert!(reason.as_str().unwrap().contains("plugin:trap"), "{reason}");
    let told = plugins.daemon.api.get("/notifications").ok();
    assert!(column(&told, "event").contains(&json!("rotation_failed")));
    // The rest works as ever.
    plugins.daemon.api.get("/oncall?team=core").ok();
}

#[test]
fn somebody_who_is_not_eligible_is_not_picked_whatever_a_plugin_says() {
    let plugins = Plugins::start();
    plugins.put("cyd", "", &strategy(PICK_CYD));
    let team = plugins.team(json!({"rotation_type": "plugin:cyd"}));
    assert_eq!(preview(&team)[1]["engineer_slack_id"], "UCYD");
    let ineligible = json!({"is_eligible_for_oncall": false});
    team.patch("/members/UCYD", &ineligible).ok();
    let planned = team.post("/rotation/generate", &json!({"weeks": 3})).ok();
    let planned = planned["items"].as_array().unwrap();
    // The running turn is left to whoever has it.
    for item in &planned[1..] {
        assert_ne!(item["engineer_slack_id"], "UCYD", "{item:#}");
        assert_eq!(
            item["explanation"]["strategy_error"],
            "plugin:cyd picked UCYD, who is not a candidate"
        );
    }
    assert!(!plugins.actions("action=rotation_failed").is_empty());
}

#[test]
fn a_plugin_that_is_removed_while_in_use_is_missed_told_of_and_taken_back() {
    let plugins = Plugins::start();
    plugins.put("last", "", &strategy(PICK_LAST));
    let team = plugins.team(json!({"rotation_type": "plugin:last"}));
    team.patch("/members/UANN", &json!({"team_role": "lead"}))
        .ok();
    let generate = || team.post("/rotation/generate", &json!({"weeks": 3})).ok();
    assert_eq!(generate()["items"][1]["engineer_slack_id"], "UCYD");
    assert!(plugins.actions("action=rotation_failed").is_empty());
    let files = ["last.toml", "last.wasm"].map(|file| plugins.path(file));
    let kept = files.each_ref().map(|file| fs::read(file).unwrap());
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    // It is seen by itself.
    let since = Instant::now();
    let missing = loop {
        let listed = plugins.daemon.api.get("/plugins").ok()["items"][0].take();
        if listed["status"] == "missing" {
            break listed;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{listed:#}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(missing["used_by"], json!(["core"]));
    assert!(missing["problem"].is_string(), "{missing:#}");
    let problem = "plugin:last is not loaded; the next in the ring is picked instead";
    assert_eq!(team.get("").ok()["problems"], json!([problem]));
    let metrics = plugins.daemon.api.get("/metrics").body;
    for line in [
        "oncalld_plugin_loaded{plugin=\"last\"} 0",
        "oncalld_plugin_teams{plugin=\"last\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    let audited = plugins.actions("entity_type=plugin");
    assert_eq!(audited, ["plugin_unloaded", "plugin_loaded"]);
    // The ring goes on, and that is told.
    let planned = generate();
    let explanation = &planned["items"][1]["explanation"];
    assert_eq!(explanation["strategy_error"], "plugin:last is not loaded");
    let engineers = column(&planned, "engineer_slack_id");
    assert_eq!(
        engineers[1..],
        ["UANN", "UBOB", "UCYD"][..engineers.len() - 1]
    );
    assert!(!plugins.actions("action=rotation_failed").is_empty());
    let told = plugins.daemon.api.get("/notifications?page_size=200").ok();
    let told_the_lead =
        |row: &Value| row["event"] == "rotation_failed" && row["recipient"] == "UANN";
    assert!(
        told["items"].as_array().unwrap().iter().any(told_the_lead),
        "{told:#}"
    );
    // Back again, it runs again.
    for (file, bytes) in files.iter().zip(kept) {
        fs::write(file, bytes).unwrap();
    }
    assert_eq!(plugins.reload()[0]["status"], "loaded");
    let planned = generate();
    assert_eq!(planned["items"][1]["engineer_slack_id"], "UCYD");
    assert_eq!(
        planned["items"][1]["explanation"]["strategy_error"],
        Value::Null
    );
    assert_eq!(team.get("").ok()["problems"], json!([]));
}

#[test]
fn a_team_names_a_plugin_that_is_loaded_and_a_config_that_fits() {
    let plugins = Plugins::start();
    let schema = "[config]\nfactor = 2\n[config_schema]\nproperties.factor.type = \"number\"\n";
    plugins.put("last", schema, &strategy(PICK_LAST));
    let team = plugins.team(json!({"rotation_type": "plugin:last"}));
    let config = |body: Value| team.patch("/rotation-config", &body);
    let problem = config(json!({"rotation_type": "plugin:first"})).invalid(&["rotation_type"]);
    let message = problem["errors"][0]["message"].to_string();
    assert!(
        message.contains("plugin:first is not loaded; loaded are plugin:last"),
        "{message}"
    );
    config(json!({"plugin_config": {"factor": "two"}})).invalid(&["plugin_config"]);
    config(json!({"plugin_config": {"factor": 3}})).ok();
    // Gone: the team keeps it, sees it as a problem, and can change all else.
    fs::remove_file(plugins.path("last.wasm")).unwrap();
    fs::remove_file(plugins.path("last.toml")).unwrap();
    let listed = plugins.reload();
    assert_eq!(
        (&listed[0]["status"], &listed[0]["used_by"]),
        (&json!("missing"), &json!(["core"]))
    );
    assert_eq!(
        preview(&team)[1]["explanation"]["strategy_error"],
        "plugin:last is not loaded"
    );
    config(json!({"rotation_type": "plugin:last", "handoff_time": "09:00"})).ok();
    assert_eq!(
        plugins.actions("entity_type=plugin"),
        ["plugin_unloaded", "plugin_loaded"]
    );
}

#[test]
fn a_changed_plugin_is_loaded_by_itself_and_a_broken_one_leaves_the_old_in_service() {
    let plugins = Plugins::start();
    plugins.put("last", "", &strategy(PICK_LAST));
    let team = plugins.team(json!({"rotation_type": "plugin:last"}));
    fs::write(plugins.path("last.wasm"), &strategy(PICK_LAST)[..200]).unwrap();
    let since = Instant::now();
    while plugins.actions("entity_type=plugin") != ["plugin_failed", "plugin_loaded"] {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "it is looked at every two seconds"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let listed = plugins.daemon.api.get("/plugins").ok()["items"][0].take();
    let (status, problem) = (&listed["status"], &listed["problem"]);
    assert_eq!(status, "loaded");
    assert!(
        problem.as_str().unwrap().contains("WebAssembly"),
        "{problem}"
    );
    assert_eq!(preview(&team)[1]["engineer_slack_id"], "UCYD");
    let metrics = plugins.daemon.api.send("GET", "/metrics", &[], b"").body;
    assert!(
        metrics.contains("oncalld_plugin_problem{plugin=\"last\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("oncalld_plugin_loaded{plugin=\"last\"} 1"),
        "{metrics}"
    );
}

#[test]
fn plugins_are_there_again_after_a_restart_without_being_compiled_again() {
    let plugins = Plugins::start();
    plugins.put("last", "", &strategy(PICK_LAST));
    let team = plugins.team(json!({"rotation_type": "plugin:last"}));
    let (planned, slug) = (preview(&team), team.slug.clone());
    let daemon = plugins.daemon.restart();
    let again = daemon.api.post(
        &format!("/teams/{slug}/rotation/preview"),
        &json!({"weeks": 3}),
    );
    assert_eq!(again.ok()["items"], planned);
}

#[test]
fn plugins_are_the_admins() {
    let plugins = Plugins::start();
    let anonymous = plugins.daemon.api.anonymous();
    anonymous.get("/plugins").problem(401);
    anonymous.post("/plugins/reload", &Value::Null).problem(401);
}
