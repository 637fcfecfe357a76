//! Members of a team.

pub mod profiles;
pub mod slack_group;
pub mod time_off;

use super::rotation;
use crate::actions::people::{find, names, roster};
use crate::app::{ActionError, App, Ctx, Result, Tx, check_version};
use crate::clock::to_millis;
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::member::{MAX_WEIGHT, Membership, TeamRole, is_weight};
use crate::domain::roster::Member;
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store;
use crate::wire::member::{MemberInput, MemberView, NewMember};
use crate::wire::{Page, Paging};

/// A team's members, by seniority: its rows and its Slack group together, where that is the
/// member list.
///
/// # Errors
/// The team is not there.
pub fn list(app: &App, team: &str, paging: &Paging) -> Result<Page<MemberView>> {
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let (mut members, synced_at) = roster::members_of(tx, app.settings(), &team)?;
        members.sort_by(|a, b| (a.joined_at, &a.user).cmp(&(b.joined_at, &b.user)));
        let page = Page::of(members, paging);
        let views = page.items.iter().map(|member| {
            let name = names::shown(tx, &member.user)?;
            Ok(MemberView::new(team.id, member, name, synced_at))
        });
        Ok(Page::new(views.collect::<Result<_>>()?, page.total, paging))
    })
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
                member: change_row(tx, &team, &old, &change)?,
                is_new: false,
            }),
            None => {
                let member = roster::find_member(tx.store, tx.settings, &team, &user)?;
                let member = member.unwrap_or_else(|| Member::new(user, tx.now));
                Ok(Put {
                    member: add_row(tx, &team, &member, &change)?,
                    is_new: true,
                })
            }
        }
    })
}

/// Adds a member or changes the one that is there, within a larger write that plans the team's
/// rotation again where this says that something has changed.
pub(crate) fn put_in(
    tx: &mut Tx<'_>,
    team: &Team,
    user: &UserId,
    change: &MemberInput,
) -> Result<bool> {
    if let Some(old) = store::teams::find_member(tx.store, team.id, user)? {
        return write_change(tx, team, &old, change).map(|row| row != old);
    }
    let member = roster::find_member(tx.store, tx.settings, team, user)?;
    let member = member.unwrap_or_else(|| Member::new(user.clone(), tx.now));
    write_first(tx, team, &member, change).map(|_| true)
}

/// Removes a member's metadata, as [`put_in`] changes it.
pub(crate) fn delete_in(tx: &mut Tx<'_>, team: &Team, old: &Membership) -> Result<()> {
    if old.role == TeamRole::Lead {
        roster::require_lead(tx, team, "removing a lead")?;
    }
    store::teams::delete_member(tx.store, old)?;
    record(tx, Some(old), None)
}

/// Changes a member; one who is known from Slack alone gets a row by it.
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
        let team = find::active_team(tx.store, team)?;
        let user = find::user(user)?;
        if let Some(old) = store::teams::find_member(tx.store, team.id, &user)? {
            return change_row(tx, &team, &old, input);
        }
        match roster::find_member(tx.store, tx.settings, &team, &user)? {
            Some(member) => add_row(tx, &team, &member, input),
            None => Err(not_a_member(&team, &user)),
        }
    })
}

/// Removes a member's metadata. Their shifts of the running period stand; the future goes on
/// without them, or by the defaults where the team's Slack group still lists them.
///
/// # Errors
/// Less than an editor; the team is not there; there is no metadata.
pub fn delete(app: &App, ctx: &Ctx, team: &str, user: &str) -> Result<()> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let team = find::active_team(tx.store, team)?;
        let user = find::user(user)?;
        let Some(old) = store::teams::find_member(tx.store, team.id, &user)? else {
            return Err(
                match roster::find_member(tx.store, tx.settings, &team, &user)? {
                    Some(_) => ActionError::NotFound(format!(
                        "{user} is a member of team `{}` only through its Slack group: there is \
                         no metadata to remove",
                        team.slug
                    )),
                    None => not_a_member(&team, &user),
                },
            );
        };
        delete_in(tx, &team, &old)?;
        rotation::replan(tx, &team, "a member was removed")
    })
}

/// Who leads a team decides who else does: whoever could take the role could approve what they
/// like.
fn check_role_change(
    tx: &Tx<'_>,
    team: &Team,
    old: Option<&Membership>,
    input: &MemberInput,
) -> Result<()> {
    let lead = TeamRole::Lead.as_str();
    let was_lead = old.is_some_and(|old| old.role == TeamRole::Lead);
    let wanted = input.team_role.as_deref();
    if wanted.is_some_and(|role| (role == lead) != was_lead) {
        roster::require_lead(tx, team, "giving or taking the role `lead`")?;
    }
    Ok(())
}

fn not_a_member(team: &Team, user: &UserId) -> ActionError {
    ActionError::NotFound(format!("{user} is not a member of team `{}`", team.slug))
}

/// Makes the first row of a member.
fn add_row(
    tx: &mut Tx<'_>,
    team: &Team,
    member: &Member,
    input: &MemberInput,
) -> Result<MemberView> {
    let row = write_first(tx, team, member, input)?;
    rotation::replan(tx, team, "a member was added")?;
    view(tx, team, &row)
}

fn write_first(
    tx: &mut Tx<'_>,
    team: &Team,
    member: &Member,
    input: &MemberInput,
) -> Result<Membership> {
    if let Some(version) = input.version {
        let detail = format!(
            "version {version} is not the current one: {} has no metadata yet",
            member.user
        );
        return Err(ActionError::conflict(detail));
    }
    check_role_change(tx, team, None, input)?;
    let row = apply(&member.to_row(team.id, tx.now), input)?;
    store::teams::put_member(tx.store, &row)?;
    record(tx, None, Some(&row))?;
    Ok(row)
}

fn change_row(
    tx: &mut Tx<'_>,
    team: &Team,
    old: &Membership,
    input: &MemberInput,
) -> Result<MemberView> {
    let row = write_change(tx, team, old, input)?;
    if row != *old {
        rotation::replan(tx, team, "a member was changed")?;
    }
    view(tx, team, &row)
}

fn write_change(
    tx: &mut Tx<'_>,
    team: &Team,
    old: &Membership,
    input: &MemberInput,
) -> Result<Membership> {
    check_role_change(tx, team, Some(old), input)?;
    check_version(input.version, old.revision.version)?;
    let mut row = apply(old, input)?;
    if row != *old {
        row.revision = old.revision.next(tx.now);
        store::teams::put_member(tx.store, &row)?;
        record(tx, Some(old), Some(&row))?;
    }
    Ok(row)
}

fn view(tx: &Tx<'_>, team: &Team, row: &Membership) -> Result<MemberView> {
    let (members, synced_at) = roster::members_of(tx.store, tx.settings, team)?;
    let member = members.into_iter().find(|member| member.user == row.user);
    let member = member.unwrap_or_else(|| row.clone().into());
    let name = names::shown(tx.store, &row.user)?;
    Ok(MemberView::new(team.id, &member, name, synced_at))
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
        let message =
            format!("{weight} is not a weight, expected above 0 and at most {MAX_WEIGHT}");
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
    let Some(subject) = new.or(old) else {
        return Ok(());
    };
    let view = |member: Option<&Membership>| member.map(MemberView::from);
    tx.record(EntityType::TeamMembership, action)
        .team(subject.team_id)
        .entity(&subject.id)
        .diff(view(old).as_ref(), view(new).as_ref())
        .metadata("slack_user_id", subject.user.as_str())
        .write()
}
