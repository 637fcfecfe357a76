//! `[[webhook]]`: several sections of one name, from the file and from variables.

use super::super::{CliOverrides, Config};
use super::{load, message, of_env, of_file};

const KEY: &str = "whsec_b25jYWxsZCBzaG93cyB0aGlzIGFzIGFuIGV4YW1wbGU=";

/// A file with webhooks of these names and URLs.
fn file(webhooks: &[(&str, &str)]) -> String {
    let section = |(name, url): &(&str, &str)| {
        format!("[[webhook]]\nname = '{name}'\nurl = '{url}'\nsecrets = ['{KEY}']\n")
    };
    webhooks.iter().map(section).collect()
}

fn names(config: &Config) -> Vec<&str> {
    config
        .webhooks
        .iter()
        .map(|webhook| &*webhook.name)
        .collect()
}

#[test]
fn variables_make_webhooks_and_change_those_of_the_file() {
    let whole = |index: u32, name: &str| {
        [("NAME", name), ("URL", "https://a/"), ("SECRETS", KEY)].map(|(key, value)| {
            (
                format!("ONCALLD__WEBHOOK__{index}__{key}"),
                value.to_owned(),
            )
        })
    };
    let env: Vec<_> = (0..12)
        .flat_map(|index| whole(index, &format!("w{index}")))
        .collect();
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let config = of_env(&env).unwrap();
    assert_eq!(names(&config)[..3], ["w0", "w1", "w2"]);
    assert_eq!(config.webhooks.len(), 12);

    let file = file(&[("a", "https://a/"), ("b", "https://b/")]);
    let env = [
        ("ONCALLD__WEBHOOK__1__URL", "https://c/"),
        ("ONCALLD__WEBHOOK__1__EVENTS", "handoff"),
    ];
    let config = load(&file, &env, CliOverrides::default()).unwrap();
    assert_eq!(names(&config), ["a", "b"]);
    assert_eq!(config.webhooks[1].url.as_str(), "https://c/");
    assert_eq!(config.webhooks[1].events.len(), 1);
}

#[test]
fn a_mistake_in_a_webhook_is_named_with_its_place() {
    let second = |line: &str| format!("{}[[webhook]]\n{line}\n", file(&[("a", "https://a/")]));
    let cases = [
        (
            second("uri = 'https://b/'"),
            "my.toml:6:1: unknown key `webhook.1.uri`, did you mean `webhook.1.url`?",
        ),
        (
            second("name = 'B'"),
            "my.toml:6:8: webhook.1.name: invalid value: string \"B\", expected 1 to 40 lower \
             case letters, digits and hyphens",
        ),
        (
            second("name = 'b'"),
            "my.toml:5:1: webhook.1.url: is not set, expected an http or https URL without user \
             and fragment, such as \"https://example.com/oncall\"",
        ),
        (
            second(&format!(
                "name = 'a'\nurl = 'https://b/'\nsecrets = ['{KEY}']"
            )),
            "my.toml:6:8: webhook.1.name: `a` is another webhook's name too",
        ),
        (
            second("name = 'b'\nurl = 'https://b/'"),
            "my.toml:5:1: webhook.1.secrets: is not set, expected one to five, or \
             `webhook.1.secrets_file`",
        ),
        (
            second("events = ['handof']"),
            "my.toml:6:11: webhook.1.events: invalid value: string \"handof\", expected one of \
             \"handoff\", \"shift_started\", \"shift_ended\", \"override_requested\", \
             \"override_decided\", \"rotation_failed\", \"rotation_skipped\", \
             \"handoff_moved\", \"shift_reminder\", \"coverage_gap\", \"test\", \
             \"audit_checkpoint\"",
        ),
        (
            "[webhook]\nname = 'a'".to_owned(),
            "my.toml:1:1: webhook: found table, expected a section `[[webhook]]`",
        ),
        (
            "webhook = [1]".to_owned(),
            "my.toml:1:12: webhook.0: found integer, expected a section `[[webhook]]`",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(message(of_file(&file)), expected);
    }
}

#[test]
fn a_mistake_in_a_variable_of_a_webhook_is_named() {
    let cases = [
        (
            "ONCALLD__WEBHOOK__3__NAM",
            "ONCALLD__WEBHOOK__3__NAM: sets no known key, did you mean `ONCALLD__WEBHOOK__3__NAME`?",
        ),
        (
            "ONCALLD__WEBHOOK__URL",
            "ONCALLD__WEBHOOK__URL: sets no known key, did you mean `ONCALLD__WEBHOOK__0__URL`?",
        ),
        (
            "ONCALLD__WEBHOOK__01__URL",
            "ONCALLD__WEBHOOK__01__URL: sets no known key, did you mean `ONCALLD__WEBHOOK__0__URL`?",
        ),
        (
            "ONCALLD__WEBHOOK__100__URL",
            "ONCALLD__WEBHOOK__100__URL: sets no known key, did you mean `ONCALLD__WEBHOOK__0__URL`?",
        ),
        (
            "ONCALLD__WEBHOOK__1__URL",
            "ONCALLD__WEBHOOK__1__URL: webhook.0.name: is not set, expected 1 to 40 lower case \
             letters, digits and hyphens",
        ),
    ];
    for (name, expected) in cases {
        let found = message(of_env(&[(name, "https://a/")]));
        assert_eq!(found, format!("environment variable {expected}"));
    }
}

#[test]
fn a_webhook_over_plain_http_stays_on_this_host_or_in_a_private_network() {
    for (url, private, valid) in [
        ("https://a.example/x?y=z", false, true),
        ("https://10.0.0.1/", false, true), // refused when it is connected to
        ("http://localhost:1/", false, true),
        ("http://127.0.0.2/", false, true),
        ("http://[::1]:80/", false, true),
        ("http://a.example/", false, false),
        ("http://10.0.0.1/", false, false),
        ("http://10.0.0.1/", true, true),
        ("http://localhost.a.example/", false, false),
        ("https://user@a.example/", false, false),
        ("https://:word@a.example/", false, false),
        ("https://a.example/#x", false, false),
        ("ftp://localhost/", true, false),
        ("/x", true, false),
        ("", true, false),
    ] {
        let file = file(&[("a", url)]) + &format!("allow_private_addresses = {private}");
        assert_eq!(of_file(&file).is_ok(), valid, "{url} {private}");
    }
}

#[test]
fn a_webhook_has_one_to_five_secrets_of_24_to_64_bytes() {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let secret = |byte: u8, length| format!("whsec_{}", BASE64_STANDARD.encode(vec![byte; length]));
    let with = |secrets: Vec<String>| {
        of_file(&format!(
            "[[webhook]]\nname = 'a'\nurl = 'https://a/'\nsecrets = {secrets:?}"
        ))
    };
    for (length, valid) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
        assert_eq!(with(vec![secret(1, length)]).is_ok(), valid, "{length}");
    }
    for (count, valid) in [(0, false), (1, true), (5, true), (6, false)] {
        let secrets = (0..count).map(|byte| secret(byte, 32)).collect();
        assert_eq!(with(secrets).is_ok(), valid, "{count}");
    }
    assert!(with(vec![secret(1, 32), secret(1, 32)]).is_err());
    assert!(with(vec![secret(1, 32)["whsec_".len()..].to_owned()]).is_err());
}

#[test]
fn webhooks_and_the_list_of_sinks_agree() {
    assert_eq!(
        message(of_file("[notifications]\nsinks = ['webhook']")),
        "my.toml:2:9: notifications.sinks: names \"webhook\", but there is no [[webhook]]"
    );
    let webhook = file(&[("a", "https://a/")]);
    let remarks = |sinks: &str| {
        let config = of_file(&format!("notifications.sinks = {sinks}\n{webhook}")).unwrap();
        config.remarks()
    };
    assert!(remarks("['webhook']").is_empty());
    let [remark] = remarks("[]")[..] else {
        panic!()
    };
    assert!(remark.starts_with("notifications.sinks does not name \"webhook\""));
    assert_eq!(remarks("['slack']").len(), 2);
}
