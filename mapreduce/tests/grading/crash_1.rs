use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use labrpc::{Instant, sleep};
use testkit::{Process, process_test};

use crate::job::{Job, LONG_LIMIT};
use crate::oracle;

/// Pause before a dead worker is replaced, as in the course.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts a worker again and again.
#[derive(Default)]
struct Relauncher {
    worker: Option<Process>,
    ended: Option<Instant>,
}

impl Relauncher {
    fn tend(&mut self, job: &Job) {
        if let Some(worker) = &mut self.worker {
            if worker.ended().is_some() {
                self.worker = None;
                self.ended = Some(Instant::now());
            }
        } else if self.ended.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.worker = Some(crashing_worker(job));
        }
    }
}

/// A worker that ends in one call of three.
fn crashing_worker(job: &Job) -> Process {
    job.test_worker("crash").time_limit(LONG_LIMIT).may_die()
}

/// Asserts that outputs are whole from the moment they exist, and never change again.
fn check_whole(job: &Job, seen: &mut BTreeMap<String, String>) {
    for name in job.output_names() {
        let text = fs::read_to_string(job.path(&name)).expect("it was there just now");
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "{name} has a partial last line: {text:?}"
        );
        let before = seen.entry(name.clone()).or_insert_with(|| text.clone());
        assert!(*before == text, "{name} has changed from {before:?} to {text:?}");
    }
}

/// Workers that crash in a third of the calls and sleep in another third are replaced, and the
/// output is right.
#[test]
fn crash_1() {
    process_test("crash_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator().time_limit(LONG_LIMIT);
        let _once = crashing_worker(&job);
        let mut workers: [Relauncher; 3] = Default::default();
        let mut seen = BTreeMap::new();
        while coordinator.ended().is_none() {
            workers.iter_mut().for_each(|worker| worker.tend(&job));
            check_whole(&job, &mut seen);
            sleep(Duration::from_millis(20));
        }
        coordinator.succeed();
        job.check_output(&oracle::survivors(&job.books()));
    });
}

/// Workers can be killed at any moment without harm.
#[test]
fn killed_workers_1() {
    process_test("killed_workers_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator_with(&["--task-timeout", "1", "../pg-*.txt"]);
        let mut seen = BTreeMap::new();
        for millis in [30, 60, 90, 120, 150, 180] {
            let mut victim = job.worker("wc");
            sleep(Duration::from_millis(millis));
            victim.kill();
            check_whole(&job, &mut seen);
        }
        let mut survivor = job.worker("wc");
        coordinator.succeed();
        survivor.wait(); // Its exit code is not 0 if the victims had done all the work.
        check_whole(&job, &mut seen);
        job.check_output(&oracle::word_count(&job.books()));
    });
}
