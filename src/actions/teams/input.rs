//! Applies an input to a team, and says everything that is wrong with it.

use chrono::NaiveDate;

use crate::app::plugins::Plugins;
use crate::app::{ActionError, Result};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::json::Json;
use crate::domain::oncall_day::add_days;
use crate::domain::team::{Interval, RotationConfig, RotationType, Team, is_slug};
use crate::wire::plugin::{PluginKind, PluginView};
use crate::wire::team::TeamInput;

/// The team as the input makes it. The slug is only checked for its form, and the rotation's
/// start date is left as given.
///
/// # Errors
/// Everything that is wrong, field by field.
pub fn apply(
    input: &TeamInput,
    team: &Team,
    today: NaiveDate,
    plugins: &dyn Plugins,
) -> Result<Team> {
    let mut invalid = Invalid::default();
    let mut team = team.clone();
    if let Some(name) = &input.name {
        invalid.check_line("name", name, 1, 100);
        name.trim().clone_into(&mut team.name);
    }
    if let Some(slug) = &input.slug {
        let message = format!("`{slug}` is not a slug, expected 1 to 100 of a-z, 0-9 and -");
        invalid.check(is_slug(slug), "slug", message);
        // Else the slug could shadow another team's id.
        let is_id = uuid::Uuid::parse_str(slug).is_ok();
        invalid.check(
            !is_id,
            "slug",
            format!("`{slug}` has the form of an id; choose another slug"),
        );
        team.slug.clone_from(slug);
    }
    if let Some(description) = &input.description {
        invalid.check_text(
            "description",
            description.as_deref().unwrap_or_default(),
            0,
            2000,
        );
        team.description = description.clone().filter(|text| !text.is_empty());
    }
    if let Some(id) = &input.slack_group_id {
        team.slack_group_id = slack_id(&mut invalid, "slack_group_id", id.as_deref());
    }
    if let Some(id) = &input.slack_oncall_group_id {
        let field = "slack_oncall_group_id";
        team.slack_oncall_group_id = slack_id(&mut invalid, field, id.as_deref());
    }
    if let Some(id) = &input.slack_channel_id {
        team.slack_channel_id = slack_id(&mut invalid, "slack_channel_id", id.as_deref());
    }
    if let Some(timezone) = &input.timezone {
        invalid.check_timezone("timezone", timezone);
        team.timezone.clone_from(timezone);
    }
    if let Some(require) = input.overrides_require_approval {
        team.overrides_require_approval = require;
    }
    team.is_active = input.is_active.unwrap_or(team.is_active);
    let old_kind = team.rotation.kind.clone();
    apply_rotation(&mut invalid, input, &mut team.rotation, today);
    check_plugin(&mut invalid, input, &team.rotation, &old_kind, plugins);
    invalid.into_result(team).map_err(ActionError::from)
}

fn slack_id(invalid: &mut Invalid, field: &str, id: Option<&str>) -> Option<String> {
    let id = id.filter(|id| !id.is_empty())?;
    invalid.check_slack_id(field, id);
    Some(id.to_owned())
}

fn apply_rotation(
    invalid: &mut Invalid,
    input: &TeamInput,
    rotation: &mut RotationConfig,
    today: NaiveDate,
) {
    rotation.enabled = input.rotation_enabled.unwrap_or(rotation.enabled);
    if let Some(kind) = &input.rotation_type
        && let Some(kind) = invalid.parse::<RotationType>("rotation_type", kind)
    {
        rotation.kind = kind;
    }
    if let Some(interval) = &input.rotation_interval
        && let Some(interval) = invalid.parse::<Interval>("rotation_interval", interval)
    {
        rotation.interval = interval;
    }
    if let Some(start) = input.rotation_start_date {
        if let Some(start) = start {
            invalid.check_date("rotation_start_date", start);
            let near = add_days(today, -3660) <= start && start <= add_days(today, 3660);
            let message = format!("`{start}` is more than ten years from today");
            invalid.check(near, "rotation_start_date", message);
        }
        rotation.start_date = start;
    }
    if let Some(order) = &input.rotation_order {
        rotation.order = user_list(invalid, order.as_deref().unwrap_or_default());
    }
    if let Some(day) = input.handoff_day {
        let valid = day
            .and_then(|day| u8::try_from(day).ok())
            .filter(|day| *day <= 6);
        if let (Some(day), None) = (day, valid) {
            let message = format!("{day} is not a weekday: 0 = Monday … 6 = Sunday");
            invalid.add("handoff_day", message);
        }
        rotation.handoff_day = valid;
    }
    if let Some(time) = &input.handoff_time
        && let Some(time) = invalid.parse("handoff_time", time)
    {
        rotation.handoff_time = time;
    }
    if let Some(config) = &input.plugin_config {
        let config = config.clone().map_or_else(Json::object, Json);
        invalid.check_object("plugin_config", &config.0);
        rotation.plugin_config = config;
    }
    let daily_with_day = rotation.interval == Interval::Daily && rotation.handoff_day.is_some();
    let message = "a daily rotation hands off every day; set handoff_day to null";
    invalid.check(!daily_with_day, "handoff_day", message);
    let ringless = rotation.kind == RotationType::Custom && rotation.order.is_empty();
    let message = "a custom rotation needs the user ids in their order";
    invalid.check(!ringless, "rotation_order", message);
}

/// Checks a plugin that is newly chosen, and its config where it or the choice changes. A team
/// keeps one that has gone since, and can change all else meanwhile.
fn check_plugin(
    invalid: &mut Invalid,
    input: &TeamInput,
    rotation: &RotationConfig,
    old_kind: &RotationType,
    plugins: &dyn Plugins,
) {
    let RotationType::Plugin(name) = &rotation.kind else {
        return;
    };
    let is_chosen = rotation.kind != *old_kind;
    if is_chosen && let Err(problem) = plugins.strategy(name) {
        let loaded: Vec<_> = plugins.list().into_iter().filter(is_strategy).collect();
        let names: Vec<_> = loaded
            .iter()
            .map(|plugin| format!("plugin:{}", plugin.name))
            .collect();
        let known = match names.as_slice() {
            [] => "no rotation plugin is loaded".to_owned(),
            names => format!("loaded are {}", names.join(", ")),
        };
        invalid.add("rotation_type", format!("{problem}; {known}"));
    }
    if is_chosen || input.plugin_config.is_some() {
        for problem in plugins.config_problems(name, &rotation.plugin_config.0) {
            invalid.add("plugin_config", problem);
        }
    }
}

fn is_strategy(plugin: &PluginView) -> bool {
    let loaded = plugin.loaded.as_ref();
    loaded.is_some_and(|loaded| loaded.kind == PluginKind::Rotation)
}

fn user_list(invalid: &mut Invalid, texts: &[String]) -> Vec<UserId> {
    let mut users: Vec<UserId> = Vec::new();
    if texts.len() > 500 {
        invalid.add("rotation_order", "has more than 500 entries");
        return users;
    }
    for text in texts {
        if let Some(user) = invalid.parse::<UserId>("rotation_order", text) {
            let message = format!("names {user} more than once");
            invalid.check(!users.contains(&user), "rotation_order", message);
            users.push(user);
        }
    }
    users
}
