//! What a process under test may do, and what becomes of it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use testkit::{Process, Team, process_test};

/// A line of shell.
fn shell(line: &str) -> Process {
    Process::start(Command::new("sh").args(["-c", line]))
}

/// Waits until a process has written this.
fn wait_for(process: &Process, text: &str) {
    while process.output() != text {
        labrpc::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_it_says_is_kept() {
    let mut process = shell("echo one; echo two >&2; echo three");
    process.succeed();
    assert_eq!((&*process.output(), &*process.errors()), ("one\nthree\n", "two\n"));
    assert_eq!(shell("echo why >&2; exit 7").fail_with(7), "why\n");
}

#[test]
fn much_output_blocks_nobody() {
    shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2").succeed();
}

#[test]
fn output_can_be_read_while_it_is_written() {
    let mut process = shell("echo one; read -r line; echo two; sleep 1000");
    wait_for(&process, "one\ntwo\n"); // Standard input is at its end.
    assert_eq!(process.ended(), None);
}

#[test]
#[should_panic(expected = "sleep 1000 runs for more than 10ms")]
fn time_is_limited() {
    let process = Process::start(Command::new("sleep").arg("1000"));
    process.time_limit(Duration::from_millis(10)).wait();
}

#[test]
#[should_panic(expected = "sh -c echo why >&2; exit 7 ended with exit status: 7: why")]
fn failure_is_no_success() {
    shell("echo why >&2; exit 7").succeed();
}

#[test]
fn interrupt_is_one_that_a_program_can_catch() {
    // Not a shell: whatever is started in the background ignores the signal, and what a shell has
    // ignored from its start it cannot trap.
    let program = std::env::current_exe().expect("a process knows its program");
    let mut process = Process::start(Command::new(program).args([
        "--ignored",
        "--nocapture",
        "--exact",
        "catches_an_interrupt",
    ]));
    while !process.output().contains("ready\n") {
        labrpc::sleep(Duration::from_millis(5));
    }
    process.interrupt();
    process.succeed();
    assert!(process.output().contains("caught\n"));
}

#[test]
#[ignore = "the program that another test interrupts"]
fn catches_an_interrupt() {
    let interrupted = Arc::new(AtomicBool::new(false));
    flag::register(SIGINT, Arc::clone(&interrupted)).unwrap();
    println!("ready");
    let began = labrpc::Instant::now();
    while !interrupted.load(Relaxed) {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody interrupts");
        labrpc::sleep(Duration::from_millis(5));
    }
    println!("caught");
}

#[test]
fn process_ends_when_it_is_killed_or_dropped() {
    for end in [drop, |mut process: Process| process.kill()] {
        let process = Process::start(Command::new("sleep").arg("1000"));
        let pid = Pid::from_raw(process.id().cast_signed()).expect("it has an id");
        assert!(test_kill_process(pid).is_ok());
        end(process);
        assert!(test_kill_process(pid).is_err());
    }
}

#[test]
fn grader_is_none_of_its_business() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo \"$LAB_REPORT $LAB_JUDGED\""]);
    let mut process = Process::start(command.env("LAB_REPORT", "secret").env("LAB_JUDGED", "1"));
    process.succeed();
    assert_eq!(process.output(), " \n");
}

/// Waits for a leader that runs forever, with a worker.
fn wait_for_leader(test: &'static str, leader: &'static str, worker: &'static str) {
    process_test(test, |sim| {
        let team = Team::new(sim);
        let mut leader = shell(leader).leading(&team);
        let _worker = shell(worker).working_in(&team);
        leader.succeed();
    });
}

#[test]
#[should_panic(
    expected = "property  Worker::map is written\n  actual    Worker::map is not written \
                           yet: worker.rs:7\n"
)]
fn missing_function_of_a_worker_is_named_0f() {
    wait_for_leader(
        "missing_function_of_a_worker_is_named_0f",
        "sleep 1000",
        "echo 'Worker::map is not written yet: worker.rs:7' >&2; exit 101",
    );
}

#[test]
#[should_panic(
    expected = "property  no process panics\n  actual    a worker panicked, and sh -c sleep \
                           1000 goes on\n    sh -c sleep 1000 (running): no output\n    sh -c echo \
                           why >&2; exit 101 (exit status: 101): why\n"
)]
fn leader_is_not_waited_for_if_a_worker_panics_0f() {
    wait_for_leader(
        "leader_is_not_waited_for_if_a_worker_panics_0f",
        "sleep 1000",
        "echo why >&2; exit 101",
    );
}

#[test]
#[should_panic(expected = "property  no process panics\n")]
fn leader_is_not_waited_for_if_it_panics_0f() {
    wait_for_leader(
        "leader_is_not_waited_for_if_it_panics_0f",
        "echo \"thread 'x' (7) panicked at x.rs:7:8:\" >&2; sleep 1000",
        "sleep 1000",
    );
}

#[test]
#[should_panic(
    expected = "property  workers stay until the job is over\n  actual    all workers have \
                           ended, and sh -c sleep 1000 goes on"
)]
fn leader_is_not_waited_for_if_no_worker_is_left_0f() {
    wait_for_leader("leader_is_not_waited_for_if_no_worker_is_left_0f", "sleep 1000", "exit 5");
}

#[test]
fn killed_and_mortal_workers_may_be_gone_0f() {
    process_test("killed_and_mortal_workers_may_be_gone_0f", |sim| {
        for is_killed in [false, true] {
            let team = Team::new(sim);
            let mut leader = shell("sleep 6").leading(&team);
            if is_killed {
                shell("sleep 1000").working_in(&team).kill();
            } else {
                shell("exit 1").working_in(&team).may_die().fail_with(1);
            }
            leader.succeed();
        }
    });
}
