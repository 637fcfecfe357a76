//! What a command works with: the client, the form of the output, and the time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::args::{Global, PageArgs, Query};
use super::client::{Answer, Client};
use super::connection::Connection;
use super::error::CliError;
use super::output::{note, pretty, print};
use super::time::LocalTime;
use crate::wire::Page;
use crate::wire::team::TeamView;

/// Items a request where all are wanted: as many as the API hands out at once.
const ALL_AT_ONCE: u64 = 200;

/// A command's surroundings.
#[derive(Debug)]
pub(super) struct Session {
    /// The daemon.
    pub(super) client: Client,
    /// Whether JSON is wanted.
    pub(super) json: bool,
    /// The time at the start of the command.
    pub(super) now: DateTime<Utc>,
}

impl Session {
    /// A session with the daemon that the options, the environment or the config name.
    ///
    /// # Errors
    /// They name none.
    pub(super) fn start(global: &Global, now: DateTime<Utc>) -> Result<Self, CliError> {
        let client = Client::new(Connection::find(global)?)?;
        let json = global.json;
        Ok(Self { client, json, now })
    }

    /// The answer, to be shown as a table; none where it is JSON that is wanted, and printed.
    ///
    /// # Errors
    /// The answer makes no sense.
    pub(super) fn open<T: DeserializeOwned>(
        &self,
        answer: &Answer<T>,
    ) -> Result<Option<T>, CliError> {
        if self.json {
            print(&pretty(&answer.json))?;
            return Ok(None);
        }
        answer.read().map(Some)
    }

    /// Says that something without an answer was done.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn done<T>(&self, answer: &Answer<T>, message: &str) -> Result<(), CliError> {
        print(&if self.json {
            pretty(&answer.json)
        } else {
            message.to_owned()
        })
    }

    /// The items of a list, to be shown as a table: all of them, unless a page is asked for.
    /// None where there are none, or where it is JSON that is wanted, and printed.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query,
        pages: PageArgs,
        nothing: &str,
    ) -> Result<Option<Vec<T>>, CliError> {
        let size = pages.page_size.unwrap_or(ALL_AT_ONCE);
        let mut number = pages.page.unwrap_or(1);
        let mut items = Vec::new();
        loop {
            let query = query
                .clone()
                .set("page", Some(number))
                .set("page_size", Some(size));
            let answer: Answer<Page<T>> = self.client.get(path, query).await?;
            let page = answer.read()?;
            let is_last = page.items.is_empty() || page.page * page.page_size >= page.total;
            if self.json {
                print(&pretty(&answer.json))?;
                if !is_last && pages.page.is_none() {
                    let shown = page.items.len();
                    note(&format!("{shown} of {}: --page 2 has more", page.total));
                }
                return Ok(None);
            }
            let total = page.total;
            items.extend(page.items);
            if pages.page.is_some() && !is_last {
                note(&format!(
                    "page {number}, {total} in all: --page {} has more",
                    number + 1
                ));
            }
            if is_last || pages.page.is_some() {
                break;
            }
            number += 1;
        }
        if items.is_empty() {
            note(nothing);
            return Ok(None);
        }
        Ok(Some(items))
    }

    /// All items of a list, for working with them.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query,
    ) -> Result<Vec<T>, CliError> {
        let mut items = Vec::new();
        for number in 1_u64.. {
            let query = query.clone().set("page", Some(number));
            let query = query.set("page_size", Some(ALL_AT_ONCE));
            let page: Page<T> = self.client.get(path, query).await?.read()?;
            let is_last = page.items.is_empty() || page.page * page.page_size >= page.total;
            items.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(items)
    }

    /// A team's local time.
    pub(super) async fn local_time(&self, team: &str) -> Result<LocalTime, CliError> {
        let answer: Answer<TeamView> = self.client.get(&["teams", team], Query::default()).await?;
        Ok(LocalTime::new(&answer.read()?.timezone))
    }

    /// The slugs of all teams; an id that isn't among them is shown as it is.
    pub(super) async fn slugs(&self) -> Slugs {
        let query = Query::default().set("is_active", Some("all"));
        let query = query.set("page_size", Some(ALL_AT_ONCE));
        let teams: Option<Page<TeamView>> = self.client.peek(&["teams"], query).await;
        let teams = teams.into_iter().flat_map(|page| page.items);
        Slugs(teams.map(|team| (team.id, team.slug)).collect())
    }
}

/// Team ids and their slugs.
#[derive(Clone, Debug, Default)]
pub(super) struct Slugs(HashMap<Uuid, String>);

impl Slugs {
    /// The slug of a team, or its id.
    pub(super) fn of(&self, id: Uuid) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// Shows what was accepted and wants a look all the same.
pub(super) fn warn(warnings: Option<&Vec<String>>) {
    for warning in warnings.into_iter().flatten() {
        note(&format!("warning: {}", super::table::clean(warning)));
    }
}
