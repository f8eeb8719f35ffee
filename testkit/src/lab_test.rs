//! Runs a test's body under each seed that was asked for, and says how it went.

use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use labrpc::{Backend, DEFAULT_TIME_LIMIT, Outcome, Settings, Simulation, run_real};

use crate::board::{Board, Notes};
use crate::output::{self, Totals};
use crate::place::Place;
use crate::record::{self, Record, Verdict};
use crate::report::report;
use crate::sim::{Sim, Statistics};

/// Runs `body` as the grading test `name`, under the seeds and in the world that the environment
/// asks for, see [`Settings`]. The name is the test function's own.
///
/// # Panics
/// With a report, if a run fails.
#[track_caller]
pub fn lab_test(name: &'static str, body: impl Fn(&Sim) + Send + Sync + 'static) {
    LabTest::new(name).run(body);
}

/// A grading test that differs from the others in its limits; see [`lab_test`].
#[derive(Clone, Debug)]
pub struct LabTest {
    name: &'static str,
    place: Place,
    time_limit: Duration,
    simulation_only: bool,
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
        let place = Place::new(Location::caller(), name);
        Self { name, place, time_limit: DEFAULT_TIME_LIMIT, simulation_only: false }
    }

    /// Fails a run that takes longer than this, instead of 120 s.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Does not run on real threads, for instance because it crashes servers.
    pub fn simulation_only(mut self) -> Self {
        self.simulation_only = true;
        self
    }

    /// Runs `body` once for each seed.
    ///
    /// # Panics
    /// With a report, if a run fails.
    pub fn run(self, body: impl Fn(&Sim) + Send + Sync + 'static) {
        record::read_nonce(); // Before any student code runs.
        let settings = Settings::from_env().unwrap_or_else(|error| panic!("{error}"));
        if self.simulation_only && settings.backend == Backend::Real {
            record::append(&Record::skipped(self.name, &self.place, settings.seed));
            output::skipped(self.name);
            return;
        }
        let body: Body = Arc::new(body);
        let mut totals = Totals::default();
        for seed in settings.seeds() {
            let Finished { outcome, notes } = self.run_once(settings, seed, &body);
            let verdict = Verdict::of(&outcome, &notes);
            let report = outcome.result.as_ref().err().map(|failure| {
                let text = report(self.name, &self.place, failure, &notes);
                if totals.runs == 0 { text } else { text + &after_others(&totals, settings) }
            });
            let mut record = Record::of(self.name, &self.place, seed, verdict, &outcome);
            record.policy = (settings.backend == Backend::Sim).then(|| settings.policy.to_string());
            record.failure.clone_from(&report);
            record::append(&record);
            match (outcome.result, report) {
                (Ok(statistics), _) => {
                    totals.add(outcome.virtual_time, outcome.cpu_time, statistics);
                    if let Some(why) = notes.unknown {
                        let runs = totals.unknown.map_or(0, |(runs, _)| runs);
                        totals.unknown = Some((runs + 1, why));
                    }
                }
                (Err(_), Some(report)) => panic!("{report}"),
                (Err(_), None) => unreachable!("a failure has a report"),
            }
        }
        output::passed(self.name, &totals);
    }

    /// One run.
    fn run_once(&self, settings: Settings, seed: u64, body: &Body) -> Finished {
        // A run that fails is replayed: the report shows the board of the run itself.
        let boards: Arc<OnceLock<Arc<Board>>> = Arc::default();
        let (first, body) = (Arc::clone(&boards), Arc::clone(body));
        let body = move || {
            let board = Arc::new(Board::default());
            first.set(Arc::clone(&board)).ok(); // Set already: this is a replay.
            let sim = Sim::new(board, settings.backend);
            body(&sim);
            sim.statistics()
        };
        let mut outcome = match settings.backend {
            Backend::Sim => {
                Simulation::new(seed).policy(settings.policy).time_limit(self.time_limit).run(body)
            }
            Backend::Real => run_real(seed, self.time_limit, body),
        };
        let mut notes = boards.get().map_or_else(Notes::default, |board| board.notes().clone());
        if let Err(failure) = &mut outcome.result
            && let Some(violation) = notes.accuse_zombie(&failure.message)
        {
            failure.message.clone_from(&violation.actual);
            notes.violation = Some(violation);
        }
        Finished { outcome, notes }
    }
}

/// How many runs had passed before one failed.
fn after_others(totals: &Totals, settings: Settings) -> String {
    format!("\n            ({} of {} runs had passed)", totals.runs, settings.runs)
}
