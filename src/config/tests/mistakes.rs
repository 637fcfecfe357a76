//! What a wrong file or variable is answered: the place, the key, and what was expected.

use std::path::Path;

use super::super::layers::SHIPPED;
use super::super::{CliOverrides, Config};
use super::{message, of_env, of_file};

#[test]
fn a_wrong_key_is_named_with_its_place_and_a_near_miss() {
    let cases = [
        (
            "[server]\n\n  lisen = '127.0.0.1:1'",
            "my.toml:3:3: unknown key `server.lisen`, did you mean `server.listen`?",
        ),
        (
            "[sever]\nlisten = 1",
            "my.toml:1:2: unknown section `sever`, did you mean `server`?",
        ),
        (
            "[auth]\nrequire_approval = true",
            "my.toml:2:1: unknown key `auth.require_approval`, did you mean `overrides.require_approval`?",
        ),
        (
            "listen = 1",
            "my.toml:1:1: unknown key `listen`, did you mean `server.listen`?",
        ),
        (
            "[log]\ncolour = true",
            "my.toml:2:1: unknown key `log.colour`, expected one of `log.format`, `log.level`",
        ),
        (
            "[monitoring]\nport = 1",
            "my.toml:1:2: unknown section `monitoring`, expected one of `audit`, `auth`, `backup`, `log`, \
             `notifications`, `overrides`, `plugins`, `rotation`, `server`, `slack`, `webhook`",
        ),
        (
            "server = 3",
            "my.toml:1:10: server: found integer, expected a section `[server]`",
        ),
        (
            "[[server]]\nlisten = 'x'",
            "my.toml:1:1: server: found array, expected a section `[server]`",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(message(of_file(file)), expected);
    }
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_was_expected() {
    let cases = [
        (
            "[log]\n[rotation]\nlookahead_weeks = 99",
            "my.toml:3:19: rotation.lookahead_weeks: invalid value: integer `99`, expected a whole number from 1 to 52",
        ),
        (
            "rotation.lookahead_weeks = -1",
            "my.toml:1:28: rotation.lookahead_weeks: invalid value: integer `-1`, expected a whole number from 1 to 52",
        ),
        (
            "[rotation]\nlookahead_weeks = 'two'",
            "my.toml:2:19: rotation.lookahead_weeks: invalid type: string \"two\", expected a whole number from 1 to 52",
        ),
        (
            "[overrides]\nrequire_approval = 'yes'",
            "my.toml:2:20: overrides.require_approval: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "[auth]\nanonymous_read = 1",
            "my.toml:2:18: auth.anonymous_read: invalid type: integer `1`, expected a boolean",
        ),
        (
            "[rotation]\non_plugin_error = 'skip'",
            "my.toml:2:19: rotation.on_plugin_error: invalid value: string \"skip\", expected \"round_robin\" or \"hold\"",
        ),
        (
            "[notifications]\nsinks = [\n  'slack',\n  'pager',\n]",
            "my.toml:4:3: notifications.sinks: invalid value: string \"pager\", expected \"slack\", \"webhook\" or \"plugin:<name>\"",
        ),
        (
            "[notifications]\nsinks = ['slack', 'webhook', 'slack']",
            "my.toml:2:9: notifications.sinks: item 3 repeats another, expected each at most once",
        ),
        (
            "[notifications]\nsinks = 'slack'",
            "my.toml:2:9: notifications.sinks: invalid type: string \"slack\", expected a list, each item \"slack\", \"webhook\" or \"plugin:<name>\"",
        ),
        (
            "[notifications]\nbackoff_seconds = []",
            "my.toml:2:19: notifications.backoff_seconds: invalid length 0, expected a list of whole numbers from 1 to 86400, at least one",
        ),
        (
            "[notifications]\nbackoff_seconds = [1, 0]",
            "my.toml:2:23: notifications.backoff_seconds: invalid value: integer `0`, expected a whole number from 1 to 86400",
        ),
        (
            "[slack]\nadmins = ['sam']",
            "my.toml:2:11: slack.admins: invalid value: string \"sam\", expected a Slack user id: U or W, then capital letters and digits, 2 to 20 characters in all",
        ),
        (
            "[slack]\napi_base_url = 'http://slack.com/api'",
            "my.toml:2:16: slack.api_base_url: is plain http to another host, expected https",
        ),
        (
            "[server]\n[slack]\nsocket_mode = true",
            "my.toml:3:15: slack.socket_mode: is true, but `slack.app_token` is not set: Socket Mode is opened with an app-level token",
        ),
        (
            "[server]\nlisten = 'localhost:8460'",
            "my.toml:2:10: server.listen: invalid value: string \"localhost:8460\", expected an IP address with a port, such as \"127.0.0.1:8460\"",
        ),
        (
            "[server]\nlisten = 8460",
            "my.toml:2:10: server.listen: invalid type: integer `8460`, expected an IP address with a port, such as \"127.0.0.1:8460\"",
        ),
        (
            "[server]\ntls_cert_file = 'c.pem'",
            "my.toml:2:17: server.tls_cert_file: is set, but `server.tls_key_file` is not: TLS takes both",
        ),
        (
            "[server]\ntrusted_proxies = ['10.0.0.0/40']",
            "my.toml:2:20: server.trusted_proxies: invalid value: string \"10.0.0.0/40\", expected an IP address or a network, such as \"10.0.0.0/8\"",
        ),
        (
            "[server]\ndata_dir = ''",
            "my.toml:2:12: server.data_dir: invalid value: string \"\", expected a path",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(message(of_file(file)), expected);
    }
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_place() {
    let cases = [
        (
            "[log]\r\nlevel = debug",
            "my.toml:2:9: not valid TOML: string values must be quoted, expected literal string",
        ),
        (
            "[log]\nlevel = 'é', format",
            "my.toml:2:12: not valid TOML: unexpected key or value, expected newline, `#`",
        ),
        (
            "[log]\nlevel = 'a'\nlevel = 'b'",
            "my.toml:3:1: not valid TOML: duplicate key",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(message(of_file(file)), expected);
    }
}

#[test]
fn bounds_are_kept_at_both_ends() {
    let bounds = [
        ("server.max_body_kb", 1, 65_536),
        ("server.max_connections", 16, 1_000_000),
        ("server.max_connections_per_address", 1, 1_000_000),
        ("server.shutdown_seconds", 1, 9),
        ("backup.keep", 1, 10_000),
        ("auth.failed_attempts_per_minute", 1, 10_000),
        ("rotation.lookahead_weeks", 1, 52),
        ("notifications.max_attempts", 1, 100),
        ("notifications.reminder_hours", 0, 168),
        ("notifications.keep_days", 1, 3_650),
        ("slack.sync_minutes", 1, 1_440),
        ("slack.max_per_second", 1, 1_000),
    ];
    for (path, min, max) in bounds {
        for (value, valid) in [(min - 1, false), (min, true), (max, true), (max + 1, false)] {
            assert_eq!(
                of_file(&format!("{path} = {value}")).is_ok(),
                valid,
                "{path} = {value}"
            );
        }
        let documented = SHIPPED.contains(&format!("From {min} to {max}."));
        assert!(documented, "config.toml doesn't say the bounds of {path}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let cases = [
        (
            ("ONCALLD__ROTATION__LOOKAHEAD_WEEKS", "99"),
            "environment variable ONCALLD__ROTATION__LOOKAHEAD_WEEKS: invalid value: integer `99`, expected a whole number from 1 to 52",
        ),
        (
            ("ONCALLD__ROTATION__LOOKAHEAD_WEEKS", "many"),
            "environment variable ONCALLD__ROTATION__LOOKAHEAD_WEEKS: invalid type: string \"many\", expected a whole number from 1 to 52",
        ),
        (
            ("ONCALLD__NOTIFICATIONS__SINKS", "slack,pager"),
            "environment variable ONCALLD__NOTIFICATIONS__SINKS: invalid value: string \"pager\", expected \"slack\", \"webhook\" or \"plugin:<name>\"",
        ),
        (
            ("ONCALLD__NOTIFICATIONS__BACKOFF_SECONDS", "5,soon"),
            "environment variable ONCALLD__NOTIFICATIONS__BACKOFF_SECONDS: invalid type: string \"soon\", expected a whole number from 1 to 86400",
        ),
        (
            ("ONCALLD__SLACK__SOCKET_MODE", "true"),
            "environment variable ONCALLD__SLACK__SOCKET_MODE: slack.socket_mode: is true, but `slack.app_token` is not set: Socket Mode is opened with an app-level token",
        ),
        (
            ("ONCALLD__SERVER__LISTN", "x"),
            "environment variable ONCALLD__SERVER__LISTN: sets no known key, did you mean `ONCALLD__SERVER__LISTEN`?",
        ),
        (
            ("ONCALLD__server__listen", "x"),
            "environment variable ONCALLD__server__listen: sets no known key, did you mean `ONCALLD__SERVER__LISTEN`?",
        ),
        (
            ("ONCALLD__LOG", "info"),
            "environment variable ONCALLD__LOG: sets no known key, expected one of `ONCALLD__LOG__FORMAT`, `ONCALLD__LOG__LEVEL`",
        ),
    ];
    for (variable, expected) in cases {
        assert_eq!(message(of_env(&[variable])), expected);
    }
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let path = Path::new("/nonexistent/oncalld.toml");
    let error = Config::load(Some(path), std::iter::empty(), CliOverrides::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the config file /nonexistent/oncalld.toml: ")
    );
}

#[test]
fn log_levels_are_checked_where_tracing_would_take_a_typo_for_a_target() {
    for (level, valid) in [
        ("info", true),
        ("WARN", true),
        ("off", true),
        ("info,oncalld::store=debug,hyper=off", true),
        ("warning", false),
        ("oncalld", false),
        ("", false),
        ("info,", false),
        ("a=b", false),
        ("=info", false),
        ("info, a=warn", false),
    ] {
        assert_eq!(
            of_file(&format!("log.level = '{level}'")).is_ok(),
            valid,
            "{level}"
        );
    }
}
