//! How clients, which are not servers, reach servers.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use labrpc::{ClientEnd, rng};
use rand::RngExt as _;

use crate::sim::Sim;

/// A client of some servers. It reaches all of them until it is told otherwise, whatever partitions
/// there are between servers, and also after they restart. Clones are the same client.
#[derive(Clone)]
pub struct Client {
    sim: Sim,
    number: u64,
    name: String,
    servers: Vec<String>,
    /// The number of ends that were made.
    ends: Arc<AtomicU64>,
}

impl Client {
    /// A new client of these servers, with a name of its own.
    pub fn new(sim: &Sim, servers: &[&str]) -> Self {
        let number = sim.number_client();
        Self {
            sim: sim.clone(),
            number,
            name: format!("C{number}"),
            servers: servers.iter().map(ToString::to_string).collect(),
            ends: Arc::default(),
        }
    }

    /// Its number among all clients of the run, in the order in which they were made.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its name in reports, logs and pictures, which is made of its number: `C0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes an end to each server, in order.
    pub fn ends(&self) -> Vec<ClientEnd> {
        self.servers.iter().map(|server| self.end(server)).collect()
    }

    /// Makes an end to each server, in a random order, which says nothing about their numbers.
    pub fn shuffled_ends(&self) -> Vec<ClientEnd> {
        let mut shuffled = Vec::new();
        for end in self.ends() {
            let position = rng().random_range(0..=shuffled.len() as u64) as usize;
            shuffled.insert(position, end);
        }
        shuffled
    }

    /// Makes an end to a server of any cluster.
    pub fn end(&self, server: &str) -> ClientEnd {
        let number = self.ends.fetch_add(1, Relaxed);
        let name = format!("{}.{number}>{server}", self.name);
        let end = self.sim.network().make_end_of(&self.name, &name);
        self.sim.network().connect(&name, server);
        self.sim.network().enable(&name);
        end
    }

    /// Lets the client reach these of its servers, and no others.
    pub fn reach_only(&self, servers: &[usize]) {
        if (0..self.servers.len()).all(|number| servers.contains(&number)) {
            return self.reach_all();
        }
        let reached = servers.iter().map(|&number| &*self.servers[number]);
        self.sim.fault("reach", iter::once(&*self.name).chain(reached));
        for (number, server) in self.servers.iter().enumerate() {
            if servers.contains(&number) {
                self.sim.network().mend(&self.name, server);
            } else {
                self.sim.network().cut(&self.name, server);
            }
        }
    }

    /// Lets the client reach all of its servers.
    pub fn reach_all(&self) {
        self.sim.fault("reach all", [&*self.name]);
        self.servers.iter().for_each(|server| self.sim.network().mend(&self.name, server));
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.name)
    }
}
