//! Members: role, eligibility and weight, saved where they stand; who is away.

use chrono::NaiveDate;
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Crew, EVERYTHING, Tab, TeamData, TeamHead, Typed};
use crate::actions::members;
use crate::actions::oncall::layers::layers;
use crate::actions::rotation::shares::turn_shares;
use crate::app::{App, Result};
use crate::domain::member::TeamRole;
use crate::domain::roster::Account;
use crate::web::pages::prelude::*;
use crate::web::view::why::{number, percent};
use crate::web::view::year::{Strip, Year};
use crate::wire::layers::Layers;
use crate::wire::member::{MemberInput, MemberView};

#[derive(Template)]
#[template(path = "team_members.html")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each shows or hides a part of its own"
)]
struct Members {
    layout: Layout,
    head: TeamHead,
    rows: Vec<Line>,
    /// Whether Slack's group is the member list.
    is_from_slack: bool,
    synced: Option<When>,
    may_sync: bool,
    may_edit: bool,
    /// Whether the visitor may say who leads.
    may_lead: bool,
    has_shares: bool,
    months: Vec<String>,
    away: Vec<Away>,
}

/// A member as the table shows them.
struct Line {
    person: Person,
    form: FormState,
    role: TeamRole,
    is_eligible: bool,
    weight: String,
    share: Option<String>,
    joined: String,
    joined_at: String,
    slack: &'static str,
    is_out: bool,
    /// Whether only Slack knows them, so that everything is by default.
    is_by_default: bool,
}

/// Somebody who is away within the year.
struct Away {
    person: Person,
    strip: Strip,
    days: Vec<String>,
}

/// `GET /teams/{team}/members`
pub async fn list(State(api): State<Api>, visitor: Visitor, Path(team): Path<String>) -> Shown {
    show_members(&api, &visitor, team, None).await
}

/// The page, with the row of a user as it was `sent`, where that has to be corrected.
async fn show_members(
    api: &Api,
    visitor: &Visitor,
    team: String,
    sent: Option<(String, FormState)>,
) -> Shown {
    let has_slack = api.slack().is_ok();
    let (data, crew, shares, year, layers) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let crew = Crew::load(app, &team, &data.ids())?;
            let shares = turn_shares(app, &team)?;
            let year = Year::around(data.today);
            let layers = layers(app, &team, year.first, year.last)?;
            Ok((data, crew, shares, year, layers))
        })
        .await?;
    let head = TeamHead::new(&data, Tab::Members, &crew.people, visitor);
    let (people, today) = (&crew.people, crew.today);
    let mut status = axum::http::StatusCode::OK;
    let path = format!("/teams/{}/members", data.team.slug);
    let line = |member: &MemberView| {
        let present = form_of(member);
        let form = match &sent {
            Some((user, sent)) if *user == member.slack_user_id => {
                let form = sent.clone().beside(&present, &path);
                status = form.status();
                form
            }
            _ => present,
        };
        Line::new(
            member,
            form,
            shares.get(&member.slack_user_id),
            people,
            today,
        )
    };
    let rows: Vec<_> = crew.members.iter().map(line).collect();
    let user = visitor.ctx.user().map(crate::domain::ids::UserId::as_str);
    let leads = |member: &MemberView| {
        member.team_role == TeamRole::Lead && Some(member.slack_user_id.as_str()) == user
    };
    let layout = visitor.layout(format!("Members, {}", data.team.name), Nav::Teams);
    let may_edit = data.team.is_active && layout.may_edit();
    let synced_at = crew.members.iter().find_map(|member| member.synced_at);
    let page = Members {
        is_from_slack: crew.members.iter().any(|member| member.in_slack.is_some()),
        synced: synced_at.map(|at| data.when(at, visitor)),
        may_sync: may_edit && has_slack && data.team.slack_group_id.is_some(),
        may_lead: layout.is_admin() || crew.members.iter().any(leads),
        may_edit,
        has_shares: !shares.is_empty(),
        months: year.month_names(),
        away: away(&layers, year, people, today),
        layout: layout.alarmed(head.is_alarming()).live(),
        head,
        rows,
    };
    visitor.page_with(status, &page)
}

impl Line {
    fn new(
        member: &MemberView,
        form: FormState,
        share: Option<&f64>,
        people: &People,
        today: NaiveDate,
    ) -> Self {
        let (slack, is_out) = match (member.in_slack, member.slack_account) {
            (None, _) => ("", false),
            (Some(false), _) => ("has left", true),
            (_, Some(Account::Bot)) => ("a bot", true),
            (_, Some(Account::Deactivated)) => ("deactivated", true),
            _ => ("yes", false),
        };
        Self {
            person: people.get(&member.slack_user_id),
            role: member.team_role,
            is_eligible: member.is_eligible_for_oncall,
            weight: number(member.weight),
            share: share.map(|share| percent(*share)),
            joined: day(member.joined_at.date_naive(), today),
            joined_at: instant(member.joined_at),
            slack,
            is_out,
            is_by_default: member.id.is_none(),
            form,
        }
    }
}

fn form_of(member: &MemberView) -> FormState {
    let version = member.version.map(|version| version.to_string());
    FormState::of([
        ("team_role", member.team_role.to_string()),
        (
            "is_eligible_for_oncall",
            member.is_eligible_for_oncall.to_string(),
        ),
        ("weight", member.weight.to_string()),
        ("version", version.unwrap_or_default()),
    ])
}

/// An instant as forms carry it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn away(layers: &Layers, year: Year, people: &People, today: NaiveDate) -> Vec<Away> {
    let mut away: Vec<_> = layers
        .time_off
        .iter()
        .map(|(user, rows)| {
            let run = |row: &crate::wire::time_off::TimeOffView| {
                let text = days(row.start_date, row.end_date, today);
                let why = row.reason.as_deref().map(|why| format!(": {why}"));
                (
                    row.start_date,
                    row.end_date,
                    text + &why.unwrap_or_default(),
                )
            };
            let runs: Vec<_> = rows.iter().map(run).collect();
            Away {
                person: people.get(user),
                strip: year.strip(&runs),
                days: runs.into_iter().map(|(_, _, text)| text).collect(),
            }
        })
        .collect();
    away.sort_by_cached_key(|away| (away.person.name.to_lowercase(), away.person.id.clone()));
    away
}

/// `POST /teams/{team}/members/{user}`
pub async fn change(
    State(api): State<Api>,
    visitor: Visitor,
    Path((team, user)): Path<(String, String)>,
    form: Form,
) -> Shown {
    let (ctx, reference, whom) = (visitor.ctx.clone(), team.clone(), user.clone());
    let done = match change_of(&form) {
        Ok(input) => {
            let action = move |app: &App| {
                let old = find(app, &reference, &whom)?;
                let new = members::update(app, &ctx, &reference, &whom, &input)?;
                Ok((old, new))
            };
            api.run(action).await
        }
        Err(problem) => Err(problem),
    };
    let path = format!("/teams/{team}/members");
    match done {
        Ok((Some(old), new)) => Ok(match difference(&old, &new) {
            Some(text) => {
                let action = format!("{path}/{user}");
                redirect_undoable(&path, &text, &undo_change(action, &old, &new))
            }
            None => redirect(&path),
        }),
        Ok((None, new)) => Ok(redirect_saying(
            &path,
            &format!("{} is a member.", new.display_name),
        )),
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            show_members(&api, &visitor, team, Some((user, sent))).await
        }
    }
}

fn change_of(form: &Form) -> Typed<MemberInput> {
    Ok(MemberInput {
        team_role: form.filled("team_role"),
        is_eligible_for_oncall: Some(form.is_on("is_eligible_for_oncall")),
        weight: Some(form.read_needed("weight", "a number above 0")?),
        joined_at: None,
        version: form.read("version", "a version")?,
    })
}

/// A member of a team, if there is one.
pub(super) fn find(app: &App, team: &str, user: &str) -> Result<Option<MemberView>> {
    let mut list = members::list(app, team, &EVERYTHING)?.items;
    list.retain(|member| member.slack_user_id == user);
    Ok(list.pop())
}

/// What a change has changed, in a sentence.
fn difference(old: &MemberView, new: &MemberView) -> Option<String> {
    let mut parts = Vec::new();
    if old.team_role != new.team_role {
        let part = match new.team_role {
            TeamRole::Lead => "leads the team",
            TeamRole::Member => "is a member, and no longer leads the team",
        };
        parts.push(part.to_owned());
    }
    if old.is_eligible_for_oncall != new.is_eligible_for_oncall {
        let part = if new.is_eligible_for_oncall {
            "can be picked by the rotation"
        } else {
            "is no longer picked by the rotation"
        };
        parts.push(part.to_owned());
    }
    if old.weight.to_bits() != new.weight.to_bits() {
        parts.push(format!(
            "has weight {}, not {}",
            number(new.weight),
            number(old.weight)
        ));
    }
    (!parts.is_empty()).then(|| format!("{} {}.", new.display_name, parts.join(", ")))
}

/// The form that sets what stood there before.
fn undo_change(action: String, old: &MemberView, new: &MemberView) -> Undo {
    let version = new.version.map(|version| version.to_string());
    let mut fields = fields_of(old);
    fields.push(("version".to_owned(), version.unwrap_or_default()));
    Undo { action, fields }
}

/// What the row of a member sends as it stands.
pub(super) fn fields_of(member: &MemberView) -> Vec<(String, String)> {
    let mut fields = vec![
        ("team_role".to_owned(), member.team_role.to_string()),
        ("weight".to_owned(), member.weight.to_string()),
    ];
    if member.is_eligible_for_oncall {
        fields.push(("is_eligible_for_oncall".to_owned(), "on".to_owned()));
    }
    fields
}
