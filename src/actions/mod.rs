//! The use cases, one file an area. Each authorises, loads, decides (by the domain) and
//! writes change, audit entry and notifications in one transaction.
//!
//! All of them block: async callers go through `App::run`. None knows HTTP.

pub mod admin;
pub mod declare;
#[cfg(test)]
mod fault_tests;
pub mod members;
pub mod messages;
pub mod oncall;
pub mod overrides;
pub mod overview;
pub mod people;
pub mod rotation;
pub mod schedules;
pub mod services;
pub mod teams;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use self::admin::tokens::KnownTokens;
use self::messages::lookout::Lookout;
use self::oncall::lookup::Lookups;
use self::people::directory::Directory;
use crate::app::{App, Part, Settings};
use crate::clock::Clock;
use crate::store::Store;

/// The application on an open store, with all that takes part in its writes.
pub fn start(store: Store, clock: Arc<dyn Clock>, settings: Settings) -> App {
    App::new(store, clock, settings, parts())
}

fn parts() -> Vec<Box<dyn Part>> {
    vec![
        Box::new(Lookout),
        Box::new(Lookups::default()),
        Box::new(Directory::default()),
        Box::new(KnownTokens::default()),
    ]
}

/// An application on an empty store in memory.
#[cfg(test)]
pub fn start_in_memory(clock: Arc<dyn Clock>) -> App {
    let store = Store::in_memory().expect("a store in memory opens");
    start(store, clock, Settings::default())
}
