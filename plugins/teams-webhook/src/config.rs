//! What the manifest's `[config]` may set.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The config of the sink.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What to write.
    pub format: Format,
    /// The webhook's address.
    pub url: String,
    /// The addresses for single teams, by the team's slug.
    pub team_urls: BTreeMap<String, String>,
    /// Which notifications to post.
    pub recipients: Recipients,
    /// Names to show for Slack ids of people and channels.
    pub names: BTreeMap<String, String>,
}

/// What a webhook takes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An Adaptive Card, for a webhook of Microsoft Teams ("Workflows").
    #[default]
    Teams,
    /// An embed, for a webhook of Discord.
    Discord,
}

/// Whose notifications are posted; the others count as delivered.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipients {
    /// Everybody's.
    #[default]
    All,
    /// Only those that go to a channel, so that a handoff is one message.
    Channels,
    /// Only those that go to a person.
    People,
}

impl Recipients {
    /// Whether what goes to a Slack id is posted.
    pub fn includes(self, recipient: &str) -> bool {
        let is_channel = recipient.starts_with(['C', 'G']);
        match self {
            Self::All => true,
            Self::Channels => is_channel,
            Self::People => !is_channel,
        }
    }
}

impl Config {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Names the field and what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| format!("config: {error}"))
    }

    /// The webhook for a team.
    ///
    /// # Errors
    /// None is set.
    pub fn webhook(&self, team: Option<&str>) -> Result<&str, String> {
        let url = team
            .and_then(|slug| self.team_urls.get(slug))
            .unwrap_or(&self.url);
        if url.is_empty() {
            let team = team.unwrap_or("what concerns no team");
            return Err(format!(
                "config: there is no url, and none in team_urls for {team}"
            ));
        }
        Ok(url)
    }

    /// The name to show for a Slack id.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_may_have_a_webhook_of_its_own() {
        let config =
            Config::parse(r#"{"url": "https://a", "team_urls": {"core": "https://b"}}"#).unwrap();
        assert_eq!(config.webhook(Some("core")), Ok("https://b"));
        assert_eq!(config.webhook(Some("edge")), Ok("https://a"));
        assert_eq!(config.webhook(None), Ok("https://a"));
        let error = Config::parse("{}")
            .unwrap()
            .webhook(Some("edge"))
            .unwrap_err();
        assert!(error.contains("team_urls for edge"), "{error}");
    }

    #[test]
    fn channels_and_people_are_told_apart() {
        assert!(Recipients::Channels.includes("C0123") && !Recipients::Channels.includes("U0123"));
        assert!(Recipients::People.includes("W0123") && !Recipients::People.includes("G0123"));
        assert!(Recipients::All.includes("U0123"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, named) in [
            (r#"{"format": "irc"}"#, "unknown variant `irc`"),
            (r#"{"webhook": ""}"#, "unknown field `webhook`"),
            ("", "config"),
        ] {
            let error = Config::parse(json).unwrap_err();
            assert!(error.contains(named), "{json}: {error}");
        }
    }
}
