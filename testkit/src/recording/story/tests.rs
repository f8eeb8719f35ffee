mod missing;
mod script;

use std::time::Duration;

use contract::accidents::AccidentId;
use contract::recording::{Culprit, Fault, State};

use super::*;
use crate::notes::ServerLine;
use crate::violation::Violation;

/// A recording that is being made; each event comes a millisecond after the one before. Its second
/// field is the time for which nothing happened, in microseconds.
#[derive(Default)]
struct Made(Vec<Event>, u64);

impl Made {
    fn push(&mut self, node: &str, what: What) -> &mut Self {
        let at = 1_000 * (self.0.len() as u64 + 1) + self.1;
        self.0.push(Event { at, task: 1, node: node.to_string(), what });
        self
    }

    /// Nothing happens for this many milliseconds.
    fn pause(&mut self, millis: u64) -> &mut Self {
        self.1 += 1_000 * millis;
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

    fn partition(&mut self, sides: &[&[&str]]) -> &mut Self {
        let sides = sides.iter().map(|side| side.iter().map(ToString::to_string).collect());
        let (verb, sides) = ("partition".to_string(), sides.collect());
        self.push("test", What::Fault(Fault { verb, sides, ..Fault::default() }))
    }

    fn network(&mut self, text: &str) -> &mut Self {
        self.push("test", What::Network { text: text.to_string() })
    }

    fn leads(&mut self, server: &str, term: u64) -> &mut Self {
        let (server, role) = (server.to_string(), Some("leader".to_string()));
        self.push("test", What::State(State { server, role, term: Some(term), ..State::default() }))
    }

    fn accident(&mut self, what: AccidentKind, text: &str) -> &mut Self {
        let (id, text) = (AccidentId(self.0.len() as u32), text.to_string());
        self.push("", What::Accident { id, what, call: None, text })
    }

    fn request(&mut self, call: u64, from: &str, to: &str) -> &mut Self {
        let (method, args) = ("Raft.AppendEntries".to_string(), "Args".to_string());
        let (end, from, to) = (format!("{from}>{to}"), from.to_string(), to.to_string());
        let node = from.clone();
        self.push(&node, What::Request { call, end, from, to, method, bytes: 1, args })
    }

    /// A call and its reply.
    fn call(&mut self, call: u64, from: &str, to: &str, reply: &str) -> &mut Self {
        self.request(call, from, to);
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
        let Self(events, _) = self;
        let Some(scope) = Scope::of(events) else { return Vec::new() };
        lines(events, &scope, MOST_LINES).into_iter().map(|line| line.text).collect()
    }
}

#[test]
fn nothing_after_the_mistake_is_told_and_named_servers_come_first() {
    let mut made = Made::default();
    made.log("S2", "votes").log("S2", "votes twice");
    for number in 0..30 {
        made.log("S1", &format!("says {}", "x".repeat(number)));
    }
    let at = made.0.last().map(|event| event.at);
    made.log("S2", "goes on").violation(Culprit { at, ..Culprit::of("S2") });
    let told = made.told();
    assert_eq!(told[..2], ["S2 logs VOTE votes", "S2 logs VOTE votes twice"]);
    assert_eq!(told.len(), 12, "{told:?}");
    assert!(told[2..].iter().all(|line| line.starts_with("S1 logs VOTE says x")), "{told:?}");
}

#[test]
fn accidents_after_the_mistake_are_told() {
    let mut made = Made::default();
    made.log("S0", "votes");
    let at = made.0.last().map(|event| event.at);
    made.accident(AccidentKind::ReplyLost, "a reply is lost").log("S0", "goes on");
    made.accident(AccidentKind::Coin, "the test's coin at a.rs:1 falls: S1 is cut off");
    made.violation(Culprit { at, ..Culprit::default() });
    let expected = [
        "S0 logs VOTE votes",
        "accident: a reply is lost",
        "the test's coin at a.rs:1 falls: S1 is cut off",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn calls_that_are_alike_are_one_line() {
    let mut made = Made::default();
    made.call(1, "S0", "S1", "Stored").call(2, "S0", "S1", "Conflict(3)");
    made.call(3, "S0", "S1", "Conflict(2)").call(4, "S0", "S2", "Stored");
    made.call(5, "C0", "S0", "Done").violation(Culprit::default());
    let expected = [
        "S0 calls AppendEntries of S1: Args -> Conflict(2) (the last of 2 alike since 0.004 s)",
        "S0 calls AppendEntries of S2: Args -> Stored (the last of 2 alike since 0.001 s, with S1 \
         S2)",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn of_calls_that_are_alike_for_long_the_first_is_told_too() {
    let mut made = Made::default();
    made.call(1, "S0", "S1", "Stored(1)").call(2, "S0", "S2", "Stored(1)");
    for number in 3..8 {
        made.pause(50).call(number, "S0", "S1", &format!("Conflict({number})"));
    }
    made.call(8, "S0", "S2", "Stored(2)").violation(Culprit::default());
    let expected = [
        "S0 calls AppendEntries of S1: Args -> Stored(1) (the first of 3 alike)",
        "S0 calls AppendEntries of S1: Args -> Conflict(3) (the first of 5 alike)",
        "S0 calls AppendEntries of S1: Args -> Conflict(7) (the last of 5 alike since 0.057 s, and no \
         other outcome)",
        "S0 calls AppendEntries of S2: Args -> Stored(2) (the last of 3 alike since 0.001 s, with S1 \
         S2)",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn the_first_and_the_last_of_log_lines_that_are_alike_are_told() {
    let mut made = Made::default();
    made.log("S0", "stands in term 1").log("S1", "votes in term 1");
    made.log("S0", "waits").log("S0", "waits").log("S0", "waits");
    for term in 2..9 {
        made.pause(50).log("S0", &format!("stands in term {term}"));
    }
    made.log("S2", "stands in term 7").violation(Culprit::of("S0"));
    let expected = [
        "S0 logs VOTE stands in term 1 (the first of 8 alike)",
        "S1 logs VOTE votes in term 1",
        "S0 logs VOTE waits (the last of 3 alike)",
        "S0 logs VOTE stands in term 8 (the last of 8 alike; term 1 2 3 4 5 6 7 8)",
        "S2 logs VOTE stands in term 7",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn of_an_envelope_that_is_too_long_the_contents_are_told() {
    let made = |length: usize| {
        let mut made = Made::default();
        let args = format!("Letter {{ from: {}, args: Vote {{ term: 1 }} }}", "x".repeat(length));
        made.request(1, "S0", "S1");
        if let What::Request { args: text, .. } = &mut made.0[0].what {
            *text = args;
        }
        made.push("", What::Return { call: 1, bytes: 1, reply: "Yes".to_string() });
        made.violation(Culprit::default()).told().remove(0)
    };
    let end = "-> Yes, which has not arrived";
    let short = format!(
        "S0 calls AppendEntries of S1: Letter {{ from: x, args: Vote {{ term: 1 }} }} {end}"
    );
    assert_eq!(made(1), short);
    let long = format!("S0 calls AppendEntries of S1: …Vote {{ term: 1 }} }} {end}");
    assert_eq!(made(200), long);
}

#[test]
fn operations_are_told_with_those_before_and_their_calls() {
    let mut made = Made::default();
    made.operation(0, "put(x)", "done").operation(1, "get(x)", "\"\"");
    let (client, text) = ("C1".to_string(), "get(x)".to_string());
    made.push("test", What::Begin { operation: 2, client, text, key: None });
    made.call(1, "C1", "S0", "WrongLeader").log("S0", "says no").log("S1", "says nothing");
    made.violation(Culprit { operations: vec![2], ..Culprit::default() });
    let expected = [
        "C0: put(x) -> done",
        "C0: get(x) -> \"\"",
        "C1: get(x) begins, and no result",
        "C1 calls AppendEntries of S0: Args -> WrongLeader",
        // It has answered.
        "S0 logs VOTE says no",
        "S1 logs VOTE says nothing",
    ];
    assert_eq!(made.told(), expected);
}

#[test]
fn an_operation_whose_value_the_violation_quotes_is_told() {
    let mut made = Made::default();
    made.operation(0, "append(x, \"a\")", "done");
    (1..8).for_each(|number| _ = made.operation(number, "append(x, \"b\")", "done"));
    made.operation(8, "get(x)", "\"bb\"").operation(9, "put(x, \"c\")", "done");
    let culprit = Some(Culprit { operations: vec![8], ..Culprit::default() });
    let actual = "\"a\" is missing, not \"b\", in \"\"\nand \"c\"".to_string();
    made.push("test", What::Violation { property: "p".to_string(), actual, culprit });
    let (appended, read) = ("C0: append(x, \"a\") -> done", "C0: get(x) -> \"bb\"");
    let before = ["C0: append(x, \"b\") -> done"; 5];
    assert_eq!(made.told(), [&[appended], &before[..], &[read]].concat());
}

#[test]
fn an_operation_that_an_accident_has_hit_is_told_with_its_calls() {
    let mut made = Made::default();
    let (client, text) = ("C0".to_string(), "append(x)".to_string());
    made.push("test", What::Begin { operation: 0, client, text, key: None });
    made.request(1, "C0", "S0")
        .push("", What::Lost { call: 1, why: contract::recording::Loss::Reply });
    let (id, what, text) = (AccidentId(1), AccidentKind::ReplyLost, "a reply is lost".to_string());
    made.push("", What::Accident { id, what, call: Some(1), text });
    made.call(2, "C0", "S0", "Done")
        .push("test", What::Complete { operation: 0, text: "done".into() });
    (1..9).for_each(|number| _ = made.operation(number, "get(x)", "\"\""));
    made.violation(Culprit { operations: vec![8], ..Culprit::default() });
    let expected = [
        "C0 calls AppendEntries of S0: Args -> the reply is lost",
        "accident: a reply is lost",
        "C0 calls AppendEntries of S0: Args -> Done",
        "C0: append(x) -> done",
    ];
    assert_eq!(made.told()[..4], expected);
}

#[test]
fn accidents_are_never_left_out_before_there_are_many() {
    let mut made = Made::default();
    for number in 0..20 {
        made.accident(AccidentKind::ReplyLost, &format!("reply {number} is lost"));
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
fn locks_and_their_holders_come_first_of_what_tasks_wait_for() {
    let [sleep, receive, holder, lock] = [
        "S0: task 3 spawned at a.rs:1 waits for the end of a sleep at a.rs:2 since 1.000 s",
        "S0: task 5 spawned at a.rs:3 waits for a message at a.rs:4 since 1.000 s",
        "S0: task 58 spawned at a.rs:5 waits for a message at a.rs:6 since 1.000 s",
        "S0: task 4 spawned at a.rs:7 waits for a lock at a.rs:8 since 1.000 s, held by S0: task 58 \
         spawned at a.rs:5, which took it at a.rs:9",
    ]
    .map(str::to_string);
    let waits = [&sleep, &receive, &holder, &lock].map(String::clone);
    assert_eq!(by_relevance(&waits), [&lock, &holder, &receive, &sleep]);
}

#[test]
fn of_clusters_with_names_the_last_one_is_told() {
    let mut made = Made::default();
    for cluster in ["first: S0", "last: first: S0"] {
        made.fault("start", &[cluster]).fault("crash", &[cluster]).log(cluster, "fails");
    }
    made.violation(Culprit::of("last: first: S0"));
    let server = |name: &str| ServerLine { name: name.to_string(), ..ServerLine::default() };
    let servers = vec![server("first: S0"), server("last: first: S0")];
    let mut notes = Notes { servers, ..Notes::default() };
    notes.violation = Some(Violation::new("p", "a"));
    let mut failure = failure(FailureKind::Panic, "a");
    (failure.held_locks, failure.busy_calls) = (Vec::new(), Vec::new());
    let told = tell(&made.0, 0, 6_000, &failure, &notes);
    let told: Vec<&str> = told.iter().map(|told| &*told.text).collect();
    let expected = [
        "the test makes servers for: last: first",
        "the test cuts the power of S0",
        "S0 logs VOTE fails",
        "last seen by the test: S0 down",
    ];
    assert_eq!(told, expected);
}

#[test]
fn lines_are_short_and_plain() {
    let line = in_one_line(&format!("a\u{1b}[31m\n  b {}", "x".repeat(1_000)));
    assert!(line.starts_with("a[31m b x") && line.chars().count() < 400, "{line}");
}

/// A failure of which the runtime knows everything.
fn failure(kind: FailureKind, message: &str) -> Failure {
    let four = |what: &str| (0..4).map(|number| format!("{what} {number}")).collect::<Vec<_>>();
    Failure {
        kind,
        message: message.to_string(),
        location: Some("src/raft.rs:7:5".to_string()),
        at: Duration::from_secs(1),
        seed: 1,
        policy: None,
        only: None,
        task: Some("S0: task 3".to_string()),
        waits: four("wait"),
        busy_calls: four("busy call"),
        held_locks: four("lock"),
        log: four("log"),
        events: four("event"),
        divergence: None,
        frames: four("frame"),
        backtrace: None,
    }
}

#[test]
fn a_story_ends_with_what_is_known_and_has_its_length() {
    let mut made = Made::default();
    for number in 0..40 {
        made.fault("crash", &["S0"]).log("S0", &"x".repeat(number));
        made.accident(AccidentKind::ReplyLost, "a reply is lost");
    }
    made.violation(Culprit::default());
    let mut server = ServerLine { name: "S0".to_string(), ..ServerLine::default() };
    server.term = Some(3);
    let unseen = ServerLine { name: "S1".into(), up: true, connected: true, ..Default::default() };
    let at_the_end = in_one_line(&format!("last seen by the test: {server}"));
    let mut notes = Notes { servers: vec![server, unseen], ..Notes::default() };
    let clues = |notes: &Notes, kind: FailureKind, message: &str| {
        let story = tell(&made.0, 0, 2_500_000, &failure(kind, message), notes);
        assert!(story.len() <= MOST_LINES, "{} lines", story.len());
        let clues = story.iter().filter(|told| told.at == 2.5);
        clues.map(|told| told.text.clone()).collect::<Vec<_>>()
    };
    let held = ["lock 0", "lock 1", "lock 2"].map(|lock| format!("held while waiting: {lock}"));
    let waits = ["wait 0", "wait 1", "wait 2"].map(|wait| format!("waits: {wait}"));
    let place =
        ["panic at src/raft.rs:7:5", "in task S0: task 3", "in frame 0, in frame 1, in frame 2"];
    let place = place.map(str::to_string);
    let end = ["busy: busy call 0".to_string(), at_the_end];
    let of_deadlock = clues(&notes, FailureKind::Deadlock, "nobody runs");
    assert_eq!(of_deadlock, [&place[..], &held, &waits, &end].concat());
    assert_eq!(clues(&notes, FailureKind::Panic, "p"), [&place[..], &held, &end].concat());
    let forgotten = tell(&made.0, 1, 2_500_000, &failure(FailureKind::Panic, "p"), &notes);
    let text = "earlier calls and log lines are forgotten: they are too many";
    assert!(forgotten.len() <= MOST_LINES && forgotten.iter().any(|told| told.text == text));
    assert!(forgotten.is_sorted_by_key(|told| told.at));
    notes.violation = Some(Violation::new("one leader", "two leaders").expected("one"));
    let expected = ["expected: one".to_string()];
    let of_violation = clues(&notes, FailureKind::Panic, "two leaders");
    assert_eq!(of_violation, [&expected[..], &held, &end].concat());
}
