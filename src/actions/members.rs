//! Members of a team.

use super::app::{App, Tx, check_version};
use super::context::Ctx;
use super::error::{ActionError, Result};
use super::{changes, find, rotation};
use crate::clock::to_millis;
use crate::domain::Revision;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::{MembershipId, UserId};
use crate::domain::invalid::Invalid;
use crate::domain::member::{MAX_WEIGHT, Membership, TeamRole, is_weight};
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store;
use crate::wire::member::{MemberInput, MemberView, NewMember};
use crate::wire::{Page, Paging};

/// A team's members, by seniority.
///
/// # Errors
/// The team is not there.
pub fn list(app: &App, team: &str, paging: &Paging) -> Result<Page<MemberView>> {
    let mut members = app.read(|tx| {
        let team = find::team(tx, team)?;
        Ok(store::teams::list_members(tx, team.id)?)
    })?;
    members.sort_by(|a, b| (a.joined_at, &a.user).cmp(&(b.joined_at, &b.user)));
    Ok(Page::of(
        members.iter().map(MemberView::from).collect(),
        paging,
    ))
}

/// A member that was put, and whether it is new.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Put {
    /// The member.
    pub member: MemberView,
    /// False where it was there already.
    pub is_new: bool,
}

/// Adds a member, or changes the one that is there.
///
/// # Errors
/// Less than an editor; the team is not there; the input is invalid; another version.
pub fn put(app: &App, ctx: &Ctx, team: &str, input: &NewMember) -> Result<Put> {
    ctx.require(Role::Editor)?;
    app.write_once(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let mut invalid = Invalid::default();
        let user = invalid.parse::<UserId>("slack_user_id", &input.slack_user_id);
        let Some(user) = user else {
            return Err(invalid.into());
        };
        let change = MemberInput {
            team_role: input.team_role.clone(),
            is_eligible_for_oncall: input.is_eligible_for_oncall,
            weight: input.weight,
            joined_at: input.joined_at,
            version: input.version,
        };
        match store::teams::find_member(tx.store, team.id, &user)? {
            Some(old) => Ok(Put {
                member: change_member(tx, &team, &old, &change)?,
                is_new: false,
            }),
            None => {
                let blank = Membership {
                    id: MembershipId::new(tx.now),
                    team_id: team.id,
                    user,
                    role: TeamRole::Member,
                    is_eligible: true,
                    weight: 1.0,
                    joined_at: tx.now,
                    revision: Revision::first(tx.now),
                };
                let member = apply(&blank, &change)?;
                store::teams::put_member(tx.store, &member)?;
                record(tx, None, Some(&member))?;
                rotation::replan_and_tell(tx, &team, "a member was added")?;
                Ok(Put {
                    member: MemberView::from(&member),
                    is_new: true,
                })
            }
        }
    })
}

/// Changes a member.
///
/// # Errors
/// Less than an editor; team or member are not there; the input is invalid; another version.
pub fn update(
    app: &App,
    ctx: &Ctx,
    team: &str,
    user: &str,
    input: &MemberInput,
) -> Result<MemberView> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let (team, old) = load(tx, team, user)?;
        change_member(tx, &team, &old, input)
    })
}

/// Removes a member. Their shifts of the running period stand; the future goes on without.
///
/// # Errors
/// Less than an editor; team or member are not there.
pub fn delete(app: &App, ctx: &Ctx, team: &str, user: &str) -> Result<()> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let (team, old) = load(tx, team, user)?;
        store::teams::delete_member(tx.store, &old)?;
        record(tx, Some(&old), None)?;
        rotation::replan_and_tell(tx, &team, "a member was removed")
    })
}

fn load(tx: &Tx<'_>, team: &str, user: &str) -> Result<(Team, Membership)> {
    let team = find::active_team(tx.store, team)?;
    let user = find::user(user)?;
    let member = store::teams::find_member(tx.store, team.id, &user)?.ok_or_else(|| {
        ActionError::NotFound(format!("{user} is not a member of team `{}`", team.slug))
    })?;
    Ok((team, member))
}

fn change_member(
    tx: &mut Tx<'_>,
    team: &Team,
    old: &Membership,
    input: &MemberInput,
) -> Result<MemberView> {
    check_version(input.version, old.revision.version)?;
    let mut member = apply(old, input)?;
    if member == *old {
        return Ok(MemberView::from(old));
    }
    member.revision = old.revision.next(tx.now);
    store::teams::put_member(tx.store, &member)?;
    record(tx, Some(old), Some(&member))?;
    rotation::replan_and_tell(tx, team, "a member was changed")?;
    Ok(MemberView::from(&member))
}

fn apply(member: &Membership, input: &MemberInput) -> Result<Membership> {
    let mut invalid = Invalid::default();
    let mut member = member.clone();
    if let Some(role) = &input.team_role
        && let Some(role) = invalid.parse("team_role", role)
    {
        member.role = role;
    }
    if let Some(weight) = input.weight {
        let message = format!("{weight} is not a weight: above 0, at most {MAX_WEIGHT}");
        invalid.check(is_weight(weight), "weight", message);
        member.weight = weight;
    }
    if let Some(joined_at) = input.joined_at {
        invalid.check_date("joined_at", joined_at.date_naive());
        member.joined_at = to_millis(joined_at);
    }
    member.is_eligible = input.is_eligible_for_oncall.unwrap_or(member.is_eligible);
    Ok(invalid.into_result(member)?)
}

fn record(tx: &mut Tx<'_>, old: Option<&Membership>, new: Option<&Membership>) -> Result<()> {
    let action = match (old, new) {
        (None, _) => Action::Created,
        (_, None) => Action::Deleted,
        _ => Action::Updated,
    };
    let mut event = tx.ctx.event(EntityType::TeamMembership, action);
    let subject = new.or(old);
    event.team_id = subject.map(|member| member.team_id);
    event.entity_id = subject.map(|member| member.id.to_string());
    let view = |member: Option<&Membership>| member.map(MemberView::from);
    event.changes = changes::between(view(old).as_ref(), view(new).as_ref());
    if let (Some(member), Some(metadata)) = (subject, event.metadata.0.as_object_mut()) {
        metadata.insert("slack_user_id".to_owned(), member.user.as_str().into());
    }
    tx.audit(event)
}
