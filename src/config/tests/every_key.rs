//! Walks over every key: documented, readable, with its default, settable by its variable.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::super::keys::{self, Keys};
use super::super::layers::SHIPPED;
use super::super::{CliOverrides, Config, ConfigError, Webhook};
use super::{message, of_env, of_file};
use crate::domain::notification::Event;
use crate::secret::Secret;

const ONE_KEY: &str = "whsec_b25jYWxsZCBzaG93cyB0aGlzIGFzIGFuIGV4YW1wbGU=";
const TWO_KEYS: &str = "whsec_b25jYWxsZCBzaG93cyB0aGlzIGFzIGFuIGV4YW1wbGU=,\
                        whsec_YW5kIHRoaXMgaXMgdGhlIHNlY29uZCBvbmUgb2YgdGhlbQ==";

fn without_secret_files(file: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.toml");
    fs::write(&path, file).unwrap();
    Config::load_without_secret_files(Some(&path), std::iter::empty(), CliOverrides::default())
}

fn secret(secret: Option<&Secret>) -> String {
    secret.map_or("", Secret::expose).to_owned()
}

fn webhook(config: &Config, field: fn(&Webhook) -> String) -> String {
    config.webhooks.first().map(field).unwrap_or_default()
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

/// The lines of the shipped file that describe a `[[webhook]]`, from its header on.
fn webhook_lines() -> Vec<String> {
    let lines = SHIPPED.lines().map(keys::uncomment);
    let lines = lines.map(|line| line.trim_end().to_owned());
    let lines = lines.skip_while(|line| line != "[[webhook]]");
    lines.filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn each_line_of_the_shipped_file_can_be_left_out_or_put_in() {
    let (plain, _) = SHIPPED.split_once("#[[webhook]]").unwrap();
    let all: Vec<_> = plain.lines().collect();
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
                without_secret_files(&lines.join("\n")).unwrap(),
                Config::default(),
                "with {line}"
            );
        }
    }
}

#[test]
fn a_webhook_of_the_shipped_file_holds_and_each_key_has_the_default_that_is_documented() {
    let lines = webhook_lines();
    let is_key = |line: &str, key: &str| line.starts_with(&format!("{key} ="));
    let in_keys = lines.iter().filter(|line| !is_key(line, "secrets_file"));
    let in_keys: Vec<_> = in_keys.map(String::as_str).collect();
    let whole = of_file(&in_keys.join("\n")).unwrap().webhooks.remove(0);
    assert!(whole.name == "pager" && whole.secrets.len() == 1 && whole.events.len() == 2);
    for (at, line) in in_keys.iter().enumerate().skip(1) {
        let mut lines = in_keys.clone();
        lines.remove(at);
        let loaded = of_file(&lines.join("\n"));
        if ["name", "url", "secrets"]
            .iter()
            .any(|key| is_key(line, key))
        {
            let key = line.split_once(" =").unwrap().0;
            let expected = format!("webhook.0.{key}: is not set, expected ");
            let message = message(loaded);
            assert!(message.contains(&expected), "without {line}: {message}");
        } else if is_key(line, "events") {
            let all = Event::ALL.iter().copied();
            let unnamed: Vec<_> = all
                .filter(|event| *event != Event::AuditCheckpoint)
                .collect();
            assert_eq!(loaded.unwrap().webhooks[0].events, unnamed);
        } else if !line.is_empty() {
            assert_eq!(loaded.unwrap().webhooks[0], whole, "without {line}");
        }
    }
    let in_file = lines.iter().filter(|line| !is_key(line, "secrets"));
    let in_file: Vec<_> = in_file.map(String::as_str).collect();
    without_secret_files(&in_file.join("\n")).unwrap();
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
    let keys = Keys::documented_in(SHIPPED).unwrap();
    let all = fields("").into_iter().flat_map(|section| {
        let (header, path) = if keys.is_list_of_sections(&section) {
            (format!("[[{section}]]"), format!("{section}.0"))
        } else {
            (format!("[{section}]"), section)
        };
        let fields = fields(&header).into_iter();
        fields.map(move |field| format!("{path}.{field}"))
    });
    assert_eq!(all.collect::<Vec<_>>(), keys.paths().collect::<Vec<_>>());

    let mut prose = String::new();
    for line in SHIPPED.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            prose = prose + text + "\n";
        } else if let Some((key, value)) = line.split_once(" = ") {
            let said = prose.contains(&format!("Default: {value}"));
            let unset = ["Default: not set", "Required"];
            let said_unset = unset.iter().any(|text| prose.contains(text));
            assert!(said || (line.starts_with('#') && said_unset), "{key}");
            prose.clear();
        }
    }
}

type Field = fn(&Config) -> String;

/// Each key, a value for its variable, and how it shows in the configuration.
const TABLE: &[(&str, &str, &str, Field)] = &[
    (
        "audit.checkpoint_dir",
        "/var/lib/checkpoints",
        "/var/lib/checkpoints",
        |c| {
            c.audit
                .checkpoint_dir
                .as_ref()
                .map_or_else(String::new, |dir| dir.display().to_string())
        },
    ),
    ("auth.anonymous_read", "true", "Some(true)", |c| {
        format!("{:?}", c.auth.anonymous_read)
    }),
    ("auth.failed_attempts_per_minute", "7", "7", |c| {
        c.auth.failed_attempts_per_minute.to_string()
    }),
    ("auth.requests_per_minute", "600", "Some(600)", |c| {
        format!("{:?}", c.auth.requests_per_minute)
    }),
    ("auth.token_days", "90", "90", |c| {
        c.auth.token_days.to_string()
    }),
    ("backup.cron", "5 4 * * 0", "5 4 * * 0", |c| {
        c.backup.cron.as_str().to_owned()
    }),
    ("backup.dir", "/var/backups", "/var/backups", |c| {
        c.backup
            .dir
            .as_ref()
            .map_or_else(String::new, |dir| dir.display().to_string())
    }),
    ("backup.keep", "3", "3", |c| c.backup.keep.to_string()),
    ("log.format", "json", "Json", |c| {
        format!("{:?}", c.log.format)
    }),
    (
        "log.level",
        "warn,oncalld::store=TRACE",
        "warn,oncalld::store=TRACE",
        |c| c.log.level.as_str().to_owned(),
    ),
    ("notifications.backoff_seconds", "1, 2", "[1, 2]", |c| {
        format!("{:?}", c.notifications.backoff_seconds)
    }),
    ("notifications.keep_days", "1", "1", |c| {
        c.notifications.keep_days.to_string()
    }),
    ("notifications.max_attempts", "1", "1", |c| {
        c.notifications.max_attempts.to_string()
    }),
    ("notifications.reminder_hours", "0", "0", |c| {
        c.notifications.reminder_hours.to_string()
    }),
    (
        "notifications.sinks",
        "slack, plugin:teams",
        "slack+plugin:teams",
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
    ("server.forwarded_header", "forwarded", "Forwarded", |c| {
        format!("{:?}", c.server.forwarded_header)
    }),
    ("server.listen", "[::1]:1", "[::1]:1", |c| {
        c.server.listen.to_string()
    }),
    ("server.max_body_kb", "16", "16", |c| {
        c.server.max_body_kb.to_string()
    }),
    ("server.max_connections", "16", "16", |c| {
        c.server.max_connections.to_string()
    }),
    ("server.max_connections_per_address", "16", "16", |c| {
        c.server.max_connections_per_address.to_string()
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
    ("server.socket", "false", "false", |c| {
        c.server.socket.to_string()
    }),
    (
        "server.tls_cert_file",
        "/etc/c.pem",
        "Some((\"/etc/c.pem\", \"/etc/k.pem\"))",
        |c| format!("{:?}", c.server.tls_files()),
    ),
    (
        "server.tls_key_file",
        "/etc/k.pem",
        "Some((\"/etc/c.pem\", \"/etc/k.pem\"))",
        |c| format!("{:?}", c.server.tls_files()),
    ),
    (
        "server.trusted_proxies",
        "10.0.0.0/8, ::1",
        "[10.0.0.0/8, ::1/128]",
        |c| format!("{:?}", c.server.trusted_proxies),
    ),
    (
        "slack.admins",
        "U1,W2",
        "[UserId(\"U1\"), UserId(\"W2\")]",
        |c| format!("{:?}", c.slack.admins),
    ),
    (
        "slack.api_base_url",
        "http://127.0.0.1:1/api",
        "http://127.0.0.1:1/api",
        |c| c.slack.api_base_url.as_str().to_owned(),
    ),
    ("slack.app_token", "xo-1", "xo-1", |c| {
        secret(c.slack.app_token.as_ref())
    }),
    ("slack.app_token_file", "FILE", "in-file", |c| {
        secret(c.slack.app_token.as_ref())
    }),
    ("slack.bot_token", "xo-1", "xo-1", |c| {
        secret(c.slack.bot_token.as_ref())
    }),
    ("slack.bot_token_file", "FILE", "in-file", |c| {
        secret(c.slack.bot_token.as_ref())
    }),
    ("slack.max_per_second", "1", "1", |c| {
        c.slack.max_per_second.to_string()
    }),
    ("slack.signing_secret", "5ec", "5ec", |c| {
        secret(c.slack.signing_secret.as_ref())
    }),
    ("slack.signing_secret_file", "FILE", "in-file", |c| {
        secret(c.slack.signing_secret.as_ref())
    }),
    ("slack.socket_mode", "true", "true", |c| {
        c.slack.socket_mode.to_string()
    }),
    ("slack.sync_minutes", "1440", "1440", |c| {
        c.slack.sync_minutes.to_string()
    }),
    ("slack.user_token", "xo-1", "xo-1", |c| {
        secret(c.slack.user_token.as_ref())
    }),
    ("slack.user_token_file", "FILE", "in-file", |c| {
        secret(c.slack.user_token.as_ref())
    }),
    ("webhook.0.allow_private_addresses", "true", "true", |c| {
        webhook(c, |w| w.allow_private_addresses.to_string())
    }),
    (
        "webhook.0.events",
        "handoff, coverage_gap",
        "[Handoff, CoverageGap]",
        |c| webhook(c, |w| format!("{:?}", w.events)),
    ),
    ("webhook.0.max_per_second", "51", "51", |c| {
        webhook(c, |w| w.max_per_second.to_string())
    }),
    ("webhook.0.name", "ops-2", "ops-2", |c| {
        webhook(c, |w| w.name.clone())
    }),
    ("webhook.0.secrets", TWO_KEYS, "2", |c| {
        webhook(c, |w| w.secrets.len().to_string())
    }),
    ("webhook.0.secrets_file", "KEYS", "2", |c| {
        webhook(c, |w| w.secrets.len().to_string())
    }),
    ("webhook.0.url", "https://a/b?c", "https://a/b?c", |c| {
        webhook(c, |w| w.url.to_string())
    }),
];

#[test]
fn every_key_can_be_set_by_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file_of = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let file = file_of("token", "  in-file\n");
    let keys_file = file_of("keys", &TWO_KEYS.replace(',', "\n\n"));
    let keys = Keys::documented_in(SHIPPED).unwrap();
    assert!(
        keys.paths().eq(TABLE.iter().map(|(path, ..)| *path)),
        "a key is missing here"
    );
    for (path, value, expected, field) in TABLE {
        let value = match *value {
            "FILE" => &file,
            "KEYS" => &keys_file,
            value => value,
        };
        let mut env = BTreeMap::from([(keys::variable(path), value)]);
        if path.starts_with("webhook.") {
            for (name, needed) in [
                ("NAME", "w"),
                ("URL", "http://localhost/"),
                ("SECRETS", ONE_KEY),
            ] {
                let is_set = *path == "webhook.0.secrets_file" && name == "SECRETS";
                if !is_set {
                    env.entry(format!("ONCALLD__WEBHOOK__0__{name}"))
                        .or_insert(needed);
                }
            }
        }
        if path.starts_with("server.tls_") {
            for (name, file) in [("CERT", "/etc/c.pem"), ("KEY", "/etc/k.pem")] {
                env.insert(format!("ONCALLD__SERVER__TLS_{name}_FILE"), file);
            }
        }
        if *path == "slack.socket_mode" {
            env.insert("ONCALLD__SLACK__APP_TOKEN".to_owned(), "xapp");
            env.insert("ONCALLD__SLACK__BOT_TOKEN".to_owned(), "xoxb");
        }
        let env: Vec<_> = env.iter().map(|(name, value)| (&**name, *value)).collect();
        let config = of_env(&env).unwrap();
        assert_eq!(field(&config), *expected, "{path}");
        assert_ne!(
            field(&Config::default()),
            *expected,
            "{path}: the test proves nothing"
        );
    }
}
