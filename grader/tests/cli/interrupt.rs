//! Ctrl-C, and two graders at once.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::fixture::Fixture;

/// A fixture with a bug that hangs, a grader that runs it, and the file that shows that it hangs.
fn hanging() -> (Fixture, Child, PathBuf) {
    let marker =
        tempfile::NamedTempFile::new().expect("there is room").into_temp_path().to_path_buf();
    let code = format!(
        "{{ std::fs::write({marker:?}, std::process::id().to_string()).unwrap(); \
         loop {{ std::thread::park() }} }}"
    );
    let fixture = Fixture::new().with_patch("bugs", "hang", &code);
    let mut command = fixture.grader(&["bugs"]);
    let grader = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the grader can be run");
    wait_for("the bug to hang", || fs::read_to_string(&marker).is_ok_and(|text| !text.is_empty()));
    (fixture, grader, marker)
}

/// Waits until something is true.
fn wait_for(what: &str, goal: impl Fn() -> bool) {
    let begin = Instant::now();
    while !goal() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited too long for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process is there.
fn is_alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok())
}

#[test]
fn ctrl_c_ends_the_tests_and_removes_the_tree() {
    let (fixture, grader, marker) = hanging();
    let test: i32 = fs::read_to_string(&marker).unwrap().parse().unwrap();
    assert!(is_alive(test) && fixture.home().join("tree").exists());
    kill_process(Pid::from_child(&grader), Signal::INT).unwrap();
    let output = grader.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("interrupted before any of the bugs was finished"), "{said}");
    wait_for("the test to end", || !is_alive(test));
    for name in ["tree", "runs"] {
        assert!(!fixture.home().join(name).exists(), "{name} is left");
    }
    fs::remove_file(marker).unwrap();
}

#[test]
fn second_grader_is_refused() {
    let (fixture, mut grader, marker) = hanging();
    let (code, _, err) = fixture.run(&["bugs"]);
    assert_eq!(code, 5);
    assert!(err.contains("another grader is running"), "{err}");
    kill_process(Pid::from_child(&grader), Signal::TERM).unwrap();
    assert_eq!(grader.wait().unwrap().code(), Some(130));
    // The lock went with it.
    let (code, _, err) = fixture.run(&["bugs", "--time-out", "5"]);
    assert_eq!(code, 0, "{err}");
    fs::remove_file(marker).unwrap();
}
