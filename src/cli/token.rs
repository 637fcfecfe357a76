//! `oncalld token`: access tokens. A secret is shown once, on its own, so that a script can keep it.

use std::io::IsTerminal as _;

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::args::{Body, PageArgs, Person, Query, names_of, parse_person};
use super::error::CliError;
use super::output::{note, print};
use super::session::Session;
use super::table::{Table, or_none};
use super::time::{distance, parse_instant, rfc3339, stamp};
use crate::domain::token::{Role, Scope};
use crate::wire::token::TokenView;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// List tokens, without their secrets
    List {
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Create a token, and print its secret, which is never shown again
    Create {
        /// Name that the audit log shows
        name: String,
        /// What it allows; each role includes those before it
        #[arg(long, value_parser = names_of!(Role))]
        role: String,
        /// Slack user id or name of the person who acts with it
        #[arg(long, value_parser = parse_person)]
        user: Option<Person>,
        /// When it expires [default: in a year, or what the daemon's config says]
        #[arg(long, value_name = "TIME", value_parser = parse_instant)]
        expires_at: Option<DateTime<Utc>>,
        /// That it never expires
        #[arg(long, conflicts_with = "expires_at")]
        never_expires: bool,
        /// What it opens of what its role allows: all of it, or calendar feeds alone, in whose
        /// addresses it can stand then
        #[arg(long, value_parser = names_of!(Scope))]
        scope: Option<String>,
        /// The only team that it is for
        #[arg(long, value_name = "SLUG")]
        team: Option<String>,
    },
    /// Delete a token, which is refused from then on
    Delete {
        /// Name or id
        #[arg(value_name = "TOKEN")]
        name: String,
    },
}

/// Does it.
pub(super) async fn run(command: TokenCommand, session: &Session) -> Result<(), CliError> {
    match command {
        TokenCommand::List { pages } => list(pages, session).await,
        TokenCommand::Create {
            name,
            role,
            user,
            expires_at,
            never_expires,
            scope,
            team,
        } => {
            let body = Body::default()
                .set("name", Some(name))
                .set("role", Some(role))
                .set("slack_user_id", session.some_user(user.as_ref()).await?)
                .set("expires_at", expires_at.map(rfc3339))
                .set("never_expires", never_expires.then_some(true))
                .set("scope", scope)
                .set("team", team);
            let answer = session
                .client
                .post::<TokenView>(&["tokens"], body.json())
                .await?;
            let Some(token) = session.open(&answer)? else {
                return Ok(());
            };
            // A script that keeps it needn't be told.
            if std::io::stdout().is_terminal() {
                note(&format!(
                    "token `{}` ({}), shown only this once:",
                    token.name, token.role
                ));
            }
            print(&token.token.unwrap_or_default())
        }
        TokenCommand::Delete { name } => {
            let answer = session.client.delete(&["tokens", &name]).await?;
            session.done(&answer, &format!("deleted token {name}"))
        }
    }
}

async fn list(pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let tokens = session.list::<TokenView>(&["tokens"], Query::default(), pages, "no tokens");
    let Some(tokens) = tokens.await? else {
        return Ok(());
    };
    let columns = [
        "NAME",
        "ROLE",
        "ONLY",
        "PERSON",
        "LAST USED",
        "EXPIRES",
        "MADE",
    ];
    let mut table = Table::new(columns);
    let slugs = session.slugs().await;
    let people = tokens
        .iter()
        .filter_map(|token| token.slack_user_id.as_deref());
    let names = session.names(people).await;
    for token in tokens {
        let expiry = |at| format!("{} ({})", stamp(at), distance(at, session.now));
        let team = token.team_id.map(|id| slugs.of(id));
        let limit = match (token.scope, team) {
            (Scope::All, team) => team,
            (Scope::Feeds, None) => Some("feeds".to_owned()),
            (Scope::Feeds, Some(team)) => Some(format!("feed of {team}")),
        };
        let used = |at| distance(at, session.now);
        table.row([
            token.name,
            token.role.to_string(),
            or_none(limit),
            names.or_none(token.slack_user_id.as_ref()),
            token.last_used_at.map_or_else(|| "never".to_owned(), used),
            token.expires_at.map_or_else(|| "never".to_owned(), expiry),
            stamp(token.created_at),
        ]);
    }
    print(&table.render())
}
