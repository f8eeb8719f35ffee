//! A server: the shell around [`State`] that locks, waits for the disk, sends and waits.

use std::fmt;
use std::sync::Arc;

use labrpc::{Disk, Instant, Mutex, Service, rng, sleep, spawn};
use rand::Rng as _;

use crate::given::clerk::{Refusal, WriteArgs};
use crate::given::config::Config;
use crate::given::peers::{Letter, Peers};
use crate::given::shell::{Guarded, Shell};
use crate::given::status::{Status, Unheard};
use crate::given::storage::{Identity, Storage, StorageError};
use crate::given::table::Value;
use crate::given::version::{Order, Version};
use crate::given::waiting::Waiting;
use crate::given::writes::Writes;
use crate::pieces::Pieces;
use crate::replication::Message;
use crate::rpc::{CheckArgs, CopyArgs, PieceArgs, PieceReply, PingArgs, PromiseArgs};
use crate::state::State;
use crate::timing::{CANDIDACY, PING_INTERVAL};

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
        let peers = Arc::new(Peers::new(address, peers));
        let servers = peers.servers();
        let identity = Identity { address, servers: servers.clone(), is_new };
        let (storage, found) = Storage::open(disk, &identity)?;
        if found.forgot_promise && servers.len() > 1 {
            sleep(CANDIDACY); // By then no candidate counts a promise that it has forgotten.
        }
        let (number, now) = (rng().next_u64(), Instant::now());
        let state = State::new(address, servers, snapshot_every, found, number, now);
        let shell = Shell::start(Inner { state, waiting: Waiting::default() }, address, storage);
        let server = Arc::new(Server { peers, shell, pieces: Mutex::default() });
        let watcher = Arc::clone(&server);
        spawn(move || watcher.watch());
        Ok(PbServer(server))
    }

    /// What it says of itself.
    pub fn status(&self) -> Status {
        self.0.shell.look(|inner| inner.state.status())
    }

    /// Why the server has stopped its service, if its disk has failed.
    pub fn failure(&self) -> Option<String> {
        self.0.shell.failure()
    }

    /// Stops all tasks of this server soon. Requests that wait are not answered any more.
    pub fn kill(&self) {
        self.0.shell.kill();
    }

    /// As [`PbServer::kill`], and returns when nothing is written to the disk any more.
    pub fn stop(&self) {
        self.0.shell.stop();
    }

    /// The RPC handlers, for clients and for the other servers.
    pub fn service(&self) -> Service {
        let server = || Arc::clone(&self.0);
        let (status, ping, check, promise) = (server(), server(), server(), server());
        let (copy, install, write, read) = (server(), server(), server(), server());
        Service::new("Pb")
            .method("Status", move |(): ()| status.shell.look(|inner| inner.state.status()))
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
            .method("Install", move |letter: Letter<PieceArgs>| {
                install.take_piece(install.peers.open(letter)?)
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
    pub(crate) peers: Arc<Peers>,
    pub(crate) shell: Arc<Shell<Inner>>,
    /// What has come of a snapshot from the primary.
    pub(crate) pieces: Mutex<Pieces>,
}

/// What the lock guards.
pub(crate) struct Inner {
    pub(crate) state: State,
    waiting: Waiting,
}

impl Guarded for Inner {
    fn writes(&mut self) -> &mut Writes {
        &mut self.state.writes
    }

    fn log_end(&self) -> Version {
        self.state.tail.version()
    }

    fn committed(&self) -> Order {
        self.state.committed
    }

    fn note_synced(&mut self, last: Version) {
        self.state.note_synced(last);
    }

    fn note_change(&mut self) -> bool {
        let Self { state, waiting } = self;
        if !state.is_primary() {
            waiting.clear(); // They have to ask another server.
            return true;
        }
        waiting.answer_writes(state.committed);
        if let Some(round) = state.readable_round() {
            waiting.answer_reads(round, &state.table);
        }
        true
    }

    fn note_end(&mut self) {
        self.waiting.clear();
    }
}

impl Server {
    /// The way in which everything happens: lock, decide, unlock. It fails if the server has ended.
    ///
    /// `decide` changes the state, and nothing else. What it wants on disk is written by
    /// [the shell](Shell); what backups lack is [copied](Server::copy_to_all) meanwhile, since a
    /// primary's requests promise nothing.
    pub(crate) fn update<R>(&self, decide: impl FnOnce(&mut State) -> R) -> Result<R, Unheard> {
        self.shell.update(|inner| decide(&mut inner.state))
    }

    /// As [`Server::update`], and returns when all that was decided is on disk: the result may be
    /// told to others.
    pub(crate) fn update_on_disk<R>(
        &self,
        decide: impl FnOnce(&mut State) -> R,
    ) -> Result<R, Unheard> {
        self.shell.update_on_disk(|inner| decide(&mut inner.state))
    }

    /// The task that does what is due from time to time: ping the primary, look for another one,
    /// step down.
    fn watch(self: &Arc<Self>) {
        while !self.shell.has_ended() {
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
        let waiting = self.shell.update(|inner| {
            let place = inner.state.accept_write(client, sequence, operation)?;
            Ok(place.map(|order| inner.waiting.add_write(order)))
        });
        match waiting {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(done))) => done.recv().map_err(|_| self.not_primary()),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(self.not_primary()),
        }
    }

    /// Serves a client's question: returns the value when a majority has confirmed that this still
    /// is the primary.
    fn serve_read(self: &Arc<Self>, key: String) -> Result<Option<Value>, Refusal> {
        let waiting = self.shell.update(|inner| {
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
        Refusal::NotPrimary { known: self.shell.look(|inner| inner.state.primary()) }
    }

    /// Takes a piece of a snapshot, and with the last one the snapshot.
    fn take_piece(&self, piece: PieceArgs) -> Result<PieceReply, Unheard> {
        let added = self.pieces.lock().add(piece);
        let message = match added {
            Ok(message) => message,
            Err(offset) => return Ok(PieceReply::Has(offset)),
        };
        let answer = self.update_on_disk(|state| match message {
            Message::Copy(args) => state.handle_copy(args, Instant::now()),
            Message::Install(args) => state.handle_install(args, Instant::now()),
        });
        answer.map(PieceReply::Whole)
    }
}
