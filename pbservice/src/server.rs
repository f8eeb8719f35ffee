//! A server: the shell around [`State`] that locks, waits for the disk, sends and waits.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use labrpc::{ClientEnd, Condvar, Disk, Instant, JoinHandle, Mutex, Service, rng, sleep, spawn};
use log::error;
use rand::Rng as _;

use crate::replication::Message;
use crate::rpc::{
    CheckArgs, CopyArgs, CopyReply, InstallArgs, NotServing, OutOfService, PingArgs, PingReply,
    PromiseArgs, Status, WriteArgs,
};
use crate::state::State;
use crate::storage::{Storage, StorageError};
use crate::timing::PING_INTERVAL;
use crate::waiting::Waiting;

/// How many records are written between two snapshots, unless set.
pub const SNAPSHOT_EVERY: u64 = 10_000;

/// What a server has to know when it starts. Used by the grading tests.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own address.
    pub address: SocketAddr,
    /// Ways to all servers, by address. One to itself may be among them and is not used.
    pub peers: BTreeMap<SocketAddr, ClientEnd>,
    /// A snapshot is taken after so many records.
    pub snapshot_every: u64,
}

/// A server of the key/value service. Clones are the same server. Used by the grading tests.
#[derive(Clone)]
pub struct PbServer(Arc<Server>);

impl PbServer {
    /// Starts a server that goes on from what its disk holds.
    ///
    /// # Errors
    /// If the disk cannot be read, or is another server's. A log that is corrupt is no error: the
    /// server starts, and waits for a primary to replace it.
    pub fn start(config: Config, disk: Disk) -> Result<PbServer, StorageError> {
        let Config { address, mut peers, snapshot_every } = config;
        let (storage, found) = Storage::open(disk, address)?;
        let servers = peers.keys().copied().chain([address]).collect();
        peers.remove(&address);
        let damage = rng().next_u64();
        let state = State::new(address, servers, snapshot_every, found, damage, Instant::now());
        let inner = Inner { state, waiting: Waiting::default(), end: None };
        let server = Arc::new(Server {
            peers,
            inner: Mutex::new(inner),
            has_writes: Condvar::new(),
            has_written: Condvar::new(),
        });
        let (writer, watcher) = (Arc::clone(&server), Arc::clone(&server));
        let writer = spawn(move || writer.write_all(&storage));
        spawn(move || watcher.watch(&writer));
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

    /// The RPC handlers, for clients and for the other servers.
    pub fn service(&self) -> Service {
        let server = || Arc::clone(&self.0);
        let (status, ping, check, promise) = (server(), server(), server(), server());
        let (copy, install, write, read) = (server(), server(), server(), server());
        Service::new("Pb")
            .method("Status", move |(): ()| status.inner.lock().state.status())
            .method("Ping", move |args: PingArgs| ping.handle_ping(&args))
            .method("Check", move |args: CheckArgs| {
                check.update(|state| state.handle_check(&args, Instant::now()))
            })
            .method("Promise", move |args: PromiseArgs| {
                promise.update_on_disk(|state| state.handle_promise(&args, Instant::now()))
            })
            .method("Copy", move |args: CopyArgs| {
                copy.update_on_disk(|state| state.handle_copy(args, Instant::now()))
            })
            .method("Install", move |args: InstallArgs| {
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
    /// Ways to the other servers.
    pub(crate) peers: BTreeMap<SocketAddr, ClientEnd>,
    pub(crate) inner: Mutex<Inner>,
    /// Notified when there is something to write, or the server has ended.
    pub(crate) has_writes: Condvar,
    /// Notified when something was written, or the server has ended.
    pub(crate) has_written: Condvar,
}

/// What the lock guards.
pub(crate) struct Inner {
    pub(crate) state: State,
    waiting: Waiting,
    /// Why the server does nothing any more.
    pub(crate) end: Option<End>,
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
    /// The way in which everything happens: lock, decide, unlock, send. It fails if the server has
    /// ended.
    ///
    /// `decide` changes the state, and nothing else. What it wants on disk is written by the
    /// [writer](Server::write_all); a primary's requests may be on their way meanwhile, since they
    /// promise nothing.
    pub(crate) fn update<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut State) -> R,
    ) -> Result<R, OutOfService> {
        self.update_and_wait(|inner| decide(&mut inner.state))
    }

    /// As [`Server::update`], for a decision that concerns those who wait too.
    fn update_and_wait<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut Inner) -> R,
    ) -> Result<R, OutOfService> {
        let mut inner = self.inner.lock();
        if inner.end.is_some() {
            return Err(OutOfService);
        }
        let result = decide(&mut inner);
        let Inner { state, waiting, .. } = &mut *inner;
        waiting.answer(state);
        let messages = state.take_messages(Instant::now());
        if !state.writes.is_empty() {
            self.has_writes.notify_one();
        }
        drop(inner);
        for (backup, message) in messages {
            let server = Arc::clone(self);
            spawn(move || server.send(backup, message));
        }
        Ok(result)
    }

    /// As [`Server::update`], and returns when all that was decided is on disk: the result may be
    /// told to others.
    pub(crate) fn update_on_disk<R>(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut State) -> R,
    ) -> Result<R, OutOfService> {
        let (result, ticket) = self.update(|state| {
            let result = decide(state);
            (result, state.writes.last_ticket())
        })?;
        let inner = self.inner.lock();
        let is_waiting =
            |inner: &mut Inner| inner.end.is_none() && !inner.state.writes.is_finished(ticket);
        let inner = self.has_written.wait_while(inner, is_waiting);
        if inner.end.is_some() { Err(OutOfService) } else { Ok(result) }
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
    }

    /// Whether the server has ended.
    fn has_ended(&self) -> bool {
        self.inner.lock().end.is_some()
    }

    /// The task that does what is due from time to time: ping the primary, look for another one,
    /// step down, send again. It ends the server if the task that writes has ended, which a panic
    /// does: what waits for the disk would wait for ever, and a primary would never commit
    /// anything.
    fn watch(self: &Arc<Self>, writer: &JoinHandle<()>) {
        while !self.has_ended() {
            if writer.is_finished() {
                return self.end(End::DiskFailed("the task that writes to it has ended".into()));
            }
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
            let Some(end) = server.peers.get(&primary) else { return };
            let sent = Instant::now();
            if let Ok(Ok(reply)) = end.call::<_, Result<PingReply, OutOfService>>("Pb.Ping", &args)
            {
                server
                    .update(|state| {
                        state.handle_ping_reply(primary, sent, &reply, Instant::now());
                    })
                    .ok(); // Whoever has ended needs no answers.
            }
        });
    }

    /// Answers a ping.
    fn handle_ping(self: &Arc<Self>, args: &PingArgs) -> Result<PingReply, OutOfService> {
        self.update(|state| state.handle_ping(args, Instant::now()))
    }

    /// Sends a request to a backup, waits for the reply, and acts on it.
    fn send(self: &Arc<Self>, backup: SocketAddr, message: Message) {
        let Some(end) = self.peers.get(&backup) else { return };
        type Answer = Result<CopyReply, OutOfService>;
        let (sent, answer) = match &message {
            Message::Copy(args, sent) => (*sent, end.call::<_, Answer>("Pb.Copy", args)),
            Message::Install(args, sent) => (*sent, end.call::<_, Answer>("Pb.Install", &**args)),
        };
        let reply = answer.ok().and_then(Result::ok);
        let now = Instant::now();
        self.update(|state| state.handle_copy_reply(backup, sent, reply, now)).ok(); // As above.
    }

    /// Serves a client's operation: returns when it is done.
    fn serve_write(self: &Arc<Self>, args: WriteArgs) -> Result<(), NotServing> {
        let WriteArgs { client, sequence, operation } = args;
        let waiting = self.update_and_wait(|inner| {
            let place = inner.state.accept_write(client, sequence, operation);
            place.map(|place| place.map(|order| inner.waiting.add_write(order)))
        });
        match waiting {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(done))) => done.recv().map_err(|_| self.not_serving()),
            Ok(Err(_)) | Err(_) => Err(self.not_serving()),
        }
    }

    /// Serves a client's question: returns the value when a majority has confirmed that this still
    /// is the primary.
    fn serve_read(self: &Arc<Self>, key: String) -> Result<Option<String>, NotServing> {
        let waiting = self.update_and_wait(|inner| {
            let round = inner.state.accept_read();
            round.map(|round| inner.waiting.add_read(round, key))
        });
        match waiting {
            Ok(Ok(value)) => value.recv().map_err(|_| self.not_serving()),
            Ok(Err(_)) | Err(_) => Err(self.not_serving()),
        }
    }

    /// Sends a client to the primary, if it is known.
    fn not_serving(&self) -> NotServing {
        NotServing { primary: self.inner.lock().state.primary() }
    }
}
