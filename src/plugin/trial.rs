//! Trying a plugin out without a daemon: what its file is, and one call by a context in JSON.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{CallError, Cause, LoadError};
use super::host::bindings::rotation::oncalld::plugin::{rotation as wit, types};
use super::host::bindings::sink::oncalld::plugin::http;
use super::host::bindings::sink::oncalld::plugin::notifications::Notification;
use super::http::{Requests, Script};
use super::interface;
use super::loaded::{Files, Plugin};
use super::manifest::Manifest;
use super::rotation::{date, role, source};
use crate::delivery::sink::DeliveryError;
use crate::domain::member::TeamRole;
use crate::rotation::coverage::Source;
use crate::rotation::strategy::Pick;

/// What is known of a plugin's files before anything is compiled.
#[derive(Debug)]
pub struct Inspection {
    /// The manifest.
    pub manifest: Manifest,
    /// The version of the interface that the file speaks.
    pub interface: &'static str,
    /// What the component imports.
    pub imports: Vec<String>,
    /// What the component exports.
    pub exports: Vec<String>,
}

/// Reads a plugin's files, and runs nothing.
///
/// # Errors
/// What is wrong with them.
pub fn inspect(files: &Files<'_>) -> Result<Inspection, LoadError> {
    let described = interface::describe(files.wasm)?;
    Ok(Inspection {
        manifest: Manifest::read(files.manifest)?,
        interface: described.version,
        imports: described.imports,
        exports: described.exports,
    })
}

/// What a strategy is asked, as JSON: a day is text such as `2026-11-23`, and the config is the
/// team's own, which is laid over the manifest's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PickTrial {
    /// The team to pick for.
    pub team: TrialTeam,
    /// The period to fill.
    pub period: TrialPeriod,
    /// Who may be picked, in ring order.
    pub candidates: Vec<TrialCandidate>,
    /// Whom the rotation picked last.
    #[serde(default)]
    pub last_pick: Option<String>,
    /// Who was on call before, oldest first.
    #[serde(default)]
    pub recent_shifts: Vec<TrialShift>,
    /// Periods that count towards `served` and `credit`.
    #[serde(default)]
    pub periods_counted: u32,
    /// The team's `plugin_config`.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// A number to draw lots with.
    #[serde(default)]
    pub seed: u32,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialTeam {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its IANA zone name.
    pub timezone: String,
}

/// A period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialPeriod {
    /// Its number, from 1.
    pub number: u32,
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialCandidate {
    /// The person.
    pub user: String,
    /// Their role.
    pub role: TeamRole,
    /// Their weight.
    pub weight: f64,
    /// Their share of the shifts.
    pub target: f64,
    /// The day on which they joined.
    pub joined: NaiveDate,
    /// Periods that they served.
    #[serde(default)]
    pub served: f64,
    /// Periods that they are owed.
    #[serde(default)]
    pub credit: f64,
    /// Their last day on call.
    #[serde(default)]
    pub last_served: Option<NaiveDate>,
}

/// Somebody's days on call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialShift {
    /// The person.
    pub user: String,
    /// The first of the days.
    pub first: NaiveDate,
    /// The last of the days.
    pub last: NaiveDate,
    /// `auto`, `manual` or `override`.
    pub source: Source,
}

/// What a sink is told, and what the other side answers: nothing is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryTrial {
    /// The notification.
    pub notification: TrialNotification,
    /// Answers to its requests, in order.
    #[serde(default)]
    pub responses: Vec<TrialResponse>,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialNotification {
    /// Its id.
    pub id: String,
    /// What happened.
    pub event: String,
    /// Whom to tell.
    pub recipient: String,
    /// The team that it is about.
    #[serde(default)]
    pub team: Option<TrialTeam>,
    /// What happened, in a line.
    pub title: String,
    /// What happened, in some lines.
    pub text: String,
    /// When, in RFC 3339.
    pub created_at: String,
    /// The facts.
    #[serde(default)]
    pub payload: Map<String, Value>,
}

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialResponse {
    /// The status code.
    pub status: u16,
    /// The headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

/// A request that would have been sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: String,
}

impl Plugin {
    /// Asks a strategy for a pick.
    ///
    /// # Errors
    /// It failed, or picked somebody who is no candidate.
    pub fn try_pick(&self, trial: &PickTrial) -> Result<Pick, CallError> {
        let own = Value::Object(trial.config.clone());
        let config = self.manifest.config_with(&own).to_string();
        let picked = self.pick(&trial.context(config))?;
        let is_candidate = |candidate: &TrialCandidate| candidate.user == picked.user.as_str();
        if trial.candidates.iter().any(is_candidate) {
            return Ok(picked);
        }
        Err(CallError {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            cause: Cause::Wrong(format!("picked {}, who is not a candidate", picked.user)),
        })
    }

    /// Hands a sink a notification; its requests get the trial's answers, and nothing is sent.
    /// Where it broke, and does not merely say no, its view counts a failure.
    ///
    /// # Errors
    /// As the sink says, or why it broke.
    pub fn try_deliver(
        &self,
        trial: &DeliveryTrial,
    ) -> (Result<(), DeliveryError>, Vec<TrialRequest>) {
        let script = Script {
            answers: trial
                .responses
                .iter()
                .map(TrialResponse::response)
                .collect(),
            asked: Vec::new(),
        };
        let script = Arc::new(Mutex::new(script));
        let requests = Requests::scripted(self.granted.clone(), script.clone());
        let delivered = self.deliver_by(Some(requests), &trial.notification.wit());
        let script = script.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = script.asked.iter().map(TrialRequest::from);
        (delivered, asked.collect())
    }
}

impl PickTrial {
    fn context(&self, config: String) -> wit::Context {
        wit::Context {
            team: self.team.wit(),
            period: wit::Period {
                number: self.period.number,
                first: date(self.period.first),
                last: date(self.period.last),
            },
            candidates: self.candidates.iter().map(TrialCandidate::wit).collect(),
            last_pick: self.last_pick.clone(),
            recent_shifts: self.recent_shifts.iter().map(TrialShift::wit).collect(),
            periods_counted: self.periods_counted,
            config,
            seed: self.seed,
        }
    }
}

impl TrialTeam {
    fn wit(&self) -> types::Team {
        types::Team {
            id: self.id.clone(),
            name: self.name.clone(),
            slug: self.slug.clone(),
            timezone: self.timezone.clone(),
        }
    }
}

impl TrialCandidate {
    fn wit(&self) -> wit::Candidate {
        wit::Candidate {
            user: self.user.clone(),
            role: role(self.role),
            weight: self.weight,
            target: self.target,
            joined: date(self.joined),
            served: self.served,
            credit: self.credit,
            last_served: self.last_served.map(date),
        }
    }
}

impl TrialShift {
    fn wit(&self) -> wit::Shift {
        wit::Shift {
            user: self.user.clone(),
            first: date(self.first),
            last: date(self.last),
            source: source(self.source),
        }
    }
}

impl TrialNotification {
    fn wit(&self) -> Notification {
        Notification {
            id: self.id.clone(),
            event: self.event.clone(),
            recipient: self.recipient.clone(),
            team: self.team.as_ref().map(TrialTeam::wit),
            title: self.title.clone(),
            text: self.text.clone(),
            created_at: self.created_at.clone(),
            payload: Value::Object(self.payload.clone()).to_string(),
        }
    }
}

impl TrialResponse {
    fn response(&self) -> http::Response {
        let header = |(name, value): (&String, &Value)| http::Header {
            name: name.to_ascii_lowercase(),
            value: value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        };
        http::Response {
            status: self.status,
            headers: self.headers.iter().map(header).collect(),
            body: self.body.clone().into_bytes(),
        }
    }
}

impl From<&http::Request> for TrialRequest {
    fn from(request: &http::Request) -> Self {
        let headers = request.headers.iter();
        let header = |header: &http::Header| (header.name.clone(), header.value.clone().into());
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: headers.map(header).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        }
    }
}
