//! Inputs are never removed or overwritten, whatever they are called.

use std::fs;
use std::os::unix::fs::symlink;

use testkit::process_test;

use crate::SEQUENTIAL;
use crate::job::{COORDINATOR, Job};

/// Starts a program on an input that the job would destroy, with and without `--replace`.
fn check_refused(job: &Job, program: &str, args: &[&str], named: &str) {
    let before = contents(job);
    let with_replace: Vec<&str> = ["--replace"].iter().chain(args).copied().collect();
    for args in [args, &with_replace] {
        let said = job.start(program, args).fail_with(5);
        assert!(said.contains(named), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(contents(job), before, "{args:?} has changed something");
    }
}

/// The files of the job's directory with what is in them.
fn contents(job: &Job) -> Vec<(String, String)> {
    let read = |name: String| {
        let text = fs::read_to_string(job.path(&name)).unwrap_or_default();
        (name, text)
    };
    job.names().into_iter().map(read).collect()
}

/// An input with the name of an output or an intermediate file is refused.
#[test]
fn inputs_named_like_files_of_the_job() {
    process_test("inputs_named_like_files_of_the_job", |sim| {
        let job = Job::without_books(sim);
        for name in ["mr-out-0", "mr-out-7", "mr-0-2"] {
            fs::write(job.path(name), "precious").expect("the directory is ours");
        }
        check_refused(&job, COORDINATOR, &["mr-out-*"], "mr-out-0");
        check_refused(&job, COORDINATOR, &["./mr-0-2"], "mr-0-2");
        check_refused(&job, SEQUENTIAL, &["wc", "mr-out-0"], "mr-out-0");
    });
}

/// The same through symbolic links to the file or its directory, and for a hard link.
#[test]
fn inputs_behind_links() {
    process_test("inputs_behind_links", |sim| {
        let job = Job::without_books(sim);
        fs::write(job.path("mr-out-0"), "precious").expect("the directory is ours");
        symlink("mr-out-0", job.path("link")).expect("the directory is ours");
        symlink(job.path(""), job.path("../directory")).expect("the directory is ours");
        fs::hard_link(job.path("mr-out-0"), job.path("other")).expect("the directory is ours");
        for input in ["link", "../directory/mr-out-0", "other"] {
            check_refused(&job, COORDINATOR, &[input], "mr-out-0: this input");
            check_refused(&job, SEQUENTIAL, &["wc", input], "mr-out-0: this input");
        }
        // The name of the job's is the link, and the input is elsewhere.
        fs::write(job.path("../elsewhere"), "precious").expect("the directory is ours");
        symlink("../elsewhere", job.path("mr-0-0")).expect("the directory is ours");
        check_refused(&job, COORDINATOR, &["../elsewhere"], "mr-0-0: this input");
    });
}

/// An input with the lock's name, and a socket with the name of another file of the job.
#[test]
fn inputs_and_sockets_with_other_names_of_the_job() {
    process_test("inputs_and_sockets_with_other_names_of_the_job", |sim| {
        let job = Job::new(sim);
        fs::write(job.path("mr.lock"), "").expect("the directory is ours");
        check_refused(&job, COORDINATOR, &["mr.lock"], "mr.lock: this input");
        check_refused(&job, SEQUENTIAL, &["wc", "mr.lock"], "mr.lock: this input");
        check_refused(&job, COORDINATOR, &["../pg-grimm.txt"], "mr.lock: this is not the lock");
        fs::remove_file(job.path("mr.lock")).expect("it is there");
        for socket in ["mr-out-3", "./mr-0-0", "../job/mr.lock"] {
            let args = ["--socket", socket, "../pg-grimm.txt"];
            check_refused(&job, COORDINATOR, &args, &format!("--socket {socket}"));
        }
        let args = ["--socket", "../pg-tom_sawyer.txt", "../pg-grimm.txt"];
        check_refused(&job, COORDINATOR, &args, "cannot listen at unix:../pg-tom_sawyer.txt");
    });
}
