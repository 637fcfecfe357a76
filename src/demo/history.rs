//! Lives the sample company's past through the real actions, from its founding to the
//! present: the clock goes from act to act, and stops at every handoff in between.

use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, Utc};

use super::acts::{Act, What, acts_of};
use super::company::{Company, Cover, Day, DaysOff, Decided, Member};
use crate::actions::members::{self, profiles, time_off};
use crate::actions::rotation::{self, handoff};
use crate::actions::{oncall, overrides, schedules, services, teams};
use crate::app::{Actor, App, Ctx, Source};
use crate::clock::ManualClock;
use crate::domain::ids::{TokenId, UserId};
use crate::domain::token::Role;
use crate::store;
use crate::wire::member::{MemberInput, NewMember};
use crate::wire::oncall::OnCallQuery;
use crate::wire::rotation::PlanRequest;
use crate::wire::schedule::NewSchedule;
use crate::wire::service::{ServiceFilter, ServiceInput};
use crate::wire::shift_override::{Decision, NewOverride, OverrideFilter, OverrideView};
use crate::wire::team::TeamInput;
use crate::wire::time_off::NewTimeOff;
use crate::wire::{ActiveFilter, Paging};

/// What the audit log calls the token by which the sample company's people act.
const TOKEN_NAME: &str = "sample company";

/// Lives the company's past up to `now`. `app` goes by `clock`.
pub fn live(
    app: &App,
    clock: &ManualClock,
    company: &Company,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut acts = Vec::new();
    for team in &company.teams {
        acts.extend(acts_of(team, now)?);
    }
    acts.sort_by_key(|act| act.at);
    for act in &acts {
        hand_off_until(app, clock, act.at)?;
        clock.set(act.at);
        let what = || format!("sample company: {}, {:?}", act.team.slug, act.what);
        act.perform(app).with_context(what)?;
    }
    hand_off_until(app, clock, now)?;
    clock.set(now);
    generate(app)
}

/// Plans the future of all teams again: published shifts stand when a later override moves the
/// credits, and the sample company begins with a plan that generating doesn't change.
fn generate(app: &App) -> anyhow::Result<()> {
    let active = teams::list(app, ActiveFilter::True, None, &Paging::default())?;
    for team in active.items {
        rotation::generate(app, &by_nobody(), &team.slug, &PlanRequest::default())?;
    }
    Ok(())
}

fn hand_off_until(app: &App, clock: &ManualClock, until: DateTime<Utc>) -> anyhow::Result<()> {
    while let Some(due) = next_handoff(app)?.filter(|due| *due <= until) {
        clock.set(due);
        let ticked = handoff::tick(app)?;
        ensure!(
            ticked.failed.is_empty() && ticked.handed_off > 0,
            "handoffs at {due}: {ticked:?}"
        );
    }
    Ok(())
}

fn next_handoff(app: &App) -> anyhow::Result<Option<DateTime<Utc>>> {
    let next = app.read(|tx| {
        let mut next: Option<DateTime<Utc>> = None;
        for team in store::teams::list(tx)? {
            let state = store::rotation::state(tx, team.id)?;
            let upcoming = state.upcoming.first().copied();
            next = next.into_iter().chain(upcoming).min();
        }
        Ok(next)
    })?;
    Ok(next)
}

impl Act<'_> {
    fn perform(&self, app: &App) -> anyhow::Result<()> {
        let team = self.team.slug.as_str();
        let lead = || {
            let lead = self.team.lead().context("a team without a lead")?;
            anyhow::Ok(self.by(lead))
        };
        match &self.what {
            What::Found => drop(teams::create(app, &by_nobody(), &self.new_team())?),
            What::Join { member, joined_at } => {
                // The first lead is made by an admin.
                let is_lead = member.role.as_deref() == Some("lead");
                let actor = if is_lead { by_nobody() } else { lead()? };
                let row = new_member(member, *joined_at);
                members::put(app, &actor, team, &row)?;
                if let Some(profile) = member.profile() {
                    let ctx = self.by(&member.user);
                    profiles::set(app, &ctx, member.user.as_str(), &profile)?;
                }
            }
            What::AddService(service) => {
                let team_id = Some(team.to_owned());
                let service = ServiceInput {
                    team_id,
                    ..(*service).clone()
                };
                drop(services::create(app, &lead()?, &service)?);
            }
            What::Configure(rotation) => {
                let input = TeamInput {
                    rotation_enabled: Some(true),
                    ..TeamInput::from((*rotation).clone())
                };
                drop(teams::update(app, &lead()?, team, &input)?);
            }
            What::ChangeMember(member, change) => {
                let (user, input) = (member.user.as_str(), MemberInput::from(*change));
                drop(members::update(app, &lead()?, team, user, &input)?);
            }
            What::TakeOff(member, off) => self.take_off(app, member, off)?,
            What::Schedule(row) => drop(schedules::create(
                app,
                &lead()?,
                team,
                &NewSchedule {
                    engineer_slack_id: row.engineer.to_string(),
                    start_date: self.date(row.start),
                    end_date: self.date(row.end),
                    note: Some(row.note.clone()),
                    created_by: None,
                },
            )?),
            What::Ask(cover) => self.ask(app, cover)?,
            What::Decide(cover, decided) => self.decide(app, cover, decided)?,
            What::Leave(member) => members::delete(app, &lead()?, team, member.user.as_str())?,
            What::Close => self.close(app)?,
        }
        Ok(())
    }

    fn date(&self, day: Day) -> NaiveDate {
        day.date(self.today)
    }

    /// A person acts, with no more rights than an editor's.
    fn by(&self, user: &UserId) -> Ctx {
        let actor = Actor::Token {
            id: TokenId::new(self.at),
            name: TOKEN_NAME.to_owned(),
            role: Role::Editor,
            user: Some(user.clone()),
        };
        Ctx {
            actor,
            ..by_nobody()
        }
    }

    fn new_team(&self) -> TeamInput {
        let team = self.team;
        TeamInput {
            name: Some(team.name.clone()),
            slug: Some(team.slug.clone()),
            description: Some(Some(team.description.clone())),
            timezone: Some(team.timezone.clone()),
            slack_channel_id: Some(Some(team.slack_channel_id.clone())),
            overrides_require_approval: Some(Some(team.overrides_require_approval)),
            ..TeamInput::default()
        }
    }

    fn take_off(&self, app: &App, member: &Member, off: &DaysOff) -> anyhow::Result<()> {
        let input = NewTimeOff {
            start_date: self.date(off.start),
            end_date: self.date(off.end),
            reason: Some(off.reason.clone()),
        };
        let ctx = self.by(&member.user);
        time_off::create(app, &ctx, member.user.as_str(), &input)?;
        Ok(())
    }

    fn ask(&self, app: &App, cover: &Cover) -> anyhow::Result<()> {
        let query = OnCallQuery {
            team: Some(self.team.slug.clone()),
            date: Some(self.date(cover.start)),
            ..OnCallQuery::default()
        };
        let replaced = oncall::answer(app, &query)?.engineer_slack_id;
        let replaced = replaced.map(|user| user.parse::<UserId>()).transpose()?;
        let others = |user: &&UserId| Some(*user) != replaced.as_ref();
        let substitute = cover.substitutes.iter().find(others);
        let substitute = substitute.context("nobody can stand in")?;
        let input = NewOverride {
            substitute_slack_id: substitute.to_string(),
            start_date: self.date(cover.start),
            end_date: Some(self.date(cover.end)),
            reason: Some(cover.reason.clone()),
            requested_by: None,
        };
        let ctx = self.by(replaced.as_ref().unwrap_or(substitute));
        overrides::request(app, &ctx, &self.team.slug, &input)?;
        Ok(())
    }

    fn decide(&self, app: &App, cover: &Cover, decided: &Decided) -> anyhow::Result<()> {
        let row = self.find_override(app, cover)?;
        let requester = row.requested_by.map(|user| user.parse::<UserId>());
        let requester = requester.transpose()?;
        let by = decided.by.as_ref().or(requester.as_ref());
        let decision = Decision {
            status: decided.status.to_string(),
            approved_by: None,
            reason: None,
            version: None,
        };
        let ctx = self.by(by.context("nobody to decide")?);
        overrides::decide(app, &ctx, &self.team.slug, &row.id.to_string(), &decision)?;
        Ok(())
    }

    /// The override that holds the days of `cover`: no two do.
    fn find_override(&self, app: &App, cover: &Cover) -> anyhow::Result<OverrideView> {
        let first = Some(self.date(cover.start));
        let filter = OverrideFilter {
            from: first,
            to: first,
            status: None,
        };
        let rows = overrides::list(app, &self.team.slug, &filter, &Paging::default())?;
        let mut rows = rows.items.into_iter();
        rows.find(|row| row.status.holds_days())
            .context("nobody asked for this")
    }

    /// Deletes the team and its services.
    fn close(&self, app: &App) -> anyhow::Result<()> {
        let filter = ServiceFilter {
            team: Some(self.team.slug.clone()),
            ..ServiceFilter::default()
        };
        for service in services::list(app, &filter, &Paging::default())?.items {
            services::delete(app, &by_nobody(), &service.id.to_string())?;
        }
        teams::delete(app, &by_nobody(), &self.team.slug)?;
        Ok(())
    }
}

/// What takes an admin.
fn by_nobody() -> Ctx {
    Ctx {
        source: Source::Import,
        ..Ctx::system()
    }
}

fn new_member(member: &Member, joined_at: DateTime<Utc>) -> NewMember {
    NewMember {
        slack_user_id: member.user.to_string(),
        team_role: member.role.clone(),
        is_eligible_for_oncall: member.eligible,
        weight: member.weight,
        joined_at: Some(joined_at),
        version: None,
    }
}
