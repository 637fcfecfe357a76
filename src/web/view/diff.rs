//! What changed in an entity, as text: field by field, old and new.

use serde_json::{Map, Value};

use super::people::People;
use crate::domain::ids::UserId;

/// Lines of a value that are shown, and characters of a line. The API has all of it.
const MOST_LINES: usize = 60;
const MOST_CHARACTERS: usize = 1000;

/// Days of the week, from Monday, as `handoff_day` counts them.
pub const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in words.
    pub name: String,
    /// What it was, a line for each item of a list; nothing where it was empty.
    pub old: Vec<String>,
    /// What it is.
    pub new: Vec<String>,
    /// Items of a list that are the same in both, and left out.
    pub unchanged: usize,
}

/// The fields of `{"field": {"old": …, "new": …}}`.
pub fn fields(changes: &Value, people: &People) -> Vec<Field> {
    let changes = changes.as_object().into_iter().flatten();
    let field = |(name, change): (&String, &Value)| {
        let side = |side: &str| lines(name, change.get(side).unwrap_or(&Value::Null), people);
        let (mut old, mut new) = (side("old"), side("new"));
        let mut unchanged = 0;
        if old.len() > 1 || new.len() > 1 {
            let (was, is) = (old.clone(), new.clone());
            old.retain(|line| !is.contains(line));
            new.retain(|line| !was.contains(line));
            // The same items in another order are a change too.
            if old.is_empty() && new.is_empty() {
                (old, new) = (was, is);
            } else {
                unchanged = was.len() - old.len();
            }
        }
        Field {
            name: words(name),
            old: shortened(old),
            new: shortened(new),
            unchanged,
        }
    };
    changes.map(field).collect()
}

/// The name of a field in words.
pub fn words(name: &str) -> String {
    match name {
        "slack_user_id" => "person".to_owned(),
        "is_eligible_for_oncall" => "eligible".to_owned(),
        _ => name.trim_end_matches("_slack_id").replace('_', " "),
    }
}

/// Everything in a value that may be the id of a person.
pub fn ids(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if text.parse::<UserId>().is_ok() => vec![text],
        Value::Array(items) => items.iter().flat_map(ids).collect(),
        Value::Object(fields) => fields.values().flat_map(ids).collect(),
        _ => Vec::new(),
    }
}

/// A value in one line.
pub fn line(value: &Value, people: &People) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        Value::String(text) => {
            let person = people.get(text);
            if person.is_named() {
                format!("{} ({text})", person.name)
            } else {
                text.clone()
            }
        }
        Value::Object(fields) => shift(fields, people).unwrap_or_else(|| value.to_string()),
        Value::Array(_) => value.to_string(),
    }
}

/// A shift of a rotation that was generated.
fn shift(fields: &Map<String, Value>, people: &People) -> Option<String> {
    let text = |field: &str| fields.get(field)?.as_str();
    let (start, end) = (text("start_date")?, text("end_date")?);
    let engineer = people.get(text("engineer_slack_id")?);
    Some(format!("{}, {start} to {end}", engineer.name))
}

fn lines(field: &str, value: &Value, people: &People) -> Vec<String> {
    let weekday = || usize::try_from(value.as_u64()?).ok();
    if field == "handoff_day"
        && let Some(day) = weekday().and_then(|day| WEEKDAYS.get(day))
    {
        return vec![(*day).to_owned()];
    }
    let lines = match value {
        Value::Array(items) => items.iter().map(|item| line(item, people)).collect(),
        Value::Object(fields) if fields.is_empty() => Vec::new(),
        value => vec![line(value, people)],
    };
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

fn shortened(mut lines: Vec<String>) -> Vec<String> {
    for line in &mut lines {
        if let Some((end, _)) = line.char_indices().nth(MOST_CHARACTERS) {
            line.truncate(end);
            line.push('…');
        }
    }
    if lines.len() > MOST_LINES {
        let rest = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("… and {rest} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(changes: &Value) -> Vec<Field> {
        fields(changes, &People::default())
    }

    #[test]
    fn values_read_as_text() {
        let changes = json!({
            "handoff_day": {"old": null, "new": 6},
            "is_active": {"old": true, "new": false},
            "metadata": {"old": {}, "new": {"runbook": "https://x"}},
            "weight": {"old": 1.0, "new": 1.5},
        });
        let text = |field: &Field| format!("{}: {:?} {:?}", field.name, field.old, field.new);
        let texts: Vec<_> = of(&changes).iter().map(text).collect();
        assert_eq!(
            texts,
            [
                r#"handoff day: [] ["Sunday"]"#,
                r#"is active: ["yes"] ["no"]"#,
                r#"metadata: [] ["{\"runbook\":\"https://x\"}"]"#,
                r#"weight: ["1"] ["1.5"]"#,
            ]
        );
    }

    #[test]
    fn of_lists_only_what_differs_is_shown() {
        let shift = |user: &str, start: &str| json!({"engineer_slack_id": user, "start_date": start, "end_date": start});
        let (a, b, c) = (
            shift("UA", "2026-11-23"),
            shift("UB", "2026-11-24"),
            shift("UC", "2026-11-24"),
        );
        let changed = of(&json!({"auto_schedules": {"old": [a, b], "new": [a, c]}}));
        assert_eq!(changed[0].old, ["UB, 2026-11-24 to 2026-11-24"]);
        assert_eq!(changed[0].new, ["UC, 2026-11-24 to 2026-11-24"]);
        assert_eq!(changed[0].unchanged, 1);
        let turned = of(&json!({"rotation_order": {"old": ["UA", "UB"], "new": ["UB", "UA"]}}));
        assert_eq!(turned[0].new, ["UB", "UA"]);
    }

    #[test]
    fn what_is_long_is_cut_between_letters() {
        let long = of(&json!({"note": {"old": "ü".repeat(3000), "new": null}}));
        assert_eq!(long[0].old[0].chars().count(), MOST_CHARACTERS + 1);
        let many: Vec<_> = (0..100).map(|n| format!("row {n}")).collect();
        let many = of(&json!({"rows": {"old": null, "new": many}}));
        assert_eq!(many[0].new.last().unwrap(), "… and 40 more");
    }

    #[test]
    fn people_are_found_wherever_they_stand() {
        let value =
            json!({"x": {"old": [{"engineer_slack_id": "UANA"}], "new": "weekly"}, "y": "UBO"});
        assert_eq!(ids(&value), ["UANA", "UBO"]);
    }
}
