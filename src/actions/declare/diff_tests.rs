use serde_json::{Value, json};

use super::{between, undeclared};
use crate::wire::declaration::{ChangeKind, Declaration};

fn declaration(json: Value) -> Declaration {
    serde_json::from_value(json).unwrap()
}

fn told(old: &Declaration, new: &Declaration) -> Vec<String> {
    let changes = between(old, new).into_iter();
    changes
        .map(|change| {
            let fields = change.fields.into_iter();
            let fields = fields.map(|(name, it)| format!(" {name}: {} -> {}", it.old, it.new));
            format!(
                "{} {}{}",
                change.action,
                change.path,
                fields.collect::<String>()
            )
        })
        .collect()
}

#[test]
fn the_same_twice_is_no_change() {
    let one = declaration(json!({
        "teams": {"core": {"name": "Core", "rotation": {}, "members": {"U1": {"weight": 0.5}}}},
        "services": {"checkout": {"team": "core"}},
    }));
    assert_eq!(told(&one, &one), Vec::<String>::new());
    assert_eq!(undeclared(&one, &one), Vec::<String>::new());
}

#[test]
fn settings_are_compared_one_by_one_and_defaults_are_values() {
    let old = declaration(json!({
        "teams": {"core": {"name": "Core", "timezone": "UTC", "description": "x", "rotation": {
            "type": "weighted", "order": ["U1", "U2"],
        }}},
    }));
    let new = declaration(json!({
        "teams": {"core": {"name": "Core", "rotation": {"handoff_day": "friday"}}},
    }));
    assert_eq!(
        told(&old, &new),
        [
            "update teams.core description: \"x\" -> null rotation.handoff_day: null -> \"friday\" \
          rotation.order: [\"U1\",\"U2\"] -> null rotation.type: \"weighted\" -> \"round_robin\""
        ]
    );
}

#[test]
fn what_comes_and_goes_is_told_with_its_place() {
    let old = declaration(json!({
        "teams": {
            "core": {"name": "Core", "members": {"U1": {}, "U2": {}}},
            "gone": {"name": "Gone", "members": {"U9": {}}},
        },
        "services": {"Old": {"team": "gone"}},
    }));
    let new = declaration(json!({
        "teams": {
            "core": {"name": "Core", "members": {"U2": {"eligible": false}, "U3": {}}},
            "new": {"name": "New", "members": {"U4": {}}},
        },
        "services": {"new one": {"team": "core"}},
    }));
    let kinds = between(&old, &new)
        .into_iter()
        .map(|it| (it.action, it.path));
    let of = |kind, path: &str| (kind, path.to_owned());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [
            of(ChangeKind::Remove, "teams.core.members.U1"),
            of(ChangeKind::Update, "teams.core.members.U2"),
            of(ChangeKind::Create, "teams.core.members.U3"),
            of(ChangeKind::Remove, "teams.gone"),
            of(ChangeKind::Create, "teams.new"),
            of(ChangeKind::Create, "teams.new.members.U4"),
            of(ChangeKind::Remove, "services.Old"),
            of(ChangeKind::Create, "services.new one"),
        ]
    );
}

#[test]
fn members_are_undeclared_only_where_a_team_declares_its_members() {
    let present = declaration(json!({
        "teams": {
            "a": {"name": "A", "members": {"U1": {}, "U2": {}}},
            "b": {"name": "B", "members": {"U3": {}}},
            "c": {"name": "C", "members": {"U4": {}}},
        },
        "services": {"Checkout": {"team": "a"}, "search": {"team": "a"}},
    }));
    let declared = declaration(json!({
        "teams": {"a": {"name": "A", "members": {"U1": {}}}, "b": {"name": "B"}},
        "services": {"checkout": {"team": "a"}},
    }));
    let rest = undeclared(&present, &declared);
    assert_eq!(rest, ["teams.a.members.U2", "teams.c", "services.search"]);
}
