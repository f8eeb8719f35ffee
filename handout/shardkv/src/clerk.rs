//! The client.

use std::sync::Arc;

use kvraft::Op;
use labrpc::{ClientEnd, your_code_here};
use shardctrler::Clerk as CtrlClerk;

use crate::MakeEnd;

/// A client of the service. Its calls return when they have succeeded. It makes one call at a time.
pub struct Clerk {
    /// How it learns the latest configuration.
    controller: CtrlClerk,
    /// `(self.make_end)("server-100-0")` is an end to the server of that name.
    make_end: MakeEnd,
    // 4B: what tells this client's requests from all others, and what it knows of the groups.
}

impl Clerk {
    /// A client that reaches the controller through `ctrler_ends`, and makes an end to a server of
    /// a group from its name, which is in the configurations.
    pub fn new(
        ctrler_ends: Vec<ClientEnd>,
        make_end: impl Fn(&str) -> ClientEnd + Send + Sync + 'static,
    ) -> Self {
        Clerk { controller: CtrlClerk::new(ctrler_ends), make_end: Arc::new(make_end) }
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

    /// 4B. Has an operation executed once, by the group that serves its key. Which group that is
    /// may change at any time, also while the request is under way.
    fn request(&mut self, operation: Op) -> String {
        your_code_here("Clerk::request", (&mut self.controller, &self.make_end, operation))
    }
}
