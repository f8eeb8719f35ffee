//! The client's side: finds the primary and asks until it is served. Its messages are `Pb.Write` with
//! [`WriteArgs`] and `Pb.Read` with a key; the answers are results with a [`Refusal`].

use std::net::SocketAddr;
use std::time::Duration;

use labrpc::{ClientEnd, RpcError, rng, sleep};
use rand::Rng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::given::record::{ClientId, MAX_OPERATION, MAX_TABLE, Operation};
use crate::given::table::Value;

/// How long a client waits when no server has served it, until it asks them again.
const CLIENT_PAUSE: Duration = Duration::from_millis(50);

/// A client of the service. Its calls wait until they succeed, however long that takes, and each
/// takes effect exactly once. Used by the grading tests.
#[derive(Debug)]
pub struct Clerk {
    servers: Vec<(SocketAddr, ClientEnd)>,
    /// Which of the servers is asked first: the primary, when last heard of.
    primary: usize,
    client: ClientId,
    /// The number of the last operation.
    sequence: u64,
}

impl Clerk {
    /// A client that reaches the servers at these addresses through these ends, in any order.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(servers: Vec<(SocketAddr, ClientEnd)>) -> Self {
        assert!(!servers.is_empty(), "a client needs servers");
        // A random number, as there is nobody to hand out identities: two clerks with the same one
        // are as unlikely as 2^-64.
        Self { servers, primary: 0, client: rng().next_u64(), sequence: 0 }
    }

    /// The value of a key; `None` if it was never written.
    pub fn get(&mut self, key: &str) -> Option<String> {
        self.call::<_, Option<Value>>("Pb.Read", &key.to_string()).map(String::from)
    }

    /// Replaces the value of a key.
    ///
    /// # Panics
    /// If key and value together have more than [`MAX_OPERATION`] bytes, or the table could become
    /// larger than 56 MiB.
    pub fn put(&mut self, key: &str, value: &str) {
        self.write(Operation::Put { key: key.to_string(), value: value.to_string() });
    }

    /// Extends the value of a key.
    ///
    /// # Panics
    /// If key and value together could have more than [`MAX_OPERATION`] bytes after that, or the
    /// table could become larger than 56 MiB.
    pub fn append(&mut self, key: &str, value: &str) {
        self.write(Operation::Append { key: key.to_string(), value: value.to_string() });
    }

    /// Has an operation done, once.
    fn write(&mut self, operation: Operation) {
        let size = operation.size();
        assert!(size <= MAX_OPERATION, "{size} bytes are more than {MAX_OPERATION}");
        self.sequence += 1;
        let args = WriteArgs { client: self.client, sequence: self.sequence, operation };
        self.call("Pb.Write", &args)
    }

    /// Asks servers until one serves. A call without a reply is like one that was refused: it is
    /// sent again, unchanged, and the servers see that it is the same.
    fn call<A: Serialize, R: DeserializeOwned>(&mut self, method: &str, args: &A) -> R {
        loop {
            for _ in 0..self.servers.len() {
                let (asked, end) = &self.servers[self.primary];
                match end.call::<_, Result<R, Refusal>>(method, args) {
                    Ok(Ok(reply)) => return reply,
                    Ok(Err(Refusal::NotPrimary { known: Some(primary) })) if primary != *asked => {
                        self.turn_to(primary);
                    }
                    Ok(Err(Refusal::TooLong)) => panic!(
                        "a key and its value cannot have more than {MAX_OPERATION} bytes together"
                    ),
                    Ok(Err(Refusal::Full)) => panic!("the table is full, at {MAX_TABLE} bytes"),
                    Err(RpcError::Unreadable | RpcError::NoSuchMethod) => panic!(
                        "{asked} does not understand this client: it has another version, or is \
                         not a server of this service"
                    ),
                    Ok(Err(Refusal::Busy)) => break,
                    Ok(Err(Refusal::NotPrimary { .. })) | Err(_) => self.turn_to_next(),
                }
            }
            sleep(CLIENT_PAUSE);
        }
    }

    /// Asks this server next, if it is known.
    fn turn_to(&mut self, primary: SocketAddr) {
        match self.servers.iter().position(|&(address, _)| address == primary) {
            Some(place) => self.primary = place,
            None => self.turn_to_next(),
        }
    }

    /// Asks the next server.
    fn turn_to_next(&mut self) {
        self.primary = (self.primary + 1) % self.servers.len();
    }
}

/// A client's operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WriteArgs {
    /// Who asks.
    pub(crate) client: ClientId,
    /// The client's number for this operation.
    pub(crate) sequence: u64,
    /// What is to be done.
    pub(crate) operation: Operation,
}

/// Why a server does not serve a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// It is not the primary, or cannot know whether it still is.
    NotPrimary {
        /// The primary that it knows.
        known: Option<SocketAddr>,
    },
    /// The operation is longer than [`MAX_OPERATION`], or would make a key and its value longer.
    TooLong,
    /// The table could become larger than [`MAX_TABLE`].
    Full,
    /// It is the primary, but its disk does not keep up. It may take the operation later.
    Busy,
}
