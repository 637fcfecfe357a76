//! People on the command line: named by id or by name, and shown by name with the id beside it.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::args::{Person, Query};
use super::error::CliError;
use super::session::Session;
use super::table::{clean, person};
use crate::domain::ids::UserId;
use crate::domain::matching::fold;
use crate::domain::suggest::nearest;
use crate::wire::Page;
use crate::wire::person::PersonView;

/// People that are asked for at once: as many as the API hands out.
const AT_ONCE: usize = 200;
/// People that a hint names.
const SUGGESTED: usize = 5;

impl Session {
    /// The id of a person. A name has to be somebody's whole name or whole words of it, and
    /// nobody else's.
    ///
    /// # Errors
    /// Nobody is called so, or several are.
    pub(super) async fn user(&self, person: &Person) -> Result<String, CliError> {
        let name = match person {
            Person::Id(id) => return Ok(id.clone()),
            Person::Name(name) => name,
        };
        let query = Query::default().set("q", Some(name));
        let found: Vec<PersonView> = self.all(&["users"], query).await?;
        match meant(name, &found).as_slice() {
            [one] => Ok(one.slack_user_id.clone()),
            [] => {
                let hint = self.hint(name, &found).await;
                let message = format!("nobody is called `{}`\n{hint}", clean(name));
                Err(CliError::not_found(message))
            }
            several => {
                let mut message = format!(
                    "{} people are called `{}`; give the id of one:",
                    several.len(),
                    clean(name)
                );
                for one in several {
                    let _ = write!(message, "\n  {}", shown(one));
                }
                Err(CliError::failed(message))
            }
        }
    }

    /// As [`Session::user`], where somebody is named.
    pub(super) async fn some_user(
        &self,
        person: Option<&Person>,
    ) -> Result<Option<String>, CliError> {
        match person {
            Some(person) => self.user(person).await.map(Some),
            None => Ok(None),
        }
    }

    async fn hint(&self, name: &str, similar: &[PersonView]) -> String {
        if !similar.is_empty() {
            let few: Vec<_> = similar.iter().take(SUGGESTED).map(shown).collect();
            return format!("did you mean {}?", few.join(", or "));
        }
        let query = Query::default().set("page_size", Some(AT_ONCE));
        let known: Option<Page<PersonView>> = self.client.peek(&["users"], query).await;
        let known = known.map(|page| page.items).unwrap_or_default();
        let names = known.iter().map(|person| person.display_name.as_str());
        let meant = nearest(name, names);
        let meant = known
            .iter()
            .find(|person| Some(person.display_name.as_str()) == meant);
        meant.map_or_else(
            || "`oncalld user list` shows the people that there are".to_owned(),
            |person| format!("did you mean {}?", shown(person)),
        )
    }

    /// What people are called; whatever is no user id is left out.
    pub(super) async fn names<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Names {
        let is_user = |id: &&str| id.parse::<UserId>().is_ok();
        let ids: BTreeSet<_> = ids.into_iter().filter(is_user).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let mut names = HashMap::new();
        for some in ids.chunks(AT_ONCE) {
            let query = Query::default().set("ids", Some(some.join(",")));
            let query = query.set("page_size", Some(AT_ONCE));
            // A table can do without names.
            let page: Option<Page<PersonView>> = self.client.peek(&["users"], query).await;
            let people = page.into_iter().flat_map(|page| page.items);
            names.extend(people.map(|person| (person.slack_user_id, person.display_name)));
        }
        Names(names)
    }
}

/// People's names by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(pub(super) HashMap<String, String>);

impl Names {
    /// A person: their name with the id behind it, or the id alone.
    pub(super) fn of(&self, id: &str) -> String {
        person(id, self.0.get(id).map(String::as_str))
    }

    /// People, by commas, or a dash.
    pub(super) fn joined(&self, ids: &[String]) -> String {
        let people: Vec<_> = ids.iter().map(|id| self.of(id)).collect();
        super::table::joined(&people)
    }

    /// A person, or a dash.
    pub(super) fn or_none(&self, id: Option<&String>) -> String {
        super::table::or_none(id.map(|id| self.of(id)))
    }
}

/// Those who are called exactly so; else those of whose name each word that is given is one.
fn meant<'a>(name: &str, found: &'a [PersonView]) -> Vec<&'a PersonView> {
    let wanted = fold(name);
    let called = |person: &PersonView| fold(&person.display_name);
    let exactly: Vec<_> = found
        .iter()
        .filter(|person| called(person) == wanted)
        .collect();
    if !exactly.is_empty() {
        return exactly;
    }
    let by_words = |person: &&PersonView| {
        let name = called(person);
        let has = |word| name.split(' ').any(|of_name| of_name == word);
        wanted.split(' ').all(has)
    };
    found.iter().filter(by_words).collect()
}

fn shown(of: &PersonView) -> String {
    clean(&person(&of.slack_user_id, Some(&of.display_name)))
}

#[cfg(test)]
mod tests {
    use crate::domain::profile::{Profile, SetProfile};

    use super::*;

    fn people(names: &[(&str, &str)]) -> Vec<PersonView> {
        let view = |(id, name): &(&str, &str)| {
            let mut profile = Profile::new(id.parse().unwrap());
            let mut set = SetProfile::new(chrono::DateTime::UNIX_EPOCH);
            set.display_name = Some((*name).to_owned());
            profile.set = Some(set);
            PersonView::new(&profile, false, Vec::new())
        };
        names.iter().map(view).collect()
    }

    #[test]
    fn a_whole_name_goes_before_words_of_one_and_parts_of_words_mean_nobody() {
        let people = people(&[
            ("U1", "Sam"),
            ("U2", "Sam Okoye"),
            ("U3", "Samira Haddad"),
            ("U4", "Sam Reyes"),
        ]);
        for (name, ids) in [
            ("sam", vec!["U1"]),
            ("SÁM okoye", vec!["U2"]),
            ("okoye", vec!["U2"]),
            ("Okoye Sam", vec!["U2"]),
            ("haddad", vec!["U3"]),
            ("Samir", vec![]),
            ("Sam Haddad", vec![]),
        ] {
            let found = meant(name, &people);
            let found: Vec<_> = found.iter().map(|one| one.slack_user_id.as_str()).collect();
            assert_eq!(found, ids, "{name}");
        }
        assert_eq!(meant("Sam", &people[1..]).len(), 2, "ambiguous");
    }
}
