//! What a recording contains: these tests start this very binary again, which then runs the samples
//! below with a recorder.

#![expect(clippy::unwrap_used, reason = "helpers of tests, in a crate of its own")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use contract::accidents::{Accident, AccidentId, AccidentKind};
use contract::recording::{Culprit, End, Event, Fault, Loss, Run, State, What};
use contract::settings::{ONLY, RECORD, REPORT, SEED, forget_settings, forget_verbosity};
use contract::story::Told;
use labrpc::{ClientEnd, Service, spawn};
use serde_json::Value;
use testkit::{Cluster, KvHistory, Sim, Started, chance, lab_test};

/// Two servers that can be asked whether they are there.
fn servers(sim: &Sim) -> Cluster<()> {
    let start = |_boot| {
        let service = Service::new("Echo").method("Same", |text: String| text);
        Started { handle: (), services: vec![service] }
    };
    let cluster = Cluster::new(sim, "S", 2, start, |()| {});
    cluster.start_all();
    cluster
}

#[test]
#[ignore = "a sample for the tests below"]
fn stale_read_0a() {
    lab_test("stale_read_0a", |sim| {
        let cluster = servers(sim);
        let history = KvHistory::new(sim);
        let client = cluster.client();
        let get = |_: &mut ClientEnd, _: &str| String::new();
        let put = |end: &mut ClientEnd, _: &str, value: &str| {
            end.call::<_, String>("Echo.Same", &value.to_string()).unwrap();
        };
        let mut clerk = history.clerk(&client, client.end("S0"), get, put, put);
        client.reach_only(&[0]);
        client.reach_only(&[0, 1]);
        clerk.put("x", "1");
        clerk.get("x");
        cluster.hold_requests(0, 1);
        sim.network().release();
        cluster.partition(&[&[0], &[1]]);
        cluster.heal();
        cluster.crash(1);
        sim.sleep(Duration::from_secs(1));
        history.check();
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn server_panics_0a() {
    lab_test("server_panics_0a", |sim| {
        servers(sim).call(1, |()| panic!("index 7 is beyond the log"));
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn accidents_0a() {
    lab_test("accidents_0a", |sim| {
        let cluster = servers(sim);
        sim.network().set_reliable(false);
        let end = cluster.client().end("S0");
        for _ in 0..20 {
            end.call::<_, String>("Echo.Same", &"text".to_string()).ok();
        }
        if (0..100).any(|_| chance(1, 2)) {
            cluster.disconnect(1);
        }
    });
}

#[test]
#[ignore = "a sample for the tests below"]
fn busy_loop_0a() {
    lab_test("busy_loop_0a", |sim| {
        let cluster = servers(sim);
        for client in 0..20_u64 {
            let end = cluster.client().end("S1");
            spawn(move || {
                for number in 0..3_000 {
                    let text = format!("{client} {number} {}", "x".repeat(200));
                    end.call::<_, String>("Echo.Same", &text).ok();
                }
            });
        }
        cluster.disconnect(0);
        sim.sleep(Duration::from_secs(10));
    });
}

/// A recording.
struct Recording {
    size: usize,
    run: Run,
    events: Vec<Event>,
    end: End,
    /// The hash of the run, as a report has it that was made without a recorder.
    hash: String,
    /// What has happened, as the report has it.
    accidents: Vec<Accident>,
    /// The story, as the report of the recorded run has it.
    story: Vec<Told>,
}

/// The recording of a sample's run.
fn record(sample: &str) -> Recording {
    record_with(sample, None)
}

/// The recording of a sample's run with these accidents.
fn record_with(sample: &str, only: Option<&str>) -> Recording {
    let file = |kind: &str| {
        let name = format!("testkit-{}-{sample}-{kind}.jsonl", std::process::id());
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
    };
    let run = |files: &[(&str, &Path)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        forget_verbosity(forget_settings(&mut command))
            .args(["--ignored", "--exact", sample])
            .env(SEED, "1")
            .envs(files.iter().copied())
            .envs(only.map(|only| (ONLY, only)))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        files
            .iter()
            .map(|(_, file)| {
                let text = std::fs::read_to_string(file).unwrap();
                std::fs::remove_file(file).unwrap();
                text
            })
            .collect::<Vec<_>>()
    };
    let [recording, report] = [file("recording"), file("report")];
    let texts = run(&[(RECORD, &recording), (REPORT, &report)]);
    let of_recorded: Value = serde_json::from_str(&texts[1]).unwrap();
    let text = &texts[0];
    let report: Value = serde_json::from_str(&run(&[(REPORT, &report)])[0]).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [first, events @ .., last] = &lines[..] else { panic!("{text}") };
    Recording {
        size: text.len(),
        run: serde_json::from_str(first).unwrap(),
        events: events.iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
        end: serde_json::from_str(last).unwrap(),
        hash: report["trace_hash"].as_str().unwrap().to_string(),
        accidents: serde_json::from_value(report["accidents"].clone()).unwrap_or_default(),
        story: serde_json::from_value(of_recorded["story"].clone()).unwrap_or_default(),
    }
}

impl Recording {
    /// What happened.
    fn whats(&self) -> impl Iterator<Item = &What> {
        self.events.iter().map(|event| &event.what)
    }
}

#[test]
fn a_failing_run_is_recorded_with_faults_operations_and_culprit() {
    let recording = record("stale_read_0a");
    assert_eq!((recording.run.lab.as_str(), recording.run.seed), ("testkit", 1));
    assert_eq!(recording.run.test, "testkit stale_read_0a");
    assert_eq!((&*recording.end.result, &recording.end.hash), ("failed", &recording.hash));
    assert!(recording.end.left_out.is_empty());
    let report = recording.end.report.as_ref().unwrap();
    let reason = "history is not linearizable: get(x) of C0 returned \"\"";
    assert!(report.contains(reason), "{report}");

    let verbs: Vec<&str> = recording.whats().filter_map(verb).collect();
    let (begin, end) = (["start", "start", "connect", "connect"], ["partition", "heal", "crash"]);
    let middle = ["reach", "reach all", "hold requests", "release"];
    assert_eq!(verbs, [&begin[..], &middle, &end].concat());
    let begun = |what: &What| match what {
        What::Begin { operation, client, text, .. } => {
            Some((*operation, client.clone(), text.clone()))
        }
        _ => None,
    };
    let operation = |number, text: &str| (number, "C0".to_string(), text.to_string());
    assert_eq!(
        recording.whats().filter_map(begun).collect::<Vec<_>>(),
        [operation(0, "put(x, \"1\")"), operation(1, "get(x)")]
    );
    let get = recording.events.iter().rfind(|event| matches!(event.what, What::Complete { .. }));
    let culprit = recording.whats().find_map(|what| match what {
        What::Violation { culprit, .. } => culprit.clone(),
        _ => None,
    });
    let at = get.map(|event| event.at);
    assert_eq!(culprit, Some(Culprit { at, operations: vec![0, 1], ..Culprit::default() }));

    let told: Vec<&str> = recording.story.iter().map(|told| &*told.text).collect();
    let reach = ["the test lets C0 reach only S0", "the test lets C0 reach all its servers"];
    assert_eq!(told[..2], reach);
    for line in
        ["C0: put(x, \"1\") -> done", "C0: get(x) -> \"\"", "last seen by the test: S1 down"]
    {
        assert!(told.contains(&line), "{told:?}");
    }

    let down = State { server: "S1".to_string(), ..State::default() };
    assert!(recording.whats().any(|what| *what == What::State(down.clone())));
}

#[test]
fn accidents_are_recorded_as_the_report_tells_them() {
    let recording = record_with("accidents_0a", Some("all"));
    assert_eq!(recording.end.hash, recording.hash);
    assert_eq!(recording.run.only.as_deref(), Some("all"));
    let recorded: Vec<_> = recording.whats().filter_map(accident).collect();
    let told = recording.accidents.iter().map(|it| (it.id, it.kind, &*it.text));
    assert_eq!(recorded, told.collect::<Vec<_>>());
    let coin = recorded.iter().find(|(_, kind, _)| *kind == AccidentKind::Coin).unwrap();
    assert!(coin.2.ends_with(" falls: S1 is cut off"), "{}", coin.2);
    let lost = |what: &&What| matches!(what, What::Lost { why: Loss::Reply, .. });
    let Some(What::Lost { call: lost, .. }) = recording.whats().find(lost) else {
        panic!("a reply is lost: {recorded:?}")
    };
    let is_accident = |what: &What| matches!(what, What::Accident { what: AccidentKind::ReplyLost, call: Some(call), .. } if call == lost);
    assert!(recording.whats().any(is_accident), "the loss of call {lost} is an accident");

    let calm = record_with("accidents_0a", Some("none"));
    assert_eq!(calm.whats().filter_map(accident).count(), 0);
}

/// An accident: its identity, kind and text.
fn accident(what: &What) -> Option<(AccidentId, AccidentKind, &str)> {
    match what {
        What::Accident { id, what, text, .. } => Some((*id, *what, text)),
        _ => None,
    }
}

/// The verb of a fault that is not a stall.
fn verb(what: &What) -> Option<&str> {
    match what {
        What::Fault(Fault { verb, micros: None, .. }) => Some(verb),
        _ => None,
    }
}

#[test]
fn a_failure_that_no_test_notices_is_a_violation_too() {
    let recording = record("server_panics_0a");
    assert_eq!(recording.end.hash, recording.hash);
    let Some(What::Violation { property, actual, culprit }) = recording.whats().last() else {
        panic!("{:?}", recording.events)
    };
    assert_eq!((&**property, &**actual), ("nothing panics", "index 7 is beyond the log"));
    let server = culprit.as_ref().and_then(|culprit| culprit.server.as_deref());
    assert_eq!(server, Some("S1"));
}

/// 60 000 calls with 200 characters each.
#[test]
fn a_long_recording_is_cut_and_says_so() {
    let recording = record("busy_loop_0a");
    assert_eq!((&*recording.end.result, &recording.end.hash), ("passed", &recording.hash));
    assert!(recording.size < 24_100_000, "{} bytes", recording.size);
    assert!(recording.size > 23_500_000, "{} bytes", recording.size);
    let left_out = &recording.end.left_out;
    assert!(left_out["messages"] > 1_000, "{left_out:?}");
    assert!(left_out["parts of texts"] > 1_000, "{left_out:?}");
    assert!(recording.whats().any(|what| verb(what) == Some("disconnect")), "faults stay");
    let is_request = |what: &&What| matches!(what, What::Request { .. });
    let Some(What::Request { call, .. }) = recording.whats().filter(is_request).last() else {
        panic!("there are requests")
    };
    assert!(*call >= 59_900, "the end stays, not {call}");
    let calls = recording.whats().filter(is_request).count();
    let arrived = recording.whats().filter(|what| matches!(what, What::Arrive { .. })).count();
    assert_eq!(calls, arrived, "calls are left out as a whole");
}
