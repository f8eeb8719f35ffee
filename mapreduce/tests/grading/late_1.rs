use std::fs;
use std::time::Duration;

use labrpc::sleep;
use testkit::{Process, poll, process_test};

use crate::job::{Job, wait_for};

/// Longer than a worker may take for a task here.
const MORE_THAN_TIMEOUT: Duration = Duration::from_millis(1_200);

/// How long a worker may take to report.
const TIME_TO_REPORT: Duration = Duration::from_secs(2);

/// How many workers are late with the same task: more than twice might be taken for a fault of it.
const LATE: usize = 3;

/// The keys of the job: one for each of its two reduce tasks.
const KEYS: [&str; 2] = ["a", "b"];

/// Starts the coordinator of a job with two reduce tasks of one key each.
fn start(job: &Job) -> Process {
    fs::write(job.path("../keys"), KEYS.join(" ")).expect("the directory is ours");
    job.coordinator_with(&["--task-timeout", "1", "--reduces", "2", "../keys"])
}

/// The first key that a worker reduces, or has reduced.
fn key_at(job: &Job, worker: u32) -> Option<&'static str> {
    KEYS.into_iter().find(|key| is_at(job, worker, key))
}

/// Whether a worker reduces this key, or has reduced it. It waits to be let on.
fn is_at(job: &Job, worker: u32, key: &str) -> bool {
    job.is_at_gate(&worker.to_string(), key)
}

/// Lets a worker reduce this key, now or later.
fn let_on(job: &Job, worker: u32, key: &str) {
    job.open_gate(&worker.to_string(), key);
}

/// Workers take too long for a task, and another one does it. When they report their own results,
/// which differ, the output does not change, and the job does not fail.
#[test]
fn late_report_changes_nothing_1() {
    process_test("late_report_changes_nothing_1", |sim| {
        let job = Job::without_books(sim);
        let mut coordinator = start(&job);
        let mut workers: Vec<Process> = Vec::new();
        let (key, mut owners) = loop {
            workers.push(job.test_worker("owner"));
            let last = workers.last().expect("one was started").id();
            let goal = "one more worker reduces";
            wait_for(goal, &mut [&mut coordinator], || key_at(&job, last).is_some());
            let owners =
                |key| ids(&workers).into_iter().filter(|&id| is_at(&job, id, key)).collect();
            let mut all = KEYS.into_iter().map(|key| (key, owners(key)));
            if let Some(found) = all.find(|(_, owners): &(_, Vec<u32>)| owners.len() > LATE) {
                break found;
            }
            sleep(MORE_THAN_TIMEOUT);
        };
        let quick = owners.pop().expect("more than have to be late");
        let_on(&job, quick, key);
        wait_for("there is an output", &mut [&mut coordinator], || !job.output().is_empty());
        let first = job.output();
        let check = |job: &Job| {
            let now = job.output();
            if !first.iter().all(|line| now.contains(line)) {
                let actual = format!("{first:?} became {now:?} when slow workers reported");
                sim.violated("an output never changes", actual);
            }
        };
        for late in owners {
            let_on(&job, late, key);
            // When it has reported, it gets the other task, if anything.
            let has_other = || KEYS.iter().all(|key| is_at(&job, late, key)).then_some(());
            poll(TIME_TO_REPORT, Duration::from_millis(10), has_other);
            check(&job);
        }
        for worker in ids(&workers) {
            KEYS.iter().for_each(|key| let_on(&job, worker, key));
        }
        coordinator.succeed();
        check(&job);
        workers.iter_mut().for_each(|worker| {
            worker.wait();
        });
    });
}

/// The process ids of workers.
fn ids(workers: &[Process]) -> Vec<u32> {
    workers.iter().map(Process::id).collect()
}

/// A worker is killed while it reduces: when the job is done, its unfinished file is gone.
#[test]
fn killed_worker_leaves_no_file_1() {
    process_test("killed_worker_leaves_no_file_1", |sim| {
        let job = Job::without_books(sim);
        let mut coordinator = start(&job);
        let mut victim = job.test_worker("owner");
        let id = victim.id();
        wait_for("a worker reduces", &mut [&mut coordinator], || key_at(&job, id).is_some());
        victim.kill();
        let mut worker = job.test_worker("owner");
        KEYS.iter().for_each(|key| let_on(&job, worker.id(), key));
        coordinator.succeed();
        worker.wait();
        let is_unfinished = |name: &String| name.starts_with("mr-tmp-");
        let left: Vec<String> = job.names().into_iter().filter(is_unfinished).collect();
        if !left.is_empty() {
            let actual = format!("{left:?} are left of a worker that was killed");
            sim.violated("a job that is done leaves no unfinished files", actual);
        }
    });
}
