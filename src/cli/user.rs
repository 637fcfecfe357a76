//! `oncalld user`: people, and what they are called.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use super::args::{Body, PageArgs, Person, Query, parse_person};
use super::client::Answer;
use super::error::CliError;
use super::output::print;
use super::session::Session;
use super::table::{Table, facts, joined, or_none};
use super::time::stamp;
use crate::domain::profile::NameSource;
use crate::wire::person::PersonView;

/// What to do with people.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// List people: members of any team, and whoever has a name
    List {
        /// Part of the name, the id or the e-mail address
        #[arg(short, long, value_name = "TEXT")]
        query: Option<String>,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Show what is known of a person
    Show {
        /// Slack user id, or a name
        #[arg(value_parser = parse_person)]
        user: Person,
    },
    /// Set what a person is called, their e-mail address and time zone
    Set(SetArgs),
}

/// What to set.
#[derive(Clone, Debug, Args)]
pub(super) struct SetArgs {
    /// Slack user id, or a name
    #[arg(value_parser = parse_person)]
    user: Person,
    /// What to call them; not where the name is Slack's
    #[arg(long)]
    name: Option<String>,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// IANA time zone, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Remove what was set (may be repeated)
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    clear: Vec<UserField>,
    /// Change it only if this is the current version
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,
}

/// A field that can be removed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum UserField {
    /// The id is shown
    Name,
    /// No address, or Slack's
    Email,
    /// No time zone, or Slack's
    Timezone,
}

impl UserField {
    fn cleared(self) -> (&'static str, Value) {
        let name = match self {
            Self::Name => "display_name",
            Self::Email => "email",
            Self::Timezone => "timezone",
        };
        (name, Value::Null)
    }
}

/// Does it.
pub(super) async fn run(command: UserCommand, session: &Session) -> Result<(), CliError> {
    match command {
        UserCommand::List { query, pages } => list(query, pages, session).await,
        UserCommand::Show { user } => {
            let user = session.user(&user).await?;
            let path = ["users", &user, "profile"];
            show(&session.client.get(&path, Query::default()).await?, session)
        }
        UserCommand::Set(args) => {
            let user = session.user(&args.user).await?;
            let body = Body::default()
                .set("display_name", args.name)
                .set("email", args.email)
                .set("timezone", args.timezone)
                .clear(args.clear.into_iter().map(UserField::cleared))?;
            let path = ["users", &user, "profile"];
            let body = body.change(args.if_version)?;
            show(&session.client.put(&path, body).await?, session)
        }
    }
}

async fn list(query: Option<String>, pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let nothing = if query.is_some() {
        "nobody matches that"
    } else {
        "nobody yet; `oncalld member add TEAM USER` adds somebody to a team"
    };
    let query = Query::default().set("q", query);
    let people = session.list::<PersonView>(&["users"], query, pages, nothing);
    let Some(people) = people.await? else {
        return Ok(());
    };
    let mut table = Table::new(["NAME", "ID", "E-MAIL", "TIME ZONE", "TEAMS"]);
    for person in people {
        let name = (person.name_source != NameSource::None).then_some(person.display_name);
        table.row([
            or_none(name),
            person.slack_user_id,
            or_none(person.email),
            or_none(person.timezone),
            joined(&person.teams),
        ]);
    }
    print(&table.render())
}

fn show(answer: &Answer<PersonView>, session: &Session) -> Result<(), CliError> {
    let Some(person) = session.open(answer)? else {
        return Ok(());
    };
    let name = match person.name_source {
        NameSource::Slack => format!("{} (from Slack)", person.display_name),
        NameSource::Set => person.display_name,
        NameSource::None => or_none(None::<String>),
    };
    let changed = person.updated_at.zip(person.version);
    let changed = changed.map(|(at, version)| format!("{}, version {version}", stamp(at)));
    print(&facts([
        ("name", name),
        ("id", person.slack_user_id),
        ("e-mail", or_none(person.email)),
        ("time zone", or_none(person.timezone)),
        ("teams", joined(&person.teams)),
        ("changed", or_none(changed)),
    ]))
}
