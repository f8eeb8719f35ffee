//! The logger behind the `log` macros: stamps time and node, in the form that dslogs reads.
//!
//! Every level is always enabled, so that the arguments of a log macro are evaluated whether
//! anybody reads the line or not: otherwise reading it could change the run. A line is only put
//! into words when it is wanted: with `VERBOSE=1`, or when a failed run is replayed for its report.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, Once, PoisonError};

use contract::settings;
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::{context, real};

/// How many lines a failure report shows.
const KEPT_LINES: usize = 40;

/// Set if lines are printed as they come.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// The lines of one run that the failure report shows.
#[derive(Default)]
pub(crate) struct RecentLines(Mutex<Option<VecDeque<String>>>);

impl RecentLines {
    /// Keeps lines from now on.
    pub(crate) fn keep(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(VecDeque::new());
    }

    /// Whether lines are kept.
    fn wanted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Keeps a line.
    fn push(&self, line: String) {
        if let Some(lines) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    /// The lines kept so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flatten().cloned().collect()
    }
}

/// The logger.
struct Logger;

/// Installs the logger, once per process; another logger that is there already is left in place.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let verbose =
            std::env::var(settings::VERBOSE).is_ok_and(|value| !matches!(&*value, "" | "0"));
        VERBOSE.store(verbose, Relaxed);
        if log::set_logger(&Logger).is_ok() {
            log::set_max_level(LevelFilter::Trace);
        }
    });
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let verbose = VERBOSE.load(Relaxed);
        context::dispatch(|core| match core {
            Some(core) => {
                let wanted = core.recent_lines.wanted();
                if verbose || wanted {
                    let node = core.node_name(core.current_node());
                    let line = core.unobserved(|| line(core.now(), &node, record));
                    if verbose && !wanted {
                        core.activity.excused(|| print(&line));
                    }
                    // A run whose lines are kept is a replay: they were printed the first time.
                    core.recent_lines.push(line);
                }
            }
            None if verbose => {
                let name = context::real().map(|thread| thread.world.node_name(thread.node));
                print(&line(real::now(), name.as_deref().unwrap_or("test"), record));
            }
            None => {}
        });
    }

    fn flush(&self) {}
}

/// Prints a line; libtest keeps it for the report of the test that it belongs to.
fn print(line: &str) {
    println!("{line}");
    std::io::stdout().flush().ok(); // A closed pipe is no reason to fail a test.
}

/// `012500 VOTE S2@5 granted to S0`: time in 0.1 ms, topic, message. A message that does not begin
/// with its server's name gets it.
fn line(now: u64, node: &str, record: &Record<'_>) -> String {
    let topic = topic(record);
    let message = record.args().to_string();
    let time = now / 100_000;
    if node == "test" || message.starts_with(node) {
        format!("{time:06} {topic} {message}")
    } else {
        format!("{time:06} {topic} {node} {message}")
    }
}

/// The target if it is a topic, four capital letters or digits, else one that fits the level.
fn topic<'a>(record: &Record<'a>) -> &'a str {
    let target = record.target();
    let is_topic = target.len() == 4
        && target.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    match record.level() {
        _ if is_topic => target,
        Level::Error => "ERRO",
        Level::Warn => "WARN",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "TRCE",
    }
}
