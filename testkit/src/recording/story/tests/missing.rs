//! What did not happen while the test waited.

use contract::recording::Loss;

use super::*;

/// What is told of what is missing.
fn missing(made: &Made, observed: &str) -> Vec<String> {
    let scope = Scope::of(&made.0).expect("there is a violation");
    crate::recording::story::missing::lines(&scope, observed)
}

/// What is missing after a wait of some seconds.
fn after_a_wait(made: &mut Made, culprit: Culprit) -> Vec<String> {
    missing(made.pause(3_000).violation(culprit), "nothing happens")
}

impl Made {
    fn state(&mut self, server: &str, role: &str, applied: u64, connected: bool) -> &mut Self {
        let (server, role) = (server.to_string(), Some(role.to_string()));
        let (term, applied, up) = (Some(1), Some(applied), true);
        self.push("test", What::State(State { server, role, term, applied, up, connected }))
    }

    fn lost(&mut self, call: u64, from: &str, to: &str, why: Loss) -> &mut Self {
        self.request(call, from, to).push("", What::Lost { call, why })
    }

    /// The operation that the test waits for.
    fn begin(&mut self) -> &mut Self {
        let (client, text) = ("test".to_string(), "agree".to_string());
        self.push("test", What::Begin { operation: 7, client, text, key: None })
    }
}

#[test]
fn calls_without_a_reply_are_told_with_their_state() {
    let mut made = Made::default();
    made.request(1, "S1", "S0").request(2, "S2", "S0").push("S3", What::Arrive { call: 2 });
    made.request(3, "S0", "S3").push("S3", What::Arrive { call: 3 });
    // Who is stopped waits no more.
    made.request(4, "S4", "S5").fault("crash", &["S4"]).call(5, "S1", "S2", "Stored");
    // Nothing passes a link that is cut.
    made.request(6, "S1", "S9").fault("cut", &["S1", "S9"]);
    made.request(7, "S2", "S8").partition(&[&["S2"], &["S8"]]);
    let told = after_a_wait(&mut made, Culprit::of("S3"));
    let expected = [
        "until the end: no reply to a call of AppendEntries by S0 to S3, since 0.004 s; the handlers \
         do not return",
        "until the end: no reply to 2 calls of AppendEntries by S1 S2 to S0, since 0.001 s",
        "until the end, not once more: calls of AppendEntries after 0.013 s",
    ];
    assert_eq!(told, expected);

    let state = |events: &[What]| {
        let mut made = Made::default();
        made.request(1, "S1", "S0");
        events.iter().for_each(|what| _ = made.push("", what.clone()));
        let line = after_a_wait(&mut made, Culprit::default()).remove(0);
        line.split_once("; ").expect("the state is known").1.to_string()
    };
    assert_eq!(state(&[]), "the requests have not arrived");
    let (reply, arrive) = ("Yes".to_string(), What::Arrive { call: 1 });
    let answered = What::Return { call: 1, bytes: 1, reply };
    assert_eq!(state(&[arrive, answered]), "the replies have not arrived");
}

#[test]
fn the_slowest_call_is_told_if_an_operation_is_awaited() {
    let mut made = Made::default();
    made.begin();
    for (call, millis) in [(1, 600), (2, 700), (3, 10)] {
        made.request(call, "S0", "S1").pause(millis).push("", What::Lost { call, why: Loss::Gone });
    }
    made.request(4, "C0", "S1").pause(800).push("", What::Lost { call: 4, why: Loss::Gone });
    let awaited = Culprit { operations: vec![7], ..Culprit::default() };
    let told = missing(made.pause(100).violation(awaited), "");
    let expected = "slow: S0 calls AppendEntries of S1 at 0.604 s, and after 0.701 s: unreachable";
    assert_eq!(told[0], expected);
}

#[test]
fn callers_whom_nobody_answers_are_told() {
    let mut made = Made::default();
    made.fault("disconnect", &["S9"]);
    for call in 0..4 {
        made.lost(3 * call, "S0", ["S1", "S2"][call as usize % 2], Loss::Unreachable);
        made.call(3 * call + 1, "S1", "S2", "Stored");
        made.lost(3 * call + 2, "S2", "S9", Loss::Unreachable);
    }
    // That nobody hears S9 is no news, and neither is that nobody answers for it.
    (20..24).for_each(|call| _ = made.lost(call, "S9", "S0", Loss::Unreachable));
    made.state("S9", "follower", 0, false).state("S2", "leader", 0, true);
    let told = after_a_wait(&mut made, Culprit::default());
    let expected = "until the end: no reply to any of 4 calls of AppendEntries by S0 to S1 S2 since \
                    0.001 s: unreachable";
    assert_eq!(told[0], expected);
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn that_no_server_leads_is_told() {
    let mut made = Made::default();
    made.state("S0", "follower", 0, true);
    let never = ["until the end: the test has seen no connected server that leads"];
    assert_eq!(after_a_wait(&mut made, Culprit::default()), never);

    let mut made = Made::default();
    made.state("S0", "leader", 0, true).state("S1", "follower", 0, true);
    made.state("S0", "leader", 0, false);
    let once =
        ["the test sees no connected server that leads at the end; the last one that it saw is S0"];
    assert_eq!(after_a_wait(&mut made, Culprit::default()), once);

    let mut made = Made::default();
    made.state("S0", "follower", 0, true).state("S0", "leader", 0, true);
    assert!(after_a_wait(&mut made, Culprit::default()).is_empty());
    // Of servers that are never asked nothing is known.
    let mut made = Made::default();
    let server = "S0".to_string();
    made.push("test", What::State(State { server, up: true, connected: true, ..State::default() }));
    assert!(after_a_wait(&mut made, Culprit::default()).is_empty());
}

#[test]
fn servers_that_apply_nothing_are_told_if_a_command_is_awaited() {
    let servers = |made: &mut Made| {
        made.state("S0", "leader", 4, true).state("S1", "follower", 3, true);
        made.state("S2", "follower", 4, false);
    };
    let mut made = Made::default();
    servers(&mut made);
    made.begin().state("S0", "leader", 5, true);
    let awaited = Culprit { operations: vec![7], ..Culprit::default() };
    let told = after_a_wait(&mut made, awaited.clone());
    let expected =
        ["until the end: the test has seen nothing applied on S1 after 0.002 s (index 3)"];
    assert_eq!(told, expected);

    let mut made = Made::default();
    servers(&mut made);
    let told = after_a_wait(made.begin(), awaited);
    let expected =
        ["until the end: the test has seen nothing applied on S0 after 0.001 s (index 4), S1 \
                     after 0.002 s (index 3)"];
    assert_eq!(told, expected);

    let mut made = Made::default();
    servers(&mut made);
    assert!(after_a_wait(&mut made, Culprit::default()).is_empty());
}

#[test]
fn what_ceases_is_told() {
    let mut made = Made::default();
    made.log("S0", "votes").call(1, "S0", "S1", "Stored").call(2, "C0", "S0", "Done");
    made.pause(2_000);
    let log = |topic: &str| What::Log { topic: topic.to_string(), text: "x".to_string() };
    made.push("S1", log("IDLE"));
    let told = missing(made.pause(500).violation(Culprit::default()), "");
    let expected = [
        "until the end, not once more: calls of AppendEntries after 0.002 s; log lines VOTE after \
          0.001 s",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_saved_is_told_if_it_is_too_much() {
    let mut made = Made::default();
    for (node, state) in [("S0", 30), ("S1", 10), ("S0", 20), ("S2", 20)] {
        let what = "persister".to_string();
        made.push(node, What::Save { what, state, snapshot: 5 });
    }
    made.pause(2_000).violation(Culprit::default());
    assert!(missing(&made, "nothing").is_empty());
    let expected =
        ["last saved, the most first: S0 25 bytes at 0.003 s, S2 25 bytes at 0.004 s, S1 15 \
                     bytes at 0.002 s"];
    assert_eq!(missing(&made, "65 bytes, limit 60"), expected);
}

#[test]
fn nothing_is_missing_if_the_test_hardly_waits_or_the_mistake_is_known() {
    let waits = |made: &mut Made, culprit: Culprit| {
        made.request(1, "S1", "S0").pause(3_000);
        made.fault("cut", &["S0", "S1"]);
        missing(made.pause(900).violation(culprit), "")
    };
    assert!(waits(&mut Made::default(), Culprit::default()).is_empty());
    // A server notices at once what is wrong.
    let mut made = Made::default();
    let (property, actual) = ("p".to_string(), "a".to_string());
    made.request(1, "S1", "S0").pause(3_000);
    made.push("S1", What::Violation { property, actual, culprit: None });
    assert!(missing(&made, "").is_empty());
    let mut made = Made::default();
    made.request(1, "S1", "S0")
        .pause(3_000)
        .violation(Culprit { at: Some(1), ..Culprit::default() });
    assert!(missing(&made, "").is_empty());
}
