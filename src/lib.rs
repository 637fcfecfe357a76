//! oncalld: on-call management in one binary and one data file.
//!
//! `docs/ARCHITECTURE.md` tells what lives where and why.

#![cfg_attr(
    test,
    expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        reason = "tests count few things"
    )
)]

pub mod actions;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod delivery;
pub mod demo;
pub mod domain;
pub mod http;
pub mod import;
pub mod low_priority;
pub mod metrics;
pub mod outbound;
pub mod plugin;
pub mod private_file;
pub mod rotation;
pub mod scheduler;
pub mod secret;
pub mod service_manager;
pub mod sinks;
pub mod slack;
pub mod store;
pub mod tls;
pub mod web;
pub mod wire;
pub mod wording;

/// The code in the documentation is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/WEBHOOKS.md")]
struct Webhooks;
