//! Black-box tests: the real binary over HTTP, and what holds for the code as a whole.

#![expect(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::similar_names,
    reason = "a test may say what it expects by failing, and tells its story in one go"
)]

mod access;
mod answers;
mod apply;
mod audit;
mod backup;
mod browser;
mod bugbot;
mod chaos;
mod checkpoints;
mod cli;
mod crash;
mod delivery;
mod disk;
mod errors;
mod events;
mod golden;
mod handoff;
mod hardening;
mod harness;
mod layers;
mod limited_tokens;
mod lookout;
mod lookups;
mod main_job;
mod nasty;
mod network;
mod overrides;
mod pages_audit;
mod pages_members;
mod pages_people;
mod pages_rotation;
mod pages_services;
mod pages_settings;
mod pages_team;
mod people;
mod plugin_files;
mod plugin_sinks;
mod plugins;
mod plugins_guide;
mod process;
mod profiles;
mod roster;
mod rotation;
mod rules;
mod service_manager;
mod services;
mod shipped_plugins;
mod simulation;
mod slack_client;
mod slack_commands;
mod slack_members;
mod slack_oncall_groups;
mod slack_requests;
mod slack_sdk;
mod slack_socket;
mod teams;
mod time;
mod tour;
mod webhook;
