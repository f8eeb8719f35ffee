use serde::Serialize;

use crate::accidents::{AccidentId, AccidentKind};

use super::{Culprit, End, Event, Fault, Loss, Run, State, VERSION, What, push_line};

/// The description of the format.
const DOCUMENT: &str = include_str!("../../../docs/recording.md");

/// One event of each kind, with all its fields.
fn one_of_each() -> Vec<What> {
    let text = || "text".to_string();
    vec![
        What::Spawn { child: 2, on: text() },
        What::Request {
            call: 1,
            end: text(),
            from: text(),
            to: text(),
            method: text(),
            bytes: 3,
            args: text(),
        },
        What::Arrive { call: 1 },
        What::Return { call: 1, bytes: 3, reply: text() },
        What::Held { call: 1, micros: 200_000 },
        What::Reply { call: 1 },
        What::Lost { call: 1, why: Loss::HandlerDied },
        What::Log { topic: text(), text: text() },
        What::Save { what: text(), state: 5, snapshot: 7 },
        What::State(State {
            server: text(),
            term: Some(1),
            role: Some(text()),
            applied: Some(2),
            up: true,
            connected: false,
        }),
        What::Accident {
            id: AccidentId(0x6273_d91b),
            what: AccidentKind::ReplyLost,
            call: Some(1),
            text: text(),
        },
        What::Fault(Fault {
            verb: text(),
            servers: vec![text()],
            sides: vec![vec![text()]],
            micros: Some(1),
        }),
        What::Network { text: text() },
        What::Begin { operation: 0, client: text(), text: text(), key: Some(text()) },
        What::Complete { operation: 0, text: text() },
        What::Shard { shard: 3, owner: text() },
        What::Note { text: text() },
        What::Violation { property: text(), actual: text(), culprit: Some(culprit()) },
    ]
}

/// A culprit of which everything is known.
fn culprit() -> Culprit {
    Culprit {
        server: Some("S1".to_string()),
        others: vec!["S2".to_string()],
        at: Some(4_000),
        term: Some(2),
        index: Some(3),
        operations: vec![8, 9],
        shard: Some(1),
    }
}

/// A line as it is written.
fn line(line: &impl Serialize) -> String {
    let mut text = Vec::new();
    push_line(&mut text, line);
    String::from_utf8(text).expect("JSON is UTF-8")
}

#[test]
fn events_are_read_as_they_were_written() {
    for what in one_of_each() {
        let event = Event { at: 7, task: 3, node: "S0".to_string(), what };
        let read: Event = serde_json::from_str(&line(&event)).unwrap();
        assert_eq!(read, event);
    }
}

#[test]
fn what_is_unknown_is_left_out() {
    let what = What::State(State { server: "S0".to_string(), ..State::default() });
    let event = Event { at: 7, task: 0, node: "test".to_string(), what };
    assert_eq!(
        line(&event),
        "{\"at\":7,\"task\":0,\"node\":\"test\",\"kind\":\"state\",\"server\":\"S0\",\"up\":false,\
         \"connected\":false}\n"
    );
}

#[test]
fn the_document_names_every_kind_field_and_reason() {
    let mut names = Vec::new();
    let mut collect = |line: &str| {
        let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        names.push(value["kind"].as_str().unwrap().to_string());
        names.extend(value.keys().cloned());
        let culprit = value.get("culprit").and_then(|culprit| culprit.as_object());
        names.extend(culprit.into_iter().flat_map(|culprit| culprit.keys().cloned()));
    };
    for what in one_of_each() {
        collect(&line(&Event { at: 7, task: 3, node: "S0".to_string(), what }));
    }
    let text = || "text".to_string();
    let (version, only) = (VERSION, Some(text()));
    let run = Run { version, test: text(), lab: text(), seed: 7, policy: text(), only };
    collect(&line(&run));
    let left_out = [("messages".to_string(), 7)].into();
    let (report, whole) = (Some(text()), vec![[1, 2]]);
    let end = End { at: 9, result: text(), report, hash: text(), left_out, whole };
    collect(&line(&end));
    for why in
        [Loss::Unreachable, Loss::Request, Loss::Gone, Loss::HandlerDied, Loss::Cut, Loss::Reply]
    {
        names.push(serde_json::to_value(why).unwrap().as_str().unwrap().to_string());
    }
    for kind in [
        AccidentKind::RequestLost,
        AccidentKind::RequestDelayed,
        AccidentKind::ReplyLost,
        AccidentKind::ReplyHeld,
        AccidentKind::Stall,
        AccidentKind::Coin,
    ] {
        names.push(serde_json::to_value(kind).unwrap().as_str().unwrap().to_string());
    }
    for name in names {
        let is_named = [format!("`{name}`"), format!("`\"{name}\"`")]
            .iter()
            .any(|quoted| DOCUMENT.contains(quoted));
        assert!(is_named, "docs/recording.md does not name {name}");
    }
}
