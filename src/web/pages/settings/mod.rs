//! Settings, for admins: a tab each.

pub mod about;
pub mod notifications;
pub mod plugins;
pub mod slack;
pub mod tokens;

use super::prelude::*;

/// A tab of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Access tokens.
    Tokens,
    /// Plugins.
    Plugins,
    /// What people are told, and whether it arrives.
    Notifications,
    /// How oncalld and Slack get along.
    Slack,
    /// What runs here.
    About,
}

/// `GET /settings`
pub async fn first() -> Response {
    redirect("/settings/tokens")
}

/// Sends the browser back to `path` with what was not done, where the state of things refuses it.
fn refused(path: &str, problem: Problem) -> Shown {
    match problem.status {
        400 | 409 | 422 => Ok(redirect_refusing(path, &problem.detail)),
        _ => Err(problem),
    }
}
