//! Every way in which a plugin can go wrong, before it is loaded and while it is called.

use std::time::{Duration, Instant};

use super::testing::{
    LIMITS, PICK_FIRST, WIT, context, embed, manifest, registry, sink, strategy, strategy_text,
};
use super::{Cause, Files, HostPolicy, Limits, Plugin};
use crate::rotation::strategy::Pick;

fn load_as(kind: &str, wasm: &[u8], limits: Limits) -> Result<Plugin, String> {
    let dir = tempfile::tempdir().unwrap();
    let registry = registry(dir.path(), limits, HostPolicy::default());
    let manifest = manifest("test", kind);
    let files = Files {
        manifest: &manifest,
        wasm,
    };
    registry
        .load_files(&files)
        .map_err(|error| error.to_string())
}

/// What a strategy whose `pick` is `body` answers.
fn ask(body: &str, limits: Limits) -> Result<Pick, Cause> {
    let plugin = load_as("rotation", &strategy(body), limits).unwrap();
    let answer = plugin.pick(&context(&["U1", "U2"]));
    answer.map_err(|error| {
        assert!(
            error.to_string().starts_with("plugin:test 1.0.0 "),
            "{error}"
        );
        error.cause
    })
}

#[track_caller]
fn fails(body: &str) -> Cause {
    ask(body, LIMITS).unwrap_err()
}

#[test]
fn a_core_module_with_an_embedded_type_is_wrapped_and_answers() {
    let pick = ask(PICK_FIRST, LIMITS).unwrap();
    assert_eq!(
        (pick.user.as_str(), pick.reason.as_str()),
        ("U1", "because")
    );
}

#[test]
fn a_component_answers_as_well() {
    let component = wit_component::ComponentEncoder::default()
        .module(&strategy(PICK_FIRST))
        .and_then(|mut encoder| encoder.encode())
        .unwrap();
    let plugin = load_as("rotation", &component, LIMITS).unwrap();
    assert_eq!(plugin.pick(&context(&["U7"])).unwrap().user.as_str(), "U7");
}

#[test]
fn a_trap_is_named() {
    let cause = fails("(unreachable)");
    assert_eq!(
        cause.to_string(),
        "broke off: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[test]
fn an_endless_loop_is_stopped_in_time() {
    let began_at = Instant::now();
    let cause = fails("(loop $again (br $again)) (unreachable)");
    assert_eq!(cause, Cause::Time(200));
    assert!(
        began_at.elapsed() < Duration::from_secs(5),
        "it was stopped"
    );
}

#[test]
fn an_endless_loop_burns_no_more_than_its_fuel() {
    let limits = Limits {
        fuel: 100_000,
        timeout: Duration::from_mins(1),
        ..LIMITS
    };
    let cause = ask("(loop $again (br $again)) (unreachable)", limits).unwrap_err();
    assert_eq!(cause, Cause::Fuel(100_000));
}

#[test]
fn a_plugin_that_keeps_running_into_its_limits_is_left_alone_for_a_while() {
    let limits = Limits {
        fuel: 10_000,
        ..LIMITS
    };
    let wasm = strategy("(loop $again (br $again)) (unreachable)");
    let plugin = load_as("rotation", &wasm, limits).unwrap();
    let causes: Vec<_> = (0..5)
        .map(|_| plugin.pick(&context(&["U1"])).unwrap_err().cause)
        .collect();
    let paused = Cause::Paused(Box::new(Cause::Fuel(10_000)));
    assert_eq!(causes[2..], [Cause::Fuel(10_000), paused.clone(), paused]);
    let view = plugin.view();
    assert_eq!((view.calls, view.failures), (5, 5));
}

#[test]
fn a_memory_bomb_gets_no_more_than_its_memory() {
    let cause = fails(
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
    );
    assert_eq!(cause, Cause::Memory(8));
}

#[test]
fn memory_that_is_asked_for_at_the_start_counts() {
    let text = strategy_text(PICK_FIRST, "0.1.0").replace(
        r#"(memory (export "memory") 2)"#,
        r#"(memory (export "memory") 1000)"#,
    );
    let plugin = load_as("rotation", &embed(&text, WIT, "rotation-strategy"), LIMITS).unwrap();
    assert_eq!(
        plugin.pick(&context(&["U1"])).unwrap_err().cause,
        Cause::Memory(8)
    );
}

#[test]
fn deep_recursion_is_stopped() {
    assert_eq!(fails("(call $deep (i32.const 0))"), Cause::Stack);
}

#[test]
fn a_huge_answer_is_refused() {
    let grown = "(drop (memory.grow (i32.const 100)))
        (call $answer (i32.const 0x100) (i32.const 2) (i32.const 65536) (i32.const 5000000))";
    assert_eq!(fails(grown), Cause::Huge(64));
    let beyond = "(call $answer (i32.const 0x100) (i32.const 2) (i32.const 0) (i32.const -1))";
    assert!(matches!(
        fails(beyond),
        Cause::Unreadable(_) | Cause::Huge(_)
    ));
}

#[test]
fn a_long_reason_is_cut() {
    // Memory is zeros: control characters, which become spaces.
    let long = "(call $answer (i32.load (i32.load offset=60 (local.get $ctx)))
        (i32.const 2) (i32.const 0x100) (i32.const 20000))";
    let text = strategy_text(long, "0.1.0").replace("because\\ff", &"because ".repeat(1000));
    let text = text.replace("UNOBODY nobody!", &"x".repeat(12_000));
    let plugin = load_as("rotation", &embed(&text, WIT, "rotation-strategy"), LIMITS).unwrap();
    let reason = plugin.pick(&context(&["U1"])).unwrap().reason;
    assert_eq!(reason.chars().count(), 501);
    assert!(reason.ends_with('…'));
}

#[test]
fn an_answer_that_is_not_utf_8_is_refused() {
    let cause =
        fails("(call $answer (i32.const 0x107) (i32.const 2) (i32.const 0x100) (i32.const 7))");
    let Cause::Unreadable(message) = cause else {
        panic!("{cause}")
    };
    assert!(message.contains("utf-8"), "{message}");
}

#[test]
fn an_answer_that_is_neither_good_nor_bad_is_refused() {
    let cause = fails("(i32.store8 (i32.const 0x10) (i32.const 9)) (i32.const 0x10)");
    assert!(matches!(cause, Cause::Unreadable(_)), "{cause}");
}

#[test]
fn a_call_of_the_host_with_what_it_cannot_read_is_told_in_a_line() {
    let cause = fails("(call $log (i32.const 1) (i32.const -9) (i32.const 100)) (unreachable)");
    let told = cause.to_string();
    assert!(matches!(cause, Cause::Unreadable(_)), "{told}");
    assert!(
        !told.contains('\n') && !told.contains("backtrace"),
        "{told}"
    );
}

#[test]
fn a_pick_that_is_no_user_id_is_refused() {
    let cause =
        fails("(call $answer (i32.const 0x111) (i32.const 7) (i32.const 0x100) (i32.const 7))");
    assert_eq!(cause.to_string(), "picked `nobody!`, which is no user id");
}

#[test]
fn a_plugin_says_itself_what_went_wrong() {
    let failed = "(i32.store8 (i32.const 0x10) (i32.const 1))
        (i32.store (i32.const 0x14) (i32.const 0x100)) (i32.store (i32.const 0x18) (i32.const 7))
        (i32.const 0x10)";
    assert_eq!(fails(failed), Cause::Failed("because".to_owned()));
}

#[test]
fn logging_without_end_stops_nobody() {
    let chatty = format!(
        "(local $n i32)
        (loop $more
            (call $log (i32.const 1) (i32.const 0x100) (i32.const 7))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))
        {PICK_FIRST}"
    );
    assert_eq!(ask(&chatty, LIMITS).unwrap().user.as_str(), "U1");
}

#[test]
fn no_call_sees_what_another_left_behind() {
    let counting =
        "(i32.store8 (i32.const 0x20) (i32.add (i32.load8_u (i32.const 0x20)) (i32.const 1)))
        (if (i32.ne (i32.load8_u (i32.const 0x20)) (i32.const 1)) (then (unreachable)))
        (call $first (local.get $ctx))";
    let plugin = load_as("rotation", &strategy(counting), LIMITS).unwrap();
    for _ in 0..3 {
        plugin.pick(&context(&["U1"])).unwrap();
    }
}

fn refused(wasm: &[u8]) -> String {
    load_as("rotation", wasm, LIMITS).unwrap_err()
}

#[test]
fn what_is_no_webassembly_is_refused() {
    assert_eq!(
        refused(b"#!/bin/sh"),
        "it is no WebAssembly component: it doesn't start like WebAssembly"
    );
    assert!(refused(b"").contains("doesn't start"));
    let bare = wat::parse_str(r#"(module (func (export "pick")))"#).unwrap();
    assert!(refused(&bare).contains("without an embedded component type"));
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let module = strategy(PICK_FIRST);
    let component = wit_component::ComponentEncoder::default()
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .unwrap();
    for whole in [module, component] {
        for end in (0..whole.len()).step_by(97) {
            assert!(load_as("rotation", &whole[..end], LIMITS).is_err(), "{end}");
        }
    }
}

#[test]
fn another_version_of_the_interface_is_refused_by_name() {
    for version in ["0.0.9", "0.2.0", "1.0.0"] {
        let text = strategy_text(PICK_FIRST, version);
        let wit = WIT.replace("oncalld:plugin@0.1.0", &format!("oncalld:plugin@{version}"));
        assert_eq!(
            refused(&embed(&text, &wit, "rotation-strategy")),
            format!("it speaks version {version} of the interface oncalld:plugin; served is 0.1.0")
        );
    }
}

#[test]
fn a_missing_export_is_named() {
    let text = strategy_text(PICK_FIRST, "0.1.0").replace(r#"(export "pick")"#, "");
    let problem = refused(&embed(&text, WIT, "rotation-strategy"));
    assert!(problem.contains("pick"), "{problem}");
    let empty = wat::parse_str("(component)").unwrap();
    assert_eq!(
        refused(&empty),
        "it doesn't speak the interface oncalld:plugin; served is 0.1.0"
    );
}

#[test]
fn another_world_than_the_manifests_is_refused() {
    let problem = load_as("sink", &strategy(PICK_FIRST), LIMITS).unwrap_err();
    assert_eq!(
        problem,
        "the manifest says sink, but the file is a rotation plugin"
    );
    let problem = load_as("rotation", &sink("(unreachable)"), LIMITS).unwrap_err();
    assert_eq!(
        problem,
        "the manifest says rotation, but the file is a sink plugin"
    );
}

#[test]
fn a_strategy_can_want_nothing_but_the_log() {
    let wit = WIT.replace(
        "world rotation-strategy {",
        "interface clock { now: func() -> u64; }\nworld rotation-strategy {\n    import clock;",
    );
    let text = strategy_text(PICK_FIRST, "0.1.0").replace(
        "(module",
        r#"(module (import "oncalld:plugin/clock@0.1.0" "now" (func $now (result i64)))"#,
    );
    let text = text.replace(
        PICK_FIRST,
        "(drop (call $now)) (call $first (local.get $ctx))",
    );
    let problem = refused(&embed(&text, &wit, "rotation-strategy"));
    assert!(
        problem.starts_with(
            "it wants `oncalld:plugin/clock@0.1.0`, which a rotation plugin doesn't get"
        ),
        "{problem}"
    );
}

#[test]
fn a_pick_of_another_type_is_refused() {
    let wit = WIT.replace(
        "export pick: func(ctx: context) -> result<pick, string>;",
        "export pick: func() -> u32;",
    );
    let text = strategy_text("(i32.const 1)", "0.1.0").replace(
        "(param $ctx i32) (result i32) (i32.const 1)",
        "(result i32) (i32.const 1)",
    );
    let problem = refused(&embed(&text, &wit, "rotation-strategy"));
    assert!(problem.starts_with("it can't be compiled: "), "{problem}");
}

#[test]
fn a_flaw_of_the_runtime_is_the_plugins_failure() {
    let plugin = load_as("rotation", &strategy(PICK_FIRST), LIMITS).unwrap();
    let failed = plugin.call::<()>(1024, None, |_| panic!("a flaw"));
    let cause = Cause::Trap("the runtime gave up on it".to_owned());
    assert_eq!(failed.unwrap_err().cause, cause);
    assert_eq!(plugin.view().failures, 1);
    plugin.pick(&context(&["U1"])).unwrap();
}
