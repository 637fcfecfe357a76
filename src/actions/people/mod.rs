//! Who is meant and who belongs where: teams, services and people as others name them, what they
//! are called and searched by, the members of a team, who is away.

pub(crate) mod absences;
pub mod directory;
pub(crate) mod find;
pub mod names;
pub mod roster;

pub use directory::search;
