//! The configuration as its users meet it: the shipped file, files, variables, flags.

mod every_key;
mod mistakes;
mod secrets;
mod webhooks;

use std::fs;
use std::path::{Path, PathBuf};

use super::{CliOverrides, Config, ConfigError};

fn load(file: &str, env: &[(&str, &str)], cli: CliOverrides) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    fs::write(&path, file).unwrap();
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), env, cli)
}

fn of_file(file: &str) -> Result<Config, ConfigError> {
    load(file, &[], CliOverrides::default())
}

fn of_env(env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load("", env, CliOverrides::default())
}

/// The message of an error, without the folder of the file.
fn message(loaded: Result<Config, ConfigError>) -> String {
    let message = loaded.unwrap_err().to_string();
    message
        .split_once("/my.toml")
        .map_or(message.clone(), |(_, rest)| format!("my.toml{rest}"))
}

#[test]
fn the_command_line_wins_over_variables_over_the_file_over_the_defaults() {
    let file = "[server]\nlisten = '127.0.0.2:2'\ndata_dir = 'file'\nmax_body_kb = 2\n";
    let env = [
        ("ONCALLD__SERVER__LISTEN", "127.0.0.3:3"),
        ("ONCALLD__SERVER__DATA_DIR", "env"),
    ];
    let cli = CliOverrides {
        listen: "127.0.0.4:4".parse().ok(),
        data_dir: None,
    };
    let server = load(file, &env, cli).unwrap().server;
    assert_eq!(server.listen.to_string(), "127.0.0.4:4");
    assert_eq!(server.data_dir, Path::new("env"));
    assert_eq!(server.max_body_kb, 2);
    assert_eq!(server.shutdown_seconds, 8);
    let cli = CliOverrides {
        listen: None,
        data_dir: Some(PathBuf::from("cli")),
    };
    assert_eq!(
        load(file, &env, cli).unwrap().server.data_dir,
        Path::new("cli")
    );
}

#[test]
fn variables_take_toml_or_plain_text_as_the_key_wants_it() {
    let sinks = |text| {
        of_env(&[("ONCALLD__NOTIFICATIONS__SINKS", text)]).map(|c| c.notifications.sinks.len())
    };
    for (text, count) in [
        ("", 0),
        ("[]", 0),
        ("slack", 1),
        ("slack,plugin:x", 2),
        ("['slack', 'plugin:x']", 2),
    ] {
        assert_eq!(sinks(text).unwrap(), count, "{text}");
    }
    let hosts = of_env(&[("ONCALLD__SERVER__ALLOWED_HOSTS", "[fd00::5]")])
        .unwrap()
        .expected_hosts();
    assert!(hosts.accepts("[fd00::5]:8460"));
    let text = of_env(&[("ONCALLD__SERVER__DATA_DIR", "2026")])
        .unwrap()
        .server
        .data_dir;
    assert_eq!(text, Path::new("2026"));
}

#[test]
fn variables_of_the_command_line_and_of_others_are_left_alone() {
    let env = [
        ("ONCALLD_URL", "x"),
        ("ONCALLD_TOKEN", "y"),
        ("PATH", "/bin"),
        ("SERVER__LISTEN", "z"),
    ];
    assert_eq!(of_env(&env).unwrap(), Config::default());
}

#[test]
fn anonymous_reading_is_for_loopback_unless_configured() {
    for (listen, by_default) in [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("10.0.0.1:1", false),
    ] {
        let file = format!("server.listen = '{listen}'\n");
        assert_eq!(
            of_file(&file).unwrap().anonymous_read(),
            by_default,
            "{listen}"
        );
        for configured in [true, false] {
            let file = format!("{file}auth.anonymous_read = {configured}");
            assert_eq!(
                of_file(&file).unwrap().anonymous_read(),
                configured,
                "{listen}"
            );
        }
    }
}
