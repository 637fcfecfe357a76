//! Bytes that can be read, with all that is written kept in memory.

use std::collections::BTreeMap;
use std::io;

use parking_lot::RwLock;
use redb::StorageBackend;

/// What is kept at once, in bytes: a page of redb.
const BLOCK: u64 = 4096;

/// Bytes, and what was written over them.
#[derive(Debug)]
pub struct Spare {
    beneath: Box<dyn StorageBackend>,
    above: RwLock<Above>,
}

#[derive(Debug)]
struct Above {
    len: u64,
    /// How much of what lies beneath still counts.
    len_beneath: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Spare {
    /// Nothing written yet.
    pub fn over(beneath: Box<dyn StorageBackend>) -> io::Result<Self> {
        let len = beneath.len()?;
        let above = RwLock::new(Above {
            len,
            len_beneath: len,
            blocks: BTreeMap::new(),
        });
        Ok(Self { beneath, above })
    }

    /// The bytes of a block from `from` on, as long as `out` is.
    fn read_block(&self, above: &Above, block: u64, from: u64, out: &mut [u8]) -> io::Result<()> {
        if let Some(found) = above.blocks.get(&block) {
            let from = index(from);
            out.copy_from_slice(&found[from..from + out.len()]);
            return Ok(());
        }
        let at = block * BLOCK + from;
        let there = above.len_beneath.saturating_sub(at).min(out.len() as u64);
        let (beneath, beyond) = out.split_at_mut(index(there));
        beyond.fill(0);
        if beneath.is_empty() {
            return Ok(());
        }
        self.beneath.read(at, beneath)
    }
}

/// The parts of blocks that `len` bytes at `offset` take: block, first byte in it, count.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, u64, usize)> {
    let end = offset + len as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        (at < end).then(|| {
            let (block, from) = (at / BLOCK, at % BLOCK);
            let count = (BLOCK - from).min(end - at);
            at += count;
            (block, from, index(count))
        })
    })
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("invariant: offsets in a block are small")
}

impl StorageBackend for Spare {
    fn len(&self) -> io::Result<u64> {
        Ok(self.above.read().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let above = self.above.read();
        if offset + out.len() as u64 > above.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Most of it was never written: one read rather than many.
        let len = out.len() as u64;
        let (first, last) = (offset / BLOCK, (offset + len) / BLOCK);
        let is_untouched = above.blocks.range(first..=last).next().is_none();
        if is_untouched && offset + len <= above.len_beneath {
            return self.beneath.read(offset, out);
        }
        let mut rest = out;
        for (block, from, count) in parts(offset, rest.len()) {
            let (part, after) = rest.split_at_mut(count);
            self.read_block(&above, block, from, part)?;
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut above = self.above.write();
        above.len = len;
        above.len_beneath = above.len_beneath.min(len);
        drop(above.blocks.split_off(&len.div_ceil(BLOCK)));
        if let Some(last) = above.blocks.get_mut(&(len / BLOCK)) {
            last[index(len % BLOCK)..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut above = self.above.write();
        let mut rest = data;
        for (block, from, count) in parts(offset, data.len()) {
            let (part, after) = rest.split_at(count);
            let mut bytes = vec![0; index(BLOCK)].into_boxed_slice();
            self.read_block(&above, block, 0, &mut bytes)?;
            bytes[index(from)..index(from) + count].copy_from_slice(part);
            above.blocks.insert(block, bytes);
            rest = after;
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.beneath.close()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redb::backends::InMemoryBackend;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let write = (0..20_000u64, prop::collection::vec(any::<u8>(), 1..9000));
        prop_oneof![
            4 => write.prop_map(|(at, data)| Step::Write(at, data)),
            1 => (0..30_000u64).prop_map(Step::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn it_reads_as_if_it_had_been_written(
            first in prop::collection::vec(any::<u8>(), 0..20_000),
            steps in prop::collection::vec(step(), 0..12),
        ) {
            let beneath = InMemoryBackend::new();
            beneath.set_len(first.len() as u64).unwrap();
            beneath.write(0, &first).unwrap();
            let spare = Spare::over(Box::new(beneath)).unwrap();
            let mut model = first;
            for step in steps {
                match step {
                    Step::Write(at, data) => {
                        let end = at + data.len() as u64;
                        if end > model.len() as u64 {
                            model.resize(index(end), 0);
                            spare.set_len(end).unwrap();
                        }
                        model[index(at)..index(end)].copy_from_slice(&data);
                        spare.write(at, &data).unwrap();
                    }
                    Step::SetLen(len) => {
                        model.resize(index(len), 0);
                        spare.set_len(len).unwrap();
                    }
                }
            }
            prop_assert_eq!(spare.len().unwrap(), model.len() as u64);
            let mut found = vec![0; model.len()];
            spare.read(0, &mut found).unwrap();
            prop_assert_eq!(&found, &model);
            prop_assert!(spare.read(model.len() as u64, &mut [0]).is_err());
        }
    }
}
