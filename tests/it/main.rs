//! Black-box tests: the real binary over HTTP, and what holds for the code as a whole.

#![expect(
    clippy::unwrap_used,
    reason = "a test may say what it expects by failing"
)]

mod audit;
mod crash;
mod errors;
mod golden;
mod handoff;
mod harness;
mod layers;
mod lookups;
mod main_job;
mod overrides;
mod process;
mod rotation;
mod services;
mod simulation;
mod teams;
mod tour;
