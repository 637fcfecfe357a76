//! The Merkle tree of RFC 6962, section 2.1, as far as it takes to go on: the roots of its complete
//! subtrees.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// A tree that grows at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of the complete subtrees, the largest first: one for each bit of the size.
    peaks: Vec<Hash>,
}

impl Tree {
    /// How many leaves it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node = digest(0, &[leaf]);
        // Each complete subtree as large as the new one goes into one twice as large.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = digest(1, &[&left, &node]);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            Some(smallest) => peaks.fold(*smallest, |right, left| digest(1, &[left, &right])),
            None => Sha256::digest([]).into(),
        }
    }

    /// Its bytes, for [`Self::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.peaks.iter().flatten());
        bytes
    }

    /// The tree of some bytes; none where they are no tree's.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, peaks) = bytes.split_first_chunk()?;
        let size = u64::from_be_bytes(*size);
        let peaks: Vec<Hash> = peaks
            .chunks(32)
            .map(Hash::try_from)
            .collect::<Result<_, _>>()
            .ok()?;
        let is_whole = u32::try_from(peaks.len()) == Ok(size.count_ones());
        is_whole.then_some(Self { size, peaks })
    }
}

/// Leaves and nodes begin with another byte, so that none can pass for the other.
fn digest(kind: u8, parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hex::{hex, unhex};

    /// The definition, word for word: split at the largest power of two below the size.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => digest(0, &[leaf]),
            leaves => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                digest(1, &[&by_definition(left), &by_definition(right)])
            }
        }
    }

    #[test]
    fn it_is_the_tree_of_the_rfc_at_every_size() {
        let mut tree = Tree::default();
        let mut leaves: Vec<Vec<u8>> = Vec::new();
        for size in 0..140_u8 {
            assert_eq!(tree.root(), by_definition(&leaves), "{size} leaves");
            assert_eq!(tree.size(), u64::from(size));
            assert_eq!(Tree::from_bytes(&tree.to_bytes()), Some(tree.clone()));
            tree.push(&[size; 3]);
            leaves.push(vec![size; 3]);
        }
        let bytes = tree.to_bytes();
        assert_eq!(Tree::from_bytes(&bytes[..bytes.len() - 32]), None);
        assert_eq!(Tree::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Tree::from_bytes(&[]), None);
    }

    /// The leaves and roots that Google's certificate-transparency tests its own trees with.
    #[test]
    fn it_is_the_tree_of_certificate_transparency() {
        let leaves = ["", "00", "10", "2021", "3031", "40414243"];
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(&unhex(leaf).unwrap());
        }
        assert_eq!(
            hex(&tree.root()),
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"
        );
    }
}
