//! Which servers of a cluster can reach each other, and since when a server is isolated.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use labrpc::Instant;

use crate::poison::unpoisoned;

/// The links of a cluster, as all its tasks see them.
#[derive(Debug)]
pub(super) struct SharedLinks(Arc<Mutex<Links>>);

/// What the harness knows of one server's links. It can be asked from any task.
#[derive(Clone, Debug)]
pub struct Reach {
    links: Arc<Mutex<Links>>,
    server: usize,
}

impl Reach {
    /// Since when no other server can reach this one, nor the other way round; `None` if one can.
    pub fn isolated_since(&self) -> Option<Instant> {
        lock(&self.links).isolated_since[self.server]
    }
}

impl SharedLinks {
    /// All servers are disconnected.
    pub(super) fn new(servers: usize) -> Self {
        Self(Arc::new(Mutex::new(Links::new(servers))))
    }

    /// Changes the links, now.
    pub(super) fn update(&self, change: impl FnOnce(&mut Links)) {
        let now = Instant::now();
        let mut links = lock(&self.0);
        change(&mut links);
        links.note_isolation(now);
    }

    /// Whether a server is connected.
    pub(super) fn is_connected(&self, server: usize) -> bool {
        lock(&self.0).connected[server]
    }

    /// What is known of one server's links.
    pub(super) fn reach(&self, server: usize) -> Reach {
        Reach { links: Arc::clone(&self.0), server }
    }
}

/// Locks the links; never held across a call of the runtime.
fn lock(links: &Mutex<Links>) -> MutexGuard<'_, Links> {
    unpoisoned(links.lock())
}

/// The harness's own record of its faults.
#[derive(Debug)]
pub(super) struct Links {
    connected: Vec<bool>,
    /// One-way links that are cut.
    cuts: BTreeSet<(usize, usize)>,
    isolated_since: Vec<Option<Instant>>,
}

impl Links {
    /// All servers are disconnected.
    fn new(servers: usize) -> Self {
        Self {
            connected: vec![false; servers],
            cuts: BTreeSet::new(),
            isolated_since: vec![Some(Instant::default()); servers],
        }
    }

    /// A server is connected from now on.
    pub(super) fn connect(&mut self, server: usize) {
        self.connected[server] = true;
    }

    /// A server is disconnected from now on.
    pub(super) fn disconnect(&mut self, server: usize) {
        self.connected[server] = false;
    }

    /// A one-way link is cut from now on.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.cuts.insert((from, to));
    }

    /// A one-way link is whole from now on.
    pub(super) fn mend(&mut self, from: usize, to: usize) {
        self.cuts.remove(&(from, to));
    }

    /// Notes which servers are isolated now.
    fn note_isolation(&mut self, now: Instant) {
        for server in 0..self.connected.len() {
            let isolated = self.is_isolated(server);
            let since = &mut self.isolated_since[server];
            *since = if isolated { Some(since.unwrap_or(now)) } else { None };
        }
    }

    /// Whether no link between a server and another is open. One direction is enough for contact:
    /// replies travel back.
    fn is_isolated(&self, server: usize) -> bool {
        let open = |from: usize, to: usize| !self.cuts.contains(&(from, to));
        let mut others = (0..self.connected.len()).filter(|&other| other != server);
        !self.connected[server]
            || !others.any(|o| self.connected[o] && (open(server, o) || open(o, server)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instant after `seconds`.
    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_server_without_an_open_link_in_either_direction_is_isolated() {
        let mut links = Links::new(3);
        let since = |links: &mut Links, now: Instant| {
            links.note_isolation(now);
            [0, 1, 2].map(|server| links.isolated_since[server])
        };
        links.connect(0);
        assert_eq!(since(&mut links, at(1))[0], Some(at(0)), "the others are disconnected");
        links.connect(1);
        links.connect(2);
        assert_eq!(since(&mut links, at(2)), [None; 3]);
        links.disconnect(0);
        assert_eq!(since(&mut links, at(3)), [Some(at(3)), None, None]);
        links.disconnect(1);
        assert_eq!(since(&mut links, at(4)), [Some(at(3)), Some(at(4)), Some(at(4))]);
        links.connect(1);
        links.cut(1, 2);
        assert_eq!(since(&mut links, at(5))[1], None, "2 still calls 1");
        links.cut(2, 1);
        assert_eq!(since(&mut links, at(6))[1], Some(at(6)));
        links.mend(1, 2);
        assert_eq!(since(&mut links, at(7))[1], None);
    }
}
