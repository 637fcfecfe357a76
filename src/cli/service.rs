//! `oncalld service`: services, and which team answers for them.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use uuid::Uuid;

use super::args::{
    ActiveArgs, Body, PageArgs, Person, Query, names_of, parse_object, parse_person,
};
use super::client::Answer;
use super::error::CliError;
use super::output::print;
use super::session::Session;
use super::table::{Table, facts, joined, or_none, yes_no};
use super::time::stamp;
use super::who::{self, MomentArgs};
use crate::domain::service::Tier;
use crate::wire::oncall::OnCall;
use crate::wire::service::ServiceView;

/// What to do with services.
#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// List services
    List(ListArgs),
    /// Show a service
    Show {
        /// Name or id
        service: String,
    },
    /// Create a service
    Create {
        /// Its name
        name: String,
        /// Slug or id of the team that is on call for it
        #[arg(long)]
        team: String,
        #[command(flatten)]
        fields: ServiceArgs,
    },
    /// Change a service
    Update {
        /// Name or id
        service: String,
        /// New name
        #[arg(long)]
        name: Option<String>,
        /// Slug or id of the team that is on call for it
        #[arg(long)]
        team: Option<String>,
        #[command(flatten)]
        fields: ServiceArgs,
        /// Set a field to nothing (may be repeated)
        #[arg(long, value_name = "FIELD", value_delimiter = ',')]
        clear: Vec<ServiceField>,
        /// Change it only if this is its current version
        #[arg(long, value_name = "VERSION")]
        if_version: Option<u64>,
    },
    /// Delete a service; `restore` brings it back
    Delete {
        /// Name or id
        service: String,
    },
    /// Bring a deleted service back
    Restore {
        /// Name or id
        service: String,
    },
    /// Show who is on call for a service
    Oncall {
        /// Name or id
        service: String,
        #[command(flatten)]
        moment: MomentArgs,
    },
}

/// Which services to list.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ListArgs {
    /// Part of the name
    #[arg(short, long, value_name = "TEXT")]
    query: Option<String>,
    /// Of this team
    #[arg(long)]
    team: Option<String>,
    /// Of this tier
    #[arg(long, value_parser = names_of!(Tier))]
    tier: Option<String>,
    /// Of this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    #[command(flatten)]
    active: ActiveArgs,
    #[command(flatten)]
    pages: PageArgs,
}

/// The fields of a service.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ServiceArgs {
    /// Address of its source repository
    #[arg(long, value_name = "URL")]
    repository_url: Option<String>,
    /// Such as `production`
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// How critical it is [default: standard]
    #[arg(long, value_parser = names_of!(Tier), hide_default_value = true)]
    tier: Option<String>,
    /// Slack user id or name of its owner, outside incidents
    #[arg(long, value_name = "USER", value_parser = parse_person)]
    owner: Option<Person>,
    /// What it is built with, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    tech_stack: Vec<String>,
    /// A JSON object: runbook, dashboard…
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    metadata: Option<Value>,
}

impl ServiceArgs {
    async fn body(self, session: &Session) -> Result<Body, CliError> {
        let owner = session.some_user(self.owner.as_ref()).await?;
        Ok(Body::default()
            .set("repository_url", self.repository_url)
            .set("environment", self.environment)
            .set("tier", self.tier)
            .set("owner_slack_id", owner)
            .list("tech_stack", &self.tech_stack)
            .set("metadata", self.metadata))
    }
}

/// A field that can be set to nothing.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ServiceField {
    /// No repository
    RepositoryUrl,
    /// No environment
    Environment,
    /// Nobody in particular
    Owner,
    /// An empty list
    TechStack,
    /// An empty object
    Metadata,
}

impl ServiceField {
    fn cleared(self) -> (&'static str, Value) {
        match self {
            Self::RepositoryUrl => ("repository_url", Value::Null),
            Self::Environment => ("environment", Value::Null),
            Self::Owner => ("owner_slack_id", Value::Null),
            Self::TechStack => ("tech_stack", json!([])),
            Self::Metadata => ("metadata", json!({})),
        }
    }
}

/// Does it.
pub(super) async fn run(command: ServiceCommand, session: &Session) -> Result<(), CliError> {
    let client = &session.client;
    match command {
        ServiceCommand::List(args) => list(args, session).await,
        ServiceCommand::Show { service } => {
            let path = ["services", &service];
            show(&client.get(&path, Query::default()).await?, session).await
        }
        ServiceCommand::Create { name, team, fields } => {
            let body = fields
                .body(session)
                .await?
                .set("name", Some(name))
                .set("team_id", Some(team));
            show(&client.post(&["services"], body.json()).await?, session).await
        }
        ServiceCommand::Update {
            service,
            name,
            team,
            fields,
            clear,
            if_version,
        } => {
            let body = fields
                .body(session)
                .await?
                .set("name", name)
                .set("team_id", team);
            let body = body.clear(clear.into_iter().map(ServiceField::cleared))?;
            let path = ["services", &service];
            show(
                &client.patch(&path, body.change(if_version)?).await?,
                session,
            )
            .await
        }
        ServiceCommand::Delete { service } => {
            let answer = client.delete(&["services", &service]).await?;
            let back = format!("deleted; `oncalld service restore {service}` brings it back");
            session.done(&answer, &back)
        }
        ServiceCommand::Restore { service } => {
            let id = deleted(&service, session).await?;
            let body = Body::default().set("is_active", Some(true)).json();
            show(&client.patch(&["services", &id], body).await?, session).await
        }
        ServiceCommand::Oncall { service, moment } => {
            let query = moment.add_to(Query::default());
            let answer = client
                .get::<OnCall>(&["services", &service, "oncall"], query)
                .await?;
            match session.open(&answer)? {
                Some(oncall) => print(&who::one(&oncall, session.now)),
                None => Ok(()),
            }
        }
    }
}

async fn list(args: ListArgs, session: &Session) -> Result<(), CliError> {
    let query = Query::default()
        .set("q", args.query)
        .set("team", args.team)
        .set("tier", args.tier)
        .set("environment", args.environment)
        .set("is_active", args.active.filter());
    let nothing = "no services; `oncalld service create NAME --team TEAM` creates one";
    let services = session.list::<ServiceView>(&["services"], query, args.pages, nothing);
    let Some(services) = services.await? else {
        return Ok(());
    };
    let slugs = session.slugs().await;
    let mut table = Table::new(["NAME", "TEAM", "TIER", "ENVIRONMENT", "ACTIVE"]);
    for service in services {
        table.row([
            service.name,
            slugs.of(service.team_id),
            service.tier.to_string(),
            or_none(service.environment),
            yes_no(service.is_active),
        ]);
    }
    print(&table.render())
}

async fn show(answer: &Answer<ServiceView>, session: &Session) -> Result<(), CliError> {
    let Some(service) = session.open(answer)? else {
        return Ok(());
    };
    let team = session.slugs().await.of(service.team_id);
    let names = session.names(service.owner_slack_id.as_deref()).await;
    print(&facts([
        ("name", service.name),
        ("id", service.id.to_string()),
        ("active", yes_no(service.is_active)),
        ("team", team),
        ("tier", service.tier.to_string()),
        ("environment", or_none(service.environment)),
        ("repository", or_none(service.repository_url)),
        ("owner", names.or_none(service.owner_slack_id.as_ref())),
        ("tech stack", joined(&service.tech_stack)),
        ("metadata", service.metadata.to_string()),
        (
            "changed",
            format!("{}, version {}", stamp(service.updated_at), service.version),
        ),
    ]))
}

/// The id of a deleted service: names are unique among the active ones only.
async fn deleted(service: &str, session: &Session) -> Result<String, CliError> {
    if service.parse::<Uuid>().is_ok() {
        return Ok(service.to_owned());
    }
    let query = Query::default()
        .set("is_active", Some(false))
        .set("q", Some(service));
    let query = query.set("page_size", Some(200));
    let answer: Answer<crate::wire::Page<ServiceView>> =
        session.client.get(&["services"], query).await?;
    let mut found = answer.read()?.items;
    found.retain(|found| found.name.to_lowercase() == service.to_lowercase());
    match found.as_slice() {
        [one] => Ok(one.id.to_string()),
        [] => Err(CliError::not_found(format!(
            "no deleted service is named `{service}`; `oncalld service list --deleted` shows them"
        ))),
        several => {
            let ids: Vec<_> = several
                .iter()
                .map(|found| format!("\n  {}", found.id))
                .collect();
            Err(CliError::failed(format!(
                "several deleted services are named `{service}`; give the id of one:{}",
                ids.concat()
            )))
        }
    }
}
