//! The keyed mode, in which the accidents of a run can be chosen.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::recording::{Fault, What};
use labrpc::{
    AccidentId, AccidentKind, Accidents, Network, Node, Outcome, Policy, Server, Service,
    Simulation, chance, mishap, record, rng, sleep, spawn,
};
use rand::RngExt as _;

/// Ten clients call a server on a bad network, while the test tosses coins.
fn program() {
    let network = Network::new();
    network.set_reliable(false);
    network.set_long_reordering(true);
    let server = Node::new("S0").call(|| {
        let echo = Service::new("Echo").method("Twice", |n: u64| {
            sleep(Duration::from_millis(rng().random_range(0..3)));
            2 * n
        });
        Server::new().with(echo)
    });
    network.add_server("S0", server.expect("it is not crashed"));
    let clients: Vec<_> = (0..10_u64)
        .map(|number| {
            let name = format!("C{number}");
            let end = network.make_end(&name);
            network.connect(&name, "S0");
            network.enable(&name);
            spawn(move || {
                (0..10_u64).filter(|n| end.call::<_, u64>("Echo.Twice", n).is_ok()).count()
            })
        })
        .collect();
    for _ in 0..20 {
        if chance(3, 10) {
            network.cut("C0", "S0");
            let victim: u64 = rng().random_range(0..9);
            record(|| {
                let (verb, servers) = ("kill".to_string(), vec![format!("C{victim}")]);
                What::Fault(Fault { verb, servers, ..Fault::default() })
            });
        }
        if rng().random_ratio(1, 2) && mishap() {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(10));
    }
    clients.into_iter().for_each(|client| _ = client.join().expect("nothing crashes"));
}

/// A run of the program in which these accidents may happen.
fn run(seed: u64, accidents: Option<Accidents>) -> Outcome<()> {
    Simulation::new(seed).policy(Policy::Stall).accidents(accidents).run(program)
}

/// What has happened in a run.
fn ids(outcome: &Outcome<()>) -> BTreeSet<AccidentId> {
    outcome.accidents.iter().map(|accident| accident.id).collect()
}

#[test]
fn full_list_repeats_the_run_and_part_of_it_is_calmer() {
    for seed in 1..6 {
        let all = run(seed, Some(Accidents::all(256)));
        assert!(all.result.is_ok() && all.accidents.len() > 50, "{}", all.accidents.len());
        let listed = run(seed, Some(Accidents::only(ids(&all))));
        assert_eq!((listed.trace_hash, &listed.accidents), (all.trace_hash, &all.accidents));
        assert_eq!(listed.missing, []);
        let half = run(seed, Some(Accidents::only(ids(&all).into_iter().take(25))));
        assert!(ids(&half).is_subset(&ids(&all)) && half.accidents.len() <= 25);
    }
}

#[test]
fn calm_runs_have_no_accident_and_ordinary_ones_do_not_say() {
    let calm = run(1, Some(Accidents::only([])));
    assert!(calm.result.is_ok() && calm.accidents.is_empty());
    assert_eq!(run(1, Some(Accidents::all(0))).trace_hash, calm.trace_hash);
    let ordinary = run(1, None);
    assert!(ordinary.accidents.is_empty() && ordinary.trace_hash != calm.trace_hash);
}

#[test]
fn every_kind_of_accident_is_told() {
    let runs: Vec<_> = (1..6).map(|seed| run(seed, Some(Accidents::all(256)))).collect();
    let told = |kind| {
        let accidents = runs.iter().flat_map(|run| &run.accidents);
        let of_kind: Vec<&str> =
            accidents.filter(|it| it.kind == kind).map(|it| &*it.text).collect();
        assert!(!of_kind.is_empty(), "no {kind:?}");
        of_kind
    };
    assert!(told(AccidentKind::RequestLost)[0].starts_with("the request Twice from C"));
    assert!(told(AccidentKind::RequestDelayed)[0].ends_with(" ms"));
    assert!(told(AccidentKind::ReplyLost)[0].ends_with(" to S0 is lost"));
    assert!(told(AccidentKind::ReplyHeld)[0].contains(" is held back for "));
    assert!(told(AccidentKind::Stall)[0].starts_with("a task of S0, spawned at "));
    assert!(told(AccidentKind::Coin)[0].contains("tests/runtime/keyed.rs:"));
    assert!(told(AccidentKind::Coin).iter().any(|text| text.ends_with(" is killed")));
}

#[test]
fn accidents_that_never_happen_are_reported() {
    let stranger = AccidentId(7);
    let outcome = run(1, Some(Accidents::only([stranger])));
    assert_eq!((outcome.accidents.len(), outcome.missing), (0, vec![stranger]));
}
