//! A store on a disk that loses power: what was not synced is lost at random.

use std::io;
use std::sync::{Arc, Mutex};

use super::{Store, StoreError, audit};
use crate::domain::audit::{Action, AuditEvent, EntityType};

/// A disk: what is safe, what was written since the last sync, and when the power fails.
#[derive(Debug, Default)]
struct Disk {
    safe: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Operations left until the power fails.
    power: u64,
}

impl Disk {
    fn use_power(&mut self) -> io::Result<()> {
        self.power = self
            .power
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("no power"))?;
        Ok(())
    }

    fn apply(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
        if bytes.len() < at + data.len() {
            bytes.resize(at + data.len(), 0);
        }
        bytes[at..at + data.len()].copy_from_slice(data);
    }

    /// What is found after the crash: of the unsynced writes some, whole or in part.
    fn after_crash(&mut self, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.safe);
        let all_or_some = dice.roll(2);
        for (at, data) in self.unsynced.drain(..) {
            match all_or_some * dice.roll(3) {
                1 => {}
                0 => Self::apply(&mut bytes, at, &data),
                // Disks write sectors whole.
                _ => {
                    let sectors = dice.roll(data.len() as u64 / 512 + 1);
                    let kept = usize::try_from(sectors).unwrap() * 512;
                    Self::apply(&mut bytes, at, &data[..kept.min(data.len())]);
                }
            }
        }
        bytes
    }
}

#[derive(Clone, Debug, Default)]
struct Backend(Arc<Mutex<Disk>>);

impl Backend {
    fn with_power<T>(&self, f: impl FnOnce(&mut Disk) -> T) -> io::Result<T> {
        let mut disk = self.0.lock().unwrap();
        disk.use_power()?;
        Ok(f(&mut disk))
    }
}

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        let disk = self.0.lock().unwrap();
        let ends = disk.unsynced.iter().map(|(at, data)| at + data.len());
        Ok(ends.max().unwrap_or(0).max(disk.safe.len()) as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.0.lock().unwrap();
        let mut bytes = disk.safe.clone();
        for (at, data) in &disk.unsynced {
            Disk::apply(&mut bytes, *at, data);
        }
        let from = usize::try_from(offset).unwrap();
        let found = bytes.get(from..from + out.len());
        out.copy_from_slice(found.ok_or_else(|| io::Error::other("beyond the end"))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with_power(|disk| disk.safe.resize(usize::try_from(len).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with_power(|disk| {
            for (at, data) in std::mem::take(&mut disk.unsynced) {
                Disk::apply(&mut disk.safe, at, &data);
            }
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        self.with_power(|disk| disk.unsynced.push((at, data.to_vec())))
    }
}

/// Knuth's MMIX: the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn append(store: &Store) -> Result<(), StoreError> {
    let written = store.write(|tx| {
        let event = AuditEvent::system(EntityType::System, Action::Updated);
        audit::append(tx, event, chrono::DateTime::UNIX_EPOCH)
    });
    written.map(drop)
}

#[test]
fn what_was_committed_before_the_power_failed_is_there_and_proven() {
    let mut crashes_in_a_commit = 0;
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let mut bytes = Vec::new();
        let mut committed = 0;
        for life in 0..6 {
            let disk = Disk {
                safe: bytes,
                power: u64::MAX,
                ..Disk::default()
            };
            let backend = Backend(Arc::new(Mutex::new(disk)));
            let store = Store::with_backend(backend.clone(), life == 0).unwrap();
            let proven = store.read(|tx| audit::verify(tx)).unwrap().seq;
            // What was under way may have been done, though nobody was told.
            let is_kept = proven == committed || proven == committed + 1;
            assert!(
                is_kept,
                "seed {seed}: {committed} committed, {proven} there"
            );
            crashes_in_a_commit += u64::from(proven > committed);
            committed = proven;
            backend.0.lock().unwrap().power = dice.roll(120);
            while append(&store).is_ok() {
                committed += 1;
            }
            bytes = backend.0.lock().unwrap().after_crash(&mut dice);
            drop(store);
        }
    }
    assert!(crashes_in_a_commit > 0, "the power fails where it matters");
}
