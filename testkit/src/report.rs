//! What a failing test prints.

use std::fmt::Write as _;

use contract::property;
use contract::record::{self, seed_and_policy};
use contract::settings;
use labrpc::{Accident, AccidentId, Failure, FailureKind};

use crate::notes::Notes;
use crate::record::Assigned;
use crate::test_path::TestPath;

/// The failure as the record has it, with its report: property, servers, what the runtime saw, and
/// how to see it again.
pub(crate) fn failure(
    test: &str,
    test_path: &TestPath,
    failure: &Failure,
    notes: &Notes,
    end: End<'_>,
) -> record::Failure {
    let mut text = headline(test, failure);
    let (property, actual) = accusation(&mut text, failure, notes);
    for server in &notes.servers {
        line(&mut text, &server.to_string());
    }
    section(&mut text, "in", &failure.frames);
    section(&mut text, "locks held while waiting", &failure.held_locks);
    section(&mut text, "waiting for long", &failure.waits);
    section(&mut text, "busy with calls", &failure.busy_calls);
    section(&mut text, "last log lines", &failure.log);
    if let Some(divergence) = &failure.divergence {
        line(&mut text, &format!("not deterministic: {divergence}"));
    }
    if let Some(backtrace) = &failure.backtrace {
        line(&mut text, &format!("backtrace\n{backtrace}"));
    }
    let report = text + end.accidents + &replay(test, test_path, failure) + end.footer;
    record::Failure { property, actual, report }
}

/// The most accidents that a report lists.
const MOST_ACCIDENTS: usize = 40;

/// What is said at the end of a report.
pub(crate) struct End<'a> {
    /// Before the lines that replay the run.
    pub(crate) accidents: &'a str,
    /// After them.
    pub(crate) footer: &'a str,
}

/// What happened in a run whose accidents were chosen, unless that is too much.
pub(crate) fn accidents(failure: &Failure, happened: &[Accident]) -> String {
    let mut text = String::new();
    if failure.only.is_some() && happened.len() <= MOST_ACCIDENTS {
        let told = |accident: &Accident| format!("{:.3} s  {}", accident.at, accident.text);
        let lines: Vec<String> = happened.iter().map(told).collect();
        section(&mut text, "accidents, everything else was calm", &lines);
    }
    text
}

/// What is wrong with a list of accidents that have not all happened.
pub(crate) fn missing(missing: &[AccidentId]) -> String {
    if missing.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let setting = settings::ONLY;
    format!(
        "  note      {setting} names accidents that do not happen in this run, so the list is of \
         other code or of another seed: {}\n",
        ids.join(", ")
    )
}

/// Which run failed, and when.
fn headline(test: &str, failure: &Failure) -> String {
    let at = failure.at.as_secs_f64();
    let (seed, kind) = (failure.seed, if failure.policy.is_some() { "virtual" } else { "real" });
    let policy = failure.policy.map_or_else(String::new, |policy| format!(", policy {policy}"));
    format!("{test} failed at {at:.3} s of {kind} time, seed {seed}{policy}\n")
}

/// The broken property and what was seen; if no test found it, what the runtime saw.
fn accusation(text: &mut String, failure: &Failure, notes: &Notes) -> (String, String) {
    let violation = notes.violation.as_ref();
    let violation = violation.filter(|violation| failure.message == violation.actual);
    let (property, expected) = match violation {
        Some(violation) => (violation.property.clone(), violation.expected.as_ref()),
        None => (general_property(failure), None),
    };
    line(text, &format!("property  {property}"));
    if let Some(expected) = expected {
        line(text, &format!("expected  {expected}"));
    }
    line(text, &format!("actual    {}", failure.message));
    if violation.is_none() {
        if let Some(location) = &failure.location {
            line(text, &format!("panic at  {location}"));
        }
        if let Some(task) = &failure.task {
            line(text, &format!("task      {task}"));
        }
    }
    (property, failure.message.clone())
}

/// The property of every correct program that a failure breaks.
fn general_property(failure: &Failure) -> String {
    if let Some(function) = failure.unwritten() {
        return format!("{function}{}", property::UNWRITTEN);
    }
    let property = match failure.kind {
        FailureKind::Panic if is_check_of_real_run(failure) => property::CHECKS_HOLD,
        FailureKind::Panic => property::NO_PANICS,
        FailureKind::Deadlock | FailureKind::LockCycle => property::NO_DEADLOCK,
        FailureKind::TimeLimit => property::ENDS_IN_TIME,
        FailureKind::TooManyTasks => property::TASKS_END,
        FailureKind::Spinning | FailureKind::CpuLimit => property::TASKS_YIELD,
        FailureKind::Escape => "all that runs belongs to the simulation",
        FailureKind::Leak => "a run depends on its seed only",
        FailureKind::Blocked => property::WAITS_ARE_KNOWN,
    };
    property.to_string()
}

/// Whether a test on real threads or with processes has panicked itself, as an assertion of it does.
fn is_check_of_real_run(failure: &Failure) -> bool {
    let location = failure.location.as_ref();
    failure.policy.is_none() && location.is_some_and(|file| file.contains("/tests/"))
}

/// How to see the failure again, in two forms.
fn replay(test: &str, test_path: &TestPath, failure: &Failure) -> String {
    let TestPath { package, target, path } = test_path;
    let only = failure.only.as_ref().map_or(String::new(), |only| format!(" --only {only}"));
    let run = seed_and_policy(failure.seed, failure.policy) + &only;
    let settings = failure.replay_settings();
    // A judge has the catalog at hand, and adds what it says of the test.
    let explain = match Assigned::to_this_process() {
        Some(_) => String::new(),
        None => format!("  explain   cargo lab explain {test}\n"),
    };
    format!(
        "{explain}  replay    cargo lab replay {test} {run}\n            \
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
