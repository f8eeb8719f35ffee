//! Would a mistake in the search be noticed? Each fault is planted and must be caught.

use super::*;
use crate::{KvInput, KvModel, KvOutput};

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../tests/support/brute_force.rs"]
mod brute_force;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../tests/support/synthetic.rs"]
mod synthetic;

use self::synthetic::{Random, SmallHistories, kv_answer};

/// A key/value history.
type History = Vec<Operation<KvInput, KvOutput>>;

/// Within how many histories a fault must be caught.
const HISTORIES: u64 = 20_000;

/// A mistake that an implementation might have.
struct Fault {
    /// What the mistake is.
    name: &'static str,
    /// How it changes the history that is searched.
    misread: fn(&mut History),
    /// How it changes what the search knows of it.
    misplace: fn(&mut Timeline),
}

impl Fault {
    /// No mistake.
    const NONE: Fault = Fault { name: "none", misread: |_| {}, misplace: |_| {} };
}

/// The mistakes.
const FAULTS: &[Fault] = &[
    Fault {
        name: "at the same time, returns come before calls",
        misread: |history| {
            for operation in history {
                // Operations that return at the time of their call stay what they are.
                operation.call_time = 2 * operation.call_time + 1;
                let returned = operation.return_time.map(|time| 2 * time);
                operation.return_time = returned.map(|time| time.max(operation.call_time));
            }
        },
        ..Fault::NONE
    },
    Fault {
        name: "operations may take effect before they are called",
        misread: |history| {
            for operation in history {
                operation.call_time = operation.call_time.saturating_sub(1);
            }
        },
        ..Fault::NONE
    },
    Fault {
        name: "pending operations take effect soon after their call",
        misread: |history| {
            for operation in history {
                operation.return_time.get_or_insert(operation.call_time + 1);
            }
        },
        ..Fault::NONE
    },
    Fault {
        name: "pending operations never take effect",
        misread: |history| history.retain(|operation| operation.return_time.is_some()),
        ..Fault::NONE
    },
    Fault {
        name: "of twins, the one that returns last is taken",
        misplace: |timeline| {
            for rank in timeline.live_begin.windows(2) {
                timeline.live[rank[0]..rank[1]].reverse();
            }
        },
        ..Fault::NONE
    },
    Fault {
        name: "two live operations share a slot",
        misplace: |timeline| timeline.operations.iter_mut().for_each(|entry| entry.slot /= 2),
        ..Fault::NONE
    },
    Fault {
        name: "updates are taken as early as reads",
        misplace: |timeline| {
            for entry in &mut timeline.operations {
                if entry.kind == Kind::Update {
                    entry.kind = Kind::Read;
                }
            }
        },
        ..Fault::NONE
    },
    Fault {
        name: "the look-ahead overlooks overwrites that are called later",
        misplace: |timeline| timeline.landmarks_called.fill(0),
        ..Fault::NONE
    },
];

/// How many histories it takes to catch a fault; `None` if it is not caught.
fn catch(fault: &Fault) -> Option<u64> {
    let inputs = [
        KvInput::get("k"),
        KvInput::get("k"),
        KvInput::put("k", "a"),
        KvInput::append("k", "a"),
        KvInput::append("k", "b"),
    ];
    let histories =
        SmallHistories { model: &KvModel, inputs: &inputs, answer: kv_answer, max_operations: 8 };
    let mut random = Random::new(3);
    (0..HISTORIES).find(|_| {
        let history = histories.draw(&mut random);
        let truth = brute_force::is_linearizable(&KvModel, &history);
        search_with(fault, history) != truth
    })
}

/// Whether a search with this fault finds a linearization.
fn search_with(fault: &Fault, mut history: History) -> bool {
    let mut memory = Memory::new(1 << 20);
    (fault.misread)(&mut history);
    let operations: Vec<_> = history.iter().map(Operation::as_ref).collect();
    let mut states = States::new(&KvModel, &mut memory).unwrap();
    let mut timeline = Timeline::new(&operations, &mut states, &mut memory).unwrap();
    (fault.misplace)(&mut timeline);
    let ambient = Ambient::new(Vec::new(), &timeline, &states);
    let mut search = Search::along(timeline, ambient, states, &mut memory).unwrap();
    search.run(u64::MAX, &mut memory).unwrap() == Decision::Linearizable
}

/// Without a fault there is nothing to catch.
#[test]
fn search_agrees_with_brute_force() {
    assert_eq!(catch(&Fault::NONE), None);
}

/// Every planted fault is caught.
#[test]
fn faults_are_caught() {
    for fault in FAULTS {
        let caught = catch(fault);
        assert!(caught.is_some(), "not caught in {HISTORIES} histories: {}", fault.name);
    }
}
