//! The simulated disk: files in memory, power failures, and failures on demand.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use contract::recording::What;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::contents::Contents;
use super::name::missing;
use crate::runtime::port::{self, unpoisoned};
use crate::runtime::{rng, sleep};

/// How long [`Disk::sync`](super::Disk::sync), and every other operation that is durable when it returns, takes on a
/// simulated disk.
///
/// A flash disk takes between a tenth of a millisecond and a few, one that turns takes ten. With 1
/// ms a sync costs as much as a slow message of the simulated network, so neither hides the other:
/// a server that syncs once for each of its clients is visibly slower than one that syncs for all
/// of them.
pub const SYNC_TIME: Duration = Duration::from_millis(1);

/// How often a simulated disk fails, see [`Disk::fail_at`](super::Disk::fail_at).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultDuration {
    /// One operation fails, and the next one succeeds.
    Once,
    /// From that operation on, all fail.
    FromThenOn,
}

/// A disk in memory.
#[derive(Default)]
pub(super) struct Simulated(Mutex<State>);

/// What is on a disk, and what is wrong with it.
#[derive(Default)]
struct State {
    names: BTreeMap<String, FileId>,
    /// The files, under numbers that a rename does not change: a sync holds on to its file.
    files: BTreeMap<FileId, Contents>,
    next_id: FileId,
    power_is_off: bool,
    operations: u64,
    fault: Option<(u64, FaultDuration)>,
    capacity: Option<u64>,
    /// Draws what survives when no simulation does: always the same way.
    outside: Option<Pcg64>,
}

/// The number of a file.
type FileId = u64;

/// What a disk does.
impl Simulated {
    pub(super) fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.enter()?;
        let failed = state.count();
        let fits = state.room().min(bytes.len() as u64);
        let written = match failed {
            Ok(()) => fits,
            Err(_) => state.draw(fits),
        };
        let id = state.find_or_create(file);
        state.contents(id).append(&bytes[..written as usize]);
        failed?;
        match written == bytes.len() as u64 {
            true => {
                draw("append", file, written);
                Ok(())
            }
            false => Err(io::Error::new(ErrorKind::StorageFull, "the simulated disk is full")),
        }
    }

    pub(super) fn sync(&self, file: &str) -> io::Result<()> {
        let mut state = self.enter()?;
        let failed = state.count();
        let id = state.find(file)?;
        // What is appended while the disk works is left for the next sync.
        let changes = state.contents(id).changes();
        drop(state);
        self.work(|state| {
            // The data of a file that was removed meanwhile is not needed.
            let Some(contents) = state.files.get_mut(&id) else { return failed };
            match failed {
                Ok(()) => contents.sync(changes),
                Err(_) => with_rng(&mut state.outside, |rng| contents.fail_to_sync(changes, rng)),
            }
            failed
        })?;
        draw("sync", file, 0);
        Ok(())
    }

    pub(super) fn read(&self, file: &str) -> io::Result<Option<Vec<u8>>> {
        self.look(|state| state.get(file).map(|contents| contents.visible().to_vec()))
    }

    pub(super) fn len(&self, file: &str) -> io::Result<Option<u64>> {
        self.look(|state| state.get(file).map(|contents| contents.visible().len() as u64))
    }

    pub(super) fn list(&self) -> io::Result<Vec<String>> {
        self.look(|state| state.names.keys().cloned().collect())
    }

    pub(super) fn truncate(&self, file: &str, len: u64) -> io::Result<()> {
        let mut state = self.enter()?;
        state.count()?;
        let id = state.find(file)?;
        let contents = state.contents(id);
        if len > contents.visible().len() as u64 {
            let problem = format!("{file:?} is shorter than {len} bytes");
            return Err(io::Error::new(ErrorKind::InvalidInput, problem));
        }
        contents.truncate(len as usize);
        Ok(())
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let failed = self.enter()?.count();
        self.work(|state| {
            let id = state.find(from)?;
            if failed.is_ok() || state.draw(1) == 1 {
                state.names.remove(from);
                if let Some(replaced) = state.names.insert(to.to_string(), id) {
                    state.files.remove(&replaced);
                }
                // The name is durable now, though what is in the file need not be.
                state.contents(id).sync(0);
            }
            failed
        })?;
        draw("rename", to, 0);
        Ok(())
    }

    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        self.enter()?.count()?;
        self.work(|state| {
            let id = state.find(file)?;
            state.names.remove(file);
            state.files.remove(&id);
            Ok(())
        })
    }

    /// Takes the time of a sync, in the middle of which `effect` comes: if the power fails
    /// meanwhile, it may have come or not, and in neither case does the caller hear of it.
    fn work(&self, effect: impl FnOnce(&mut State) -> io::Result<()>) -> io::Result<()> {
        sleep(SYNC_TIME / 2);
        let result = effect(&mut *self.powered()?);
        sleep(SYNC_TIME / 2);
        drop(self.powered()?);
        result
    }

    /// Begins an operation that changes the disk. Nothing that a dead task does reaches it.
    fn enter(&self) -> io::Result<MutexGuard<'_, State>> {
        if port::enter() {
            self.powered()
        } else {
            Err(io::Error::new(ErrorKind::Interrupted, "the task is dead"))
        }
    }

    /// Reads what is on the disk.
    fn look<R>(&self, f: impl FnOnce(&State) -> R) -> io::Result<R> {
        port::charge();
        Ok(f(&*self.powered()?))
    }

    /// Locks the state, never across an operation of the runtime.
    fn powered(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        match state.power_is_off {
            false => Ok(state),
            true => Err(io::Error::new(ErrorKind::BrokenPipe, "the simulated disk has no power")),
        }
    }

    /// Locks the state, even without power.
    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.0.lock())
    }
}

/// Records what was done to a file.
fn draw(operation: &str, file: &str, bytes: u64) {
    port::draw(|| What::Save { what: format!("{operation} {file}"), state: bytes, snapshot: 0 });
}

/// What a test does to a disk.
impl Simulated {
    /// See [`super::Disk::crash`] and [`super::Disk::crash_keeping`].
    pub(super) fn crash(&self, unsynced: Option<u64>) -> Self {
        let mut state = self.lock();
        state.power_is_off = true;
        let State { names, files, outside, .. } = &mut *state;
        let mut after = State { next_id: names.len() as FileId, ..State::default() };
        for (id, (name, old_id)) in (0..).zip(names.iter()) {
            let Some(contents) = files.get(old_id) else { continue };
            let left = match unsynced {
                Some(unsynced) => contents.crash_keeping(unsynced),
                None => with_rng(outside, |rng| contents.crash(rng)),
            };
            if let Some(left) = left {
                after.names.insert(name.clone(), id);
                after.files.insert(id, left);
            }
        }
        // The next crash must not draw the same again.
        after.outside = outside.clone();
        Self(Mutex::new(after))
    }

    pub(super) fn copy(&self) -> Self {
        let state = self.lock();
        Self(Mutex::new(State {
            names: state.names.clone(),
            files: state.files.clone(),
            next_id: state.next_id,
            outside: state.outside.clone(),
            ..State::default()
        }))
    }

    pub(super) fn operations(&self) -> u64 {
        self.lock().operations
    }

    pub(super) fn fail_at(&self, operation: u64, fault: FaultDuration) {
        self.lock().fault = Some((operation, fault));
    }

    pub(super) fn set_capacity(&self, bytes: u64) {
        self.lock().capacity = Some(bytes);
    }

    /// Changes a file behind everybody's back.
    pub(super) fn damage(&self, file: &str, f: impl Fn(&mut Vec<u8>)) {
        let mut state = self.lock();
        match state.find(file) {
            Ok(id) => state.contents(id).damage(f),
            Err(error) => panic!("{error}"),
        }
    }
}

impl State {
    /// Counts an operation, which may be one that must fail.
    fn count(&mut self) -> io::Result<()> {
        self.operations += 1;
        let fails = match self.fault {
            None => false,
            Some((at, FaultDuration::Once)) => self.operations == at,
            Some((at, FaultDuration::FromThenOn)) => self.operations >= at,
        };
        match fails {
            false => Ok(()),
            true => Err(io::Error::other("the simulated disk fails: the test injected a fault")),
        }
    }

    /// Bytes that still fit.
    fn room(&self) -> u64 {
        let used: usize = self.files.values().map(|contents| contents.visible().len()).sum();
        self.capacity.unwrap_or(u64::MAX).saturating_sub(used as u64)
    }

    /// A number from 0 to `most`.
    fn draw(&mut self, most: u64) -> u64 {
        with_rng(&mut self.outside, |rng| rng.random_range(0..=most))
    }

    /// The file with this name.
    fn find(&self, file: &str) -> io::Result<FileId> {
        self.names.get(file).copied().ok_or_else(|| missing(file))
    }

    /// The file with this name, new if there was none.
    fn find_or_create(&mut self, file: &str) -> FileId {
        if let Ok(id) = self.find(file) {
            return id;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.names.insert(file.to_string(), id);
        self.files.insert(id, Contents::default());
        id
    }

    /// What is in the file with this name.
    fn get(&self, file: &str) -> Option<&Contents> {
        self.names.get(file).and_then(|id| self.files.get(id))
    }

    /// What is in the file with this number.
    fn contents(&mut self, id: FileId) -> &mut Contents {
        self.files.get_mut(&id).expect("every name leads to a file")
    }
}

/// Calls `f` with the simulation's generator, or with the disk's own outside a simulation.
fn with_rng<R>(outside: &mut Option<Pcg64>, f: impl FnOnce(&mut Pcg64) -> R) -> R {
    if port::in_simulation() {
        // A draw of a stream of its own: one number of the run's generator decides all.
        let mut drawn = Pcg64::seed_from_u64(rng().random());
        return f(&mut drawn);
    }
    f(outside.get_or_insert_with(|| Pcg64::seed_from_u64(0x6824)))
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let sizes = state.names.iter().map(|(name, id)| {
            format!("{name}: {} bytes", state.files.get(id).map_or(0, |file| file.visible().len()))
        });
        write!(f, "Disk({})", sizes.collect::<Vec<_>>().join(", "))
    }
}
