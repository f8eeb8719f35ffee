//! Runs a closure as a simulation, each time on a fresh thread, and says how it went.

use std::panic::Location;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::accidents::{Accident, AccidentId, Accidents};

use super::activity::Activity;
use super::core::{Core, SpawnSites};
use super::divergence;
use super::failure::{Failure, FailureKind};
use super::hooks::install_process_wide;
use super::poison::unpoisoned;
use super::policy::Policy;
use super::real;
use super::real::run::{Fault, Place};
use super::recorder::{Recorder, Recording};
use super::sys::current;
use super::trace::{Event, Trace};
use super::watchdog::{self, CpuLimits, GivenUp};

/// Virtual time that a test may take unless it says otherwise, as in the course.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(120);

/// What is to be simulated: a seed, a policy, and limits.
///
/// ```
/// use labrpc::{Simulation, sleep};
/// use std::time::Duration;
///
/// let outcome = Simulation::new(7741).run(|| {
///     sleep(Duration::from_secs(60)); // a minute that takes no time
///     6 * 7
/// });
/// assert_eq!(outcome.result.expect("nothing can fail here"), 42);
/// assert!(outcome.virtual_time >= Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    seed: u64,
    policy: Policy,
    time_limit: Duration,
    cpu_limits: CpuLimits,
    tracing: bool,
    /// Whether a run that passes is repeated and compared.
    twice: bool,
    recorded: bool,
    /// Whether a run that fails is repeated with its log kept.
    replayed: bool,
    /// The accidents that may happen; `None` for an ordinary run.
    accidents: Option<Accidents>,
    /// The line that asked for it, which stands for the place where the test's task is spawned.
    site: &'static Location<'static>,
}

/// How a run went.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What the closure returned, or why the run failed.
    pub result: Result<T, Failure>,
    /// Equal for two runs exactly if the same things happened in the same order. Zero on real
    /// threads.
    pub trace_hash: u64,
    /// How many events the hash covers.
    pub events: u64,
    /// Virtual time from start to end; real time on real threads.
    pub virtual_time: Duration,
    /// Processor time that the simulation used. Zero on real threads.
    pub cpu_time: Duration,
    /// What a picture of the run shows, see [`Simulation::record`].
    pub recording: Option<Recording>,
    /// The accidents that have happened, in order, if they [could be
    /// chosen](Simulation::accidents).
    pub accidents: Vec<Accident>,
    /// The accidents that were allowed by name but have not happened: their list is of another
    /// program, test or seed.
    pub missing: Vec<AccidentId>,
}

impl<T> Outcome<T> {
    /// The outcome of a run without a trace.
    fn without_trace(result: Result<T, Failure>, virtual_time: Duration) -> Self {
        Self {
            result,
            trace_hash: 0,
            events: 0,
            virtual_time,
            cpu_time: Duration::ZERO,
            recording: None,
            accidents: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// A closure that can be run again, for a replay.
type Body<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// What one run should do besides running.
#[derive(Default)]
struct Extras {
    /// Keep the last lines of the log.
    keep_log: bool,
    /// Record what happens.
    record: bool,
    /// Send all events here.
    listener: Option<SyncSender<Vec<Event>>>,
    /// Note where tasks are spawned.
    spawn_sites: Option<SpawnSites>,
}

impl Simulation {
    /// A simulation of this seed under the default policy and limits.
    #[track_caller]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            policy: Policy::default(),
            time_limit: DEFAULT_TIME_LIMIT,
            cpu_limits: CpuLimits::default(),
            tracing: true,
            twice: false,
            recorded: false,
            replayed: true,
            accidents: None,
            site: Location::caller(),
        }
    }

    /// Chooses among schedules by this policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Fails the run once more virtual time than this has passed.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Fails the run once its thread has used this much processor time in total (60 s unless set),
    /// or `silence` without one operation of the runtime (5 s unless set).
    pub fn cpu_limits(mut self, total: Duration, silence: Duration) -> Self {
        self.cpu_limits = CpuLimits { silence, total };
        self
    }

    /// Neither keeps nor hashes events: for benchmarks that measure what that costs. Such a run has
    /// no trace hash, and its failures are not compared with a replay.
    pub fn without_trace(mut self) -> Self {
        self.tracing = false;
        self
    }

    /// Repeats a run that passes, and fails it if the second run goes another way: then the first
    /// one has left something behind, for instance in a static, a panic hook or a file.
    pub fn twice(mut self, twice: bool) -> Self {
        self.twice = twice;
        self
    }

    /// Records what happens, for a picture of the run. Recording takes time, so the run is repeated
    /// for it, also one that passes; then that must go the same way, as with [`Simulation::twice`].
    pub fn record(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Lets only these accidents happen; an ordinary run if there are none to choose from.
    ///
    /// Such a run is another one than the ordinary run of its seed: each draw depends on what it
    /// decides, so that a run with one accident less is otherwise the same for as long as possible.
    /// Tasks run in the order in which they become ready, and stand still only under
    /// [`Policy::Stall`].
    pub fn accidents(mut self, accidents: Option<Accidents>) -> Self {
        self.accidents = accidents;
        self
    }

    /// Does not replay a run that fails: its report has neither log nor events, and nothing is
    /// compared. For one of many runs of which only the outcome matters.
    pub fn without_replay(mut self) -> Self {
        self.replayed = false;
        self
    }

    /// Runs `body` as the test's own task, until it returns or anything fails.
    ///
    /// A run that fails is replayed once with its log kept; if the replay goes another way, the
    /// report says where the two went apart.
    pub fn run<T: Send + 'static>(
        &self,
        body: impl Fn() -> T + Send + Sync + 'static,
    ) -> Outcome<T> {
        let body: Body<T> = Arc::new(body);
        let mut outcome = self.run_once(&body, Extras::default());
        if let Err(failure) = &mut outcome.result
            && failure.is_replayable()
            && self.replayed
        {
            let extras = Extras { keep_log: true, record: self.recorded, ..Extras::default() };
            let replay = self.run_once(&body, extras);
            outcome.recording = replay.recording;
            if let Err(replayed) = replay.result {
                failure.log = replayed.log;
                failure.events = replayed.events;
                failure.frames = replayed.frames;
                failure.backtrace = replayed.backtrace;
            }
            if replay.trace_hash != outcome.trace_hash {
                failure.divergence = Some(self.explain_divergence(body));
            }
        } else if outcome.result.is_ok() && (self.twice || self.recorded) && self.tracing {
            let extras = Extras { record: self.recorded, ..Extras::default() };
            let again = self.run_once(&body, extras);
            outcome.recording = again.recording;
            if again.trace_hash != outcome.trace_hash {
                let ending = match &again.result {
                    Ok(_) => "the second one took another course".to_string(),
                    Err(failure) => format!("the second one failed: {}", failure.message),
                };
                let message = format!(
                    "the first of two runs of one seed in one process passed, and {ending}: \
                     something that the first run left behind changes it"
                );
                let mut failure = self.failure(FailureKind::Leak, message, outcome.virtual_time);
                failure.divergence = Some(self.explain_divergence(body));
                outcome.result = Err(failure);
            }
        }
        outcome
    }

    /// Says where two replays go apart.
    fn explain_divergence<T: Send + 'static>(&self, body: Body<T>) -> String {
        let simulation = self.clone();
        divergence::explain(self.seed, move |listener, sites| {
            let extras =
                Extras { listener: Some(listener), spawn_sites: Some(sites), ..Extras::default() };
            simulation.run_once(&body, extras);
        })
    }

    /// One run on a fresh thread.
    fn run_once<T: Send + 'static>(&self, body: &Body<T>, extras: Extras) -> Outcome<T> {
        install_process_wide();
        let activity = Arc::new(Activity::default());
        let (sender, receiver) = mpsc::sync_channel(1);
        let simulation = self.clone();
        let (body, shown) = (Arc::clone(body), Arc::clone(&activity));
        let thread = super::wall::spawn("simulation", move || {
            let outcome = simulation.run_here(body, extras, shown);
            sender.send(outcome).ok(); // Fails if the watchdog has given up on this run.
        });
        match watchdog::supervise(&receiver, &activity, self.cpu_limits) {
            Ok(outcome) => {
                thread.join().ok(); // Its outcome is known; no part of it outlives the run.
                outcome
            }
            Err(given_up) => self.abandoned(given_up),
        }
    }

    /// One run on this thread, which must be fresh.
    fn run_here<T: Send + 'static>(
        &self,
        body: Body<T>,
        extras: Extras,
        activity: Arc<Activity>,
    ) -> Outcome<T> {
        let clock = activity.start();
        let mut trace = Trace::new(self.tracing);
        if let Some(listener) = extras.listener {
            trace.listen(listener, Arc::clone(&activity));
        }
        // Far from the end of the clock, so that adding a little to it never overflows.
        let limit = u64::try_from(self.time_limit.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2);
        let mut core = Core::new(self.seed, self.policy, limit, trace, activity);
        core.spawn_sites = extras.spawn_sites;
        if let Some(accidents) = &self.accidents {
            core.select_keyed_mode(accidents.clone());
        }
        if extras.keep_log {
            core.recent_lines.keep();
        }
        core.recorder = extras.record.then(Recorder::default);
        current::enter_simulation(core);
        let value = Arc::new(Mutex::new(None));
        let place = Arc::clone(&value);
        let root = Box::new(move || {
            let result = body();
            *unpoisoned(place.lock()) = Some(result);
        });
        current::with_core(|core| {
            let failure = core.run(root, self.site);
            let value = unpoisoned(value.lock()).take();
            let result = match failure {
                Some(mut failure) => {
                    failure.log = core.recent_lines.lines();
                    if extras.keep_log {
                        let trace = core.trace.borrow();
                        failure.events = trace.recent().map(ToString::to_string).collect();
                    }
                    Err(failure)
                }
                None => Ok(value.expect("a run without failure has a result")),
            };
            let mut trace = core.trace.borrow_mut();
            trace.finish();
            let (accidents, missing) =
                core.keyed.as_ref().map_or_else(Default::default, |keyed| keyed.outcome());
            Outcome {
                result,
                trace_hash: trace.hash(),
                events: trace.count(),
                virtual_time: Duration::from_nanos(core.now()),
                cpu_time: clock.cpu_time(),
                recording: core.recorder.as_ref().map(Recorder::take),
                accidents,
                missing,
            }
        })
    }

    /// The outcome of a run whose thread never came back and is left behind.
    fn abandoned<T>(&self, given_up: GivenUp) -> Outcome<T> {
        let mut failure = self.failure(given_up.kind, given_up.message, Duration::ZERO);
        failure.task = Some(given_up.task);
        watchdog::leave_behind(&failure);
        Outcome::without_trace(Err(failure), Duration::ZERO)
    }

    /// A failure that no task of the run has noticed.
    fn failure(&self, kind: FailureKind, message: String, at: Duration) -> Failure {
        Failure {
            policy: Some(self.policy),
            only: self.accidents.as_ref().map(ToString::to_string),
            ..Failure::new(kind, message, at, self.seed)
        }
    }
}

/// Runs `body` on real threads in real time.
///
/// The run fails if `body` or any thread that it started panics, or if it takes longer than
/// `time_limit`. Threads that are left end at their next operation of the runtime.
pub fn run_real<T: Send + 'static>(
    seed: u64,
    time_limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    install_process_wide();
    let started = super::wall::now();
    let result = real::execute(seed, time_limit, body);
    let virtual_time = Duration::from_nanos(super::wall::now() - started);
    let failure = |Fault { kind, message, place }: Fault| {
        let Place { location, frames, backtrace } = place.unwrap_or_default();
        Failure { location, frames, backtrace, ..Failure::new(kind, message, virtual_time, seed) }
    };
    let result = result.map_err(failure);
    Outcome::without_trace(result, virtual_time)
}
