//! `cargo lab logs`: shows a log with a column per server, like the course's `dslogs`.

mod columns;
mod line;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use contract::record::Exit;
use judge::{Error, Workspace};

use self::columns::Columns;
use self::line::{Line, Server};
use crate::cli::LogsArgs;
use crate::results::{self, run_dir};
use crate::term;

/// The time before and after `--around` that is shown, in 0.1 ms: half a second.
const AROUND: u64 = 5_000;

/// Bytes that are read before the first line is shown.
const BEGINNING: u64 = 1 << 20;

/// The file in the directory of a failing run.
const LOG: &str = "log.txt";

/// Runs the command.
pub(crate) fn run(args: &LogsArgs) -> Result<Exit, Error> {
    let source = source(args)?;
    let name = match &source {
        Some(path) => path.display().to_string(),
        None => "standard input".to_string(),
    };
    let lines: Box<dyn BufRead> = match &source {
        Some(path) => {
            Box::new(BufReader::new(File::open(path).map_err(Error::file("read", path))?))
        }
        None => Box::new(io::stdin().lock()),
    };
    match print(args, lines) {
        // The reader of a pipe, such as `head`, has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Passed),
        Err(error) => Err(Error::harness(format!("cannot show {name}: {error}"))),
        Ok(()) => Ok(Exit::Passed),
    }
}

/// The file to show; `None` for standard input.
fn source(args: &LogsArgs) -> Result<Option<PathBuf>, Error> {
    match &args.file {
        Some(path) if path.as_os_str() == "-" => Ok(None),
        Some(path) if path.is_dir() => Ok(Some(path.join(LOG))),
        Some(path) => Ok(Some(path.clone())),
        None if is_piped() => Ok(None),
        None => latest_log(&Workspace::find()?).map(Some),
    }
}

/// Whether standard input has something to show: a script's is often empty.
fn is_piped() -> bool {
    let stdin = io::stdin();
    !stdin.is_terminal() && stdin.lock().fill_buf().is_ok_and(|input| !input.is_empty())
}

/// The log of the latest failure.
fn latest_log(workspace: &Workspace) -> Result<PathBuf, Error> {
    let logs_of = |run: PathBuf| {
        let mut runs = run_dir::list(&run);
        runs.reverse();
        runs.into_iter().map(|run| run.join(LOG)).find(|log| log.is_file())
    };
    let latest = run_dir::list(&results::runs(workspace)).into_iter().find_map(logs_of);
    let latest = latest.ok_or_else(|| {
        let runs = results::runs(workspace);
        Error::harness(format!("{} contains no failing run: name a log file", runs.display()))
    })?;
    term::note(format!("showing {}", workspace.shorten(&latest).display()));
    Ok(latest)
}

/// Prints the lines of a log that pass the filters.
fn print(args: &LogsArgs, mut lines: Box<dyn BufRead>) -> io::Result<()> {
    let choice = if args.no_color { ColorChoice::Never } else { ColorChoice::Auto };
    let choice =
        if choice == ColorChoice::Auto { AutoStream::choice(&io::stdout()) } else { choice };
    let mut out = io::BufWriter::new(AutoStream::new(io::stdout().lock(), choice));
    let mut columns = match args.columns {
        Some(count) => Columns::new(count as usize, term::width()),
        // Most logs name all servers at the beginning; a server that appears later adds a column.
        None => {
            let mut beginning = Vec::new();
            lines.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
            let columns = Columns::of(servers(&beginning), term::width());
            lines = Box::new(io::Cursor::new(beginning).chain(lines));
            columns
        }
    };
    let (mut bytes, mut after_other) = (Vec::new(), false);
    while lines.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        match Line::parse(text) {
            Some(line) if is_wanted(&line, args) => {
                columns.print(&mut out, &line)?;
                after_other = false;
            }
            Some(_) => {}
            None if args.around.is_some() || text.trim().is_empty() => {}
            None => {
                if !after_other {
                    writeln!(out, "{}", "#".repeat(term::width()))?;
                }
                writeln!(out, "{text}")?;
                after_other = true;
            }
        }
        bytes.clear();
        if args.columns.is_some() {
            out.flush()?; // The log may be a pipe from a running test.
        }
    }
    out.flush()
}

/// Whether a line passes the filters.
fn is_wanted(line: &Line<'_>, args: &LogsArgs) -> bool {
    let topic = |topics: &[String]| topics.iter().any(|topic| topic == line.topic);
    (args.just.is_empty() || topic(&args.just))
        && !topic(&args.ignore)
        && args.around.is_none_or(|time| line.time.abs_diff(time) <= AROUND)
}

/// The servers that appear in a log.
fn servers(text: &[u8]) -> BTreeSet<Server> {
    let lines = text.split(|byte| *byte == b'\n');
    let texts = lines.map(String::from_utf8_lossy);
    texts.filter_map(|text| Line::parse(text.trim_end()).and_then(|line| line.server())).collect()
}
