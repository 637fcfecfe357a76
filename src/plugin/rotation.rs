//! Rotation plugins as strategies: the context in the interface's words, and the answer checked.

use std::sync::Arc;

use chrono::{Datelike as _, NaiveDate};
use sha2::{Digest as _, Sha256};

use super::error::{CallError, Cause};
use super::host::bindings::rotation::oncalld::plugin::{rotation as wit, types};
use super::host::one_line;
use super::loaded::{Plugin, Program};
use crate::domain::ids::UserId;
use crate::domain::member::TeamRole;
use crate::rotation::coverage::Source;
use crate::rotation::strategy::{Fingerprint, Pick, PickContext, Strategy};

/// Bytes of an answer: a user id and a sentence. What a plugin logs counts too, line by line.
const ANSWER_BYTES: usize = 64 * 1024;

/// Characters of a reason; the rest is cut off.
const REASON_CHARACTERS: usize = 500;

/// A rotation plugin as a strategy.
#[derive(Debug)]
pub struct PluginStrategy(pub Arc<Plugin>);

impl Strategy for PluginStrategy {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let context = self.context(context);
        self.0.pick(&context).map_err(|error| error.to_string())
    }

    /// Which plugin it is, and what it gets to see.
    fn question(&self, context: &PickContext<'_>) -> Fingerprint {
        Fingerprint::of(&(&self.0.sha256, self.context(context)))
    }
}

impl PluginStrategy {
    /// What the plugin gets to see.
    fn context(&self, context: &PickContext<'_>) -> wit::Context {
        let config = self.0.manifest.config_with(&context.config.plugin_config.0);
        wit_context(context, config.to_string())
    }
}

impl Plugin {
    /// Asks it for a pick.
    ///
    /// # Errors
    /// It failed, or answered what is no user id.
    pub fn pick(&self, context: &wit::Context) -> Result<Pick, CallError> {
        self.call(ANSWER_BYTES, None, |store| {
            let Program::Rotation(program) = &self.program else {
                return Ok(Err(Cause::Wrong("is not a rotation plugin".to_owned())));
            };
            let instance = program.instantiate(&mut *store)?;
            let answer = instance.call_pick(store, context)?;
            Ok(answer
                .map_err(|message| Cause::Failed(said(&message)))
                .and_then(|answer| pick(&answer)))
        })
    }
}

/// What a plugin says of its own failure.
fn said(message: &str) -> String {
    match one_line(message, REASON_CHARACTERS) {
        nothing if nothing.is_empty() => "it doesn't say why".to_owned(),
        message => message,
    }
}

fn pick(answer: &wit::Pick) -> Result<Pick, Cause> {
    let user = answer.user.parse::<UserId>().map_err(|_| {
        Cause::Wrong(format!(
            "picked `{}`, which is no user id",
            one_line(&answer.user, 40)
        ))
    })?;
    let reason = match one_line(&answer.reason, REASON_CHARACTERS) {
        nothing if nothing.is_empty() => "the plugin gives no reason".to_owned(),
        reason => reason,
    };
    Ok(Pick { user, reason })
}

/// The context in the interface's words.
pub fn wit_context(context: &PickContext<'_>, config: String) -> wit::Context {
    let team = types::Team {
        id: context.team.id.to_string(),
        name: context.team.name.to_owned(),
        slug: context.team.slug.to_owned(),
        timezone: context.team.timezone.to_owned(),
    };
    let candidates = context.standings.iter().zip(context.members);
    wit::Context {
        period: wit::Period {
            number: u32::try_from(context.period.index + 1).unwrap_or(u32::MAX),
            first: date(context.period.start),
            last: date(context.period.end),
        },
        candidates: candidates
            .map(|(standing, member)| wit::Candidate {
                user: standing.user.to_string(),
                role: role(member.role),
                weight: standing.weight,
                target: standing.target,
                joined: date(member.joined_date),
                served: standing.served,
                credit: standing.credit,
                last_served: standing.last_served.map(date),
            })
            .collect(),
        last_pick: context.last_pick.map(|(_, user)| user.to_string()),
        recent_shifts: context
            .recent
            .iter()
            .map(|stretch| wit::Shift {
                user: stretch.user.to_string(),
                first: date(stretch.start),
                last: date(stretch.end),
                source: source(stretch.source),
            })
            .collect(),
        periods_counted: whole(context.total),
        config,
        seed: seed(&team.id, context.period.start),
        team,
    }
}

/// A number of periods, which is whole and not below 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what doesn't fit becomes the nearest number that does"
)]
fn whole(number: f64) -> u32 {
    number as u32
}

/// A role in the interface's words.
pub fn role(role: TeamRole) -> wit::Role {
    match role {
        TeamRole::Lead => wit::Role::Lead,
        TeamRole::Member => wit::Role::Member,
    }
}

/// What puts a person on call, in the interface's words.
pub fn source(source: Source) -> wit::Source {
    match source {
        Source::Manual => wit::Source::Manual,
        Source::Override => wit::Source::Override,
        Source::Auto | Source::None => wit::Source::Auto,
    }
}

/// A day in the interface's words.
pub fn date(day: NaiveDate) -> wit::Date {
    wit::Date {
        year: u16::try_from(day.year()).unwrap_or_default(),
        month: narrow(day.month()),
        day: narrow(day.day()),
        weekday: match day.weekday() {
            chrono::Weekday::Mon => wit::Weekday::Monday,
            chrono::Weekday::Tue => wit::Weekday::Tuesday,
            chrono::Weekday::Wed => wit::Weekday::Wednesday,
            chrono::Weekday::Thu => wit::Weekday::Thursday,
            chrono::Weekday::Fri => wit::Weekday::Friday,
            chrono::Weekday::Sat => wit::Weekday::Saturday,
            chrono::Weekday::Sun => wit::Weekday::Sunday,
        },
        number: day.to_epoch_days(),
    }
}

/// A month or a day of the month.
fn narrow(number: u32) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

/// A number for a team and period that tells nothing of others'.
fn seed(team: &str, start: NaiveDate) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(team);
    hasher.update(start.to_epoch_days().to_be_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
    u32::from_be_bytes([a, b, c, d])
}
