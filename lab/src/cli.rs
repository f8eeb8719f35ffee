//! The command line.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use contract::record::Exit;
use contract::settings::Policy;
use judge::{Error, Judge, Limits, Stop};

/// What the help ends with, before the exit codes.
const EXAMPLES: &str = "\
Tests are named by lab, part or name, in either case: raft, 2A, figure8_2c, figure8.

Examples:
  cargo lab test 2A                          one pass over a part
  cargo lab stress 2A -n 300                 the same under 300 seeds each
  cargo lab replay figure8_2c 7741:stall     the line that a failing test prints
  cargo lab logs                             the log of the latest failure
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
    /// Run tests under many seeds and show how often they fail.
    Stress(StressArgs),
    /// Run a test again under the seed with which it failed.
    Replay(ReplayArgs),
    /// Show a log with a column per server.
    Logs(LogsArgs),
    /// List every test with its part, points and claim.
    List(ListArgs),
    /// Explain what a test does and why it usually fails.
    Explain(ExplainArgs),
    /// Join the results of shards of a stress run.
    Merge(MergeArgs),
}

/// How the scheduler explores, for all commands that run tests.
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

/// Bytes that a run may print before it is stopped: a log inside a loop never ends.
const OUTPUT: u64 = 1 << 30;

impl WorldArgs {
    /// A judge that stops runs as these arguments say.
    pub(crate) fn judge(&self, stop: Stop) -> Result<Judge, Error> {
        judge(self.patience, stop)
    }
}

/// A judge that stops a run after this number of seconds, of real time or of processor time.
pub(crate) fn judge(patience: u64, stop: Stop) -> Result<Judge, Error> {
    let wall = Duration::from_secs(patience);
    Judge::new(Limits { wall, cpu: Some(wall), output: OUTPUT }, stop)
}

/// `cargo lab test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo lab test 2A
  cargo lab test figure8_2c --seed 7741
  cargo lab test raft --real                 on real threads, in real time")]
pub(crate) struct TestArgs {
    /// Labs, parts or tests; everything if none is named.
    pub(crate) patterns: Vec<String>,
    /// The seed; a fresh one if not given.
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u64).range(..u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Run on real threads and in real time.
    #[arg(long, conflicts_with = "policy")]
    pub(crate) real: bool,
    /// How many processes run at a time; all processors if not given.
    #[arg(short, long, value_name = "CPUS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) processes: Option<u64>,
    /// How tests are run.
    #[command(flatten)]
    pub(crate) world: WorldArgs,
}

/// `cargo lab stress`.
#[derive(Debug, Args)]
#[command(after_help = "\
Ctrl-C prints the table so far; the same command then resumes, as long as the code has not changed.
Failing runs are kept in lab-runs/latest/, the first ten of each test with their logs.

Examples:
  cargo lab stress 2A -n 1000
  cargo lab stress figure8_2c --until-fail
  cargo lab stress raft --seeds 1..501 --policy pct --json runs.jsonl
  cargo lab stress raft -n 1000 --shard 2/4 -o shard-2
  cargo lab merge shard-*                    when all four are there")]
pub(crate) struct StressArgs {
    /// Labs, parts or tests.
    #[arg(required = true)]
    pub(crate) patterns: Vec<String>,
    /// How many seeds per test.
    #[arg(short = 'n', long, value_name = "RUNS", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// How many processes run at a time; all processors if not given.
    #[arg(short, long, value_name = "CPUS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) processes: Option<u64>,
    /// Stop at the first failure.
    #[arg(short = 'x', long)]
    pub(crate) exit_first: bool,
    /// One test after the other.
    #[arg(short, long)]
    pub(crate) sequential: bool,
    /// Keep the logs of passing runs too.
    #[arg(short, long)]
    pub(crate) archive: bool,
    /// Go on with another round when all runs are done, until Ctrl-C.
    #[arg(short = 'l', long = "loop")]
    pub(crate) endless: bool,
    /// With --loop: how many times longer each round is than the one before.
    #[arg(short, long, value_name = "FACTOR", default_value_t = 10, requires = "endless")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) growth: u64,
    /// Where directories of runs are made, instead of lab-runs.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Show processor time too.
    #[arg(short, long)]
    pub(crate) timing: bool,
    /// Print the whole report of each test's first failure.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Run these seeds, the last one excluded.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, conflicts_with = "runs")]
    pub(crate) seeds: Option<Range<u64>>,
    /// Run only the K-th of N parts of the seeds, which are 1 to RUNS unless given.
    #[arg(long, value_name = "K/N", value_parser = parse_shard)]
    #[arg(conflicts_with_all = ["endless", "until_fail"])]
    pub(crate) shard: Option<Shard>,
    /// Run until a test fails.
    #[arg(long, conflicts_with_all = ["endless", "runs", "seeds"])]
    pub(crate) until_fail: bool,
    /// Write a line of JSON per run to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Show progress as the script test-many.sh does.
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
    /// The seed, and the policy unless it is `stall`.
    #[arg(value_name = "SEED[:POLICY]", value_parser = parse_run)]
    pub(crate) run: Run,
    /// Print the result as a line of JSON.
    #[arg(long, conflicts_with = "log")]
    pub(crate) json: bool,
    /// Print the log while the test runs; the result goes to standard error.
    #[arg(long)]
    pub(crate) log: bool,
    /// Replay a failure on real threads: it may not recur.
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

/// `cargo lab logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Lines look like `012500 VOTE S2@5 granted to S0`: time in 0.1 ms, topic, server, message. Other
lines are shown as they are, under a rule.

Examples:
  cargo lab logs -c 3                        the log of the latest failure
  cargo lab logs log.txt -j VOTE,TERM --around 3.12s
  VERBOSE=1 cargo test -p raft 2a -- --nocapture | cargo lab logs -i TIMR")]
pub(crate) struct LogsArgs {
    /// A log, or the directory of a failing run; `-` or a pipe is read as well.
    pub(crate) file: Option<PathBuf>,
    /// How many columns; one per server if not given.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) columns: Option<u64>,
    /// Only these topics, such as VOTE,TERM.
    #[arg(short, long, value_name = "TOPICS", value_delimiter = ',', value_parser = parse_topic)]
    pub(crate) just: Vec<String>,
    /// All topics but these.
    #[arg(short, long, value_name = "TOPICS", value_delimiter = ',', value_parser = parse_topic)]
    #[arg(conflicts_with = "just")]
    pub(crate) ignore: Vec<String>,
    /// No colours.
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Only what happened within half a second of this time: 3.12s, or 031200 as in the log.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) around: Option<u64>,
}

/// `cargo lab list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Labs, parts or tests; everything if none is named.
    pub(crate) patterns: Vec<String>,
}

/// `cargo lab explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Tests, or parts.
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
    /// Directories of runs, or the ones they were made in.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) directories: Vec<PathBuf>,
    /// Where the directory with the joined results is made, instead of lab-runs.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Show processor time too.
    #[arg(short, long)]
    pub(crate) timing: bool,
    /// Write a line of JSON per run to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// A seed and a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The seed.
    pub(crate) seed: u64,
    /// The policy.
    pub(crate) policy: Policy,
}

/// One of the parts that seeds are split into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which one, from 1.
    pub(crate) k: u64,
    /// Of how many.
    pub(crate) n: u64,
}

/// Parses `7741` or `7741:stall`.
fn parse_run(text: &str) -> Result<Run, String> {
    let (seed, policy) = text.split_once(':').unwrap_or((text, Policy::default().name()));
    let seed = seed.parse().map_err(|_| {
        format!("'{seed}' is not a seed; expected a number below 2^64, such as 7741 or 7741:stall")
    })?;
    Ok(Run { seed, policy: policy.parse()? })
}

/// Parses `1..101`, which excludes its end, or `1..=100`.
fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let seeds = || {
        let (start, end) = text.split_once("..")?;
        let start = start.parse().ok()?;
        let end = match end.strip_prefix('=') {
            Some(last) => last.parse::<u64>().ok()?.checked_add(1)?,
            None => end.parse().ok()?,
        };
        Some(start..end)
    };
    match seeds() {
        Some(seeds) if seeds.is_empty() => Err("there is no seed in this range".to_string()),
        Some(seeds) => Ok(seeds),
        None => Err("expected a range such as 1..101, or 1..=100".to_string()),
    }
}

/// Parses `2/4`.
fn parse_shard(text: &str) -> Result<Shard, String> {
    let shard = || {
        let (k, n) = text.split_once('/')?;
        Some(Shard { k: k.parse().ok()?, n: n.parse().ok()? })
    };
    let is_valid = |shard: &Shard| (1..=shard.n).contains(&shard.k);
    shard().filter(is_valid).ok_or_else(|| "expected K/N with K from 1 to N, such as 2/4".into())
}

/// Parses a topic in either case.
fn parse_topic(text: &str) -> Result<String, String> {
    let topic = text.to_ascii_uppercase();
    let is_topic = topic.len() == 4 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_topic.then_some(topic).ok_or_else(|| "a topic has four letters or digits: VOTE, LOG1".into())
}

/// Parses `3.12s`, `3.12` or `031200`, to units of 0.1 ms.
fn parse_time(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix('s').map(str::trim_end);
    let seconds = number.or_else(|| text.contains('.').then_some(text));
    let time = match seconds {
        Some(seconds) => seconds.parse::<f64>().ok().map(|seconds| (seconds * 1e4).round()),
        None => text.parse::<u64>().ok().map(|time| time as f64),
    };
    let is_valid = |time: &f64| time.is_finite() && *time >= 0.0;
    time.filter(is_valid)
        .map(|time| time as u64)
        .ok_or_else(|| "expected seconds such as 3.12s, or a time of the log such as 031200".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn values() {
        assert_eq!(parse_seeds("1..101"), Ok(1..101));
        assert_eq!(parse_seeds("1..=100"), Ok(1..101));
        assert!(parse_seeds("5..5").is_err() && parse_seeds("7").is_err());
        assert_eq!(parse_shard("2/4"), Ok(Shard { k: 2, n: 4 }));
        assert!(parse_shard("0/4").is_err() && parse_shard("5/4").is_err());
        assert_eq!(parse_run("7"), Ok(Run { seed: 7, policy: Policy::Stall }));
        assert!(parse_run("7:lifo").is_err() && parse_run("x:pct").is_err());
        assert_eq!((parse_time("3.12s"), parse_time("3.12")), (Ok(31_200), Ok(31_200)));
        assert_eq!(parse_time("031200"), Ok(31_200));
        assert_eq!(parse_topic("vote"), Ok("VOTE".into()));
        assert!(parse_topic("votes").is_err() && parse_time("-1s").is_err());
    }
}
