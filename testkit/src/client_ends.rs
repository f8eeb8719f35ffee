//! A client's ends to the servers of a cluster. Partitions between servers do not touch them.

use labrpc::{ClientEnd, Network, rng};
use rand::RngExt as _;

use crate::sim::Sim;

/// The switches of one client's ends, by server. The ends themselves belong to the client, in an
/// order that says nothing about the servers' numbers.
#[derive(Clone, Debug)]
pub struct ClientEnds {
    network: Network,
    /// The names of the ends; the i-th reaches the i-th server.
    names: Vec<String>,
}

impl ClientEnds {
    /// Makes an enabled end to each of these servers for the client with this name, which must be
    /// its own; returns the ends in a random order.
    pub fn new(sim: &Sim, client: &str, servers: &[&str]) -> (Self, Vec<ClientEnd>) {
        let network = sim.network().clone();
        let mut ends = Vec::new();
        let mut names = Vec::new();
        for &server in servers {
            let name = format!("{client}>{server}");
            let end = network.make_end(&name);
            network.connect(&name, server);
            network.enable(&name);
            let place = rng().random_range(0..=ends.len() as u64) as usize;
            ends.insert(place, end);
            names.push(name);
        }
        (Self { network, names }, ends)
    }

    /// Lets the client reach these servers, and no others.
    pub fn reach_only(&self, servers: &[usize]) {
        for (server, name) in self.names.iter().enumerate() {
            if servers.contains(&server) {
                self.network.enable(name);
            } else {
                self.network.disable(name);
            }
        }
    }

    /// Lets the client reach all servers.
    pub fn reach_all(&self) {
        self.names.iter().for_each(|name| self.network.enable(name));
    }
}
