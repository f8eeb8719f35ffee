//! How clients, which are not servers, reach servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use labrpc::{ClientEnd, Network, rng};
use rand::RngExt as _;

use crate::sim::Sim;

/// A client of some servers. It reaches all of them until it is told otherwise, whatever partitions
/// there are between servers, and also after they restart. Clones are the same client.
#[derive(Clone, Debug)]
pub struct Client {
    network: Network,
    name: String,
    servers: Vec<String>,
    /// The number of ends that were made.
    ends: Arc<AtomicU64>,
}

impl Client {
    /// A new client of these servers, with a name of its own.
    pub fn new(sim: &Sim, servers: &[&str]) -> Self {
        Self {
            network: sim.network().clone(),
            name: sim.name_client(),
            servers: servers.iter().map(ToString::to_string).collect(),
            ends: Arc::default(),
        }
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
        let end = self.network.make_end_of(&self.name, &name);
        self.network.connect(&name, server);
        self.network.enable(&name);
        end
    }

    /// Lets the client reach these of its servers, and no others.
    pub fn reach_only(&self, servers: &[usize]) {
        for (number, server) in self.servers.iter().enumerate() {
            if servers.contains(&number) {
                self.network.mend(&self.name, server);
            } else {
                self.network.cut(&self.name, server);
            }
        }
    }

    /// Lets the client reach all of its servers.
    pub fn reach_all(&self) {
        self.servers.iter().for_each(|server| self.network.mend(&self.name, server));
    }
}
