//! What is declared, as the actions of teams, members and services take it; and what they find
//! wrong, where the declaration has it.

use crate::app::{ActionError, Result};
use crate::domain::invalid::Invalid;
use crate::wire::declaration::{DeclaredMember, DeclaredService, DeclaredTeam};
use crate::wire::member::MemberInput;
use crate::wire::service::ServiceInput;
use crate::wire::team::TeamInput;

/// A team with everything set that is declared of it, defaults included.
pub(super) fn team(slug: &str, team: &DeclaredTeam) -> TeamInput {
    let mut input = TeamInput {
        name: Some(team.name.clone()),
        slug: Some(slug.to_owned()),
        description: Some(team.description.clone()),
        slack_group_id: Some(team.slack_group_id.clone()),
        slack_oncall_group_id: Some(team.slack_oncall_group_id.clone()),
        slack_channel_id: Some(team.slack_channel_id.clone()),
        timezone: Some(team.timezone.clone()),
        overrides_require_approval: Some(team.overrides_require_approval),
        is_active: Some(true),
        ..TeamInput::default()
    };
    if let Some(rotation) = &team.rotation {
        input.rotation_enabled = Some(rotation.enabled);
        input.rotation_type = Some(rotation.kind.clone());
        input.rotation_interval = Some(rotation.interval.to_string());
        input.rotation_start_date = rotation.start_date.map(Some);
        input.rotation_order = Some(Some(rotation.order.clone()));
        input.handoff_day = Some(rotation.handoff_day.map(|day| day as i64));
        input.handoff_time = Some(rotation.handoff_time.clone());
        input.plugin_config = Some(Some(rotation.plugin_config.clone().into()));
    }
    input
}

/// A member with everything set that is declared of them.
pub(super) fn member(member: &DeclaredMember) -> MemberInput {
    MemberInput {
        team_role: Some(member.role.to_string()),
        is_eligible_for_oncall: Some(member.eligible),
        weight: Some(member.weight),
        joined_at: member.joined_at,
        version: None,
    }
}

/// A service with everything set that is declared of it.
pub(super) fn service(name: &str, service: &DeclaredService) -> ServiceInput {
    ServiceInput {
        name: Some(name.to_owned()),
        team_id: Some(service.team.clone()),
        repository_url: Some(service.repository_url.clone()),
        environment: Some(service.environment.clone()),
        tier: Some(service.tier.to_string()),
        owner_slack_id: Some(service.owner.clone()),
        tech_stack: Some(service.tech_stack.clone()),
        metadata: Some(service.metadata.clone().into()),
        is_active: Some(true),
        version: None,
    }
}

/// Notes what is wrong with the values of something declared at `path`; none then.
///
/// # Errors
/// Whatever else an action refuses, with the path.
pub(super) fn noting<T>(invalid: &mut Invalid, path: &str, done: Result<T>) -> Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(ActionError::Invalid(complaints)) => {
            for complaint in complaints.0 {
                invalid.add(&field_at(path, &complaint.field), complaint.message);
            }
            Ok(None)
        }
        Err(ActionError::Conflict { detail, with }) => Err(ActionError::Conflict {
            detail: format!("{path}: {detail}"),
            with,
        }),
        Err(ActionError::NotFound(detail)) => {
            invalid.add(path, detail);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Where a declaration has what the API calls `field`.
fn field_at(path: &str, field: &str) -> String {
    let named = match field {
        "slug" | "user" | "slack_user_id" => return path.to_owned(),
        // A service's name is its key.
        "name" if path.starts_with("services.") => return path.to_owned(),
        "rotation_enabled" => "rotation.enabled",
        "rotation_type" => "rotation.type",
        "rotation_interval" => "rotation.interval",
        "rotation_start_date" => "rotation.start_date",
        "rotation_order" => "rotation.order",
        "handoff_day" => "rotation.handoff_day",
        "handoff_time" => "rotation.handoff_time",
        "plugin_config" => "rotation.plugin_config",
        "team_role" => "role",
        "team_id" => "team",
        "owner_slack_id" => "owner",
        other => other,
    };
    format!("{path}.{named}")
}
