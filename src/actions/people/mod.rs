//! Who is meant and who belongs where: teams, services and people as others name them, the
//! members of a team, who is away, what people are called.

pub(crate) mod absences;
pub(crate) mod find;
pub mod names;
pub mod roster;
