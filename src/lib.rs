//! oncalld: on-call management in one binary and one data file.
//!
//! `docs/ARCHITECTURE.md` tells what lives where and why.

pub mod cli;
pub mod config;
pub mod domain;
pub mod rotation;
pub mod store;
pub mod wire;
