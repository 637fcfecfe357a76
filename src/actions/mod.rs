//! The use cases, one file an area. Each authorises, loads, decides (by the domain) and
//! writes change, audit entry and notifications in one transaction.
//!
//! All of them block: async callers go through `spawn_blocking`. None knows HTTP.

mod announce;
mod app;
pub mod assign;
pub mod audit;
pub mod bootstrap;
pub mod calendar;
mod changes;
mod context;
pub mod deliveries;
pub mod duty;
mod error;
pub mod fairness;
mod find;
pub mod handoff;
pub mod health;
pub mod lookup;
pub mod members;
mod memory;
pub mod names;
pub mod notifications;
pub mod oncall;
pub mod oncall_groups;
pub mod override_news;
pub mod overrides;
mod planning;
#[cfg(test)]
mod planning_tests;
pub mod plugins;
mod publish;
pub mod roster;
pub mod rotation;
pub mod schedules;
pub mod services;
mod stale;
mod team_input;
mod team_state;
pub mod teams;
pub mod time_off;
pub mod tokens;
pub mod watch;

pub use self::app::{App, Route, Settings, Tx};
pub use self::context::{Actor, Ctx, IdempotencyKey, Source};
pub use self::error::{ActionError, Result};
