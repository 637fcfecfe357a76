//! Slack: the Web API, signed requests, Socket Mode, the slash command and the buttons, groups of
//! people.

mod answer;
pub mod client;
pub mod commands;
mod doctor;
pub mod envelope;
mod error;
mod groups;
mod methods;
mod objects;
mod oncall_group;
pub mod signature;
pub mod socket;
mod sync;
mod websocket;

pub use self::client::{Slack, SlackOptions};
pub use self::envelope::{Envelope, Handler, Kind};
pub use self::error::SlackError;
pub use self::groups::{GroupError, GroupTasks, Groups, Stopping};
pub use self::objects::{AuthInfo, Channel, MessageRef, Profile, SlackMessage, UserGroup};

/// The path that slash commands are sent to.
pub const COMMANDS_PATH: &str = "/slack/commands";
/// The path that clicks on buttons are sent to.
pub const INTERACTIONS_PATH: &str = "/slack/interactions";
