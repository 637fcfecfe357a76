use std::fmt::Write as _;

use serde_json::json;

use super::{Format, parse, schema, write};
use crate::wire::declaration::Declaration;

const TOML: &str = r#"
[teams.core]
name = "Core"
timezone = "Europe/Berlin"

[teams.core.rotation]
enabled = true
type = "weighted"
start_date = 2026-11-02
handoff_time = "09:00"

[teams.core.members]
U1 = {role = "lead", joined_at = 2026-01-05T08:00:00Z}
U2 = {weight = 0.5}

[services."Check out"]
team = "core"
tech_stack = ["rust", "on"]
metadata = {runbook = {url = "https://x"}, level = 3, note = "no", time = "12:30"}
"#;

const YAML: &str = r#"
teams:
  core:
    name: Core
    timezone: Europe/Berlin
    rotation:
      enabled: true
      type: weighted
      start_date: 2026-11-02
      handoff_time: 09:00
    members:
      U1: {role: lead, joined_at: 2026-01-05T08:00:00Z}
      U2:
        weight: 0.5
services:
  Check out:
    team: core
    tech_stack: [rust, "on"]
    metadata:
      runbook: {url: "https://x"}
      level: 3
      note: "no"
      time: "12:30"
"#;

#[test]
fn a_declaration_is_the_same_in_every_format_and_back() {
    let toml = parse(TOML, Format::Toml).unwrap();
    assert_eq!(parse(YAML, Format::Yaml).unwrap(), toml);
    assert_eq!(toml.teams["core"].members.as_ref().unwrap().len(), 2);
    for format in [Format::Toml, Format::Yaml, Format::Json] {
        let text = write(&toml, format).unwrap();
        assert_eq!(parse(&text, format), Ok(toml.clone()), "{text}");
    }
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    let odd = [
        "no",
        "12",
        "0x1F",
        "1e3",
        "null",
        "~",
        "",
        " x ",
        "- a",
        "#",
        "a: b",
        "é\u{85}\"'\\",
        "2026-01-01",
    ];
    let metadata: serde_json::Map<_, _> =
        odd.iter().map(|it| ((*it).to_owned(), json!(it))).collect();
    let declaration: Declaration = serde_json::from_value(json!({
        "services": {"12": {"team": "true", "environment": "off", "tech_stack": odd, "metadata": metadata}},
    }))
    .unwrap();
    for format in [Format::Toml, Format::Yaml, Format::Json] {
        let text = write(&declaration, format).unwrap();
        assert_eq!(parse(&text, format), Ok(declaration.clone()), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    use Format::{Json, Toml, Yaml};
    for (format, text, place, why) in [
        (
            Toml,
            "[teams.core]\nname = \"Core\"\ntimezon = \"UTC\"\n",
            "line 3, column 1",
            "teams.core.timezon: unknown field",
        ),
        (
            Toml,
            "[teams.core]\nname = 3\n",
            "line 2, column 1",
            "teams.core.name: invalid type",
        ),
        (
            Toml,
            "[teams.core]\nname = \"A\"\nname = \"B\"\n",
            "line 3",
            "duplicate key",
        ),
        (
            Toml,
            "[teams.core.members]\nU1 = {weight = nan}\n",
            "line 2, column 16",
            "expected a finite",
        ),
        (
            Toml,
            "[teams.core]\ntimezone = \"UTC\"\n",
            "line 1",
            "missing field `name`",
        ),
        (
            Yaml,
            "teams:\n  core:\n    name: Core\n    timezon: UTC\n",
            "line 4",
            "timezon",
        ),
        (
            Yaml,
            "teams:\n  core: {name: A}\n  core: {name: B}\n",
            "line 3",
            "duplicate",
        ),
        (Json, "{\"teams\": []}", "line 1", "invalid type"),
    ] {
        let told = parse(text, format).unwrap_err();
        assert!(told.contains(place) && told.contains(why), "{told}");
    }
}

#[test]
fn a_text_of_comments_declares_nothing() {
    for format in [Format::Toml, Format::Yaml] {
        for text in ["", "# later\n"] {
            assert_eq!(parse(text, format), Ok(Declaration::default()), "{text:?}");
        }
    }
}

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let unfolding = |levels: usize| {
        let mut text = "services:\n  x:\n    team: core\n    metadata:\n".to_owned();
        text += "      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
        for level in 1..levels {
            let below = format!("*a{}", level - 1);
            let many = vec![below; 10].join(", ");
            let _ = writeln!(text, "      a{level}: &a{level} [{many}]");
        }
        text
    };
    assert!(parse(&unfolding(2), Format::Yaml).is_ok());
    assert!(parse(&unfolding(10), Format::Yaml).is_err());
}

#[test]
fn a_null_needs_another_format_than_toml() {
    let declaration: Declaration = serde_json::from_value(json!({
        "services": {"x": {"team": "core", "metadata": {"y": null}}},
    }))
    .unwrap();
    assert!(
        write(&declaration, Format::Toml)
            .unwrap_err()
            .contains("--format yaml")
    );
    let yaml = write(&declaration, Format::Yaml).unwrap();
    assert_eq!(parse(&yaml, Format::Yaml), Ok(declaration));
}

#[test]
fn the_schema_is_whole() {
    let schema = schema();
    let text = schema.to_string();
    assert!(!text.contains("components/schemas"));
    let definitions = schema["$defs"].as_object().unwrap();
    for reference in text.split("\"#/$defs/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(definitions[name].is_object(), "{name}");
    }
    assert_eq!(schema["$defs"]["DeclaredTeam"]["required"], json!(["name"]));
    assert_eq!(
        schema["$defs"]["DeclaredTeam"]["additionalProperties"],
        json!(false)
    );
    assert!(definitions.len() < 15, "only what a declaration needs");
}
