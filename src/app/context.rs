//! Who acts, from where.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::app::{ActionError, Result};
use crate::domain::audit::{Action, ActorType, AuditEvent, EntityType};
use crate::domain::ids::{TokenId, UserId};
use crate::domain::json::Json;
use crate::domain::token::{Role, Token};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody known: may read, where the config lets.
    Anonymous,
    /// The bearer of a token.
    Token {
        /// The token.
        id: TokenId,
        /// Its name.
        name: String,
        /// What it allows.
        role: Role,
        /// The person who acts with it.
        user: Option<UserId>,
    },
    /// A user of this host whom the data folder's socket lets in: they might read the file itself.
    Local(Arc<str>),
    /// A person whom Slack vouches for.
    Person {
        /// Who.
        user: UserId,
        /// What they may do.
        role: Role,
    },
    /// The daemon itself.
    System,
}

impl From<&Token> for Actor {
    fn from(token: &Token) -> Self {
        Self::Token {
            id: token.id,
            name: token.name.clone(),
            role: token.role,
            user: token.slack_user_id.clone(),
        }
    }
}

/// By which door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The HTTP API.
    Api,
    /// The command line.
    Cli,
    /// The web pages.
    Ui,
    /// Slash command and buttons.
    Slack,
    /// The daemon's own schedule.
    Scheduler,
    /// A dump of another system, or the sample company.
    Import,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Ui => "ui",
            Self::Slack => "slack",
            Self::Scheduler => "scheduler",
            Self::Import => "import",
        }
    }
}

/// A request that is to be done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// SHA-256 of who asks and the key that they gave.
    pub key: [u8; 32],
    /// SHA-256 of what they ask: method, path and body.
    pub fingerprint: [u8; 32],
}

/// Who acts, from where: what the audit log keeps of a request.
#[derive(Clone, Debug)]
pub struct Ctx {
    /// Who.
    pub actor: Actor,
    /// By which door.
    pub source: Source,
    /// The request's id.
    pub request_id: Option<String>,
    /// The peer's address.
    pub peer: Option<String>,
    /// Given where the request is to be done once.
    pub idempotency: Option<IdempotencyKey>,
}

impl Ctx {
    /// The daemon itself, by its own schedule.
    pub const fn system() -> Self {
        Self {
            actor: Actor::System,
            source: Source::Scheduler,
            request_id: None,
            peer: None,
            idempotency: None,
        }
    }

    /// The daemon itself, where nobody is to be told.
    pub fn import() -> Self {
        Self {
            source: Source::Import,
            ..Self::system()
        }
    }

    /// Refuses an actor with less than `role`.
    ///
    /// # Errors
    /// No token, or a lesser one.
    pub fn require(&self, role: Role) -> Result<()> {
        match &self.actor {
            Actor::Local(_) | Actor::System => Ok(()),
            Actor::Anonymous => Err(ActionError::Unauthenticated),
            Actor::Token { role: has, .. } | Actor::Person { role: has, .. } if *has >= role => {
                Ok(())
            }
            Actor::Person { user, role: has } => Err(ActionError::Forbidden(match has {
                Role::Viewer => {
                    format!("{user} is in no team: they can read but not change anything")
                }
                _ => format!("this requires the role {role}; {user} has {has}"),
            })),
            Actor::Token {
                name, role: has, ..
            } => Err(ActionError::Forbidden(format!(
                "this requires the role {role}; token `{name}` has {has}"
            ))),
        }
    }

    /// Whether the actor may do everything.
    pub fn is_admin(&self) -> bool {
        match &self.actor {
            Actor::Local(_) | Actor::System => true,
            Actor::Anonymous => false,
            Actor::Token { role, .. } | Actor::Person { role, .. } => *role == Role::Admin,
        }
    }

    /// The person whom the actor's token is bound to.
    pub fn user(&self) -> Option<&UserId> {
        match &self.actor {
            Actor::Token { user, .. } => user.as_ref(),
            Actor::Person { user, .. } => Some(user),
            Actor::Anonymous | Actor::Local(_) | Actor::System => None,
        }
    }

    /// The person who acts: the token's, or the one named in `field` by a token without.
    ///
    /// # Errors
    /// A token that is bound to one person names another.
    pub fn acting_user(&self, field: &str, named: Option<UserId>) -> Result<Option<UserId>> {
        match (self.user(), named) {
            (Some(own), Some(named)) if *own != named => Err(ActionError::Forbidden(format!(
                "{field}: {own}, who acts here, can't act for {named}"
            ))),
            (Some(own), _) => Ok(Some(own.clone())),
            (None, named) => Ok(named),
        }
    }

    /// An audit event by this actor; the rest is filled in by the caller.
    pub(super) fn event(&self, entity_type: EntityType, action: Action) -> AuditEvent {
        let mut metadata = Map::new();
        metadata.insert("source".to_owned(), self.source.as_str().into());
        let mut add = |name: &str, value: Option<&String>| {
            if let Some(value) = value {
                metadata.insert(name.to_owned(), Value::from(value.as_str()));
            }
        };
        add("request_id", self.request_id.as_ref());
        add("peer", self.peer.as_ref());
        let (actor_type, actor_id) = match &self.actor {
            Actor::Token { id, name, user, .. } => {
                add("token", Some(name));
                // A name may be given anew once its token is gone.
                add("token_id", Some(&id.to_string()));
                let id = user
                    .as_ref()
                    .map_or_else(|| name.clone(), ToString::to_string);
                (ActorType::User, Some(id))
            }
            Actor::Local(user) => (ActorType::User, Some(format!("local:{user}"))),
            Actor::Person { user, .. } => (ActorType::User, Some(user.to_string())),
            Actor::Anonymous | Actor::System => (ActorType::System, None),
        };
        let metadata = Json(Value::Object(metadata));
        AuditEvent {
            actor_type,
            actor_id,
            metadata,
            ..AuditEvent::system(entity_type, action)
        }
    }
}
