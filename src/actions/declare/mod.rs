//! Teams, members and services as a declaration has them: applied in one write by the same rules as
//! single changes, and exported.
//!
//! A plan is what a rehearsal did. So it can't promise what applying refuses, and knows of everything
//! that comes along: whose on-call days move, above all.

mod diff;
mod inputs;
mod present;

use std::collections::{BTreeMap, BTreeSet};

use self::inputs::noting;
use self::present::{Present, member_path, service_path, team_path};
use crate::actions::rotation::review::Standing;
use crate::actions::{members, rotation, services, teams};
use crate::app::{ActionError, App, Ctx, Result, Tx};
use crate::domain::ids::UserId;
use crate::domain::invalid::Invalid;
use crate::domain::service::Service;
use crate::domain::team::Team;
use crate::domain::token::Role;
use crate::store;
use crate::wire::declaration::{
    ApplyInput, ApplyView, ChangeKind, Declaration, DeclaredMember, DeclaredTeam, TeamMoves,
};
use crate::wire::service::ServiceInput;
use crate::wire::team::TeamInput;

/// Everything that a declaration can hold, as it is.
///
/// # Errors
/// The store can't be read.
pub fn export(app: &App) -> Result<Declaration> {
    app.read(|tx| Present::read(tx).map(|present| present.declaration))
}

/// Brings teams, members and services in line with a declaration, all of it or nothing; or says what
/// that would come to.
///
/// # Errors
/// Not an admin; values are invalid; names are taken; something has changed since the plan was made.
pub fn apply(app: &App, ctx: &Ctx, input: &ApplyInput) -> Result<ApplyView> {
    ctx.require(Role::Admin)?;
    if input.dry_run {
        return app.rehearse(ctx, |tx| run(tx, input));
    }
    app.write_once(ctx, |tx| run(tx, input))
}

fn run(tx: &mut Tx<'_>, input: &ApplyInput) -> Result<ApplyView> {
    let declared = &input.declaration;
    let before = Present::read(tx.store)?;
    let basis = basis_of(&before, declared, input.prune);
    if let Some(given) = &input.basis {
        check_basis(given, &basis)?;
    }
    let mut applying = Applying {
        tx,
        before: &before.declaration,
        prune: input.prune,
        invalid: Invalid::default(),
        failed: BTreeSet::new(),
        restored: BTreeSet::new(),
        moves: Vec::new(),
    };
    applying.all(declared)?;
    let Applying {
        invalid,
        restored,
        moves,
        ..
    } = applying;
    invalid.into_result(())?;
    let after = Present::read(tx.store)?;
    let mut changes = diff::between(&before.declaration, &after.declaration);
    for change in &mut changes {
        if restored.contains(&change.path) {
            change.action = ChangeKind::Restore;
        }
    }
    Ok(ApplyView {
        applied: !input.dry_run,
        changes,
        undeclared: diff::undeclared(&after.declaration, declared),
        moves,
        basis,
    })
}

/// The versions of all that a plan looks at.
fn basis_of(present: &Present, declared: &Declaration, prune: bool) -> BTreeMap<String, u64> {
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for (slug, team) in &declared.teams {
        paths.insert(team_path(slug));
        let members = team.members.iter().flat_map(BTreeMap::keys);
        paths.extend(members.map(|user| member_path(slug, user)));
    }
    paths.extend(declared.services.keys().map(|name| service_path(name)));
    if prune {
        paths.extend(diff::undeclared(&present.declaration, declared));
    }
    let version = |path: String| {
        let version = present.versions.get(&path).copied().unwrap_or_default();
        (path, version)
    };
    paths.into_iter().map(version).collect()
}

fn check_basis(given: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> Result<()> {
    let paths: BTreeSet<_> = given.keys().chain(now.keys()).collect();
    let differs = |path: &&String| given.get(*path) != now.get(*path);
    let Some(path) = paths.into_iter().find(differs) else {
        return Ok(());
    };
    let version = |of: &BTreeMap<String, u64>| match of.get(path) {
        None | Some(0) => "not there".to_owned(),
        Some(version) => format!("version {version}"),
    };
    Err(ActionError::conflict(format!(
        "{path} has changed since the plan was made: {} then, {} now; nothing was applied, make a \
         new plan",
        version(given),
        version(now)
    )))
}

/// A declaration while it is applied.
struct Applying<'t, 'c> {
    tx: &'t mut Tx<'c>,
    before: &'t Declaration,
    prune: bool,
    /// What is wrong so far: all of it is told at once.
    invalid: Invalid,
    /// Teams with something wrong, of whose services nothing can be said.
    failed: BTreeSet<String>,
    /// Paths of what had been deleted.
    restored: BTreeSet<String>,
    moves: Vec<TeamMoves>,
}

impl Applying<'_, '_> {
    fn all(&mut self, declared: &Declaration) -> Result<()> {
        // First, so that what the removed ones hold is free for others.
        if self.prune {
            let gone = self.before.teams.keys();
            let gone = gone.filter(|slug| !declared.teams.contains_key(*slug));
            for slug in gone {
                self.remove_team(slug)?;
            }
        }
        for (slug, team) in &declared.teams {
            self.team(slug, team)?;
        }
        self.services(declared)
    }

    fn remove_team(&mut self, slug: &str) -> Result<()> {
        let Some(team) = store::teams::find_by_slug(self.tx.store, slug)? else {
            return Ok(());
        };
        let before = Standing::of(self.tx, &team)?;
        let input = TeamInput {
            is_active: Some(false),
            ..TeamInput::default()
        };
        teams::update_in(self.tx, &team, &input)?;
        self.note_moves(slug, &before)
    }

    fn team(&mut self, slug: &str, declared: &DeclaredTeam) -> Result<()> {
        let before = self.before.teams.get(slug);
        if before.is_some_and(|before| is_as_declared(before, declared)) && !self.prune {
            return Ok(());
        }
        let path = team_path(slug);
        let input = inputs::team(slug, declared);
        let old = store::teams::find_by_slug(self.tx.store, slug)?;
        let standing = match &old {
            Some(team) => Standing::of(self.tx, team)?,
            None => Standing::nobody(self.tx.now.date_naive()),
        };
        let done = match &old {
            Some(team) => {
                if !team.is_active {
                    self.restored.insert(path.clone());
                }
                teams::update_in(self.tx, team, &input)
            }
            None => teams::create_in(self.tx, &input),
        };
        let is_done = noting(&mut self.invalid, &path, done)?.is_some();
        let stored = store::teams::find_by_slug(self.tx.store, slug)?;
        let Some(team) = stored.filter(|_| is_done) else {
            self.failed.insert(slug.to_owned());
            // Who is in it can be checked all the same.
            return self.check_members(slug, declared);
        };
        if let Some(members) = &declared.members {
            self.members(&team, members)?;
        }
        self.note_moves(slug, &standing)
    }

    fn check_members(&mut self, slug: &str, declared: &DeclaredTeam) -> Result<()> {
        for user in declared.members.iter().flat_map(BTreeMap::keys) {
            let parsed = user.parse::<UserId>();
            let parsed = parsed.map_err(|error| Invalid::one("user", error).into());
            noting(&mut self.invalid, &member_path(slug, user), parsed)?;
        }
        Ok(())
    }

    /// Members, whom the rotation is planned for once.
    fn members(&mut self, team: &Team, declared: &BTreeMap<String, DeclaredMember>) -> Result<()> {
        let mut has_changed = false;
        for (user, member) in declared {
            let done = user.parse::<UserId>();
            let done = done.map_err(|error| Invalid::one("user", error).into());
            let done = done
                .and_then(|user| members::put_in(self.tx, team, &user, &inputs::member(member)));
            let path = member_path(&team.slug, user);
            has_changed |= noting(&mut self.invalid, &path, done)?.unwrap_or_default();
        }
        if self.prune {
            for row in store::teams::list_members(self.tx.store, team.id)? {
                if !declared.contains_key(row.user.as_str()) {
                    members::delete_in(self.tx, team, &row)?;
                    has_changed = true;
                }
            }
        }
        if has_changed {
            rotation::replan(self.tx, team, "the members were declared")?;
        }
        Ok(())
    }

    fn note_moves(&mut self, slug: &str, before: &Standing) -> Result<()> {
        let Some(team) = store::teams::find_by_slug(self.tx.store, slug)? else {
            return Ok(());
        };
        let days = before.moves_to(&Standing::of(self.tx, &team)?);
        if !days.is_empty() {
            let team = slug.to_owned();
            self.moves.push(TeamMoves { team, days });
        }
        Ok(())
    }

    fn services(&mut self, declared: &Declaration) -> Result<()> {
        let mut keys: BTreeMap<String, &str> = BTreeMap::new();
        for (name, service) in &declared.services {
            let path = service_path(name);
            if let Some(other) = keys.insert(Service::name_key(name), name) {
                let message = format!("is the service `{other}`: names differ by more than case");
                self.invalid.add(&path, message);
                continue;
            }
            if self.before.services.get(name) == Some(service)
                || self.failed.contains(&service.team)
            {
                continue;
            }
            let input = inputs::service(name, service);
            let done = match store::services::find_by_name(self.tx.store, name)? {
                Some(old) => services::update_in(self.tx, &old, &input),
                None => services::create_in(self.tx, &input),
            };
            noting(&mut self.invalid, &path, done)?;
        }
        if !self.prune {
            return Ok(());
        }
        for name in self.before.services.keys() {
            if keys.contains_key(&Service::name_key(name)) {
                continue;
            }
            let input = ServiceInput {
                is_active: Some(false),
                ..ServiceInput::default()
            };
            if let Some(old) = store::services::find_by_name(self.tx.store, name)? {
                services::update_in(self.tx, &old, &input)?;
            }
        }
        Ok(())
    }
}

/// Whether a team is as it is declared, without a look at what is not declared of it.
fn is_as_declared(present: &DeclaredTeam, declared: &DeclaredTeam) -> bool {
    let mut wanted = declared.clone();
    if let (Some(wanted), Some(is)) = (&mut wanted.rotation, &present.rotation) {
        wanted.start_date = wanted.start_date.or(is.start_date);
    }
    wanted.rotation = wanted.rotation.or_else(|| present.rotation.clone());
    match (&mut wanted.members, &present.members) {
        (Some(wanted), Some(are)) => {
            for (user, is) in are {
                match wanted.get_mut(user) {
                    Some(member) => member.joined_at = member.joined_at.or(is.joined_at),
                    // Those who are not declared stay.
                    None => drop(wanted.insert(user.clone(), is.clone())),
                }
            }
        }
        (wanted, are) => wanted.clone_from(are),
    }
    wanted == *present
}
