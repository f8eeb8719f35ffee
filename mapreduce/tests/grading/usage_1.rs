use testkit::process_test;

use crate::job::{COORDINATOR, Job, SEQUENTIAL, WORKER};

/// Wrong usage is explained, with exit code 5.
#[test]
fn mistakes_are_explained_1() {
    process_test("mistakes_are_explained_1", |_sim| {
        let job = Job::new();
        for (program, args, problem) in [
            (COORDINATOR, &[][..], "<FILE>"),
            (COORDINATOR, &["../pg-none*.txt"], "../pg-none*.txt: there is no such file"),
            (COORDINATOR, &["--reduces", "0", "../pg-grimm.txt"], "invalid value '0'"),
            (COORDINATOR, &["--split-size", "0", "../pg-grimm.txt"], "nothing fits into nothing"),
            (
                COORDINATOR,
                &["--socket", "none/x", "../pg-grimm.txt"],
                "cannot listen at unix:none/x",
            ),
            (COORDINATOR, &["--listen", "here", "../pg-grimm.txt"], "names no port"),
            (COORDINATOR, &[".."], "this is no file"),
            (WORKER, &[], "<APP>"),
            (WORKER, &["sort"], "there is no app 'sort'"),
            (WORKER, &["grep"], "grep needs a PATTERN"),
            (WORKER, &["grep", "("], "unclosed group"),
            (WORKER, &["wc", "extra"], "what is 'extra'?"),
            (WORKER, &["--slots", "0", "wc"], "invalid value '0'"),
            (SEQUENTIAL, &["wc"], "name at least one input file"),
            (SEQUENTIAL, &["wc", "../none"], "../none"),
        ] {
            let said = job.start(program, args).fail_with(5);
            assert!(said.contains(problem), "{args:?}: {said}");
        }
        assert_eq!(job.names(), [""; 0], "a mistake leaves files");
    });
}

/// Help is not a mistake.
#[test]
fn help_is_given_1() {
    process_test("help_is_given_1", |_sim| {
        let job = Job::without_books();
        for program in [COORDINATOR, WORKER, SEQUENTIAL] {
            job.start(program, &["--help"]).succeed();
        }
    });
}

/// A second coordinator at the same socket touches nothing of the first one's job.
#[test]
fn second_coordinator_is_refused_1() {
    process_test("second_coordinator_is_refused_1", |_sim| {
        let job = Job::new();
        let mut first = job.coordinator();
        let said = job.coordinator().fail_with(5);
        assert!(said.contains("another server listens there"), "{said}");
        let mut worker = job.worker("wc");
        first.succeed();
        worker.succeed();
    });
}
