//! The command line.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use contract::settings::Policy;
use judge::Shard;
use judge::pool::processors;

use crate::grade::confine::rules::Level;
use crate::grade::outputs::format::Format;

/// The end of the help text of every command.
const EXIT_CODES: &str = "\
Exit codes: 0 every bug was killed or every variant accepted, 1 a bug survived or a variant failed,
2 inconclusive, 3 a patch does not compile, 4 nothing matched, 5 wrong usage, a problem of the
machine, or a patch that does not apply, 130 interrupted before a patch had a wrong result.";

/// The end of the help text of the program.
const ALL_CODES: &str = "\
Exit codes: 0 all is well, 1 a check failed or points are missing, 2 inconclusive, 3 something does not
compile, 4 nothing matched, 5 wrong usage or a problem of the machine, 130 interrupted. The help of
each command says more.";

/// The end of the help text of `grade`.
const GRADE_CODES: &str = "\
Exit codes for one submission: 0 full points, 1 points are missing, 2 a person has to look at it, 3 a
lab does not compile; for a class: 0 all are graded, 2 a person has to look at some. 4 nothing matched,
5 wrong usage or a problem of the machine, 130 interrupted.";

/// The number of seeds with which the workspace's own solutions are graded.
const OWN_SEEDS: u32 = 3;

/// The outputs that are written by default.
const DEFAULT_FORMATS: [&str; 3] = ["json", "csv", "html"];

/// Makes handouts, grades submissions, and checks that the grading tests catch common mistakes and accept all correct solutions.
#[derive(Debug, Parser)]
#[command(name = "grader", bin_name = "cargo grader", version, after_help = ALL_CODES)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Grades submissions: builds them, runs all tests with many seeds, and computes the scores.
    ///
    /// Without a submission, it grades the solutions of this workspace.
    #[command(after_help = GRADE_CODES)]
    Grade(GradeOptions),
    /// Lists the submissions whose score differs in two gradings, and the tests that changed it.
    #[command(
        after_help = "Exit codes: 0 no difference, 1 a difference, 4 no results, 5 results that cannot be read."
    )]
    Diff(DiffOptions),
    /// Joins the results of several gradings of the same release with the same seeds.
    #[command(
        after_help = "Exit codes: 0 the results are joined, 4 no results, 5 results that do not belong together."
    )]
    Merge(MergeOptions),
    /// Makes the tree that students start from: tests, guides, given files and skeletons.
    ///
    /// If OUT is a handout already, this replaces the files that students do not change, adds new
    /// labs, and makes one commit.
    #[command(
        after_help = "Exit codes: 0 it is written or the check passed, 1 the check failed, 4 there is no such lab, 5 it cannot be written."
    )]
    Handout(HandoutOptions),
    /// Applies each patch in bugs/ and reports which tests kill it, and after how many seeds.
    ///
    /// The tests run with more and more seeds until one of them fails. A failure counts only if the
    /// reference passes the same test with the same seed. If no test kills a bug, the tests are too
    /// weak.
    #[command(after_help = EXIT_CODES)]
    Bugs(BugOptions),
    /// Applies each patch in variants/, a different but correct solution: every test must pass.
    ///
    /// A test that fails here depends on details of the reference and is wrong.
    #[command(after_help = EXIT_CODES)]
    Variants(VariantOptions),
}

/// Options of `grade`.
#[derive(Debug, Args)]
pub(crate) struct GradeOptions {
    /// Directories or archives, or a directory that contains them [default: this workspace].
    pub(crate) submissions: Vec<PathBuf>,
    /// The labs to grade, with the labs that these use [default: all labs].
    #[arg(long, value_name = "LAB,...", value_delimiter = ',')]
    pub(crate) labs: Vec<String>,
    /// Labs that are replaced by the reference solution while the labs above are graded. They are
    /// graded themselves as submitted.
    #[arg(long, value_name = "LAB,...", value_delimiter = ',')]
    pub(crate) reference: Vec<String>,
    /// Grade labs above a replaced one both ways, and count the better result.
    #[arg(long, requires = "reference")]
    pub(crate) best_of: bool,
    /// Run only tests whose name contains this.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Number of seeds of each simulated test; tests with processes then run once [default: 20
    /// and 3, or 3 and 1 for this workspace].
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroU32>,
    /// What the seeds derive from: keep it secret until the grades are published [default: the
    /// hash of the release, which students can find out].
    #[arg(long, value_name = "TEXT", env = "GRADER_SECRET", hide_env_values = true)]
    pub(crate) secret: Option<String>,
    /// Number of simulations to run at a time [default: the number of processors].
    #[arg(short, long, value_name = "N")]
    parallel: Option<NonZeroUsize>,
    /// Stop a run that takes longer than this number of seconds, and count it as failed.
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    time_out: NonZeroU64,
    /// Where submissions are built: a directory that keeps built dependencies for the next time
    /// [default: lab-grader in $XDG_CACHE_HOME or ~/.cache].
    #[arg(long, value_name = "DIR")]
    pub(crate) slots: Option<PathBuf>,
    /// Grade submissions as root. Submitted code is then built and run by a user without rights.
    #[arg(long)]
    pub(crate) allow_root: bool,
    /// Grade submissions also if this system cannot prevent that submitted code reads and changes
    /// your files.
    #[arg(long)]
    pub(crate) unsafe_no_sandbox: bool,
    /// Protect this system less than it allows: for trials of what a weaker system would stop.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) protection: Option<Level>,
    /// Submissions of earlier terms. The class page lists the files that are in them, too.
    #[arg(long, value_name = "DIR", requires = "submissions")]
    pub(crate) past: Vec<PathBuf>,
    /// Grade only the K-th of N parts of the submissions, in a slot of its own: N commands can run at
    /// the same time. `cargo grader merge` joins their results.
    #[arg(long, value_name = "K/N", value_parser = Shard::parse, requires = "submissions")]
    pub(crate) shard: Option<Shard>,
    /// Run the tests of --only again, and put their results in the place of those in this
    /// directory.
    #[arg(
        long,
        value_name = "DIR",
        requires = "only",
        requires = "submissions",
        conflicts_with = "output"
    )]
    pub(crate) into: Option<PathBuf>,
    /// Do not check the sources against the list of what they may name. The sandbox remains.
    #[arg(long)]
    pub(crate) no_lint: bool,
    /// Do not draw failed runs, and do not search for the smallest run that still fails. Grading takes
    /// less time; scores are the same.
    #[arg(long)]
    no_pictures: bool,
    /// Replace results that the directory has from a command with other options.
    #[arg(long)]
    pub(crate) replace: bool,
    /// The directory for the results. Submissions whose results are in it are not graded again.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// The files to write about all results in the directory.
    #[arg(long, value_delimiter = ',', default_values = DEFAULT_FORMATS)]
    pub(crate) format: Vec<Format>,
}

/// Options of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffOptions {
    /// A directory of results, or a results.json.
    pub(crate) old: PathBuf,
    /// The results to compare with it.
    pub(crate) new: PathBuf,
}

/// Options of `merge`.
#[derive(Debug, Args)]
pub(crate) struct MergeOptions {
    /// Directories of results.
    #[arg(required = true)]
    pub(crate) directories: Vec<PathBuf>,
    /// The directory for the joined results [default: lab-runs/merge].
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// The files to write about all results.
    #[arg(long, value_delimiter = ',', default_values = DEFAULT_FORMATS)]
    pub(crate) format: Vec<Format>,
}

impl GradeOptions {
    /// The number of seeds of each simulated test; `None` for the catalog's.
    pub(crate) fn seeds(&self) -> Option<u32> {
        let of_workspace = self.submissions.is_empty().then_some(OWN_SEEDS);
        self.seeds.map(NonZeroU32::get).or(of_workspace)
    }

    /// Whether failed runs are drawn. Only pages show them.
    pub(crate) fn has_pictures(&self) -> bool {
        !self.no_pictures && self.format.contains(&Format::Html)
    }

    /// The number of simulations that run at a time.
    pub(crate) fn workers(&self) -> usize {
        self.parallel.map_or_else(processors, NonZeroUsize::get)
    }

    /// The time limit of a run.
    pub(crate) fn time_out(&self) -> Duration {
        Duration::from_secs(self.time_out.get())
    }
}

/// Options of `handout`.
#[derive(Debug, Args)]
pub(crate) struct HandoutOptions {
    /// A new or empty directory, or an existing handout.
    #[arg(value_name = "OUT", required_unless_present = "check")]
    pub(crate) out: Option<PathBuf>,
    /// The labs in it, with the labs that these use [default: all labs].
    #[arg(long, value_name = "LAB,...", value_delimiter = ',')]
    pub(crate) labs: Vec<String>,
    /// Labs of which it has the reference solution instead of a skeleton.
    #[arg(long, value_name = "LAB,...", value_delimiter = ',')]
    pub(crate) given: Vec<String>,
    /// First check it: skeletons build without warnings, every test fails on them and names the
    /// missing function, the reference passes in its tree, and no part of a solution is in it.
    #[arg(long)]
    pub(crate) check: bool,
}

/// Options of `bugs`.
#[derive(Debug, Args)]
pub(crate) struct BugOptions {
    #[command(flatten)]
    pub(crate) common: Options,
    /// Number of seeds within which a test must kill a bug.
    #[arg(short = 'n', long, value_name = "N", default_value = "100")]
    pub(crate) seeds: NonZeroU64,
    /// The scheduling policy of the simulation.
    #[arg(long, value_name = "POLICY", default_value = "stall")]
    pub(crate) policy: Policy,
    /// Run all tests with all seeds, and print how often each test fails for each bug.
    #[arg(long)]
    pub(crate) matrix: bool,
    /// Write a Markdown table of the bugs, their descriptions and the tests that kill them.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
}

/// Options of `variants`.
#[derive(Debug, Args)]
pub(crate) struct VariantOptions {
    #[command(flatten)]
    pub(crate) common: Options,
    /// Number of seeds with which each test must pass, for each policy.
    #[arg(short = 'n', long, value_name = "N", default_value = "20")]
    pub(crate) seeds: NonZeroU64,
    /// Scheduling policies of the simulation [default: all policies].
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub(crate) policy: Vec<Policy>,
}

/// Options of both commands.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Apply only patches whose LAB/NAME contains this. If it contains a slash, LAB/NAME must begin
    /// with it [default: all patches].
    pub(crate) pattern: Option<String>,
    /// Run only tests whose name contains this.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) test: Option<String>,
    /// The first of the consecutive seeds.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) first_seed: u64,
    /// Number of test processes to run at a time [default: the number of processors].
    #[arg(short, long, value_name = "N")]
    pub(crate) parallel: Option<NonZeroUsize>,
    /// Stop a test run that takes longer than this number of seconds, and count it as failed.
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    pub(crate) time_out: NonZeroU64,
    /// Write all results as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    /// The number of test processes that run at a time.
    pub(crate) fn workers(&self) -> usize {
        self.parallel.map_or_else(processors, NonZeroUsize::get)
    }

    /// The time limit of a test run.
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

    #[test]
    fn shards_share_all_submissions() {
        assert_eq!(Shard::parse("2/4"), Ok(Shard { k: 2, n: 4 }));
        assert!(["0/4", "5/4", "4", "a/b", "1/0"].iter().all(|text| Shard::parse(text).is_err()));
        let shards = [1, 2, 3].map(|k| Shard { k, n: 3 });
        for place in 0..7 {
            assert_eq!(shards.iter().filter(|shard| shard.includes(place)).count(), 1);
        }
    }
}
