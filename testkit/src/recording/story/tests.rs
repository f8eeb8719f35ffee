use contract::accidents::AccidentId;
use contract::recording::{Culprit, Fault, State};

use super::*;

/// A recording that is being made; each event comes a millisecond after the one before.
#[derive(Default)]
struct Made(Vec<Event>);

impl Made {
    fn push(&mut self, node: &str, what: What) -> &mut Self {
        let at = 1_000 * (self.0.len() as u64 + 1);
        self.0.push(Event { at, task: 1, node: node.to_string(), what });
        self
    }

    fn fault(&mut self, verb: &str, servers: &[&str]) -> &mut Self {
        let servers = servers.iter().map(ToString::to_string).collect();
        let fault = Fault { verb: verb.to_string(), servers, ..Fault::default() };
        self.push("test", What::Fault(fault))
    }

    fn log(&mut self, node: &str, text: &str) -> &mut Self {
        self.push(node, What::Log { topic: "VOTE".to_string(), text: text.to_string() })
    }

    fn state(&mut self, server: &str, connected: bool) -> &mut Self {
        let server = server.to_string();
        self.push("test", What::State(State { server, up: true, connected, ..State::default() }))
    }

    /// A call and its reply.
    fn call(&mut self, call: u64, from: &str, to: &str, reply: &str) -> &mut Self {
        let (method, args) = ("Raft.AppendEntries".to_string(), "Args".to_string());
        let (end, from, to) = (format!("{from}>{to}"), from.to_string(), to.to_string());
        let node = from.clone();
        self.push(&node, What::Request { call, end, from, to, method, bytes: 1, args });
        self.push("", What::Return { call, bytes: 1, reply: reply.to_string() });
        self.push("", What::Reply { call })
    }

    fn operation(&mut self, operation: u64, text: &str, result: &str) -> &mut Self {
        let (client, key) = ("C0".to_string(), None);
        self.push("test", What::Begin { operation, client, text: text.to_string(), key });
        self.push("test", What::Complete { operation, text: result.to_string() })
    }

    fn violation(&mut self, culprit: Culprit) -> &mut Self {
        let (property, actual) = ("p".to_string(), "a".to_string());
        self.push("test", What::Violation { property, actual, culprit: Some(culprit) })
    }

    /// The texts of the story.
    fn told(&self) -> Vec<String> {
        let Self(events) = self;
        let Some(scope) = Scope::of(events) else { return Vec::new() };
        lines(&events[..scope.end], &scope, MOST_LINES).into_iter().map(|line| line.text).collect()
    }
}

#[test]
fn what_the_test_did_is_told_without_its_preparation() {
    let mut made = Made::default();
    for server in ["S0", "S1"] {
        made.fault("start", &[server]).fault("connect", &[server]);
    }
    made.fault("crash", &["S0"]).fault("start", &["S0"]).fault("cut", &["S0", "S1"]);
    made.fault("stall", &["S1"]).violation(Culprit::default());
    let expected =
        ["the test cuts the power of S0", "the test starts S0", "the test cuts the link S0>S1"];
    assert_eq!(made.told(), expected);
}

#[test]
fn earlier_steps_are_counted_and_what_they_left_is_told() {
    let mut made = Made::default();
    made.fault("connect", &["S0"]).fault("disconnect", &["S0"]).state("S0", false);
    made.fault("cut", &["S1", "S2"]);
    for _ in 0..40 {
        made.fault("kill", &["S3"]).fault("start", &["S3"]);
    }
    made.violation(Culprit::default());
    let told = made.told();
    assert_eq!(told.len(), MOST_LINES + 1);
    let first = "the test: 56 earlier steps, after which S0 cut off; cut links S1>S2";
    assert_eq!(told[0], first);
}

#[test]
fn nothing_after_the_mistake_is_told_and_named_servers_come_first() {
    let mut made = Made::default();
    for number in 0..30 {
        made.log("S1", &format!("says {}", "x".repeat(number)));
    }
    made.log("S2", "votes twice");
    let at = made.0.last().map(|event| event.at);
    made.log("S2", "goes on").violation(Culprit { at, ..Culprit::of("S2") });
    let told = made.told();
    assert_eq!(told.last().map(String::as_str), Some("S2 logs VOTE votes twice"));
    assert!(told.len() <= 12, "{told:?}");
}

#[test]
fn calls_that_are_alike_are_one_line() {
    let mut made = Made::default();
    made.call(1, "S0", "S1", "Stored").call(2, "S0", "S1", "Conflict(3)");
    made.call(3, "S0", "S1", "Conflict(2)").call(4, "S0", "S2", "Stored");
    made.call(5, "C0", "S0", "Done").violation(Culprit::default());
    let expected = [
        "S0 calls AppendEntries of S1: Args -> Conflict(2) (2 alike)",
        "S0 calls AppendEntries of S2: Args -> Stored (2 alike, with S1 S2)",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn operations_are_told_with_those_before_and_their_calls() {
    let mut made = Made::default();
    made.operation(0, "put(x)", "done").operation(1, "get(x)", "\"\"");
    let (client, text) = ("C1".to_string(), "get(x)".to_string());
    made.push("test", What::Begin { operation: 2, client, text, key: None });
    made.call(1, "C1", "S0", "WrongLeader").log("S0", "says no").log("S1", "says nothing");
    made.violation(Culprit { operations: vec![2], ..Culprit::default() });
    let told = made.told();
    let expected = [
        "C0: put(x) -> done",
        "C0: get(x) -> \"\"",
        "C1: get(x) begins, and no result",
        "C1 calls AppendEntries of S0: Args -> WrongLeader",
    ];
    assert_eq!(told[..4], expected);
}

#[test]
fn accidents_are_never_left_out_before_there_are_many() {
    let mut made = Made::default();
    for number in 0..20 {
        let (what, text) = (AccidentKind::ReplyLost, format!("reply {number} is lost"));
        made.push("", What::Accident { id: AccidentId(number), what, call: None, text });
        made.fault("crash", &["S0"]);
    }
    made.violation(Culprit::default());
    let told = made.told();
    let accidents: Vec<&String> = told.iter().filter(|it| it.starts_with("accident: ")).collect();
    assert_eq!(accidents.len(), MOST_ACCIDENTS);
    assert_eq!(accidents[0], "accident: reply 8 is lost; and 8 more accidents before");
    assert!(told.len() <= MOST_LINES + 1);
}

#[test]
fn lines_are_short_and_plain() {
    let line = in_one_line(&format!("a\u{1b}[31m\n  b {}", "x".repeat(1_000)));
    assert!(line.starts_with("a[31m b x") && line.chars().count() < 400, "{line}");
}
