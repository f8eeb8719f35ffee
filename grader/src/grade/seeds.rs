//! Which seeds a test runs with.

use contract::settings::Policy;
use judge::catalog::Entry;
use sha2::{Digest as _, Sha256};

/// The plan of a grading: equal for all submissions, late ones included.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What the seeds derive from. A student who knows it can try the graded runs in advance.
    pub(crate) secret: String,
    /// The number of seeds of each simulated test; `None` for the catalog's.
    pub(crate) seeds: Option<u32>,
    /// Runs only tests whose name contains one of these; all if empty.
    pub(crate) only: Vec<String>,
}

/// The policy of graded runs: it explores more schedules per seed than the others.
pub(crate) const POLICY: Policy = Policy::Stall;

impl Plan {
    /// Whether a test is graded.
    pub(crate) fn includes(&self, test: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|pattern| test.contains(&**pattern))
    }

    /// The seeds of a test. A test with processes runs once if the number of seeds is given.
    pub(crate) fn seeds(&self, entry: &Entry<'_>) -> Vec<u64> {
        let count = match self.seeds {
            Some(_) if entry.is_real() => 1,
            Some(count) => count,
            None => entry.seeds(),
        };
        let mut seeds = Vec::new();
        for number in 0.. {
            if seeds.len() == count as usize {
                break;
            }
            let seed = self.seed(&entry.lab.name, &entry.test.name, number);
            if !seeds.contains(&seed) {
                seeds.push(seed);
            }
        }
        seeds
    }

    /// A seed that looks random: at most nine digits, so that it can be typed.
    fn seed(&self, lab: &str, test: &str, number: u32) -> u64 {
        let text = format!("{}\0{lab}\0{test}\0{number}", self.secret);
        let digest = Sha256::digest(text.as_bytes());
        let digits = digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        digits % 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_depend_on_secret_and_test() {
        let plan = |secret: &str| Plan { secret: secret.into(), seeds: None, only: Vec::new() };
        let seed = plan("spring").seed("raft", "basic_agree_2b", 0);
        assert_eq!(seed, plan("spring").seed("raft", "basic_agree_2b", 0));
        assert_ne!(seed, plan("autumn").seed("raft", "basic_agree_2b", 0));
        assert_ne!(seed, plan("spring").seed("raft", "basic_agree_2b", 1));
        assert_ne!(seed, plan("spring").seed("raft", "backup_2b", 0));
    }
}
