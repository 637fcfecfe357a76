//! Secrets come from keys or files, and are shown nowhere.

use std::fs;

use super::super::keys::{self, Keys};
use super::super::layers::SHIPPED;
use super::super::{CliOverrides, Config};
use super::{load, message, of_env, of_file};

#[test]
fn a_secret_comes_from_its_file_without_the_blanks_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot");
    fs::write(&path, "\n xoxb-1 \r\n").unwrap();
    let file = format!("[slack]\nbot_token_file = '{}'", path.display());
    let token = of_file(&file).unwrap().slack.bot_token.unwrap();
    assert_eq!(token.expose(), "xoxb-1");
}

#[test]
fn a_file_without_the_secret_is_named_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot");
    let name = path.display();
    let file = format!("[slack]\nbot_token_file = '{name}'");
    let place = "my.toml:2:18: slack.bot_token_file:";
    assert_eq!(
        message(of_file(&file)),
        format!("{place} cannot read {name}: No such file or directory (os error 2)")
    );
    fs::write(&path, " \n").unwrap();
    assert_eq!(message(of_file(&file)), format!("{place} {name} is empty"));
    fs::write(&path, "two words").unwrap();
    assert_eq!(
        message(of_file(&file)),
        format!("{place} {name}: expected letters, digits and punctuation without blanks")
    );
    let env = [("ONCALLD__SLACK__BOT_TOKEN_FILE", "/nonexistent/bot")];
    assert_eq!(
        message(of_env(&env)),
        "environment variable ONCALLD__SLACK__BOT_TOKEN_FILE: slack.bot_token_file: cannot read \
         /nonexistent/bot: No such file or directory (os error 2)"
    );
}

#[test]
fn a_secret_is_not_given_twice() {
    let file = "[slack]\napp_token_file = 'f'\n";
    let env = [("ONCALLD__SLACK__APP_TOKEN", "xapp-hush")];
    assert_eq!(
        message(load(file, &env, CliOverrides::default())),
        "environment variable ONCALLD__SLACK__APP_TOKEN: slack.app_token: is set, and \
         so is `slack.app_token_file`: expected only one of them"
    );
}

#[test]
fn no_message_repeats_a_secret() {
    let cases = [
        (
            "[slack]\nbot_token = 'hush hush'",
            "my.toml:2:13: slack.bot_token: found a value (not shown), expected letters, digits \
             and punctuation without blanks",
        ),
        (
            "[slack]\nbot_token = ''",
            "my.toml:2:13: slack.bot_token: found a value (not shown), expected letters, digits \
             and punctuation without blanks",
        ),
        (
            "[slack]\nsigning_secret = 4711",
            "my.toml:2:18: slack.signing_secret: found integer (not shown), expected a string: \
             letters, digits and punctuation without blanks",
        ),
        (
            "[[webhook]]\nsecrets = 'whsec_hush'",
            "my.toml:2:11: webhook.0.secrets: found string (not shown), expected a list, each \
             item `whsec_` and the base64 of 24 to 64 bytes",
        ),
        (
            "[[webhook]]\nsecrets = ['whsec_hush']",
            "my.toml:2:11: webhook.0.secrets: found item 1 (not shown), expected `whsec_` and \
             the base64 of 24 to 64 bytes",
        ),
        (
            "[[webhook]]\nsecrets = [4711]",
            "my.toml:2:11: webhook.0.secrets: found item 1 (not shown), expected `whsec_` and \
             the base64 of 24 to 64 bytes",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(message(of_file(file)), expected);
    }
}

/// By `config check`, and by `Debug`, which a log line may use.
#[test]
fn nothing_that_shows_the_configuration_shows_a_secret() {
    const HUSH: &str = "aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2g=";
    let webhook = format!("whsec_{HUSH}");
    let secrets = ["token", "secret", "secrets", "password"];
    let keys = Keys::documented_in(SHIPPED).unwrap();
    let secret_keys = keys
        .paths()
        .filter(|path| secrets.iter().any(|end| path.ends_with(end)));
    let env: Vec<_> = secret_keys.map(keys::variable).collect();
    assert!(env.len() >= 5, "{env:?}");
    let more = [
        ("ONCALLD__WEBHOOK__0__NAME".to_owned(), "pager".to_owned()),
        (
            "ONCALLD__WEBHOOK__0__URL".to_owned(),
            "https://a/".to_owned(),
        ),
    ];
    let env = env
        .into_iter()
        .map(|name| (name, webhook.clone()))
        .chain(more);

    let shown = Config::effective(None, env.clone(), &CliOverrides::default()).unwrap();
    let shown = toml::to_string(&shown).unwrap();
    assert!(!shown.contains(HUSH), "{shown}");
    assert_eq!(shown.matches("\"[secret]\"").count(), 5, "{shown}");
    assert!(shown.contains("name = \"pager\"") && shown.contains("sync_minutes = 60"));

    let config = Config::load(None, env, CliOverrides::default()).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains(HUSH) && !shown.contains("hush") && !shown.contains("104, 117"));
    assert!(shown.contains("bot_token: Some([secret])") && shown.contains("secrets: [[secret]]"));
}

#[test]
fn who_only_wants_to_find_the_daemon_needs_no_secrets() {
    let env = [("ONCALLD__SLACK__BOT_TOKEN_FILE", "/nonexistent/bot")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = CliOverrides::default();
    let config = Config::load_without_secret_files(None, env.into_iter(), overrides).unwrap();
    assert_eq!(config.slack.bot_token, None);
}
