//! What is left of the [`Limits`] while a check runs.

use std::time::{Duration, Instant};

use crate::memory::{Memory, OutOfMemory};
use crate::search::{Decision, Search};
use crate::{Limit, Limits, Model, Operation};

/// How much is visited between two looks at the clock, if there is a time limit.
const CLOCK_INTERVAL: u64 = 4096;

/// What may still be spent.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Configurations that may still be visited.
    pub configurations: u64,
    /// The account of all searches.
    memory: Memory,
    /// Where the clock stops us.
    deadline: Option<Deadline>,
}

/// A search together with the memory it holds.
pub(crate) struct Accounted<'h, M: Model> {
    /// The search.
    pub search: Search<'h, M>,
    /// Its share of the account.
    held: usize,
}

impl Budget {
    /// Starts to count, and starts the clock if there is a time limit.
    pub fn new(limits: &Limits) -> Self {
        Budget {
            configurations: limits.configurations,
            memory: Memory::new(limits.memory),
            deadline: limits.time.map(Deadline::after),
        }
    }

    /// A search on this account.
    pub fn open<'h, M: Model>(
        &mut self,
        model: &'h M,
        operations: &[Operation<&'h M::Input, &'h M::Output>],
        ambient: &[Operation<&'h M::Input, &'h M::Output>],
    ) -> Result<Accounted<'h, M>, Limit> {
        let before = self.memory.used();
        let search = Search::new(model, operations, ambient, &mut self.memory);
        let held = self.memory.used() - before;
        match search {
            Ok(search) => {
                self.spend(search.configurations());
                Ok(Accounted { search, held })
            }
            Err(OutOfMemory) => {
                self.memory.release(held);
                Err(Limit::Memory)
            }
        }
    }

    /// Goes on with a search for at most `turn` configurations.
    pub fn run<M: Model>(
        &mut self,
        accounted: &mut Accounted<'_, M>,
        turn: u64,
    ) -> Result<Decision, Limit> {
        let before = self.memory.used();
        let decision = self.run_search(&mut accounted.search, turn);
        accounted.held += self.memory.used() - before;
        decision
    }

    /// Ends a search, decided or not.
    pub fn close<M: Model>(&mut self, accounted: Accounted<'_, M>) {
        let Accounted { search, held } = accounted;
        drop(search);
        self.memory.release(held);
    }

    /// Accounts for visited configurations; the last step may have gone beyond the limit.
    fn spend(&mut self, configurations: u64) {
        self.configurations = self.configurations.saturating_sub(configurations);
    }

    /// Like [`Budget::run`], without accounting for the memory.
    fn run_search<M: Model>(
        &mut self,
        search: &mut Search<'_, M>,
        turn: u64,
    ) -> Result<Decision, Limit> {
        let mut left = turn;
        while left > 0 {
            if self.deadline.as_ref().is_some_and(Deadline::has_passed) {
                return Err(Limit::Time);
            }
            let slice = if self.deadline.is_some() { left.min(CLOCK_INTERVAL) } else { left };
            let before = search.configurations();
            let decision = search.run(slice.min(self.configurations), &mut self.memory);
            let visited = search.configurations() - before;
            self.spend(visited);
            match decision {
                Err(OutOfMemory) => return Err(Limit::Memory),
                Ok(Decision::Undecided) if self.configurations == 0 => {
                    return Err(Limit::Configurations);
                }
                Ok(Decision::Undecided) => left = left.saturating_sub(visited),
                Ok(decided) => return Ok(decided),
            }
        }
        Ok(Decision::Undecided)
    }
}

/// A moment of the wall clock.
#[derive(Debug)]
struct Deadline {
    /// When the clock was started.
    start: Instant,
    /// How long it may run.
    time: Duration,
}

impl Deadline {
    /// The moment that is `time` from now.
    #[expect(clippy::disallowed_methods, reason = "the caller asked for a limit of real time")]
    fn after(time: Duration) -> Self {
        Deadline { start: Instant::now(), time }
    }

    /// Whether it is over.
    fn has_passed(&self) -> bool {
        self.start.elapsed() >= self.time
    }
}
