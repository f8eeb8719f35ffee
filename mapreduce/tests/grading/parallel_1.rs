use testkit::process_test;

use crate::job::Job;

/// Two workers run map tasks at the same time.
#[test]
fn map_parallelism_1() {
    process_test("map_parallelism_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let (mut background, mut foreground) =
            (job.test_worker("mtiming"), job.test_worker("mtiming"));
        foreground.succeed();
        let output = job.output();
        let workers = output.iter().filter(|line| line.starts_with("times-")).count();
        assert_eq!(workers, 2, "workers that ran map tasks: {output:?}");
        let is_parallel = |line: &String| line.starts_with("parallel-") && line.contains(" 2");
        assert!(output.iter().any(is_parallel), "map tasks do not run in parallel: {output:?}");
        background.succeed();
        coordinator.succeed();
    });
}

/// Two workers run reduce tasks at the same time.
#[test]
fn reduce_parallelism_1() {
    process_test("reduce_parallelism_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let (mut background, mut foreground) =
            (job.test_worker("rtiming"), job.test_worker("rtiming"));
        foreground.succeed();
        let output = job.output();
        let parallel = output.iter().filter(|line| line.ends_with(" 2")).count();
        assert!(parallel >= 2, "too few parallel reduces: {output:?}");
        background.succeed();
        coordinator.succeed();
    });
}

/// Without failures every map task runs once, although some take almost five seconds; and workers
/// that come when all is over do not stay.
#[test]
fn job_count_1() {
    process_test("job_count_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let (mut background, mut foreground) =
            (job.test_worker("jobcount"), job.test_worker("jobcount"));
        foreground.succeed();
        let (mut third, mut fourth) = (job.test_worker("jobcount"), job.test_worker("jobcount"));
        fourth.wait();
        third.wait();
        background.succeed();
        coordinator.succeed();
        assert_eq!(job.output(), ["a 8"], "map tasks ran another number of times");
    });
}
