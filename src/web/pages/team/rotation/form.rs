//! The config of a rotation as a form, and read back.

use crate::domain::invalid::Invalid;
use crate::domain::team::Interval;
use crate::domain::zone::Zone;
use crate::web::form::{Form, FormState};
use crate::web::view::diff::WEEKDAYS;
use crate::web::view::people::{People, Person};
use crate::web::view::settings::Settings;
use crate::wire::member::MemberView;
use crate::wire::plugin::StrategyPlugin;
use crate::wire::team::{TeamInput, TeamView};

/// Plugins whose settings the style sheet shows only while they are chosen; those of more are
/// always shown.
const HIDEABLE: usize = 8;

/// The form.
#[derive(Debug)]
pub struct ConfigForm {
    /// What stands in it.
    pub state: FormState,
    /// The team's version that it is based on.
    pub version: u64,
    /// Value, label and class of the rotation types.
    pub types: Vec<(String, String, String)>,
    /// Value and label of the intervals.
    pub intervals: Vec<(&'static str, &'static str)>,
    /// Value and label of the days.
    pub weekdays: Vec<(String, &'static str)>,
    /// Names of zones.
    pub zones: Vec<&'static str>,
    /// Everybody who may be in the ring of a custom order: those who are, first.
    pub ring: Vec<RingRow>,
    /// Plugins, each with the class that its settings are shown by.
    pub plugins: Vec<(String, Settings)>,
}

/// A person's place in the ring.
#[derive(Clone, Debug)]
pub struct RingRow {
    /// Who.
    pub person: Person,
    /// Whether the ring has them.
    pub is_in: bool,
    /// Why they would not be picked, if so.
    pub note: &'static str,
}

impl ConfigForm {
    /// The form with these values in it.
    pub fn new(
        state: FormState,
        version: u64,
        order: &[String],
        members: &[MemberView],
        plugins: &[StrategyPlugin],
        people: &People,
    ) -> Self {
        let class = |at: usize| {
            if at < HIDEABLE {
                format!("t{at}")
            } else {
                String::new()
            }
        };
        let built_in = ["round_robin", "weighted", "custom"];
        let mut types: Vec<_> = built_in
            .iter()
            .map(|kind| ((*kind).to_owned(), type_label(kind), String::new()))
            .collect();
        let known = with_chosen(plugins, state.value("rotation_type"));
        for (at, plugin) in known.iter().enumerate() {
            let value = format!("plugin:{}", plugin.name);
            types.push((value.clone(), type_label(&value), class(at)));
        }
        let settings = known.iter().enumerate();
        Self {
            version,
            types,
            intervals: Interval::ALL
                .iter()
                .map(|interval| (interval.as_str(), interval_label(*interval)))
                .collect(),
            weekdays: (0_u8..).map(|day| day.to_string()).zip(WEEKDAYS).collect(),
            zones: Zone::names(),
            ring: ring(order, members, people),
            plugins: settings
                .map(|(at, plugin)| (class(at), Settings::new(plugin)))
                .collect(),
            state,
        }
    }
}

/// The plugins, and the one that is chosen even where it is not in service any more.
fn with_chosen(plugins: &[StrategyPlugin], chosen: &str) -> Vec<StrategyPlugin> {
    let mut plugins = plugins.to_vec();
    if let Some(name) = chosen.strip_prefix("plugin:")
        && plugins.iter().all(|plugin| plugin.name != name)
    {
        plugins.push(StrategyPlugin {
            name: name.to_owned(),
            description: None,
            config_schema: None,
        });
    }
    plugins
}

fn ring(order: &[String], members: &[MemberView], people: &People) -> Vec<RingRow> {
    let find = |user: &str| members.iter().find(|member| member.slack_user_id == user);
    let note = |user: &str| match find(user) {
        None => "not a member",
        Some(member) if member.in_slack == Some(false) => "left the Slack group",
        Some(member) if !member.is_eligible_for_oncall => "not eligible",
        Some(_) => "",
    };
    let row = |user: &str, is_in| RingRow {
        person: people.get(user),
        is_in,
        note: note(user),
    };
    let chosen = order.iter().map(|user| row(user, true));
    let others = members.iter().map(|member| member.slack_user_id.as_str());
    let others = others.filter(|user| order.iter().all(|chosen| chosen != user));
    chosen.chain(others.map(|user| row(user, false))).collect()
}

/// A rotation type in words.
pub fn type_label(kind: &str) -> String {
    match kind {
        "round_robin" => "Each in turn, by seniority".to_owned(),
        "weighted" => "By weight: whoever is owed most".to_owned(),
        "custom" => "Each in turn, in an order of your own".to_owned(),
        plugin => format!("Plugin {}", plugin.trim_start_matches("plugin:")),
    }
}

/// An interval in words.
pub const fn interval_label(interval: Interval) -> &'static str {
    match interval {
        Interval::Daily => "a day",
        Interval::Weekly => "a week",
        Interval::Biweekly => "two weeks",
    }
}

/// What stands in the fields for a team.
pub fn values(team: &TeamView, plugins: &[StrategyPlugin]) -> Vec<(String, String)> {
    let optional = |value: Option<String>| value.unwrap_or_default();
    let named = [
        (
            "rotation_enabled",
            if team.rotation_enabled { "on" } else { "" }.to_owned(),
        ),
        ("rotation_type", team.rotation_type.clone()),
        ("rotation_interval", team.rotation_interval.to_string()),
        (
            "handoff_day",
            optional(team.handoff_day.map(|day| day.to_string())),
        ),
        ("handoff_time", team.handoff_time.clone()),
        ("timezone", team.timezone.clone()),
        (
            "rotation_start_date",
            optional(team.rotation_start_date.map(|day| day.to_string())),
        ),
    ];
    let mut values: Vec<_> = named.map(|(name, value)| (name.to_owned(), value)).into();
    let chosen = team.rotation_type.strip_prefix("plugin:");
    for plugin in with_chosen(plugins, &team.rotation_type) {
        if chosen == Some(&plugin.name) {
            values.extend(Settings::new(&plugin).values(&team.plugin_config));
        }
    }
    values
}

/// The change that the form asks for. What the chosen type does not need stays as it is.
pub fn input_of(form: &Form, plugins: &[StrategyPlugin]) -> Result<TeamInput, Invalid> {
    let mut invalid = Invalid::default();
    let kind = form.text("rotation_type");
    let interval = form.text("rotation_interval");
    let start = form.filled("rotation_start_date").map(|text| {
        let start = text.parse();
        if start.is_err() {
            let message = format!("`{text}` is not a day such as 2026-11-30");
            invalid.add("rotation_start_date", message);
        }
        start.ok()
    });
    let day = form.filled("handoff_day").and_then(|day| day.parse().ok());
    let name = kind.strip_prefix("plugin:");
    let plugin = with_chosen(plugins, kind)
        .into_iter()
        .find(|it| Some(&*it.name) == name);
    let config = plugin.map(|plugin| Settings::new(&plugin).read(form, &mut invalid));
    invalid.into_result(TeamInput {
        rotation_enabled: Some(form.is_on("rotation_enabled")),
        rotation_type: Some(kind.to_owned()),
        rotation_interval: Some(interval.to_owned()),
        rotation_start_date: Some(start.flatten()),
        rotation_order: (kind == "custom").then(|| Some(order_of(form))),
        // A daily rotation has none: its form doesn't show the field.
        handoff_day: Some(day.filter(|_| interval != Interval::Daily.as_str())),
        handoff_time: Some(form.text("handoff_time").to_owned()),
        timezone: Some(form.text("timezone").to_owned()),
        plugin_config: config.map(Some),
        version: form.text("version").parse().ok(),
        ..TeamInput::default()
    })
}

/// The ring as it was typed, and moved by a button of it where there is no script.
pub fn order_of(form: &Form) -> Vec<String> {
    let mut order = form.all("rotation_order");
    if let Some((direction, user)) = form.text("move").split_once(':')
        && let Some(at) = order.iter().position(|it| it == user)
    {
        let other = if direction == "up" {
            at.checked_sub(1)
        } else {
            Some(at + 1)
        };
        if let Some(other) = other.filter(|other| *other < order.len()) {
            order.swap(at, other);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(field).collect()
    }

    fn plugin() -> StrategyPlugin {
        StrategyPlugin {
            name: "fair".to_owned(),
            description: None,
            config_schema: Some(json!({"properties": {"points": {"type": "number"}}})),
        }
    }

    #[test]
    fn a_daily_rotation_has_no_handoff_day() {
        let fields = [("rotation_interval", "daily"), ("handoff_day", "2")];
        let input = input_of(&form(&fields), &[]).unwrap();
        assert_eq!(input.handoff_day, Some(None));
        let fields = [("rotation_interval", "weekly"), ("handoff_day", "2")];
        assert_eq!(
            input_of(&form(&fields), &[]).unwrap().handoff_day,
            Some(Some(2))
        );
    }

    #[test]
    fn order_and_settings_are_changed_where_they_count_only() {
        let fields = [
            ("rotation_order", "UB"),
            ("rotation_order", "UA"),
            ("config.fair.points", "2"),
        ];
        let of = |kind| {
            input_of(
                &form(&[&fields[..], &[("rotation_type", kind)]].concat()),
                &[plugin()],
            )
        };
        let weighted = of("weighted").unwrap();
        assert_eq!(
            (weighted.rotation_order, weighted.plugin_config),
            (None, None)
        );
        let custom = of("custom").unwrap();
        assert_eq!(
            custom.rotation_order,
            Some(Some(vec!["UB".to_owned(), "UA".to_owned()]))
        );
        let fair = of("plugin:fair").unwrap();
        assert_eq!(fair.plugin_config, Some(Some(json!({"points": 2}))));
        // One that is gone keeps what it has, as JSON.
        let gone = of("plugin:gone").unwrap();
        assert_eq!(gone.plugin_config, Some(Some(json!({}))));
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let fields = [
            ("rotation_type", "plugin:fair"),
            ("config.fair.points", "x"),
            ("rotation_start_date", "soon"),
        ];
        let wrong = input_of(&form(&fields), &[plugin()]).unwrap_err();
        let fields: Vec<_> = wrong.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["rotation_start_date", "config.fair.points"]);
    }

    #[test]
    fn the_ring_is_moved_by_its_buttons() {
        let moved = |button| {
            let ring = [
                ("rotation_order", "UA"),
                ("rotation_order", "UB"),
                ("move", button),
            ];
            order_of(&form(&ring)).join(" ")
        };
        assert_eq!(moved("up:UB"), "UB UA");
        assert_eq!(moved("down:UA"), "UB UA");
        assert_eq!(moved("up:UA"), "UA UB");
        assert_eq!(moved("down:UB"), "UA UB");
        assert_eq!(moved("up:UX"), "UA UB");
    }
}
