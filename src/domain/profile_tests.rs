use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

/// What is kept of a profile that is set, or the fields that are refused.
fn set(name: &str, email: Option<&str>, timezone: Option<&str>) -> Result<SetProfile, Vec<String>> {
    let mut set = SetProfile {
        display_name: Some(name.to_owned()),
        email: email.map(ToOwned::to_owned),
        timezone: timezone.map(ToOwned::to_owned),
        ..SetProfile::new(now())
    };
    let mut invalid = Invalid::default();
    set.check(&mut invalid);
    let fields = |invalid: Invalid| invalid.0.into_iter().map(|error| error.field).collect();
    invalid.into_result(set).map_err(fields)
}

fn is_name(name: &str) -> bool {
    set(name, None, None).is_ok()
}

#[test]
fn names_of_all_scripts_are_names() {
    let longest = "é".repeat(MAX_NAME);
    for name in [
        "Sam",
        "Zoë Núñez-O’Hara",
        "김대라",
        "山田　太郎",
        "عمر حداد",
        "נועה לוי",
        "ශ්\u{200d}රී",
        "نیم\u{200c}فاصله",
        "Sam ❤\u{fe0f}",
        "👩\u{200d}🚀",
        "🏳\u{fe0f}\u{200d}🌈",
        "<b>Sam</b> & \"Co\"",
        longest.as_str(),
    ] {
        assert!(is_name(name), "{name:?}");
    }
    let trimmed = set("  Sam \u{a0} Okoye ", None, None).unwrap();
    assert_eq!(trimmed.display_name.as_deref(), Some("Sam Okoye"));
}

#[test]
fn what_cannot_be_shown_as_it_reads_is_no_name() {
    let (emoji, long) = ("🦀".repeat(100), "x".repeat(MAX_NAME + 1));
    for name in [
        "",
        " \u{3000} ",
        "Sam\nOkoye",
        "Sam\tOkoye",
        "Sam\u{2028}",
        "Sam\u{1b}[31m",
        "Sam\u{0}",
        "\u{202e}maS",
        "Sam\u{2066}x\u{2069}",
        "Sa\u{200b}m",
        "Sa\u{200d}m",
        "\u{200d}",
        "\u{feff}Sam",
        "So\u{ad}phie",
        "\u{3164}",
        "Sam\u{e0041}",
        "Sam\u{fe0f}",
        "UANARUIZ",
        emoji.as_str(),
        long.as_str(),
    ] {
        assert_eq!(
            set(name, None, None).map_err(|mut fields| {
                fields.dedup();
                fields
            }),
            Err(vec!["display_name".to_owned()]),
            "{name:?}"
        );
    }
}

#[test]
fn addresses_and_zones_are_plausible() {
    for email in [
        "sam@example.com",
        "sam.okoye+oncall@mail.example.co.uk",
        "o'hara@x.io",
        "zoë@müller.example",
        "sam@example.com ",
    ] {
        assert!(set("Sam", Some(email), None).is_ok(), "{email:?}");
    }
    let long = format!("{}@example.com", "x".repeat(65));
    for email in [
        "",
        "sam",
        "@example.com",
        "sam@",
        "sam@localhost",
        "sam@example..com",
        "sam@-example.com",
        "sam@exa mple.com",
        "sam@@example.com",
        "sam@example.com\nBcc: x@y.z",
        "Sam <sam@example.com>",
        "sa\u{202e}m@example.com",
        long.as_str(),
    ] {
        let refused = set("Sam", Some(email), None);
        assert_eq!(refused, Err(vec!["email".to_owned()]), "{email:?}");
    }
    assert!(set("Sam", None, Some("Africa/Lagos")).is_ok());
    let refused = set("Sam", None, Some("Lagos"));
    assert_eq!(refused, Err(vec!["timezone".to_owned()]));
}

#[test]
fn slacks_name_wins_while_slack_is_on_and_what_was_set_of_the_rest() {
    let mut profile = Profile::new("U1".parse().unwrap());
    assert_eq!(profile.name(true), None);
    let slack = SlackProfile {
        display_name: String::new(),
        account: Account::Bot,
        email: Some("sam@slack.example".to_owned()),
        timezone: Some("Asia/Tokyo".to_owned()),
        fetched_at: now(),
    };
    profile.slack = Some(slack);
    assert_eq!(profile.name(true), None, "Slack has told none");
    assert_eq!(profile.email(), Some("sam@slack.example"));
    profile.set = Some(SetProfile {
        display_name: Some("Sam".to_owned()),
        timezone: Some("Africa/Lagos".to_owned()),
        ..SetProfile::new(now())
    });
    assert_eq!(profile.name(true), Some(("Sam", NameSource::Set)));
    profile.slack.as_mut().unwrap().display_name = "sammy".to_owned();
    assert_eq!(profile.name(true), Some(("sammy", NameSource::Slack)));
    assert_eq!(profile.name(false), Some(("Sam", NameSource::Set)));
    assert_eq!(profile.timezone(), Some("Africa/Lagos"));
    assert_eq!(profile.email(), Some("sam@slack.example"));
    profile.set = None;
    assert_eq!(profile.name(false), Some(("sammy", NameSource::Slack)));
    assert_eq!(profile.account(), Account::Bot);
}

proptest! {
    #[test]
    fn a_name_that_is_kept_is_one_visible_line(name in ".{0,90}") {
        if let Ok(kept) = set(&name, None, None) {
            let kept = kept.display_name.unwrap();
            prop_assert!((1..=MAX_NAME).contains(&kept.chars().count()));
            let odd = ['\u{2028}', '\u{202e}', '\u{2066}', '\u{200b}'];
            let is_odd = |c: char| c.is_control() || odd.contains(&c);
            prop_assert!(!kept.contains(is_odd));
            prop_assert!(is_name(&kept), "checked again: {:?}", kept);
        }
    }

    #[test]
    fn names_of_others_become_such_that_could_be_set(name in "[\\PC\u{200b}-\u{202e}\n\t \u{fe0f}a]{0,99}") {
        let shown = presentable(&name);
        prop_assert!(shown.is_empty() || is_name(&shown) || shown.parse::<UserId>().is_ok(), "{:?}", shown);
    }
}
