//! What an operator asks: audit log, tokens, sessions, plugins, health.

pub mod audit;
pub mod backup;
pub mod bootstrap;
pub mod health;
pub mod plugins;
pub mod seals;
pub mod sessions;
pub mod tokens;
