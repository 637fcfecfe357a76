//! Actions block; async code runs them here.

use super::{ActionError, App, Result};

impl App {
    /// Runs an action on a thread that may block.
    ///
    /// # Errors
    /// The action's; or it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        action: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || action(&app)).await {
            Ok(result) => result,
            Err(panic) => Err(ActionError::Internal(panic.to_string())),
        }
    }
}
