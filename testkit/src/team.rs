//! Processes that work together, and signs that they never will.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::property;
use labrpc::Instant;

use crate::member::Member;
use crate::poison::unpoisoned;
use crate::sim::Sim;

/// Between the name of a function that is to be written and its place, as `labrpc::your_code_here`
/// says it.
const NOT_WRITTEN: &str = " is not written yet: ";

/// The exit code of a process whose main task has panicked.
const PANICKED: i32 = 101;

/// Pause between two looks at all processes of a team.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a leader may outlive a worker that has panicked: the leader may just be ending, and the
/// worker may have noticed first.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// How long a leader may outlive its last worker: more than twice the two seconds that a coordinator
/// gives its workers to hear of the end.
const WITHOUT_WORKERS: Duration = Duration::from_secs(5);

/// The processes of one job: a leader, for instance a coordinator, and workers. A test that waits
/// for one of them looks at all, and fails at once, with what they wrote to standard error, if
///
/// * one has called a function that is to be written;
/// * a worker has panicked while the leader runs, or the leader has;
/// * all workers have ended and the leader goes on, unless they may die.
///
/// Processes that the test has killed do not count. Clones are the same team.
#[derive(Clone)]
pub struct Team {
    sim: Sim,
    members: Arc<Mutex<Members>>,
}

/// The processes of a team, and what the last looks at them have shown.
#[derive(Default)]
struct Members {
    leader: Option<Arc<Member>>,
    workers: Vec<Arc<Member>>,
    may_die: bool,
    last_look: Option<Instant>,
    panicked_since: Option<Instant>,
    without_workers_since: Option<Instant>,
}

impl Team {
    /// A team without processes, in this run of a test.
    pub fn new(sim: &Sim) -> Self {
        Self { sim: sim.clone(), members: Arc::default() }
    }

    /// See [`Process::leading`](crate::Process::leading).
    pub(crate) fn set_leader(&self, process: &Arc<Member>) {
        unpoisoned(self.members.lock()).leader = Some(Arc::clone(process));
    }

    /// See [`Process::working_in`](crate::Process::working_in).
    pub(crate) fn add_worker(&self, process: &Arc<Member>) {
        unpoisoned(self.members.lock()).workers.push(Arc::clone(process));
    }

    /// See [`Process::may_die`](crate::Process::may_die).
    pub(crate) fn allow_deaths(&self) {
        unpoisoned(self.members.lock()).may_die = true;
    }

    /// The test is about to kill this process.
    pub(crate) fn remove(&self, process: &Arc<Member>) {
        let mut members = unpoisoned(self.members.lock());
        members.workers.retain(|worker| !Arc::ptr_eq(worker, process));
        members.leader = members.leader.take().filter(|leader| !Arc::ptr_eq(leader, process));
    }

    /// Fails the test if there is a reason why it cannot pass. Looks now and then only, unless
    /// `now`.
    #[track_caller]
    pub(crate) fn check(&self, now: bool) {
        let found = unpoisoned(self.members.lock()).trouble(now);
        if let Some((property, actual)) = found {
            self.sim.violated(property, actual);
        }
    }

    /// Fails the test because of `process`, and quotes the others.
    #[track_caller]
    pub(crate) fn fail(&self, property: &str, actual: String, process: &Arc<Member>) -> ! {
        let others = unpoisoned(self.members.lock()).quotes(Some(process));
        self.sim.violated(property, actual + &others);
    }
}

impl fmt::Debug for Team {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Team").finish_non_exhaustive()
    }
}

impl Members {
    /// The property that is broken, and what shows it.
    fn trouble(&mut self, now: bool) -> Option<(String, String)> {
        if !now && self.last_look.is_some_and(|at| at.elapsed() < GLANCE) {
            return None;
        }
        self.last_look = Some(Instant::now());
        if let Some(unwritten) = self.all().find_map(|process| unwritten(&process.errors())) {
            return Some(unwritten);
        }
        let leader = self.leader.clone().filter(|leader| leader.status().is_none())?;
        if leader.errors().lines().any(is_panic) {
            let actual = format!("{} panicked{}", leader.name, self.quotes(None));
            return Some(("no process panics".to_string(), actual));
        }
        let ends: Vec<_> = self.workers.iter().map(|worker| worker.status()).collect();
        let panicked = |status: &Option<ExitStatus>| {
            status.is_some_and(|status| status.code() == Some(PANICKED))
        };
        if lasts(&mut self.panicked_since, ends.iter().any(panicked), AFTER_PANIC) {
            let actual =
                format!("a worker panicked, and {} goes on{}", leader.name, self.quotes(None));
            return Some(("no process panics".to_string(), actual));
        }
        let all_gone = !self.may_die && !ends.is_empty() && ends.iter().all(Option::is_some);
        if lasts(&mut self.without_workers_since, all_gone, WITHOUT_WORKERS) {
            let actual =
                format!("all workers have ended, and {} goes on{}", leader.name, self.quotes(None));
            return Some(("workers stay until the job is over".to_string(), actual));
        }
        None
    }

    /// All processes, the leader first.
    fn all(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.leader.iter().chain(&self.workers)
    }

    /// What the processes have said, one after the other, except for one of them.
    fn quotes(&self, except: Option<&Arc<Member>>) -> String {
        let mut text = String::new();
        for process in self.all().filter(|it| except.is_none_or(|not| !Arc::ptr_eq(it, not))) {
            let state = process.status().map_or("running".to_string(), |status| status.to_string());
            let said = summary(&process.errors()).replace('\n', "\n      ");
            let said = if said.is_empty() { "no output" } else { &said };
            write!(text, "\n    {} ({state}): {said}", process.name)
                .expect("writing to a String cannot fail");
        }
        text
    }
}

/// Whether `is_so` was true at each look for this long. `since` is when it became so.
fn lasts(since: &mut Option<Instant>, is_so: bool, for_this_long: Duration) -> bool {
    if !is_so {
        *since = None;
        return false;
    }
    since.get_or_insert_with(Instant::now).elapsed() >= for_this_long
}

/// The property that the call of a missing function breaks, and the line that names its place.
fn unwritten(said: &str) -> Option<(String, String)> {
    let line = said.lines().find(|line| line.contains(NOT_WRITTEN))?;
    let (function, _) = line.split_once(NOT_WRITTEN)?;
    Some((format!("{function}{}", property::UNWRITTEN), line.to_string()))
}

/// Whether a line is the first one of a panic, as the standard library prints it.
fn is_panic(line: &str) -> bool {
    line.starts_with("thread '") && line.contains(" panicked at ")
}

/// What a process said, with each line only once: lines that repeat are counted, and empty ones left
/// out. The ids of threads make no difference.
pub(crate) fn summary(said: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for line in said.lines().filter(|line| !line.is_empty()) {
        let kind = without_thread_id(line);
        let count = counts.entry(kind.clone()).or_default();
        *count += 1;
        if *count == 1 {
            lines.push((kind, line));
        }
    }
    let lines = lines.into_iter().map(|(kind, line)| match counts[&kind] {
        1 => line.to_string(),
        count => format!("{line} ({count} times)"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first line of a panic without the number of its thread; other lines as they are.
fn without_thread_id(line: &str) -> String {
    if is_panic(line)
        && let Some((thread, rest)) = line.split_once(" (")
        && let Some((_, place)) = rest.split_once(") ")
    {
        return format!("{thread} {place}");
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_lines_are_counted() {
        let said = "\nthread 'a' (7) panicked at x.rs:1:2:\nno\n\nthread 'a' (8) panicked at x.rs:1:2:\n\
            no\nlast\n";
        let expected = "thread 'a' (7) panicked at x.rs:1:2: (2 times)\nno (2 times)\nlast";
        assert_eq!(summary(said), expected);
    }

    #[test]
    fn missing_function_is_named() {
        let said =
            "thread 'main' (7) panicked at x.rs:1:2:\nWorker::map is not written yet: x.rs:1\n";
        let expected = ("Worker::map is written", "Worker::map is not written yet: x.rs:1");
        let expected = (expected.0.to_string(), expected.1.to_string());
        assert_eq!(unwritten(said), Some(expected));
        assert_eq!(unwritten("all is written"), None);
    }
}
