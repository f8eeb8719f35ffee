//! Ways to the other servers. All must have been started with the same list of servers: two that
//! mean different majorities would each acknowledge what the other one does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{ClientEnd, Instant, Mutex, Receiver, RpcError, Sender, spawn};
use log::error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::given::status::Unheard;

/// A message from one server to another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter<A> {
    /// The server that writes.
    from: SocketAddr,
    /// The checksum of the writer's list of servers.
    list: u32,
    /// What it says.
    args: A,
}

/// The other servers.
pub(crate) struct Peers {
    me: SocketAddr,
    ends: BTreeMap<SocketAddr, ClientEnd>,
    /// The checksum of the list of all servers.
    list: u32,
    /// Servers that were found to have another list.
    strangers: Mutex<BTreeSet<SocketAddr>>,
}

impl Peers {
    /// Ways from `me` to these servers. One to itself may be among them and is not used.
    pub(crate) fn new(me: SocketAddr, mut ends: BTreeMap<SocketAddr, ClientEnd>) -> Self {
        ends.remove(&me);
        let mut peers = Self { me, ends, list: 0, strangers: Mutex::default() };
        let text: Vec<String> = peers.servers().iter().map(SocketAddr::to_string).collect();
        peers.list = crc32fast::hash(text.join(",").as_bytes());
        peers
    }

    /// The addresses of all servers, this one included.
    pub(crate) fn servers(&self) -> BTreeSet<SocketAddr> {
        self.ends.keys().copied().chain([self.me]).collect()
    }

    /// The addresses of all other servers.
    pub(crate) fn others(&self) -> impl Iterator<Item = SocketAddr> {
        self.ends.keys().copied()
    }

    /// Calls another server; `None` if no answer comes.
    pub(crate) fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        server: SocketAddr,
        method: &str,
        args: A,
    ) -> Option<R> {
        self.exchange(server, args, |end, letter| end.call(method, letter))
    }

    /// Calls another server; `None` if no answer comes within `limit`.
    pub(crate) fn call_within<A: Serialize, R: DeserializeOwned>(
        &self,
        limit: Duration,
        server: SocketAddr,
        method: &str,
        args: A,
    ) -> Option<R> {
        self.exchange(server, args, |end, letter| end.call_within(limit, method, letter))
    }

    /// Calls all other servers at once. Their answers come through `sender`, each with its address.
    pub(crate) fn ask_all<A, R>(
        self: &Arc<Self>,
        method: &'static str,
        args: &A,
        sender: &Sender<(SocketAddr, R)>,
    ) where
        A: Serialize + Clone + Send + 'static,
        R: DeserializeOwned + Send + 'static,
    {
        for address in self.others() {
            let (peers, args, sender) = (Arc::clone(self), args.clone(), sender.clone());
            spawn(move || {
                if let Some(answer) = peers.call(address, method, args) {
                    sender.send((address, answer)).ok(); // Fails if no task waits any more.
                }
            });
        }
    }

    /// Sends a message in the way of `call`.
    fn exchange<A, R>(
        &self,
        server: SocketAddr,
        args: A,
        call: impl FnOnce(&ClientEnd, &Letter<A>) -> Result<Result<R, Unheard>, RpcError>,
    ) -> Option<R> {
        let letter = Letter { from: self.me, list: self.list, args };
        match call(self.ends.get(&server)?, &letter).ok()? {
            Ok(reply) => Some(reply),
            Err(Unheard::OutOfService) => None,
            Err(Unheard::OtherServers) => {
                self.note_stranger(server, "is ignored by");
                None
            }
        }
    }

    /// What another server says.
    ///
    /// # Errors
    /// If it has another list of servers.
    pub(crate) fn open<A>(&self, letter: Letter<A>) -> Result<A, Unheard> {
        let Letter { from, list, args } = letter;
        if list == self.list {
            return Ok(args);
        }
        self.note_stranger(from, "ignores");
        Err(Unheard::OtherServers)
    }

    /// Says once of a server that it has another list of servers.
    fn note_stranger(&self, stranger: SocketAddr, relation: &str) {
        if self.strangers.lock().insert(stranger) {
            let me = self.me;
            error!(target: "PEER", "{me} {relation} {stranger}, which has another list of servers");
        }
    }
}

/// Hands on what comes until the deadline, or until `take` wants no more, or all who could send
/// something have ended.
pub(crate) fn take_until<T>(
    receiver: &Receiver<T>,
    deadline: Instant,
    mut take: impl FnMut(T) -> bool,
) {
    while let Ok(received) = receiver.recv_timeout(deadline - Instant::now()) {
        if !take(received) {
            return;
        }
    }
}
