//! Every kind of write, on a disk that fails at each of its accesses in turn: nothing is half done,
//! reads go on, and all goes on where the disk is well again.

use std::io;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::admin::{sessions, tokens};
use super::members::{profiles, time_off};
use super::messages::deliveries::{self, Outcome};
use super::oncall::lookup;
use super::rotation::handoff;
use super::schedules::assign::assign_now;
use super::testing::read;
use super::{members, overrides, rotation, schedules, services, teams};
use crate::app::{ActionError, App, Ctx, Result, Route, Settings};
use crate::clock::ManualClock;
use crate::store::{self, Medium, StorageBackend, Store, StoreError};

/// How a disk fails, from one access on until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Writes find no room.
    Full,
    /// Writes end half-way.
    Torn,
    /// Syncs fail; what was to be synced never reaches the disk, though it can be read.
    Unsynced,
    /// Nothing can be written at all.
    ReadOnly,
    /// Nothing can be read, nor written.
    Dead,
}

/// A disk, as the system shows it and as it would be found after a crash.
#[derive(Debug, Default)]
struct Platter {
    shown: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
    /// Accesses left until it fails.
    left: Option<(u32, Fault)>,
}

impl Platter {
    /// Counts an access that the fault is about, if it's about such.
    fn access(&mut self, is_met: impl Fn(Fault) -> bool) -> Option<Fault> {
        let (left, fault) = self.left.as_mut()?;
        if !is_met(*fault) {
            return None;
        }
        match left.checked_sub(1) {
            Some(fewer) => {
                *left = fewer;
                None
            }
            None => Some(*fault),
        }
    }

    fn has_failed(&self) -> bool {
        self.left.is_some_and(|(left, _)| left == 0)
    }

    fn put(&mut self, at: usize, data: &[u8]) {
        overwrite(&mut self.shown, at, data);
        self.unsynced.push((at, data.to_vec()));
    }
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if bytes.len() < at + data.len() {
        bytes.resize(at + data.len(), 0);
    }
    bytes[at..at + data.len()].copy_from_slice(data);
}

#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn holding(bytes: Vec<u8>) -> Self {
        let platter = Platter {
            shown: bytes.clone(),
            durable: bytes,
            ..Platter::default()
        };
        Self(Arc::new(Mutex::new(platter)))
    }

    fn fail(&self, after: u32, fault: Fault) {
        self.0.lock().unwrap().left = Some((after, fault));
    }

    /// Mends it: whether it had failed.
    fn mend(&self) -> bool {
        let mut platter = self.0.lock().unwrap();
        let failed = platter.has_failed();
        platter.left = None;
        failed
    }

    fn after_crash(&self) -> Vec<u8> {
        self.0.lock().unwrap().durable.clone()
    }
}

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => io::ErrorKind::StorageFull.into(),
        Fault::ReadOnly => io::ErrorKind::ReadOnlyFilesystem.into(),
        Fault::Torn | Fault::Unsynced | Fault::Dead => io::Error::other("EIO"),
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().shown.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        if let Some(fault) = platter.access(|fault| fault == Fault::Dead) {
            return Err(error(fault));
        }
        let from = usize::try_from(offset).unwrap();
        let found = platter.shown.get(from..from + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        if let Some(fault) = platter.access(|fault| fault != Fault::Unsynced) {
            return Err(error(fault));
        }
        let len = usize::try_from(len).unwrap();
        platter.shown.resize(len, 0);
        platter.durable.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        let unsynced = std::mem::take(&mut platter.unsynced);
        if let Some(fault) = platter.access(|_| true) {
            return Err(error(fault));
        }
        for (at, data) in unsynced {
            overwrite(&mut platter.durable, at, &data);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        let mut platter = self.0.lock().unwrap();
        match platter.access(|fault| fault != Fault::Unsynced) {
            None => platter.put(at, data),
            Some(fault) => {
                if fault == Fault::Torn {
                    platter.put(at, &data[..data.len() / 2]);
                }
                return Err(error(fault));
            }
        }
        Ok(())
    }
}

impl Medium for Disk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.clone()))
    }

    fn open_to_read(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.clone()))
    }

    fn settle(&self) -> io::Result<()> {
        let all = self.0.lock().unwrap().shown.clone();
        self.write(0, &all)?;
        self.sync_data()
    }
}

/// Something that is done, and when.
type Step = (&'static str, i64, fn(&App) -> Result<()>);

const TEAM: &str = "core";

/// Every kind of write.
const STEPS: &[Step] = &[
    ("make a team", 0, |app| {
        let team = json!({"name": TEAM, "slack_channel_id": "C1", "rotation_enabled": true,
            "rotation_interval": "daily", "handoff_time": "09:00", "overrides_require_approval": true});
        teams::create(app, &admin(), &read(team)).map(drop)
    }),
    ("add members", 0, |app| {
        ["UA", "UB", "UC"].iter().try_for_each(|user| {
            let member = read(json!({"slack_user_id": user, "team_role": "lead"}));
            let put = members::put(app, &admin(), TEAM, &member);
            put.map(drop)
        })
    }),
    ("set a name", 1, |app| {
        let input = read(json!({"display_name": "Ada"}));
        profiles::set(app, &admin(), "UA", &input).map(drop)
    }),
    ("take time off", 1, |app| {
        let off = read(json!({"start_date": "2026-03-05", "end_date": "2026-03-06"}));
        time_off::create(app, &admin(), "UA", &off).map(drop)
    }),
    ("add a service", 1, |app| {
        let service = read(json!({"name": "Checkout", "team_id": TEAM, "tier": "critical"}));
        services::create(app, &admin(), &service).map(drop)
    }),
    ("plan by hand", 1, |app| {
        let row = read(
            json!({"engineer_slack_id": "UC", "start_date": "2026-03-10",
            "end_date": "2026-03-11"}),
        );
        schedules::create(app, &admin(), TEAM, &row).map(drop)
    }),
    ("generate", 1, |app| {
        let request = read(json!({"weeks": 3}));
        rotation::generate(app, &admin(), TEAM, &request).map(drop)
    }),
    ("ask for an override", 2, |app| {
        let ask = read(
            json!({"substitute_slack_id": "UB", "start_date": "2026-03-04",
            "end_date": "2026-03-04", "requested_by": "UC"}),
        );
        overrides::request(app, &admin(), TEAM, &ask).map(drop)
    }),
    ("approve it", 2, |app| {
        let all = overrides::list(app, TEAM, &read(json!({})), &read(json!({})))?;
        let (id, yes) = (
            all.items[0].id.to_string(),
            json!({"status": "approved", "approved_by": "UA"}),
        );
        overrides::decide(app, &admin(), TEAM, &id, &read(yes)).map(drop)
    }),
    ("hand off", 24, |app| handoff::tick(app).map(drop)),
    ("put on call now", 25, |app| {
        let now = read(json!({"engineer_slack_id": "UC"}));
        assign_now(app, &admin(), TEAM, &now).map(drop)
    }),
    ("settle deliveries", 25, |app| {
        let pending = deliveries::pending_after(app, 0, 100)?;
        let told = |row| (row, Outcome::Delivered(Some("C1:1".to_owned())));
        deliveries::settle(app, &pending.into_iter().map(told).collect::<Vec<_>>())?;
        note(app)
    }),
    ("sign in", 26, |app| {
        let token = tokens::create(app, &admin(), &read(json!({"name": "t", "role": "editor"})))?;
        let cookie = sessions::sign_in(app, &admin(), &token.token.unwrap_or_default())?;
        assert!(cookie.is_some());
        Ok(())
    }),
    ("hand off after days", 24 * 9, |app| {
        handoff::tick(app).map(drop)
    }),
    ("dissolve the team", 24 * 9, |app| {
        teams::delete(app, &admin(), TEAM)
    }),
];

fn admin() -> Ctx {
    Ctx::system()
}

/// Audits something.
fn note(app: &App) -> Result<()> {
    let input = read(json!({"display_name": "Bea"}));
    profiles::set(app, &admin(), "UB", &input).map(drop)
}

fn begin() -> DateTime<Utc> {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn start(disk: &Disk, hours: i64, is_new: bool) -> App {
    let store = Store::on_medium(disk.clone(), is_new).unwrap();
    let clock = ManualClock::new(begin() + TimeDelta::hours(hours));
    let settings = Settings {
        sinks: vec![Route::all_to("slack")],
        ..Settings::default()
    };
    super::start(store, Arc::new(clock), settings)
}

/// Entries of the audit log, of a store that proves to be whole.
fn proven(app: &App) -> u64 {
    app.read(|tx| {
        store::lists::verify(tx)?;
        Ok(store::audit::verify(tx)?.seq)
    })
    .unwrap()
}

fn is_refusal(error: &ActionError) -> bool {
    matches!(error, ActionError::Store(StoreError::Unwritable(_)))
}

/// Does a step on a disk that fails at its `after`th access: what is there then, and whether it failed.
fn with_fault(before: &[u8], step: &Step, done: u64, after: u32, fault: Fault) -> bool {
    let (name, hours, act) = step;
    let what = format!("{name}, {fault:?} after {after}");
    let disk = Disk::holding(before.to_vec());
    let app = start(&disk, *hours, false);
    let begun = proven(&app);
    disk.fail(after, fault);
    let acted = act(&app);
    if let Err(error) = &acted {
        assert!(app.disk_trouble().is_some(), "{what}: {acted:?}");
        let refused = note(&app).unwrap_err();
        assert!(is_refusal(&refused), "{what}: {refused}");
        assert!(!app.recover(), "{what}: it is not well");
        if fault != Fault::Dead {
            assert!(is_refusal(error), "{what}: {error}");
            let now = proven(&app);
            assert!((begun..=done).contains(&now), "{what}: {now}");
            if now == begun && begun > 20 {
                lookup::answer(&app, &read(json!({"team": TEAM}))).unwrap();
            }
        }
    }
    let failed = disk.mend();
    assert!(app.recover(), "{what}");
    assert_eq!(app.disk_trouble(), None, "{what}");
    // What failed may have come to be all the same, as a whole or one write after the other.
    let now = proven(&app);
    if acted.is_ok() {
        assert_eq!(now, done, "{what}");
    } else if now == begun {
        act(&app).unwrap();
        assert_eq!(proven(&app), done, "{what}");
    }
    note(&app).unwrap();
    let acknowledged = proven(&app);
    drop(app);
    let app = start(&Disk::holding(disk.after_crash()), *hours, false);
    assert_eq!(proven(&app), acknowledged, "{what}: lost");
    failed
}

/// Has the disk fail in this way at every access of every step.
fn fail_everywhere(fault: Fault) {
    let disk = Disk::default();
    drop(start(&disk, 0, true));
    let mut bytes = disk.after_crash();
    let mut faults = 0;
    for step in STEPS {
        let (name, hours, act) = step;
        let disk = Disk::holding(bytes.clone());
        let app = start(&disk, *hours, false);
        act(&app).unwrap_or_else(|error| panic!("{name}: {error}"));
        let done = proven(&app);
        drop(app);
        let mut after = 0;
        while with_fault(&bytes, step, done, after, fault) {
            after += 1;
            faults += 1;
        }
        assert!(after > 1, "{name} writes");
        bytes = disk.after_crash();
    }
    assert!(faults > STEPS.len() * 2, "only {faults} faults");
}

#[test]
fn a_full_disk_loses_nothing() {
    fail_everywhere(Fault::Full);
}

#[test]
fn a_torn_write_loses_nothing() {
    fail_everywhere(Fault::Torn);
}

#[test]
fn a_failed_sync_loses_nothing() {
    fail_everywhere(Fault::Unsynced);
}

#[test]
fn a_disk_that_turns_read_only_loses_nothing() {
    fail_everywhere(Fault::ReadOnly);
}

#[test]
fn a_disk_that_dies_for_a_while_loses_nothing() {
    fail_everywhere(Fault::Dead);
}
