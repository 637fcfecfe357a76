//! Slack: the Web API, signed requests, Socket Mode.

mod answer;
pub mod client;
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
