//! What an operator asks: audit log, tokens, plugins, health.

pub mod audit;
pub mod bootstrap;
pub mod health;
pub mod plugins;
pub mod tokens;
