//! What led to a failure, in a few lines: what the test did, the operation or the server that the
//! violation names, what servers logged and said to each other before, and what did not happen.
//!
//! Everything up to the *moment* is a candidate: the time of the mistake if the test knows it, else
//! that of the violation. Accidents that were chosen are told also if they come later, since the
//! failure needs them. Of each kind of line the last ones are the most relevant, so the kinds take
//! turns until the story is full.

mod call;
mod calls;
mod latest;
mod left;
mod log;
mod missing;
mod operation;
mod operations;
mod scope;
mod script;
mod varying;

use contract::accidents::AccidentKind;
use contract::recording::{Event, What};
use contract::story::{MOST_LINES, Told};
use labrpc::{Failure, FailureKind};

use self::scope::Scope;
use self::script::Script;
use super::cut::cut;
use crate::notes::Notes;
use crate::violation::Violation;

/// How much is left of a line: characters at its beginning and at its end.
const LONG_LINE: (usize, usize) = (280, 100);

/// The most accidents that are told.
const MOST_ACCIDENTS: usize = 12;

/// The most lines of each kind that say what the runtime saw.
const MOST_CLUES: usize = 3;

/// Of things that are alike, the first one is told beside the last one if they are so far apart, in
/// microseconds.
const APART: u64 = 100_000;

/// A line that the story may have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The index of its event.
    index: usize,
    /// Microseconds of virtual time.
    at: u64,
    text: String,
}

impl Line {
    /// A line about an event.
    fn new(events: &[Event], index: usize, text: impl Into<String>) -> Self {
        Self { index, at: events[index].at, text: text.into() }
    }
}

/// The story of a run with a violation. It is over at `at`, and this number of early events was
/// forgotten.
pub(super) fn tell(
    events: &[Event],
    forgotten: u64,
    at: u64,
    failure: &Failure,
    notes: &Notes,
) -> Vec<Told> {
    let (events, cluster) = latest::latest(events);
    let Some(scope) = Scope::of(events) else { return Vec::new() };
    let has_panicked = failure.kind == FailureKind::Panic && noticed(failure, notes).is_none();
    let mut clues = clues(failure, notes, cluster);
    if !has_panicked {
        clues.splice(0..0, missing::lines(&scope, &failure.message));
    }
    let mut heads: Vec<(u64, String)> = Vec::new();
    if forgotten > 0 {
        let first = scope.calls.first().map_or(at, |call| call.sent);
        heads.push((first, "earlier calls and log lines are forgotten: they are too many".into()));
    }
    heads.extend(latest::line(cluster).map(|text| (events[0].at, text)));
    // One line may have to say what is left out.
    let most = MOST_LINES.saturating_sub(heads.len() + clues.len() + 1);
    let lines = lines(events, &scope, most);
    let lines = lines.into_iter().map(|line| (line.at, line.text));
    let lines = lines.chain(clues.into_iter().map(|text| (at, text)));
    let short = |text: String| if cluster.is_empty() { text } else { text.replace(cluster, "") };
    let told = heads.into_iter().chain(lines.map(|(at, text)| (at, short(text))));
    let mut told: Vec<(u64, String)> = told.collect();
    told.sort_by_key(|(at, _)| *at);
    let seconds = |at: u64| at as f64 / 1e6;
    told.iter().map(|(at, text)| Told { at: seconds(*at), text: in_one_line(text) }).collect()
}

/// What happened, in order: at most this number of lines, and one that says what is left out of the
/// test's script.
fn lines(events: &[Event], scope: &Scope<'_>, most: usize) -> Vec<Line> {
    let script = Script::of(scope.seen);
    let mut lines = accidents(events);
    let kinds = vec![
        script.lines(),
        operations::lines(scope),
        calls::of_operations(scope),
        log::lines(scope),
        calls::between_servers(scope),
        script::leaders(scope.seen),
    ];
    let chosen = take_turns(kinds, most.saturating_sub(lines.len()));
    lines.extend(script.left_out(chosen[0].first().map(|line| line.index)));
    lines.extend(chosen.into_iter().flatten());
    lines.sort_by_key(|line| line.index);
    lines
}

/// Takes the last line of each kind, then the one before of each, and so on, up to `most` lines.
/// Those of each kind stay in order.
fn take_turns(mut kinds: Vec<Vec<Line>>, most: usize) -> Vec<Vec<Line>> {
    let mut chosen: Vec<Vec<Line>> = kinds.iter().map(|_| Vec::new()).collect();
    let mut count = 0;
    while count < most && kinds.iter().any(|lines| !lines.is_empty()) {
        for (lines, chosen) in kinds.iter_mut().zip(&mut chosen) {
            if count < most
                && let Some(line) = lines.pop()
            {
                chosen.push(line);
                count += 1;
            }
        }
    }
    chosen.iter_mut().for_each(|lines| lines.reverse());
    chosen
}

/// The accidents of a run whose accidents were chosen; the last ones if they are too many.
fn accidents(events: &[Event]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, event) in events.iter().enumerate() {
        if let What::Accident { what, text, .. } = &event.what {
            let who = match what {
                AccidentKind::Coin => "", // It says whose it is.
                _ => "accident: ",
            };
            lines.push(Line::new(events, index, format!("{who}{text}")));
        }
    }
    let more = lines.len().saturating_sub(MOST_ACCIDENTS);
    lines.drain(..more);
    if let Some(first) = lines.first_mut().filter(|_| more > 0) {
        first.text += &format!("; and {more} more accidents before");
    }
    lines
}

/// The violation, if a test has noticed it.
fn noticed<'a>(failure: &Failure, notes: &'a Notes) -> Option<&'a Violation> {
    notes.violation.as_ref().filter(|violation| violation.actual == failure.message)
}

/// What the harness and the runtime know at the end; of servers those of this cluster.
fn clues(failure: &Failure, notes: &Notes, cluster: &str) -> Vec<String> {
    use FailureKind::{Deadlock, LockCycle, TimeLimit};
    let mut clues = Vec::new();
    let violation = noticed(failure, notes);
    if let Some(expected) = violation.and_then(|violation| violation.expected.as_ref()) {
        clues.push(format!("expected: {expected}"));
    }
    if violation.is_none() {
        let place = failure.location.iter().map(|place| format!("panic at {place}"));
        clues.extend(place.chain(failure.task.iter().map(|task| format!("in task {task}"))));
        let frames = failure.frames.iter().take(MOST_CLUES).cloned().collect::<Vec<_>>();
        clues.extend((!frames.is_empty()).then(|| format!("in {}", frames.join(", in "))));
    }
    let few = |lines: &[String]| lines.iter().take(MOST_CLUES).cloned().collect::<Vec<_>>();
    let locks = few(&failure.held_locks);
    clues.extend(locks.iter().map(|lock| format!("held while waiting: {lock}")));
    if violation.is_none() && matches!(failure.kind, Deadlock | LockCycle | TimeLimit) {
        let waits = by_relevance(&failure.waits).into_iter().take(MOST_CLUES);
        clues.extend(waits.map(|wait| format!("waits: {wait}")));
    }
    clues.extend(failure.busy_calls.iter().take(1).map(|call| format!("busy: {call}")));
    let servers = notes.servers.iter().filter(|it| it.name.starts_with(cluster));
    let servers = servers.filter(|it| it.term.is_some() || !it.up || !it.connected);
    let servers: Vec<String> = servers.map(ToString::to_string).collect();
    clues.extend(
        (!servers.is_empty()).then(|| format!("last seen by the test: {}", servers.join("; "))),
    );
    clues
}

/// What tasks wait for: first locks, then what those wait for that hold them, and last sleeps, which
/// end.
fn by_relevance(waits: &[String]) -> Vec<&String> {
    let is_for = |wait: &str, what: &str| wait.contains(&format!(" waits for {what}"));
    let locks: Vec<&String> = waits.iter().filter(|wait| is_for(wait, "a lock")).collect();
    let holds = |wait: &str| {
        let task = wait.split_once(" spawned at ").map_or(wait, |(task, _)| task);
        locks.iter().any(|lock| lock.contains(&format!("held by {task} ")))
    };
    let mut waits: Vec<&String> = waits.iter().collect();
    waits.sort_by_key(|wait| match &***wait {
        wait if is_for(wait, "a lock") => 0,
        wait if holds(wait) => 1,
        wait if is_for(wait, "the end of a sleep") => 3,
        _ => 2,
    });
    waits
}

/// A text of one line that is not too long, without control characters.
fn in_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    line.retain(|c| !c.is_control());
    cut(&mut line, LONG_LINE.0, LONG_LINE.1);
    line
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> String {
    format!("{:.3} s", micros as f64 / 1e6)
}

#[cfg(test)]
mod tests;
