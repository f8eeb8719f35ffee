//! Ends that a server makes for itself, to servers that are not of its cluster.

use std::sync::{Arc, Mutex, MutexGuard};

use labrpc::ClientEnd;

use crate::poison::unpoisoned;
use crate::sim::Sim;

/// Makes ends for one incarnation of a server. Clones make ends for the same.
///
/// Unlike those to its peers, they stay open when the incarnation is taken down, as in the course:
/// a zombie that does not stop does harm through them. A call on one of them later than
/// [`SILENCE_AFTER`](crate::SILENCE_AFTER) fails the run.
#[derive(Clone)]
pub struct OutsideEnds {
    sim: Sim,
    server: String,
    incarnation: u64,
    /// Never locked across a call of the runtime.
    made: Arc<Mutex<Made>>,
}

#[derive(Default)]
struct Made {
    /// How many ends were begun.
    count: usize,
    /// The ends that are connected.
    names: Vec<String>,
    /// Whether the incarnation should have stopped long ago.
    is_trapped: bool,
}

impl OutsideEnds {
    /// Nothing is made yet.
    pub(super) fn new(sim: &Sim, server: &str, incarnation: u64) -> Self {
        Self { sim: sim.clone(), server: server.to_string(), incarnation, made: Arc::default() }
    }

    /// Makes an open end to a server of any cluster.
    pub fn make(&self, to: &str) -> ClientEnd {
        let number = {
            let mut made = self.made();
            made.count += 1;
            made.count
        };
        let name = format!("{}.{}>{to} #{number}", self.server, self.incarnation);
        let network = self.sim.network();
        let end = network.make_end_of(&self.server, &name);
        network.connect(&name, to);
        network.enable(&name);
        let is_trapped = {
            let mut made = self.made();
            made.names.push(name.clone());
            made.is_trapped
        };
        if is_trapped {
            self.sim.trap_calls(&self.server, &[name]);
        }
        end
    }

    /// From now on, a call on any of the ends fails the run.
    pub(super) fn trap_calls(&self) {
        let names = {
            let mut made = self.made();
            made.is_trapped = true;
            made.names.clone()
        };
        if !names.is_empty() {
            self.sim.trap_calls(&self.server, &names);
        }
    }

    /// Locks what was made.
    fn made(&self) -> MutexGuard<'_, Made> {
        unpoisoned(self.made.lock())
    }
}

impl std::fmt::Debug for OutsideEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutsideEnds({}.{})", self.server, self.incarnation)
    }
}
