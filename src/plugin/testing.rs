//! Plugins written by hand, in the text format, so that they can be as bad as a test wants.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wit_component::StringEncoding;

use super::host::bindings::rotation::oncalld::plugin::{rotation as wit, types};
use super::{HostPolicy, Limits, PluginSettings, Registry};
use crate::clock::ManualClock;

/// The interface as it is shipped.
pub const WIT: &str = include_str!("../../plugins/wit/0.1.0/plugin.wit");

/// Memory, an allocator that only ever takes, and the log; 0x10 to 0xff are free to use, and
/// from 0x100 on lie some texts.
const PRELUDE: &str = r#"
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 65536))
    (func $alloc (export "cabi_realloc")
        (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
        (global.set $free (i32.add (local.get $at) (local.get $size)))
        (block $fits (loop $grow
            (br_if $fits (i32.le_u (global.get $free)
                (i32.mul (memory.size) (i32.const 65536))))
            (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
            (unreachable)))
        (local.get $at))
    (data (i32.const 0x100) "because\ff UNOBODY nobody!")
    ;; Answers with the user and the reason at these places.
    (func $answer (param $user i32) (param $user_len i32) (param $why i32) (param $why_len i32)
        (result i32)
        (i32.store8 (i32.const 0x10) (i32.const 0))
        (i32.store (i32.const 0x14) (local.get $user))
        (i32.store (i32.const 0x18) (local.get $user_len))
        (i32.store (i32.const 0x1c) (local.get $why))
        (i32.store (i32.const 0x20) (local.get $why_len))
        (i32.const 0x10))
    ;; Answers with the first candidate of the context and `because`.
    (func $first (param $ctx i32) (result i32)
        (local $candidate i32)
        (local.set $candidate (i32.load offset=60 (local.get $ctx)))
        (call $answer
            (i32.load (local.get $candidate)) (i32.load offset=4 (local.get $candidate))
            (i32.const 0x100) (i32.const 7)))
"#;

/// Picks the first candidate.
pub const PICK_FIRST: &str = "(call $first (local.get $ctx))";

/// A core module, with its component type embedded, that is built against `wit`.
pub fn embed(wat: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("plugin.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    module
}

/// The text of a strategy whose `pick`, of the context at `$ctx`, is `body`.
pub fn strategy_text(body: &str, version: &str) -> String {
    strategy_text_with("", body, version)
}

/// The same, with more fields of the module.
pub fn strategy_text_with(fields: &str, body: &str, version: &str) -> String {
    format!(
        r#"(module
            (import "oncalld:plugin/logging@{version}" "log" (func $log (param i32 i32 i32)))
            {PRELUDE}
            {fields}
            (func $deep (param $n i32) (result i32)
                (i32.add (call $deep (i32.add (local.get $n) (i32.const 1))) (i32.const 1)))
            (func (export "pick") (param $ctx i32) (result i32) {body}))"#
    )
}

/// A strategy whose `pick` is `body`.
pub fn strategy(body: &str) -> Vec<u8> {
    embed(&strategy_text(body, "0.1.0"), WIT, "rotation-strategy")
}

/// A sink whose `deliver` is `body`, of the notification and config at `$told`.
pub fn sink(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "oncalld:plugin/logging@0.1.0" "log" (func $log (param i32 i32 i32)))
            (import "oncalld:plugin/http@0.1.0" "http-send" (func $send
                (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
            {PRELUDE}
            (data (i32.const 0x200) "POSTx-kindtest")
            (func (export "deliver") (param $told i32) (result i32) {body}))"#
    );
    embed(&text, WIT, "notification-sink")
}

/// A manifest of that name and kind.
pub fn manifest(name: &str, kind: &str) -> String {
    format!("name = \"{name}\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\n")
}

/// What a call may take in tests.
pub const LIMITS: Limits = Limits {
    memory_mb: 8,
    timeout: Duration::from_millis(200),
    fuel: 4_000_000_000,
};

/// A registry of the plugins in `dir/plugins`.
pub fn registry(dir: &Path, limits: Limits, policy: HostPolicy) -> Registry {
    let settings = PluginSettings {
        dir: dir.join("plugins"),
        cache_dir: Some(dir.join("cache")),
        policy,
        limits,
    };
    let now = "2026-11-23T09:00:00Z".parse().unwrap();
    Registry::new(settings, Arc::new(ManualClock::new(now))).unwrap()
}

/// A context with these candidates.
pub fn context(users: &[&str]) -> wit::Context {
    let day = |number| wit::Date {
        year: 2026,
        month: 11,
        day: 23,
        weekday: wit::Weekday::Monday,
        number,
    };
    let candidate = |user: &&str| wit::Candidate {
        user: (*user).to_owned(),
        role: wit::Role::Member,
        weight: 1.0,
        target: 0.5,
        joined: day(20_000),
        served: 1.0,
        credit: 0.0,
        last_served: None,
    };
    wit::Context {
        team: types::Team {
            id: "018f0000-0000-7000-8000-000000000000".to_owned(),
            name: "Payments".to_owned(),
            slug: "payments".to_owned(),
            timezone: "UTC".to_owned(),
        },
        period: wit::Period {
            number: 1,
            first: day(20_780),
            last: day(20_786),
        },
        candidates: users.iter().map(candidate).collect(),
        last_pick: None,
        recent_shifts: Vec::new(),
        periods_counted: 0,
        config: "{}".to_owned(),
        seed: 7,
    }
}
