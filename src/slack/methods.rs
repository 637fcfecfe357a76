//! The methods of Slack's Web API that oncalld calls, each with what it needs of the answer.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Answer;
use super::client::{Slack, Token};
use super::error::SlackError;
use super::objects::{AuthInfo, Channel, MessageRef, Profile, SlackMessage, UserGroup};

impl Slack {
    /// Sends a message to a channel.
    ///
    /// # Errors
    /// Slack's; after [`SlackError::Unreachable`] and [`SlackError::Unexpected`] the message may
    /// or may not be there.
    pub async fn post_message(
        &self,
        channel: &str,
        message: &SlackMessage,
    ) -> Result<MessageRef, SlackError> {
        self.send("chat.postMessage", &[("channel", channel)], message)
            .await
    }

    /// Replaces a message: text and blocks, the metadata where there is any.
    pub async fn update_message(
        &self,
        at: &MessageRef,
        message: &SlackMessage,
    ) -> Result<MessageRef, SlackError> {
        let mut place = vec![("channel", &*at.channel), ("ts", &*at.ts)];
        if message.blocks.is_none() {
            // Without this the buttons of the message stay.
            place.push(("blocks", "[]"));
        }
        self.send("chat.update", &place, message).await
    }

    async fn send(
        &self,
        method: &'static str,
        place: &[(&str, &str)],
        message: &SlackMessage,
    ) -> Result<MessageRef, SlackError> {
        #[derive(Deserialize)]
        struct Sent {
            channel: String,
            ts: String,
        }
        let json = |value: &Option<Value>| value.as_ref().map(ToString::to_string);
        let (blocks, metadata) = (json(&message.blocks), json(&message.metadata));
        let mut form = place.to_vec();
        form.push(("text", &message.text));
        form.extend(blocks.as_deref().map(|blocks| ("blocks", blocks)));
        form.extend(metadata.as_deref().map(|metadata| ("metadata", metadata)));
        // Links in our messages are our own: a preview of each would be noise.
        form.extend([("unfurl_links", "false"), ("unfurl_media", "false")]);
        let Sent { channel, ts } = parse(method, &self.call(method, Token::Bot, &form).await?)?;
        Ok(MessageRef { channel, ts })
    }

    /// The channel of the direct messages with a person. Slack is asked once.
    pub async fn open_conversation(&self, user: &str) -> Result<String, SlackError> {
        #[derive(Deserialize)]
        struct Opened {
            channel: Direct,
        }
        #[derive(Deserialize)]
        struct Direct {
            id: String,
        }
        if let Some(channel) = self.known_direct(user) {
            return Ok(channel);
        }
        let method = "conversations.open";
        let answer = self.call(method, Token::Bot, &[("users", user)]).await?;
        let opened: Opened = parse(method, &answer)?;
        self.remember_direct(user, &opened.channel.id);
        Ok(opened.channel.id)
    }

    /// The people in a group.
    pub async fn group_users(&self, group: &str) -> Result<Vec<String>, SlackError> {
        #[derive(Deserialize)]
        struct Listed {
            users: Vec<String>,
        }
        let method = "usergroups.users.list";
        let form = [("usergroup", group)];
        let answer = self.call(method, Token::Bot, &form).await?;
        Ok(parse::<Listed>(method, &answer)?.users)
    }

    /// Replaces the people in a group: at least one, and neither guests nor bots, or Slack
    /// refuses all of them.
    ///
    /// # Errors
    /// Slack's; [`SlackError::Permanent`] where it refuses some of them, or this token.
    pub async fn set_group_users(&self, group: &str, users: &[String]) -> Result<(), SlackError> {
        let method = "usergroups.users.update";
        let form = [("usergroup", group), ("users", &*users.join(","))];
        self.call(method, Token::Groups, &form).await.map(drop)
    }

    /// Every group of the workspace.
    pub async fn list_groups(&self, include_disabled: bool) -> Result<Vec<UserGroup>, SlackError> {
        #[derive(Deserialize)]
        struct Listed {
            usergroups: Vec<Group>,
        }
        #[derive(Deserialize)]
        struct Group {
            id: String,
            handle: String,
            name: String,
            /// A number, or one as text.
            #[serde(default)]
            user_count: Value,
            #[serde(default)]
            date_delete: u64,
        }
        let method = "usergroups.list";
        let disabled = include_disabled.to_string();
        let form = [("include_count", "true"), ("include_disabled", &*disabled)];
        let answer = self.call(method, Token::Bot, &form).await?;
        let listed: Listed = parse(method, &answer)?;
        let count = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let group = |group: Group| UserGroup {
            user_count: count(&group.user_count),
            is_enabled: group.date_delete == 0,
            id: group.id,
            handle: group.handle,
            name: group.name,
        };
        Ok(listed.usergroups.into_iter().map(group).collect())
    }

    /// Who somebody is.
    pub async fn user_info(&self, user: &str) -> Result<Profile, SlackError> {
        let method = "users.info";
        let answer = self.call(method, Token::Bot, &[("user", user)]).await?;
        let Found { user } = parse(method, &answer)?;
        Ok(Profile {
            // Slack's own helper says of itself that it's no bot.
            is_bot: user.is_bot || user.id == "USLACKBOT",
            id: user.id,
            display_name: user.profile.display_name,
            real_name: user.real_name.unwrap_or(user.profile.real_name),
            is_deactivated: user.deleted,
            is_guest: user.is_restricted || user.is_ultra_restricted,
            email: user.profile.email,
            tz: user.tz,
        })
    }

    /// Whom the bot token belongs to.
    pub async fn auth_test(&self) -> Result<AuthInfo, SlackError> {
        self.auth_test_with(Token::Bot).await
    }

    /// Whom the token belongs to that sets groups: the user token where there is one.
    pub async fn auth_test_for_groups(&self) -> Result<AuthInfo, SlackError> {
        self.auth_test_with(Token::Groups).await
    }

    async fn auth_test_with(&self, token: Token) -> Result<AuthInfo, SlackError> {
        #[derive(Deserialize)]
        struct Tested {
            team: String,
            team_id: String,
            user_id: String,
            bot_id: Option<String>,
            url: String,
        }
        let method = "auth.test";
        let answer = self.call(method, token, &[]).await?;
        let tested: Tested = parse(method, &answer)?;
        let scopes = answer.headers.get("x-oauth-scopes");
        let scopes = scopes
            .and_then(|scopes| scopes.to_str().ok())
            .unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|s| !s.is_empty());
        Ok(AuthInfo {
            team: tested.team,
            team_id: tested.team_id,
            user_id: tested.user_id,
            bot_id: tested.bot_id,
            url: tested.url,
            scopes: scopes.map(ToOwned::to_owned).collect(),
        })
    }

    /// A channel, and whether the app is in it. A private channel that the app isn't in is
    /// [`SlackError::Permanent`] `channel_not_found`.
    pub async fn channel(&self, channel: &str) -> Result<Channel, SlackError> {
        #[derive(Deserialize)]
        struct Found {
            channel: Channel,
        }
        let method = "conversations.info";
        let form = [("channel", channel)];
        let answer = self.call(method, Token::Bot, &form).await?;
        Ok(parse::<Found>(method, &answer)?.channel)
    }

    /// The address of a Socket Mode connection, good for one and for seconds.
    ///
    /// # Errors
    /// Slack's; [`SlackError::Auth`] also where there is no app token.
    pub async fn open_socket(&self) -> Result<String, SlackError> {
        #[derive(Deserialize)]
        struct Opened {
            url: String,
        }
        let method = "apps.connections.open";
        let answer = self.call(method, Token::App, &[]).await?;
        Ok(parse::<Opened>(method, &answer)?.url)
    }
}

#[derive(Deserialize)]
struct Found {
    user: User,
}

#[derive(Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are Slack's fields, each one by itself"
)]
struct User {
    id: String,
    #[serde(default)]
    deleted: bool,
    real_name: Option<String>,
    #[serde(default)]
    profile: Details,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    is_restricted: bool,
    #[serde(default)]
    is_ultra_restricted: bool,
    tz: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    display_name: String,
    real_name: String,
    email: Option<String>,
}

/// What is needed of an answer.
fn parse<T: DeserializeOwned>(method: &'static str, answer: &Answer) -> Result<T, SlackError> {
    T::deserialize(&answer.body).map_err(|error| SlackError::Unexpected {
        method,
        problem: format!("the answer makes no sense: {error}"),
    })
}
