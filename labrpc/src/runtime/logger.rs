//! The logger behind the `log` macros: stamps time and node, in the form that dslogs reads.
//!
//! Every level is always enabled, so that the arguments of a log macro are evaluated whether
//! anybody reads the line or not: otherwise reading it could change the run. A line is only put
//! into words when it is wanted: with `VERBOSE=1`, or when a failed run is replayed for its report.

use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use contract::recording::What;
use contract::settings;
use log::{Level, LevelFilter, Log, Metadata, Record};

use super::real::run;
use super::sys::current::dispatch;

/// Set if lines are printed as they come.
static VERBOSE: AtomicBool = AtomicBool::new(false);

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
        dispatch(|core| match core {
            Some(core) => {
                // A run whose lines are kept or recorded is a replay: they were printed before.
                let is_replay = core.recent_lines.wanted() || core.recorder.is_some();
                if verbose || is_replay {
                    let node = core.node_name(core.current_node());
                    let message = core.unobserved(|| record.args().to_string());
                    let line = line(core.now(), &node, topic(record), &message);
                    if verbose && !is_replay {
                        core.activity.excused(|| print(&line));
                    }
                    core.recent_lines.push(line);
                    core.draw(|| What::Log { topic: topic(record).to_string(), text: message });
                }
            }
            None if verbose => {
                let name = run::current().map(|member| member.run.node_name(member.node));
                let message = record.args().to_string();
                let node = name.as_deref().unwrap_or("test");
                print(&line(run::now(), node, topic(record), &message));
            }
            None => {}
        });
    }

    fn flush(&self) {}
}

/// Prints a line; libtest keeps it for the report of the test that it belongs to.
fn print(line: &str) {
    println!("{line}");
    std::io::stdout().flush().ok(); // A closed pipe must not fail a test.
}

/// `012500 VOTE S2@5 granted to S0`: time in 0.1 ms, topic, message. A message that does not begin
/// with its server's name gets it.
fn line(now: u64, node: &str, topic: &str, message: &str) -> String {
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
