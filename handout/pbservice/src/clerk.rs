//! The client (PB1).

use std::net::SocketAddr;

use labrpc::{ClientEnd, your_code_here};
// In place of the clocks and random numbers of `std` and `rand`.
#[allow(unused_imports, reason = "you will need them all, but not on the first day")]
use labrpc::{rng, sleep};

/// A client. Its calls return when they have succeeded, and each takes effect once.
#[derive(Debug)]
pub struct Clerk {
    #[allow(dead_code, reason = "get, put and append will use it")]
    servers: Vec<(SocketAddr, ClientEnd)>,
    // Your fields here: how do servers tell this client from others, and its calls from each other?
}

impl Clerk {
    /// A client that reaches these servers.
    ///
    /// # Panics
    /// If `servers` is empty.
    pub fn new(servers: Vec<(SocketAddr, ClientEnd)>) -> Self {
        assert!(!servers.is_empty());
        Clerk { servers }
    }

    /// PB1. The value of `key`, or `None` if no client has written it. Calls `Pb.Read` on one server
    /// after the other, as long as it takes. A server that refuses may know the primary.
    pub fn get(&mut self, key: &str) -> Option<String> {
        your_code_here("Clerk::get", (self, key))
    }

    /// PB1. Sets the value of `key`, by `Pb.Write`. When no reply comes, the put may have happened
    /// or not.
    pub fn put(&mut self, key: &str, value: &str) {
        your_code_here("Clerk::put", (self, key, value))
    }

    /// PB1. Appends to the value of `key`, which is empty at first.
    pub fn append(&mut self, key: &str, value: &str) {
        your_code_here("Clerk::append", (self, key, value))
    }
}
