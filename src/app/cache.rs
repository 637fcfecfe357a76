//! What is kept in memory of what the store says, until a change makes it wrong.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// Maps that share the keys, so that readers on different cores seldom meet at a lock.
const SHARDS: usize = 16;

/// Values by key, and by what they depend on (`D`). Something that was read before a change and
/// comes to be kept only after it is refused: that is what the count of changes is for.
#[derive(Debug)]
pub struct Cache<K, V, D> {
    shards: [RwLock<Shard<K, V, D>>; SHARDS],
    hasher: RandomState,
    changes: AtomicU64,
    most_in_shard: usize,
}

/// The values of some keys. Each dependency of each value leads to its key, and nothing else does.
#[derive(Debug)]
struct Shard<K, V, D> {
    kept: HashMap<K, Kept<V, D>>,
    dependents: HashMap<D, HashSet<K>>,
}

#[derive(Debug)]
struct Kept<V, D> {
    value: V,
    depends_on: Vec<D>,
}

impl<K, V, D> Default for Shard<K, V, D> {
    fn default() -> Self {
        Self {
            kept: HashMap::new(),
            dependents: HashMap::new(),
        }
    }
}

impl<K: Clone + Hash + Eq, V, D: Clone + Hash + Eq> Shard<K, V, D> {
    fn insert(&mut self, key: K, value: V, depends_on: Vec<D>) {
        self.remove(&key);
        for dependency in &depends_on {
            let dependents = self.dependents.entry(dependency.clone()).or_default();
            dependents.insert(key.clone());
        }
        self.kept.insert(key, Kept { value, depends_on });
    }

    fn remove(&mut self, key: &K) {
        let Some(kept) = self.kept.remove(key) else {
            return;
        };
        for dependency in &kept.depends_on {
            if let Some(dependents) = self.dependents.get_mut(dependency) {
                dependents.remove(key);
                if dependents.is_empty() {
                    self.dependents.remove(dependency);
                }
            }
        }
    }

    fn forget(&mut self, changed: &D) {
        for key in self.dependents.remove(changed).unwrap_or_default() {
            self.remove(&key);
        }
    }
}

impl<K: Clone + Hash + Eq, V: Clone, D: Clone + Hash + Eq> Cache<K, V, D> {
    /// Keeps about `most` values; where a shard has its part of them, it starts over.
    pub fn new(most: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            hasher: RandomState::new(),
            changes: AtomicU64::new(0),
            most_in_shard: most.div_ceil(SHARDS),
        }
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &RwLock<Shard<K, V, D>> {
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
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.kept.get(key).map(|kept| f(&kept.value))
    }

    /// The count of changes, to be taken before reading what shall be kept.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Keeps a value that was read when `changes` was the count of changes, until something
    /// changes that it depends on.
    pub fn keep(&self, key: K, value: V, depends_on: Vec<D>, changes: u64) {
        let mut shard = self
            .shard(&key)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if self.changes() != changes {
            return;
        }
        if shard.kept.len() >= self.most_in_shard {
            *shard = Shard::default();
        }
        shard.insert(key, value, depends_on);
    }

    /// Notes a change, and forgets the values that depend on what has changed. That costs what
    /// there is to forget, however much is kept.
    pub fn forget(&self, changed: &[D]) {
        // Counted first: whoever keeps something after its shard was gone through sees it.
        self.changes.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            for changed in changed {
                shard.forget(changed);
            }
        }
    }

    /// Notes that everything may have changed.
    pub fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            *shard.write().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = Cache<u32, u32, &'static str>;

    impl Numbers {
        /// Keys of values that are kept, below 100.
        fn kept(&self) -> Vec<u32> {
            (0..100).filter(|key| self.get(key).is_some()).collect()
        }

        /// Pairs of a dependency and what depends on it.
        fn indexed(&self) -> usize {
            let shards = self.shards.iter().map(|shard| shard.read().unwrap());
            shards
                .flat_map(|shard| {
                    shard
                        .dependents
                        .values()
                        .map(HashSet::len)
                        .collect::<Vec<_>>()
                })
                .sum()
        }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache = Numbers::new(8);
        let before = cache.changes();
        cache.forget(&["other"]);
        cache.keep(1, 1, vec!["a"], before);
        assert_eq!(cache.get(&1), None);
        cache.keep(1, 2, vec!["a"], cache.changes());
        assert_eq!(cache.get(&1), Some(2));
    }

    #[test]
    fn a_change_makes_forgotten_what_depends_on_it_and_nothing_else() {
        let cache = Numbers::new(1000);
        for key in 0..30 {
            let of = if key % 2 == 0 { "even" } else { "odd" };
            let depends_on = if key == 7 {
                vec![of, "seven"]
            } else {
                vec![of]
            };
            cache.keep(key, key, depends_on, cache.changes());
        }
        cache.forget(&["seven", "unknown"]);
        assert_eq!(cache.kept().len(), 29);
        assert_eq!(cache.get(&7), None);
        cache.forget(&["even"]);
        assert!(cache.kept().iter().all(|key| key % 2 == 1));
        assert_eq!(cache.kept().len(), 14);
        assert_eq!(cache.indexed(), 14, "the index holds what is kept alone");
    }

    #[test]
    fn a_value_that_takes_the_place_of_another_has_its_own_dependencies_only() {
        let cache = Numbers::new(8);
        cache.keep(1, 1, vec!["old"], cache.changes());
        cache.keep(1, 2, vec!["new"], cache.changes());
        cache.forget(&["old"]);
        assert_eq!(cache.get(&1), Some(2));
        cache.forget(&["new"]);
        assert_eq!((cache.get(&1), cache.indexed()), (None, 0));
    }

    #[test]
    fn when_everything_may_have_changed_nothing_is_kept() {
        let cache = Numbers::new(8);
        let before = cache.changes();
        cache.keep(1, 1, vec!["a"], before);
        cache.forget_all();
        cache.keep(2, 2, vec!["a"], before);
        assert_eq!((cache.kept(), cache.indexed()), (Vec::new(), 0));
    }

    #[test]
    fn no_more_is_kept_than_the_most() {
        let cache = Numbers::new(2);
        for key in 0..99 {
            cache.keep(key, key, vec!["all"], cache.changes());
            assert!(cache.kept().len() <= SHARDS && cache.get(&key) == Some(key));
            assert_eq!(cache.indexed(), cache.kept().len());
        }
    }
}
