//! Teams, services and people by what they are called, kept in memory for those who type the
//! beginning of a name. What a change makes wrong is read again by the next who search.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::actions::people::{names, roster};
use crate::app::{App, Part, Result};
use crate::domain::audit::{AuditEntry, EntityType};
use crate::domain::ids::{ServiceId, TeamId, UserId};
use crate::domain::matching::{Fit, fit, fold};
use crate::domain::profile::Profile;
use crate::domain::service::Service;
use crate::domain::team::Team;
use crate::store::{self, ReadTx};
use crate::wire::search::{Found, PersonHit, ServiceHit, TeamHit};

/// The active teams and services, and the people that are known: members of any team, and
/// whoever has a name.
#[derive(Debug, Default)]
pub struct Directory {
    entries: Mutex<Entries>,
    stale: Mutex<Stale>,
}

#[derive(Debug, Default)]
struct Entries {
    teams: BTreeMap<TeamId, Entry<TeamHit>>,
    services: BTreeMap<ServiceId, Entry<ServiceHit>>,
    people: BTreeMap<UserId, Entry<PersonHit>>,
}

/// What is found, and the folded texts that it's found by; it's sorted by the first.
#[derive(Debug)]
struct Entry<T> {
    hit: T,
    texts: Vec<String>,
}

/// What is to be read again.
#[derive(Debug, Default)]
enum Stale {
    #[default]
    Everything,
    Some {
        teams: BTreeSet<TeamId>,
        services: BTreeSet<ServiceId>,
        people: BTreeSet<UserId>,
    },
}

/// Finds active teams, services and people by the beginning of their names, slugs, ids or e-mail
/// addresses, else by words or anything within them, without regard to case and accents; at most
/// `limit` of each, the best first.
pub fn search(app: &App, text: &str, limit: usize) -> Result<Found> {
    let wanted = fold(text.trim().trim_start_matches('@'));
    Directory::of(app).with_entries(app, |entries| Found {
        teams: best(entries.teams.values(), &wanted, limit),
        services: best(entries.services.values(), &wanted, limit),
        people: best(entries.people.values(), &wanted, limit),
    })
}

/// Whoever fits a text, everybody where it's empty, by name.
pub(crate) fn people(app: &App, text: &str) -> Result<Vec<UserId>> {
    let wanted = fold(text.trim().trim_start_matches('@'));
    Directory::of(app).with_entries(app, |entries| {
        let people = entries.people.iter();
        let mut found: Vec<_> = people
            .filter(|(_, entry)| entry.fit(&wanted).is_some())
            .map(|(user, entry)| (entry.texts.first(), user))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, user)| user.clone()).collect()
    })
}

fn best<'a, T: Clone + 'a>(
    entries: impl Iterator<Item = &'a Entry<T>>,
    wanted: &str,
    limit: usize,
) -> Vec<T> {
    let mut found: Vec<_> = entries
        .enumerate()
        .filter_map(|(index, entry)| Some((entry.fit(wanted)?, &entry.texts, index, &entry.hit)))
        .collect();
    let order = |a: &(Fit, &Vec<String>, usize, &T), b: &(Fit, &Vec<String>, usize, &T)| {
        (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2))
    };
    if limit < found.len() {
        // Sorting thousands to show ten would cost more than finding them.
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
    found.into_iter().map(|(.., hit)| hit.clone()).collect()
}

impl<T> Entry<T> {
    fn new<'a>(hit: T, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts = texts.into_iter().map(fold).collect();
        Self { hit, texts }
    }

    fn fit(&self, wanted: &str) -> Option<Fit> {
        self.texts.iter().filter_map(|text| fit(text, wanted)).min()
    }
}

impl Directory {
    /// That of an application.
    pub(crate) fn of(app: &App) -> &Self {
        app.part()
    }

    /// Notes that people may be called otherwise by now.
    pub(crate) fn forget_people(&self, users: &[UserId]) {
        if let Stale::Some { people, .. } = &mut *lock(&self.stale) {
            people.extend(users.iter().cloned());
        }
    }

    /// What `f` makes of the entries, brought up to date first.
    fn with_entries<T>(&self, app: &App, f: impl FnOnce(&Entries) -> T) -> Result<T> {
        let mut entries = lock(&self.entries);
        // Taken before the snapshot: whatever is noted later may not be in it, and is noted still.
        let stale = mem::replace(&mut *lock(&self.stale), Stale::nothing());
        if !stale.is_nothing() {
            let refreshed = app.read(|tx| entries.refresh(tx, stale));
            if let Err(error) = refreshed {
                *lock(&self.stale) = Stale::Everything;
                return Err(error);
            }
        }
        Ok(f(&entries))
    }
}

impl Part for Directory {
    fn after_commit(&self, written: &[AuditEntry]) {
        let mut stale = lock(&self.stale);
        for entry in written {
            stale.note(entry);
        }
    }

    fn after_reopening(&self) {
        *lock(&self.stale) = Stale::Everything;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stale {
    const fn nothing() -> Self {
        Self::Some {
            teams: BTreeSet::new(),
            services: BTreeSet::new(),
            people: BTreeSet::new(),
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Some { teams, services, people }
            if teams.is_empty() && services.is_empty() && people.is_empty())
    }

    fn note(&mut self, entry: &AuditEntry) {
        let Self::Some {
            teams,
            services,
            people,
        } = self
        else {
            return;
        };
        let event = &entry.event;
        let id = event.entity_id.as_deref().unwrap_or_default();
        let is_noted = match event.entity_type {
            EntityType::Team => event.team_id.map(|team| teams.insert(team)).is_some(),
            EntityType::Service => id.parse().map(|id| services.insert(id)).is_ok(),
            EntityType::User => id.parse().map(|id| people.insert(id)).is_ok(),
            EntityType::TeamMembership => {
                let user = event.metadata.0.get("slack_user_id");
                let user = user.and_then(|user| user.as_str()?.parse().ok());
                user.map(|user| people.insert(user)).is_some()
            }
            _ => true,
        };
        if !is_noted {
            *self = Self::Everything;
        }
    }
}

impl Entries {
    fn refresh(&mut self, tx: &ReadTx, stale: Stale) -> Result<()> {
        match stale {
            Stale::Everything => *self = Self::read(tx)?,
            Stale::Some {
                teams,
                services,
                people,
            } => {
                for id in teams {
                    self.teams.remove(&id);
                    self.add_team(store::teams::find(tx, id)?);
                }
                for id in services {
                    self.services.remove(&id);
                    self.add_service(store::services::find(tx, id)?);
                }
                for user in people {
                    self.people.remove(&user);
                    let profile = store::profiles::find(tx, &user)?;
                    let is_member = !roster::teams_of(tx, &user)?.is_empty();
                    self.add_person(tx, user, profile.as_ref(), is_member)?;
                }
            }
        }
        Ok(())
    }

    fn read(tx: &ReadTx) -> Result<Self> {
        let mut entries = Self::default();
        for team in store::teams::list(tx)? {
            entries.add_team(Some(team));
        }
        let all = store::services::ServiceFilter::default();
        for service in store::services::page(tx, &all, 0, usize::MAX)?.1 {
            entries.add_service(Some(service));
        }
        let mut members = store::profiles::list_in_teams(tx)?;
        for profile in store::profiles::list(tx)? {
            let is_member = members.remove(&profile.user);
            entries.add_person(tx, profile.user.clone(), Some(&profile), is_member)?;
        }
        for user in members {
            entries.add_person(tx, user, None, true)?;
        }
        Ok(entries)
    }

    fn add_team(&mut self, team: Option<Team>) {
        if let Some(team) = team.filter(|team| team.is_active) {
            let (id, slug, name) = (team.id, team.slug, team.name);
            let texts = [name.clone(), slug.clone()];
            let hit = TeamHit {
                id: id.uuid(),
                slug,
                name,
            };
            let texts = texts.iter().map(String::as_str);
            self.teams.insert(id, Entry::new(hit, texts));
        }
    }

    fn add_service(&mut self, service: Option<Service>) {
        if let Some(service) = service.filter(|service| service.is_active) {
            let (id, name) = (service.id, service.name);
            let text = name.clone();
            let hit = ServiceHit {
                id: id.uuid(),
                name,
            };
            self.services.insert(id, Entry::new(hit, [text.as_str()]));
        }
    }

    fn add_person(
        &mut self,
        tx: &ReadTx,
        user: UserId,
        profile: Option<&Profile>,
        is_member: bool,
    ) -> Result<()> {
        let name = match profile {
            Some(profile) => names::of(tx, profile)?,
            None => None,
        };
        if is_member || name.is_some() {
            let hit = PersonHit {
                slack_user_id: user.to_string(),
                display_name: name.clone().unwrap_or_else(|| user.to_string()),
            };
            let email = profile.and_then(Profile::email);
            let texts = name.as_deref().into_iter().chain([user.as_str()]);
            let entry = Entry::new(hit, texts.chain(email));
            self.people.insert(user, entry);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
