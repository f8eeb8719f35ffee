//! Test binaries that misbehave, and machines that do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::{Fixture, Ran};

#[test]
fn only_a_completion_record_is_a_pass() {
    let fixture = Fixture::new();
    let why = "actual    the process ended with exit code 0 before the run was over; \
               does the code call std::process::exit?";
    fixture.lab("test exits_9d").expect(1).shows(why);
    let ran = fixture.lab("test forges_9d").expect(1);
    ran.shows("actual    the record carries another run's nonce")
        .shows("test result: ok. 1 passed");
    let ran = fixture.lab("stress exits_9d -n 25").expect(1);
    ran.shows("exits_9d      25     25");
}

#[test]
fn a_process_that_hangs_is_stopped_with_all_it_started() {
    let fixture = Fixture::new();
    let ran = fixture.lab("test hangs_9d --patience 1").expect(1);
    ran.shows("actual    it did not end within 1 s and was stopped");
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_sleeping_in(&fixture) {
        assert!(Instant::now() < deadline, "what the test has started is still there");
        thread::sleep(Duration::from_millis(20));
    }
    fixture.lab("replay hangs_9d 3 --patience 1").expect(1).shows("FAIL hangs_9d 3:stall");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux shows the processes in /proc")]
fn ctrl_c_leaves_no_process_behind() {
    let fixture = Fixture::new();
    fixture.lab("test passes_9a").expect(0); // Builds.
    let child = fixture.command("stress hangs_9d -n 5").spawn().unwrap();
    while !is_running_in(&fixture) {
        thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    Ran::from(child.wait_with_output().unwrap()).expect(130);
    assert!(!is_running_in(&fixture));
}

#[test]
fn megabytes_of_output_are_survived() {
    let fixture = Fixture::new();
    fixture.lab("stress shouts_9d -n 20").expect(0);
    let ran = fixture.lab("replay shouts_9d 1 --log").expect(0);
    assert!(ran.out.len() > 4 << 20);
}

#[test]
fn a_signal_is_a_failure_of_the_run() {
    let ran = Fixture::new().lab("test killed_9d").expect(1);
    ran.shows("actual    the process died of signal 9; the machine may be out of memory");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux has /dev/full")]
fn a_full_disk_is_named() {
    let fixture = Fixture::new();
    let ran = fixture.lab("stress passes_9a -n 5 --json /dev/full").expect(5);
    ran.says("cannot write /dev/full: No space left on device");
    ran.says("it resumes and keeps the finished runs");
}

#[test]
fn two_commands_at_once() {
    let fixture = Fixture::new();
    fixture.lab("test passes_9a").expect(0); // Builds.
    let children = [0; 2].map(|_| fixture.command("stress slow_9e -n 60").spawn().unwrap());
    for child in children {
        let ran = Ran::from(child.wait_with_output().unwrap()).expect(0);
        ran.shows("0 of 60 runs failed");
    }
    assert_eq!(fixture.runs().len(), 2);
}

/// Whether a `sleep` runs that a test of this fixture has started.
fn is_sleeping_in(fixture: &Fixture) -> bool {
    let toy = fs::canonicalize(fixture.path("toy")).unwrap();
    let mut processes = processes();
    processes.any(|(line, directory)| line == "sleep 977" && directory.as_ref() == Some(&toy))
}

/// Whether a test binary of this fixture runs.
fn is_running_in(fixture: &Fixture) -> bool {
    let builds = fixture.path("lab-runs/builds");
    processes().any(|(line, _)| line.starts_with(&*builds.to_string_lossy()))
}

/// The command lines and directories of all processes; there are none where the system does not
/// show them.
fn processes() -> impl Iterator<Item = (String, Option<PathBuf>)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
        Some((line, fs::read_link(entry.path().join("cwd")).ok()))
    })
}
