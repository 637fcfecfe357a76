//! Slack: the Web API, signed requests, Socket Mode, the slash command and the buttons.

mod answer;
pub mod client;
pub mod commands;
pub mod envelope;
mod error;
mod methods;
pub mod signature;
pub mod socket;
mod websocket;

pub use self::client::{Slack, SlackOptions};
pub use self::envelope::{Envelope, Handler, Kind};
pub use self::error::SlackError;
pub use self::methods::{AuthInfo, Channel, MessageRef, Profile, SlackMessage, UserGroup};
