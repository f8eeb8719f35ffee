//! From the end of a process to the verdict on its runs.

use std::os::unix::process::ExitStatusExt as _;

use crate::children::Killed;
use crate::process::{Ended, Launch};
use crate::record::{Record, Verdict};
use crate::run_result::RunResult;

/// Signals that a program does not bring upon itself: hang-up, interrupt, kill, termination.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// What a process has shown.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// The runs that are over, in the order of their seeds, without gaps.
    pub(crate) results: Vec<RunResult>,
    /// Whether the run after these was cut short from outside and deserves another try.
    pub(crate) is_disturbed: bool,
}

/// Judges the runs of a process: by its records, of which the first for each seed counts, and where
/// one is missing, by how the process came to its end.
pub(crate) fn judge(launch: &Launch<'_>, ended: Ended) -> Judgement {
    if launch.case.health_check {
        return health(launch, &ended);
    }
    let Ended { status, killed, records, tail } = ended;
    let mut results: Vec<RunResult> = Vec::new();
    let case = launch.case;
    for Record { result, .. } in records {
        let awaited = launch.seed + results.len() as u64;
        if result.test == case.name && result.seed == awaited && awaited - launch.seed < launch.runs
        {
            // Lab and part are ours to name.
            results.push(RunResult { lab: case.lab.clone(), part: case.part.clone(), ..result });
        }
    }
    let is_over = results.len() as u64 == launch.runs
        || results.last().is_some_and(|result| result.verdict.is_failure());
    if is_over || killed == Some(Killed::Unwanted) {
        return Judgement { results, is_disturbed: false };
    }
    if killed.is_none() && status.signal().is_some_and(|signal| FROM_OUTSIDE.contains(&signal)) {
        return Judgement { results, is_disturbed: true };
    }
    let (kind, why) = match (killed, status.signal(), status.code()) {
        (Some(_), ..) => ("hang", "it did not end and was stopped".to_string()),
        (_, Some(signal), _) => ("crash", format!("the process died of signal {signal}")),
        (.., code) => {
            let code = code.map_or_else(|| "none".to_string(), |code| code.to_string());
            let why = format!(
                "the process ended with exit code {code} before the run was over; \
                 does the code call std::process::exit?"
            );
            ("no-record", why)
        }
    };
    let seed = launch.seed + results.len() as u64;
    results.push(without_record(launch, seed, Verdict::Fail, (kind, why), &tail));
    Judgement { results, is_disturbed: false }
}

/// The verdict on a run that was cut short from outside twice.
pub(crate) fn disturbed(launch: &Launch<'_>) -> RunResult {
    let why = "the process was killed from outside, twice; was memory short?".to_string();
    without_record(launch, launch.seed, Verdict::Harness, ("killed", why), "")
}

/// Judges a test in which no student code runs by its exit code.
fn health(launch: &Launch<'_>, ended: &Ended) -> Judgement {
    let Launch { case, world, seed, .. } = launch;
    let result = match ended.killed {
        Some(Killed::Unwanted) => return Judgement { results: Vec::new(), is_disturbed: false },
        None if ended.status.success() => {
            RunResult::without_record(case, world, *seed, Verdict::Pass, None)
        }
        killed => {
            let kind = if killed.is_some() { "hang" } else { "panic" };
            let why = format!("the process ended with {}", ended.status);
            without_record(launch, *seed, Verdict::Fail, (kind, why), &ended.tail)
        }
    };
    Judgement { results: vec![result], is_disturbed: false }
}

/// A run that left no record, with a report in the form of the others.
fn without_record(
    launch: &Launch<'_>,
    seed: u64,
    verdict: Verdict,
    (kind, why): (&str, String),
    tail: &str,
) -> RunResult {
    let Launch { case, world, .. } = launch;
    let run = world.run(seed);
    let policy = world.policy.as_ref().map_or(String::new(), |policy| format!(", policy {policy}"));
    let mut report = format!(
        "{} failed, seed {seed}{policy}\n  claim     a run ends with a completion record\n  \
         actual    {why}\n",
        case.name
    );
    if !tail.trim().is_empty() {
        report += "  last output of the process\n";
        let lines: Vec<&str> = tail.lines().collect();
        for line in &lines[lines.len().saturating_sub(12)..] {
            report += &format!("    {line}\n");
        }
    }
    report += &format!("  replay    cargo lab replay {} {run}", case.name);
    RunResult::without_record(case, world, seed, verdict, Some((kind, report)))
}
