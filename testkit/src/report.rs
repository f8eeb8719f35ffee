//! What a failing test prints.

use std::fmt::Write as _;

use labrpc::{Failure, FailureKind};

use crate::board::Notes;
use crate::place::Place;

/// The report of a failure: headline, accusation, servers, what the runtime saw, and how to see it
/// again.
pub(crate) fn report(test: &str, place: &Place, failure: &Failure, notes: &Notes) -> String {
    let mut text = headline(test, failure);
    accusation(&mut text, failure, notes);
    for server in &notes.servers {
        line(&mut text, &server.to_string());
    }
    if let Some(hint) = notes.violation.as_ref().and_then(|violation| violation.hint.as_ref()) {
        line(&mut text, &format!("hint      {hint}"));
    }
    section(&mut text, "waiting for long", &failure.waits);
    section(&mut text, "locks held while waiting", &failure.held_locks);
    section(&mut text, "last log lines", &failure.log);
    if let Some(divergence) = &failure.divergence {
        line(&mut text, &format!("not deterministic: {divergence}"));
    }
    if let Some(backtrace) = &failure.backtrace {
        line(&mut text, &format!("backtrace\n{backtrace}"));
    }
    text + &replay(test, place, failure)
}

/// Which run failed, and when.
fn headline(test: &str, failure: &Failure) -> String {
    let at = failure.at.as_secs_f64();
    let (seed, kind) = (failure.seed, if failure.policy.is_some() { "virtual" } else { "real" });
    let policy = failure.policy.map_or_else(String::new, |policy| format!(", policy {policy}"));
    format!("{test} failed at {at:.3} s of {kind} time, seed {seed}{policy}\n")
}

/// The broken promise, or, if no test found it, what the runtime saw.
fn accusation(text: &mut String, failure: &Failure, notes: &Notes) {
    match &notes.violation {
        Some(violation) if failure.message == violation.actual => {
            line(text, &format!("claim     {}", violation.claim));
            if let Some(expected) = &violation.expected {
                line(text, &format!("expected  {expected}"));
            }
            line(text, &format!("actual    {}", violation.actual));
        }
        _ => {
            line(text, &format!("claim     {}", promise(failure.kind)));
            line(text, &format!("actual    {}", failure.message));
            if let Some(location) = &failure.location {
                line(text, &format!("panic at  {location}"));
            }
            if let Some(task) = &failure.task {
                line(text, &format!("task      {task}"));
            }
        }
    }
}

/// What every program promises, and this one did not keep.
fn promise(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Panic => "nothing panics",
        FailureKind::Deadlock | FailureKind::LockCycle => "tasks do not wait for each other",
        FailureKind::TimeLimit => "the test ends in time",
        FailureKind::TooManyTasks => "tasks that were started also end",
        FailureKind::Spinning | FailureKind::CpuLimit => "the processor is used with measure",
        FailureKind::Blocked => "tasks wait only by means of labrpc",
    }
}

/// How to see the failure again, in two forms.
fn replay(test: &str, place: &Place, failure: &Failure) -> String {
    let Place { package, target, path } = place;
    let run = match failure.policy {
        Some(policy) => format!("{}:{policy}", failure.seed),
        None => format!("{} --real", failure.seed),
    };
    let settings = failure.replay_settings();
    format!(
        "  replay    cargo lab replay {test} {run}\n            \
         {settings} cargo test -p {package} --test {target} -- --exact {path}"
    )
}

/// Adds a line of the report.
fn line(text: &mut String, line: &str) {
    writeln!(text, "  {line}").expect("writing to a String cannot fail");
}

/// Adds a headline with lines below it, or nothing if there are none.
fn section(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        line(text, title);
    }
    lines.iter().for_each(|below| line(text, &format!("  {below}")));
}
