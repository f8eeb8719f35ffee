//! The verdict on a run: from its record or, without a record, from the end of its process.

use contract::property;
use contract::record::{Assignment, Failure, Run, Verdict};

use crate::catalog::Hint;
use crate::launch::Word;
use crate::no_record::without_record;
use crate::process::{Ended, Limits, Stopped};
use crate::test_case::TestCase;

/// The number of lines of output in a report.
const TAIL_LINES: usize = 12;

/// The verdict on a run that is judged by its record; `None` if its result is not wanted any more.
pub(crate) fn by_record(
    case: &TestCase,
    assignment: &Assignment,
    ended: &Ended,
    limits: Limits,
) -> Option<Run> {
    if ended.stopped == Some(Stopped::Unwanted) {
        return None;
    }
    match recorded(case, assignment, ended, limits) {
        Ok(mut run) => {
            // The judge, not the process, sets lab, part and claim.
            (run.lab, run.part) = (case.lab.clone(), case.part.clone());
            if let Some(failure) = &mut run.failure
                && !failure.is_unwritten()
                && matches!(run.kind.as_deref(), Some("panic" | "time-limit") | None)
            {
                explain(failure, case);
            }
            Some(run)
        }
        Err((kind, why)) => Some(failed(case, assignment, kind, why, &ended.tail)),
    }
}

/// The run as its record says, if the record can be believed; else a kind of failure and a sentence.
fn recorded(
    case: &TestCase,
    assignment: &Assignment,
    ended: &Ended,
    limits: Limits,
) -> Result<Run, (&'static str, String)> {
    if !case.build.is_intact() {
        // Whatever has taken their place could answer for every later run.
        return Err(("forged", "a run has changed the copies of tests and programs".to_string()));
    }
    let lines: Vec<&[u8]> = ended.record.split_inclusive(|byte| *byte == b'\n').collect();
    let run = match &lines[..] {
        [] => return Err(without_record(ended, limits)),
        [line] if line.ends_with(b"\n") => assignment
            .check(&String::from_utf8_lossy(line))
            .map_err(|error| ("forged", error.to_string()))?,
        [_] => return Err(("forged", "what arrived is not a whole record".to_string())),
        lines => return Err(("forged", format!("{} records arrived instead of one", lines.len()))),
    };
    if run.verdict.is_failure() {
        return Ok(run);
    }
    // A pass counts only if the launcher has seen the end of everything that the test started.
    match ended.word {
        Some(Word::Ended { left: 0, .. }) if ended.stopped.is_none() => Ok(run),
        Some(Word::Ended { left, .. }) if ended.stopped.is_none() => {
            let them = if left == 1 { "a process" } else { "processes" };
            Err(("left-behind", format!("it passed, but left {them} running")))
        }
        _ => Err(without_record(ended, limits)),
    }
}

/// The verdict from the exit code, for a test that runs no student code.
pub(crate) fn by_exit_code(
    case: &TestCase,
    assignment: &Assignment,
    ended: &Ended,
    limits: Limits,
) -> Option<Run> {
    let status = match ended.word {
        Some(Word::Ended { status, .. }) => Some(Word::exit_status(status)),
        _ => None,
    };
    let Assignment { seed, policy, .. } = *assignment;
    match (ended.stopped, status) {
        (Some(Stopped::Unwanted), _) => None,
        (None, Some(status)) if status.success() => {
            Some(Run { verdict: Verdict::Pass, ..case.run(seed, policy) })
        }
        (None, Some(status)) if status.code().is_some() => {
            let why = format!("the process ended with {status}");
            Some(failed(case, assignment, "panic", why, &ended.tail))
        }
        _ => {
            let (kind, why) = without_record(ended, limits);
            Some(failed(case, assignment, kind, why, &ended.tail))
        }
    }
}

/// A failed run without a valid record, with a report in the usual form.
fn failed(case: &TestCase, assignment: &Assignment, kind: &str, why: String, tail: &str) -> Run {
    let Assignment { seed, policy, .. } = *assignment;
    let run = case.run(seed, policy);
    let property = match kind {
        "left-behind" => "the processes that a test starts end with it",
        _ => property::ENDS_WITH_RECORD,
    };
    let in_policy = policy.map_or(String::new(), |policy| format!(", policy {policy}"));
    let mut report = format!(
        "{} failed, seed {seed}{in_policy}\n  property  {property}\n  actual    {why}\n",
        case.name
    );
    if !tail.trim().is_empty() {
        report += "  last output of the process\n";
        let lines: Vec<&str> = tail.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
            report += &format!("    {line}\n");
        }
    }
    if !cfg!(target_os = "linux") {
        report += "  note      processes that it started in other groups may still run: they can \
                   be found on Linux only\n";
    }
    report += &format!("  replay    {}", run.replay());
    let mut failure = Failure { property: property.to_string(), actual: why, report };
    explain(&mut failure, case);
    let verdict = if kind == "start" { Verdict::Harness } else { Verdict::Fail };
    Run { verdict, kind: Some(kind.to_string()), failure: Some(failure), ..run }
}

/// Adds the test's claim, and the hints that fit the failure, above the line that replays the run.
fn explain(failure: &mut Failure, case: &TestCase) {
    let mut lines = String::new();
    let hints = case.hints.iter().filter(|hint| hint.fits(failure)).map(Hint::cause);
    for (word, text) in std::iter::once(("claim", &*case.claim))
        .chain(hints.map(|hint| ("cause?", hint)))
        .filter(|(_, text)| !text.is_empty())
    {
        lines += &format!("  {word:<9} {text}\n");
    }
    let place = failure.report.rfind("  replay    ").unwrap_or(failure.report.len());
    failure.report.insert_str(place, &lines);
}
