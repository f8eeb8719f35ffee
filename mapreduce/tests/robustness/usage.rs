use testkit::process_test;

use crate::SEQUENTIAL;
use crate::job::{COORDINATOR, Job, WORKER};

/// Wrong usage is explained, with exit code 5, and changes nothing.
#[test]
fn mistakes_are_explained() {
    process_test("mistakes_are_explained", |sim| {
        let job = Job::new(sim);
        for (program, args, problem) in [
            (COORDINATOR, &[][..], "<FILE>"),
            (COORDINATOR, &["../pg-none*.txt"], "../pg-none*.txt: no such file"),
            (COORDINATOR, &["--reduces", "0", "../pg-grimm.txt"], "invalid value '0'"),
            (
                COORDINATOR,
                &["--split-size", "0", "../pg-grimm.txt"],
                "the size must be at least 1 byte",
            ),
            (COORDINATOR, &["--split-size", "x", "../pg-grimm.txt"], "the size must be a number"),
            (
                COORDINATOR,
                &["--socket", "none/x", "../pg-grimm.txt"],
                "cannot listen at unix:none/x",
            ),
            (COORDINATOR, &["--listen", "here", "../pg-grimm.txt"], "names no port"),
            (COORDINATOR, &[".."], "..: this is not a regular file"),
            (WORKER, &[], "<APP>"),
            (WORKER, &["sort"], "there is no app 'sort'"),
            (WORKER, &["grep"], "grep needs a PATTERN"),
            (WORKER, &["grep", "("], "unclosed group"),
            (WORKER, &["wc", "extra"], "unexpected argument 'extra'"),
            (WORKER, &["--slots", "0", "wc"], "invalid value '0'"),
            (SEQUENTIAL, &["wc"], "an input file is missing"),
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
fn help_is_given() {
    process_test("help_is_given", |sim| {
        let job = Job::without_books(sim);
        for program in [COORDINATOR, WORKER, SEQUENTIAL] {
            job.start(program, &["--help"]).succeed();
        }
    });
}
