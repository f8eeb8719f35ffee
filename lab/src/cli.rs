//! The command line.

mod values;

use std::ops::Range;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use contract::accidents::Accidents;
use contract::record::Exit;
use contract::settings::Policy;
use judge::Shard;

pub(crate) use self::values::{SeedAndPolicy, accidents};
use self::values::{parse_archive, parse_run, parse_seeds, parse_time, parse_topic};

/// The end of the help text, before the exit codes.
const EXAMPLES: &str = "\
A pattern is a lab, a part, a test's name or a piece of it, in upper or lower case: raft, 2A,
figure8_2c, figure8.

Examples:
  cargo lab test 2A                          run each test of a part once
  cargo lab stress 2A -n 300                 run each test with 300 seeds
  cargo lab replay figure8_2c 7741:stall     repeat a failing run
  cargo lab shrink figure8_2c 7741:stall     find out which accidents make it fail
  cargo lab show figure8_2c 7741:stall       draw that run as a page for the browser
  cargo lab logs                             show the log of the latest failure
";

/// Runs, stresses, replays and explains the tests of the labs.
#[derive(Debug, Parser)]
#[command(name = "cargo lab", bin_name = "cargo lab", version, max_term_width = 100)]
#[command(after_help = format!("{EXAMPLES}\n{}", Exit::HELP))]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run tests once.
    Test(TestArgs),
    /// Run tests with many seeds and show how often they fail.
    Stress(StressArgs),
    /// Run a test again with the seed that made it fail.
    Replay(ReplayArgs),
    /// Find the few accidents that make a test fail.
    Shrink(ShrinkArgs),
    /// Draw a run as a page for the browser.
    Show(ShowArgs),
    /// Show a log with a column per server.
    Logs(LogsArgs),
    /// List every test with its part, points and claim.
    List(ListArgs),
    /// Explain what a test does and why it usually fails.
    Explain(ExplainArgs),
    /// Merge the results of the shards of a stress run.
    Merge(MergeArgs),
    /// Check sources against the list of what student code may name.
    Lint(LintArgs),
    /// Make the archive to hand in.
    Pack(PackArgs),
}

/// Options of all commands that run tests.
#[derive(Debug, Args)]
pub(crate) struct WorldArgs {
    /// How the scheduler chooses which task runs next: fifo, random, walk, pct or stall.
    #[arg(long, value_name = "POLICY", default_value = "stall")]
    pub(crate) policy: Policy,
    /// Build with all optimizations.
    #[arg(long)]
    pub(crate) release: bool,
    /// Stop a run that takes longer than this number of seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

/// `cargo lab test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo lab test 2A
  cargo lab test figure8_2c --seed 7741
  cargo lab test raft --real                 on real threads, in real time")]
pub(crate) struct TestArgs {
    /// Labs, parts or tests [default: all labs].
    pub(crate) patterns: Vec<String>,
    /// The seed [default: a new random seed].
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Run on real threads and in real time.
    #[arg(long, conflicts_with = "policy")]
    pub(crate) real: bool,
    /// Number of processes to run at a time [default: the number of processors].
    #[arg(short, long, value_name = "CPUS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) processes: Option<u64>,
    /// How tests are run.
    #[command(flatten)]
    pub(crate) world: WorldArgs,
}

/// `cargo lab stress`.
#[derive(Debug, Args)]
#[command(after_help = "\
Ctrl-C prints the table so far. The same command then resumes the run if the code has not changed.
Failing runs are stored in lab-runs/latest/, the first ten of each test with their logs.

Examples:
  cargo lab stress 2A -n 1000
  cargo lab stress figure8_2c --until-fail
  cargo lab stress raft --seeds 1..501 --policy pct --json runs.jsonl
  cargo lab stress raft -n 1000 --shard 2/4 -o shard-2
  cargo lab merge shard-*                    after all four shards have run")]
pub(crate) struct StressArgs {
    /// Labs, parts or tests.
    #[arg(required = true)]
    pub(crate) patterns: Vec<String>,
    /// Number of seeds per test.
    #[arg(short = 'n', long, value_name = "RUNS", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// Number of processes to run at a time [default: the number of processors].
    #[arg(short, long, value_name = "CPUS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) processes: Option<u64>,
    /// Stop at the first failure.
    #[arg(short = 'x', long)]
    pub(crate) exit_first: bool,
    /// Run all seeds of one test before the next test.
    #[arg(short, long)]
    pub(crate) sequential: bool,
    /// Keep the logs of passing runs too.
    #[arg(short, long)]
    pub(crate) archive: bool,
    /// Start another round when all runs are done, until Ctrl-C.
    #[arg(short = 'l', long = "loop")]
    pub(crate) endless: bool,
    /// With --loop: the factor by which each round is longer than the previous one.
    #[arg(short, long, value_name = "FACTOR", default_value_t = 10, requires = "endless")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) growth: u64,
    /// Create the directory of the run in DIR instead of lab-runs.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Show processor time too.
    #[arg(short, long)]
    pub(crate) timing: bool,
    /// Print the full report of each test's first failure.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Run the seeds from A up to, but not including, B.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, conflicts_with = "runs")]
    pub(crate) seeds: Option<Range<u64>>,
    /// Run only the K-th of N parts of the seeds. The seeds are 1 to RUNS unless --seeds sets them.
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    #[arg(conflicts_with_all = ["endless", "until_fail"])]
    pub(crate) shard: Option<Shard>,
    /// Run until a test fails.
    #[arg(long, conflicts_with_all = ["endless", "runs", "seeds"])]
    pub(crate) until_fail: bool,
    /// Write a line of JSON per run to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Show progress in the form of the script test-many.sh.
    #[arg(long, hide = true)]
    pub(crate) status_line: bool,
    /// How tests are run.
    #[command(flatten)]
    pub(crate) world: WorldArgs,
}

/// `cargo lab replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo lab replay figure8_2c 7741:stall
  cargo lab replay figure8_2c 7741:stall --log | cargo lab logs -c 5")]
pub(crate) struct ReplayArgs {
    /// The test.
    pub(crate) test: String,
    /// The seed and the policy; `stall` is the default policy.
    #[arg(value_name = "SEED[:POLICY]", value_parser = parse_run)]
    pub(crate) run: SeedAndPolicy,
    /// Let only these accidents happen: ids between commas, @FILE, none or all. `cargo lab shrink`
    /// prints such a list.
    #[arg(long, value_name = "LIST", value_parser = Accidents::from_setting)]
    #[arg(conflicts_with = "real")]
    pub(crate) only: Option<Accidents>,
    /// Print the result as a line of JSON.
    #[arg(long, conflicts_with = "log")]
    pub(crate) json: bool,
    /// Print the log while the test runs; the result goes to standard error.
    #[arg(long)]
    pub(crate) log: bool,
    /// Run on real threads: a failure may not recur.
    #[arg(long)]
    pub(crate) real: bool,
    /// Build with all optimizations.
    #[arg(long)]
    pub(crate) release: bool,
    /// Stop the run if it takes longer than this number of seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

/// `cargo lab shrink`.
#[derive(Debug, Args)]
#[command(after_help = "\
An accident is a message that is lost or delayed, a task that stands still, or a coin that the test
tosses before it crashes or cuts off a server. The command looks for runs that break the same
property, switches their accidents off one group after the other, and prints the ones without which
the test does not fail. The result is stored in lab-runs/latest/ and can be replayed.

The exit code is 1 if such a run is found, and 2 if none is.

Examples:
  cargo lab shrink figure8_2c 7741:stall
  cargo lab shrink figure8_2c 7741:stall --limit 60
  cargo lab replay figure8_2c 7742:stall --only 6273d91b,ebb88e4c")]
pub(crate) struct ShrinkArgs {
    /// The test.
    pub(crate) test: String,
    /// The seed and the policy with which it fails; `stall` is the default policy.
    #[arg(value_name = "SEED[:POLICY]", value_parser = parse_run)]
    pub(crate) run: SeedAndPolicy,
    /// Stop searching after this number of seconds [default: after 300 runs, but not before 10 s].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Print the result as a line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Build with all optimizations.
    #[arg(long)]
    pub(crate) release: bool,
    /// Stop the first and the last run if they take longer than this number of seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

/// `cargo lab show`.
#[derive(Debug, Args)]
#[command(after_help = "\
The page needs no network and no other file. Passing runs can be drawn too.

Examples:
  cargo lab show figure8_2c 7741:stall
  cargo lab show figure8_2c 7741:stall --no-open -o figure8.html
  cargo lab show figure8_2c 7741:stall --json | grep '\"kind\":\"fault\"'")]
pub(crate) struct ShowArgs {
    /// The test.
    pub(crate) test: String,
    /// The seed and the policy; `stall` is the default policy.
    #[arg(value_name = "SEED[:POLICY]", value_parser = parse_run)]
    pub(crate) run: SeedAndPolicy,
    /// Let only these accidents happen: ids between commas, @FILE, none or all. `cargo lab shrink`
    /// prints such a list.
    #[arg(long, value_name = "LIST", value_parser = Accidents::from_setting)]
    pub(crate) only: Option<Accidents>,
    /// Write to this file [default: report.html in a new directory in lab-runs].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Do not open the page in the browser.
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Write the recording itself, as lines of JSON; to standard output, unless -o names a file.
    #[arg(long)]
    pub(crate) json: bool,
    /// Build with all optimizations.
    #[arg(long)]
    pub(crate) release: bool,
    /// Stop the run if it takes longer than this number of seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) patience: u64,
}

/// `cargo lab logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line of a log is `012500 VOTE S2@5 granted to S0`: time in 0.1 ms, topic, server, message. Other
lines are shown unchanged, below a line of #.

Examples:
  cargo lab logs -c 3                        the log of the latest failure
  cargo lab logs log.txt -j VOTE,TERM --around 3.12s
  VERBOSE=1 cargo test -p raft 2a -- --nocapture | cargo lab logs -i TIMR")]
pub(crate) struct LogsArgs {
    /// A log, the directory of a failing run, or `-` for standard input.
    pub(crate) file: Option<PathBuf>,
    /// Number of columns [default: one per server].
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) columns: Option<u64>,
    /// Show only these topics, such as VOTE,TERM.
    #[arg(short, long, value_name = "TOPICS", value_delimiter = ',', value_parser = parse_topic)]
    pub(crate) just: Vec<String>,
    /// Show all topics except these.
    #[arg(short, long, value_name = "TOPICS", value_delimiter = ',', value_parser = parse_topic)]
    #[arg(conflicts_with = "just")]
    pub(crate) ignore: Vec<String>,
    /// Do not use colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Show only lines within half a second of this time: 3.12s, or 031200 as in the log.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) around: Option<u64>,
}

/// `cargo lab list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Labs, parts or tests [default: all labs].
    pub(crate) patterns: Vec<String>,
}

/// `cargo lab explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Tests or parts.
    #[arg(required = true)]
    pub(crate) patterns: Vec<String>,
}

/// `cargo lab merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example, with GNU parallel in four slots:
  parallel cargo lab stress raft -n 1000 --shard {}/4 -p 1 -o shard-{} ::: 1 2 3 4
  cargo lab merge shard-*")]
pub(crate) struct MergeArgs {
    /// Directories of runs, or directories that contain them.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Create the directory of the merged results in DIR instead of lab-runs.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Show processor time too.
    #[arg(short, long)]
    pub(crate) timing: bool,
    /// Write a line of JSON per run to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// `cargo lab lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
A line is refused if the code could escape from the simulation or from the grader's sandbox, and
flagged if it is only odd. The exit code is 1 if a line is refused. Code under #[cfg(test)] is not
refused.

Examples:
  cargo lab lint
  cargo lab lint raft")]
pub(crate) struct LintArgs {
    /// Labs [default: all labs].
    #[arg(value_name = "LAB")]
    pub(crate) patterns: Vec<String>,
}

/// `cargo lab pack`.
#[derive(Debug, Args)]
#[command(after_help = "\
The archive contains the Rust sources in <lab>/src and nothing else: of the named labs, and of your own
labs that these use, since the grader blocks a lab without them. The command checks the archive as the
grader does. If `cargo lab lint` refuses a line, no archive is written.

Examples:
  cargo lab pack raft                        writes raft.tar.gz
  cargo lab pack kvraft -o alice.tar.gz      kvraft, and raft if it is yours")]
pub(crate) struct PackArgs {
    /// Labs [default: all labs].
    #[arg(value_name = "LAB")]
    pub(crate) patterns: Vec<String>,
    /// The archive, a .tar.gz file [default: LAB.tar.gz, or labs.tar.gz for several labs].
    #[arg(short, long, value_name = "FILE", value_parser = parse_archive)]
    pub(crate) output: Option<PathBuf>,
    /// Write the archive even if lines are refused.
    #[arg(long)]
    pub(crate) anyway: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
