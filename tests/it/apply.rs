//! Declarations: planned, applied as a whole or not at all, exported.

use serde_json::{Value, json};

use crate::harness::{Client, Daemon, command};

/// A company with something of everything, whose daemon is up.
fn company() -> Daemon {
    let home = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let mut command = command(home.path());
    command.arg("--demo");
    Daemon::spawn(home, Vec::new(), command)
}

fn two_teams() -> Value {
    json!({
        "teams": {
            "core": {
                "name": "Core",
                "timezone": "Europe/Berlin",
                "rotation": {"enabled": true, "type": "weighted", "handoff_time": "09:00"},
                "members": {"UANN": {"role": "lead"}, "UBOB": {"weight": 0.5}},
            },
            "edge": {"name": "Edge", "members": {"UCAT": {}}},
        },
        "services": {"checkout": {"team": "core", "tier": "critical", "owner": "UANN"}},
    })
}

fn planned(api: &Client, declaration: &Value, prune: bool) -> Value {
    let body = json!({"declaration": declaration, "prune": prune, "dry_run": true});
    api.post("/apply", &body).ok()
}

fn applied(api: &Client, declaration: &Value, prune: bool) -> Value {
    let body = json!({"declaration": declaration, "prune": prune});
    api.post("/apply", &body).ok()
}

/// `create teams.core` and so on.
fn told(view: &Value) -> Vec<String> {
    let changes = view["changes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes
        .map(|change| text(&change["action"]) + " " + &text(&change["path"]))
        .collect()
}

fn entries(api: &Client) -> Value {
    api.get("/audit-logs").ok()["total"].take()
}

#[test]
fn a_plan_writes_nothing_applying_does_what_it_said_and_again_there_is_nothing_to_do() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    let before = entries(api);
    let plan = planned(api, &two_teams(), false);
    assert_eq!(plan["applied"], false);
    assert_eq!(
        told(&plan),
        [
            "create teams.core",
            "create teams.core.members.UANN",
            "create teams.core.members.UBOB",
            "create teams.edge",
            "create teams.edge.members.UCAT",
            "create services.checkout",
        ]
    );
    assert_eq!(plan["moves"][0]["team"], "core");
    assert_eq!(plan["moves"][0]["days"][0]["before"], Value::Null);
    assert_eq!(entries(api), before, "a plan leaves no trace");
    api.get("/teams/core").problem(404);

    let done = applied(api, &two_teams(), false);
    assert_eq!(done["applied"], true);
    assert_eq!(told(&done), told(&plan));
    assert_eq!(done["moves"], plan["moves"]);
    let on_call = api.get("/oncall?service=checkout").ok();
    let first = &done["moves"][0]["days"][0]["after"];
    assert_eq!(&on_call["engineer_slack_id"], first, "{on_call}");
    for path in ["/teams/core", "/teams/edge"] {
        assert_eq!(api.get(path).ok()["is_active"], true);
    }

    let after = entries(api);
    let again = applied(api, &two_teams(), true);
    assert_eq!(told(&again), Vec::<String>::new());
    assert_eq!(again["moves"], json!([]));
    assert_eq!(entries(api), after, "and nothing is audited");
    daemon.verify_audit();
}

#[test]
fn what_is_left_out_takes_its_default_but_whole_sections_stay() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    applied(api, &two_teams(), false);
    let start = api.get("/teams/core").ok()["rotation_start_date"].take();
    let joined = api.get("/teams/core/members").ok()["items"][0]["joined_at"].take();

    let mut declaration = two_teams();
    declaration["teams"]["core"]["rotation"] = json!({"enabled": true, "type": "weighted"});
    declaration["teams"]["edge"] = json!({"name": "Edge"});
    declaration["services"]["checkout"] = json!({"team": "core"});
    let done = applied(api, &declaration, true);
    assert_eq!(
        told(&done),
        ["update teams.core", "update services.checkout"]
    );
    let change = &done["changes"][0]["fields"];
    let expected = json!({"rotation.handoff_time": {"old": "09:00", "new": "00:00"}});
    assert_eq!(change, &expected);
    let team = api.get("/teams/core").ok();
    assert_eq!(
        (&team["rotation_start_date"], &team["handoff_time"]),
        (&start, &json!("00:00"))
    );
    assert_eq!(
        api.get("/teams/core/members").ok()["items"][0]["joined_at"],
        joined
    );
    let service = api.get("/services/checkout").ok();
    assert_eq!(
        (&service["tier"], &service["owner_slack_id"]),
        (&json!("standard"), &Value::Null)
    );
    assert_eq!(
        api.get("/teams/edge/members").ok()["total"],
        1,
        "members were left out"
    );
}

#[test]
fn only_pruning_removes_and_a_removed_team_is_restored_by_its_slug() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    applied(api, &two_teams(), false);
    let mut fewer = two_teams();
    fewer["teams"].as_object_mut().unwrap().remove("edge");
    fewer["teams"]["core"]["members"]
        .as_object_mut()
        .unwrap()
        .remove("UBOB");
    fewer["services"] = json!({});
    let kept = applied(api, &fewer, false);
    assert_eq!(told(&kept), Vec::<String>::new());
    let rest = json!(["teams.core.members.UBOB", "teams.edge", "services.checkout"]);
    assert_eq!(kept["undeclared"], rest);

    let pruned = applied(api, &fewer, true);
    let removed = [
        "remove teams.core.members.UBOB",
        "remove teams.edge",
        "remove services.checkout",
    ];
    assert_eq!(told(&pruned), removed);
    assert_eq!(pruned["undeclared"], json!([]));
    assert_eq!(api.get("/teams/edge").ok()["is_active"], false);
    api.get("/services/checkout").problem(404);
    let entry = daemon.audited("action=deleted");
    assert!(entry.contains(&"team deleted".to_owned()), "{entry:?}");

    let back = applied(api, &two_teams(), true);
    assert!(
        told(&back).contains(&"restore teams.edge".to_owned()),
        "{back}"
    );
    assert_eq!(api.get("/teams/edge").ok()["is_active"], true);
    assert_eq!(
        told(&applied(api, &two_teams(), true)),
        Vec::<String>::new()
    );
}

#[test]
fn days_that_move_are_told_and_come_true() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    let mut declaration = two_teams();
    declaration["teams"]["core"]["rotation"]["type"] = json!("round_robin");
    applied(api, &declaration, false);
    declaration["teams"]["core"]["members"]["UBOB"]["eligible"] = json!(false);
    let plan = planned(api, &declaration, false);
    let days = plan["moves"][0]["days"].as_array().unwrap();
    assert!(!days.is_empty(), "{plan}");
    for run in days {
        assert_eq!(
            (&run["before"], &run["after"]),
            (&json!("UBOB"), &json!("UANN"))
        );
    }
    applied(api, &declaration, false);
    let day = days[0]["start_date"].as_str().unwrap();
    let on_call = api.get(&format!("/oncall?team=core&date={day}")).ok();
    assert_eq!(on_call["engineer_slack_id"], "UANN", "{on_call}");
}

#[test]
fn a_plan_that_is_out_of_date_is_refused() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    applied(api, &two_teams(), false);
    let mut declaration = two_teams();
    declaration["teams"]["core"]["description"] = json!("by file");
    declaration["teams"]["edge"]["description"] = json!("by file");
    let plan = planned(api, &declaration, false);
    api.patch("/teams/edge", &json!({"description": "by hand"}))
        .ok();
    let before = entries(api);
    let body = json!({"declaration": declaration, "basis": plan["basis"]});
    let problem = api.post("/apply", &body).problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with(
            "teams.edge has changed since the plan was made: version 1 then, version 2 now"
        ),
        "{detail}"
    );
    assert_eq!(api.get("/teams/core").ok()["description"], Value::Null);
    assert_eq!(entries(api), before);
    let plan = planned(api, &declaration, false);
    let body = json!({"declaration": declaration, "basis": plan["basis"]});
    assert_eq!(api.post("/apply", &body).ok()["applied"], true);
}

#[test]
fn one_mistake_and_nothing_is_applied_and_all_mistakes_are_told_with_their_place() {
    let daemon = Daemon::start();
    let api = &daemon.api;
    let before = entries(api);
    let mut declaration = two_teams();
    declaration["teams"]["core"]["members"]["UBOB"]["weight"] = json!(2000);
    declaration["teams"]["core"]["members"]["bob"] = json!({});
    declaration["teams"]["edge"]["timezone"] = json!("Europe/Berln");
    declaration["teams"]["edge"]["rotation"] = json!({"type": "custom"});
    declaration["teams"]["Not A Slug"] = json!({"name": "X"});
    declaration["services"]["search"] = json!({"team": "nobody"});
    for dry_run in [true, false] {
        let body = json!({"declaration": declaration, "dry_run": dry_run});
        api.post("/apply", &body).invalid(&[
            "teams.core.members.UBOB.weight",
            "teams.core.members.bob",
            "teams.edge.timezone",
            "teams.edge.rotation.order",
            "teams.Not A Slug",
            "services.search.team",
        ]);
    }
    assert_eq!(entries(api), before);
    api.get("/teams/core").problem(404);

    let unknown = json!({"declaration": {"teams": {"core": {"name": "Core", "time_zone": "UTC"}}}});
    api.post("/apply", &unknown).invalid(&["time_zone"]);
    let twice = json!({"declaration": {"teams": {"core": {"name": "Core"}},
        "services": {"Api": {"team": "core"}, "api": {"team": "core"}}}});
    api.post("/apply", &twice).invalid(&["services.api"]);
}

#[test]
fn only_an_admin_applies() {
    let daemon = Daemon::start();
    applied(&daemon.api, &two_teams(), false);
    let body = json!({"declaration": {}, "dry_run": true});
    for (role, user) in [("viewer", None), ("editor", None), ("editor", Some("UANN"))] {
        daemon.client(role, user).post("/apply", &body).problem(403);
    }
}

#[test]
fn what_is_exported_applies_without_a_change_and_makes_the_same_elsewhere() {
    let daemon = company();
    let exported = daemon.api.get("/declaration").ok();
    assert!(exported["teams"].as_object().unwrap().len() > 1);
    assert!(exported["services"].as_object().unwrap().len() > 1);
    let before = entries(&daemon.api);
    let done = applied(&daemon.api, &exported, true);
    assert_eq!(told(&done), Vec::<String>::new());
    assert_eq!(done["undeclared"], json!([]));
    assert_eq!(entries(&daemon.api), before);

    let other = Daemon::start();
    applied(&other.api, &exported, true);
    assert_eq!(other.api.get("/declaration").ok(), exported);
    assert_eq!(
        told(&applied(&other.api, &exported, true)),
        Vec::<String>::new()
    );
}

#[test]
fn the_command_line_exports_plans_and_applies_a_file_and_refuses_a_plan_out_of_date() {
    let daemon = company();
    let home = daemon.home.path();
    let run = |arguments: &[&str]| {
        let done = daemon.cli(arguments);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (
            done.status.code().unwrap(),
            text(&done.stdout),
            text(&done.stderr),
        )
    };
    for name in ["all.toml", "all.yaml", "all.json"] {
        let path = home.join(name);
        let path = path.to_str().unwrap();
        let (code, out, err) = run(&["export", "--declarative", path]);
        assert_eq!(code, 0, "{out}{err}");
        let (code, out, err) = run(&["apply", "-f", path, "--prune"]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(out, "nothing to do: everything is as declared\n");
        let written = std::fs::read(path).unwrap();
        let (code, _, err) = run(&["export", "--declarative", path]);
        assert!(code == 1 && err.contains("is there already"), "{err}");
        assert_eq!(std::fs::read(path).unwrap(), written);
    }

    let (code, schema, err) = run(&["apply", "--print-schema"]);
    assert_eq!(code, 0, "{err}");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(schema["$defs"]["Declaration"].is_object());

    let file = home.join("core.toml");
    let path = file.to_str().unwrap();
    let core = "[teams.core]\nname = \"Core\"\n[teams.core.members]\nUANN = {role = \"lead\"}\n";
    std::fs::write(&file, core).unwrap();
    let (code, out, err) = run(&["apply", "-f", path, "--dry-run"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("+ teams.core\n") && out.contains("    role: \"lead\"\n"),
        "{out}"
    );
    assert!(out.ends_with("2 changes: 2 added, 0 changed, 0 removed; nothing was written\n"));
    assert!(err.contains("not declared, and left as it is"), "{err}");
    let (_, plan, _) = run(&["apply", "-f", path, "--dry-run", "--json"]);
    let planned = home.join("plan.json");
    std::fs::write(&planned, plan).unwrap();
    let (code, out, err) = run(&["apply", "-f", path]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.ends_with("applied: 2 changes: 2 added, 0 changed, 0 removed\n"),
        "{out}"
    );
    let (code, _, err) = run(&["apply", "-f", path, "--plan", planned.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(err.contains("has changed since the plan was made"), "{err}");

    std::fs::write(
        &file,
        "[teams.core]\nname = \"Core\"\ntimezone = \"Mars\"\n",
    )
    .unwrap();
    let (code, _, err) = run(&["apply", "-f", path]);
    assert!(code == 1 && err.contains("teams.core.timezone"), "{err}");
    std::fs::write(&file, "[teams.core]\nname = \"Core\"\ncolour = \"red\"\n").unwrap();
    let (code, _, err) = run(&["apply", "-f", path]);
    assert!(
        code == 1 && err.contains("core.toml: line 3, column 1"),
        "{err}"
    );
}
