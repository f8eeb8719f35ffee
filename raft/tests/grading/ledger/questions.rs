//! Questions that tests ask.

use std::time::Duration;

use labrpc::Instant;

use super::Ledger;
use crate::command::Command;

impl Ledger {
    /// How many servers have applied `index` in their current life.
    pub fn n_committed(&self, index: u64) -> usize {
        self.servers.iter().filter(|log| log.applied >= index).count()
    }

    /// What was applied at `index`, by any server at any time.
    pub fn chosen(&self, index: u64) -> Option<&Command> {
        let position = usize::try_from(index.checked_sub(1)?).ok()?;
        self.chosen.get(position).map(|chosen| &chosen.command)
    }

    /// The highest index that was applied anywhere.
    pub fn max_index(&self) -> u64 {
        self.chosen.len() as u64
    }

    /// The last index that a server has applied in its current life.
    pub fn applied(&self, server: usize) -> u64 {
        self.servers[server].applied
    }

    /// The term in which a server was last seen in its current life; 0 if it was not.
    pub fn term(&self, server: usize) -> u64 {
        self.servers[server].terms.last().unwrap_or(0)
    }

    /// How long these servers were in `term` at most: from when all of them were last seen in
    /// earlier terms until any of them was first seen in a later one. `None` if they were not seen
    /// so, in their current lives.
    pub fn lasted_at_most(&self, term: u64, servers: &[usize]) -> Option<Duration> {
        let terms = || servers.iter().map(|&server| &self.servers[server].terms);
        let earlier: Option<Vec<Instant>> = terms().map(|terms| terms.below_until(term)).collect();
        let later = terms().filter_map(|terms| terms.reached_by(term + 1)).min()?;
        Some(later - earlier?.into_iter().min()?)
    }

    /// The highest term that was seen on any server in its current life.
    pub fn max_term(&self) -> u64 {
        (0..self.servers.len()).map(|server| self.term(server)).max().unwrap_or(0)
    }
}
