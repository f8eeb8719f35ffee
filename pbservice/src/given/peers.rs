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

/// The version of what servers say to each other, and to clients: to be raised with each change of a
/// message.
const VERSION: u32 = 1;

/// A message from one server to another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter<A> {
    /// The version of the messages. It comes first, also in later versions.
    version: u32,
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
    /// Servers that were found to have another list, or other messages.
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
        let letter = Letter { version: VERSION, from: self.me, list: self.list, args };
        match call(self.ends.get(&server)?, &letter) {
            Ok(Ok(reply)) => return Some(reply),
            Ok(Err(Unheard::OutOfService)) => {}
            Ok(Err(Unheard::OtherServers)) => self.note_stranger(server, "is ignored by", LIST),
            Ok(Err(Unheard::OtherVersion)) | Err(RpcError::Unreadable | RpcError::NoSuchMethod) => {
                self.note_stranger(server, "is not understood by", MESSAGES);
            }
            Err(RpcError::TooLarge) => {
                error!(target: "PEER", "{}: a message to {server} is too long to be sent", self.me);
            }
            Err(_) => {}
        }
        None
    }

    /// What another server says.
    ///
    /// # Errors
    /// If it has another list of servers, or its messages are of another version.
    pub(crate) fn open<A>(&self, letter: Letter<A>) -> Result<A, Unheard> {
        let Letter { version, from, list, args } = letter;
        if version != VERSION {
            self.note_stranger(from, "ignores", MESSAGES);
            return Err(Unheard::OtherVersion);
        }
        if list != self.list {
            self.note_stranger(from, "ignores", LIST);
            return Err(Unheard::OtherServers);
        }
        Ok(args)
    }

    /// Says once of a server that it has another list of servers, or another version.
    fn note_stranger(&self, stranger: SocketAddr, relation: &str, what: &str) {
        if self.strangers.lock().insert(stranger) {
            error!(target: "PEER", "{} {relation} {stranger}, which has another {what}", self.me);
        }
    }
}

/// What differs with a server that was told of other servers.
const LIST: &str = "list of servers";
/// What differs with a server that speaks other messages.
const MESSAGES: &str = "version of the program";

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

#[cfg(test)]
mod tests {
    use labrpc::socket::{self, Address, Options};
    use labrpc::{Server, Service};

    use super::*;

    #[test]
    fn servers_of_another_version_are_told_apart() {
        // A version whose messages cannot be read, one that cannot read ours, and one that can.
        let services = [
            Service::new("Pb").method("Ping", |()| true),
            Service::new("Pb").method("Status", |()| true),
            Service::new("Pb")
                .method("Ping", |_: Letter<u8>| Err::<u8, Unheard>(Unheard::OtherVersion)),
            Service::new("Pb").method("Ping", |letter: Letter<u8>| Ok::<u8, Unheard>(letter.args)),
        ];
        let listeners = services.map(|service| {
            let any = Address::Tcp("127.0.0.1:0".into());
            socket::listen(&any, Server::new().with(service)).expect("there is a free port")
        });
        let end = |listener: &socket::Listener| {
            let Address::Tcp(text) = listener.address() else { panic!("it listens at a port") };
            let address: SocketAddr = text.parse().expect("it is an address");
            (address, socket::connect(listener.address(), Options::default()))
        };
        let ends: Vec<_> = listeners.iter().map(end).collect();
        let others: Vec<SocketAddr> = ends.iter().map(|&(address, _)| address).collect();
        let me = SocketAddr::from(([127, 0, 0, 1], 1));
        let peers = Peers::new(me, ends.into_iter().collect());
        let answers = others.iter().map(|&other| peers.call(other, "Pb.Ping", 7_u8));
        assert_eq!(answers.collect::<Vec<_>>(), [None::<u8>, None, None, Some(7)]);
        let strangers: Vec<SocketAddr> = peers.strangers.lock().iter().copied().collect();
        let mut expected = others[..3].to_vec();
        expected.sort();
        assert_eq!(strangers, expected);
    }

    #[test]
    fn letters_of_another_version_are_not_opened() {
        let me = SocketAddr::from(([127, 0, 0, 1], 1));
        let peers = Peers::new(me, BTreeMap::new());
        let letter = |version, list| Letter { version, from: me, list, args: 7 };
        assert_eq!(peers.open(letter(VERSION, peers.list)), Ok(7));
        assert_eq!(peers.open(letter(VERSION + 1, peers.list)), Err(Unheard::OtherVersion));
        assert_eq!(peers.open(letter(VERSION, peers.list + 1)), Err(Unheard::OtherServers));
    }
}
