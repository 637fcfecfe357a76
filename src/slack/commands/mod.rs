//! `/oncall` and the buttons: what people ask and decide without leaving Slack.
//!
//! Everything was acknowledged before it comes here, and is answered by `response_url`. Answers
//! are seen by nobody but who asked. What may be done, the actions say.

mod answers;
mod buttons;
mod overrides;
mod parse;
mod reply;
mod resolve;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use self::parse::Command;
use self::reply::Reply;
use crate::actions::oncall::shifts;
use crate::app::{Actor, App, Ctx, Result, Source};
use crate::domain::ids::UserId;
use crate::domain::token::Role;
use crate::slack::{Envelope, Handler, Kind, Slack};
use crate::wording::{Links, Names};

pub use self::parse::parse;

/// What commands and buttons work with. Cheap to clone.
#[derive(Clone)]
pub struct Deps {
    /// The application.
    pub app: App,
    /// Where answers go.
    pub slack: Slack,
    /// Who may do everything.
    pub admins: Arc<[UserId]>,
    /// Where the web pages are.
    pub links: Links,
    /// What people are called.
    pub names: Arc<dyn Names>,
}

impl fmt::Debug for Deps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deps")
    }
}

impl Deps {
    /// Takes whatever Slack hands over.
    pub fn into_handler(self) -> Handler {
        Handler::new(move |envelope| {
            let deps = self.clone();
            async move { handle(&deps, envelope).await }
        })
    }
}

/// Does what a person asked for, and answers them. Failures are logged.
pub async fn handle(deps: &Deps, envelope: Envelope) {
    match envelope.kind {
        Kind::Command => command(deps, &envelope.payload).await,
        Kind::Interaction => buttons::clicked(deps, &envelope.payload).await,
    }
}

/// The fields of a slash command that count here.
#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    text: String,
    user_id: UserId,
    response_url: String,
}

async fn command(deps: &Deps, payload: &Value) {
    let typed = match Typed::deserialize(payload) {
        Ok(typed) => typed,
        Err(error) => return tracing::warn!(%error, "a slash command can't be read"),
    };
    let Typed {
        text,
        user_id,
        response_url,
    } = typed;
    let reply = off_thread(deps, move |deps| {
        Person::new(deps, user_id).map_or_else(|e| reply::sorry(&e), |person| person.answer(&text))
    });
    let reply = reply.await.unwrap_or_else(reply::trouble);
    respond(deps, &response_url, &reply.into_json()).await;
}

/// Runs what blocks off the async threads; none where it panicked.
async fn off_thread<T: Send + 'static>(
    deps: &Deps,
    work: impl FnOnce(&Deps) -> T + Send + 'static,
) -> Option<T> {
    let (app, deps) = (deps.app.clone(), deps.clone());
    let done = app.run(move |_| Ok(work(&deps))).await;
    done.inspect_err(|error| tracing::error!(%error, "an answer to Slack broke off"))
        .ok()
}

async fn respond(deps: &Deps, response_url: &str, message: &Value) {
    if let Err(error) = deps.slack.respond(response_url, message).await {
        tracing::warn!(%error, "an answer did not reach Slack");
    }
}

/// Who acts, and with what.
struct Person<'a> {
    deps: &'a Deps,
    user: UserId,
    ctx: Ctx,
}

impl<'a> Person<'a> {
    fn new(deps: &'a Deps, user: UserId) -> Result<Self> {
        let role = if deps.admins.contains(&user) {
            Role::Admin
        } else {
            shifts::role_of(&deps.app, &user)?
        };
        let ctx = Ctx {
            actor: Actor::Person {
                user: user.clone(),
                role,
            },
            source: Source::Slack,
            ..Ctx::system()
        };
        Ok(Self { deps, user, ctx })
    }

    /// Answers a slash command's text.
    fn answer(&self, text: &str) -> Reply {
        let command = match parse(text) {
            Ok(command) => command,
            Err(what_to_type) => return Reply::of(what_to_type.to_string()),
        };
        let answer = match command {
            Command::MyShifts => self.my_shifts(),
            Command::Help => Ok(reply::help()),
            Command::Whoever(name) => self.team_or_service(&name),
            Command::Team(name) => self.team(&name),
            Command::Service(name) => self.service(&name),
            Command::Override(wish) => self.ask_for_cover(&wish),
            Command::Cancel { team, days } => self.cancel(&team, &days),
        };
        answer.unwrap_or_else(|error| reply::sorry(&error))
    }
}

#[cfg(test)]
mod tests;
