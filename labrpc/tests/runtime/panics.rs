//! A panic in any task fails the run, and the report says whose it was.

use std::panic;
use std::time::Duration;

use labrpc::{
    FailureKind, Network, Node, Server, Service, Simulation, channel, run_real, sleep, spawn,
    your_code_here,
};

use crate::{child, failure_of};

#[test]
fn panic_in_any_task_fails_the_run_and_names_it() {
    let failure = failure_of(|| {
        let node = Node::new("S4");
        node.spawn(|| {
            sleep(Duration::from_millis(250));
            let votes = 3;
            panic!("{votes} votes are too many");
        });
        sleep(Duration::from_secs(1));
    });
    assert_eq!(failure.kind, FailureKind::Panic);
    assert_eq!(failure.message, "3 votes are too many");
    assert!(failure.location.expect("it is known").starts_with("labrpc/tests/runtime/panics.rs:"));
    let task = failure.task.expect("a task panicked");
    assert!(task.starts_with("S4: task 2 spawned at labrpc/tests/runtime/panics.rs:"), "{task}");
    assert!((250..400).contains(&failure.at.as_millis()), "{:?}", failure.at);
}

#[test]
fn panic_in_a_handler_names_the_server() {
    let failure = failure_of(|| {
        let network = Network::new();
        let server = Node::new("S1").call(|| {
            let service =
                Service::new("Raft").method("Vote", |_: u32| -> bool { panic!("no vote") });
            Server::new().with(service)
        });
        network.add_server("S1", server.expect("the node is alive"));
        let end = network.make_end("end");
        network.connect("end", "S1");
        network.enable("end");
        end.call::<u32, bool>("Raft.Vote", &1).ok();
    });
    assert_eq!(failure.message, "no vote");
    assert!(failure.task.expect("a task panicked").starts_with("S1: task"));
}

/// A function that is to be written. The line of its body is in the message.
fn lead(term: u64) -> bool {
    your_code_here("Raft::lead", term)
}

#[test]
fn unwritten_function_is_named_wherever_it_is_called() {
    let in_task = failure_of(|| {
        spawn(|| lead(1));
        sleep(Duration::from_secs(1));
    });
    let in_handler = failure_of(|| {
        let network = Network::new();
        network.add_server("S1", Server::new().with(Service::new("Raft").method("Lead", lead)));
        let end = network.make_end("end");
        network.connect("end", "S1");
        network.enable("end");
        end.call::<u64, bool>("Raft.Lead", &1).ok();
    });
    let on_threads = run_real(1, Duration::from_secs(60), || lead(1)).result;
    for failure in [in_task, in_handler, on_threads.expect_err("it panics")] {
        let expected = "Raft::lead is not written yet: labrpc/tests/runtime/panics.rs:53";
        assert_eq!((failure.unwritten(), &*failure.message), (Some("Raft::lead"), expected));
    }
    let in_thread = std::panic::catch_unwind(|| lead(1)).expect_err("it panics");
    let message = in_thread.downcast_ref::<String>().expect("it has a message");
    assert!(message.starts_with("Raft::lead is not written yet: "), "{message}");
    assert_eq!(failure_of(|| panic!("another panic")).unwritten(), None);
}

#[test]
fn panic_that_is_caught_fails_the_run_all_the_same() {
    let failure = failure_of(|| {
        panic::catch_unwind(|| panic!("caught")).ok();
        sleep(Duration::from_secs(1));
    });
    assert_eq!(failure.message, "caught");
}

#[test]
fn resume_unwind_is_a_panic() {
    let failure = failure_of(|| {
        spawn(|| panic::resume_unwind(Box::new("without a hook")));
        sleep(Duration::from_secs(1));
    });
    assert_eq!((failure.kind, &*failure.message), (FailureKind::Panic, "without a hook"));
    let failure = failure_of(|| panic::resume_unwind(Box::new(7)));
    assert_eq!(failure.message, "a task panicked");
}

#[test]
fn failed_assertion_shows_both_values() {
    let failure = failure_of(|| assert_eq!(1 + 1, 3, "arithmetic"));
    assert!(failure.message.contains("left: 2") && failure.message.contains("right: 3"));
}

/// What unwinds after a panic may use the runtime; nothing of it takes effect.
#[test]
fn destructors_run_after_a_panic() {
    struct Noisy(labrpc::Sender<u32>);
    impl Drop for Noisy {
        fn drop(&mut self) {
            sleep(Duration::from_secs(1000));
            self.0.send(2).ok();
        }
    }
    let outcome = Simulation::new(1).run(|| {
        let (sender, receiver) = channel();
        spawn(move || {
            let _noisy = Noisy(sender);
            panic!("first");
        });
        receiver.recv().ok();
    });
    assert_eq!(outcome.result.expect_err("it panics").message, "first");
    assert!(outcome.virtual_time < Duration::from_secs(1));
}

/// Recurses forever, using its stack up.
fn recurse(depth: u64) -> u64 {
    if std::hint::black_box([depth; 64])[7] == u64::MAX {
        return 0;
    }
    recurse(depth + 1) + std::hint::black_box(depth)
}

#[test]
fn stack_overflow_names_the_task() {
    if child::is_child() {
        let outcome = Simulation::new(33).run(|| spawn(|| recurse(0)).join());
        panic!("it cannot return {:?}", outcome.result);
    }
    let output = child::again("panics::stack_overflow_names_the_task", &[]);
    let text = child::text(&output);
    assert!(!output.status.success(), "{text}");
    let expected = "stack overflow in the task spawned at labrpc/tests/runtime/panics.rs:";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("seed 33"), "{text}");
}

/// The handler for tasks leaves the stacks of threads to the one that `std` has for them.
#[test]
fn stack_overflow_of_a_thread_is_reported_as_ever() {
    if child::is_child() {
        Simulation::new(1).run(|| ()).result.expect("nothing fails");
        println!("{}", recurse(0));
        return;
    }
    let output = child::again("panics::stack_overflow_of_a_thread_is_reported_as_ever", &[]);
    let text = child::text(&output);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("has overflowed its stack"), "{text}");
    assert!(!text.contains("in the task spawned at"), "{text}");
}

#[test]
fn panic_of_a_destructor_in_a_killed_task_is_explained() {
    struct Unwraps(Option<labrpc::JoinHandle<()>>);
    impl Drop for Unwraps {
        fn drop(&mut self) {
            let handle = self.0.take().expect("dropped once");
            handle.join().expect("a killed task has no result");
        }
    }
    if child::is_child() {
        Simulation::new(1).run(|| {
            let node = Node::new("S6");
            node.spawn(|| {
                let _unwraps = Unwraps(Some(spawn(|| sleep(Duration::from_secs(10)))));
                sleep(Duration::from_secs(20));
            });
            sleep(Duration::from_millis(1));
            node.crash();
        });
        return;
    }
    let name = "panics::panic_of_a_destructor_in_a_killed_task_is_explained";
    let text = child::text(&child::again(name, &[]));
    let expected =
        "a destructor panics while its task is killed, which ends the process: S6: task 2";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("do not unwrap them in Drop"), "{text}");
}
