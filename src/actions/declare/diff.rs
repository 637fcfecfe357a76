//! What differs between two declarations. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::present::{member_path, service_path, team_path};
use crate::wire::declaration::{
    ChangeKind, Declaration, DeclaredChange, DeclaredTeam, FieldChange,
};

/// What is added, changed and removed on the way from `old` to `new`: teams, each with its members,
/// then services.
pub(super) fn between(old: &Declaration, new: &Declaration) -> Vec<DeclaredChange> {
    let mut changes = Vec::new();
    let slugs: BTreeSet<_> = old.teams.keys().chain(new.teams.keys()).collect();
    for slug in slugs {
        let (was, is) = (old.teams.get(slug), new.teams.get(slug));
        let alone = |team: Option<&DeclaredTeam>| {
            team.map(|team| DeclaredTeam {
                members: None,
                ..team.clone()
            })
        };
        let change = change(team_path(slug), alone(was).as_ref(), alone(is).as_ref());
        let is_removed = is.is_none();
        changes.extend(change);
        // The members of a team that is removed stay, and come back with it.
        if is_removed {
            continue;
        }
        let none = BTreeMap::new();
        let members = |team: Option<&'_ DeclaredTeam>| team.and_then(|team| team.members.clone());
        let (was, is) = (members(was), members(is));
        let (was, is) = (was.as_ref().unwrap_or(&none), is.as_ref().unwrap_or(&none));
        let users: BTreeSet<_> = was.keys().chain(is.keys()).collect();
        changes.extend(
            users.into_iter().filter_map(|user| {
                self::change(member_path(slug, user), was.get(user), is.get(user))
            }),
        );
    }
    let names: BTreeSet<_> = old.services.keys().chain(new.services.keys()).collect();
    changes.extend(names.into_iter().filter_map(|name| {
        let (was, is) = (old.services.get(name), new.services.get(name));
        change(service_path(name), was, is)
    }));
    changes
}

fn change<T: Serialize + PartialEq>(
    path: String,
    old: Option<&T>,
    new: Option<&T>,
) -> Option<DeclaredChange> {
    let action = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => ChangeKind::Create,
        (Some(_), None) => ChangeKind::Remove,
        (Some(old), Some(new)) if old == new => return None,
        _ => ChangeKind::Update,
    };
    let (old, new) = (settings(old), settings(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).cloned().collect();
    let fields = names.into_iter().filter_map(|name| {
        let value = |of: &BTreeMap<String, Value>| of.get(&name).cloned().unwrap_or_default();
        let (old, new) = (value(&old), value(&new));
        (old != new).then_some((name, FieldChange { old, new }))
    });
    Some(DeclaredChange {
        action,
        path,
        fields: fields.collect(),
    })
}

/// The settings by their names; those of the rotation as `rotation.type`.
fn settings<T: Serialize>(of: Option<&T>) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    let Some(Value::Object(fields)) = of.and_then(|of| serde_json::to_value(of).ok()) else {
        return settings;
    };
    for (name, value) in fields {
        match value {
            Value::Object(inner) if name == "rotation" => {
                let inner = inner.into_iter();
                settings.extend(inner.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => {
                settings.insert(name, value);
            }
        }
    }
    settings
}

/// What of `present` is not in `declared`; members only of teams that declare theirs.
pub(super) fn undeclared(present: &Declaration, declared: &Declaration) -> Vec<String> {
    let mut paths = Vec::new();
    for (slug, team) in &present.teams {
        let Some(other) = declared.teams.get(slug) else {
            paths.push(team_path(slug));
            continue;
        };
        if let (Some(members), Some(named)) = (&team.members, &other.members) {
            let rest = members.keys().filter(|user| !named.contains_key(*user));
            paths.extend(rest.map(|user| member_path(slug, user)));
        }
    }
    let names: BTreeSet<_> = declared.services.keys().map(|n| n.to_lowercase()).collect();
    let rest = present.services.keys();
    let rest = rest.filter(|name| !names.contains(&name.to_lowercase()));
    paths.extend(rest.map(|name| service_path(name)));
    paths
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
