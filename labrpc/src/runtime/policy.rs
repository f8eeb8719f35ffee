//! Which task runs next: the strategies that explore schedules.
//!
//! A policy decides two things: which of the ready tasks runs, and whether a task is interrupted at
//! a synchronization operation. Both use integer arithmetic only, so that a seed means the same
//! schedule on every machine.

use std::collections::VecDeque;

pub use contract::settings::Policy;
use rand::Rng as _;
use rand_pcg::Pcg64;

/// What happens to a task at a synchronization operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Any ready task may run before it goes on.
    Yield,
    /// It gets this priority, the lowest of all, and so waits for all others.
    Demote(u32),
    /// It stands still for this number of nanoseconds.
    Stall(u64),
}

/// Operations between two interruptions, on average, for [`Policy::Walk`].
const WALK_MEAN: u32 = 5;
/// The same between two changes of priority for [`Policy::Pct`].
const PCT_MEAN: u32 = 10;
/// The same between two stalls for [`Policy::Stall`].
pub(crate) const STALL_MEAN: u32 = 100;
/// A stall lasts `1 us << k`, doubled at most by jitter, for k below this: at most 131 ms.
pub(crate) const STALL_STEPS: u32 = 17;

/// A policy at work: its random numbers and its countdown to the next interruption.
pub(crate) struct Scheduler {
    policy: Policy,
    rng: Pcg64,
    /// Operations left until the next interruption.
    countdown: u32,
    /// Descends with every drop of priority under [`Policy::Pct`], below all random priorities.
    lowest: u32,
}

impl Scheduler {
    /// A scheduler that draws from `rng`.
    pub(crate) fn new(policy: Policy, rng: Pcg64) -> Self {
        let mut scheduler = Self { policy, rng, countdown: 0, lowest: u32::MAX / 2 };
        scheduler.restart_countdown();
        scheduler
    }

    /// The priority of a new task.
    pub(crate) fn new_priority(&mut self) -> u32 {
        match self.policy {
            Policy::Pct => u32::MAX / 2 + (self.rng.next_u32() >> 1),
            _ => 0,
        }
    }

    /// Takes the task that runs next out of `ready`, which holds slots; `priority` is only asked
    /// under [`Policy::Pct`].
    pub(crate) fn pick(
        &mut self,
        ready: &mut VecDeque<u32>,
        priority: impl Fn(u32) -> u32,
    ) -> Option<u32> {
        match (self.policy, ready.len()) {
            (_, 0 | 1) | (Policy::Fifo, _) => ready.pop_front(),
            (Policy::Pct, _) => {
                let highest =
                    (0..ready.len()).max_by_key(|&i| (priority(ready[i]), usize::MAX - i))?;
                ready.remove(highest)
            }
            (Policy::Random | Policy::Walk | Policy::Stall, n) => {
                let chosen = self.below(n as u32) as usize;
                ready.swap_remove_back(chosen)
            }
        }
    }

    /// Called before every synchronization operation; counts down to the next interruption. Tasks
    /// of the test itself (`on_server` is false) are never stalled.
    pub(crate) fn before_operation(&mut self, on_server: bool) -> Option<Interruption> {
        self.countdown -= 1;
        if self.countdown > 0 {
            return None;
        }
        self.restart_countdown();
        match self.policy {
            Policy::Fifo | Policy::Random => None,
            Policy::Walk => Some(Interruption::Yield),
            Policy::Pct => Some(Interruption::Demote(self.lowest_priority())),
            Policy::Stall if on_server => Some(Interruption::Stall(self.stall())),
            Policy::Stall => None,
        }
    }

    /// A priority below all that were handed out so far.
    pub(crate) fn lowest_priority(&mut self) -> u32 {
        self.lowest -= 1;
        self.lowest
    }

    /// How long a stall lasts, in nanoseconds: short ones as likely as long ones.
    fn stall(&mut self) -> u64 {
        let base = 1_000_u64 << self.below(STALL_STEPS);
        base + u64::from(self.below(base as u32))
    }

    /// Draws the number of operations until the next interruption.
    fn restart_countdown(&mut self) {
        let mean = match self.policy {
            Policy::Fifo | Policy::Random => u32::MAX / 2,
            Policy::Walk => WALK_MEAN,
            Policy::Pct => PCT_MEAN,
            Policy::Stall => STALL_MEAN,
        };
        // Uniform with the right mean: a geometric draw would need a logarithm, whose last bits
        // differ between platforms.
        self.countdown = 1 + self.below(2 * mean - 1);
    }

    /// A number below `bound`; its bias is far below anything that a test could notice.
    fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(bound)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scheduler of `policy` under a fixed seed.
    fn scheduler(policy: Policy) -> Scheduler {
        Scheduler::new(policy, Pcg64::new(1, 2))
    }

    #[test]
    fn names_parse_back_and_others_are_refused() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        let error = "lifo".parse::<Policy>().unwrap_err();
        assert_eq!(error, "'lifo' is not a policy; there are fifo, random, walk, pct, stall");
    }

    #[test]
    fn fifo_keeps_the_order_and_random_reaches_everyone() {
        let mut ready: VecDeque<u32> = (0..4).collect();
        let mut fifo = scheduler(Policy::Fifo);
        let order: Vec<u32> = std::iter::from_fn(|| fifo.pick(&mut ready, |_| 0)).collect();
        assert_eq!(order, [0, 1, 2, 3]);

        let mut random = scheduler(Policy::Random);
        let mut seen = [0; 4];
        for _ in 0..4_000 {
            let first = random.pick(&mut (0..4).collect(), |_| 0).unwrap();
            seen[first as usize] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }

    #[test]
    fn pct_runs_the_highest_priority_and_lowers_it_below_all_others() {
        let mut pct = scheduler(Policy::Pct);
        let priorities: Vec<u32> = (0..3).map(|_| pct.new_priority()).collect();
        let highest = (0..3).max_by_key(|&i| priorities[i]).unwrap();
        let picked = pct.pick(&mut (0..3).collect(), |slot| priorities[slot as usize]);
        assert_eq!(picked, Some(highest as u32));
        let demoted = std::iter::from_fn(|| Some(pct.before_operation(true))).flatten().next();
        let Some(Interruption::Demote(lowest)) = demoted else { panic!("{demoted:?}") };
        assert!(priorities.iter().all(|&priority| lowest < priority));
    }

    #[test]
    fn stalls_spare_the_test_and_stay_below_their_bound() {
        let mut stall = scheduler(Policy::Stall);
        let mut longest = 0;
        let mut count = 0;
        for _ in 0..1_000_000 {
            assert_eq!(stall.before_operation(false), None);
            if let Some(Interruption::Stall(nanos)) = stall.before_operation(true) {
                longest = longest.max(nanos);
                count += 1;
            }
        }
        // Two operations a round, a hundred for each interruption, half of them on servers.
        assert!((9_000..11_000).contains(&count), "{count}");
        assert!((100_000_000..131_072_000).contains(&longest), "{longest}");
    }
}
