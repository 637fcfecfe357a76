//! The sections and their values, each with its own rules.

mod audit;
mod backup;
mod log;
mod notifications;
mod plugins;
mod rotation;
mod server;
pub(super) mod slack;
pub(super) mod webhook;

pub use audit::Audit;
pub use backup::{Backup, Schedule};
pub use log::{Log, LogFilter, LogFormat};
pub use notifications::{Notifications, SinkName};
pub use plugins::Plugins;
pub use rotation::{OnPluginError, Overrides, Rotation};
pub use server::{Auth, ForwardedHeader, Server};
pub use slack::Slack;
pub use webhook::Webhook;
