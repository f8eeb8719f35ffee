//! The recording of a run: it shows what the network did, and changes nothing.

use contract::recording::{Event, Loss, What};
use labrpc::{Policy, Simulation, is_recorded, record, sleep};

use crate::{TestNetwork, ms, wait};

/// Without stalls, which would be recorded, too.
fn simulation() -> Simulation {
    Simulation::new(6824).policy(Policy::Random)
}

/// What is recorded while `body` runs.
fn events(body: impl Fn() + Send + Sync + 'static) -> Vec<Event> {
    let outcome = simulation().record(true).run(body);
    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
    outcome.recording.expect("it is wanted").events
}

/// What is recorded of calls.
fn calls(body: impl Fn() + Send + Sync + 'static) -> Vec<What> {
    events(body).into_iter().map(|event| event.what).collect()
}

/// The request of the first call of the client.
fn request() -> What {
    What::Request {
        call: 1,
        end: "C0-S0".to_string(),
        from: "C0".to_string(),
        to: "S0".to_string(),
        method: "Test.Wait".to_string(),
        bytes: 1,
        args: "7".to_string(),
    }
}

#[test]
fn a_call_is_recorded_from_end_to_end() {
    let events = events(|| {
        let net = TestNetwork::new(&["S0"]);
        wait(&net.end("C0", "S0"), 7).unwrap();
    });
    let of_call: Vec<&Event> =
        events.iter().filter(|event| !matches!(event.what, What::Spawn { .. })).collect();
    let nodes: Vec<&str> = of_call.iter().map(|event| &*event.node).collect();
    assert_eq!(nodes, ["test", "S0", "S0", ""], "the scheduler brings the reply");
    let whats: Vec<What> = of_call.iter().map(|event| event.what.clone()).collect();
    let reply = "7".to_string();
    assert_eq!(
        whats,
        [
            request(),
            What::Arrive { call: 1 },
            What::Return { call: 1, bytes: 1, reply },
            What::Reply { call: 1 }
        ]
    );
    assert!(of_call.is_sorted_by_key(|event| event.at));
    assert!(of_call[2].at - of_call[1].at >= 7_000, "in microseconds");
    assert_eq!(of_call[1].task, of_call[2].task, "of the handler");
}

#[test]
fn the_recording_says_why_a_call_is_lost() {
    let lost = |why| What::Lost { call: 1, why };
    let unreachable = calls(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("C0", "S0");
        net.network.disable("C0-S0");
        wait(&end, 7).unwrap_err();
    });
    assert_eq!(unreachable, [request(), lost(Loss::Unreachable)]);

    let cut = calls(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("C0", "S0");
        let call = labrpc::spawn(move || wait(&end, 7));
        sleep(ms(4));
        net.network.cut("C0", "S0");
        call.join().unwrap().unwrap_err();
    });
    assert_eq!(cut[..2], [request(), What::Arrive { call: 1 }]);
    assert!(cut.contains(&lost(Loss::Cut)), "{cut:?}");

    let died = calls(|| {
        let net = TestNetwork::new(&[]);
        let node = net.boot("S0");
        let end = net.end("C0", "S0");
        let call = labrpc::spawn(move || wait(&end, 7));
        sleep(ms(4));
        node.crash();
        call.join().unwrap().unwrap_err();
    });
    assert_eq!(died, [request(), What::Arrive { call: 1 }, lost(Loss::HandlerDied)]);
}

#[test]
fn log_lines_and_switches_are_recorded_with_their_task_and_node() {
    let events = events(|| {
        let net = TestNetwork::new(&[]);
        net.network.set_reliable(false);
        let node = net.boot("S0");
        node.call(|| log::info!(target: "VOTE", "granted to S{}", 2)).unwrap();
        assert!(!is_recorded() || record_note());
    });
    let has = |node: &str, what: What| {
        assert!(events.iter().any(|event| event.node == node && event.what == what), "{what:?}");
    };
    has("test", What::Network { text: "unreliable".to_string() });
    let text = "granted to S2".to_string();
    has("S0", What::Log { topic: "VOTE".to_string(), text });
    has("test", What::Note { text: "recorded".to_string() });
}

/// Adds a note to the recording; true.
fn record_note() -> bool {
    record(|| What::Note { text: "recorded".to_string() });
    true
}

#[test]
fn a_failing_run_is_recorded_until_it_fails() {
    let outcome = simulation().record(true).run(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("C0", "S0");
        labrpc::spawn(move || {
            struct LogsAtTheEnd;
            impl Drop for LogsAtTheEnd {
                fn drop(&mut self) {
                    log::info!("the run is over");
                }
            }
            let _logs = LogsAtTheEnd;
            wait(&end, 1_000).ok();
        });
        sleep(ms(10));
        panic!("it fails");
    });
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.message.as_str(), failure.divergence), ("it fails", None));
    let events = outcome.recording.expect("it is wanted").events;
    let last = events.last().expect("something happened");
    assert_eq!(last.what, What::Arrive { call: 1 }, "{events:?}");
}
