//! A server: the shell around [`State`] that locks, waits for the disk, sends and waits.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{ClientEnd, Condvar, Disk, Instant, JoinHandle, Mutex, Service, rng, sleep, spawn};
use log::error;
use rand::Rng as _;

use crate::peers::{Letter, Peers};
use crate::record::MAX_OPERATION;
use crate::rpc::{
    CheckArgs, CopyArgs, InstallArgs, PingArgs, PromiseArgs, Refusal, Status, Unheard, WriteArgs,
};
use crate::state::State;
use crate::storage::{Identity, Storage, StorageError};
use crate::timing::{CANDIDACY, PING_INTERVAL};
use crate::waiting::Waiting;

/// How many records are written between two snapshots, unless set.
pub const SNAPSHOT_EVERY: u64 = 10_000;

/// What a server has to know when it starts. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own address.
    pub address: SocketAddr,
    /// Ways to all servers, by address. One to itself may be among them and is not used. All
    /// servers must have the same addresses here, at every start: they ignore a server that has
    /// others.
    pub peers: BTreeMap<SocketAddr, ClientEnd>,
    /// A snapshot is taken after this number of records.
    pub snapshot_every: u64,
    /// That the server has never run before: see [`Identity::is_new`].
    pub is_new: bool,
}

/// A server of the key/value service. Clones are the same server. Used by the grading tests.
#[derive(Clone)]
pub struct PbServer(Arc<Server>);

impl PbServer {
    /// Starts a server that goes on from what its disk holds.
    ///
    /// # Errors
    /// If the disk cannot be read, or is another server's. A log that is corrupt is not an error,
    /// and neither is a directory that was emptied: the server starts, and waits for a primary to
    /// send it everything.
    pub fn start(config: Config, disk: Disk) -> Result<PbServer, StorageError> {
        let Config { address, peers, snapshot_every, is_new } = config;
        let peers = Peers::new(address, peers);
        let servers = peers.servers();
        let identity = Identity { address, servers: servers.clone(), is_new };
        let (storage, found) = Storage::open(disk, &identity)?;
        if found.forgot_promise && servers.len() > 1 {
            sleep(CANDIDACY); // By then no candidate counts a promise that it has forgotten.
        }
        let (number, now) = (rng().next_u64(), Instant::now());
        let state = State::new(address, servers, snapshot_every, found, number, now);
        let inner = Inner { state, waiting: Waiting::default(), end: None, is_writing: true };
        let server = Arc::new(Server {
            peers,
            inner: Mutex::new(inner),
            has_writes: Condvar::new(),
            has_written: Condvar::new(),
            has_copies: Condvar::new(),
        });
        let (writer, watcher, guard) =
            (Arc::clone(&server), Arc::clone(&server), Arc::clone(&server));
        let writing = spawn(move || writer.write_all(storage));
        spawn(move || guard.await_writer(writing));
        spawn(move || watcher.watch());
        Ok(PbServer(server))
    }

    /// What it says of itself.
    pub fn status(&self) -> Status {
        self.0.inner.lock().state.status()
    }

    /// Why the server has stopped its service, if its disk has failed.
    pub fn failure(&self) -> Option<String> {
        match &self.0.inner.lock().end {
            Some(End::DiskFailed(problem)) => Some(problem.clone()),
            Some(End::Killed) | None => None,
        }
    }

    /// Stops all tasks of this server soon. Requests that wait are not answered any more.
    pub fn kill(&self) {
        self.0.end(End::Killed);
    }

    /// As [`PbServer::kill`], and returns when nothing is written to the disk any more.
    pub fn stop(&self) {
        self.kill();
        let inner = self.0.inner.lock();
        drop(self.0.has_written.wait_while(inner, |inner| inner.is_writing));
    }

    /// The RPC handlers, for clients and for the other servers.
    pub fn service(&self) -> Service {
        let server = || Arc::clone(&self.0);
        let (status, ping, check, promise) = (server(), server(), server(), server());
        let (copy, install, write, read) = (server(), server(), server(), server());
        Service::new("Pb")
            .method("Status", move |(): ()| status.inner.lock().state.status())
            .method("Ping", move |letter: Letter<PingArgs>| {
                let args = ping.peers.open(letter)?;
                ping.update(|state| state.handle_ping(&args, Instant::now()))
            })
            .method("Check", move |letter: Letter<CheckArgs>| {
                let args = check.peers.open(letter)?;
                check.update(|state| state.handle_check(&args, Instant::now()))
            })
            .method("Promise", move |letter: Letter<PromiseArgs>| {
                let args = promise.peers.open(letter)?;
                promise.update_on_disk(|state| state.handle_promise(&args, Instant::now()))
            })
            .method("Copy", move |letter: Letter<CopyArgs>| {
                let args = copy.peers.open(letter)?;
                copy.update_on_disk(|state| state.handle_copy(args, Instant::now()))
            })
            .method("Install", move |letter: Letter<InstallArgs>| {
                let args = install.peers.open(letter)?;
                install.update_on_disk(|state| state.handle_install(args, Instant::now()))
            })
            .method("Write", move |args: WriteArgs| write.serve_write(args))
            .method("Read", move |key: String| read.serve_read(key))
    }
}

impl fmt::Debug for PbServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PbServer")
    }
}

/// What a server's tasks share.
pub(crate) struct Server {
    pub(crate) peers: Peers,
    pub(crate) inner: Mutex<Inner>,
    /// Notified when there is something to write, or the server has ended.
    pub(crate) has_writes: Condvar,
    /// Notified when something was written, or the server has ended.
    pub(crate) has_written: Condvar,
    /// Notified when a backup lacks something, or this server is not primary, or has ended.
    pub(crate) has_copies: Condvar,
}

/// What the lock guards.
pub(crate) struct Inner {
    pub(crate) state: State,
    waiting: Waiting,
    /// Why the server does nothing any more.
    pub(crate) end: Option<End>,
    /// Whether the task that writes is still at work.
    is_writing: bool,
}

/// Why a server does nothing any more.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Somebody wanted it.
    Killed,
    /// A write has failed: what is on the disk is not known any more.
    DiskFailed(String),
}

impl Server {
    /// The way in which everything happens: lock, decide, unlock. It fails if the server has ended.
    ///
    /// `decide` changes the state, and nothing else. What it wants on disk is written by the
    /// [writer](Server::write_all); what backups lack is [copied](Server::copy_to_all) meanwhile,
    /// since a primary's requests promise nothing.
    pub(crate) fn update<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut State) -> R,
    ) -> Result<R, Unheard> {
        self.update_and_wait(|inner| decide(&mut inner.state))
    }

    /// As [`Server::update`], for a decision that concerns those who wait too.
    fn update_and_wait<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Inner) -> R,
    ) -> Result<R, Unheard> {
        let mut inner = self.inner.lock();
        if inner.end.is_some() {
            return Err(Unheard::OutOfService);
        }
        let result = decide(&mut inner);
        let Inner { state, waiting, .. } = &mut *inner;
        waiting.answer(state);
        if !state.writes.is_empty() {
            self.has_writes.notify_one();
        }
        if !state.is_primary() || state.is_copy_due(Instant::now()) {
            self.has_copies.notify_all();
        }
        Ok(result)
    }

    /// As [`Server::update`], and returns when all that was decided is on disk: the result may be
    /// told to others.
    pub(crate) fn update_on_disk<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut State) -> R,
    ) -> Result<R, Unheard> {
        let (result, ticket) = self.update(|state| {
            let result = decide(state);
            (result, state.writes.last_ticket())
        })?;
        let inner = self.inner.lock();
        let is_waiting =
            |inner: &mut Inner| inner.end.is_none() && !inner.state.writes.is_finished(ticket);
        let inner = self.has_written.wait_while(inner, is_waiting);
        if inner.end.is_some() { Err(Unheard::OutOfService) } else { Ok(result) }
    }

    /// Ends the server.
    pub(crate) fn end(&self, end: End) {
        let mut inner = self.inner.lock();
        if inner.end.is_none() {
            if let End::DiskFailed(problem) = &end {
                error!(target: "DISK", "{} stops its service: {problem}", inner.state);
            }
            inner.end = Some(end);
            inner.waiting.clear();
        }
        drop(inner);
        self.has_writes.notify_all();
        self.has_written.notify_all();
        self.has_copies.notify_all();
    }

    /// Waits for the end of the task that writes. If that was a panic, it is the end of the server:
    /// what waits for the disk would wait for ever, and a primary would never commit anything.
    fn await_writer(&self, writing: JoinHandle<()>) {
        writing.join().ok(); // However it has ended.
        self.inner.lock().is_writing = false;
        self.end(End::DiskFailed("the task that writes to it has failed".into()));
    }

    /// Whether the server has ended.
    fn has_ended(&self) -> bool {
        self.inner.lock().end.is_some()
    }

    /// The task that does what is due from time to time: ping the primary, look for another one,
    /// step down.
    fn watch(self: &Arc<Self>) {
        while !self.has_ended() {
            let wants_to_check = self.update(|state| {
                state.maybe_step_down(Instant::now());
                state.wants_to_check(Instant::now())
            });
            if wants_to_check == Ok(true) {
                self.check_and_stand();
            }
            self.ping_primary();
            sleep(PING_INTERVAL);
        }
    }

    /// Pings the primary, if there is one, in a task of its own: an answer that is late must not
    /// hold up the next ping.
    fn ping_primary(self: &Arc<Self>) {
        let Ok(Some((primary, args))) = self.update(|state| state.take_ping()) else { return };
        let server = Arc::clone(self);
        spawn(move || {
            let sent = Instant::now();
            let Some(reply) = server.peers.call(primary, "Pb.Ping", args) else { return };
            let heard = server
                .update(|state| state.handle_ping_reply(primary, sent, &reply, Instant::now()));
            heard.ok(); // Whoever has ended needs no answers.
        });
    }

    /// Serves a client's operation: returns when it is done.
    fn serve_write(self: &Arc<Self>, args: WriteArgs) -> Result<(), Refusal> {
        let WriteArgs { client, sequence, operation } = args;
        if operation.size() > MAX_OPERATION {
            return Err(Refusal::TooLong);
        }
        let waiting = self.update_and_wait(|inner| {
            let place = inner.state.accept_write(client, sequence, operation);
            place.map(|place| place.map(|order| inner.waiting.add_write(order)))
        });
        match waiting {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(done))) => done.recv().map_err(|_| self.not_primary()),
            Ok(Err(_)) | Err(_) => Err(self.not_primary()),
        }
    }

    /// Serves a client's question: returns the value when a majority has confirmed that this still
    /// is the primary.
    fn serve_read(self: &Arc<Self>, key: String) -> Result<Option<String>, Refusal> {
        let waiting = self.update_and_wait(|inner| {
            let round = inner.state.accept_read();
            round.map(|round| inner.waiting.add_read(round, key))
        });
        match waiting {
            Ok(Ok(value)) => value.recv().map_err(|_| self.not_primary()),
            Ok(Err(_)) | Err(_) => Err(self.not_primary()),
        }
    }

    /// Sends a client to the primary, if it is known.
    fn not_primary(&self) -> Refusal {
        Refusal::NotPrimary { known: self.inner.lock().state.primary() }
    }
}
