//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use contract::settings::Policy;
use judge::pool::processors;

/// What every command ends with.
const EXIT_CODES: &str = "\
Exit codes: 0 every bug was killed or every variant accepted, 1 a bug survived or a variant failed,
2 inconclusive, 3 a patch does not compile, 4 nothing matched, 5 wrong usage, trouble with the
machine, or a patch that does not apply, 130 interrupted before anything was found wrong.";

/// Shows that the grading tests catch classic mistakes and accept correct solutions of any kind.
#[derive(Debug, Parser)]
#[command(name = "grader", bin_name = "cargo grader", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the grader can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Applies each patch of bugs/ and reports which tests kill it, and after how many seeds.
    ///
    /// A bug is run with more and more seeds until a test fails. A failure counts only if the
    /// reference passes the same test under the same seed. A bug that no test kills shows that the
    /// tests are too weak.
    #[command(after_help = EXIT_CODES)]
    Bugs(BugOptions),
    /// Applies each patch of variants/, correct but different: every test must pass.
    ///
    /// A test that fails here is fitted to the reference, and wrong.
    #[command(after_help = EXIT_CODES)]
    Variants(VariantOptions),
}

/// Options of `bugs`.
#[derive(Debug, Args)]
pub(crate) struct BugOptions {
    #[command(flatten)]
    pub(crate) common: Options,
    /// Seeds under which a bug must be killed.
    #[arg(short = 'n', long, value_name = "N", default_value = "100")]
    pub(crate) seeds: NonZeroU64,
    /// The policy by which the simulation chooses schedules.
    #[arg(long, value_name = "POLICY", default_value = "stall")]
    pub(crate) policy: Policy,
    /// Runs all tests under all seeds, and prints how often each test fails for each bug.
    #[arg(long)]
    pub(crate) matrix: bool,
    /// Writes a Markdown table of the bugs, their descriptions and what kills them.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

/// Options of `variants`.
#[derive(Debug, Args)]
pub(crate) struct VariantOptions {
    #[command(flatten)]
    pub(crate) common: Options,
    /// Seeds under which each test must pass, for each policy.
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    pub(crate) seeds: NonZeroU64,
    /// Policies by which the simulation chooses schedules; all of them unless given.
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub(crate) policy: Vec<Policy>,
}

/// Options of both commands.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only patches whose LAB/NAME contains this, or begins with it if it holds a slash; all
    /// patches unless given.
    pub(crate) pattern: Option<String>,
    /// Only tests whose name contains this.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) test: Option<String>,
    /// The first seed; the others count up from it.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) first_seed: u64,
    /// Test processes at a time; one for each processor unless given.
    #[arg(short, long, value_name = "N")]
    pub(crate) parallel: Option<NonZeroUsize>,
    /// Seconds after which a test run that has not ended counts as hanging.
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    pub(crate) time_out: NonZeroU64,
    /// Writes all results as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// How many test processes run at a time.
    pub(crate) fn workers(&self) -> usize {
        self.parallel.map_or_else(processors, NonZeroUsize::get)
    }

    /// How long a test run may take.
    pub(crate) fn time_out(&self) -> Duration {
        Duration::from_secs(self.time_out.get())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
