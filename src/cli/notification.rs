//! `oncalld notification`: what was told to whom, what failed, and whether a sink works.

use std::time::Duration;

use clap::Subcommand;

use super::args::{Body, PageArgs, Query, names_of};
use super::client::Answer;
use super::error::CliError;
use super::output::{note, print};
use super::session::Session;
use super::table::{Table, facts, or_none};
use super::time::{distance, stamp};
use crate::domain::notification::DeliveryStatus;
use crate::wire::Page;
use crate::wire::notification::NotificationView;

/// How long `test` waits for the delivery.
const PATIENCE: Duration = Duration::from_secs(30);
/// Notifications that are read at once, at most what the API hands out.
const PAGE_SIZE: usize = 200;
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// What to do with notifications.
#[derive(Debug, Subcommand)]
pub(super) enum NotificationCommand {
    /// List notifications, newest first
    List {
        /// Only those in this state
        #[arg(long, value_parser = names_of!(DeliveryStatus))]
        status: Option<String>,
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Queue failed notifications again
    Retry {
        /// Id of a notification, as the list shows it
        #[arg(required_unless_present = "failed")]
        id: Option<String>,
        /// All that have failed, oldest first
        #[arg(long, conflicts_with = "id")]
        failed: bool,
    },
    /// Send a test message through a sink, and wait for the result
    Test {
        /// Slack user or channel id; webhooks and plugins get it as it is
        recipient: String,
        /// Name of the sink, such as slack or webhook:ops [default: the only one]
        #[arg(long)]
        sink: Option<String>,
    },
}

/// Does it.
///
/// # Errors
/// The daemon can't be reached, or says no; a test message did not arrive.
pub(super) async fn run(command: NotificationCommand, session: &Session) -> Result<(), CliError> {
    match command {
        NotificationCommand::List { status, pages } => list(status, pages, session).await,
        NotificationCommand::Retry { id: Some(id), .. } => {
            let answer = retry(&id, session).await?;
            session.done(&answer, &format!("queued notification {id} again"))
        }
        NotificationCommand::Retry { id: None, .. } => retry_all(session).await,
        NotificationCommand::Test { recipient, sink } => test(recipient, sink, session).await,
    }
}

async fn list(status: Option<String>, pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let query = Query::default().set("status", status);
    let rows = session.list::<NotificationView>(&["notifications"], query, pages, "none");
    let Some(rows) = rows.await? else {
        return Ok(());
    };
    let mut table = Table::new(["WRITTEN", "EVENT", "SINK", "TO", "STATUS", "NOTE", "ID"]);
    let recipients = rows.iter().map(|row| row.recipient.as_str());
    let names = session.names(recipients).await;
    for row in rows {
        let note = match row.status {
            DeliveryStatus::Pending if row.attempts > 0 => {
                let again = distance(row.next_attempt_at, session.now);
                format!("again {again}: {}", or_none(row.last_error))
            }
            DeliveryStatus::Delivered => or_none(None::<String>),
            _ => or_none(row.last_error),
        };
        table.row([
            stamp(row.created_at),
            row.event.to_string(),
            row.sink,
            names.of(&row.recipient),
            row.status.to_string(),
            note,
            row.id.to_string(),
        ]);
    }
    print(&table.render())
}

async fn retry(id: &str, session: &Session) -> Result<Answer<NotificationView>, CliError> {
    let path = ["notifications", id, "retry"];
    session.client.post(&path, Body::default().json()).await
}

/// Each that has failed by now, once, in the order in which things happened: one that fails again
/// meanwhile is not tried for ever.
async fn retry_all(session: &Session) -> Result<(), CliError> {
    let mut ids = Vec::new();
    loop {
        let failed = Query::default()
            .set("status", Some(DeliveryStatus::Failed.as_str()))
            .set("page", Some(ids.len() / PAGE_SIZE + 1))
            .set("page_size", Some(PAGE_SIZE));
        let page: Answer<Page<NotificationView>> =
            session.client.get(&["notifications"], failed).await?;
        let page = page.read()?;
        let is_last = page.items.len() < PAGE_SIZE;
        ids.extend(page.items.into_iter().map(|row| row.id.to_string()));
        if is_last {
            break;
        }
    }
    let mut count = 0;
    for id in ids.iter().rev() {
        match retry(id, session).await {
            Ok(_) => count += 1,
            // Somebody else was quicker.
            Err(error) => note(&format!("left out {id}: {error}")),
        }
    }
    print(&if session.json {
        format!("{{\"retried\": {count}}}\n")
    } else {
        format!("queued {count} failed notifications again\n")
    })
}

async fn test(recipient: String, sink: Option<String>, session: &Session) -> Result<(), CliError> {
    let body = Body::default()
        .set("recipient", Some(recipient))
        .set("sink", sink);
    let path = ["notifications", "test"];
    let queued: Answer<NotificationView> = session.client.post(&path, body.json()).await?;
    let id = queued.read()?.id.to_string();
    let looking = async {
        loop {
            let path = ["notifications", id.as_str()];
            let answer: Answer<NotificationView> =
                session.client.get(&path, Query::default()).await?;
            let row = answer.read()?;
            if row.status != DeliveryStatus::Pending || row.last_error.is_some() {
                return Ok::<_, CliError>((answer, row));
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, looking).await else {
        let message = format!("notification {id} is still on its way after 30 s");
        return Err(CliError::failed(message));
    };
    let (answer, row) = found?;
    if session.open(&answer)?.is_some() {
        print(&facts([
            ("sink", row.sink.clone()),
            ("to", row.recipient.clone()),
            ("status", row.status.to_string()),
            ("id", id),
        ]))?;
    }
    match (row.status, row.last_error) {
        (DeliveryStatus::Delivered, _) => Ok(()),
        (DeliveryStatus::Pending, Some(error)) => {
            note("it stays in the outbox and is tried again");
            Err(CliError::failed(error))
        }
        (_, error) => Err(CliError::failed(error.unwrap_or_default())),
    }
}
