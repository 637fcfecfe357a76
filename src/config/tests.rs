//! The configuration as its users meet it: the shipped file, files, variables, flags.

mod mistakes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::keys::{self, Keys};
use super::layers::SHIPPED;
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
fn no_file_the_shipped_file_and_one_all_commented_out_are_the_same() {
    let defaults = Config::default();
    assert_eq!(
        Config::load(None, std::iter::empty(), CliOverrides::default()).unwrap(),
        defaults
    );
    assert_eq!(of_file("").unwrap(), defaults);
    assert_eq!(of_file(SHIPPED).unwrap(), defaults);
    let commented = SHIPPED.replace('\n', "\n#");
    assert_eq!(of_file(&commented).unwrap(), defaults);
}

#[test]
fn each_line_of_the_shipped_file_can_be_left_out_or_put_in() {
    let all: Vec<_> = SHIPPED.lines().collect();
    for (at, line) in all.iter().enumerate() {
        let mut lines = all.clone();
        let uncommented = keys::uncomment(line);
        if uncommented.trim_end() == *line {
            // A section's header stays, or its keys would be another's.
            lines[at] = if line.starts_with('[') { line } else { "" };
            assert_eq!(
                of_file(&lines.join("\n")).unwrap(),
                Config::default(),
                "without {line}"
            );
        } else {
            lines[at] = &uncommented;
            assert_ne!(
                of_file(&lines.join("\n")).unwrap(),
                Config::default(),
                "with {line}"
            );
        }
    }
}

#[test]
fn the_shipped_file_names_every_key_that_can_be_read_and_says_its_default() {
    let fields = |table: &str| -> BTreeSet<String> {
        let error = toml::from_str::<Config>(&format!("{table}\nnonsense = 1")).unwrap_err();
        let names = error
            .message()
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned);
        names.collect()
    };
    let sections = fields("");
    let all = sections.iter().flat_map(|section| {
        fields(&format!("[{section}]"))
            .into_iter()
            .map(move |field| format!("{section}.{field}"))
    });
    let keys = Keys::documented_in(SHIPPED).unwrap();
    assert_eq!(all.collect::<Vec<_>>(), keys.paths().collect::<Vec<_>>());

    let mut prose = String::new();
    for line in SHIPPED.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            prose = prose + text + "\n";
        } else if let Some((key, value)) = line.split_once(" = ") {
            let said = prose.contains(&format!("Default: {value}"));
            assert!(
                said || (line.starts_with('#') && prose.contains("Default: not set")),
                "{key}"
            );
            prose.clear();
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line or more a key")]
fn every_key_can_be_set_by_its_variable() {
    type Field = fn(&Config) -> String;
    let table: [(&str, &str, &str, Field); 21] = [
        ("auth.anonymous_read", "true", "Some(true)", |c| {
            format!("{:?}", c.auth.anonymous_read)
        }),
        ("auth.failed_attempts_per_minute", "7", "7", |c| {
            c.auth.failed_attempts_per_minute.to_string()
        }),
        ("log.format", "json", "Json", |c| {
            format!("{:?}", c.log.format)
        }),
        (
            "log.level",
            "warn,oncalld::store=TRACE",
            "warn,oncalld::store=TRACE",
            |c| c.log.level.as_str().to_owned(),
        ),
        (
            "notifications.sinks",
            "webhook, plugin:teams",
            "webhook+plugin:teams",
            |c| {
                c.notifications
                    .sinks
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("+")
            },
        ),
        ("overrides.require_approval", "true", "true", |c| {
            c.overrides.require_approval.to_string()
        }),
        ("plugins.allowed_hosts", "*", "[Any]", |c| {
            format!("{:?}", c.plugins.allowed_hosts)
        }),
        ("plugins.cache_dir", "/c", "Some(\"/c\")", |c| {
            format!("{:?}", c.plugins.cache_dir)
        }),
        ("plugins.dir", "/p", "/p", |c| {
            c.plugins.dir.display().to_string()
        }),
        ("plugins.fuel", "5000", "5000", |c| {
            c.plugins.fuel.to_string()
        }),
        ("plugins.max_memory_mb", "16", "16", |c| {
            c.plugins.max_memory_mb.to_string()
        }),
        (
            "plugins.private_hosts",
            "chat.lan:8443",
            "[\"chat.lan:8443\"]",
            |c| {
                let hosts = c.plugins.private_hosts.iter();
                format!("{:?}", hosts.map(ToString::to_string).collect::<Vec<_>>())
            },
        ),
        ("plugins.timeout_ms", "250", "250", |c| {
            c.plugins.timeout_ms.to_string()
        }),
        ("rotation.lookahead_weeks", "52", "52", |c| {
            c.rotation.lookahead_weeks.to_string()
        }),
        ("rotation.on_plugin_error", "hold", "Hold", |c| {
            format!("{:?}", c.rotation.on_plugin_error)
        }),
        (
            "server.allowed_hosts",
            "[\"a.example\", \"b:80\"]",
            "true true false",
            |c| {
                let hosts = c.expected_hosts();
                ["A.example:1", "b:80", "b:81"]
                    .map(|host| hosts.accepts(host).to_string())
                    .join(" ")
            },
        ),
        ("server.data_dir", "/var/lib/42", "/var/lib/42", |c| {
            c.server.data_dir.display().to_string()
        }),
        ("server.listen", "[::1]:1", "[::1]:1", |c| {
            c.server.listen.to_string()
        }),
        ("server.max_body_kb", "16", "16", |c| {
            c.server.max_body_kb.to_string()
        }),
        ("server.public_url", "http://oncall", "http://oncall", |c| {
            c.server
                .public_url
                .as_ref()
                .map_or("", |url| url.as_str())
                .to_owned()
        }),
        ("server.shutdown_seconds", "1", "1", |c| {
            c.server.shutdown_seconds.to_string()
        }),
    ];
    let keys = Keys::documented_in(SHIPPED).unwrap();
    assert!(
        keys.paths().eq(table.iter().map(|(path, ..)| *path)),
        "a key is missing here"
    );
    for (path, value, expected, field) in table {
        let config = of_env(&[(&keys::variable(path), value)]).unwrap();
        assert_eq!(field(&config), expected, "{path}");
        assert_ne!(
            field(&Config::default()),
            expected,
            "{path}: the test proves nothing"
        );
    }
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
        ("slack,webhook", 2),
        ("['slack', 'webhook']", 2),
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
