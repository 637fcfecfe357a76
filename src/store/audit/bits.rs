//! A set of positions within one chunk of the audit log.
//!
//! On disk it is a sorted list of 16-bit offsets while that is smaller, else a bitmap (the idea
//! of Roaring bitmaps, in small: Chambi, Lemire, Kaser and Godin, 2016).

use std::ops::RangeInclusive;

/// Positions in a chunk.
pub const CHUNK: u64 = 4096;
const WORDS: usize = (CHUNK / 64) as usize;
/// Bytes of a bitmap; a list is used while it is shorter.
const BITMAP_BYTES: usize = WORDS * 8;

/// The chunk of a position, and the offset in it.
pub fn place(seq: u64) -> (u64, usize) {
    let offset = usize::try_from(seq % CHUNK).expect("invariant: offsets are below 4096");
    (seq / CHUNK, offset)
}

/// The members of one chunk, by offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits([u64; WORDS]);

impl Bits {
    /// No position.
    pub const EMPTY: Self = Self([0; WORDS]);
    /// Every position of the chunk.
    pub const FULL: Self = Self([u64::MAX; WORDS]);

    /// Adds an offset; one beyond the chunk is left out.
    pub fn insert(&mut self, offset: usize) {
        if let Some(word) = self.0.get_mut(offset / 64) {
            *word |= 1 << (offset % 64);
        }
    }

    /// Adds what `other` has.
    pub fn unite(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Drops what `other` doesn't have.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// The smallest offset that `other` doesn't have.
    pub fn first_beyond(&self, other: &Self) -> Option<usize> {
        let mut beyond = self.clone();
        for (word, other) in beyond.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
        beyond.offsets().next()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The offsets, smallest first.
    pub fn offsets(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(index * 64 + bit)
            })
        })
    }

    /// The bytes on disk.
    pub fn encode(&self) -> Vec<u8> {
        if self.count() * 2 >= BITMAP_BYTES {
            return self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        }
        let offsets = self.offsets().filter_map(|n| u16::try_from(n).ok());
        offsets.flat_map(u16::to_le_bytes).collect()
    }

    /// The set of some bytes on disk.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut bits = Self::EMPTY;
        if bytes.len() == BITMAP_BYTES {
            for (word, part) in bits.0.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = part.try_into().map_or(0, u64::from_le_bytes);
            }
        } else {
            for part in bytes.chunks_exact(2) {
                bits.insert(part.try_into().map_or(0, u16::from_le_bytes).into());
            }
        }
        bits
    }

    /// The chunk's part of a range of positions.
    pub fn of_range(chunk: u64, range: &RangeInclusive<u64>) -> Self {
        let mut bits = Self::EMPTY;
        for (offset, seq) in (chunk * CHUNK..).take(64 * WORDS).enumerate() {
            if range.contains(&seq) {
                bits.insert(offset);
            }
        }
        bits
    }
}

impl FromIterator<usize> for Bits {
    fn from_iter<I: IntoIterator<Item = usize>>(offsets: I) -> Self {
        let mut bits = Self::EMPTY;
        offsets.into_iter().for_each(|offset| bits.insert(offset));
        bits
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn chunks_read_as_they_were_written(offsets in prop::collection::btree_set(0usize..4096, 0..600)) {
            let bits: Bits = offsets.iter().copied().collect();
            let read = Bits::decode(&bits.encode());
            prop_assert_eq!(read.count(), offsets.len());
            prop_assert_eq!(read.offsets().collect::<BTreeSet<_>>(), offsets);
            prop_assert!(bits.encode().len() <= BITMAP_BYTES);
        }
    }
}
