//! What is kept in memory of what the store says, until a change makes it wrong.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Values by key. Something that was read before a change and comes to be kept only after it
/// is refused: that is what the count of changes is for.
#[derive(Debug)]
pub struct Memory<K, V> {
    kept: RwLock<HashMap<K, V>>,
    changes: AtomicU64,
    most: usize,
}

impl<K: Hash + Eq, V: Clone> Memory<K, V> {
    /// Keeps `most` values; one more, and it begins anew.
    pub fn new(most: usize) -> Self {
        let kept = RwLock::default();
        Self {
            kept,
            changes: AtomicU64::new(0),
            most,
        }
    }

    /// The value of a key, if it's kept.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).cloned()
    }

    /// The count of changes, to be taken before reading what shall be kept.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Keeps a value that was read when `changes` was the count of changes.
    pub fn keep(&self, key: K, value: V, changes: u64) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes() != changes {
            return;
        }
        if kept.len() >= self.most {
            kept.clear();
        }
        kept.insert(key, value);
    }

    /// Notes a change, and forgets the values that it makes wrong.
    pub fn forget(&self, is_wrong: impl Fn(&V) -> bool) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::Release);
        kept.retain(|_, value| !is_wrong(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let memory = Memory::new(8);
        let before = memory.changes();
        memory.forget(|_: &u8| true);
        memory.keep("a", 1, before);
        assert_eq!(memory.get("a"), None);
        memory.keep("a", 2, memory.changes());
        assert_eq!(memory.get("a"), Some(2));
    }

    #[test]
    fn no_more_is_kept_than_the_most() {
        let memory = Memory::new(2);
        for key in 0..9 {
            memory.keep(key, key, memory.changes());
            let kept = (0..9).filter(|key| memory.get(key).is_some()).count();
            assert!(kept <= 2 && memory.get(&key) == Some(key));
        }
    }
}
