use contract::recording::{Event, Fault, Loss, State, What};

use super::{Budget, Rest, push};

/// Something that happens at a time.
fn event(at: u64, task: u32, what: What) -> Event {
    Event { at, task, node: "S1".to_string(), what }
}

/// A heartbeat of S0 to S1, at a time that is its number, too.
fn heartbeat(call: u64, reply: &str) -> Vec<Event> {
    let request = What::Request {
        call,
        end: "S0.1>S1".to_string(),
        from: "S0".to_string(),
        to: "S1".to_string(),
        method: "Raft.AppendEntries".to_string(),
        bytes: 9,
        args: format!("Args {{ {} }}", "x".repeat(100)),
    };
    let reply = What::Return { call, bytes: 1, reply: reply.to_string() };
    vec![
        event(call, 1, request),
        event(call, 2, What::Arrive { call }),
        event(call, 2, reply),
        event(call, 0, What::Reply { call }),
    ]
}

/// Call 0, of S1 to S0, which is lost. That S0 is called shows that it is a server.
fn lost_vote() -> Vec<Event> {
    let request = What::Request {
        call: 0,
        end: "S1.1>S0".to_string(),
        from: "S1".to_string(),
        to: "S0".to_string(),
        method: "Raft.RequestVote".to_string(),
        bytes: 9,
        args: String::new(),
    };
    vec![event(0, 1, request), event(0, 0, What::Lost { call: 0, why: Loss::Request })]
}

/// What is left of a recording.
struct Left {
    /// The numbers of the calls.
    calls: Vec<u64>,
    events: Vec<Event>,
    whole: Vec<[u64; 2]>,
}

/// What is left of some events if this part of the bytes may stay.
fn left(events: Vec<Event>, focus: &[usize], percent: usize) -> Left {
    let mut all = Vec::new();
    events.iter().for_each(|event| _ = push(&mut all, event));
    let most = all.len() * percent / 100;
    let mut budget = Budget::new(events, most);
    budget.keep(focus);
    let Rest { lines: text, left_out, whole } = budget.finish(focus);
    assert!(text.len() <= most, "{} of {most} bytes", text.len());
    assert_eq!(left_out.is_empty(), percent == 100);
    let text = String::from_utf8(text).unwrap();
    let left: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls = left.iter().filter_map(|event| match event.what {
        What::Request { call, .. } => Some(call),
        _ => None,
    });
    Left { calls: calls.collect(), events: left, whole }
}

#[test]
fn what_is_small_enough_stays_as_it_is() {
    let events: Vec<Event> = (0..10).flat_map(|call| heartbeat(call, "ok")).collect();
    let left = left(events.clone(), &[], 100);
    assert_eq!((left.events, left.whole), (events, Vec::new()));
}

#[test]
fn calls_near_to_what_matters_stay() {
    let mut events = lost_vote();
    events.extend((1..=1_000).flat_map(|call| heartbeat(call, &format!("{call}"))));
    let Left { calls, whole, .. } = left(events, &[1_200, 4_001], 30);
    assert!(calls.contains(&300) && calls.contains(&1_000), "{calls:?}");
    assert!(!calls.contains(&600) && !calls.contains(&1), "{calls:?}");
    let [[from, to], [last, 1_000]] = whole[..] else { panic!("{whole:?}") };
    assert!(1 < from && from < 300 && 300 < to && to < last && last < 1_000, "{whole:?}");
}

#[test]
fn what_the_recorder_has_forgotten_is_not_said_to_be_there() {
    let fault = event(3, 1, What::Fault(Fault::default()));
    let events: Vec<Event> = [vec![fault], heartbeat(50, "ok"), heartbeat(60, "ok")].concat();
    let mut budget = Budget::new(events, 1 << 20);
    budget.note_forgotten();
    assert_eq!(budget.finish(&[0, 9]).whole, [[50, 60]]);
}

#[test]
fn repetitions_go_before_calls_that_say_something_new_or_have_an_effect() {
    let mut events = lost_vote();
    for call in 1..=300 {
        let mut heartbeat = heartbeat(call, "ok");
        if call == 7 {
            let log = What::Log { topic: "TERM".to_string(), text: "a new term".to_string() };
            heartbeat.insert(2, event(call, 2, log));
        }
        events.extend(heartbeat);
    }
    let focus = [events.len()];
    let Left { calls, events, .. } = left(events, &focus, 20);
    assert!(calls.contains(&0) && calls.contains(&7), "{calls:?}");
    assert!(!calls.contains(&8), "{calls:?}");
    assert!(events.iter().any(|event| matches!(event.what, What::Log { .. })));
}

#[test]
fn faults_and_terms_stay_and_applied_indices_go() {
    let state = |term, applied| {
        let server = "S1".to_string();
        What::State(State { server, term: Some(term), applied: Some(applied), ..State::default() })
    };
    let fault = |micros: Option<u64>| {
        let verb = if micros.is_none() { "crash" } else { "stall" }.to_string();
        What::Fault(Fault { verb, micros, ..Fault::default() })
    };
    let mut events = vec![event(0, 1, state(1, 0)), event(1, 1, fault(None))];
    events.extend((1..100).map(|i| event(i, 1, state(1, i))));
    events.extend((100..200).map(|i| event(i, 1, fault(Some(i)))));
    events.push(event(200, 1, state(2, 99)));
    let focus = [events.len()];
    let left = left(events, &focus, 2);
    let whats: Vec<What> = left.events.into_iter().map(|event| event.what).collect();
    assert_eq!(whats, [state(1, 0), fault(None), state(2, 99)]);
}
