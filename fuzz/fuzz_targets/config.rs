#![no_main]
//! Any bytes as a config file: a config, or a message of one line that names the place.

use libfuzzer_sys::fuzz_target;
use oncalld::config::{CliOverrides, Config};

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("oncalld-fuzz-{}.toml", std::process::id()));
    std::fs::write(&path, bytes).expect("writes");
    // Not what bytes at random name as the file of a secret.
    let overrides = CliOverrides::default();
    match Config::load_without_secret_files(Some(&path), std::iter::empty(), overrides) {
        Ok(config) => assert!((1..=52).contains(&config.rotation.lookahead_weeks)),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains(".toml"), "{message}");
            assert!(
                !message.trim().contains('\n'),
                "more than one line: {message}"
            );
        }
    }
    // What the file may say, a variable may say too.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let names = [
            "SERVER__LISTEN",
            "SERVER__ALLOWED_HOSTS",
            "LOG__LEVEL",
            "AUTH__ANONYMOUS_READ",
            "NOTIFICATIONS__BACKOFF_SECONDS",
            "SLACK__BOT_TOKEN",
            "WEBHOOK__1__SECRETS",
            "WEBHOOK__1__URL",
        ];
        for name in names {
            let env = [(format!("ONCALLD__{name}"), text.to_owned())];
            let _ = Config::load(None, env.into_iter(), CliOverrides::default());
        }
    }
});
