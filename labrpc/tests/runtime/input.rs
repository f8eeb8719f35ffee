//! Mistakes of the user are named in one clear line.

use labrpc::{ClientEnd, Network, RpcError, Server, Service, run};

use crate::{child, failure_of};

/// The report of a child process of this test, with these variables set.
fn report(name: &str, variables: &[(&str, &str)]) -> String {
    let output = child::again(name, variables);
    assert!(!output.status.success(), "it fails");
    child::text(&output)
}

#[test]
fn variables_that_make_no_sense_are_named() {
    if child::is_child() {
        run(|| ());
        return;
    }
    let name = "input::variables_that_make_no_sense_are_named";
    for (variable, value, problem) in [
        ("LAB_SEED", "seven", "'seven' is not a whole number below 2^64, such as 7741"),
        ("LAB_RUNS", "0", "the number of runs must be at least 1"),
        ("LAB_POLICY", "lifo", "'lifo' is not a policy; there are fifo, random, walk, pct, stall"),
        ("LAB_RUNTIME", "wasm", "'wasm' is not a runtime: use sim or real"),
    ] {
        let text = report(name, &[(variable, value)]);
        assert!(text.contains(&format!("{variable}: {problem}\n")), "{text}");
    }
}

#[test]
fn failing_run_prints_the_variables_that_replay_it() {
    if child::is_child() {
        run(|| panic!("on purpose"));
        return;
    }
    let name = "input::failing_run_prints_the_variables_that_replay_it";
    let text = report(name, &[("LAB_SEED", "77"), ("LAB_POLICY", "walk"), ("LAB_RUNS", "3")]);
    assert!(text.contains("on purpose\n"), "{text}");
    assert!(text.contains("  replay    LAB_SEED=77 LAB_POLICY=walk\n"), "{text}");
}

/// The message with which a call on a small server fails.
fn message_of<R>(
    call: impl Fn(&ClientEnd) -> Result<R, RpcError> + Send + Sync + 'static,
) -> String {
    let failure = failure_of(move || {
        let network = Network::new();
        let get = |key: String| key.len() as u64;
        let service = Service::new("KV").method("Get", get).method("Has", |_: String| true);
        network.add_server("S0", Server::new().with(service));
        let end = network.make_end("end");
        network.connect("end", "S0");
        network.enable("end");
        call(&end).ok();
    });
    failure.message
}

#[test]
fn handlers_that_do_not_exist_are_named() {
    let expected = |name| format!("server S0 has no handler '{name}'; it has KV.Get, KV.Has");
    for name in ["KV.Put", "Raft.Get", "KVGet", "KV.Get.", ""] {
        let message = message_of(move |end| end.call::<_, u64>(name, &"x".to_string()));
        assert_eq!(message, expected(name));
    }
}

#[test]
fn types_that_do_not_fit_are_named() {
    let message = message_of(|end| end.call::<u64, u64>("KV.Get", &1));
    assert_eq!(message, "KV.Get takes alloc::string::String, but the caller sent u64");
    let message = message_of(|end| end.call::<_, String>("KV.Get", &"x".to_string()));
    assert_eq!(message, "KV.Get replies with u64, but the caller expects alloc::string::String");
}

#[test]
fn ends_that_do_not_exist_are_named() {
    let failure = failure_of(|| Network::new().enable("no such end"));
    assert_eq!(failure.message, "no end has the name 'no such end'");
    let failure = failure_of(|| {
        let network = Network::new();
        network.make_end("twin");
        network.make_end("twin");
    });
    assert_eq!(failure.message, "an end with the name 'twin' exists already");
}

#[test]
fn names_that_are_taken_are_named() {
    let failure =
        failure_of(|| _ = Service::new("KV").method("A", |(): ()| ()).method("A", |(): ()| ()));
    assert_eq!(failure.message, "KV.A is defined twice");
    let failure = failure_of(|| _ = Service::new("KV").method("A.B", |(): ()| ()));
    assert_eq!(failure.message, "method name 'A.B' must not contain a dot");
    let failure = failure_of(|| _ = Server::new().with(Service::new("A")).with(Service::new("A")));
    assert_eq!(failure.message, "the server already has a service named A");
}
