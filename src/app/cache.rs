//! What is kept in memory of what the store says, until a change makes it wrong.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Maps that share the keys, so that readers on different cores seldom meet at a lock.
const SHARDS: usize = 16;

/// Values by key. Something that was read before a change and comes to be kept only after it
/// is refused: that is what the count of changes is for.
#[derive(Debug)]
pub struct Cache<K, V> {
    shards: [RwLock<HashMap<K, V>>; SHARDS],
    hasher: RandomState,
    changes: AtomicU64,
    most_in_shard: usize,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// Keeps about `most` values; where a shard has its part of them, it begins anew.
    pub fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            hasher: RandomState::new(),
            changes: AtomicU64::new(0),
            most_in_shard: most.div_ceil(SHARDS),
        }
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<HashMap<K, V>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        &self.shards[hash]
    }

    /// The value of a key, if it's kept.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.with(key, V::clone)
    }

    /// What `f` makes of the value of a key, if it's kept. Cheaper than a copy of something
    /// that many share: cores would pass its count back and forth.
    pub fn with<Q: Hash + Eq + ?Sized, R>(&self, key: &Q, f: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        let shard = self.shard(key).read();
        let kept = shard.unwrap_or_else(PoisonError::into_inner);
        kept.get(key).map(f)
    }

    /// The count of changes, to be taken before reading what shall be kept.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Keeps a value that was read when `changes` was the count of changes.
    pub fn keep(&self, key: K, value: V, changes: u64) {
        let mut kept = self
            .shard(&key)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if self.changes() != changes {
            return;
        }
        if kept.len() >= self.most_in_shard {
            kept.clear();
        }
        kept.insert(key, value);
    }

    /// Notes a change, and forgets the values that it makes wrong.
    pub fn forget(&self, is_wrong: impl Fn(&V) -> bool) {
        // Counted first: whoever keeps something after its shard was gone through sees it.
        self.changes.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut kept = shard.write().unwrap_or_else(PoisonError::into_inner);
            kept.retain(|_, value| !is_wrong(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache = Cache::new(8);
        let before = cache.changes();
        cache.forget(|_: &u8| true);
        cache.keep("a", 1, before);
        assert_eq!(cache.get("a"), None);
        cache.keep("a", 2, cache.changes());
        assert_eq!(cache.get("a"), Some(2));
    }

    #[test]
    fn no_more_is_kept_than_the_most() {
        let cache = Cache::new(2);
        for key in 0..99 {
            cache.keep(key, key, cache.changes());
            let kept = (0..99).filter(|key| cache.get(key).is_some()).count();
            assert!(kept <= SHARDS && cache.get(&key) == Some(key));
        }
    }
}
