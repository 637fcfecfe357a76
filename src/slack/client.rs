//! The Web API's transport: tokens, time limits, one call.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::Value;

use super::answer::{self, Answer};
use super::error::SlackError;
use crate::secret::Secret;
use crate::tls;

const USER_AGENT: &str = concat!("oncalld/", env!("CARGO_PKG_VERSION"));

/// How to reach Slack.
#[derive(Clone, Debug)]
pub struct SlackOptions {
    /// The Web API. Governments and tests use other addresses than Slack's own. Tokens are sent there:
    /// https, or a host of loopback.
    pub base_url: String,
    /// `xoxb-…`, for nearly everything.
    pub bot_token: Secret,
    /// `xoxp-…`, for setting groups where the workspace doesn't let bots.
    pub user_token: Option<Secret>,
    /// `xapp-…`, for Socket Mode.
    pub app_token: Option<Secret>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a call may take, connecting and reading the answer included.
    pub timeout: Duration,
}

impl SlackOptions {
    /// Slack itself, with its bot token and time limits that suit it.
    pub fn new(bot_token: Secret) -> Self {
        Self {
            base_url: "https://slack.com/api".to_owned(),
            bot_token,
            user_token: None,
            app_token: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
        }
    }
}

/// Which token a call shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Bot,
    /// The user's where there is one, else the bot's.
    Groups,
    App,
}

/// Slack's Web API. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Slack(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base_url: Url,
    bot: HeaderValue,
    groups: HeaderValue,
    app: Option<HeaderValue>,
    /// The channel of the direct messages with a person, which never changes.
    direct: Mutex<HashMap<String, String>>,
}

impl Slack {
    /// A client. It connects to nothing yet.
    ///
    /// # Errors
    /// The base URL is none that a token may be sent to, a token holds characters that no token
    /// has, or the host's certificates can't be read.
    pub fn new(options: SlackOptions) -> Result<Self, SlackError> {
        tls::use_ring();
        let base_url = options.base_url;
        let url = Url::parse(&(base_url.trim_end_matches('/').to_owned() + "/"));
        let url = url.ok().filter(may_be_told_secrets).ok_or_else(|| {
            SlackError::Setup(format!(
                "slack.api_base_url is `{base_url}`, expected an https URL, or http on loopback"
            ))
        })?;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .redirect(Policy::none());
        if url.scheme() == "http" {
            // Loopback needs neither a proxy nor certificates.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            let cause = answer::root(&error);
            SlackError::Setup(format!("can't set up HTTPS for Slack: {cause}"))
        })?;
        let bot = bearer("bot", &options.bot_token)?;
        let user = options.user_token.map(|token| bearer("user", &token));
        let app = options.app_token.map(|token| bearer("app", &token));
        Ok(Self(Arc::new(Inner {
            http,
            base_url: url,
            groups: user.transpose()?.unwrap_or_else(|| bot.clone()),
            bot,
            app: app.transpose()?,
            direct: Mutex::default(),
        })))
    }

    /// Calls a method with a form, which every one takes; nested values are JSON in it.
    pub(super) async fn call(
        &self,
        method: &'static str,
        token: Token,
        form: &[(&str, &str)],
    ) -> Result<Answer, SlackError> {
        let token = self.token(method, token)?.clone();
        let url = self.0.base_url.join(method);
        let url = url.expect("invariant: a method's name is a path");
        let request = self.0.http.post(url).header(AUTHORIZATION, token);
        let response = request.form(form).send().await;
        let answer = match response {
            Ok(response) => answer::read(method, response).await,
            Err(error) => Err(answer::unreachable(method, &error)),
        };
        tracing::debug!(
            method,
            error = answer.as_ref().err().map(tracing::field::display),
            "Slack"
        );
        answer
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    fn token(&self, method: &'static str, token: Token) -> Result<&HeaderValue, SlackError> {
        match token {
            Token::Bot => Ok(&self.0.bot),
            Token::Groups => Ok(&self.0.groups),
            Token::App => self.0.app.as_ref().ok_or_else(|| SlackError::Auth {
                method,
                error: "there is no app token".to_owned(),
            }),
        }
    }

    /// Answers what a person did, where Slack said to. Within 30 minutes, 5 times at most.
    ///
    /// # Errors
    /// The URL is neither https nor of loopback, is used up, or Slack is in trouble.
    pub async fn respond(&self, response_url: &str, message: &Value) -> Result<(), SlackError> {
        let method = "response_url";
        let url = Url::parse(response_url).ok().filter(may_be_told_secrets);
        let url = url.ok_or_else(|| SlackError::Permanent {
            method,
            error: "is neither an https URL nor one of loopback".to_owned(),
            detail: None,
        })?;
        let response = self.0.http.post(url).json(message).send().await;
        let response = response.map_err(|error| answer::unreachable(method, &error))?;
        answer::read_plain(method, response).await
    }

    /// The channel of the direct messages with a person, as far as it's known.
    pub(super) fn known_direct(&self, user: &str) -> Option<String> {
        let direct = self.0.direct.lock();
        let direct = direct.unwrap_or_else(PoisonError::into_inner);
        direct.get(user).cloned()
    }

    pub(super) fn remember_direct(&self, user: &str, channel: &str) {
        let direct = self.0.direct.lock();
        let mut direct = direct.unwrap_or_else(PoisonError::into_inner);
        direct.insert(user.to_owned(), channel.to_owned());
    }
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slack({})", self.0.base_url)
    }
}

/// Whether what is sent there is read by nobody in between.
pub(super) fn may_be_told_secrets(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

fn bearer(name: &str, token: &Secret) -> Result<HeaderValue, SlackError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value = value
        .ok()
        .filter(|_| !token.expose().is_empty())
        .ok_or_else(|| {
            SlackError::Setup(format!(
                "slack.{name}_token is empty, or contains characters that no token has"
            ))
        })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(base_url: &str, token: &str) -> SlackOptions {
        SlackOptions {
            base_url: base_url.to_owned(),
            ..SlackOptions::new(Secret::new(token.to_owned()))
        }
    }

    #[test]
    fn tokens_go_over_https_or_stay_on_the_host() {
        for good in [
            "https://slack.com/api",
            "https://slack-gov.com/api/",
            "http://127.0.0.1:8461/api",
            "http://localhost/api",
            "http://[::1]:80",
        ] {
            assert!(Slack::new(options(good, "xoxb-1")).is_ok(), "{good}");
        }
        for bad in [
            "http://slack.com/api",
            "slack.com/api",
            "ftp://localhost",
            "",
        ] {
            let error = Slack::new(options(bad, "xoxb-1")).err().unwrap();
            assert!(error.to_string().contains("slack.api_base_url"), "{bad}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_sent_is_refused_and_not_shown() {
        for bad in ["", "xoxb-\nsecret"] {
            let error = Slack::new(options("https://slack.com/api", bad));
            let error = error.err().unwrap().to_string();
            assert!(error.contains("slack.bot_token"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn nothing_that_is_printed_holds_a_token() {
        let options = options("https://slack.com/api", "xoxb-secret");
        let printed = format!("{options:?} {:?}", Slack::new(options.clone()).unwrap());
        assert!(!printed.contains("xoxb"), "{printed}");
    }
}
