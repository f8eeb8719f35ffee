//! Checks recorded histories: `cargo run -p linearizability --example check -- FILE...`.

use std::fmt::{Debug, Write as _};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use linearizability::history_file::{self, HistoryFile};
use linearizability::{
    CasRegister, CheckResult, KvModel, Limits, Model, Operation, check, explain,
};

/// What `--help` prints.
const HELP: &str = "\
Decides whether recorded histories are linearizable.

usage: check [-v] [--configurations N] [--memory MIB] [--time SECONDS] FILE...

  -v, --verbose        show the operations that make a history illegal
  --configurations N   give up after visiting N search configurations (default 5000000)
  --memory MIB         give up when that much memory would be exceeded (default 512)
  --time SECONDS       give up after that time (default: never)
  -h, --help           print this text

Prints one line a file: FILE ok|illegal|unknown SECONDS. Two formats are read: key/value events as
one EDN map a line, and Jepsen logs of an etcd register.

Exit codes: 0 all ok, 1 a history is illegal, 2 none is illegal but one is unknown, 5 wrong usage,
or a file cannot be read or parsed (the other files are still checked).
";

/// The exit code for wrong usage and for files that cannot be checked: it hides all others,
/// because the question was not answered in full.
const EXIT_ERROR: u8 = 5;

/// The command line.
struct Options {
    /// Whether illegal windows are shown.
    verbose: bool,
    /// When to give up.
    limits: Limits,
    /// What is checked.
    files: Vec<String>,
}

fn main() -> ExitCode {
    match parse_options(std::env::args().skip(1)) {
        Ok(Some(options)) => check_files(&options),
        Ok(None) => {
            print(HELP);
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("check: {message}\n\n{HELP}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Reads the command line; `None` if help is wanted.
fn parse_options(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { verbose: false, limits: Limits::default(), files: Vec::new() };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-h" | "--help" => return Ok(None),
            "-v" | "--verbose" => options.verbose = true,
            "--configurations" => options.limits.configurations = number(&arg, args.next())?,
            "--memory" => {
                let bytes = number(&arg, args.next())?.checked_mul(1 << 20);
                options.limits.memory =
                    bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(usize::MAX);
            }
            "--time" => {
                options.limits.time = Some(Duration::from_secs(number(&arg, args.next())?));
            }
            _ if arg.starts_with('-') => return Err(format!("unknown option {arg}")),
            _ => options.files.push(arg),
        }
    }
    if options.files.is_empty() {
        return Err("no file was named".to_string());
    }
    Ok(Some(options))
}

/// Reads an option's value.
fn number(option: &str, value: Option<String>) -> Result<u64, String> {
    let value = value.ok_or_else(|| format!("{option} needs a number"))?;
    value.parse().map_err(|_| format!("{option} needs a number, not {value:?}"))
}

/// Checks one file after the other.
fn check_files(options: &Options) -> ExitCode {
    let (mut failed, mut illegal, mut unknown) = (false, false, false);
    for file in &options.files {
        match check_file(file, options) {
            Ok((result, text)) => {
                illegal |= result == CheckResult::Illegal;
                unknown |= result == CheckResult::Unknown;
                print(&text);
            }
            Err(message) => {
                failed = true;
                eprintln!("{file}: {message}");
            }
        }
    }
    ExitCode::from(match () {
        () if failed => EXIT_ERROR,
        () if illegal => 1,
        () if unknown => 2,
        () => 0,
    })
}

/// Checks one file. Returns its result and what is to be printed.
#[expect(clippy::disallowed_methods, reason = "people want to know how long it took")]
fn check_file(file: &str, options: &Options) -> Result<(CheckResult, String), String> {
    let start = Instant::now();
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let history = history_file::parse(&text).map_err(|error| error.to_string())?;
    let (result, details) = match &history {
        HistoryFile::Kv(history) => check_history(&KvModel, history, options),
        HistoryFile::Register(history) => check_history(&CasRegister, history, options),
    };
    let seconds = start.elapsed().as_secs_f64();
    Ok((result, format!("{file} {result} {seconds:.3}\n{details}")))
}

/// Checks one history. Returns its result and, if wanted, what is wrong with it.
fn check_history<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    options: &Options,
) -> (CheckResult, String)
where
    M::Key: Debug,
{
    if !options.verbose {
        return (check(model, history, &options.limits), String::new());
    }
    let report = explain(model, history, &options.limits);
    let mut details = String::new();
    for partition in &report.partitions {
        if let Some(limit) = partition.limit {
            writeln!(details, "\nkey {:?} is undecided: {limit}", partition.key)
                .expect("a string takes any text");
        }
    }
    if let Some(window) = report.window() {
        write!(details, "\n{window}\n").expect("a string takes any text");
    }
    (report.result(), details)
}

/// Prints to standard output.
fn print(text: &str) {
    // The reader of a pipe may have closed it.
    std::io::stdout().write_all(text.as_bytes()).ok();
}
