//! What is known of people: what Slack says of them, kept as a cache, and what is set.

use std::time::Duration;

use serde::Serialize;

use super::slack_group;
use crate::actions::oncall::lookup::Lookups;
use crate::actions::people::directory::{self, Directory};
use crate::actions::people::{find, names, roster};
use crate::app::{ActionError, App, Ctx, Result, Settings, Tx, check_version};
use crate::domain::audit::{Action, EntityType};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::profile::{NameSource, Profile, SetProfile, SlackProfile};
use crate::domain::token::Role;
use crate::store::{self, Reader};
use crate::wire::person::{PeopleFilter, PersonView, ProfileInput};
use crate::wire::{Page, Paging};

/// How long what Slack says is taken for fresh.
pub const FRESH_FOR: Duration = Duration::from_hours(24);

/// Members of any team whose Slack profiles are unknown or no longer fresh, at most `limit`.
pub fn stale(app: &App, limit: usize) -> Result<Vec<UserId>> {
    let since = app.now() - FRESH_FOR;
    app.read(|tx| Ok(store::profiles::list_stale(tx, since, limit)?))
}

/// Those of `users` of whom Slack has not said yet what they are.
pub fn unknown_among(app: &App, users: Vec<UserId>) -> Result<Vec<UserId>> {
    app.read(|tx| {
        let mut unknown = Vec::new();
        for user in users {
            if load(tx, &user)?.slack.is_none() {
                unknown.push(user);
            }
        }
        Ok(unknown)
    })
}

/// What Slack last said of a user.
pub fn from_slack(app: &App, user: &UserId) -> Result<Option<SlackProfile>> {
    app.read(|tx| Ok(load(tx, user)?.slack))
}

/// Keeps what Slack says of users, and does what follows from accounts that became something
/// else. It's a cache: a change of a name is no audit entry.
pub fn learn(app: &App, said: &[(UserId, SlackProfile)]) -> Result<()> {
    let changed = app.write(&Ctx::system(), |tx| {
        let mut changed = Vec::new();
        for (user, slack) in said {
            let old = load(tx.store, user)?;
            let new = Profile {
                slack: Some(slack.clone()),
                ..old.clone()
            };
            store::profiles::put(tx.store, &new)?;
            let shown = |profile: &Profile| {
                let name = names::of(tx.store, profile)?;
                Ok::<_, ActionError>((name, profile.email().map(ToOwned::to_owned)))
            };
            if shown(&old)? != shown(&new)? {
                changed.push(user.clone());
            }
            if old.account() != slack.account {
                slack_group::account_changed(tx, user, old.account(), slack.account)?;
            }
        }
        Ok(changed)
    })?;
    if !changed.is_empty() {
        Lookups::of(app).forget_people(&changed);
        Directory::of(app).forget_people(&changed);
    }
    Ok(())
}

/// The people that oncalld knows, by name: members of any team, and whoever has a name; or those
/// of some ids, in that order.
///
/// # Errors
/// Both `q` and `ids` are given; an id is malformed, or they are too many.
pub fn list(app: &App, filter: &PeopleFilter, paging: &Paging) -> Result<Page<PersonView>> {
    let users = match (&filter.ids, &filter.q) {
        (Some(ids), None) => parse_ids(ids)?,
        (None, q) => directory::people(app, q.as_deref().unwrap_or_default())?,
        (Some(_), Some(_)) => return Err(ActionError::invalid("ids", "can't go with `q`")),
    };
    let page = Page::of(users, paging);
    app.read(|tx| {
        let view = |user| view(tx, app.settings(), &load(tx, user)?);
        let views = page.items.iter().map(view);
        Ok(Page::new(views.collect::<Result<_>>()?, page.total, paging))
    })
}

fn parse_ids(ids: &str) -> Result<Vec<UserId>> {
    let mut invalid = Invalid::default();
    let count = ids.split(',').count();
    let message = format!("{count} ids, at most {}", Paging::MAX_SIZE);
    invalid.check(count <= Paging::MAX_SIZE, "ids", message);
    let ids = ids.split(',').take(Paging::MAX_SIZE);
    let users: Vec<_> = ids.filter_map(|id| invalid.parse("ids", id)).collect();
    Ok(invalid.into_result(users)?)
}

/// What is known of a person, be it nothing.
///
/// # Errors
/// The user id is malformed.
pub fn show(app: &App, user: &str) -> Result<PersonView> {
    let user = find::user(user)?;
    app.read(|tx| view(tx, app.settings(), &load(tx, &user)?))
}

/// Sets what is known of a person. A name that Slack tells is changed there alone.
///
/// # Errors
/// The actor is neither an admin nor that person nor a lead of one of their teams; the user id
/// or a value is invalid; another version; the name is Slack's.
pub fn set(app: &App, ctx: &Ctx, user: &str, input: &ProfileInput) -> Result<PersonView> {
    ctx.require(Role::Editor)?;
    app.write(ctx, |tx| {
        let user = find::user(user)?;
        require_say(tx, &user)?;
        let old = load(tx.store, &user)?;
        check_given_version(input, &old)?;
        let set = apply(tx, &old, input)?;
        let new = Profile {
            set: Some(set.clone()),
            ..old.clone()
        };
        let before = old.set.unwrap_or_else(|| SetProfile::new(tx.now));
        if !set.says_as(&before) {
            store::profiles::put(tx.store, &new)?;
            record(tx, &user, &before, &set)?;
            return view(tx.store, tx.settings, &new);
        }
        view(tx.store, tx.settings, &load(tx.store, &user)?)
    })
}

/// Refuses whoever has no say in what is known of a person.
fn require_say(tx: &Tx<'_>, user: &UserId) -> Result<()> {
    if roster::has_say_over(tx, user)? {
        return Ok(());
    }
    Err(ActionError::Forbidden(format!(
        "changing the profile of {user} takes an admin, {user} with the role editor, or an editor \
         who leads one of their teams"
    )))
}

fn check_given_version(input: &ProfileInput, profile: &Profile) -> Result<()> {
    match (&profile.set, input.version) {
        (Some(set), version) => check_version(version, set.revision.version),
        (None, None) => Ok(()),
        (None, Some(version)) => Err(ActionError::conflict(format!(
            "version {version} is not the current one: nothing was set of {} yet",
            profile.user
        ))),
    }
}

/// What is set by a change.
fn apply(tx: &Tx<'_>, old: &Profile, input: &ProfileInput) -> Result<SetProfile> {
    let mut set = match &old.set {
        Some(set) => SetProfile {
            revision: set.revision.next(tx.now),
            ..set.clone()
        },
        None => SetProfile::new(tx.now),
    };
    if let Some(wanted) = &input.display_name {
        match old.name(store::meta::members_from_slack(tx.store)?) {
            // Who sends back what was shown changes nothing.
            Some((name, NameSource::Slack)) if wanted.as_deref() == Some(name) => {}
            Some((name, NameSource::Slack)) => {
                return Err(ActionError::conflict(format!(
                    "display_name: the name of {}, `{name}`, comes from Slack: change it there",
                    old.user
                )));
            }
            _ => set.display_name.clone_from(wanted),
        }
    }
    if let Some(email) = &input.email {
        set.email.clone_from(email);
    }
    if let Some(timezone) = &input.timezone {
        set.timezone.clone_from(timezone);
    }
    let mut invalid = Invalid::default();
    set.check(&mut invalid);
    Ok(invalid.into_result(set)?)
}

fn record(tx: &mut Tx<'_>, user: &UserId, old: &SetProfile, new: &SetProfile) -> Result<()> {
    #[derive(Serialize)]
    struct Said<'a> {
        display_name: Option<&'a str>,
        email: Option<&'a str>,
        timezone: Option<&'a str>,
    }
    fn said(set: &SetProfile) -> Said<'_> {
        Said {
            display_name: set.display_name.as_deref(),
            email: set.email.as_deref(),
            timezone: set.timezone.as_deref(),
        }
    }
    let is_first = new.revision.version == 1;
    let action = if is_first {
        Action::Created
    } else {
        Action::Updated
    };
    tx.record(EntityType::User, action)
        .entity(user)
        .diff(Some(&said(old)), Some(&said(new)))
        .write()
}

/// What is known of a person, be it nothing.
fn load(tx: &impl Reader, user: &UserId) -> Result<Profile> {
    let known = store::profiles::find(tx, user)?;
    Ok(known.unwrap_or_else(|| Profile::new(user.clone())))
}

fn view(tx: &impl Reader, settings: &Settings, profile: &Profile) -> Result<PersonView> {
    let mut teams = Vec::new();
    for id in roster::teams_of(tx, &profile.user)? {
        let team = find::team_by_id(tx, id)?;
        if team.is_active && roster::belongs(tx, settings, &team, &profile.user)? {
            teams.push(team.slug);
        }
    }
    teams.sort_unstable();
    let slack_is_on = store::meta::members_from_slack(tx)?;
    Ok(PersonView::new(profile, slack_is_on, teams))
}
