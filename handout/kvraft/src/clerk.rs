//! The client (3A).

use labrpc::{ClientEnd, your_code_here};

use crate::{LeaderFinder, Op};

/// A client of the service. Its calls return when they have succeeded. It makes one call at a time:
/// that is what `&mut self` means here.
#[derive(Debug)]
pub struct Clerk {
    servers: LeaderFinder,
    // 3A: what tells this client's requests from all others. `labrpc::rng()` gives random numbers,
    // with `rand::Rng` for `next_u64`.
}

impl Clerk {
    /// A client of the servers that these ends reach. They come in any order.
    pub fn new(servers: Vec<ClientEnd>) -> Self {
        Clerk { servers: LeaderFinder::new(servers) }
    }

    /// The value of a key, "" if it has none.
    pub fn get(&mut self, key: &str) -> String {
        self.request(Op::Get { key: key.into() })
    }

    /// Gives a key a new value.
    pub fn put(&mut self, key: &str, value: &str) {
        self.request(Op::Put { key: key.into(), value: value.into() });
    }

    /// Adds text at the end of a key's value.
    pub fn append(&mut self, key: &str, value: &str) {
        self.request(Op::Append { key: key.into(), value: value.into() });
    }

    /// 3A. Makes a `Request` of the operation, and calls "Kv.Execute" until a server has executed
    /// it.
    fn request(&mut self, operation: Op) -> String {
        your_code_here("Clerk::request", (&mut self.servers, operation))
    }
}
