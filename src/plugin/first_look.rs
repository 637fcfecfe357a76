//! How far the first look at the plugin folder is: compiling what is there may take longer than
//! others can do without.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long after the start anybody waits for a plugin.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Who waits for its turn at the first look.
pub struct FirstLook {
    made_at: Instant,
    stage: Mutex<Stage>,
    /// Told whenever a wait may be over.
    went_on: Condvar,
}

enum Stage {
    /// What is in the folder is not known yet.
    Ahead,
    /// These have files that have not had their turn.
    UnderWay(BTreeSet<String>),
    Over,
}

/// The first look, as long as it lasts; over when dropped, whatever became of it.
pub struct Look<'a>(&'a FirstLook);

impl FirstLook {
    /// It has not begun.
    pub fn new() -> Self {
        Self {
            made_at: Instant::now(),
            stage: Mutex::new(Stage::Ahead),
            went_on: Condvar::new(),
        }
    }

    /// The folder is being looked at, for the first time or once more.
    pub fn begin(&self) -> Look<'_> {
        Look(self)
    }

    /// Whether a plugin's files have not had their turn, as far as is known.
    pub fn is_ahead_of(&self, name: &str) -> bool {
        self.stage().is_ahead_of(name)
    }

    /// Waits until a plugin's files have had their turn, but no longer than 30 s after the start.
    pub fn wait_for(&self, name: &str) {
        let rest = LONGEST_WAIT.saturating_sub(self.made_at.elapsed());
        let is_ahead = |stage: &mut Stage| stage.is_ahead_of(name);
        let waited = self
            .went_on
            .wait_timeout_while(self.stage(), rest, is_ahead);
        // Whoever waited looks for itself what came of it.
        drop(waited);
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go_on(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.stage());
        self.went_on.notify_all();
    }
}

impl Stage {
    fn is_ahead_of(&self, name: &str) -> bool {
        match self {
            Self::Ahead => true,
            Self::UnderWay(waiting) => waiting.contains(name),
            Self::Over => false,
        }
    }
}

impl Look<'_> {
    /// These have files.
    pub fn found<'a>(&self, names: impl Iterator<Item = &'a String>) {
        self.0.go_on(|stage| {
            if matches!(stage, Stage::Ahead) {
                *stage = Stage::UnderWay(names.cloned().collect());
            }
        });
    }

    /// The files of this one have had their turn.
    pub fn done(&self, name: &str) {
        self.0.go_on(|stage| {
            if let Stage::UnderWay(waiting) = stage {
                waiting.remove(name);
            }
        });
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.0.go_on(|stage| *stage = Stage::Over);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn whoever_needs_a_plugin_waits_for_its_turn_and_no_longer() {
        let first = FirstLook::new();
        assert!(first.is_ahead_of("slow"), "nobody knows what is there");
        let look = first.begin();
        let names = ["fast".to_owned(), "slow".to_owned()];
        look.found(names.iter());
        let (told, waited) = mpsc::channel();
        thread::scope(|scope| {
            for name in ["gone", "fast", "slow"] {
                let (first, told) = (&first, told.clone());
                scope.spawn(move || {
                    first.wait_for(name);
                    told.send(name).unwrap();
                });
            }
            assert_eq!(waited.recv().unwrap(), "gone", "it has no files");
            look.done("fast");
            assert_eq!(waited.recv().unwrap(), "fast");
            assert!(first.is_ahead_of("slow"));
            assert!(waited.try_recv().is_err());
            drop(look);
            assert_eq!(waited.recv().unwrap(), "slow");
        });
        drop(first.begin());
        assert!(!first.is_ahead_of("slow"), "a later look is not the first");
    }

    #[test]
    fn nobody_waits_longer_than_30_s_after_the_start() {
        let mut first = FirstLook::new();
        first.made_at = Instant::now().checked_sub(LONGEST_WAIT).unwrap();
        let began_at = Instant::now();
        first.wait_for("slow");
        assert!(began_at.elapsed() < Duration::from_secs(5));
        assert!(first.is_ahead_of("slow"), "it may still come");
    }
}
