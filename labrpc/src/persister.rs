//! What of a server survives a crash.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::recording::What;

use crate::runtime::Instant;
use crate::runtime::port::{self, OneShot, Wait, unpoisoned};

/// Holds a server's Raft state and its snapshot, as a disk would. Clones are the same disk.
///
/// Both are saved together, so that a crash never leaves one without the other. A dead task saves
/// nothing.
#[derive(Clone, Default)]
pub struct Persister(Arc<Mutex<Blobs>>);

/// The two byte strings.
#[derive(Clone, Default)]
struct Blobs {
    raft_state: Vec<u8>,
    snapshot: Vec<u8>,
    /// How long it takes to save them.
    save_time: Duration,
}

impl Persister {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Saves the Raft state and keeps the snapshot. As with any disk, the caller may have to wait,
    /// and other tasks run meanwhile.
    #[track_caller]
    pub fn save_raft_state(&self, raft_state: Vec<u8>) {
        self.write(|blobs| blobs.raft_state = raft_state);
    }

    /// Saves both, in one step. The caller may have to wait, as for
    /// [`save_raft_state`](Persister::save_raft_state).
    #[track_caller]
    pub fn save(&self, raft_state: Vec<u8>, snapshot: Vec<u8>) {
        self.write(|blobs| (blobs.raft_state, blobs.snapshot) = (raft_state, snapshot));
    }

    /// The Raft state saved last; empty if there is none.
    pub fn raft_state(&self) -> Vec<u8> {
        self.read(|blobs| blobs.raft_state.clone())
    }

    /// The snapshot saved last; empty if there is none.
    pub fn snapshot(&self) -> Vec<u8> {
        self.read(|blobs| blobs.snapshot.clone())
    }

    /// Bytes of the Raft state.
    pub fn raft_state_size(&self) -> usize {
        self.read(|blobs| blobs.raft_state.len())
    }

    /// Bytes of the snapshot.
    pub fn snapshot_size(&self) -> usize {
        self.read(|blobs| blobs.snapshot.len())
    }

    /// Another disk with the same contents. A restarted server gets one, so that whatever its old
    /// incarnation still saves is lost.
    pub fn copy(&self) -> Persister {
        Persister(Arc::new(Mutex::new(self.read(Blobs::clone))))
    }

    /// Changes the contents, unless the task is dead.
    #[track_caller]
    fn write(&self, change: impl FnOnce(&mut Blobs)) {
        if port::enter() {
            let save_time = unpoisoned(self.0.lock()).save_time;
            if !save_time.is_zero() {
                let deadline = Instant::from_nanos(port::now()) + save_time;
                OneShot::<()>::new().wait(Wait::Disk, Location::caller(), Some(deadline));
            }
            let mut blobs = unpoisoned(self.0.lock());
            change(&mut blobs);
            let (state, snapshot) = (blobs.raft_state.len() as u64, blobs.snapshot.len() as u64);
            port::draw(|| What::Save { what: "persister".to_string(), state, snapshot });
        }
    }

    /// Reads the contents.
    fn read<R>(&self, f: impl FnOnce(&Blobs) -> R) -> R {
        port::charge();
        let blobs = unpoisoned(self.0.lock());
        f(&blobs)
    }
}

/// Makes a disk slow: to save takes this long from now on, and until it has returned, a crash
/// leaves what was saved before. A test that restarts a server at the right moment sees whether the
/// server had saved what it has answered.
///
/// It is no method of [`Persister`], because only tests may do this, and servers have one too.
pub fn set_save_time(persister: &Persister, time: Duration) {
    unpoisoned(persister.0.lock()).save_time = time;
}

impl fmt::Debug for Persister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `read`, which costs virtual time: printing must not change the run.
        let blobs = unpoisoned(self.0.lock());
        let (state, snapshot) = (blobs.raft_state.len(), blobs.snapshot.len());
        write!(f, "Persister({state} bytes of Raft state, {snapshot} bytes of snapshot)")
    }
}
