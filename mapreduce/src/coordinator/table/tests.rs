use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

fn worker(process: u32) -> WorkerId {
    WorkerId { process, slot: 0 }
}

/// The attempt that a worker gets.
fn given(table: &mut TaskTable, process: u32, seconds: u64) -> Attempt {
    match table.ask(worker(process), at(seconds)) {
        Next::Run(attempt) => attempt,
        other => panic!("W{process} got {other:?} at {seconds} s"),
    }
}

#[test]
fn reduce_tasks_wait_for_all_map_tasks() {
    let mut table = TaskTable::new(2, 1, TIMEOUT);
    let (a, b) = (given(&mut table, 1, 0), given(&mut table, 2, 0));
    assert_eq!((a.task, b.task), (TaskId::Map(0), TaskId::Map(1)));
    assert_eq!(table.ask(worker(3), at(1)), Next::Wait);
    table.finish(a);
    assert_eq!(table.ask(worker(1), at(1)), Next::Wait, "map 1 runs");
    table.finish(b);
    let c = given(&mut table, 1, 2);
    assert_eq!(c.task, TaskId::Reduce(0));
    assert_eq!(table.ask(worker(2), at(2)), Next::Wait, "the job is not over");
    table.finish(c);
    assert_eq!(table.ask(worker(2), at(3)), Next::Done);
}

#[test]
fn a_task_is_reassigned_after_ten_seconds_and_not_before() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    let slow = given(&mut table, 1, 0);
    assert_eq!(table.ask(worker(2), at(9)), Next::Wait);
    assert_eq!(table.next_change(), Some(at(10)));
    let second = given(&mut table, 2, 10);
    assert_eq!((second.task, table.status().reassigned), (slow.task, 1));
    assert!(table.wants(slow), "the slow worker may still be first");
    table.finish(slow);
    assert!(!table.wants(second), "but only one result counts");
    table.fail(second, worker(2), "too late to matter", at(11));
    assert_eq!(given(&mut table, 2, 12).task, TaskId::Reduce(0));
}

#[test]
fn a_failure_sends_the_task_to_another_worker_first() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    let first = given(&mut table, 1, 0);
    table.fail(first, worker(1), "panic", at(0));
    assert_eq!(table.ask(worker(1), at(0)), Next::Wait);
    let second = given(&mut table, 2, 0);
    table.fail(first, worker(1), "panic, reported twice", at(0));
    assert_eq!(table.ask(worker(3), at(0)), Next::Wait, "W2 still runs it");
    table.finish(second);
    assert!(table.given_up().is_none());
}

#[test]
fn a_worker_alone_tries_again_and_the_job_is_given_up_in_the_end() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    for second in 0..EQUAL_FAILURES_TO_GIVE_UP as u64 {
        let attempt = given(&mut table, 1, second);
        table.fail(attempt, worker(1), "no such file", at(second));
    }
    assert_eq!(table.ask(worker(1), at(60)), Next::GivenUp);
    let reason = table.given_up().unwrap().to_string();
    assert_eq!(reason, "map 0 failed 6 times on 1 worker; last cause: no such file");
}

#[test]
fn the_same_failure_on_three_processes_is_the_end() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    for process in 1..=3 {
        assert!(table.given_up().is_none());
        let attempt = given(&mut table, process, 0);
        table.fail(attempt, worker(process), "panic: index out of bounds", at(0));
    }
    assert_eq!(table.ask(worker(4), at(0)), Next::GivenUp);
}

#[test]
fn failures_that_differ_in_names_only_are_the_same() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    for process in 1..=3 {
        assert!(table.given_up().is_none());
        let attempt = given(&mut table, process, 0);
        let cause = format!("./mr-tmp-{process:016x}-aB: no space left on device");
        table.fail(attempt, worker(process), &cause, at(0));
    }
    assert!(table.given_up().is_some());
}

#[test]
fn a_task_runs_until_its_worker_is_late() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    assert!(!table.is_running(at(0)));
    let attempt = given(&mut table, 1, 0);
    assert!(table.is_running(at(9)) && !table.is_running(at(10)));
    table.finish(attempt);
    assert!(!table.is_running(at(1)));
}

#[test]
fn reports_of_tasks_that_do_not_exist_are_not_wanted() {
    let mut table = TaskTable::new(1, 1, TIMEOUT);
    let attempt = given(&mut table, 1, 0);
    assert!(!table.wants(Attempt { task: TaskId::Map(7), ..attempt }));
    assert!(!table.wants(Attempt { number: 99, ..attempt }), "never handed out");
}

/// What can happen to an attempt.
enum Event {
    /// The worker asks.
    Ask(u32),
    /// A report arrives; it may be the second one of its attempt, or very late.
    Report { attempt: Attempt, failed_on: Option<u32> },
}

/// A job with workers that crash, stall, and report twice, late or never, in virtual time.
struct SimulatedJob {
    rng: Pcg64,
    table: TaskTable,
    events: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    /// When each task was handed out last.
    handed_out: BTreeMap<TaskId, Instant>,
    finished: BTreeSet<TaskId>,
}

impl SimulatedJob {
    fn new(seed: u64) -> Self {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (maps, reduces) = (rng.random_range(1..12_u32), rng.random_range(1..8_u32));
        let table = TaskTable::new(maps as usize, reduces as usize, TIMEOUT);
        let mut job = Self {
            rng,
            table,
            events: BTreeMap::new(),
            scheduled: 0,
            handed_out: BTreeMap::new(),
            finished: BTreeSet::new(),
        };
        for process in 0..job.rng.random_range(1..6) {
            job.schedule(at(0), Event::Ask(process));
        }
        job
    }

    fn schedule(&mut self, when: Instant, event: Event) {
        self.scheduled += 1;
        self.events.insert((when, self.scheduled), event);
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(0..most))
    }

    /// Runs until every worker has been told that the job is over; returns when that was.
    fn run(&mut self) -> Instant {
        let mut last = at(0);
        while let Some(((now, _), event)) = self.events.pop_first() {
            assert!(now < at(3600), "the job does not end: {:?}", self.table);
            last = now;
            match event {
                Event::Ask(process) => self.ask(process, now),
                Event::Report { attempt, failed_on } => self.report(attempt, failed_on, now),
            }
        }
        last
    }

    fn ask(&mut self, process: u32, now: Instant) {
        match self.table.ask(worker(process), now) {
            Next::Run(attempt) => self.hand_out(process, attempt, now),
            Next::Wait => {
                let later = self.millis(500) + Duration::from_millis(1);
                self.schedule(now + later, Event::Ask(process));
            }
            Next::Done => assert_eq!(self.finished.len(), self.handed_out.len(), "told too early"),
            Next::GivenUp => panic!("gave up: {:?}", self.table.given_up()),
        }
    }

    fn hand_out(&mut self, process: u32, attempt: Attempt, now: Instant) {
        let task = attempt.task;
        assert!(!self.finished.contains(&task), "{task} was done");
        if let TaskId::Reduce(_) = task {
            let maps = self.finished.iter().filter(|task| matches!(task, TaskId::Map(_))).count();
            assert_eq!(maps, self.table.status().maps, "{task} runs before all maps are done");
        }
        if let Some(before) = self.handed_out.insert(task, now) {
            assert!(now >= before + TIMEOUT, "{task} has two attempts within ten seconds");
        }
        let (work, stall) = (self.millis(4000), self.millis(30_000));
        let again = match self.rng.random_range(0..10_u32) {
            // A crash before or after the report; another worker is started.
            0 => now + work,
            1 => {
                self.schedule(now + work, Event::Report { attempt, failed_on: None });
                now + work
            }
            // A stall, perhaps beyond the ten seconds.
            2 | 3 => {
                self.schedule(now + stall, Event::Report { attempt, failed_on: None });
                now + stall
            }
            // The report arrives twice, the second time perhaps much later.
            4 => {
                self.schedule(now + work, Event::Report { attempt, failed_on: None });
                self.schedule(now + work + stall, Event::Report { attempt, failed_on: None });
                now + work
            }
            // A failure, which is reported late: the next attempt may be under way.
            5 if self.rng.random_range(0..4_u32) == 0 => {
                let when = now + TIMEOUT + work;
                self.schedule(when, Event::Report { attempt, failed_on: Some(process) });
                when
            }
            _ => {
                self.schedule(now + work, Event::Report { attempt, failed_on: None });
                now + work
            }
        };
        self.schedule(again, Event::Ask(process));
    }

    fn report(&mut self, attempt: Attempt, failed_on: Option<u32>, now: Instant) {
        let is_wanted = self.table.wants(attempt);
        assert_eq!(is_wanted, !self.finished.contains(&attempt.task));
        match failed_on {
            Some(process) => {
                let cause = format!("cause {}", attempt.number);
                self.table.fail(attempt, worker(process), &cause, now);
            }
            None if is_wanted => {
                self.table.finish(attempt);
                self.finished.insert(attempt.task);
            }
            None => {}
        }
    }
}

/// Crashes, stalls, duplicates and late reports: every task counts once, no reduce task starts
/// early, nothing is handed out twice within ten seconds, and the job ends.
#[test]
fn a_thousand_jobs_survive_their_workers() {
    let mut longest = at(0);
    for seed in 0..1000 {
        let mut job = SimulatedJob::new(seed);
        longest = longest.max(job.run());
        let status = job.table.status();
        assert!(job.table.is_done(), "seed {seed}: {status:?}");
        let tasks = status.maps_done + status.reduces_done;
        assert_eq!(job.finished.len(), tasks, "seed {seed}");
    }
    assert!(longest > at(60), "a dull test: the longest job took {longest:?}");
}
