//! The shell around a server's state: locks, lets the server decide, writes, and waits for the disk.

use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{Condvar, JoinHandle, Mutex, channel, spawn};
use log::error;

use crate::given::status::Unheard;
use crate::given::storage::Storage;
use crate::given::version::{Order, Version};
use crate::given::writes::Writes;

/// What the shell asks of the state that its lock guards. Each method is called with the lock held,
/// so it must return at once.
pub(crate) trait Guarded: Send + 'static {
    /// What was decided to be written. The shell takes it from there.
    fn writes(&mut self) -> &mut Writes;

    /// The version of the log, with all that was decided to be written.
    fn log_end(&self) -> Version;

    /// The last record known to be committed. The storage notes it with later records.
    fn committed(&self) -> Order;

    /// The log is on disk up to `last`, which was its end when the writes were taken. Some of it may
    /// have been cut off since.
    fn note_synced(&mut self, last: Version);

    /// The state has changed: the place to answer clients who wait for that. Returns whether to look
    /// again for what is [waited for](Shell::wait_for).
    fn note_change(&mut self) -> bool;

    /// The server has ended: those who wait must be told.
    fn note_end(&mut self);
}

/// A lock around the state of a server, and a task that writes to its disk.
pub(crate) struct Shell<S> {
    me: SocketAddr,
    pub(super) inner: Mutex<Inner<S>>,
    /// Notified when there is something to write, or the server has ended.
    pub(super) has_writes: Condvar,
    /// Notified when something was written, or the server has ended.
    has_written: Condvar,
}

/// What the lock guards.
pub(super) struct Inner<S> {
    pub(super) state: S,
    /// Why the server does nothing any more.
    pub(super) end: Option<End>,
    /// Whether the task that writes is still at work.
    is_writing: bool,
    /// What tasks [wait for](Shell::wait_for).
    awaited: Vec<Awaited<S>>,
}

/// Looks whether the state has what a task waits for, and gives it to the task: true if so.
type Awaited<S> = Box<dyn FnMut(&mut S) -> bool + Send>;

/// Why a server does nothing any more.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// It was asked to.
    Killed,
    /// A write has failed: what is on the disk is not known any more.
    DiskFailed(String),
}

impl<S: Guarded> Shell<S> {
    /// Puts a shell around the state of the server `me`, and starts to write to its disk.
    pub(crate) fn start(state: S, me: SocketAddr, storage: Storage) -> Arc<Self> {
        let shell = Arc::new(Self {
            me,
            inner: Mutex::new(Inner { state, end: None, is_writing: true, awaited: Vec::new() }),
            has_writes: Condvar::new(),
            has_written: Condvar::new(),
        });
        let (writer, guard) = (Arc::clone(&shell), Arc::clone(&shell));
        let writing = spawn(move || writer.write_all(storage));
        spawn(move || guard.await_writer(writing));
        shell
    }

    /// Looks at the state, also after the end.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.inner.lock().state)
    }

    /// Locks, decides, unlocks. What was decided is written soon; nothing may be told to others yet
    /// that a crash could take back.
    ///
    /// # Errors
    /// If the server has ended.
    pub(crate) fn update<R>(&self, decide: impl FnOnce(&mut S) -> R) -> Result<R, Unheard> {
        let mut inner = self.inner.lock();
        let Inner { state, end: None, awaited, .. } = &mut *inner else {
            return Err(Unheard::OutOfService);
        };
        let result = decide(state);
        if state.note_change() {
            awaited.retain_mut(|is_there| !is_there(state));
        }
        if !state.writes().is_empty() {
            self.has_writes.notify_one();
        }
        Ok(result)
    }

    /// As [`Shell::update`], and returns when all that was decided is on disk: the result may be
    /// told to others.
    ///
    /// # Errors
    /// If the server has ended, also before everything was on disk.
    pub(crate) fn update_on_disk<R>(&self, decide: impl FnOnce(&mut S) -> R) -> Result<R, Unheard> {
        let (result, ticket) = self.update(|state| {
            let result = decide(state);
            (result, state.writes().last_ticket())
        })?;
        let inner = self.inner.lock();
        let is_waiting =
            |inner: &mut Inner<S>| inner.end.is_none() && !inner.state.writes().is_finished(ticket);
        let inner = self.has_written.wait_while(inner, is_waiting);
        if inner.end.is_some() { Err(Unheard::OutOfService) } else { Ok(result) }
    }

    /// Waits until `take` returns something; `None` if the server ends before. `take` is called at
    /// once, and again after each change for which [`Guarded::note_change`] returns `true`, by the
    /// task that makes it: so a task wakes up only when there is something for it.
    pub(crate) fn wait_for<R: Send + 'static>(
        &self,
        mut take: impl FnMut(&mut S) -> Option<R> + Send + 'static,
    ) -> Option<R> {
        let (sender, taken) = channel();
        let mut is_there = move |state: &mut S| {
            let found = take(state).map(|found| sender.send(found).ok()); // The task waits for it.
            found.is_some()
        };
        let mut inner = self.inner.lock();
        if inner.end.is_some() {
            return None;
        }
        if !is_there(&mut inner.state) {
            inner.awaited.push(Box::new(is_there));
        }
        drop(inner);
        taken.recv().ok()
    }

    /// Whether the server has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.inner.lock().end.is_some()
    }

    /// Why the server has stopped its service, if its disk has failed.
    pub(crate) fn failure(&self) -> Option<String> {
        match &self.inner.lock().end {
            Some(End::DiskFailed(problem)) => Some(problem.clone()),
            Some(End::Killed) | None => None,
        }
    }

    /// Ends the server.
    pub(crate) fn kill(&self) {
        self.end(End::Killed);
    }

    /// As [`Shell::kill`], and returns when nothing is written to the disk any more.
    pub(crate) fn stop(&self) {
        self.kill();
        let inner = self.inner.lock();
        drop(self.has_written.wait_while(inner, |inner| inner.is_writing));
    }

    /// Ends the server, for this reason if it has not ended yet.
    pub(super) fn end(&self, end: End) {
        let mut inner = self.inner.lock();
        if inner.end.is_none() {
            if let End::DiskFailed(problem) = &end {
                error!(target: "DISK", "{} stops its service: {problem}", self.me);
            }
            inner.end = Some(end);
            inner.state.note_end();
            inner.awaited.clear();
        }
        drop(inner);
        self.has_writes.notify_all();
        self.has_written.notify_all();
    }

    /// All writes up to `ticket` are on disk, and with them the log up to `last`.
    pub(super) fn note_written(&self, ticket: u64, last: Version) {
        let noted = self.update(|state| {
            state.writes().finish(ticket);
            state.note_synced(last);
        });
        noted.ok(); // The task that writes sees the end.
        self.has_written.notify_all();
    }

    /// Waits for the end of the task that writes. If that was a panic, it is the end of the server:
    /// what waits for the disk would wait for ever, and a primary would never commit anything.
    fn await_writer(&self, writing: JoinHandle<()>) {
        writing.join().ok(); // However it has ended.
        self.inner.lock().is_writing = false;
        self.end(End::DiskFailed("the task that writes to it has failed".into()));
    }
}

#[cfg(test)]
mod tests {
    use labrpc::Disk;

    use super::*;
    use crate::given::storage::Identity;

    /// A state that writes nothing.
    #[derive(Default)]
    struct Counter(u64, Writes);

    impl Guarded for Counter {
        fn writes(&mut self) -> &mut Writes {
            &mut self.1
        }

        fn log_end(&self) -> Version {
            Version::default()
        }

        fn committed(&self) -> Order {
            0
        }

        fn note_synced(&mut self, _: Version) {}

        fn note_change(&mut self) -> bool {
            true
        }

        fn note_end(&mut self) {}
    }

    #[test]
    fn what_is_waited_for_comes_or_the_server_ends() {
        let me = SocketAddr::from(([127, 0, 0, 1], 1));
        let identity = Identity { address: me, servers: [me].into(), is_new: true };
        let (storage, _) = Storage::open(Disk::new(), &identity).expect("the disk is new");
        let shell = Shell::start(Counter::default(), me, storage);
        let wait = |least: u64| {
            let shell = Arc::clone(&shell);
            spawn(move || {
                shell.wait_for(move |Counter(count, _)| (*count >= least).then_some(*count))
            })
        };
        let waiting = [wait(0), wait(1), wait(2), wait(9)];
        for _ in 0..2 {
            shell.update(|counter| counter.0 += 1).expect("it serves");
        }
        let [zero, one, two, nine] = waiting;
        for (task, least) in [(zero, 0), (one, 1), (two, 2)] {
            assert!(task.join().expect("it waits only").expect("it comes") >= least);
        }
        shell.stop();
        assert_eq!(nine.join().expect("it waits only"), None);
        assert_eq!(shell.wait_for(|Counter(count, _)| Some(*count)), None);
        assert_eq!(shell.wait_for(|_| None::<u64>), None);
    }
}
