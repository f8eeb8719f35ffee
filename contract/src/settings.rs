//! The environment variables that configure a run, and the names of the policies.

use std::fmt;
use std::process::Command;
use std::str::FromStr;

/// The seed, a number below 2^64; a new random one if unset.
pub const SEED: &str = "LAB_SEED";
/// The number of consecutive seeds to run; 1 if unset.
pub const RUNS: &str = "LAB_RUNS";
/// The name of a [`Policy`].
pub const POLICY: &str = "LAB_POLICY";
/// `sim` or `real`.
pub const RUNTIME: &str = "LAB_RUNTIME";
/// `1` prints the log.
pub const VERBOSE: &str = "VERBOSE";
/// A file to which each run appends a line of JSON, for people. A judge ignores it.
pub const REPORT: &str = "LAB_REPORT";
/// A file to which a simulated run is written as a [recording](crate::recording).
pub const RECORD: &str = "LAB_RECORD";
/// The [accidents](crate::accidents::Accidents) that may happen: ids between commas, `none`, `all`, or
/// `@FILE`. Setting it selects the keyed mode.
pub const ONLY: &str = "LAB_ONLY";
/// Set by a judge: standard input is a socket for the assignment and the record.
pub const JUDGED: &str = "LAB_JUDGED";

/// All environment variables that change what a run does.
const SETTINGS: [&str; 9] = [SEED, RUNS, POLICY, RUNTIME, VERBOSE, REPORT, RECORD, ONLY, JUDGED];

/// Environment variables that make a process print more: a backtrace takes seconds on a busy
/// machine.
const VERBOSITY: [&str; 2] = ["RUST_BACKTRACE", "RUST_LOG"];

/// Prevents `command` from inheriting settings that are meant for the current process.
pub fn forget_settings(command: &mut Command) -> &mut Command {
    SETTINGS.iter().fold(command, |command, name| command.env_remove(name))
}

/// Prevents `command` from printing more than by default.
pub fn forget_verbosity(command: &mut Command) -> &mut Command {
    VERBOSITY.iter().fold(command, |command, name| command.env_remove(name))
}

/// How the simulation chooses among the possible schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "record", serde(rename_all = "lowercase"))]
pub enum Policy {
    /// Runs the task that has been ready for the longest time, without preemption.
    Fifo,
    /// Runs a random ready task, without preemption.
    Random,
    /// As [`Policy::Random`], but sometimes runs another task before an operation.
    Walk,
    /// Random priorities; sometimes the running task drops to the lowest one (Burckhardt et al.,
    /// "A randomized scheduler with probabilistic guarantees of finding bugs", 2010).
    Pct,
    /// As [`Policy::Random`], but sometimes a server's task stops for up to 131 ms, like a thread
    /// that lost its processor. This policy finds the most races, so it is the default.
    #[default]
    Stall,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Policy; 5] =
        [Policy::Fifo, Policy::Random, Policy::Walk, Policy::Pct, Policy::Stall];

    /// Its name on the command line and in [`POLICY`].
    pub fn name(self) -> &'static str {
        match self {
            Policy::Fifo => "fifo",
            Policy::Random => "random",
            Policy::Walk => "walk",
            Policy::Pct => "pct",
            Policy::Stall => "stall",
        }
    }

    /// The names of all policies, for a sentence.
    pub fn names() -> String {
        Policy::ALL.map(Policy::name).join(", ")
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let policy = Policy::ALL.into_iter().find(|policy| policy.name() == name);
        policy.ok_or_else(|| format!("'{name}' is not a policy; there are {}", Policy::names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_known_by_their_names() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        let error = "lifo".parse::<Policy>().unwrap_err();
        assert_eq!(error, "'lifo' is not a policy; there are fifo, random, walk, pct, stall");
    }
}
