//! The rotation engine. Pure: who is picked for which period, why, and whether it is fair.
//!
//! - [`period`]: the grid of periods
//! - [`coverage`]: who is on call on a day, by override, manual and auto rows
//! - [`candidate`]: who may be picked for a period, in ring order, and who not and why
//! - [`credit`]: what each member has earned and served
//! - [`checkpoint`]: where it stood at a past period, so that a plan need not play all of its past
//! - [`strategy`]: round-robin, custom, weighted; a plugin is one more [`strategy::Strategy`]
//! - [`plan`]: the auto shifts up to a horizon; preview and generate are this one function
//! - [`fairness`]: the report

pub mod candidate;
pub mod checkpoint;
pub mod coverage;
pub mod credit;
pub mod explanation;
pub mod fairness;
pub mod period;
pub mod plan;
mod planner;
pub mod strategy;
pub mod tally;

#[cfg(test)]
mod fairness_tests;
#[cfg(test)]
mod handoff_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod plugin_tests;
#[cfg(test)]
mod ring_tests;
#[cfg(test)]
mod roster_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod walk_tests;
#[cfg(test)]
mod weighted_change_tests;
#[cfg(test)]
mod weighted_tests;
