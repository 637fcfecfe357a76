//! What a search finds, on the wire.

use serde::Serialize;
use uuid::Uuid;

/// What fits a text, of each kind the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Active teams.
    pub teams: Vec<TeamHit>,
    /// Active services.
    pub services: Vec<ServiceHit>,
    /// People.
    pub people: Vec<PersonHit>,
}

/// A team that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamHit {
    /// The team.
    pub id: Uuid,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A service that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceHit {
    /// The service.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// A person who fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonHit {
    /// The person.
    pub slack_user_id: String,
    /// Their name; the id where no name is known.
    pub display_name: String,
}
