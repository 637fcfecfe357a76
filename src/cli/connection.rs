//! Where the daemon is and which token opens it, without any set-up on the same host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::args::Global;
use super::error::CliError;
use crate::config::{CliOverrides, Config, Server, is_loopback_name};
use crate::daemon::{ADMIN_TOKEN_FILE, SOCKET_FILE};
use crate::secret::Secret;
use crate::store::FolderLock;

/// The config file that holds where none is named.
const DEFAULT_CONFIG: &str = "config.toml";

/// The config file to read: the one that is named, else `config.toml` where there is one.
pub(super) fn config_file(named: Option<&Path>) -> Option<PathBuf> {
    let default = || {
        Path::new(DEFAULT_CONFIG)
            .is_file()
            .then(|| DEFAULT_CONFIG.into())
    };
    named.map(Path::to_owned).or_else(default)
}

/// The configuration that a daemon started here with the same options would have.
///
/// # Errors
/// A key or value is wrong.
pub(super) fn load_config(global: &Global) -> Result<Config, CliError> {
    let file = config_file(global.config.as_deref());
    let overrides = CliOverrides {
        listen: None,
        data_dir: global.data_dir.clone(),
    };
    // Whoever runs a command need not be who may read the daemon's secrets.
    Ok(Config::load_without_secret_files(
        file.as_deref(),
        environment(),
        overrides,
    )?)
}

/// The environment, without what is no text.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The daemon to talk to.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Its address.
    pub(super) url: Url,
    /// The token to show.
    pub(super) token: Token,
    /// Whether it is the daemon of the config's data folder, and not one that was named by its address.
    pub(super) is_by_config: bool,
}

/// The token to show, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// By `--token` or `ONCALLD_TOKEN`.
    Given(Secret),
    /// From the data folder's file.
    File(Secret, PathBuf),
    /// None is needed: the data folder's socket lets in whoever may use it.
    Socket(PathBuf),
    /// None, and why.
    Missing(String),
}

impl Token {
    /// The token itself.
    pub(super) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Given(secret) | Self::File(secret, _) => Some(secret),
            Self::Socket(_) | Self::Missing(_) => None,
        }
    }
}

impl Connection {
    /// Finds the daemon from the options, the environment and the config.
    ///
    /// # Errors
    /// The address makes no sense, or the config that is to tell it is wrong.
    pub(super) fn find(global: &Global) -> Result<Self, CliError> {
        let given = |text: &&str| !text.trim().is_empty();
        let url = global.url.as_deref().filter(given).map(parse_url);
        let url = url.transpose()?;
        let token = global.token.as_ref().map(Secret::expose).filter(given);
        let token = token.map(|text| Token::Given(text.trim().into()));
        match (url, token) {
            (Some(url), Some(token)) => Ok(Self {
                url,
                token,
                is_by_config: false,
            }),
            (Some(url), None) => {
                let token = match load_config(global) {
                    Ok(config) => admin_token(&config, &url),
                    Err(error) => Token::Missing(error.message),
                };
                Ok(Self {
                    url,
                    token,
                    is_by_config: false,
                })
            }
            (None, token) => {
                let config = load_config(global).map_err(|mut error| {
                    error.message +=
                        "\n(read to find the daemon; --url or ONCALLD_URL gives its address)";
                    error
                })?;
                let url = parse_url(&address(&config.server))?;
                let token = token.or_else(|| socket(&config));
                let token = token.unwrap_or_else(|| admin_token(&config, &url));
                Ok(Self {
                    url,
                    token,
                    is_by_config: true,
                })
            }
        }
    }

    /// Whether the daemon is on this host.
    pub(super) fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// The socket in the data folder, if a daemon answers there and we may use it.
fn socket(config: &Config) -> Option<Token> {
    let path = config.server.data_dir.join(SOCKET_FILE);
    let answers = UnixStream::connect(&path).is_ok();
    answers.then_some(Token::Socket(path))
}

/// The admin token goes to the daemon whose it is, and to nobody else: to this host, or to where
/// the daemon that holds the folder says that it serves. What a config says doesn't count: the one
/// in the working directory may be anybody's.
fn belongs_to(url: &Url, data_dir: &Path) -> bool {
    let is_own = |text: String| parse_url(&text).is_ok_and(|own| own == *url);
    is_loopback(url) || FolderLock::announced(data_dir).into_iter().any(is_own)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_name)
}

fn admin_token(config: &Config, url: &Url) -> Token {
    let data_dir = &config.server.data_dir;
    let path = data_dir.join(ADMIN_TOKEN_FILE);
    if !belongs_to(url, data_dir) {
        return Token::Missing(format!(
            "the admin token of this host isn't sent to {url}, where no daemon serves {}",
            data_dir.display()
        ));
    }
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Token::File(text.trim().into(), path),
        Ok(_) => Token::Missing(format!("{} is empty", path.display())),
        Err(error) => Token::Missing(format!("{} can't be read: {error}", path.display())),
    }
}

/// The address under which a daemon that listens there is reached from the same host.
pub(super) fn address(server: &Server) -> String {
    let (listen, scheme) = match server.tls_files() {
        Some(_) => (server.listen, "https"),
        None => (server.listen, "http"),
    };
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

fn parse_url(text: &str) -> Result<Url, CliError> {
    let wrong = |why: &str| {
        CliError::usage(format!(
            "`{text}` is not the address of a daemon: {why}; expected one such as \
             http://127.0.0.1:8460 or https://oncall.example.com"
        ))
    };
    if !text.contains("://") {
        return Err(wrong("it does not start with http:// or https://"));
    }
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // The text holds a password: don't repeat it.
        return Err(CliError::usage(
            "the daemon's address must not hold a user or password: use ONCALLD_TOKEN",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query or a fragment"));
    }
    Ok(url)
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
