//! oncalld: on-call management in one binary and one data file.
//!
//! `docs/ARCHITECTURE.md` tells what lives where and why.

pub mod actions;
pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod domain;
pub mod rotation;
pub mod scheduler;
pub mod store;
pub mod wire;
