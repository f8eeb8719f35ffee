//! Runs a test's body under each seed that was asked for, and says how it went.

use std::panic::{self, Location};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use contract::record::Trial;
use labrpc::{
    Backend, DEFAULT_TIME_LIMIT, FailureKind, Outcome, Policy, Settings, Simulation, run_real,
};

use crate::notes::{Notes, SharedNotes};
use crate::output::{self, Figures, Totals};
use crate::record::{self, Assigned};
use crate::recording;
use crate::report;
use crate::sim::{Sim, Statistics};
use crate::test_path::TestPath;
use crate::violation::Violation;

/// Runs `body` as the grading test `name`, under the seeds and in the world that the environment
/// asks for, see [`Settings`]. The name is the test function's own.
///
/// # Panics
/// With a report, if a run fails.
#[track_caller]
pub fn lab_test(name: &'static str, body: impl Fn(&Sim) + Send + Sync + 'static) {
    LabTest::new(name).run(body);
}

/// Runs `body` as the grading test `name` of a program whose parts are [processes](crate::Process):
/// on real threads and in real time, whatever the environment says. Only the seeds are taken from
/// it: one run per seed, one after the other. A seed decides what the harness itself draws,
/// and nothing about the processes, so a replay is a new attempt.
///
/// ```no_run
/// use std::process::Command;
/// use testkit::{Process, process_test};
///
/// # fn main() {
/// process_test("server_survives_kill_0a", |_sim| {
///     let mut server = Process::start(Command::new("server").arg("--data=here"));
///     server.kill();
///     let mut server = Process::start(Command::new("server").arg("--data=here"));
///     Process::start(&mut Command::new("client")).succeed();
///     server.interrupt();
///     server.succeed();
/// });
/// # }
/// ```
///
/// # Panics
/// With a report, if a run fails.
#[track_caller]
pub fn process_test(name: &'static str, body: impl Fn(&Sim) + Send + Sync + 'static) {
    LabTest::new(name).on_processes().run(body);
}

/// How long a test with processes may take: longer than the 180 s that the course grants each
/// process, and shorter than the 300 s after which `cargo lab` stops a test that does not end.
const PROCESSES_TIME_LIMIT: Duration = Duration::from_secs(240);

/// A run that reaches its limit of time does so because of a client's call if that has been open
/// for at least so long. A younger one is only what the test was doing just then.
const LONG_CALL: Duration = Duration::from_secs(10);

/// How long the body of a run on real threads may take to unwind when the run is over. The judge's limit
/// leaves room for it after the longest time limit of a test.
const UNWINDING: Duration = Duration::from_secs(5);

/// A grading test that differs from the others in its limits; see [`lab_test`].
#[derive(Clone, Debug)]
pub struct LabTest {
    name: &'static str,
    test_path: TestPath,
    time_limit: Option<Duration>,
    runtime: Runtime,
    /// Used where [`Policy::Stall`] is asked for.
    policy: Policy,
}

/// What a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runtime {
    /// What the settings say.
    FromSettings,
    /// A simulation, or the test is skipped.
    Simulation,
    /// Real threads, with servers that are processes.
    Processes,
}

/// The body of a test, which can run again.
type Body = Arc<dyn Fn(&Sim) + Send + Sync>;

/// A run that is over.
struct Finished {
    outcome: Outcome<Statistics>,
    notes: Notes,
}

impl LabTest {
    /// The test with this name, which is called where it is written.
    #[track_caller]
    pub fn new(name: &'static str) -> Self {
        let test_path = TestPath::new(Location::caller(), name);
        let runtime = Runtime::FromSettings;
        Self { name, test_path, time_limit: None, runtime, policy: Policy::Stall }
    }

    /// Fails a run that takes longer than this, instead of 120 s, or 240 s with processes.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Does not run on real threads, for instance because it crashes servers.
    pub fn simulation_only(mut self) -> Self {
        self.runtime = Runtime::Simulation;
        self
    }

    /// Runs on real threads whatever the environment says, because its servers are processes; see
    /// [`process_test`].
    pub fn on_processes(mut self) -> Self {
        self.runtime = Runtime::Processes;
        self
    }

    /// Uses [`Policy::Random`] instead of [`Policy::Stall`], from which it differs only in that no
    /// task stands still: stalls break ties that a correct solution has to break by itself.
    pub fn without_stalls(mut self) -> Self {
        self.policy = Policy::Random;
        self
    }

    /// Uses [`Policy::Walk`] instead of [`Policy::Stall`]: no task stands still, but tasks that can
    /// run take turns twenty times as often. So another task is likely to come between two steps
    /// that a task takes under one lock each.
    pub fn with_frequent_switches(mut self) -> Self {
        self.policy = Policy::Walk;
        self
    }

    /// Runs `body` once for each seed.
    ///
    /// # Panics
    /// With a report, if a run fails.
    pub fn run(self, body: impl Fn(&Sim) + Send + Sync + 'static) {
        let (settings, twice) = (self.settings(), is_repeated());
        if self.runtime == Runtime::Simulation && settings.backend == Backend::Real {
            record::tell(&record::skipped(self.name, &self.test_path, settings.seed));
            output::skipped(self.name);
            return;
        }
        let body: Body = Arc::new(body);
        let mut totals = Totals::default();
        for seed in settings.seeds() {
            let Finished { mut outcome, notes } = self.run_once(&settings, seed, twice, &body);
            let policy = (settings.backend == Backend::Sim).then_some(settings.policy);
            let mut run =
                record::run_of(self.name, &self.test_path, (seed, policy), &outcome, &notes);
            run.only = settings.accidents.as_ref().map(ToString::to_string);
            run.failure = outcome.result.as_ref().err().map(|failure| {
                let footer = after_others(&totals, &settings);
                let missing = report::missing(&run.missing);
                let accidents = report::accidents(failure, &run.accidents) + &missing;
                let end = report::End { accidents: &accidents, footer: &footer };
                report::failure(self.name, &self.test_path, failure, &notes, end)
            });
            if self.runtime == Runtime::Processes {
                run.statistics = None; // Messages between processes are not counted.
            }
            if let Some(path) = recording::file() {
                recording::write(&path, &self.test_path, &mut run, &mut outcome, &notes);
            }
            record::tell(&run);
            if let Some(failure) = run.failure {
                eprintln!("{}", failure.report);
                // Not `panic`: its message would add a backtrace of the harness.
                panic::resume_unwind(Box::new(failure.report));
            }
            if !run.missing.is_empty() {
                output::note(&report::missing(&run.missing));
            }
            if let Ok(statistics) = outcome.result {
                totals.add(outcome.virtual_time, outcome.cpu_time, statistics);
            }
            if let Some(why) = notes.unknown {
                let runs = totals.unknown.map_or(0, |(runs, _)| runs);
                totals.unknown = Some((runs + 1, why));
            }
        }
        let figures = match self.runtime {
            Runtime::FromSettings | Runtime::Simulation => Figures::All,
            Runtime::Processes => Figures::Time,
        };
        output::passed(self.name, &totals, figures);
    }

    /// What is to be run: what the judge has assigned, else what the environment asks for.
    fn settings(&self) -> Settings {
        let mut settings = match Assigned::to_this_process() {
            Some(Assigned { assignment, .. }) => {
                let (assigned, name) = (&assignment.test, self.name);
                assert!(assigned == name, "{assigned} was assigned to this process, not {name}");
                Settings {
                    backend: assignment.policy.map_or(Backend::Real, |_| Backend::Sim),
                    seed: assignment.seed,
                    runs: 1,
                    policy: assignment.policy.unwrap_or_default(),
                    accidents: assignment.accidents.clone(),
                }
            }
            None => Settings::from_env().unwrap_or_else(|error| panic!("{error}")),
        };
        if self.runtime == Runtime::Processes {
            settings.backend = Backend::Real;
            settings.accidents = None;
        }
        settings
    }

    /// The policy that a run uses when this one is asked for. Records and reports name the one that
    /// was asked for: it selects the same run again.
    fn effective_policy(&self, asked: Policy) -> Policy {
        if asked == Policy::Stall { self.policy } else { asked }
    }

    fn run_once(&self, settings: &Settings, seed: u64, twice: bool, body: &Body) -> Finished {
        // A run that fails is replayed: the report shows the notes of the run itself.
        let first: Arc<OnceLock<Arc<SharedNotes>>> = Arc::default();
        let (slot, body) = (Arc::clone(&first), Arc::clone(body));
        let backend = settings.backend;
        let body = move || {
            let notes = Arc::new(SharedNotes::default());
            slot.set(Arc::clone(&notes)).ok(); // Set already: this is a replay.
            let sim = Sim::new(notes, backend);
            body(&sim);
            sim.statistics()
        };
        let time_limit = self.time_limit.unwrap_or(match self.runtime {
            Runtime::FromSettings | Runtime::Simulation => DEFAULT_TIME_LIMIT,
            Runtime::Processes => PROCESSES_TIME_LIMIT,
        });
        let mut outcome = match settings.backend {
            Backend::Sim => {
                let policy = self.effective_policy(settings.policy);
                let accidents = settings.accidents.clone();
                let simulation = Simulation::new(seed).policy(policy).accidents(accidents);
                match Assigned::to_this_process().and_then(|it| it.assignment.trial) {
                    Some(Trial { until }) => {
                        let until = until.map_or(time_limit, Duration::from_millis);
                        simulation.time_limit(time_limit.min(until)).without_replay().run(body)
                    }
                    None => {
                        let recorded = recording::file().is_some();
                        simulation.time_limit(time_limit).twice(twice).record(recorded).run(body)
                    }
                }
            }
            Backend::Real => run_until_unwound(seed, time_limit, body),
        };
        let mut notes = first.get().map_or_else(Notes::default, |notes| notes.lock().clone());
        if let Err(failure) = &mut outcome.result
            && let Some(violation) = notes.call_of_zombie(&failure.message)
        {
            failure.message.clone_from(&violation.actual);
            notes.violation = Some(violation);
        }
        if let Err(failure) = &mut outcome.result
            && failure.kind == FailureKind::TimeLimit
            && notes.violation.is_none()
            && let Some(latest) = failure.at.checked_sub(LONG_CALL)
            && let Some(open) = notes.calls.as_ref().and_then(|calls| calls.oldest(latest))
        {
            failure.message += &format!(": {}", open.text);
            let violation = Violation::new("every call returns in time", &*failure.message);
            notes.violation = Some(violation.culprit(open.culprit));
        }
        Finished { outcome, notes }
    }
}

/// Runs `body` on real threads, and waits for at most [`UNWINDING`] until its stack has unwound; a body
/// that is stuck is left behind. A run is over as soon as a panic begins, before the stack unwinds: if
/// the process ended then, the processes that the body has started would outlive it.
fn run_until_unwound<T: Send + 'static>(
    seed: u64,
    time_limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    let (at_work, unwound) = mpsc::channel::<()>();
    let outcome = run_real(seed, time_limit, move || {
        let _at_work = at_work;
        body()
    });
    unwound.recv_timeout(UNWINDING).ok(); // Nothing is sent. It fails when the sender is dropped.
    outcome
}

/// Whether the judge wants each run that passes to be repeated.
fn is_repeated() -> bool {
    Assigned::to_this_process().is_some_and(|assigned| assigned.assignment.twice)
}

/// What is known of the runs that this process made before the one that failed.
fn after_others(totals: &Totals, settings: &Settings) -> String {
    if totals.runs == 0 {
        return String::new();
    }
    let (first, last) = (settings.seed, settings.seed.wrapping_add(totals.runs - 1));
    let seeds =
        if first == last { format!("seed {first}") } else { format!("seeds {first} to {last}") };
    format!("\n            ({seeds} had passed before, in the same process)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::kv_history::KvHistory;

    /// The property that a test breaks which reads until its limit of 30 s; from some second on, a
    /// read takes forever. `None` if that is left to the runtime to say.
    fn broken(slow_from: u64) -> Option<String> {
        let body = move |sim: &Sim| {
            let get = |(sim, slow_from): &mut (Sim, u64), _: &str| {
                let is_slow = sim.elapsed().as_secs() >= *slow_from;
                sim.sleep(Duration::from_secs(if is_slow { 1_000 } else { 1 }));
                String::new()
            };
            let put = |_: &mut (Sim, u64), _: &str, _: &str| {};
            let (client, service) = (Client::new(sim, &[]), (sim.clone(), slow_from));
            let mut clerk = KvHistory::new(sim).clerk(&client, service, get, put, put);
            loop {
                clerk.get("x");
            }
        };
        let test = LabTest::new("reads_forever_0a").time_limit(Duration::from_secs(30));
        let (backend, policy) = (Backend::Sim, Policy::Random);
        let settings = Settings { backend, seed: 1, runs: 1, policy, accidents: None };
        let body: Body = Arc::new(body);
        let Finished { outcome, notes } = test.run_once(&settings, 1, false, &body);
        let failure = outcome.result.expect_err("it never ends");
        assert_eq!(failure.kind, FailureKind::TimeLimit);
        assert_eq!(failure.message.contains("get(x) of C0"), notes.violation.is_some());
        notes.violation.map(|violation| violation.property)
    }

    #[test]
    fn time_limit_is_blamed_on_a_call_only_if_that_is_open_for_long() {
        assert_eq!(broken(5).as_deref(), Some("every call returns in time"));
        assert_eq!(broken(25), None);
        assert_eq!(broken(1_000), None);
    }
}
