//! A server: its interface, its tasks, and its RPC handlers.

use std::{fmt, sync::Arc};

use labrpc::{Disk, Service, sleep, spawn, your_code_here};

use crate::given::{
    clerk::{Refusal, WriteArgs},
    peers::{Letter, Peers},
    shell::{Guarded, Shell},
    status::Unheard,
    waiting::Waiting,
    writes::Writes,
};
use crate::rpc::{
    CheckArgs, CheckReply, CopyArgs, CopyReply, InstallArgs, InstallReply, PingArgs, PingReply,
    PromiseArgs, PromiseReply,
};
use crate::{Config, Identity, Order, Status, Storage, StorageError, Value, Version};
use crate::{state::State, timing::TICK};

/// A server. A clone is the same server: clones share all they have by means of an `Arc`.
#[derive(Clone)]
pub struct PbServer {
    server: Arc<Server>,
}

/// What the tasks of a server share. What changes is inside `shell`.
pub struct Server {
    /// Ways to the other servers: `call`, `call_within` and `ask_all`.
    pub peers: Arc<Peers>,
    /// The lock, and the task that writes to the disk.
    pub shell: Arc<Shell<Locked>>,
}

/// What is behind the lock.
pub struct Locked {
    pub state: State,
    /// Clients whose calls have not returned.
    pub waiting: Waiting,
}

/// What the shell wants to know.
impl Guarded for Locked {
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
        self.tell_clients()
    }

    fn note_end(&mut self) {
        self.waiting = Waiting::default(); // Their receivers fail.
    }
}

impl PbServer {
    /// Starts a server with what its disk holds, and returns soon.
    ///
    /// # Errors
    /// If the disk cannot be used.
    pub fn start(config: Config, disk: Disk) -> Result<PbServer, StorageError> {
        let (me, is_new) = (config.address, config.is_new);
        let peers = Peers::new(me, config.peers);
        let this = Identity { is_new, address: me, servers: peers.servers() };
        let (files, on_disk) = Storage::open(disk, &this)?;
        let state = State::new(this, config.snapshot_every, on_disk);
        let shell = Shell::start(Locked { waiting: Waiting::default(), state }, me, files);
        let shared = Arc::new(Server { shell, peers: Arc::new(peers) });

        // The task gets an `Arc` of its own. `move` gives it to the closure, which may live longer
        // than this function.
        let ticking = shared.clone();
        spawn(move || ticking.run());
        Ok(PbServer { server: shared })
    }

    /// What this server says about itself.
    pub fn status(&self) -> Status {
        self.server.describe()
    }

    /// Why the disk has failed, if it has.
    pub fn failure(&self) -> Option<String> {
        self.server.shell.failure()
    }

    /// Stops the server: its tasks end soon.
    pub fn kill(&self) {
        self.server.shell.kill();
    }

    /// Stops the server, and waits for its disk.
    pub fn stop(&self) {
        self.server.shell.stop();
    }

    /// The RPC handlers. Each call runs in a task of its own, so many may run at once.
    pub fn service(&self) -> Service {
        let mut service = Service::new("Pb");
        let server = self.server.clone();
        service = service.method("Status", move |(): ()| server.describe());
        let server = self.server.clone();
        service = service.method("Ping", move |letter| server.handle_ping(letter));
        let server = self.server.clone();
        service = service.method("Check", move |letter| server.handle_check(letter));
        let server = self.server.clone();
        service = service.method("Promise", move |letter| server.handle_promise(letter));
        let server = self.server.clone();
        service = service.method("Copy", move |letter| server.handle_copy(letter));
        let server = self.server.clone();
        service = service.method("Install", move |letter| server.handle_install(letter));
        let server = self.server.clone();
        service = service.method("Write", move |args| server.handle_write(args));
        let server = self.server.clone();
        service = service.method("Read", move |wanted| server.handle_read(wanted));
        service
    }
}

impl fmt::Debug for PbServer {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}", self.server.describe())
    }
}

/// The task that looks after the primary.
impl Server {
    fn run(self: &Arc<Self>) {
        loop {
            if self.shell.has_ended() {
                return;
            }
            if self.misses_primary() {
                self.look_for_primary();
            } else {
                self.ping();
            }
            sleep(TICK);
        }
    }
}

/// The handlers.
///
/// The shell has two ways to change the state: `update` and `update_on_disk`. The difference matters
/// to all that was acknowledged, so choose for each handler: could a crash take back what the reply
/// says?
impl Server {
    fn describe(&self) -> Status {
        self.shell.look(|locked| locked.state.describe())
    }

    /// PB1. Calls `State::answer_ping`.
    fn handle_ping(&self, letter: Letter<PingArgs>) -> Result<PingReply, Unheard> {
        let args = self.peers.open(letter)?; // The letter comes from one of our servers.
        your_code_here("Server::handle_ping", (self, args))
    }

    /// PB1. Calls `State::answer_check`.
    fn handle_check(&self, letter: Letter<CheckArgs>) -> Result<CheckReply, Unheard> {
        let args = self.peers.open(letter)?;
        your_code_here("Server::handle_check", (self, args))
    }

    /// PB2. Calls `State::answer_promise`.
    fn handle_promise(&self, letter: Letter<PromiseArgs>) -> Result<PromiseReply, Unheard> {
        let args = self.peers.open(letter)?;
        your_code_here("Server::handle_promise", (self, args))
    }

    /// PB1. Calls `State::store`.
    fn handle_copy(&self, letter: Letter<CopyArgs>) -> Result<CopyReply, Unheard> {
        let args = self.peers.open(letter)?;
        your_code_here("Server::handle_copy", (self, args))
    }

    /// PB3. Calls `State::install`.
    fn handle_install(&self, letter: Letter<InstallArgs>) -> Result<InstallReply, Unheard> {
        let args = self.peers.open(letter)?;
        your_code_here("Server::handle_install", (self, args))
    }

    /// PB1. A client's operation: returns when it is done. The client may have sent it before, and
    /// the first copy may still be on its way to the backups.
    ///
    /// Under the lock, put it into the log and add it to `waiting`; then wait without the lock.
    fn handle_write(&self, request: WriteArgs) -> Result<(), Refusal> {
        your_code_here("Server::handle_write", (self, request))
    }

    /// PB1. A client wants the value of a key. PB2: is this server still the primary at the moment
    /// at which it answers? See §8 of the extended Raft paper, on read-only operations.
    fn handle_read(&self, wanted: String) -> Result<Option<Value>, Refusal> {
        your_code_here("Server::handle_read", (self, wanted))
    }
}
