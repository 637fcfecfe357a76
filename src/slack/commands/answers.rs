//! Who is on call, in words.

use serde_json::{Value, json};

use super::reply::Reply;
use super::{Person, resolve};
use crate::actions::oncall::{self, shifts};
use crate::actions::overrides;
use crate::app::Result;
use crate::domain::notification::Event;
use crate::domain::shift_override::OverrideStatus;
use crate::rotation::coverage::Source;
use crate::wire::Paging;
use crate::wire::oncall::{DateRange, OnCall, OnCallQuery, UserShift};
use crate::wire::shift_override::OverrideFilter;
use crate::wording::{Form, Pen, in_passing};

/// Days ahead of which one's own shifts are shown.
const DAYS_AHEAD: i64 = 90;
/// The most of them that are shown.
const MOST_SHIFTS: usize = 12;

impl Person<'_> {
    /// Who is on call for a team; or for a service, where no team is called so.
    pub(super) fn team_or_service(&self, name: &str) -> Result<Reply> {
        let app = &self.deps.app;
        if resolve::find_team(app, name)?.is_some() {
            return self.team(name);
        }
        if resolve::find_service(app, name)?.is_some() {
            return self.service(name);
        }
        Err(resolve::neither(app, name)?)
    }

    /// Who is on call for a team.
    pub(super) fn team(&self, name: &str) -> Result<Reply> {
        let team = resolve::team(&self.deps.app, name)?;
        self.on_call(&OnCallQuery {
            team: Some(team.slug),
            ..OnCallQuery::default()
        })
    }

    /// Who is on call for a service.
    pub(super) fn service(&self, name: &str) -> Result<Reply> {
        let service = resolve::service(&self.deps.app, name)?;
        self.on_call(&OnCallQuery {
            service: Some(service.id.to_string()),
            ..OnCallQuery::default()
        })
    }

    fn on_call(&self, query: &OnCallQuery) -> Result<Reply> {
        let answer = oncall::answer(&self.deps.app, query)?;
        Ok(Reply::of(
            self.in_passing(Event::Handoff, &self.facts(&answer)?),
        ))
    }

    /// One's own shifts.
    pub(super) fn my_shifts(&self) -> Result<Reply> {
        let app = &self.deps.app;
        let now = app.now();
        let mut paragraphs = Vec::new();
        let shifts = shifts::upcoming(app, &self.user, DAYS_AHEAD)?;
        let (running, later): (Vec<_>, Vec<_>) = shifts
            .into_iter()
            .partition(|shift| shift.starts_at.is_none_or(|at| at <= now));
        for shift in &running {
            paragraphs.push(self.in_passing(Event::ShiftStarted, &self.facts(shift)?));
        }
        if !later.is_empty() {
            let shown = later.iter().take(MOST_SHIFTS).map(|shift| self.line(shift));
            let mut lines: Vec<_> = ["*Your next shifts*".to_owned()]
                .into_iter()
                .chain(shown)
                .collect();
            if let Some(more) = later
                .len()
                .checked_sub(MOST_SHIFTS)
                .filter(|more| *more > 0)
            {
                lines.push(format!("… and {more} more"));
            }
            paragraphs.push(lines.join("\n"));
        }
        if paragraphs.is_empty() {
            paragraphs.push(format!("You have no shift in the next {DAYS_AHEAD} days."));
        }
        let waiting = self.waiting()?;
        if !waiting.is_empty() {
            let title = ["*Waiting for a decision*".to_owned()];
            let lines: Vec<_> = title.into_iter().chain(waiting).collect();
            paragraphs.push(lines.join("\n"));
        }
        let paragraphs = paragraphs.into_iter();
        Ok(paragraphs.fold(Reply::default(), Reply::and))
    }

    /// Overrides that would put the person on call.
    fn waiting(&self) -> Result<Vec<String>> {
        let app = &self.deps.app;
        let paging = Paging {
            page: None,
            page_size: Some(Paging::MAX_SIZE),
        };
        let range = DateRange::default();
        let shifts = oncall::shifts_of(app, self.user.as_str(), &range, &paging)?;
        let waits = |shift: &&UserShift| shift.status == Some(OverrideStatus::Pending);
        let mut lines = Vec::new();
        for shift in shifts.items.iter().filter(waits) {
            let team = crate::actions::teams::get(app, &shift.team_slug)?;
            let pen = self.pen(&team.timezone);
            let team = pen.linked(&team.name, &team.slug);
            lines.push(format!(
                "• {team}: {}",
                pen.span(shift.starts_at, shift.ends_at)
            ));
        }
        Ok(lines)
    }

    fn line(&self, shift: &OnCall) -> String {
        let pen = self.pen(&shift.timezone);
        let team = pen.linked(&shift.team_name, &shift.team_slug);
        let span = shift
            .starts_at
            .zip(shift.ends_at)
            .map(|(from, to)| pen.span(from, to));
        let by = match shift.source {
            Source::Override => ", by an override",
            Source::Manual | Source::Auto | Source::None => "",
        };
        format!("• {team}: {}{by}", span.unwrap_or_default())
    }

    /// An answer as a notification would bear it.
    fn facts(&self, answer: &OnCall) -> Result<Value> {
        Ok(json!({
            "team": {
                "id": answer.team_id, "name": answer.team_name, "slug": answer.team_slug,
                "timezone": answer.timezone,
            },
            "service_name": answer.service_name,
            "engineer_slack_id": answer.engineer_slack_id,
            "source": answer.source,
            "start_date": answer.start_date,
            "end_date": answer.end_date,
            "starts_at": answer.starts_at,
            "ends_at": answer.ends_at,
            "next": answer.next,
            "reason": self.reason(answer)?,
        }))
    }

    /// Why an override is in force.
    fn reason(&self, answer: &OnCall) -> Result<Option<String>> {
        if answer.source != Source::Override {
            return Ok(None);
        }
        let filter = OverrideFilter {
            from: Some(answer.date),
            to: Some(answer.date),
            status: Some(OverrideStatus::Approved.to_string()),
        };
        let found = overrides::list(
            &self.deps.app,
            &answer.team_slug,
            &filter,
            &Paging::default(),
        )?;
        Ok(found.items.into_iter().find_map(|row| row.reason))
    }

    /// What a notification would say, to this person.
    pub(super) fn in_passing(&self, event: Event, facts: &Value) -> String {
        let deps = self.deps;
        in_passing(
            event,
            facts,
            &self.user,
            deps.app.now(),
            &*deps.names,
            &deps.links,
        )
    }

    /// A pen for the times of a team's zone.
    pub(super) fn pen(&self, timezone: &str) -> Pen<'_> {
        let deps = self.deps;
        let pen = Pen::new(
            Form::Mrkdwn,
            &*deps.names,
            &deps.links,
            timezone,
            deps.app.now(),
        );
        pen.for_reader(self.user.as_str())
    }
}
