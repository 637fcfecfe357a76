use std::fs;

use super::*;

/// Options that name a config file in a folder of its own, whose data folder holds a token.
fn global(listen: &str) -> (tempfile::TempDir, Global) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("c.toml");
    let public = "public_url = \"https://oncall.example.com\"";
    fs::write(
        &config,
        format!("[server]\nlisten = \"{listen}\"\n{public}\n"),
    )
    .unwrap();
    fs::write(dir.path().join(ADMIN_TOKEN_FILE), "oncalld_admin\n").unwrap();
    let global = Global {
        config: Some(config),
        data_dir: Some(dir.path().to_owned()),
        ..Global::default()
    };
    (dir, global)
}

fn with_url(mut global: Global, url: &str) -> Result<Connection, CliError> {
    global.url = Some(url.to_owned());
    Connection::find(&global)
}

#[test]
fn the_config_tells_the_address_and_the_data_folder_the_token() {
    let (dir, global) = global("127.0.0.1:9000");
    let found = Connection::find(&global).unwrap();
    assert_eq!(found.url.as_str(), "http://127.0.0.1:9000/");
    let path = dir.path().join(ADMIN_TOKEN_FILE);
    assert_eq!(found.token, Token::File("oncalld_admin".into(), path));
}

#[test]
fn a_daemon_that_listens_everywhere_is_reached_on_loopback() {
    let address = |listen: &str| {
        let mut server = Config::default().server;
        server.listen = listen.parse().unwrap();
        address(&server)
    };
    assert_eq!(address("0.0.0.0:8460"), "http://127.0.0.1:8460");
    assert_eq!(address("[::]:8460"), "http://[::1]:8460");
    assert_eq!(address("10.0.0.5:80"), "http://10.0.0.5:80");
}

#[test]
fn what_is_given_wins_and_what_is_empty_is_not_given() {
    let (_dir, mut global) = global("127.0.0.1:9000");
    global.url = Some(" https://other.example/base/ ".to_owned());
    global.token = Some("oncalld_mine\n".into());
    let found = Connection::find(&global).unwrap();
    assert_eq!(found.url.as_str(), "https://other.example/base/");
    assert_eq!(found.token, Token::Given("oncalld_mine".into()));

    global.url = Some(String::new());
    global.token = Some("".into());
    let found = Connection::find(&global).unwrap();
    assert_eq!(found.url.as_str(), "http://127.0.0.1:9000/");
    assert!(matches!(found.token, Token::File(..)));
}

#[test]
fn the_admin_token_goes_to_its_own_daemon_only() {
    let served = ["http://10.0.0.5:9000", "https://oncall.example.com"].map(str::to_owned);
    for own in [
        "http://127.0.0.1:1",
        "http://localhost:9000",
        "http://[::1]:9000",
        "http://10.0.0.5:9000",
        "https://oncall.example.com",
    ] {
        let (dir, global) = global("10.0.0.5:9000");
        let mut lock = FolderLock::take(dir.path()).unwrap();
        lock.announce(&served).unwrap();
        let found = with_url(global, own).unwrap();
        assert!(found.token.secret().is_some(), "{own}");
    }
    for other in [
        "http://10.0.0.6:9000",
        "http://10.0.0.5:9001",
        "http://oncall.example.com",
        "https://localhost.evil.example",
    ] {
        let (dir, global) = global("10.0.0.5:9000");
        let mut lock = FolderLock::take(dir.path()).unwrap();
        lock.announce(&served).unwrap();
        let found = with_url(global, other).unwrap();
        assert!(found.token.secret().is_none(), "{other}");
    }
    // A config alone, such as one that lies in the working directory, opens nothing.
    let (_dir, global) = global("10.0.0.5:9000");
    let found = Connection::find(&global).unwrap();
    assert_eq!(found.url.as_str(), "http://10.0.0.5:9000/");
    assert!(found.token.secret().is_none());
}

#[test]
fn a_wrong_config_only_matters_where_it_is_needed() {
    let (dir, mut global) = global("127.0.0.1:9000");
    fs::write(dir.path().join("c.toml"), "[sever]\n").unwrap();
    let error = Connection::find(&global).unwrap_err();
    assert!(error.message.contains("did you mean `server`?"), "{error}");
    global.url = Some("http://127.0.0.1:9000".to_owned());
    let found = Connection::find(&global).unwrap();
    assert!(matches!(found.token, Token::Missing(_)));
}

#[test]
fn what_is_no_address_is_refused() {
    for bad in [
        "127.0.0.1:8460",
        "ftp://a",
        "http://",
        "http://a?x",
        "http://a#x",
    ] {
        let (_dir, global) = global("127.0.0.1:9000");
        let error = with_url(global, bad).unwrap_err();
        assert!(error.message.contains(bad), "{error}");
    }
    let (_dir, global) = global("127.0.0.1:9000");
    let error = with_url(global, "http://u:geheim@a").unwrap_err();
    assert!(!error.message.contains("geheim"), "{error}");
}
