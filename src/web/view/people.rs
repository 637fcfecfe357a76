//! People on a page: name, initials, and a colour that is theirs alone on this page.

use std::collections::{BTreeMap, BTreeSet};

use crate::actions::people::names;
use crate::app::{App, Result};
use crate::domain::ids::UserId;

/// Colours that the style sheet has; as many again with a pattern.
const COLOURS: usize = 12;

/// Somebody as a page shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their user id.
    pub id: String,
    /// Their name, else the id.
    pub name: String,
    /// One or two letters.
    pub initials: String,
    /// Class of their colour: `p0` to `p23`.
    pub colour: String,
}

impl Person {
    /// Whether the name says more than the id.
    pub fn is_named(&self) -> bool {
        self.name != self.id
    }

    /// Their first name, for sentences.
    pub fn first_name(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or(&self.name)
    }
}

/// The people of one page. Colours go by the user id, so that they stay the same from page to
/// page, and move on where two people of a page would share one.
#[derive(Clone, Debug, Default)]
pub struct People(BTreeMap<String, Person>);

impl People {
    /// Those with these ids; what is no id is left out.
    pub fn load<'u>(app: &App, ids: impl IntoIterator<Item = &'u str>) -> Result<Self> {
        let ids = ids.into_iter().filter_map(|id| id.parse::<UserId>().ok());
        let ids: BTreeSet<_> = ids.collect();
        Ok(Self::new(&names::of_all(app, &ids)?))
    }

    fn new(names: &BTreeMap<UserId, String>) -> Self {
        let mut taken = [false; 2 * COLOURS];
        let mut people = BTreeMap::new();
        for (id, name) in names {
            let colour = free_colour(id.as_str(), &mut taken);
            let person = Person {
                id: id.to_string(),
                name: name.clone(),
                initials: initials(name),
                colour: format!("p{colour}"),
            };
            people.insert(person.id.clone(), person);
        }
        Self(people)
    }

    /// Somebody by their id; nameless where the page was not told of them before.
    pub fn get(&self, id: &str) -> Person {
        self.0.get(id).cloned().unwrap_or_else(|| Person {
            id: id.to_owned(),
            name: id.to_owned(),
            initials: initials(id),
            colour: format!("p{}", hash(id) % COLOURS),
        })
    }

    /// As [`People::get`], for somebody who may not be.
    pub fn find(&self, id: Option<&str>) -> Option<Person> {
        id.map(|id| self.get(id))
    }

    /// Everybody, by name.
    pub fn by_name(&self) -> Vec<Person> {
        let mut people: Vec<_> = self.0.values().cloned().collect();
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id.clone()));
        people
    }
}

/// The colour that an id asks for, or the next that is free: first the plain ones, then those
/// with a pattern. Where all are taken, people share.
fn free_colour(id: &str, taken: &mut [bool; 2 * COLOURS]) -> usize {
    let wanted = hash(id) % COLOURS;
    let mut candidates = (0..2 * COLOURS).map(|step| {
        let (ring, step) = (step / COLOURS * COLOURS, step % COLOURS);
        ring + (wanted + step) % COLOURS
    });
    let free = candidates.find(|colour| !taken[*colour]).unwrap_or(wanted);
    taken[free] = true;
    free
}

/// FNV-1a, 32 bits: the same on every machine and in every release.
fn hash(id: &str) -> usize {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = id.bytes().fold(0x811c_9dc5, step);
    usize::try_from(hash).unwrap_or_default()
}

/// The first letters of the first and the last word; of an id, its first letters after the `U`.
fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let words: Vec<_> = name.split_whitespace().filter_map(letter).collect();
    let letters: String = match words.as_slice() {
        [] => "?".to_owned(),
        [_] => name
            .trim_start_matches(['U', 'W'])
            .chars()
            .filter(|c| c.is_alphanumeric())
            .take(2)
            .collect(),
        [first, .., last] => [*first, *last].iter().collect(),
    };
    letters.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(count: usize) -> People {
        let id = |n: usize| format!("U{n:04}").parse::<UserId>().unwrap();
        let names = (0..count).map(|n| (id(n), format!("Person {n}")));
        People::new(&names.collect())
    }

    #[test]
    fn two_people_of_a_page_never_share_a_colour() {
        for count in [2, 12, 24] {
            let people = people(count);
            let colours: BTreeSet<_> = people.0.values().map(|p| p.colour.clone()).collect();
            assert_eq!(colours.len(), count);
        }
        assert_eq!(people(40).0.len(), 40);
    }

    #[test]
    fn initials_are_letters_of_the_name() {
        assert_eq!(initials("Ana María Ruiz"), "AR");
        assert_eq!(initials("UANA"), "AN");
        assert_eq!(initials("🦀"), "?");
        assert_eq!(initials("Özil"), "ÖZ");
    }
}
